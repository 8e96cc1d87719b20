"""Decide (Mahnvorschlag): what happens with each claim of a case on one day, and why. Pure."""

from datetime import date

from bridge.model import Reason
from bridge.policy.holds import BEFORE_CASE, CLOSING, LATE_RULES, RULES, plain
from bridge.policy.rules import AccountRules
from bridge.policy.situation import NO_FACTS, Rule, Situation, Verdict
from bridge.policy.views import AccountFacts, CaseView, ClaimView, Decision, Outcome


def decide(
    case: CaseView, rules: AccountRules, today: date, *, facts: AccountFacts | None = None
) -> tuple[Decision, ...]:
    """Return one decision per claim of `case`, in their order.

    `today` is local to the account; the time of day is minded by delivery. Deterministic: the order in which claims or
    their reminders were imported makes no difference.
    """
    known = facts or NO_FACTS
    return tuple([decide_claim(case, claim, rules, today, facts=known) for claim in case.claims])


def decide_claim(
    case: CaseView,
    claim: ClaimView,
    rules: AccountRules,
    today: date,
    *,
    facts: AccountFacts = NO_FACTS,
) -> Decision:
    """Return the decision about one claim: the first rule that answers decides."""
    situation = Situation(case, claim, rules, today, facts=facts)
    for rule in LATE_RULES if plain(situation) else RULES:
        verdict = rule(situation)
        if verdict is not None:
            return held(situation, rule, verdict)
    return escalated(situation)


def held(situation: Situation, rule: Rule, verdict: Verdict) -> Decision:
    """Return the decision that follows from the rule that answered."""
    outcome = Outcome.CLOSE if verdict.reason in CLOSING else Outcome.HOLD
    return Decision(
        invoice_id=situation.claim.invoice_id,
        outcome=outcome,
        reason=verdict.reason,
        next_on=verdict.next_on,
        level=situation.target.position if situation.target else None,
        repetition=situation.target.repetition if situation.target else 0,
        round=situation.claim.round,
        plan=situation.plan_name,
        enters=rule not in BEFORE_CASE and situation.overdue,
        adoption=situation.adoption,
        facts=verdict.facts,
    )


def escalated(situation: Situation) -> Decision:
    """Return the decision to send the next level."""
    target = situation.target
    assert target is not None
    return Decision(
        invoice_id=situation.claim.invoice_id,
        outcome=Outcome.ESCALATE,
        reason=Reason.LEVEL_DUE,
        level=target.position,
        repetition=target.repetition,
        round=situation.claim.round,
        plan=situation.plan_name,
        enters=True,
        adoption=situation.adoption,
        variant=situation.claim.next_variant,
        chosen_by=situation.claim.next_level_by if target.chosen else "",
        skipped=target.skipped,
        facts={"level": target.level.name, "position": target.position},
    )
