"""Holds: everything that speaks against a reminder, as rules over one claim; and the same rules right before a call."""

from datetime import date

from bridge.model import Snapshot
from bridge.policy.rules import AccountRules
from bridge.policy.views import Basis, Hold, LocalView


def recheck(basis: Basis, snapshot: Snapshot, local: LocalView, rules: AccountRules, today: date) -> Hold | None:
    """Return why this claim must not be written to right now, or None.

    Called right before every create, amend, complete and send, with the provider's answer to a look. Everything is judged by that
    answer: paid, cancelled, credited, blocked, direct debit under way, amount or recipient changed, a reminder that is not ours.
    `basis.own_reminders` names the records that this notice made itself; those are not foreign.
    """
    raise NotImplementedError
