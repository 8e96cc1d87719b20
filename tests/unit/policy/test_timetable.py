"""The days of a plan's levels, worked out once per due date."""

from datetime import date, timedelta

import pytest

from bridge.policy import timetable as module
from bridge.policy.calendar import Calendar
from bridge.policy.office import Office
from bridge.policy.timetable import Timetable
from tests.unit.policy.helpers import level, plan

NW = Calendar("DE", "NW")
TUESDAY = date(2026, 9, 15)
DAY = timedelta(days=1)
LEVELS = level(1, before_due=3), level(2, after_due=0), level(3, after_due=14)


def table(its=None, interval=7):
    return Timetable(its, NW, Office(), (NW,), interval)


@pytest.mark.parametrize(
    ("printed", "due", "second", "third"),
    [
        (TUESDAY, TUESDAY, TUESDAY + DAY, date(2026, 9, 29)),
        (date(2026, 9, 19), date(2026, 9, 21), date(2026, 9, 22), date(2026, 10, 5)),  # a Saturday: due on Monday
    ],
)
def test_days_follow_from_the_due_date_where_they_can(printed, due, second, third):
    """By the due date moved to a working day; nobody is overdue on that day itself, and what depends on more is not told."""
    found = table(plan(*LEVELS))[printed]
    assert found.due == due
    assert found.targets[0] is None
    told = [(one.position, one.trigger_on, one.possible_on) for one in found.targets[1:]]
    assert told == [(2, second, second), (3, third, third)]
    assert not any(one.chosen or one.skipped or one.repetition for one in found.targets[1:])


@pytest.mark.parametrize("its", [None, plan(*LEVELS, skip_levels=True)])
def test_no_level_is_told_where_it_depends_on_today(its):
    """Without a plan, or where a plan skips levels that came too late."""
    found = table(its)[TUESDAY]
    assert (found.due, found.targets) == (TUESDAY, ())


@pytest.mark.parametrize(
    ("own", "expected"), [({}, 7), ({"minimum_interval_days": 0}, 0), ({"minimum_interval_days": 3}, 3)]
)
def test_the_plans_own_interval_counts_before_the_rules(own, expected):
    """None at all is an interval too."""
    its = table(plan(*LEVELS, **own))
    assert its.earliest(TUESDAY) == TUESDAY + expected * DAY
    assert table().earliest(TUESDAY) == TUESDAY + 7 * DAY


def test_a_timetable_begins_anew_when_it_is_full(monkeypatch):
    """It keeps as many days as are enough and not one more, and says the same before and after."""
    monkeypatch.setattr(module, "_ENOUGH", 2)
    its, fresh = table(plan(*LEVELS)), [table(plan(*LEVELS)) for _ in range(3)]
    sizes = []
    for place, one in enumerate(fresh):
        day = TUESDAY + place * DAY
        assert its[day] == one[day]
        assert its.earliest(day) == one.earliest(day)
        assert its.sending_day(day, None) == one.sending_day(day, None)
        sizes.append((len(its), len(its._earliest), len(its._sending)))
    assert its.sending_day(date(2026, 9, 19), None) == date(2026, 9, 21)
    assert sizes == [(1, 1, 1), (2, 2, 2), (1, 1, 1)]
