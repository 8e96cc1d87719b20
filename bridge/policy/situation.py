"""Where one claim stands on one day: its effective due date, its level after adopted reminders, the level that would be next."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import NamedTuple

from bridge.model import NoticeStatus, Reason
from bridge.policy.again import again
from bridge.policy.assign import assign
from bridge.policy.calendar import DAY, Calendar
from bridge.policy.channel import Via
from bridge.policy.places import calendar_of, sending_places
from bridge.policy.plan import DunningLevel, EscalationPlan
from bridge.policy.rules import AccountRules, Assigned
from bridge.policy.timetable import Days, Target, Timetable
from bridge.policy.trigger import Start
from bridge.policy.views import AccountFacts, Adoption, CaseView, ClaimView, NoticeView

made = tuple.__new__
"""Makes a named tuple of its fields in less than half the time that its own constructor takes: for what is made with every claim."""

NO_FACTS = AccountFacts()
_NO_DAYS = Days(None, ())

EARLY = "early"
"""A person decided to hand a claim over before the last reminder of its plan; the other decision is `last`."""

_COUNTS = frozenset({NoticeStatus.SENT, NoticeStatus.FINAL})


class Situation:
    """One claim on one day, with what the rules ask for worked out once."""

    __slots__ = (
        "adoption",
        "assigned",
        "case",
        "claim",
        "deadline",
        "due",
        "facts",
        "level",
        "level_on",
        "plan",
        "repetition",
        "rules",
        "table",
        "target",
        "today",
    )

    def __init__(
        self,
        case: CaseView,
        claim: ClaimView,
        rules: AccountRules,
        today: date,
        facts: AccountFacts = NO_FACTS,
    ) -> None:
        self.case = case
        self.claim = claim
        self.rules = rules
        self.today = today
        self.facts = facts
        alike = rules.has_one_plan and claim.plan is None and case.plan is None
        self.assigned = assigned = rules.of_account if alike else assign(case, claim, rules)
        self.plan = assigned.plan
        address = claim.address or case.address
        place = (assigned.name, address.country, address.postcode) if address is not None else assigned.name
        table = rules.timetables.get(place)
        if table is None:
            table = rules.timetables[place] = timetable(case, claim, rules, assigned)
        self.table = table
        self.level = claim.level
        self.level_on = claim.level_on
        self.deadline = claim.deadline
        self.repetition = claim.repetition
        self.adoption = adoption(claim, self.plan) if claim.notices else None
        if self.adoption is not None:
            if self.adoption.level != claim.level:
                self.repetition = 0
            self.level, self.level_on, self.deadline = (
                self.adoption.level,
                self.adoption.on,
                self.adoption.deadline,
            )
        printed = claim.due_on or _due_by_term(claim)
        days = self.table[printed] if printed is not None else _NO_DAYS
        self.due = days.due
        once_more = self._once_more(Via(claim.resend)) if claim.resend is not None else None
        if once_more is not None:
            self.target: Target | None = once_more
        elif claim.hand_over is not None and self.plan is not None and hands_over(claim, self.level, self.plan):
            self.target = self._handed_over(self.plan)
        elif claim.next_level is None and self.level < len(days.targets) and (target := days.targets[self.level]):
            self.target = target
        else:
            self.target = next_target(self) if self.plan is not None and self.due is not None else None

    def _once_more(self, via: Via) -> Target | None:
        """Return the level that came back, where a person sends it once more: a repetition, but no further step."""
        claim, plan = self.claim, self.plan
        if not claim.undelivered or plan is None or self.level != claim.level:
            return None
        if not 0 < claim.level <= len(plan.levels):
            return None
        level = again(plan.level(claim.level), via)
        return Target(claim.level, claim.repetition + 1, level, self.today, self.today, chosen=True, skipped=())

    def _handed_over(self, plan: EscalationPlan) -> Target:
        """Return the hand-over to collection that a person decided on; what it passes over is told with their name.

        A claim that came back from the agency is handed over once more: a repetition of that level.
        """
        at, today = plan.hand_over_at, self.today
        skipped = tuple(range(self.level + 1, at))
        repetition = self.repetition + 1 if self.level == at else 0
        return Target(at, repetition, plan.level(at), today, today, chosen=True, skipped=skipped)

    @property
    def sends_again(self) -> bool:
        """Return whether the level at hand is the one whose notice came back."""
        target = self.target
        return target is not None and target.chosen and target.position == self.level and not target.level.collection

    @property
    def heard_of_us(self) -> bool:
        """Return whether the debtor was told of the level that the claim stands at; a word to colleagues alone tells them nothing."""
        plan, level = self.plan, self.level
        if self.adoption is not None or plan is None or not 0 < level <= len(plan.levels):
            return True
        return plan.levels[level - 1].reaches_debtor

    def sending_day(self, day: date) -> date:
        """Return the first day from `day` on which the next level goes out: the office sends, and the debtor has no holiday."""
        assert self.target is not None
        return self.table.sending_day(day, self.target.level.weekday_numbers)

    @property
    def place(self) -> Calendar:
        """Return the calendar of the debtor's place."""
        return self.table.place

    @property
    def overdue(self) -> bool:
        """Return whether the due date, moved to a working day, has passed."""
        return self.due is not None and self.today > self.due


def hands_over(claim: ClaimView, level: int, plan: EscalationPlan) -> bool:
    """Return whether a person's decision to hand over comes next: after the last reminder of the plan, or early, after any.

    Also once more, where the agency gave the claim back; while it is there, the hold of collection stands in the way.
    """
    at = plan.hand_over_at
    first = 1 if claim.hand_over == EARLY else at - 1
    return first <= level <= at


def effective_due(claim: ClaimView, place: Calendar) -> date | None:
    """Return the due date moved to a working day at the debtor's place (BGB 193), or None where no date or term is known."""
    due = claim.due_on or _due_by_term(claim)
    return None if due is None else place.working_day(due)


def _due_by_term(claim: ClaimView) -> date | None:
    if claim.issued_on is None or claim.payment_term_days is None:
        return None
    return claim.issued_on + timedelta(days=claim.payment_term_days)


def timetable(case: CaseView, claim: ClaimView, rules: AccountRules, assigned: Assigned) -> Timetable:
    """Return the timetable of the plan at the debtor's place: one for all postal codes with the same holidays."""
    place = calendar_of(case, claim, rules)
    key = assigned.name, id(place)  # calendars live as long as the rules
    found = rules.by_calendar.get(key)
    if found is None:
        places = sending_places(rules, place)
        found = Timetable(assigned.plan, place, rules.office, places, rules.minimum_interval_days)
        rules.by_calendar[key] = found
    return found


def adoption(claim: ClaimView, plan: EscalationPlan | None) -> Adoption | None:
    """Return the reminder sent elsewhere that moves this claim, or None.

    A reminder made by hand counts as at least the provider's level, and as a contact on its date; it never lowers a level. One that is
    final counts like one that was sent: not every provider shows in its lists what went out. The order in which reminders were read
    makes no difference. Our own records are not adopted: delivery lands them; what went astray counts, since somebody else sent it.
    """
    newest: NoticeView | None = None
    last = date.min
    level = claim.level
    for notice in claim.notices:
        on = _elsewhere(claim, notice)
        if on is None:
            continue
        level = max(level, plan.position_of_provider_level(notice.level) if plan else notice.level)
        if newest is None or (on, notice.level, notice.id) > (last, newest.level, newest.id):
            newest, last = notice, on
    if newest is None:
        return None
    if level == claim.level and claim.level_on is not None and last <= claim.level_on:
        return None
    if claim.level_on is not None and last < claim.level_on:
        return Adoption(level, claim.level_on, claim.deadline, newest.id)
    return Adoption(level, last, newest.deadline, newest.id)


def contacts(claim: ClaimView) -> tuple[date, ...]:
    """Return the dates on which the debtor got a reminder of this claim from elsewhere."""
    return tuple([on for notice in claim.notices if (on := _elsewhere(claim, notice)) is not None])


def _elsewhere(claim: ClaimView, notice: NoticeView) -> date | None:
    """Return the date of a reminder that somebody else sent in this round of the claim, or None."""
    if (notice.ours and not notice.astray) or notice.status not in _COUNTS or notice.on is None:
        return None
    if notice.superseded and notice.status is NoticeStatus.FINAL:
        return None  # replaced before it went out
    return None if claim.round_on is not None and notice.on < claim.round_on else notice.on


def next_target(situation: Situation) -> Target | None:
    """Return the level after the last one, or the repetition of the last; None where the plan is complete.

    A level chosen by a person comes at once. Without `skip_levels` the next one is always the last plus one; only a friendly
    notice ahead of the due date is passed over once that date has come.
    """
    plan, claim, last = situation.plan, situation.claim, situation.level
    assert plan is not None
    if claim.next_level is not None and last < claim.next_level <= len(plan.levels):
        skipped = tuple(range(last + 1, claim.next_level))
        today = situation.today
        return Target(claim.next_level, 0, plan.level(claim.next_level), today, today, chosen=True, skipped=skipped)
    position, skipped = last + 1, ()
    while position <= len(plan.levels) and plan.levels[position - 1].before_due and _too_late(situation):
        skipped = (*skipped, position)
        position += 1
    if position > len(plan.levels):
        return _repetition(situation, plan)
    found = _target(situation, plan, position, skipped)
    while plan.skip_levels and found.position < len(plan.levels):
        further = _target(situation, plan, found.position + 1, (*found.skipped, found.position))
        if further.level.trigger.start is Start.AFTER_PREVIOUS or further.possible_on > situation.today:
            break
        found = further
    return found


def _too_late(situation: Situation) -> bool:
    printed = situation.claim.due_on or situation.due
    return printed is not None and situation.today > printed


def _repetition(situation: Situation, plan: EscalationPlan) -> Target | None:
    last = plan.levels[-1]
    if last.repeat is None or situation.level != len(plan.levels) or situation.level_on is None:
        return None
    if situation.repetition - situation.claim.resent >= last.repeat.limit:
        return None
    on = situation.rules.office.later(situation.level_on, timedelta(days=last.repeat.every_days))
    return Target(len(plan.levels), situation.repetition + 1, last, on, on, chosen=False, skipped=())


def _target(situation: Situation, plan: EscalationPlan, position: int, skipped: tuple[int, ...]) -> Target:
    level = plan.levels[position - 1]
    trigger_on, possible_on = _days_of(situation, level)
    return Target(position, 0, level, trigger_on, possible_on, chosen=False, skipped=skipped)


def _days_of(situation: Situation, level: DunningLevel) -> tuple[date, date]:
    due = situation.due
    assert due is not None
    start, to_trigger, to_possible = level.timing
    later = situation.rules.office.later
    base: date | None = due
    if start is Start.BEFORE_DUE:
        on = (situation.claim.due_on or due) - to_trigger
        return on, on
    if start is Start.AFTER_DUE:
        if not to_possible:
            to_trigger = to_possible = DAY  # overdue begins on the day after
    else:
        base = situation.claim.issued_on if start is Start.AFTER_ISSUE else situation.level_on
    possible_on = later(base or due, to_possible)
    return possible_on if to_trigger is to_possible else later(base or due, to_trigger), possible_on


class Verdict(NamedTuple):
    """What one rule answers when it decides."""

    reason: Reason
    next_on: date | None
    facts: dict[str, object]


Rule = Callable[[Situation], Verdict | None]
