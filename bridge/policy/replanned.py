"""Replanned: whether a notice that has not gone out yet rests on a plan that no longer applies, or says something else by now."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, NamedTuple

from bridge.model import Reason
from bridge.policy.channel import Via
from bridge.policy.decide import decide_claim
from bridge.policy.holds import UNDECIDED, has_plan, outdated
from bridge.policy.owed import retotalled
from bridge.policy.rules import AccountRules
from bridge.policy.situation import Situation, Verdict
from bridge.policy.views import AccountFacts, CaseView, ClaimView, Outcome

_OURS_TO_DO = {Via.CALL.value, Via.COLLECTION.value}
"""What waits for people of ours, so that nothing was said to the debtor yet."""


class Planned(NamedTuple):
    """The plan that a notice was made by, for one claim. `plan` empty: the claim only goes along in the bundle of another.

    `settled`: a person approved or edited what it says, so that a later edit of the plan's text or days does not take it back.
    """

    plan: str = ""
    version: str = ""
    settled: bool = False


def replanned(planned: Planned, situation: Situation) -> Verdict | None:
    """Return why a notice does not fit the claim's plan any more, or None.

    A plan that was taken away, or replaced by another one, takes back what was approved too: it is a decision about the customer. An edit
    of the plan itself takes back what nobody has looked at, which is then decided anew.
    """
    plan = situation.plan
    if plan is None:
        return has_plan(situation)
    if not planned.plan:
        return None
    other = plan.name != planned.plan
    edited = not planned.settled and bool(planned.version) and plan.version != planned.version
    return Verdict(Reason.CHANGED, None, {"what": "plan"}) if other or edited else None


def taken_back(case: CaseView, claim: ClaimView, rules: AccountRules, today: date) -> Verdict | None:
    """Return why the notice of ours that waits for this claim is taken back because of its plan, or None."""
    running = claim.running
    if running is None:
        return None
    begun = (claim.level, claim.repetition) == (running.level, running.repetition)  # by the level's first channel
    planned = Planned(running.plan, running.plan_version, running.settled or begun)
    return replanned(planned, Situation(case, claim, rules, today))


def withdrawn(
    case: CaseView, claim: ClaimView, rules: AccountRules, today: date, *, facts: AccountFacts
) -> tuple[Reason, Mapping[str, Any]] | None:
    """Return why the next run takes back the notice of ours that waits for this claim, or None: it must not go out, or says something else by now."""
    running = claim.running
    if running is None:
        return None
    decision = decide_claim(case, claim, rules, today, facts=facts)
    reason, why = decision.reason, decision.facts
    if reason is Reason.OWN_REMINDER_RUNNING:
        verdict = taken_back(case, claim, rules, today)
        if verdict is not None:
            reason, why = verdict.reason, verdict.facts
        elif outdated(claim, today) or retotalled(case, claim, rules):
            reason = Reason.CHANGED
        else:
            return None
    over = decision.outcome is Outcome.CLOSE
    asked = running.state == "waiting" and (over or running.channel in _OURS_TO_DO)
    return (reason, why) if running.state in UNDECIDED | {"queued"} or asked else None


def without_withdrawn(case: CaseView, rules: AccountRules, today: date, *, facts: AccountFacts) -> CaseView:
    """Return the case as the next run sees it: without the notices that it takes back, each as a whole."""
    gone = {
        claim.running.notice_id
        for claim in case.claims
        if claim.running is not None and withdrawn(case, claim, rules, today, facts=facts) is not None
    }
    if not gone:
        return case
    claims = (
        replace(one, running=None) if one.running and one.running.notice_id in gone else one for one in case.claims
    )
    return replace(case, claims=tuple(claims))


def without_outdated(case: CaseView, claim: ClaimView, rules: AccountRules, today: date) -> ClaimView:
    """Return the claim as the next run sees it: without the notice that waits, where its plan takes that back."""
    running = claim.running
    if running is None or running.state not in UNDECIDED | {"queued"}:
        return claim
    return claim if taken_back(case, claim, rules, today) is None else replace(claim, running=None)
