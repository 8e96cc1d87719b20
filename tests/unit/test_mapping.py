"""Readers of mappings: what they take from a provider, and that nothing monstrous gets through them."""

from datetime import date
from importlib import resources
from zoneinfo import ZoneInfo

import pytest

from bridge.errors import BadRecord, ConfigError
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


def shipped(name):
    return (resources.files("mappings") / f"{name}.yaml").read_text("utf-8")


def load(folder, name, old="", new=""):
    text = shipped(name)
    assert old in text
    (folder / f"{name}.yaml").write_text(text.replace(old, new, 1), "utf-8")
    return Mapping.load(name, folder)


@pytest.mark.parametrize("name", ["sevdesk", "billomat", "generic_csv"])
def test_a_copy_of_a_shipped_mapping_stands_in_for_it(tmp_path, name):
    """An own file begins as a copy of ours."""
    assert load(tmp_path, name).digest == Mapping.load(name).digest


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        (
            "sevdesk",
            "{from: currency, default: EUR}",
            "{from: curency, default: EUR}",
            r"sevdesk\.yaml:\d+: currency reads curency, which .* did you mean currency\?",
        ),
        ("billomat", "currency: currency_code", "currency: curency_code", r"did you mean currency_code\?"),
        ("billomat", "currency: currency_code", "curency: currency_code", r"invoice: currency is missing.*curency\?"),
        ("sevdesk", "invoiceType: MA", "invoiceTyp: MA", "invoiceType is missing.*invoiceTyp"),
        ("sevdesk", "\nreminder:", "\nreminders:", "reminder is missing.*did you mean reminders"),
        ("sevdesk", "\nblock:", "\nblocks: {fields: {until: value}}\nblock:", "no table blocks; did you mean block"),
        ("sevdesk", "paidAmount, read: decimal}", "paidAmount, read: decimal, optional: true}", "must not be optional"),
        ("generic_csv", "    currency: [Währung, WKZ", "    curency: [Währung, WKZ", "columns: currency is missing.*curency"),
        ("generic_csv", "  partly:", "  partially:", "partly is missing"),
        ("generic_csv", "  yes:", "  si: [si]\n  yes:", "there is no si"),
    ],
)  # fmt: skip
def test_an_own_mapping_that_is_written_wrong_is_refused_at_once(tmp_path, name, old, new, said):
    """Before anything is read: a field that no record has, or that nobody reads, would become a default, such as euros."""
    with pytest.raises(ConfigError, match=said) as caught:
        load(tmp_path, name, old, new)
    assert str(tmp_path) in str(caught.value)


def test_a_field_that_the_shipped_mapping_does_not_know_is_named_and_must_be_there(tmp_path):
    """What is listed under `also` may be read; a record without it is set aside with file, line and what may have been meant."""
    new = "invoice:\n  also: [due]\n  fields:"
    own = shipped("billomat").replace("invoice:\n  fields:", new, 1).replace("from: due_date", "from: due", 1)
    (tmp_path / "billomat.yaml").write_text(own, "utf-8")
    table = Mapping.load("billomat", tmp_path)["invoice"]
    with pytest.raises(
        BadRecord, match=r"billomat\.yaml:\d+: due_on reads due, which this record does not have; .*duet\?"
    ):
        table.read({"status": "OPEN", "date": "2026-09-01", "duet": "2026-09-08"}, BERLIN)


@pytest.mark.parametrize("target", ["currency", "status", "kind", "open", "due_on", "email", "level"])
def test_what_decides_is_never_a_default_where_the_field_is_gone(target):
    """An answer without the field at all sets its record aside; an empty field takes the default."""
    table = Mapping.parse("m", f"t: {{fields: {{{target}: {{from: raw, default: EUR}}}}}}", "m.yaml")["t"]
    assert [table.read({"raw": empty}, BERLIN) for empty in ("", None)] == [{target: "EUR"}] * 2
    with pytest.raises(
        BadRecord, match=rf"m\.yaml:1: {target} reads raw, which this record does not have; did you mean rw\?"
    ):
        table.read({"rw": "CHF"}, BERLIN)


def test_what_records_may_lack_takes_its_default():
    """Text, and what a table calls optional, may be absent; a reference that is left out takes its parts with it."""
    text = "t: {fields: {purpose: {from: a, default: x}, paid: {from: b.c, optional: true, default: y}}}"
    assert Mapping.parse("m", text, "m.yaml")["t"].read({}, BERLIN) == {"purpose": "x", "paid": "y"}


def test_no_currency_is_taken_for_another():
    """A value table that does not list a currency sets the record aside, default or not; so does any table without a default."""
    text = "t: {fields: {%s: {from: raw, values: {Euro: EUR}%s}}}"
    for found in (text % ("currency", ", default: EUR"), text % ("kind", "")):
        table = Mapping.parse("m", found, "m.yaml")["t"]
        assert list(table.read({"raw": "Euro"}, BERLIN).values()) == ["EUR"]
        with pytest.raises(BadRecord, match="does not list it"):
            table.read({"raw": "Franken"}, BERLIN)
