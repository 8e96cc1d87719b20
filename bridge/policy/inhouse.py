"""What is done in the house: a call, telling colleagues, a hand-over to collection. In the language of the staff."""

from collections.abc import Sequence
from datetime import date, timedelta

from bridge.model import Act, Contact, Content, Recipients
from bridge.policy import texts
from bridge.policy.actions import CallTask, InternalNotice
from bridge.policy.beside import Other
from bridge.policy.build import amount
from bridge.policy.channel import Via
from bridge.policy.colleagues import account_owner, colleagues_of
from bridge.policy.drafts import ClaimDraft, Item, NoticeDraft, TaskDraft
from bridge.policy.plan import Automation
from bridge.policy.rules import AccountRules
from bridge.policy.statement import Asked
from bridge.policy.steps import StepDraft
from bridge.policy.views import Abilities, CaseView, ClaimView
from bridge.words import Sentence, both


def in_house(  # noqa: PLR0917  one call site
    case: CaseView,
    group: Sequence[Item],
    asked: Sequence[Asked],
    lead: Item,
    via: Via,
    claims: tuple[ClaimDraft, ...],
    *,
    rules: AccountRules,
    abilities: Abilities,
    today: date,
    beside: tuple[Other, ...] = (),
) -> NoticeDraft:
    """Return the notice of a level that writes nothing to the debtor, over the claims of `group`.

    A call waits for its outcome and needs no approval, a hand-over to collection always needs one. It asks for no fee and sets no term.
    """
    language = rules.staff_language
    name = lead.level.name_in(language)
    total = sum(one.owed.account.total for one in asked)
    automation = lead.level.automation
    if via is not Via.INTERNAL:
        automation = Automation.PROPOSE if via is Via.COLLECTION else Automation.SEND
    told = tell(case, asked, lead, rules, abilities) if via is Via.INTERNAL else None
    plain = Content(
        level_name=name,
        language=language,
        currency=lead.claim.currency,
        principal=amount(sum(item.claim.demand for item in group)),
        total=amount(total),
        subject=_title(via, case).told(language),
        text=_claims_text(asked, language),
    )
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
        language=language,
        total=total,
        deadline=None,
        recipient=_recipient(via, case, rules),
        content=told.content if told else plain,
        claims=claims,
        steps=(told,) if told else (),
        triggers=tuple(item.claim.invoice_id for item in group if not item.along) if beside or len(group) > 1 else (),
        others=beside,
        plan_version=lead.plan.version,
        task=task_of(case, lead, via, rules, today),
    )


def task_of(case: CaseView, lead: Item, via: Via, rules: AccountRules, today: date) -> TaskDraft | None:
    """Return the task that comes with a call, or once colleagues are told; none with a hand-over, which waits to be approved."""
    wanted: CallTask | InternalNotice | None = lead.level.call_task
    if via is not Via.CALL:
        wanted = None if via is Via.COLLECTION else lead.level.internal_notice
    if wanted is None:
        return None
    owner = account_owner(case, rules)
    title = _title(via, case)
    mine = wanted.owner or (owner.email if owner else "")
    if via is Via.CALL:
        due_on = rules.calendar.working_day(today + timedelta(days=wanted.due_days))
        return TaskDraft(via, title, wanted.note, mine, due_on=due_on)
    return TaskDraft(Via.INTERNAL, title, wanted.note, mine, due_days=wanted.due_days, later=True)


def tell(
    case: CaseView, asked: Sequence[Asked], lead: Item, rules: AccountRules, abilities: Abilities
) -> StepDraft | None:
    """Return the step that mails the colleagues, or None where nobody is named or no channel of ours can mail."""
    people = colleagues_of(case, rules)
    channel = abilities.channels.get(Act.MAIL)
    if not people or channel is None:
        return None
    language = rules.staff_language
    name = lead.level.name_in(language)
    note = lead.level.internal_notice.note if lead.level.internal_notice else ""
    parts = _opening(case, lead, language), rules.case_link(case.case_number), _claims_text(asked, language), note
    content = Content(
        level_name=name,
        language=language,
        currency=lead.claim.currency,
        principal=amount(sum(one.claim.demand for one in asked)),
        total=amount(sum(one.owed.account.total for one in asked)),
        subject=f"{name}: {_customer(case)}",
        text="\n\n".join(filter(None, parts)),
        recipients=Recipients(to=tuple(one.email for one in people)),
    )
    return StepDraft(Act.TELL, None, channel, content)


def phone_of(contacts: Sequence[Contact], email: str | None) -> str:
    """Return whom to call and the number: the person who gets the mails, else the first one with a number; empty: none is known."""
    known = [one for one in contacts if one.phone]
    used = next((one for one in known if email and one.email == email), None) or next(iter(known), None)
    return "" if used is None else " ".join(filter(None, (used.name, used.phone)))


def _recipient(via: Via, case: CaseView, rules: AccountRules) -> str:
    if via is Via.CALL:
        return phone_of(case.contacts, case.email)
    if via is Via.COLLECTION:
        return rules.agency
    return ", ".join(one.email for one in colleagues_of(case, rules))


def title_of(via: Via, customer: str, number: str | None) -> Sentence:
    """Return what staff is to do for a customer, in a line."""
    german, english = _TITLES[via if via.in_house else Via.INTERNAL]
    who = _named(customer, number)
    return both(f"{german}: {who}", f"{english}: {who}")


def _title(via: Via, case: CaseView) -> Sentence:
    return title_of(via, case.name or case.debtor_id, case.number)


_TITLES = {
    Via.CALL: ("Anrufen", "Call"),
    Via.INTERNAL: ("Zur Kenntnis", "For your information"),
    Via.COLLECTION: ("Übergabe an das Inkasso", "Hand-over to collection"),
}


def _customer(case: CaseView) -> str:
    return _named(case.name or case.debtor_id, case.number)


def _named(customer: str, number: str | None) -> str:
    return f"{customer} ({number})" if number else customer


def _opening(case: CaseView, lead: Item, language: str) -> str:
    customer, number = _customer(case), lead.decision.level
    name, writes = lead.level.name_in(language), lead.level.writes
    if language == "de":
        did = f"{name} (Stufe {number}) ist hinausgegangen an" if writes else f"{name} (Stufe {number}):"
        reference = f", Akte {case.case_number}" if case.case_number else ""
    else:
        did = f"{name} (level {number}) went out to" if writes else f"{name} (level {number}):"
        reference = f", case {case.case_number}" if case.case_number else ""
    return f"{did} {customer}{reference}."


def _claims_text(asked: Sequence[Asked], language: str) -> str:
    """Return the claims, one line each, and their sum."""
    sum_ = texts.money(sum(one.owed.account.total for one in asked), asked[0].claim.currency, language)
    together = f"Zusammen offen: {sum_}" if language == "de" else f"Open in all: {sum_}"
    return "\n".join([*(_claim_text(one.claim, one.owed.account.total, language) for one in asked), together])


def _claim_text(claim: ClaimView, total: int, language: str) -> str:
    due = texts.day(claim.due_on, language)
    open_ = texts.money(total, claim.currency, language)
    said = f"fällig {due}" if language == "de" else f"due {due}"
    return (
        f"{claim.number or claim.invoice_id}, {said}: {open_}"
        if due
        else f"{claim.number or claim.invoice_id}: {open_}"
    )
