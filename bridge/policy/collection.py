"""Hand-over to collection (Inkassoübergabe): what must be true before it is even proposed. A person always approves it.

It comes by a level of the plan, or because a person decided so, with any plan; the gate is the same, but that a person may pass
over levels that have not gone out yet.
"""

from datetime import timedelta

from bridge.model import Reason
from bridge.policy.calendar import DAY
from bridge.policy.recipients import postal_address
from bridge.policy.situation import EARLY, Situation, Verdict


def ready_for_collection(s: Situation) -> Verdict | None:
    """Pass where it is no hand-over, or the last reminder has gone out, its deadline has passed and the address is complete.

    Where a person decided to hand over early, any reminder counts as the last one. What comes back from the agency has no term any more.
    """
    target = s.target
    if target is None or not target.level.collection:
        return None
    again = s.level == target.position  # it was there, and came back
    if s.level != target.position - 1 and not again and not (s.claim.hand_over == EARLY and s.level):
        return Verdict(Reason.COLLECTION_NOT_READY, None, {"why": "last_reminder"})
    deadline = s.deadline
    if deadline is None and s.plan is not None and s.level_on is not None and not again:
        deadline = s.level_on + timedelta(days=s.plan.level(s.level).term_days)  # a reminder made elsewhere told none
    waits = deadline >= s.today if deadline is not None else not again  # also where a person chose the level
    if waits:
        return Verdict(Reason.COLLECTION_NOT_READY, deadline and deadline + DAY, {"why": "deadline"})
    if postal_address(s.case, s.claim) is None:
        return Verdict(Reason.COLLECTION_NOT_READY, None, {"why": "address"})
    return None
