"""Replanned: whether a notice that has not gone out yet rests on a plan that no longer applies, or says something else by now."""

from dataclasses import replace
from datetime import date
from typing import NamedTuple

from bridge.model import Reason
from bridge.policy.holds import UNDECIDED, has_plan
from bridge.policy.rules import AccountRules
from bridge.policy.situation import Situation, Verdict
from bridge.policy.views import CaseView, ClaimView


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


def without_outdated(case: CaseView, claim: ClaimView, rules: AccountRules, today: date) -> ClaimView:
    """Return the claim as the next run sees it: without the notice that waits, where its plan takes that back."""
    running = claim.running
    if running is None or running.state not in UNDECIDED | {"queued"}:
        return claim
    return claim if taken_back(case, claim, rules, today) is None else replace(claim, running=None)
