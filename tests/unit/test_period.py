"""Periods as people name them, seen from a day."""

from datetime import date

import pytest

from bridge.model.period import ALWAYS, Period, period

TODAY = date(2026, 1, 7)  # a Wednesday


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("today", "2026-01-07", "2026-01-07"),
        ("yesterday", "2026-01-06", "2026-01-06"),
        ("this-week", "2026-01-05", "2026-01-11"),
        ("last-week", "2025-12-29", "2026-01-04"),
        ("this-month", "2026-01-01", "2026-01-31"),
        ("last-month", "2025-12-01", "2025-12-31"),
        ("this-year", "2026-01-01", "2026-12-31"),
        ("last-year", "2025-01-01", "2025-12-31"),
        ("2024", "2024-01-01", "2024-12-31"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("02.2024", "2024-02-01", "2024-02-29"),
        ("24.12.2025", "2025-12-24", "2025-12-24"),
        ("2025-11-03..2025-12", "2025-11-03", "2025-12-31"),
        ("..2025", None, "2025-12-31"),
        ("last-month..", "2025-12-01", None),
        ("..", None, None),
    ],
)
def test_a_period_is_named_in_many_ways(text, first, last):
    """Words, years, months, days, and two of these; both ends belong to it."""
    wanted = [None if one is None else date.fromisoformat(one) for one in (first, last)]
    assert period(text, TODAY) == Period(*wanted)


@pytest.mark.parametrize(
    "text", ["", "last", "2026-13", "2026-02-30", "2026-10-02..2026-10-01", "gestern", "2026-1", "²026"]
)
def test_what_is_no_period_is_refused(text):
    """A typing mistake, a day that does not exist, an end before the beginning: refused with what was written."""
    with pytest.raises(ValueError, match=r"period|begins") as refused:
        period(text, TODAY)
    assert text in str(refused.value)


def test_both_ends_belong_to_a_period():
    """First and last day are in it, their neighbours are not; what has no day is in no period."""
    one = period("2025-12", TODAY)
    days = [date(2025, 11, 30), date(2025, 12, 1), date(2025, 12, 31), date(2026, 1, 1)]
    assert [one.holds(day) for day in days] == [False, True, True, False]
    assert (one.holds(None), ALWAYS.holds(None)) == (False, True)
