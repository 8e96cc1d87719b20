"""What happened to the money of one claim, as notices arrive."""

from datetime import date

import pytest

from bridge.policy.money import Ancillary, AncillaryKind, History
from bridge.policy.money.default import Sent
from bridge.policy.money.history import Reached

FIRST, SECOND, THIRD = date(2026, 9, 1), date(2026, 9, 15), date(2026, 10, 1)


def reached(on, *, flat_fee=True):
    return Reached(on, Sent.MAIL, flat_fee=flat_fee)


@pytest.mark.parametrize(
    ("notices", "day"),
    [
        ((), None),
        ((reached(FIRST, flat_fee=False),), None),
        ((reached(FIRST), reached(SECOND)), FIRST),
        ((reached(THIRD), reached(SECOND)), SECOND),
        ((reached(FIRST, flat_fee=False), reached(SECOND), reached(THIRD)), SECOND),
    ],
)
def test_the_flat_fee_counts_from_the_notice_that_first_asked_for_it(notices, day):
    """Whatever the order in which they were recorded."""
    assert History(reached=notices).flat_fee_on == day


@pytest.mark.parametrize(
    ("fee", "charged"), [(0, ()), (1, (Ancillary(AncillaryKind.REMINDER_FEE, 1, SECOND, "Mahnung"),))]
)
def test_a_notice_that_arrived_brings_its_own_fee(fee, charged):
    """From the first cent on, after what was there before; without a fee it brings none."""
    before = History(reached=(reached(FIRST),), ancillaries=(Ancillary(AncillaryKind.COST, 900, FIRST),))
    found = before.after(reached(SECOND), fee, "Mahnung")
    assert found.ancillaries == (*before.ancillaries, *charged)
    assert [one.on for one in found.reached] == [FIRST, SECOND]
