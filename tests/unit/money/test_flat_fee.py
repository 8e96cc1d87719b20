"""The flat fee and the costs that it is set off against."""

import pytest

from bridge.policy.money.flat_fee import FlatFee, FlatFeeReason, flat_fee


@pytest.mark.parametrize(
    ("reason", "costs", "flat", "owed"),
    [
        (FlatFeeReason.OWED, 0, 4000, 4000),
        (FlatFeeReason.OWED, 3999, 4000, 4000),
        (FlatFeeReason.OWED, 4001, 4000, 4001),
        (FlatFeeReason.CONSUMER, 700, 0, 700),
        (FlatFeeReason.NOT_IN_DEFAULT, 0, 0, 0),
    ],
)
def test_the_larger_of_flat_fee_and_costs_is_owed(reason, costs, flat, owed):
    """Where the fee is owed; else the costs alone (BGB 288(5) s. 3)."""
    assert flat_fee(reason, costs) == FlatFee(flat, costs, owed, reason)
