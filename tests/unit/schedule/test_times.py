"""Daily work happens once per local date, whatever the clocks do."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from bridge.schedule.times import Daily, due_after, due_before

BERLIN = ZoneInfo("Europe/Berlin")
HALF_PAST_SEVEN = (time(7, 30),)


def fired(times, start, days, zone=BERLIN):
    """Return the local times at which the trigger fires, as the scheduler asks it."""
    trigger, now, last, found = Daily(times, zone), start, None, []
    end = start + timedelta(days=days)
    while True:
        last = trigger.get_next_fire_time(last, now)
        if last >= end:
            return found
        now = last
        found.append(last.astimezone(zone).strftime("%d.%m. %H:%M"))


@pytest.mark.feature("P-4")
@pytest.mark.parametrize(
    ("times", "start", "expected"),
    [
        # the clocks go back on 25 October 2026: 02:30 comes twice, the work is done once
        ((time(2, 30),), datetime(2026, 10, 24, 0, tzinfo=BERLIN), ["24.10. 02:30", "25.10. 02:30", "26.10. 02:30"]),
        (HALF_PAST_SEVEN, datetime(2026, 10, 24, 0, tzinfo=BERLIN), ["24.10. 07:30", "25.10. 07:30", "26.10. 07:30"]),
        # half past midnight, before either change of that night
        ((time(0, 30),), datetime(2026, 10, 24, 0, tzinfo=BERLIN), ["24.10. 00:30", "25.10. 00:30", "26.10. 00:30"]),
        ((time(0, 30),), datetime(2026, 3, 28, 0, tzinfo=BERLIN), ["28.03. 00:30", "29.03. 00:30", "30.03. 00:30"]),
        # they go forward on 29 March 2026: 02:30 does not exist, the work is done right after
        ((time(2, 30),), datetime(2026, 3, 28, 0, tzinfo=BERLIN), ["28.03. 02:30", "29.03. 03:30", "30.03. 02:30"]),
        ((time(6), time(12)), datetime(2026, 9, 1, 7, tzinfo=BERLIN), ["01.09. 12:00", "02.09. 06:00", "02.09. 12:00", "03.09. 06:00", "03.09. 12:00", "04.09. 06:00"]),
    ],
)  # fmt: skip
def test_each_time_comes_once_per_local_date(times, start, expected):
    """No time fires twice when the clocks go back, and none is lost when they go forward."""
    assert fired(times, start, 3) == expected


def test_a_year_has_as_many_runs_as_days():
    """Over a whole year 07:30 fires once on each date, always at 07:30 local time."""
    found = fired(HALF_PAST_SEVEN, datetime(2026, 1, 1, tzinfo=BERLIN), 365)
    assert len(found) == len(set(found)) == 365
    assert {line[-5:] for line in found} == {"07:30"}


def test_the_last_time_before_now_is_what_may_have_been_missed():
    """due_before is the time that a service which was down may have missed; due_after the next one."""
    now = datetime(2026, 9, 2, 6, 0, tzinfo=BERLIN).astimezone(UTC)
    assert due_before(HALF_PAST_SEVEN, BERLIN, now) == datetime(2026, 9, 1, 7, 30, tzinfo=BERLIN)
    assert due_after(HALF_PAST_SEVEN, BERLIN, now) == datetime(2026, 9, 2, 7, 30, tzinfo=BERLIN)
    exact = datetime(2026, 9, 2, 7, 30, tzinfo=BERLIN)
    assert due_before(HALF_PAST_SEVEN, BERLIN, exact) == exact
    assert due_after(HALF_PAST_SEVEN, BERLIN, exact) == datetime(2026, 9, 3, 7, 30, tzinfo=BERLIN)
