"""Compose: decisions to notices, and each notice to its ordered steps. Pure.

One notice per claim, or one per debtor where the plan bundles; never over two currencies, languages or recipients. A level with two
channels makes two notices; the record at the provider belongs to the first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta

from bridge.model import Content, Reason
from bridge.policy import places, texts
from bridge.policy.beside import Bundle, Other, Part, address, bundled, others
from bridge.policy.build import amount
from bridge.policy.channel import Via
from bridge.policy.colleagues import account_owner
from bridge.policy.drafts import ClaimDraft, Item, NoticeDraft
from bridge.policy.inhouse import in_house, task_of, tell
from bridge.policy.links import with_link
from bridge.policy.mentions import mentioned, with_mentions
from bridge.policy.paying import how_to_pay
from bridge.policy.plan import Automation, DunningLevel, EscalationPlan
from bridge.policy.recipients import addressed, folded, mail_recipients, postal_address, recipient_of
from bridge.policy.rules import AccountRules
from bridge.policy.situation import adoption
from bridge.policy.steps import Frame, steps_of
from bridge.policy.views import Abilities, Basis, CaseView, ClaimView, Decision, Outcome
from bridge.policy.ways import Blocked, Way, ways


def compose(
    case: CaseView, decisions: Iterable[Decision], rules: AccountRules, abilities: Abilities, today: date
) -> tuple[NoticeDraft, ...]:
    """Return the notices for the decisions that escalate, oldest claim first."""
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
    lead = max(group, key=lambda one: one.decision.level or 0)
    beside = _beside(case, group, lead, decisions, rules, today)
    along = [_along(one.claim, lead, today) for one in beside if one.part is Part.INCLUDED]
    found = ways(lead.level, lead.variant, abilities, [item.claim for item in (*group, *along)])
    if isinstance(found, Blocked) and along:  # a credit note of theirs, or their number, cannot be told this way
        found, along = ways(lead.level, lead.variant, abilities, [item.claim for item in group]), []
        beside = tuple(one._replace(part=Part.LEFT_OUT) if one.part is Part.INCLUDED else one for one in beside)
    if isinstance(found, Blocked):
        return []
    drafts = [_notice(case, [*group, *along], lead, way, rules, abilities, today, beside) for way in found]
    return _telling(case, [*group, *along], lead, drafts, rules, abilities, today)


def _telling(  # noqa: PLR0917  one call site
    case: CaseView,
    group: Sequence[Item],
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
    step = tell(case, group, lead, rules, abilities)
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
    bundle = Bundle(triggers, lead.claim, lead.plan, lead.level, lead.language)

    def language(claim: ClaimView) -> str:
        return language_of(case, claim, lead.level, lead.plan, rules)

    there = tuple(addressed(one, lead.decision.level or 0) for one in case.claims)
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
    adopted = adoption(claim, plan) if claim.notices else None
    return Item(claim, decision._replace(adoption=adopted), plan, lead.level, lead.variant, lead.language, along=True)


def unsendable(
    case: CaseView, decisions: Iterable[Decision], rules: AccountRules, abilities: Abilities
) -> dict[str, Blocked]:
    """Return the invoices that escalate but for which no true notice can be made, and why.

    The provider's own document would ask for more than is owed after open credit notes, or this account cannot send it at all, and no
    channel of ours can say it.
    """
    claims = {claim.invoice_id: claim for claim in case.claims}
    found: dict[str, Blocked] = {}
    for one in decisions:
        if one.outcome is Outcome.ESCALATE:
            item = _item(case, claims[one.invoice_id], one, rules)
            way = ways(item.level, item.variant, abilities, [item.claim])
            if isinstance(way, Blocked):
                found[one.invoice_id] = way
    return found


def key_of(account: str, claim: ClaimView, decision: Decision, via: Via) -> str:
    """Return the unique key of a notice for one claim: claim, round, level, repetition, channel as the plan names it."""
    return f"{account}:{claim.invoice_id}:{decision.round}:{decision.level}:{decision.repetition}:{via.value}"


def _item(case: CaseView, claim: ClaimView, decision: Decision, rules: AccountRules) -> Item:
    assert decision.plan is not None
    assert decision.level is not None
    plan = rules.plans[decision.plan]
    level = plan.level(decision.level)
    claim = addressed(claim, decision.level)
    try:
        variant = level.variant(decision.variant)
    except KeyError:  # taken out of the plan after a person chose it
        variant = level.standard
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
    return (kind, claim.currency, item.language, address(case, claim))


def _notice(  # noqa: PLR0917  one call site
    case: CaseView,
    group: Sequence[Item],
    lead: Item,
    way: Way,
    rules: AccountRules,
    abilities: Abilities,
    today: date,
    beside: tuple[Other, ...] = (),
) -> NoticeDraft:
    via, document = way.via, way.document
    if via.in_house:
        claims = tuple(_claim(case, item, 0, way, rules, today, None) for item in group)
        return in_house(case, group, lead, via, claims, rules=rules, abilities=abilities, today=today, beside=beside)
    end = today + timedelta(days=lead.level.term_days)
    deadline = max(places.deadline(rules, places.calendar_of(case, item.claim, rules), end) for item in group)
    fee = int(lead.level.fee.scaleb(2))
    fees = [fee if item is lead else 0 for item in group]
    name = lead.level.name_in(lead.language)
    claims = tuple(
        _claim(case, item, one_fee, way, rules, today, deadline) for item, one_fee in zip(group, fees, strict=True)
    )
    total = sum(item.claim.demand + item.claim.fees for item in group) + fee
    mentions = mentioned(beside, lead.language, lead.claim.currency)
    link = rules.links.of(claims[0].key, today) if rules.links and via.mailed else None
    url = link.url if link else ""
    values = _values(case, group, lead, fee, total, deadline, rules, today) | {"mentions": mentions, "debtor_link": url}
    maker = rules.creditor
    text = lead.level.text_in(lead.language, maker.country)
    written = texts.tag(lead.language, maker.country)
    recipient = recipient_of(case, lead.claim, lead.level, via)
    own_mail = via.mailed
    content = Content(
        level_name=name,
        language=lead.language,
        currency=lead.claim.currency,
        principal=amount(sum(item.claim.demand for item in group)),
        fee=amount(fee),
        total=amount(total),
        deadline=deadline,
        subject=texts.render(texts.local(text.subject, written), values),
        text=with_link(
            text.body,
            with_mentions(text.body, texts.render(texts.local(text.body, written), values), mentions, lead.language),
            url,
            lead.language,
        ),
        recipients=mail_recipients(case, lead.claim, lead.level, rules) if own_mail else Content().recipients,
        address=None if own_mail else postal_address(case, lead.claim),
        line=_line(lead, via, deadline, rules, today),
        sent_by="mail" if own_mail else "post",
        payment=how_to_pay(case, [item.claim for item in group], maker, total, deadline),
        country=maker.country,
        footer=maker.particulars.get(lead.language, ()) if own_mail else (),
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
        (item.claim, one_fee, item.level.name_in(lead.language))
        for item, one_fee in zip(group, fees, strict=True)
        if not item.along
    ]
    along = [(item.claim, 0, "") for item in group if item.along]
    return NoticeDraft(
        account=case.account,
        debtor_id=case.debtor_id,
        plan=lead.plan.name,
        level=lead.decision.level or 0,
        level_name=name,
        variant=lead.variant.name,
        channel=via,
        automation=automation,
        currency=lead.claim.currency,
        language=lead.language,
        total=total,
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
    case: CaseView, item: Item, fee: int, way: Way, rules: AccountRules, today: date, deadline: date | None
) -> ClaimDraft:
    claim, decision, via = item.claim, item.decision, way.via
    adopted = decision.adoption
    own_mail = via.mailed
    main = (claim.email or case.email or "") if own_mail else folded(postal_address(case, claim))
    basis = Basis(
        invoice_id=claim.invoice_id,
        currency=claim.currency,
        demand=claim.demand,
        credits=claim.shared_credits,
        round=decision.round,
        from_level=adopted.level if adopted else claim.level,
        level=decision.level or 0,
        decided_on=today,
        via=via.value,
        main=main,
        recipient=recipient_of(case, claim, item.level, via),
        deadline=deadline,
        chosen=bool(claim.mail_to) if own_mail else claim.post_to is not None,
        known_reminders=frozenset(notice.id for notice in claim.notices),
    )
    return ClaimDraft(
        invoice_id=claim.invoice_id,
        number=claim.number,
        round=decision.round,
        level=decision.level or 0,
        level_name="" if item.along else item.level.name_in(item.language),
        repetition=decision.repetition,
        demand=claim.demand,
        fee=fee,
        key=key_of(rules.account, claim, decision, way.named),
        basis=basis,
    )


def _line(lead: Item, via: Via, deadline: date, rules: AccountRules, today: date) -> str:
    """Return the line that stays at the provider: date, level, channel, term. The connector adds the marker of its write-back."""
    language = rules.staff_language
    name = lead.level.name_in(language)
    level, until = lead.decision.level, texts.day(deadline, language)
    if language == "de":
        return f"{texts.day(today, language)}: {name} (Stufe {level}) {_BY[via][0]}, Frist {until}"
    return f"{texts.day(today, language)}: {name} (level {level}) {_BY[via][1]}, due by {until}"


_BY = {
    Via.PROVIDER_EMAIL: ("per E-Mail", "by e-mail"),
    Via.PROVIDER_POST: ("per Post", "by post"),
    Via.MAIL: ("per E-Mail", "by e-mail"),
    Via.LETTER: ("per Brief", "by letter"),
}


def _values(  # noqa: PLR0917  one call site
    case: CaseView,
    group: Sequence[Item],
    lead: Item,
    fee: int,
    total: int,
    deadline: date,
    rules: AccountRules,
    today: date,
) -> dict[str, object]:
    language, currency = lead.language, lead.claim.currency
    claims = [item.claim for item in group]
    oldest = min((claim.due_on for claim in claims if claim.due_on), default=None)
    issued = min((claim.issued_on for claim in claims if claim.issued_on), default=None)
    earlier = sum(claim.fees for claim in claims)
    credited = sum(claim.linked_credits + claim.shared_credits for claim in claims)
    maker, owner = rules.creditor, account_owner(case, rules)
    written = texts.tag(language, maker.country)

    def money(value: int) -> str:
        return texts.money(value, currency, written)

    return {
        "debtor_name": case.name,
        "customer_number": case.number or "",
        "greeting": _greeting(case, lead.claim, language),
        "level_name": lead.level.name_in(language),
        "invoice_number": ", ".join(claim.number or claim.invoice_id for claim in claims),
        "invoice_date": texts.day(issued, language),
        "due_date": texts.day(oldest, language),
        "days_overdue": str(max(0, (today - oldest).days)) if oldest else "",
        "open_amount": money(sum(claim.demand for claim in claims)),
        "fee": money(fee) if fee else "",
        "earlier_fees": money(earlier) if earlier else "",
        "total": money(total),
        "deadline": texts.day(deadline, language),
        "term_days": str(lead.level.term_days),
        "today": texts.day(today, language),
        "case_number": case.case_number or "",
        "creditor": maker.name,
        "creditor_email": maker.email,
        "creditor_phone": maker.phone,
        "account_owner": (owner.name or owner.email) if owner else "",
        "account_owner_email": owner.email if owner else "",
        "iban": " ".join(maker.iban[start : start + 4] for start in range(0, len(maker.iban), 4)),
        "claims": texts.CLAIMS,
        "payment": texts.PAYMENT,
        "several": len(group) > 1,
        "items": [
            {
                "number": item.claim.number or item.claim.invoice_id,
                "date": texts.day(item.claim.issued_on, language),
                "due_date": texts.day(item.claim.due_on, language),
                "days_overdue": str(max(0, (today - item.claim.due_on).days)) if item.claim.due_on else "",
                "open": money(item.claim.open),
                "gross": money(item.claim.gross),
                "level_name": item.claim.level_name if item.along else item.level.name_in(language),
            }
            for item in group
        ],
        "credits": [{"number": "", "amount": money(credited)}] if credited else [],
    }


def _greeting(case: CaseView, claim: ClaimView, language: str) -> str:
    main = claim.email or case.email
    person = next((one.name for one in case.contacts if one.name and one.email and one.email == main), "")
    if language == "de":
        return f"Guten Tag {person}," if person else "Sehr geehrte Damen und Herren,"
    return f"Dear {person}," if person else "Dear Sir or Madam,"
