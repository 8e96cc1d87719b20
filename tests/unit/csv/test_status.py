import csv
from datetime import date
from decimal import Decimal

import pytest

from bridge.contract import Act, Content, Ref, Refused, RetryLater, WriteBack
from bridge.contract import cell as as_cell

ROW = "RE-1;K1;Kunde 1;01.08.2026;15.08.2026;119,00;119,00"


def note(key="k1", invoice="plain/RE-1", **changes):
    content = {
        "level_name": "1. Mahnung",
        "total": Decimal("121.50"),
        "deadline": date(2026, 9, 18),
        "sent_by": "mail",
        "line": "04.09.2026 1. Mahnung per E-Mail",
    }
    return WriteBack(
        key=key, account="test", act=Act.NOTE, invoice=Ref.invoice(invoice), content=Content(**(content | changes))
    )


def rows(desk):
    with (desk.inbox / "mahnbridge" / "status.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def test_one_row_per_notice(desk):
    """A notice is one row with number, level, date, channel, deadline, total and marker; a second push adds none."""
    desk.items(ROW)
    desk.pull()
    write = note()
    proof = desk.connector().push(write)
    assert desk.connector().push(write).provider_id == proof.provider_id == write.marker
    assert rows(desk) == [
        {
            "Rechnungsnummer": "RE-1",
            "Kundennummer": "K1",
            "Mahnstufe": "1. Mahnung",
            "Datum": "04.09.2026",
            "Versandweg": "E-Mail",
            "Zahlungsfrist": "18.09.2026",
            "Betrag": "121,50",
            "Währung": "EUR",
            "Text": "04.09.2026 1. Mahnung per E-Mail",
            "Kennung": write.marker,
        }
    ]


def test_find_by_marker(desk):
    """A row is found by its marker; what is not in the list was never written. A list taken away is made again."""
    desk.items(ROW)
    desk.pull()
    assert desk.connector().find(note()) is None
    desk.connector().push(note())
    (desk.inbox / "mahnbridge" / "status.csv").unlink()
    assert desk.connector().find(note()).found_later
    assert desk.connector().find(note("k2")) is None
    assert len(rows(desk)) == 1


def test_crash_between_row_and_list_is_found(desk, monkeypatch):
    """If the list could not be written, nothing is half written, and `find` completes it."""
    desk.items(ROW)
    desk.pull()
    desk.connector().push(note())

    def full(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bridge.files.os.fsync", full)
    with pytest.raises(RetryLater, match="No space"):
        desk.connector().push(note("k2"))
    monkeypatch.undo()
    assert len(rows(desk)) == 1
    assert desk.connector().push(note("k2")).key == "k2"
    assert len(rows(desk)) == 2


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+49 30", "'+49 30"),
        ("-5", "'-5"),
        ("@x", "'@x"),
        ("\t=1", "' =1"),
        ("\r=1", "' =1"),
        (" =1", "' =1"),
        ("\uff1d1", "'\uff1d1"),
        ("a\nb", "a b"),
        ("RE-1", "RE-1"),
        ("", ""),
    ],
)
def test_cells_are_no_formulas(cell, written):
    """A cell that a spreadsheet would compute is written as text; line breaks never split a row."""
    assert as_cell(cell) == written


def test_hostile_invoice_number_is_harmless(desk):
    """An invoice number made to be a formula arrives as text, and is known again when the list is read back."""
    desk.items(ROW.replace("RE-1", '"=cmd|calc"'))
    desk.pull()
    desk.connector().push(note(invoice="plain/=cmd|calc", line="=1+1"))
    (row,) = rows(desk)
    assert (row["Rechnungsnummer"], row["Text"]) == ("'=cmd|calc", "'=1+1")
    desk.items(ROW.replace("RE-1", "'=cmd|calc"))
    assert sorted(desk.invoices()) == ["=cmd|calc"]


def test_unknown_invoice_is_refused(desk):
    """A row for an invoice that no file ever named is refused."""
    with pytest.raises(Refused):
        desk.connector().push(note())
