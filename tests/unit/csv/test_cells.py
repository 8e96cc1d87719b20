from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from connectors.generic_csv.cells import Column, Decimals, PaidAs, amount, day, fold, month_first, shows, term_days

BERLIN = ZoneInfo("Europe/Berlin")
C, D, U = Decimals.COMMA, Decimals.DOT, Decimals.UNKNOWN


@pytest.mark.parametrize(
    ("text", "decimals", "value"),
    [
        ("1.234,56", C, "1234.56"),
        ("1234,56", C, "1234.56"),
        ("1.234,56 EUR", C, "1234.56"),
        ("€ 1.234,56", C, "1234.56"),
        ("-12,00", C, "-12.00"),
        ("12,00-", C, "-12.00"),
        ("(12,00)", C, "-12.00"),
        ("\u221212,00", C, "-12.00"),
        ("+12,00", C, "12.00"),
        ("1'234.50", D, "1234.50"),
        ("1\u2019234.50", D, "1234.50"),
        ("1,234.56", D, "1234.56"),
        ("1.234", C, "1234.00"),
        ("1,234", D, "1234.00"),
        ("1.234.567", U, "1234567.00"),
        ("1 234,5", C, "1234.50"),
        ("1\u00a0234,50", C, "1234.50"),
        ("12", U, "12.00"),
        ("12,5", U, "12.50"),
        ("12.50", U, "12.50"),
        ("12,5000", C, "12.50"),
        ("0,00", U, "0.00"),
        ("123456", Decimals.CENTS, "1234.56"),
        ("-5", Decimals.CENTS, "-0.05"),
    ],
)
def test_amounts(text, decimals, value):
    """Amounts as people in Germany, Switzerland and England write them are read to the cent."""
    assert amount(text, decimals).value == Decimal(value)


@pytest.mark.parametrize(
    ("text", "decimals"),
    [
        ("1.234", U),
        ("1,234", U),
        ("1.23.456,00", C),
        ("1,2,3", D),
        ("12,345", C),
        ("0.001", D),
        ("12.50", C),
        ("12,50", D),
        ("1.234,56", D),
        ("", C),
        ("-", C),
        ("abc", C),
        ("1e5", C),
        ("NaN", C),
        ("١٢", C),
        ("--5", C),
        ("1.234,56 Euro netto", C),
        ("12,50", Decimals.CENTS),
        ("999999999999,00", C),
        ("9" * 5000, C),
        (",50", C),
        ("50,", U),
    ],
)
def test_what_is_no_amount(text, decimals):
    """What is ambiguous, malformed or larger than any invoice is refused, never rounded or guessed."""
    if text == "50,":
        assert amount(text, decimals).value == 50
        return
    with pytest.raises(ValueError, match=r"expected|fraction|too large"):
        amount(text, decimals)


@pytest.mark.parametrize(
    ("cells", "writes"),
    [
        (["1.234", "1.234,56"], C),
        (["1.234", "12.5"], D),
        (["1,234", "1,234.56"], D),
        (["1.234", "2.345"], U),
        (["1.234", "500", "12,50", "3.456"], C),
        (["12,50", "12.50"], U),
        (["1.234.567", "1.234"], C),
        ([], U),
    ],
)
def test_decimals_are_decided_by_the_column(cells, writes):
    """One proving cell decides for its column; without one, or with two that contradict, nothing is decided."""
    column, other = Column(), Column()
    for cell in cells:
        column.see(cell)
        other.see_amount(cell)
    assert column.writes() is other.writes() is writes


def test_proofs_of_single_cells():
    """A cell proves its decimals, leaves them open, or is ambiguous."""
    assert [shows(text) for text in ("1.234,5", "1,234.5", "12", "1.234", "x")] == [C, D, None, U, None]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("01.09.2026", date(2026, 9, 1)),
        ("1.9.26", date(2026, 9, 1)),
        ("01.09.69", date(2069, 9, 1)),
        ("01.09.70", date(1970, 9, 1)),
        ("2026-09-01", date(2026, 9, 1)),
        ("2026/9/1", date(2026, 9, 1)),
        ("01/09/2026", date(2026, 9, 1)),
        ("13/09/2026", date(2026, 9, 13)),
        ("01-09-2026", date(2026, 9, 1)),
        ("01092026", date(2026, 9, 1)),
        ("20260901", date(2026, 9, 1)),
        ("2026-08-31T23:30:00+00:00", date(2026, 9, 1)),
        ("2026-08-31T23:30:00Z", date(2026, 9, 1)),
        ("2026-08-31 23:30:00", date(2026, 8, 31)),
        (" 29.02.2024 ", date(2024, 2, 29)),
    ],
)
def test_dates(text, expected):
    """German, ISO and eight-digit dates; two-digit years turn at 70; instants count in Berlin."""
    assert day(text, BERLIN) == expected


@pytest.mark.parametrize(
    "text",
    [
        "09/13/2026",
        "31.02.2026",
        "29.02.2026",
        "0.9.2026",
        "1.13.2026",
        "01.09.1969",
        "2101-01-01",
        "",
        "heute",
        "1.9",
        "45900",
    ],
)
def test_what_is_no_date(text):
    """Impossible and month-first dates are refused."""
    with pytest.raises(ValueError, match="expected a date"):
        day(text, BERLIN)


def test_month_first_is_recognised():
    """Only a second number above twelve proves that the month comes first."""
    assert [month_first(text) for text in ("09/13/2026", "13/09/2026", "09/10/2026")] == [True, False, False]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("14", 14),
        ("14 Tage", 14),
        ("30 Tage netto", 30),
        ("0", 0),
        ("01.09.2026", None),
        ("31.02.2026", None),
        ("sofort", None),
        ("400", None),
    ],
)
def test_terms(text, days):
    """A payment term is a number of days up to a year; a date is none."""
    assert term_days(text) == days


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["ja", "nein", ""], PaidAs.FLAG),
        (["1", "0"], PaidAs.FLAG),
        (["14.08.2026", "", "nein"], PaidAs.DATE),
        (["0", "119,00"], PaidAs.AMOUNT),
        (["0,00", ""], PaidAs.AMOUNT),
        ([], PaidAs.AMOUNT),
    ],
)
def test_what_a_paid_column_holds(cells, kind):
    """`Bezahlt` is an amount, a date or a yes and no, decided by all its cells."""
    column = Column(frozenset({"ja", "nein", "1", "0"}))
    for cell in cells:
        column.see(cell)
    assert column.paid_as() is kind


@pytest.mark.parametrize(
    ("text", "folded"),
    [("Rechnungs-Nr.", "rechnungsnr"), ("FÄLLIG AM", "faelligam"), ("Straße", "strasse"), ("é", "e"), ("€", "")],
)
def test_folding(text, folded):
    """Header names are equal but for case, umlauts and punctuation."""
    assert fold(text) == folded
