"""When the agency works: how company holidays count between two steps."""

from datetime import date, timedelta

import pytest

from bridge.policy.office import Closure, Office

BASE = date(2026, 8, 3)
FIRST, LAST = date(2026, 8, 10), date(2026, 8, 14)


@pytest.mark.parametrize(
    ("closures", "days", "later"),
    [
        ((), 10, date(2026, 8, 13)),
        ((Closure(FIRST, LAST),), 10, date(2026, 8, 13)),  # closed, and counted all the same
        ((Closure(FIRST, LAST, counts=False),), 10, date(2026, 8, 18)),
        ((Closure(FIRST, LAST, counts=False),), 7, date(2026, 8, 15)),
        ((Closure(FIRST, LAST, counts=False),), 6, date(2026, 8, 9)),  # over before they begin
        ((Closure(BASE, BASE, counts=False),), 1, date(2026, 8, 4)),  # the first day is not counted anyway
        ((Closure(BASE, BASE + timedelta(days=1), counts=False),), 1, date(2026, 8, 5)),
        ((Closure(FIRST, LAST), Closure(LAST, LAST, counts=False)), 11, date(2026, 8, 15)),
        ((Closure(LAST, LAST, counts=False), Closure(FIRST, LAST, counts=False)), 10, date(2026, 8, 18)),
    ],
)
def test_company_holidays_are_passed_over_where_they_do_not_count(closures, days, later):
    """Each day once, however they overlap, and only those after the first day."""
    assert Office(closures=closures).later(BASE, timedelta(days=days)) == later


@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize(
    ("day", "closed"),
    [(FIRST - timedelta(days=1), False), (FIRST, True), (LAST, True), (LAST + timedelta(days=1), False)],
)
def test_nothing_goes_out_in_company_holidays(counts, day, closed):
    """From the first to the last day, whether they count or not."""
    assert Office(closures=(Closure(FIRST, LAST, counts),)).is_closed(day) is closed


def test_an_office_works_from_monday_to_friday():
    """Unless the configuration names other days."""
    assert Office().weekdays == {0, 1, 2, 3, 4}
