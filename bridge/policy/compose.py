"""Compose: decisions to notices, and each notice to its ordered steps. Pure.

One notice per claim, or one per debtor where the plan bundles; never over two currencies, languages, recipients or creditors: a notice
is made of one case, a case belongs to one account, an account to one creditor. A level with two channels makes two notices; the record
at the provider belongs to the first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from bridge.model import Content, Reason
from bridge.policy import texts
from bridge.policy.again import again, sent_again
from bridge.policy.asking import asked_by
from bridge.policy.beside import Bundle, Other, Part, address, bundled, others, term_until
from bridge.policy.build import amount, cents
from bridge.policy.channel import Via
from bridge.policy.drafts import ClaimDraft, Item, NoticeDraft
from bridge.policy.filling import Filling, values_of
from bridge.policy.inhouse import in_house, task_of, tell
from bridge.policy.links import with_link
from bridge.policy.mentions import mentioned, with_mentions
from bridge.policy.money import FlatFeeReason
from bridge.policy.money import words as money_words
from bridge.policy.paying import how_to_pay
from bridge.policy.plan import Automation, DunningLevel, EscalationPlan
from bridge.policy.recipients import (
    addressed,
    folded,
    mail_recipients,
    postal_address,
    reaching,
    recipient_of,
    told_unusable,
)
from bridge.policy.rules import AccountRules
from bridge.policy.situation import adoption
from bridge.policy.statement import Asked, names_all, table_of
from bridge.policy.steps import Frame, steps_of
from bridge.policy.views import Abilities, Basis, CaseView, ClaimView, Decision, Outcome
from bridge.policy.ways import Blocked, Way


def compose(
    case: CaseView, decisions: Iterable[Decision], rules: AccountRules, abilities: Abilities, today: date
) -> tuple[NoticeDraft, ...]:
    """Return the notices for the decisions that escalate, oldest claim first.

    Raises `ValueError` for a case of another account than that of the rules: its claims are another creditor's.
    """
    if case.account != rules.account:
        raise ValueError(f"case of account {case.account}, rules of account {rules.account}")
    claims = {claim.invoice_id: claim for claim in case.claims}
    groups: dict[tuple[str, ...], list[Item]] = {}
    decisions = tuple(decisions)
    items = [_item(case, claims[one.invoice_id], one, rules) for one in decisions if one.outcome is Outcome.ESCALATE]
    for item in sorted(items, key=lambda one: (one.claim.due_on or date.max, one.claim.invoice_id)):
        groups.setdefault(_group(case, item), []).append(item)
    found: list[NoticeDraft] = []
    for group in groups.values():
        whole = _notices(case, group, decisions, rules, abilities, today)
        if not whole and len(group) > 1:  # no way for the bundle as a whole: what can go out by itself does
            whole = [one for item in group for one in _notices(case, [item], (), rules, abilities, today)]
        found += whole
    return tuple(found)


def _notices(  # noqa: PLR0917  two call sites
    case: CaseView,
    group: Sequence[Item],
    decisions: Sequence[Decision],
    rules: AccountRules,
    abilities: Abilities,
    today: date,
) -> list[NoticeDraft]:
    lead = max(group, key=lambda one: one.position)
    beside = _beside(case, group, lead, decisions, rules, today)
    along = [_along(one.claim, lead, today) for one in beside if one.part is Part.INCLUDED]
    items = [*group, *along]
    asked, found = asked_by(case, lead, items, rules, abilities, today)
    if isinstance(found, Blocked) and along:  # a credit note of theirs, or their number, cannot be told this way
        items = [*group]
        asked, found = asked_by(case, lead, items, rules, abilities, today)
        beside = tuple(one._replace(part=Part.LEFT_OUT) if one.part is Part.INCLUDED else one for one in beside)
    if isinstance(found, Blocked):
        return []
    drafts = [_notice(case, items, asked, lead, way, rules, abilities, today, beside) for way in found]
    return _telling(case, asked, lead, drafts, rules, abilities, today)


def _telling(  # noqa: PLR0917  one call site
    case: CaseView,
    asked: Sequence[Asked],
    lead: Item,
    drafts: list[NoticeDraft],
    rules: AccountRules,
    abilities: Abilities,
    today: date,
) -> list[NoticeDraft]:
    """Return the notices of a level, the first of which tells colleagues once it has landed, where the level wants that."""
    first = drafts[0]
    if lead.level.internal_notice is None or first.channel.in_house:
        return drafts
    step = tell(case, asked, lead, rules, abilities)
    sends = first.automation in (Automation.PROPOSE, Automation.SEND)
    steps = (*first.steps, step) if step is not None and sends else first.steps
    return [replace(first, steps=steps, task=task_of(case, lead, Via.INTERNAL, rules, today)), *drafts[1:]]


def _beside(  # noqa: PLR0917  one call site
    case: CaseView,
    group: Sequence[Item],
    lead: Item,
    decisions: Sequence[Decision],
    rules: AccountRules,
    today: date,
) -> tuple[Other, ...]:
    """Return the debtor's other invoices with their part in the bundle; nothing where the notice is no bundle that we send."""
    sends = lead.level.automation in (Automation.PROPOSE, Automation.SEND)
    if not sends or _group(case, lead)[0] != "bundle":
        return ()
    triggers = frozenset(item.claim.invoice_id for item in group)
    term = term_until(case, case.claims, lead.level, rules, today) if lead.level.writes else None
    bundle = Bundle(triggers, lead.claim, lead.plan, lead.level, lead.language, term)

    def language(claim: ClaimView) -> str:
        return language_of(case, claim, lead.level, lead.plan, rules)

    there = tuple(addressed(one, lead.position) for one in case.claims)
    return others(replace(case, claims=there), decisions, bundle, language, rules=rules, today=today)


def _along(claim: ClaimView, lead: Item, today: date) -> Item:
    """Return an overdue claim that goes along at level 0: it is asked for, and nothing rises. The day keeps its key unique."""
    plan = lead.plan
    decision = Decision(
        claim.invoice_id,
        Outcome.ESCALATE,
        Reason.LEVEL_DUE,
        level=0,
        repetition=today.toordinal(),
        round=claim.round,
        plan=plan.name,
    )
    return Item(
        claim,
        decision._replace(adoption=adoption(claim, plan)),
        plan,
        lead.level,
        lead.variant,
        lead.language,
        along=True,
    )


def unsendable(
    case: CaseView, decisions: Iterable[Decision], rules: AccountRules, abilities: Abilities, today: date
) -> dict[str, Blocked]:
    """Return the invoices that escalate but for which no true notice can be made, and why.

    The provider's own document would ask for another amount (open credit notes, interest, earlier charges), or this account cannot
    send it at all, and no channel of ours can say it.
    """
    claims = {claim.invoice_id: claim for claim in case.claims}
    found: dict[str, Blocked] = {}
    for one in decisions:
        if one.outcome is Outcome.ESCALATE:
            item = _item(case, claims[one.invoice_id], one, rules)
            way = asked_by(case, item, [item], rules, abilities, today)[1]
            if isinstance(way, Blocked):
                found[one.invoice_id] = way
    return found


def intended(
    case: CaseView, claim: ClaimView, decision: Decision, rules: AccountRules, *, abilities: Abilities, today: date
) -> tuple[tuple[Way, ...] | Blocked, Asked]:
    """Return how the level of a decision would go out for one claim by itself, and what it would ask for; also while it is held."""
    item = _item(case, claim, decision, rules)
    (asked,), found = asked_by(case, item, [item], rules, abilities, today)
    return found, asked


def key_of(account: str, claim: ClaimView, decision: Decision, via: Via) -> str:
    """Return the unique key of a notice for one claim: claim, round, level, repetition, channel as the plan names it."""
    return f"{account}:{claim.invoice_id}:{decision.round}:{decision.level}:{decision.repetition}:{via.value}"


def _item(case: CaseView, claim: ClaimView, decision: Decision, rules: AccountRules) -> Item:
    assert decision.plan is not None
    assert decision.level is not None
    plan = rules.plans[decision.plan]
    level = plan.level(decision.level)
    claim = addressed(claim, decision.level)
    once_more = sent_again(claim, decision)
    if once_more is not None:
        level = again(level, once_more)
    try:
        variant = level.variant(decision.variant)
    except KeyError:  # taken out of the plan after a person chose it
        variant = level.standard
    variant = reaching(case, claim, level, variant, rules)
    return Item(claim, decision, plan, level, variant, language_of(case, claim, level, plan, rules))


def language_of(
    case: CaseView, claim: ClaimView, level: DunningLevel, plan: EscalationPlan, rules: AccountRules
) -> str:
    """Return the language of the text: the invoice's, the customer's, the country's, the account's; else the plan's own."""
    wanted = (claim.language or case.language or "").lower().replace("_", "-").split("-")[0]
    if not wanted:
        address = claim.address or case.address
        foreign = address is not None and address.country not in ("", "DE", "AT", "CH")
        wanted = "en" if foreign else rules.language
    for language in (wanted, plan.language):
        if language in level.texts:
            return language
    return next(iter(level.texts), plan.language)[:2]


def _group(case: CaseView, item: Item) -> tuple[str, ...]:
    plan, claim, level = item.plan, item.claim, item.level
    if level.collection:
        return ("collection", claim.currency)
    if not bundled(case, claim, plan, level) or any(via.by_provider for via in item.variant.channels):
        return ("single", claim.invoice_id)
    kind = "bundle" if level.reaches_debtor else "internal"
    once_more = sent_again(claim, item.decision)
    if once_more is not None:
        kind = f"again {once_more.value}"  # what came back together goes out together, and nothing else with it
    return (kind, claim.currency, item.language, address(case, claim))


def _notice(  # noqa: PLR0917  one call site
    case: CaseView,
    group: Sequence[Item],
    asked: Sequence[Asked],
    lead: Item,
    way: Way,
    rules: AccountRules,
    abilities: Abilities,
    today: date,
    beside: tuple[Other, ...] = (),
) -> NoticeDraft:
    via, document = way.via, way.document
    if via.in_house:
        claims = tuple(_claim(case, item, one, way, rules, today, None) for item, one in zip(group, asked, strict=True))
        return in_house(
            case, group, asked, lead, via, claims, rules=rules, abilities=abilities, today=today, beside=beside
        )
    deadline = term_until(case, [item.claim for item in group], lead.level, rules, today)
    name = lead.level.name_in(lead.language)
    claims = tuple(_claim(case, item, one, way, rules, today, deadline) for item, one in zip(group, asked, strict=True))
    fee = sum(one.owed.fee for one in asked)
    table = table_of(asked, beside, today, texts.tag(lead.language, rules.creditor.country), lead.claim.currency)
    mentions = mentioned(table, lead.language)
    link = rules.links.of(claims[0].key, today) if rules.links and via.mailed else None
    url = link.url if link else ""
    maker = rules.creditor
    text = lead.level.text_in(lead.language, maker.country, lead.variant, mailed=via.mailed)
    written = texts.tag(lead.language, maker.country)
    filling = Filling(case, lead.claim, lead.level, rules, lead.language, deadline, today, amount(fee))
    values = values_of(filling, table, asked) | {"mentions": mentions, "debtor_link": url}
    body = texts.render(texts.local(text.body, written), values)
    if via.by_provider or names_all(text.body, values):
        body = with_mentions(text.body, body, mentions, lead.language)
    else:
        body = f"{body}\n\n{texts.CLAIMS}"
    recipient = recipient_of(case, lead.claim, lead.level, via)
    own_mail = via.mailed
    content = Content(
        level_name=name,
        language=lead.language,
        currency=lead.claim.currency,
        principal=amount(sum(item.claim.demand for item in group)),
        fee=amount(fee),
        total=table.total,
        deadline=deadline,
        subject=texts.render(texts.local(text.subject, written), values),
        text=with_link(text.body, body, url, lead.language),
        recipients=mail_recipients(case, lead.claim, lead.level, rules) if own_mail else Content().recipients,
        address=None if own_mail else postal_address(case, lead.claim),
        line=_line(lead, via, deadline, rules, today),
        link=rules.case_link(case.case_number),
        sent_by="mail" if own_mail else "post",
        table=table,
        payment=how_to_pay(case, [item.claim for item in group], maker, cents(table.total), deadline),
        country=maker.country,
        footer=maker.particulars_in(lead.language) if own_mail else (),
    )
    automation = lead.level.automation
    if any(item.level.automation is Automation.PROPOSE for item in group):
        automation = Automation.PROPOSE  # what a person must approve does not slip out with the rest
    frame = Frame(
        via,
        document,
        automation,
        lead.level.tag,
        content,
        abilities,
        case.has_record,
        lead.level.attachments,
        rules.files,
    )
    per_claim = [
        (item.claim, one.owed.fee, item.level.name_in(lead.language))
        for item, one in zip(group, asked, strict=True)
        if not item.along
    ]
    along = [(item.claim, 0, "") for item in group if item.along]
    return NoticeDraft(
        account=case.account,
        debtor_id=case.debtor_id,
        plan=lead.plan.name,
        level=lead.position,
        level_name=name,
        variant=lead.variant.name,
        channel=via,
        automation=automation,
        currency=lead.claim.currency,
        language=lead.language,
        total=cents(table.total),
        deadline=deadline,
        recipient=recipient,
        content=content,
        claims=claims,
        steps=steps_of(frame, per_claim, along),
        triggers=tuple(item.claim.invoice_id for item in group if not item.along) if beside or len(group) > 1 else (),
        others=beside,
        plan_version=lead.plan.version,
        link=link.ref if link else None,
    )


def _claim(  # noqa: PLR0917  one call site
    case: CaseView, item: Item, asked: Asked, way: Way, rules: AccountRules, today: date, deadline: date | None
) -> ClaimDraft:
    claim, decision, via = item.claim, item.decision, way.via
    adopted = decision.adoption
    own_mail = via.mailed
    main = (claim.email or case.email or "") if own_mail else folded(postal_address(case, claim))
    account = asked.owed.account
    basis = Basis(
        invoice_id=claim.invoice_id,
        currency=claim.currency,
        demand=claim.demand,
        credits=claim.shared_credits,
        round=decision.round,
        from_level=adopted.level if adopted else claim.level,
        level=item.position,
        decided_on=today,
        via=via.value,
        main=main,
        recipient=recipient_of(case, claim, item.level, via),
        deadline=deadline,
        chosen=bool(claim.mail_to) if own_mail else claim.post_to is not None,
        known_reminders=frozenset(notice.id for notice in claim.notices),
        asks=asked.asks,
        total=account.total,
        flat_fee=account.flat_fee is FlatFeeReason.OWED and not via.in_house,
        legal=item.level.is_legal_dunning and not via.in_house,
        notes=(
            *(money_words.remark(one, claim.currency) for one in asked.owed.notes),
            *told_unusable(case, via),
        ),
        plan="" if item.along else item.plan.name,
        plan_version="" if item.along else item.plan.version,
    )
    return ClaimDraft(
        invoice_id=claim.invoice_id,
        number=claim.number,
        round=decision.round,
        level=item.position,
        level_name="" if item.along else item.level.name_in(item.language),
        repetition=decision.repetition,
        demand=claim.demand,
        fee=0 if via.in_house else asked.owed.fee,
        total=account.total,
        key=key_of(rules.account, claim, decision, way.named),
        basis=basis,
    )


def _line(lead: Item, via: Via, deadline: date, rules: AccountRules, today: date) -> str:
    """Return the line that stays at the provider: date, level, channel, term, and after `; ` the template with its language.

    The connector adds the marker of its write-back.
    """
    language = rules.staff_language
    name = lead.level.name_in(language)
    level, until = lead.decision.level, texts.day(deadline, language)
    template = f"{lead.plan.name}/{lead.variant.name} ({lead.language})"
    if language == "de":
        said = f"{texts.day(today, language)}: {name} (Stufe {level}) {_BY[via][0]}, Frist {until}"
        return f"{said}; Vorlage {template}"
    said = f"{texts.day(today, language)}: {name} (level {level}) {_BY[via][1]}, due by {until}"
    return f"{said}; template {template}"


_BY = {
    Via.PROVIDER_EMAIL: ("per E-Mail", "by e-mail"),
    Via.PROVIDER_POST: ("per Post", "by post"),
    Via.MAIL: ("per E-Mail", "by e-mail"),
    Via.LETTER: ("per Brief", "by letter"),
}
