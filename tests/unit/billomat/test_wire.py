"""Billomat's JSON quirks, each on its own."""

from decimal import Decimal

import pytest

from bridge.contract import BadAnswer, BadRecord
from bridge.http.redact import KNOWN
from connectors.billomat import wire


@pytest.mark.parametrize(
    ("box", "count"),
    [
        ({"invoice": {"id": "1"}}, 1),
        ({"invoice": [{"id": "1"}]}, 1),
        ({"invoice": [{"id": "1"}, {"id": "2"}]}, 2),
        ({"@total": "0"}, 0),
        ([], 0),
        ({}, 0),
        ("", 0),
        (None, 0),
        ({"invoice": {}}, 0),
    ],
)
def test_lists_come_in_many_shapes(box, count):
    """One element as object or array, several, none, and an empty container of any kind."""
    assert len(wire.rows({"invoices": box}, "invoices", "invoice")) == count


@pytest.mark.parametrize("data", [None, [], "x", {}, {"clients": {}}])
def test_another_answer_than_the_list_is_an_error(data):
    """An answer to something else is never taken for an empty list."""
    with pytest.raises(BadAnswer, match="invoices"):
        wire.rows(data, "invoices", "invoice")


@pytest.mark.parametrize(
    ("value", "expected"), [("", None), ({}, None), ([], None), (None, None), (" x ", "x"), (5, "5"), ("0", "0")]
)
def test_nothing_is_written_in_many_ways(value, expected):
    """Empty text, an empty XML element and null all mean nothing."""
    assert wire.text({"a": value}, "a") == expected


@pytest.mark.parametrize(
    ("value", "expected"), [("119.5", "119.5"), (Decimal("2.50"), "2.50"), ("-3", "-3"), ("", None)]
)
def test_amounts_are_exact(value, expected):
    """Amounts have no fixed number of decimals."""
    found = wire.amount({"a": value}, "a")
    assert (None if found is None else str(found)) == expected


@pytest.mark.parametrize("value", ["1,50", "NaN", "Infinity", "1.2.3"])
def test_what_is_no_amount_is_a_bad_record(value):
    """Neither a comma nor infinity is an amount."""
    with pytest.raises(BadRecord):
        wire.amount({"a": value}, "a")


@pytest.mark.parametrize("value", ["", "x", "1/../2", "-1", "1" * 19, {}, None])
def test_an_id_is_a_number_and_nothing_else(value):
    """Ids become parts of paths; whatever is no number is refused."""
    with pytest.raises(BadRecord):
        wire.record_id({"id": value})


@pytest.mark.parametrize("value", ["1E+20", "1E+999999999", "9" * 5000])
def test_monstrous_numbers_are_refused_before_anything_is_computed(value):
    """A number that no arithmetic could bear is a bad record, and a count that is none is not known."""
    with pytest.raises(BadRecord):
        wire.amount({"a": value}, "a")
    assert wire.total({"rows": {"@total": value}}, "rows") is None
    assert wire.total({"rows": {"@total": "²"}}, "rows") is None


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-02:00", "bald", None])
def test_instants_beyond_the_calendar_are_none(value):
    """An instant that UTC cannot express is none."""
    assert wire.instant(value) is None


def test_words_of_billomat_are_one_line_without_any_part_of_a_secret():
    """A secret at the place where a long text is cut is taken out first; control characters do not reach a terminal."""
    KNOWN.add("0123456789abcdef0123456789abcdef")
    told = wire.failure({"errors": {"error": ["\x1b[2J\n" + "x" * 285, "0123456789abcdef0123456789abcdef"]}})
    assert told.isprintable()
    assert "01234567" not in told


def test_dates_of_the_year_one_are_no_dates():
    """An unset date may be of the year 0001."""
    assert wire.without_unset_dates({"due_date": "0001-01-01", "date": "2026-01-01"}) == {
        "due_date": "",
        "date": "2026-01-01",
    }


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"errors": {"error": "a"}}, "a"),
        ({"errors": {"error": ["a", "b"]}}, "a; b"),
        ({"errors": []}, "error without text"),
        ({"invoice": {}}, None),
        (None, None),
    ],
)
def test_errors_are_recognised_whatever_the_status(data, text):
    """A body with `errors` is a failure."""
    assert wire.failure(data) == text
