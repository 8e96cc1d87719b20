"""Beside (Sammelmahnung): which other invoices of the debtor go into a bundle that one invoice triggers, and why the others do not."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from bridge.model import Reason
from bridge.policy import places
from bridge.policy.again import sent_again
from bridge.policy.assign import assign
from bridge.policy.calendar import DAY
from bridge.policy.decide import decide_claim
from bridge.policy.group import Inclusion
from bridge.policy.holds import DUNNABLE, HOLD_RULES, none_running, was_delivered
from bridge.policy.plan import DunningLevel, EscalationPlan, Kind
from bridge.policy.recipients import folded, postal_address
from bridge.policy.rules import AccountRules
from bridge.policy.situation import NO_FACTS, Situation
from bridge.policy.views import NO_DETAILS, AccountFacts, CaseView, ClaimView, Decision, Outcome

WAITS = frozenset(
    {
        Reason.LEVEL_AGE,
        Reason.WITHIN_GRACE,
        Reason.DEADLINE_RUNNING,
        Reason.MINIMUM_INTERVAL,
        Reason.NOT_WORKING_DAY,
        Reason.GROUP_WAITING,
    }
)
"""Reasons of an overdue invoice whose own next level has not come: a bundle asks for it all the same, its level stays."""


class Part(StrEnum):
    """What an invoice has to do with a bundle."""

    TRIGGER = "trigger"  # its level is due
    INCLUDED = "included"  # overdue: listed and asked for, its own level stays
    MENTIONED = "mentioned"  # listed separately, not asked for
    LEFT_OUT = "left_out"


class Other(NamedTuple):
    """One invoice of the debtor and its part in a bundle. `why`: a reason code, or one of the bundle's own."""

    claim: ClaimView
    part: Part
    why: str = ""
    facts: Mapping[str, Any] = NO_DETAILS


def bundled(case: CaseView, claim: ClaimView, plan: EscalationPlan, level: DunningLevel | None = None) -> bool:
    """Return whether the plan bundles this claim, at this level where one is given."""
    return not _single(case, claim, plan) and (
        level is None or plan.bundling.when == "from_first" or level.type is Kind.LAST
    )


def bundles(case: CaseView, claim: ClaimView, decision: Decision, rules: AccountRules) -> bool:
    """Return whether this decision to escalate plans a bundle."""
    assert decision.plan is not None
    assert decision.level is not None
    plan = rules.plans[decision.plan]
    return sent_again(claim, decision) is None and bundled(case, claim, plan, plan.level(decision.level))


def company(
    case: CaseView,
    decided: Iterable[Decision],
    rules: AccountRules,
    today: date,
    *,
    facts: AccountFacts = NO_FACTS,
) -> tuple[Decision, ...]:
    """Return decisions about the debtor's other invoices where one that was decided plans a bundle: each is tested for inclusion."""
    claims = {claim.invoice_id: claim for claim in case.claims}
    known = {one.invoice_id: one for one in decided}
    escalating = [one for one in known.values() if one.outcome is Outcome.ESCALATE]
    if not any(bundles(case, claims[one.invoice_id], one, rules) for one in escalating):
        return ()
    others = [claim for claim in case.claims if claim.invoice_id not in known]
    return tuple([decide_claim(case, claim, rules, today, facts=facts) for claim in others])


def _single(case: CaseView, claim: ClaimView, plan: EscalationPlan) -> str:
    """Return why the plan keeps this claim out of bundles, or nothing."""
    bundling = plan.bundling
    if bundling.when == "never":
        return "plan"
    if bundling.tags and set(bundling.tags).isdisjoint(case.tags):
        return "group"
    term = claim.payment_term_days if claim.payment_term_days is not None else case.payment_term_days
    return "payment_term" if term is not None and term in bundling.except_terms else ""


def address(case: CaseView, claim: ClaimView) -> str:
    """Return where notices about this claim go: two claims share a bundle only where it is the same."""
    return f"{', '.join(claim.mail_to) or claim.email or case.email or ''};{folded(postal_address(case, claim))}"


def waits_to_be_joined(case: CaseView, claim: ClaimView, rules: AccountRules) -> bool:
    """Return whether a bundle over this claim is proposed, and nobody has approved it: what comes up meanwhile belongs into it."""
    running, plan = claim.running, assign(case, claim, rules).plan
    if running is None or running.state != "proposed" or plan is None or not 0 < running.level <= plan.hand_over_at:
        return False
    return bundled(case, claim, plan, plan.level(running.level))


def together(case: CaseView, one: ClaimView, other: ClaimView) -> bool:
    """Return whether two claims may share a bundle, as far as currency, language and recipient go."""
    alike = one.currency == other.currency and (one.language or "") == (other.language or "")
    return alike and address(case, one) == address(case, other)


class Bundle(NamedTuple):
    """A bundle that is planned: the invoices whose level is due, its highest level, its language, the term that it names at the latest."""

    triggers: frozenset[str]
    lead: ClaimView
    plan: EscalationPlan
    level: DunningLevel
    language: str
    term_until: date | None = None


def term_until(
    case: CaseView, claims: Iterable[ClaimView], level: DunningLevel, rules: AccountRules, today: date
) -> date:
    """Return the last day of the term that a notice of this level over these claims names: a working day at each one's place."""
    end = today + timedelta(days=level.term_days)
    return max(places.deadline(rules, places.calendar_of(case, claim, rules), end) for claim in claims)


def others(
    case: CaseView,
    decisions: Iterable[Decision],
    bundle: Bundle,
    language_of: Callable[[ClaimView], str],
    *,
    rules: AccountRules,
    today: date,
) -> tuple[Other, ...]:
    """Return the debtor's other open invoices with their part in `bundle`, oldest first.

    Always left out is what is not sent, not payable, in an instalment plan or with a collection agency, in another currency or language.
    """
    listed = bundle.plan.bundling.inclusion(last=bundle.level.type is Kind.LAST)
    known = {one.invoice_id: one for one in decisions}
    found = []
    for claim in sorted(case.claims, key=lambda one: (one.due_on or date.max, one.invoice_id)):
        decision = known.get(claim.invoice_id)
        if decision is None or claim.kind not in DUNNABLE or decision.outcome is Outcome.CLOSE:
            continue
        if claim.invoice_id in bundle.triggers:
            continue
        found.append(_part(case, claim, decision, bundle, listed, language_of, rules, today))
    return tuple(found)


def _part(  # noqa: PLR0917  one call site
    case: CaseView,
    claim: ClaimView,
    decision: Decision,
    bundle: Bundle,
    listed: Inclusion,
    language_of: Callable[[ClaimView], str],
    rules: AccountRules,
    today: date,
) -> Other:
    if _for_the_agency(decision, rules):
        claim = replace(claim, running=None)  # its hand-over waits for a person
        decision = decision._replace(outcome=Outcome.HOLD, reason=Reason.PLAN_COMPLETE, facts={"plan": decision.plan})
    if decision.outcome is Outcome.ESCALATE:
        return Other(claim, Part.LEFT_OUT, "own_notice")
    situation = Situation(case, claim, rules, today)
    overdue, reason, facts = situation.overdue, decision.reason, decision.facts
    part = Part.LEFT_OUT
    optional = {Reason.PARKED} if listed.include_parked else set()
    if listed.include_ready_for_collection:
        optional.add(Reason.PLAN_COMPLETE)
    if reason in WAITS and overdue:
        part = Part.INCLUDED
        if _keeps_its_term(situation, bundle):
            part, reason, facts = Part.MENTIONED, Reason.DEADLINE_RUNNING, {"deadline": situation.deadline}
    elif reason is Reason.NOT_DUE or (reason in WAITS and not overdue):
        reason = Reason.NOT_DUE
        part = Part.MENTIONED if listed.not_due else part
    elif reason in optional:
        part = Part.MENTIONED
    if part is Part.LEFT_OUT:
        return Other(claim, part, reason.value, decision.facts)
    other = _apart(case, claim, bundle, language_of)
    if other:
        return Other(claim, Part.LEFT_OUT, other)
    held = _held(situation, parked=reason is Reason.PARKED)
    if held is not None:
        return held
    return Other(claim, part, "" if part is Part.INCLUDED else reason.value, facts)


def _keeps_its_term(situation: Situation, bundle: Bundle) -> bool:
    """Return whether a term that was named to the debtor still runs, and the claim's own next step would come before the bundle's.

    Such a claim is listed with the term that it has. Asked for by a later one, each bundle would put its next step off again.
    """
    running, target = situation.deadline, situation.target
    if running is None or running < situation.today or target is None or bundle.term_until is None:
        return False
    interval = situation.table.earliest(situation.today)
    return max(target.possible_on, running + DAY, interval) <= bundle.term_until


def _for_the_agency(decision: Decision, rules: AccountRules) -> bool:
    """Return whether nothing is left but the hand-over to collection, which may have been proposed already."""
    plan = rules.plans.get(decision.plan or "")
    if plan is None or decision.level is None or decision.level != plan.hand_over_at:
        return False
    waits = decision.reason in (Reason.COLLECTION_NOT_READY, Reason.OWN_REMINDER_RUNNING)
    return waits or decision.reason in WAITS or decision.outcome is Outcome.ESCALATE


def _apart(case: CaseView, claim: ClaimView, bundle: Bundle, language_of: Callable[[ClaimView], str]) -> str:
    """Return what keeps this claim out of this bundle: its payment term, or something that is never mixed."""
    if _single(case, claim, bundle.plan):
        return _single(case, claim, bundle.plan)
    if claim.currency != bundle.lead.currency:
        return "currency"
    if language_of(claim) != bundle.language:
        return "language"
    return "recipient" if address(case, claim) != address(case, bundle.lead) else ""


def _held(situation: Situation, *, parked: bool) -> Other | None:
    """Return the claim as left out where a hold that was not asked yet speaks against naming it."""
    claim = situation.claim
    if parked:
        kept = tuple(one for one in claim.blocks if one.reason is not Reason.PARKED)
        kept_case = tuple(one for one in situation.case.blocks if one.reason is not Reason.PARKED)
        situation.claim = replace(claim, blocks=kept)
        situation.case = replace(situation.case, blocks=kept_case)
    for rule in (*HOLD_RULES, none_running, was_delivered):
        verdict = rule(situation)
        if verdict is not None:
            return Other(claim, Part.LEFT_OUT, verdict.reason.value, verdict.facts)
    return None
