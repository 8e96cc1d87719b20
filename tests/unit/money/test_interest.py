"""Interest at its edges: which terms hold, how days and rates are cut, and where cents are rounded."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from bridge.model import DebtorKind
from bridge.policy.money import InterestTerms, Window, shipped_tables, terms_for
from bridge.policy.money.base_rates import RateTable
from bridge.policy.money.interest import Rounding, free_days, half_up, old_law, stretch

DAY = timedelta(days=1)
FIRST, LAST = date(2026, 9, 1), date(2026, 9, 30)
FIVE = InterestTerms(Decimal(5), None, "OR 104")


@pytest.mark.parametrize(
    ("exact", "cents"),
    [("0", 0), ("1/3", 0), ("1/2", 1), ("2/3", 1), ("3/2", 2), ("-1/3", 0), ("-1/2", -1), ("-2/3", -1), ("-3/2", -2)],
)
def test_half_a_cent_goes_away_from_zero(exact, cents):
    """As merchants round, on both sides of nothing."""
    assert half_up(Fraction(exact)) == cents


@pytest.mark.parametrize(
    ("obligation_on", "performed_on", "old"),
    [
        (None, None, False),
        (date(2014, 7, 28), None, True),
        (date(2014, 7, 29), None, False),
        (date(2014, 7, 28), date(2016, 6, 30), True),
        (date(2014, 7, 28), date(2016, 7, 1), False),
    ],
)
def test_the_new_law_begins_on_its_day(obligation_on, performed_on, old):
    """Obligations from 29 July 2014 on, and what older continuing contracts brought after 30 June 2016."""
    assert old_law(obligation_on, performed_on) is old


@pytest.mark.parametrize(
    ("kind", "responsible", "points"),
    [
        (DebtorKind.BUSINESS, True, "9.2"),
        (DebtorKind.BUSINESS, False, "4"),
        (DebtorKind.CONSUMER, True, "4"),
        (DebtorKind.CONSUMER, False, "4"),
    ],
)
def test_austria_asks_more_of_a_business_that_answers_for_the_delay(kind, responsible, points):
    """9.2 points above the base rate, else 4 per cent (UGB 456, ABGB 1000)."""
    terms = terms_for("AT", kind, shipped_tables(), responsible=responsible)
    assert (terms.points, terms.table is None) == (Decimal(points), points == "4")


@pytest.mark.parametrize(
    ("principal", "first", "last", "days"),
    [
        (-1, FIRST, LAST, None),
        (0, FIRST, LAST, None),
        (1, FIRST, LAST, 30),
        (10000, FIRST, FIRST, 1),
        (10000, FIRST, FIRST - DAY, None),
        (0, FIRST, FIRST - DAY, None),
    ],
)
def test_interest_needs_a_principal_and_a_day(principal, first, last, days):
    """One cent and one day are enough for a row; of nothing, and of no day, there is none."""
    found = stretch(principal, first, last, FIVE)
    assert [one.days for one in found.segments] == ([] if days is None else [days])
    assert found.interest == sum(one.interest for one in found.segments)


@pytest.mark.parametrize(
    ("base", "points", "rate"),
    [
        (None, "5", "5"),
        ("0", "5", "5"),
        ("1.52", "9", "10.52"),
        ("-5", "5", "0"),
        ("-8", "5", "0"),
        ("-4.5", "5", "0.5"),
    ],
)
def test_the_rate_is_base_and_points_and_never_below_nothing(base, points, rate):
    """A base rate of nothing is one, and no base rate at all leaves the points alone."""
    table = None if base is None else RateTable("DE", ((date(2026, 1, 1), Decimal(base)),), date(2026, 12, 31))
    (segment,) = stretch(10000, FIRST, LAST, InterestTerms(Decimal(points), table)).segments
    assert segment.rate == Decimal(rate)


@pytest.mark.parametrize(("rounding", "interest"), [(Rounding.SEGMENT, 4), (Rounding.TOTAL, 3)])
def test_cents_are_rounded_per_row_or_once(rounding, interest):
    """Two rows of one and a half cents are 2 + 2 rounded by row, and 3 in one."""
    rates = (date(2026, 1, 1), Decimal(1)), (date(2026, 7, 1), Decimal(5))
    terms = InterestTerms(Decimal(0), RateTable("DE", rates, date(2026, 12, 31)))
    found = stretch(10950, date(2026, 6, 26), date(2026, 7, 1), terms, rounding=rounding)
    assert [one.exact for one in found.segments] == [Fraction(3, 2), Fraction(3, 2)]
    assert found.interest == interest


E1, E2 = FIRST + 9 * DAY, FIRST + 19 * DAY


@pytest.mark.parametrize(
    ("suspended", "free"),
    [
        ([], [(FIRST, LAST)]),
        ([(E1, E2)], [(FIRST, E1 - DAY), (E2 + DAY, LAST)]),
        ([(FIRST, E1)], [(E1 + DAY, LAST)]),
        ([(FIRST - DAY, FIRST)], [(FIRST + DAY, LAST)]),
        ([(FIRST + DAY, E1)], [(FIRST, FIRST), (E1 + DAY, LAST)]),
        ([(E1, None)], [(FIRST, E1 - DAY)]),
        ([(E1, LAST)], [(FIRST, E1 - DAY)]),
        ([(E1, LAST - DAY)], [(FIRST, E1 - DAY), (LAST, LAST)]),
        ([(FIRST, LAST)], []),
        ([(LAST, LAST)], [(FIRST, LAST - DAY)]),
        ([(LAST + DAY, None)], [(FIRST, LAST)]),
        ([(FIRST - 5 * DAY, FIRST - DAY)], [(FIRST, LAST)]),
        ([(E1, E2), (FIRST, E1)], [(E2 + DAY, LAST)]),
    ],
)
def test_suspended_days_bear_no_interest(suspended, free):
    """Exactly those: neither a day more nor an empty piece, and each piece a row of its own."""
    windows = [Window(*one) for one in suspended]
    assert list(free_days(FIRST, LAST, windows)) == [Window(*one) for one in free]
    found = stretch(10000, FIRST, LAST, FIVE, suspended=windows)
    assert [(one.first, one.last) for one in found.segments] == free
