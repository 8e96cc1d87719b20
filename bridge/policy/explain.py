"""Explain: for one claim, today or on a future date, the rule that decides, what comes next, and what would have to change."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta

from bridge.model import Act, Reason
from bridge.policy import words
from bridge.policy.decide import escalated, held
from bridge.policy.distance import keep_apart
from bridge.policy.forecast import NEVER, Coming, play, turn
from bridge.policy.holds import RULES
from bridge.policy.rules import AccountRules
from bridge.policy.situation import NO_FACTS, Situation
from bridge.policy.turns import facts_on
from bridge.policy.views import Abilities, AccountFacts, CaseView, ClaimView, Decision, Outcome

HORIZON = timedelta(days=730)
EVERYTHING = Abilities(acts=frozenset(Act), channels={Act.MAIL: "mail", Act.LETTER: "letter"})
"""An account that can do whatever a plan asks for."""


NOT_TIME_ALONE = frozenset(
    {
        Reason.STALE_DATA,
        Reason.WRITING_SUSPENDED,
        Reason.APPROVAL_PENDING,
        Reason.OWN_REMINDER_RUNNING,
        Reason.OWN_DRAFT_LEFT,
    }
)
"""Reasons that time alone does not end: newer data or a person does. What waits for another proposal takes it as approved."""

KEEPS_APART = "no bundle goes to the debtor on the same day as notices about single invoices"
"""What the last rule lets pass, which looks at all claims of the case."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One rule that was asked: its name, what it lets pass, and whether it did."""

    rule: str
    passes_where: str
    passed: bool


@dataclass(frozen=True, slots=True)
class Event:
    """Something that will happen, if nothing is paid and nobody acts: on this date, this level (with its name)."""

    on: date
    level: int
    repetition: int
    level_name: str
    plan: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """The decision about one claim on one date, every rule up to the one that decided, and the way ahead.

    `before` are the levels that will have gone out until that date, `ahead` those after it, both assuming no payment and that
    proposals are approved; `upcoming` is the next notice as it would be composed, once for each channel. `next_on` is the next day on
    which something happens: never after that notice, and its day where nothing but time stands before it. `assigned_by` says where
    the plan comes from (invoice, customer, conditions, account), `assigned_at` file and line of the assignment that gives it.
    """

    invoice_id: str
    on: date
    decision: Decision
    rule: str
    asked: tuple[Asked, ...]
    plan: str | None
    assigned_by: str
    assigned_at: str
    level: int
    before: tuple[Event, ...]
    ahead: tuple[Event, ...]
    upcoming: tuple[Coming, ...]
    case: CaseView  # as they will be on that date
    claim: ClaimView

    @property
    def next_on(self) -> date | None:
        """Return the next day on which something happens, or None where today is that day or nothing will."""
        decision = self.decision
        if decision.outcome is not Outcome.HOLD or not self.upcoming:
            return decision.next_on
        by_time = decision.reason not in NOT_TIME_ALONE
        return self.upcoming[0].on if by_time else decision.next_on

    def text(self, language: str = "de") -> str:
        """Return why, in plain words."""
        return words.reason(self.decision.reason, language, self.decision.facts)

    def remedy(self, language: str = "de") -> str:
        """Return what would have to change."""
        reason = Reason.OWN_REMINDER_RUNNING if self.decision.waits else self.decision.reason
        return words.remedy(reason, language)


def explain(
    case: CaseView,
    claim: ClaimView,
    rules: AccountRules,
    today: date,
    *,
    on: date | None = None,
    facts: AccountFacts | None = None,
    abilities: Abilities = EVERYTHING,
    ahead: tuple[Coming, ...] | None = None,
    asleep: Mapping[str, date] = NEVER,
) -> Explanation:
    """Explain the decision about `claim` on date `on` (today by default), assuming that nothing is paid until then.

    The days ahead are those of the whole case: the debtor's other invoices keep the minimum interval and share bundles. `ahead` are
    its notices from today on, where they are known already; else they are worked out. `asleep`: see `forecast.play`.
    """
    known = facts or NO_FACTS
    day = on or today
    before: tuple[Event, ...] = ()
    case = with_claim(case, claim)
    if day > today:
        case, gone = play(case, rules, abilities, today, day, facts=known, asleep=asleep)
        before, claim = events(gone, claim, rules), claim_of(case, claim.invoice_id)
        known, ahead = facts_on(rules, known, today, day), None
    if ahead is None:
        ahead = play(case, rules, abilities, day, day + HORIZON, facts=known, asleep=asleep)[1]
    situation = Situation(case, claim, rules, day, known)
    asked, decision, decided_by = [], None, ""
    for rule in RULES:
        verdict = rule(situation)
        promise = (rule.__doc__ or "").removeprefix("Pass where ").rstrip(".")
        asked.append(Asked(rule.__name__, promise, verdict is None))
        if verdict is not None:
            decision, decided_by = held(situation, rule, verdict), rule.__name__
            break
    if decision is None:
        decision, decided_by = escalated(situation), "level_due"
        asleep_still = {own for own, until in asleep.items() if until > day} - {claim.invoice_id}
        apart = _kept_apart(case, claim, rules, day, known, abilities, asleep_still)
        asked.append(Asked(keep_apart.__name__, KEEPS_APART, apart is None))
        if apart is not None:
            decision, decided_by = apart, keep_apart.__name__
    return Explanation(
        invoice_id=claim.invoice_id,
        on=day,
        decision=decision,
        rule=decided_by,
        asked=tuple(asked),
        plan=situation.assigned.name,
        assigned_by=situation.assigned.because,
        assigned_at=situation.assigned.where,
        level=situation.level,
        before=before,
        ahead=events(ahead, claim, rules),
        upcoming=upcoming(ahead, claim),
        case=case,
        claim=claim,
    )


def _kept_apart(  # noqa: PLR0917  one call site
    case: CaseView,
    claim: ClaimView,
    rules: AccountRules,
    day: date,
    facts: AccountFacts,
    abilities: Abilities,
    asleep: Collection[str],
) -> Decision | None:
    """Return the decision to hold a claim because of what else goes to its debtor on that day, or None where nothing does."""
    asked = {one.invoice_id for one in case.claims} - set(asleep)
    _, found = turn(case, rules, abilities, day, asked, facts)
    return next((one for one in found if one.invoice_id == claim.invoice_id and one.outcome is Outcome.HOLD), None)


def forecast(
    case: CaseView,
    claim: ClaimView,
    rules: AccountRules,
    start: date,
    *,
    until: date,
    abilities: Abilities = EVERYTHING,
) -> tuple[Event, ...]:
    """Return what will go out for `claim` from `start` to before `until`, assuming no payment and that each notice lands at once."""
    return events(play(with_claim(case, claim), rules, abilities, start, until)[1], claim, rules)


def events(found: Iterable[Coming], claim: ClaimView, rules: AccountRules) -> tuple[Event, ...]:
    """Return the levels of `claim` among these notices; one that goes out over two channels is one event."""
    told: dict[Event, None] = {}
    for one in found:
        for its in one.draft.claims:
            if its.invoice_id == claim.invoice_id and its.level:
                plan = rules.plans[one.draft.plan]
                name = plan.level(its.level).name_in(rules.staff_language)
                told.setdefault(Event(one.on, its.level, its.repetition, name, plan.name))
    return tuple(told)


def upcoming(found: Iterable[Coming], claim: ClaimView) -> tuple[Coming, ...]:
    """Return the next notice that raises `claim`, once for each of its channels; nothing where none comes."""
    mine = [one for one in found if any(its.level and its.invoice_id == claim.invoice_id for its in one.draft.claims)]
    return tuple(one for one in mine if one.on == mine[0].on)


def with_claim(case: CaseView, claim: ClaimView) -> CaseView:
    """Return the case with this claim in it, in place of what it holds of the same invoice."""
    if not any(one.invoice_id == claim.invoice_id for one in case.claims):
        return replace(case, claims=(*case.claims, claim))
    return replace(case, claims=tuple(claim if one.invoice_id == claim.invoice_id else one for one in case.claims))


def claim_of(case: CaseView, invoice_id: str) -> ClaimView:
    """Return the claim of this invoice, which the case has."""
    return next(one for one in case.claims if one.invoice_id == invoice_id)
