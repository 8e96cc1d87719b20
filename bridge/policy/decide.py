"""Decide (Mahnvorschlag): what happens with each claim of a case on one day, and why. Pure."""

from datetime import date

from bridge.model import Reason
from bridge.policy.holds import BEFORE_CASE, CLOSING, PLAIN_RULES, RULES, plain
from bridge.policy.rules import AccountRules
from bridge.policy.situation import NO_FACTS, Rule, Situation, Verdict, made
from bridge.policy.views import AccountFacts, CaseView, ClaimView, Decision, Outcome

_CLOSE, _HOLD, _ESCALATE, _LEVEL_DUE = Outcome.CLOSE, Outcome.HOLD, Outcome.ESCALATE, Reason.LEVEL_DUE
"""Looked up once: in Python 3.11 the members of an enumeration are slow to get at."""


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
    situation = Situation(case, claim, rules, today, facts)
    for rule in PLAIN_RULES if plain(situation) else RULES:
        verdict = rule(situation)
        if verdict is not None:
            return held(situation, rule, verdict)
    return escalated(situation)


def held(situation: Situation, rule: Rule, verdict: Verdict) -> Decision:
    """Return the decision that follows from the rule that answered."""
    reason, next_on, facts = verdict
    claim, target = situation.claim, situation.target
    due = situation.due
    overdue = due is not None and situation.today > due and rule not in BEFORE_CASE
    level, repetition = (target.position, target.repetition) if target else (None, 0)
    plan, adopted = situation.assigned.name, situation.adoption
    outcome = _CLOSE if reason in CLOSING else _HOLD
    fields = (
        claim.invoice_id,
        outcome,
        reason,
        next_on,
        level,
        repetition,
        claim.round,
        plan,
        overdue,
        adopted,
        None,
        "",
        (),
        facts,
    )
    return made(Decision, fields)


def escalated(situation: Situation) -> Decision:
    """Return the decision to send the next level."""
    target = situation.target
    assert target is not None
    claim = situation.claim
    position, repetition = target.position, target.repetition
    plan, adopted = situation.assigned.name, situation.adoption
    by, variant = "", claim.next_variant
    if situation.sends_again:
        variant = None  # what a person chose for the next level goes on waiting for it
    elif target.chosen:
        by = claim.hand_over_by if claim.hand_over else claim.next_level_by
    facts, skipped = {"level": target.level.name, "position": position}, target.skipped
    fields = (
        claim.invoice_id,
        _ESCALATE,
        _LEVEL_DUE,
        None,
        position,
        repetition,
        claim.round,
        plan,
        True,
        adopted,
        variant,
        by,
        skipped,
        facts,
    )
    return made(Decision, fields)
