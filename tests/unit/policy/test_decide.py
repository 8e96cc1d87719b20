"""What a decision says beside its reason."""

from datetime import date, timedelta

import pytest

from bridge.model import InvoiceStatus, Reason
from bridge.policy import Block, Outcome
from tests.unit.policy.helpers import claim, days, decided, rules

TODAY = date(2026, 10, 7)  # a Wednesday


@pytest.mark.parametrize(
    ("late", "values", "overdue"),
    [
        (-1, {}, False),
        (0, {}, False),
        (1, {}, True),
        (0, {"blocks": (Block(Reason.DISPUTE),)}, False),
        (1, {"blocks": (Block(Reason.DISPUTE),)}, True),
        (30, {"blocks": (Block(Reason.DISPUTE),)}, True),
        (30, {"cancelled": True}, False),
        (30, {"status": InvoiceStatus.PAID, "open": 0}, False),
        (-1, {"cancelled": True}, False),
    ],
)
def test_what_is_held_is_overdue_from_the_day_after_the_due_date(late, values, overdue):
    """On the last day payment is in time; what keeps an invoice out of every case is never overdue, however old it is."""
    found = decided(claim(due_on=TODAY - timedelta(days=late), **values), rules(days(60)), TODAY)
    assert (found.outcome is not Outcome.ESCALATE, found.enters) == (True, overdue)


def test_a_claim_without_a_next_level_repeats_nothing():
    """Without a plan there is no level, and no repetition of it."""
    found = decided(claim(), rules(), TODAY)
    assert (found.reason, found.level, found.repetition) == (Reason.NO_PLAN, None, 0)
