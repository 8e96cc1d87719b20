"""Base rates are dated data: shipped, replaceable, and never guessed."""

from datetime import date
from decimal import Decimal

import pytest

from bridge.errors import ConfigError
from bridge.model import DebtorKind
from bridge.policy.calendar import Calendar
from bridge.policy.money import (
    ClaimInputs,
    DueFacts,
    DueSource,
    MoneyRules,
    NoteCode,
    Window,
    account_of,
    load_tables,
    parse_table,
    shipped_tables,
    stretch,
    terms_for,
)
from bridge.policy.money.base_rates import LARGEST

OWN = "country: DE\nknown_until: 2027-06-30\nrates:\n  2026-01-01: 1.27\n  2026-07-01: 1.52\n  2027-01-01: 1.77\n"
HEAD = "country: DE\nknown_until: 2027-06-30\n"


@pytest.mark.parametrize(
    ("country", "day", "rate"),
    [
        ("DE", date(2002, 1, 1), "2.57"),
        ("DE", date(2011, 6, 30), "0.12"),
        ("DE", date(2011, 7, 1), "0.37"),
        ("DE", date(2022, 12, 31), "-0.88"),
        ("DE", date(2026, 6, 30), "1.27"),
        ("DE", date(2026, 12, 31), "1.52"),
        ("AT", date(2022, 12, 31), "-0.62"),
        ("AT", date(2026, 7, 1), "1.53"),
    ],
)
def test_the_shipped_tables(country, day, rate):
    """Each half-year has the rate announced for it."""
    assert shipped_tables()[country].rate_on(day) == Decimal(rate)


def test_a_missing_half_year_is_said_and_not_guessed():
    """On 1 January without a new entry there is a warning, interest stops on 31 December, and the account says which days."""
    table = shipped_tables()["DE"]
    assert table.finding(date(2026, 12, 31)) is None
    warning = table.finding(date(2027, 1, 1))
    assert (warning.code, warning.severity.value) == ("base_rate_missing", "warning")
    assert table.rate_on(date(2027, 1, 1)) is None
    due = DueFacts(kind=DebtorKind.BUSINESS, due_source=DueSource.CONTRACT, due_on=date(2026, 12, 1))
    rules = MoneyRules(calendar=Calendar("DE", "NW"))
    account = account_of(ClaimInputs(100000, due), date(2027, 1, 31), rules)
    assert account.segments[-1].last == date(2026, 12, 31)
    note = next(one for one in account.notes if one.code is NoteCode.BASE_RATE_MISSING)
    assert note.facts == {"country": "DE", "first": date(2027, 1, 1), "last": date(2027, 1, 31)}


def test_days_before_the_table_begins_are_missing_too():
    """Austria's table begins in 2016; earlier days are named as missing and not computed."""
    terms = terms_for("AT", DebtorKind.BUSINESS, shipped_tables())
    made = stretch(100000, date(2016, 6, 1), date(2016, 7, 31), terms)
    assert made.missing == (Window(date(2016, 6, 1), date(2016, 6, 30)),)
    assert [row.days for row in made.segments] == [31]


def test_half_years_with_the_same_rate_are_one_row():
    """Where a table writes an unchanged rate down again, its half-years still make one row; a change makes two."""
    table = parse_table(OWN.replace("1.52", "1.27"), "rates.yaml")
    terms = terms_for("DE", DebtorKind.BUSINESS, {"DE": table})
    made = stretch(100000, date(2026, 6, 1), date(2027, 1, 10), terms)
    assert [(row.first, row.last) for row in made.segments] == [
        (date(2026, 6, 1), date(2026, 12, 31)),
        (date(2027, 1, 1), date(2027, 1, 10)),
    ]


def test_an_operators_own_table_replaces_the_shipped_one(tmp_path):
    """A file of one's own adds a half-year without waiting for a release; other countries stay."""
    path = tmp_path / "de.yaml"
    path.write_text(OWN, encoding="utf-8")
    tables = load_tables([path])
    assert tables["DE"].rate_on(date(2027, 6, 30)) == Decimal("1.77")
    assert tables["DE"].finding(date(2027, 6, 30)) is None
    assert tables["AT"] == shipped_tables()["AT"]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        (OWN.replace("2027-01-01: 1.77", "2027-02-01: 1.77"), 6, "1 January and 1 July only"),
        (OWN.replace("1.77", "1,77"), 6, "write per cent with a point"),
        (OWN.replace("1.77", "177"), 6, "between -20 and 50"),
        (OWN.replace("1.77", ".nan"), 6, "write per cent"),
        (OWN.replace("2026-07-01: 1.52", "2026-01-01: 1.52"), 5, "twice"),
        (OWN.replace("2026-01-01", "2027-07-01"), 5, "write the oldest first"),
        (OWN.replace("2026-07-01: 1.52", "20260101: 1.52"), 5, "write the oldest first"),
        (OWN.replace("2027-06-30", "2027-05-31"), 2, "30 June or 31 December"),
        (OWN.replace("2027-06-30", "2026-06-30"), 2, "newest half-year"),
        (OWN.replace("2027-06-30", "soon"), 2, "write a date"),
        (OWN.replace("country: DE", "country: Germany"), 1, "two capital letters"),
        (OWN.replace("rates:", "rate:"), 3, "there is no such key"),
        (HEAD, 1, "rates is missing"),
        (HEAD + "rates: {}\n", 3, "at least one line"),
        (HEAD + "rates: 1.5\n", 3, "lines such as"),
        ("- 1\n", 1, "has the keys"),
        ("", 1, "has the keys"),
        ("country: [DE]\nknown_until: 2027-06-30\nrates: {2026-01-01: 1}\n", 1, "one value"),
        ("country: 'DE\n", 2, "not valid YAML"),
    ],
)
def test_a_mistake_in_a_table_is_named_with_its_line(text, line, said):
    """A wrong table is refused with file, line, value and what would be right."""
    with pytest.raises(ConfigError) as caught:
        parse_table(text, "rates.yaml")
    assert str(caught.value).startswith(f"rates.yaml:{line}: ")
    assert said in str(caught.value)


def test_files_that_cannot_be_used(tmp_path):
    """A missing file, one that is no text, and two files of one country are refused by name."""
    path, twice, binary = tmp_path / "de.yaml", tmp_path / "again.yaml", tmp_path / "binary.yaml"
    path.write_text(OWN, encoding="utf-8")
    twice.write_text(OWN, encoding="utf-8")
    binary.write_bytes(b"\xff\xfe\xff")
    for paths, said in (
        ([tmp_path / "none.yaml"], "cannot be read"),
        ([path, twice], "already stand in"),
        ([binary], "no UTF-8"),
    ):
        with pytest.raises(ConfigError, match=said):
            load_tables(paths)
    with pytest.raises(ConfigError, match="longer than"):
        parse_table("#" * 100_001, "rates.yaml")


@pytest.mark.parametrize("rate", ["-20", "-19.9999", "0", "1.5234", "50"])
def test_a_rate_is_taken_up_to_its_limits(rate):
    """Between -20 and 50 per cent, both included, with four places."""
    assert parse_table(OWN.replace("1.77", rate), "rates.yaml").rates[-1][1] == Decimal(rate)


@pytest.mark.parametrize("rate", ["-20.0001", "-20.5", "50.0001", "50.5", "1.52345", ".inf", "Infinity"])
def test_a_rate_beyond_its_limits_is_refused(rate):
    """A slip of the decimal point is found before it is charged."""
    with pytest.raises(ConfigError, match="per cent"):
        parse_table(OWN.replace("1.77", rate), "rates.yaml")


@pytest.mark.parametrize(
    ("known_until", "taken"),
    [
        ("2027-06-30", True),
        ("2027-12-31", True),
        ("2026-12-31", False),
        ("2027-03-31", False),
        ("2027-06-29", False),
        ("2027-07-01", False),
    ],
)
def test_a_table_is_known_to_the_end_of_a_half_year(known_until, taken):
    """Of either one, to the day."""
    text = OWN.replace("2027-06-30", known_until)
    if taken:
        assert parse_table(text, "rates.yaml").known_until == date.fromisoformat(known_until)
    else:
        with pytest.raises(ConfigError, match="last day of the newest half-year"):
            parse_table(text, "rates.yaml")


def test_a_table_of_the_largest_length_is_read():
    """One character more is not, whatever it says."""
    full = OWN + "#" * (LARGEST - len(OWN))
    assert parse_table(full, "rates.yaml") == parse_table(OWN, "rates.yaml")
    with pytest.raises(ConfigError, match="longer than"):
        parse_table(full + "#", "rates.yaml")


@pytest.mark.parametrize(
    ("day", "until"),
    [
        (date(2025, 12, 31), date(2025, 12, 31)),  # none yet
        (date(2026, 1, 1), date(2026, 6, 30)),
        (date(2026, 6, 30), date(2026, 6, 30)),
        (date(2026, 7, 1), date(2026, 12, 31)),
        (date(2027, 6, 30), date(2027, 6, 30)),  # the last day that is known
        (date(2027, 7, 1), None),
    ],
)
def test_what_holds_on_a_day_holds_until(day, until):
    """The last day of its half-year; after the last day known there is no end."""
    assert parse_table(OWN, "rates.yaml").until(day) == until
