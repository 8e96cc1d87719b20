"""Holds: everything that speaks against a reminder, as rules over one claim; and the same rules right before a call."""

from datetime import date, timedelta

from bridge.model import InvoiceKind, InvoiceStatus, Reason
from bridge.policy.blocks import not_blocked
from bridge.policy.calendar import DAY
from bridge.policy.channel import Via
from bridge.policy.colleagues import colleagues_of
from bridge.policy.collection import ready_for_collection
from bridge.policy.naming import named
from bridge.policy.plan import Automation
from bridge.policy.recipients import addressed, by_letter_instead, can_reach
from bridge.policy.rest import why_rested
from bridge.policy.rules import NO_PLAN
from bridge.policy.situation import Rule, Situation, Verdict, made
from bridge.policy.views import ClaimView, NoticeView

DUNNABLE = frozenset({InvoiceKind.INVOICE, InvoiceKind.PARTIAL, InvoiceKind.FINAL})
_OPEN, _PAID, _DRAFT, _CANCELLED = InvoiceStatus.OPEN, InvoiceStatus.PAID, InvoiceStatus.DRAFT, InvoiceStatus.CANCELLED
_LEVEL_AGE, _DEADLINE_RUNNING, _MINIMUM_INTERVAL = Reason.LEVEL_AGE, Reason.DEADLINE_RUNNING, Reason.MINIMUM_INTERVAL
_WITHIN_GRACE, _NOT_DUE = Reason.WITHIN_GRACE, Reason.NOT_DUE
"""Looked up once: in Python 3.11 the members of an enumeration are slow to get at, and these are asked for with every claim."""

CLOSING = frozenset({Reason.GONE, Reason.PAID, Reason.CANCELLED, Reason.CREDITED, Reason.COVERED})
"""Reasons that end a claim; every other one holds it."""

_SENDS_NOTHING = (Automation.CREATE, Automation.COMPLETE)

UNDECIDED = frozenset({"proposed", "approved"})
"""States of a notice that nothing was done about yet."""

DIRECT_DEBIT_METHODS = frozenset({"direct_debit", "sepa_direct_debit", "debit", "lastschrift", "sepa-lastschrift"})


def exists(s: Situation) -> Verdict | None:
    """Pass where the provider still knows the invoice."""
    return Verdict(Reason.GONE, None, {}) if s.claim.gone else None


def is_invoice(s: Situation) -> Verdict | None:
    """Pass where it is an invoice, a partial or a final invoice; never a credit note, a cancellation or a reminder."""
    return None if s.claim.kind in DUNNABLE else Verdict(Reason.NOT_DUNNABLE, None, {"kind": s.claim.kind.value})


def not_cancelled(s: Situation) -> Verdict | None:
    """Pass where neither the invoice nor another document says that it is cancelled."""
    if s.claim.status is _CANCELLED or s.claim.cancelled:
        return Verdict(Reason.CANCELLED, None, {})
    return None


def not_paid(s: Situation) -> Verdict | None:
    """Pass where the provider does not show it as paid."""
    return Verdict(Reason.PAID, None, {}) if s.claim.status is _PAID else None


def not_replaced(s: Situation) -> Verdict | None:
    """Pass where no final invoice contains it, and credit notes do not reach its gross amount."""
    if s.claim.covered:
        return Verdict(Reason.COVERED, None, {})
    return Verdict(Reason.CREDITED, None, {}) if s.claim.credited else None


def is_open(s: Situation) -> Verdict | None:
    """Pass where its state is known and it is no draft."""
    if s.claim.status is _DRAFT:
        return Verdict(Reason.DRAFT, None, {})
    return None if s.claim.status is _OPEN else Verdict(Reason.UNKNOWN_STATUS, None, {})


def not_closed_here(s: Situation) -> Verdict | None:
    """Pass where nobody closed its claim by hand."""
    return Verdict(Reason.CLOSED_BY_HAND, None, {}) if s.claim.closed is Reason.CLOSED_BY_HAND else None


def after_cutoff(s: Situation) -> Verdict | None:
    """Pass where it was issued on or after the go-live cut-off."""
    cutoff = s.rules.cutoff
    if cutoff is None or (s.claim.issued_on is not None and s.claim.issued_on >= cutoff):
        return None
    return Verdict(Reason.BEFORE_CUTOFF, None, {"cutoff": cutoff})


def is_due(s: Situation) -> Verdict | None:
    """Pass where its due date, moved to a working day, has passed, or a notice ahead of it is due."""
    due = s.due
    if due is None:
        return Verdict(Reason.NO_DUE_DATE, None, {})
    if s.today > due or (s.target is not None and s.target.possible_on <= s.today):
        return None
    overdue_on = due + DAY
    next_on = overdue_on if s.target is None else min(overdue_on, s.target.possible_on)
    return made(Verdict, (_NOT_DUE, next_on, {"due": due}))


def no_direct_debit(s: Situation) -> Verdict | None:
    """Pass where it is not to be collected by direct debit, or that debit came back."""
    claim = s.claim
    if claim.payment_method is None or claim.returned or claim.include == "include":
        return None
    if claim.payment_method.casefold() in DIRECT_DEBIT_METHODS:
        return Verdict(Reason.DIRECT_DEBIT_PENDING, None, {"source": "payment method"})
    return None


def was_sent(s: Situation) -> Verdict | None:
    """Pass where it went out to the customer, as far as the provider can tell."""
    return Verdict(Reason.NOT_SENT, None, {}) if s.claim.sent is False else None


def amounts_fit(s: Situation) -> Verdict | None:
    """Pass where its amounts are clear and in a currency that is dunned."""
    if not s.claim.amounts_clear:
        return Verdict(Reason.AMOUNT_UNCLEAR, None, {})
    if s.claim.currency not in s.rules.currencies:
        return Verdict(Reason.FOREIGN_CURRENCY, None, {"currency": s.claim.currency})
    return None


def balance_fits(s: Situation) -> Verdict | None:
    """Pass where something above tolerance and minimum is left after credit notes."""
    demand = s.claim.demand
    if demand <= 0:
        return Verdict(Reason.BALANCE_NOT_POSITIVE, None, {"amount": demand, "currency": s.claim.currency})
    if demand <= s.rules.tolerance or demand < s.rules.minimum:
        limit = max(s.rules.tolerance, s.rules.minimum)
        return Verdict(Reason.BELOW_MINIMUM, None, {"amount": demand, "limit": limit, "currency": s.claim.currency})
    return None


def none_running(s: Situation) -> Verdict | None:
    """Pass where no reminder of ours is on its way, none was left behind, and nobody else has one prepared at the provider."""
    running = s.claim.running
    if running is not None:
        facts: dict[str, object] = {"state": running.state, "level": named(s.plan, running.level, running.level_name)}
        next_on = None
        if running.state in UNDECIDED and running.deadline is not None and running.since is not None:
            next_on = outdated_on(running.deadline, running.since, s.today)
        return Verdict(Reason.OWN_REMINDER_RUNNING, next_on, facts)
    for notice in s.claim.notices:
        if not notice.is_draft:
            continue
        facts = {"state": "draft", "id": notice.id}
        if not notice.ours:
            return Verdict(Reason.FOREIGN_REMINDER_RUNNING, None, facts)
        if notice.leaving:
            return Verdict(Reason.OWN_REMINDER_RUNNING, None, {"state": "draft", "level": str(notice.level)})
        return Verdict(Reason.OWN_DRAFT_LEFT, None, facts)
    return None


def draft_left(claim: ClaimView) -> NoticeView | None:
    """Return the draft of ours at the provider that nothing here goes on from, which only a person can delete or send; or None."""
    if claim.running is not None:
        return None
    return next((one for one in claim.notices if one.is_draft and one.ours and not one.leaving), None)


def outdated_on(deadline: date, since: date, today: date) -> date:
    """Return the day from which a proposal of `since` is made anew, because its deadline has come too near."""
    return max(since + timedelta(days=(deadline - since).days // 2 + 1), today + DAY)


def outdated(claim: ClaimView, today: date) -> bool:
    """Return whether a proposal for this claim no longer says what would be said today: another amount, a deadline too near."""
    running = claim.running
    if running is None or running.state not in UNDECIDED:
        return False
    if running.demand != claim.demand:
        return True
    if running.deadline is None or running.since is None:
        return False
    return too_near(running.deadline, running.since, today)


def too_near(deadline: date, since: date, today: date) -> bool:
    """Return whether more than half of the term that was given has passed before the notice went out."""
    return 2 * (deadline - today).days < (deadline - since).days


def was_delivered(s: Situation) -> Verdict | None:
    """Pass where the last notice did not come back, or a person sends it once more."""
    if not s.claim.undelivered or s.sends_again:
        return None
    return Verdict(Reason.UNDELIVERED, None, {"level": named(s.plan, s.claim.level, s.claim.level_name)})


def has_plan(s: Situation) -> Verdict | None:
    """Pass where a plan applies to it, and has a level left."""
    if s.plan is None:
        named = "" if s.assigned.name in (None, NO_PLAN) else s.assigned.name
        return Verdict(Reason.NO_PLAN, None, {"plan": named, "source": s.assigned.because})
    if s.target is None:
        return Verdict(Reason.PLAN_COMPLETE, None, {"plan": s.plan.name, "level": s.level})
    return None


def group_turn(s: Situation) -> Verdict | None:
    """Pass where its plan is checked today: a plan for bundles may start later, and be checked only every so many days."""
    plan = s.plan
    assert plan is not None
    bundling = plan.bundling
    if s.sends_again or (bundling.start_on is None and bundling.every_days is None):
        return None
    on, last = s.today, s.facts.checked.get(plan.name)
    if bundling.start_on is not None:
        on = max(on, bundling.start_on)
    if bundling.every_days is not None and last is not None and last < s.today:
        on = max(on, last + timedelta(days=bundling.every_days))
    return Verdict(Reason.GROUP_WAITING, on, {"earliest": on}) if on > s.today else None


def time_has_come(s: Situation) -> Verdict | None:
    """Pass where the level's day has come, the last deadline has passed, and the debtor was not written to a few days ago.

    What came back reached nobody: sent once more, it keeps no distance from itself.
    """
    target, today = s.target, s.today
    assert target is not None
    if s.sends_again:
        return None
    reason, on = _LEVEL_AGE, target.possible_on
    if not target.chosen and s.deadline is not None and s.deadline >= on:
        reason, on = _DEADLINE_RUNNING, s.deadline + DAY
    last = s.case.last_contact_on
    if s.level_on is not None and s.heard_of_us:
        last = max(last or s.level_on, s.level_on)  # also of a reminder adopted just now
    if last is not None and target.level.reaches_debtor:
        earliest = s.table.earliest(last)
        if earliest > on:
            reason, on = _MINIMUM_INTERVAL, earliest
    if on <= today:
        return None
    if reason is _LEVEL_AGE and target.trigger_on <= today:
        reason = _WITHIN_GRACE
    level = target.level
    next_on = s.table.sending_day(on, level.weekday_numbers)
    facts: dict[str, object] = {"earliest": next_on, "level": level.name, "position": target.position}
    if reason is _MINIMUM_INTERVAL and last is not None:
        facts["last"] = last
    if reason is _DEADLINE_RUNNING:
        facts["deadline"] = s.deadline
    return made(Verdict, (reason, next_on, facts))


def data_is_fresh(s: Situation) -> Verdict | None:
    """Pass where where the provider sees a bank account, it has seen it lately (counted in bank working days)."""
    limit, seen = s.rules.payments_limit_days, s.facts.payments_as_of
    if limit is None or seen is None or (s.today - seen).days <= limit:
        return None
    if s.rules.calendar.bank_days_between(seen, s.today) <= limit:
        return None
    return Verdict(Reason.STALE_DATA, s.today + DAY, {"seen": seen, "limit": limit})


def writing_allowed(s: Situation) -> Verdict | None:
    """Pass where writing to the account is not suspended because of reminders made elsewhere."""
    why = s.facts.writing_suspended
    return Verdict(Reason.WRITING_SUSPENDED, s.today + DAY, {"note": why}) if why else None


def has_recipient(s: Situation) -> Verdict | None:
    """Pass where there is an address for each channel of the level."""
    target = s.target
    assert target is not None
    if target.level.automation in _SENDS_NOTHING:
        return None
    claim, case = s.claim, s.case
    if (claim.email or case.email) and target.level.by_mail_alone and not (claim.next_variant or claim.send_to):
        return None
    claim = addressed(claim, target.position)
    for via in variant_channels(s):
        if via.in_house:
            reached = via is not Via.INTERNAL or bool(colleagues_of(case, s.rules))
        else:
            instead = via.mailed and by_letter_instead(case, claim, target.level, s.rules)
            reached = instead or can_reach(case, claim, target.level, via)
        if not reached:
            facts: dict[str, object] = {"channel": via.value}
            if case.unusable and via.mailed:
                facts["unusable"] = ", ".join(case.unusable)
            return Verdict(Reason.NO_RECIPIENT, None, facts)
    return None


def variant_channels(s: Situation) -> tuple[Via, ...]:
    """Return what the level does in the variant that a person chose, or in the standard one."""
    assert s.target is not None
    try:
        return s.target.level.vias(s.target.level.variant(s.claim.next_variant))
    except KeyError:  # the variant was taken out of the plan after it was chosen
        return s.target.level.vias(s.target.level.standard)


def day_fits(s: Situation) -> Verdict | None:
    """Pass where today is a sending day of the level, at the agency's place and at the debtor's."""
    target = s.target
    assert target is not None
    weekdays = target.level.weekday_numbers
    day = s.table.sending_day(s.today, weekdays)
    if day == s.today:
        return None
    rest = why_rested(s.rules.office, s.today, weekdays, *s.table.places)
    return Verdict(Reason.NOT_WORKING_DAY, day, {"rest": rest, "earliest": day})


def jump_approved(s: Situation) -> Verdict | None:
    """Pass where the data did not jump since the last read, or a person has looked at it."""
    why = s.facts.held_jump
    return Verdict(Reason.APPROVAL_PENDING, s.today, {"note": why}) if why and not s.facts.approved else None


def plain(s: Situation) -> bool:
    """Return whether nothing but its dates can hold the claim before `has_plan`: the usual case, told with one look.

    A test holds this to the rules themselves: where it says True, each of them lets pass.
    """
    claim, case, rules = s.claim, s.case, s.rules
    demand = claim.open - claim.linked_credits - claim.shared_credits  # without the call that a property takes
    return (
        claim.status is _OPEN
        and claim.kind in DUNNABLE
        and not (claim.blocks or claim.notices or case.blocks)
        and claim.running is None
        and claim.payment_method is None
        and claim.sent is not False
        and claim.amounts_clear
        and claim.currency in rules.currencies
        and demand > rules.tolerance
        and demand >= rules.minimum
        and not (claim.gone or claim.cancelled or claim.covered or claim.credited or claim.undelivered)
        and claim.closed is None
        and (rules.cutoff is None or (claim.issued_on is not None and claim.issued_on >= rules.cutoff))
        and claim.include is None
        and case.include is None
        and rules.excludes_nobody
    )


RECORD_RULES: tuple[Rule, ...] = (exists, is_invoice, not_cancelled, not_paid, not_replaced, is_open)
HOLD_RULES: tuple[Rule, ...] = (not_blocked, no_direct_debit, was_sent, amounts_fit, balance_fits)
EARLY_RULES: tuple[Rule, ...] = (
    *RECORD_RULES,
    not_closed_here,
    after_cutoff,
    is_due,
    *HOLD_RULES,
    none_running,
    was_delivered,
)
LATE_RULES: tuple[Rule, ...] = (
    has_plan,
    time_has_come,
    ready_for_collection,
    group_turn,
    data_is_fresh,
    writing_allowed,
    has_recipient,
    day_fits,
    jump_approved,
)
PLAIN_RULES: tuple[Rule, ...] = (is_due, *LATE_RULES)
"""The rules that are left to ask where a claim is `plain`."""

RULES: tuple[Rule, ...] = EARLY_RULES + LATE_RULES
"""All rules in the order in which they are asked; the first that answers decides."""

BEFORE_CASE = frozenset(
    {exists, is_invoice, not_cancelled, not_paid, not_replaced, is_open, not_closed_here, after_cutoff}
)
"""Rules whose answer keeps an invoice out of every case, however old it is."""
