"""Explain: for one claim, today or on a future date, the rule that decides, what comes next, and what would have to change."""

from dataclasses import dataclass, replace
from datetime import date, time, timedelta

from bridge.model import Reason
from bridge.policy import words
from bridge.policy.decide import decide_claim, escalated, held
from bridge.policy.holds import RULES
from bridge.policy.rules import AccountRules
from bridge.policy.situation import NO_FACTS, Situation
from bridge.policy.views import AccountFacts, CaseView, ClaimView, Decision, Outcome

HORIZON = timedelta(days=730)
_ACCOUNT_WIDE = frozenset({Reason.STALE_DATA, Reason.WRITING_SUSPENDED, Reason.APPROVAL_PENDING})


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


@dataclass(frozen=True, slots=True)
class Explanation:
    """The decision about one claim on one date, every rule up to the one that decided, and the way ahead.

    `before` are the levels that will have gone out until that date, `ahead` those after it, both assuming no payment and that
    proposals are approved. `assigned_by` says where the plan comes from: invoice, customer, conditions, account.
    """

    invoice_id: str
    on: date
    decision: Decision
    rule: str
    asked: tuple[Asked, ...]
    plan: str | None
    assigned_by: str
    level: int
    before: tuple[Event, ...]
    ahead: tuple[Event, ...]

    def text(self, language: str = "de") -> str:
        """Return why, in plain words."""
        return words.reason(self.decision.reason, language, self.decision.facts)

    def remedy(self, language: str = "de") -> str:
        """Return what would have to change."""
        return words.remedy(self.decision.reason, language)


def explain(
    case: CaseView,
    claim: ClaimView,
    rules: AccountRules,
    today: date,
    *,
    on: date | None = None,
    now: time | None = None,
    facts: AccountFacts | None = None,
) -> Explanation:
    """Explain the decision about `claim` on date `on` (today by default), assuming that nothing is paid until then."""
    known = facts or NO_FACTS
    day = on or today
    before: tuple[Event, ...] = ()
    if day > today:
        case, claim, before = _until(case, claim, rules, today, day)
        known, now = NO_FACTS, None
    situation = Situation(case, claim, rules, day, now=now, facts=known)
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
    return Explanation(
        invoice_id=claim.invoice_id,
        on=day,
        decision=decision,
        rule=decided_by,
        asked=tuple(asked),
        plan=situation.plan_name,
        assigned_by=situation.plan_because,
        level=situation.level,
        before=before,
        ahead=forecast(case, claim, rules, day, until=day + HORIZON),
    )


def forecast(
    case: CaseView, claim: ClaimView, rules: AccountRules, start: date, *, until: date, limit: int = 120
) -> tuple[Event, ...]:
    """Return what will go out for `claim` from `start` to before `until`, assuming no payment and that each notice lands at once."""
    return _walk(case, claim, rules, start, until, limit)[2]


def _until(
    case: CaseView, claim: ClaimView, rules: AccountRules, today: date, day: date
) -> tuple[CaseView, ClaimView, tuple[Event, ...]]:
    return _walk(case, claim, rules, today, day, 120)


def _walk(  # noqa: PLR0917  private, two call sites
    case: CaseView, claim: ClaimView, rules: AccountRules, start: date, until: date, limit: int
) -> tuple[CaseView, ClaimView, tuple[Event, ...]]:
    """Play the days from `start` to before `until`: jump to each next date, let each level land on its day."""
    events: list[Event] = []
    day = start
    if claim.running is not None:
        landed = claim.running
        if landed.level == 0:  # it only goes along in a bundle
            landed = replace(
                landed,
                level=claim.level,
                repetition=claim.repetition,
                level_name=claim.level_name,
                deadline=claim.deadline,
            )
        claim = replace(
            claim,
            running=None,
            level=max(landed.level, claim.level),
            repetition=landed.repetition,
            level_on=(landed.since or start) if claim.running.level else claim.level_on,
            deadline=landed.deadline,
            level_name=landed.level_name,
        )
        case = replace(case, last_contact_on=landed.since or start)
    for _ in range(limit):
        if day >= until:
            break
        decision = decide_claim(case, claim, rules, day)
        if decision.outcome is Outcome.ESCALATE:
            case, claim = _landed(case, claim, decision, rules, day)
            events.append(Event(day, claim.level, claim.repetition, claim.level_name))
            day += timedelta(days=1)
            continue
        following = decision.next_on
        if following is None or decision.outcome is Outcome.CLOSE or decision.reason in _ACCOUNT_WIDE:
            break
        day = max(following, day + timedelta(days=1))
    return case, claim, tuple(events)


def _landed(
    case: CaseView, claim: ClaimView, decision: Decision, rules: AccountRules, day: date
) -> tuple[CaseView, ClaimView]:
    assert decision.level is not None
    assert decision.plan is not None
    plan = rules.plans[decision.plan]
    level = plan.level(decision.level)
    claim = replace(
        claim,
        level=decision.level,
        level_name=level.name_in(rules.staff_language),
        level_on=day,
        repetition=decision.repetition,
        deadline=rules.calendar.working_day(day + timedelta(days=level.term_days)),
        next_level=None,
        next_variant=None,
    )
    return replace(case, last_contact_on=day), claim
