"""From which day on a plan is told that levels come together, later than written, or never."""

import pytest

from bridge.policy.lint import _possible, days_of, lint
from bridge.policy.plan import DunningLevel
from tests.unit.policy.helpers import days, level, plan


@pytest.mark.parametrize(
    ("made", "interval", "found"),
    [
        # the first comes on the seventh day at the latest: due on Good Friday, payable until Tuesday, and three days
        (plan(level(1, after_due=3, term_days=1), level(2, after_due=7)), 0, [("together", (1, 2))]),
        (plan(level(1, after_due=3, term_days=1), level(2, after_due=8)), 0, []),
        # after a term of two weeks the second comes on the 18th day at the earliest; five days are what weekends alone do
        (plan(level(1, after_due=3, term_days=14), level(2, after_due=9, grace_days=3)), 7, [("later", (2,))]),
        (plan(level(1, after_due=3, term_days=14), level(2, after_due=10, grace_days=3)), 7, []),
        (plan(level(1, before_due=10), level(2, after_due=3)), 7, []),
        (
            plan(
                level(1, before_due=10, term_days=10),
                level(2, before_due=5, term_days=10),
                level(3, after_due=3),
                level(4, after_due=4),
            ),
            7,
            [("never", (2,)), ("together", (3, 4))],
        ),
    ],
)
def test_lint_tells_from_the_first_day_on(made, interval, found):
    """One day less and nothing is said; a level that never comes hides nothing about those behind it."""
    assert [(one.code, one.levels) for one in lint(made, interval)] == found


def test_an_invented_invoice_is_issued_on_each_day_of_a_week():
    """Due on the same weekday: what would come on a weekend comes on Monday, and 0 is the payment term."""
    assert [days_of(days(3), 14, weekday) for weekday in range(5)] == [{0: 14, 1: one} for one in (3, 3, 5, 4, 3)]


@pytest.mark.parametrize(
    ("trigger", "day"), [({"after_due": 10}, 12), ({"before_due": 10}, -10), ({"after_previous": 10}, 16), ({"after_issue": 10}, -18)]
)  # fmt: skip
def test_the_day_of_a_level_by_its_trigger_alone(trigger, day):
    """Two days of grace, counted from the due date, 30 days after the invoice's, the level before on the fourth; a notice ahead has no grace."""
    one = DunningLevel.model_validate(level(2, **trigger, grace_days=0 if "before_due" in trigger else 2))
    assert _possible(one, {0: 30, 1: 4}, 2) == day
