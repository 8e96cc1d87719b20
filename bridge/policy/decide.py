"""Decide (Mahnvorschlag): what happens with each claim of a case on one day, and why. Pure."""

from datetime import date, time

from bridge.policy.rules import AccountRules
from bridge.policy.views import AccountFacts, CaseView, Decision


def decide(
    case: CaseView, rules: AccountRules, today: date, *, now: time | None = None, facts: AccountFacts | None = None
) -> tuple[Decision, ...]:
    """Return one decision per claim of `case`, in their order.

    `today` and `now` are local to the account; `now` None means any time of day. Deterministic: the order in which claims or
    their reminders were imported makes no difference.
    """
    raise NotImplementedError
