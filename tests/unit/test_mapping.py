"""Readers of mappings: what they take from a provider, and that nothing monstrous gets through them."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from bridge.errors import BadRecord
from bridge.mapping import Mapping

BERLIN = ZoneInfo("Europe/Berlin")


def read(reader, value):
    table = Mapping.parse("m", f"t: {{fields: {{found: {{from: raw, read: {reader}}}}}}}", "m.yaml")["t"]
    return table.read({"raw": value}, BERLIN)["found"]


@pytest.mark.parametrize(
    ("reader", "value"),
    [
        ("date", "0001-01-01T00:00:00+02:00"),
        ("date", "9999-12-31T23:59:59-02:00"),
        ("date", "9999-12-31"),
        ("date", "31.12.9999"),
        ("date", "0001-01-01"),
        ("datetime", "0001-01-01T00:00:00+02:00"),
        ("datetime", "0001-01-01T00:00:00"),
        ("datetime", "9999-12-31T23:59:59-02:00"),
        ("decimal", "1E+30"),
        ("decimal", "1E+999999999"),
        ("decimal", "1E-999999999"),
        ("decimal", "9" * 5000),
        ("decimal_comma", "1" * 5000),
        ("integer", "1E+999999999"),
        ("integer", "9" * 5000),
    ],
)
def test_what_cannot_be_computed_with_is_a_bad_record(reader, value):
    """A date at the end of the calendar, or a number without end, sets its record aside and stops nothing else."""
    with pytest.raises(BadRecord, match="expected"):
        read(reader, value)


def test_midnight_in_berlin_keeps_its_day():
    """The day of an instant is the local one, before and after the change of the clocks, whatever its offset."""
    assert read("date", "2026-03-29T00:00:00+01:00") == date(2026, 3, 29)
    assert read("date", "2026-10-25T23:00:00+00:00") == date(2026, 10, 26)
    assert read("date", "2026-08-31T22:00:00Z") == date(2026, 9, 1)
