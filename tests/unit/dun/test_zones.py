"""Each account is dunned on its own local date."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from bridge.dun import DunAccount, Order
from tests.unit.policy.helpers import days, rules

ITS = rules(days(3))


@pytest.mark.feature("P-4")
@pytest.mark.parametrize(
    ("zone", "utc", "today"),
    [
        ("Europe/Berlin", "2026-03-28T23:30+00:00", date(2026, 3, 29)),  # 00:30 in the night that loses an hour
        ("Europe/Berlin", "2026-03-29T22:30+00:00", date(2026, 3, 30)),  # 00:30 on the day after, in summer time
        ("Europe/Berlin", "2026-10-24T22:30+00:00", date(2026, 10, 25)),  # 00:30 in the night that gains one
        ("Europe/Berlin", "2026-10-25T23:30+00:00", date(2026, 10, 26)),
        ("Europe/London", "2026-10-24T22:30+00:00", date(2026, 10, 24)),  # the same moment, another account
    ],
)
def test_a_run_takes_the_local_date_of_each_account(zone, utc, today):
    """At 00:30 in Berlin it is the new day there, and still the old one in London."""
    at = datetime.fromisoformat(utc)
    order = DunAccount(ITS, zone=ZoneInfo(zone)).local(Order(today=at.date(), at=at))
    assert order.today == today
