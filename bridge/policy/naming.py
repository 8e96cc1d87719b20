"""The name of a level as it was stored, in every language in which its plan writes it."""

from bridge.policy.plan import EscalationPlan
from bridge.words import Name


def named(plan: EscalationPlan | None, position: int | None, stored: str) -> str:
    """Return the `stored` name of the level at `position` as `words.Name`; as it stands where `plan` does not write it there."""
    if plan is None or not position or not 1 <= position <= plan.hand_over_at:
        return stored
    names = plan.level(position).name
    return Name(stored, names) if stored in names.values() else stored
