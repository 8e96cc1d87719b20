"""Files made to do harm, and files made by chance: nothing but a typed error or a reject ever comes of them."""

import io
import string
import tempfile
import tracemalloc
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.contract import Mapping
from connectors.generic_csv.importer import Importer
from connectors.generic_csv.profiles import Words, load_profiles
from connectors.generic_csv.state import State

ROW = "RE-1;K1;Kunde 1;01.08.2026;15.08.2026;119,00;119,00"
CAMT = '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt>{}</Stmt></BkToCstmrStmt></Document>'
NTRY = (
    '<Ntry><Amt Ccy="EUR">{}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-09-03</Dt></BookgDt>'
    "<NtryDtls><TxDtls><RmtInf><Ustrd>{}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
)


def zipped(*members, level=zipfile.ZIP_DEFLATED):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", level) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return packed.getvalue()


@pytest.mark.parametrize(
    "document",
    [
        '<!DOCTYPE Document [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + CAMT.format(NTRY.format("1.00", "&x;")),
        '<!DOCTYPE Document [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>' + CAMT.format("&b;"),
        '<!DOCTYPE Document SYSTEM "http://127.0.0.1:1/x.dtd">' + CAMT.format(""),
        CAMT.format("<a>" * 5000),
        CAMT.format(NTRY.format("1.00", "&x;")),
        CAMT.replace("053", "054").format(""),
    ],
)
def test_hostile_xml_is_rejected(desk, document):
    """Entities, document types, absurd nesting and other documents are rejected; nothing is read from disk or network."""
    desk.drop("<?xml version='1.0'?>" + document, name="a.xml")
    (reject,) = desk.rejects()
    assert reject.kind == "file"
    assert "root:" not in reject.model_dump_json()


def test_zip_bomb_is_stopped(desk, monkeypatch):
    """A ZIP is read only up to a limit of what comes out of it, whatever it says of itself."""
    monkeypatch.setattr("connectors.generic_csv.statements.LARGEST_XML", 1_000_000)
    monkeypatch.setattr("connectors.generic_csv.statements._Limited.__init__.__defaults__", (1_000_000,))
    text = CAMT.format(NTRY.format("1.00", "x") + " " * 20_000_000)
    desk.drop(zipped(("a.xml", text)), name="a.zip")
    (reject,) = desk.rejects()
    assert "bytes of XML" in reject.reason


@pytest.mark.parametrize(
    "data",
    [
        zipped(*((f"{number}.txt", "x") for number in range(2001))),
        zipped(("a.xml", CAMT.format("")))[:-30],
        zipped(("a.xml", "kein XML")),
        b"PK\x05\x06" + b"\0" * 18 + b"rest",
    ],
)
def test_broken_zip_is_rejected(desk, data):
    """A ZIP that is cut, has too many files, or holds something else is rejected as a whole."""
    desk.drop(data, name="a.zip")
    assert [reject.kind for reject in desk.rejects()] == ["file"]
    assert desk.payments() == []


def test_ten_megabyte_line_does_not_stop_the_file(desk):
    """A line of 10 MB is told by its number; the rows before and after it arrive."""
    desk.items(ROW, "RE-2;" + "x" * 10_000_000, ROW.replace("RE-1", "RE-3"), name="lang.csv")
    assert sorted(desk.invoices()) == ["RE-1", "RE-3"]
    (reject,) = desk.rejects()
    assert reject.source == "lang.csv:3"
    assert len(reject.raw) <= 2000


def test_memory_stays_flat(desk):
    """Importing ten times the rows takes hardly more memory."""

    def peak(rows):
        desk.items(*(ROW.replace("RE-1", f"RE-{number}") for number in range(rows)))
        tracemalloc.start()
        with desk.connector()._state() as state:
            desk.connector()._import(state)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(10)
    assert peak(3000) < 2.5 * peak(300) + 2_000_000


MAPPING = Mapping.load("generic_csv")
PROFILES = load_profiles(None)


def read_anything(data):
    """Import `data` as a file; return the rejects and invoices."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a"
        path.write_bytes(data)
        state = State(Path(folder) / "state.sqlite")
        importer = Importer(
            state,
            PROFILES,
            Words(MAPPING.options),
            ZoneInfo("Europe/Berlin"),
            profile="auto",
            encoding="auto",
            currency="EUR",
        )
        with state.change():
            report = importer.read(path, "a", datetime(2026, 9, 4, tzinfo=UTC))
        rejects = state.since("reject", 0, 10**9, 10**6)
        count = state.run("select count(*) from invoice").fetchone()[0]
        state.close()
        return report, rejects, count


SLOW = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
WILD = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.sampled_from(
    [
        "1.234",
        "1.234,56",
        "31.02.2026",
        "01.09.2026",
        '"',
        '""',
        "\0",
        "=1",
        "RE-1",
        "-",
        "ja",
        "9" * 400,
        "Summe",
        "\ufeff",
        "²",
    ]
)


@SLOW
@given(st.binary(max_size=3000))
def test_any_bytes(data):
    """Any bytes at all end in rejects, never in an error of another kind."""
    report, rejects, _ = read_anything(data)
    assert bool(report.rejected) == bool(rejects)


@SLOW
@given(
    st.lists(st.lists(WILD, min_size=1, max_size=9), max_size=12),
    st.sampled_from([";", ",", "\t"]),
    st.sampled_from(["utf-8", "cp1252", "utf-16"]),
)
def test_any_rows_below_a_header(rows, delimiter, encoding):
    """Any cells below a known header end in invoices or rejects that name file and line."""
    header = [
        "Rechnungsnummer",
        "Kunde",
        "Kundennummer",
        "Rechnungsdatum",
        "Fällig",
        "Zahlungsziel",
        "Betrag",
        "Bezahlt",
        "Offen",
        "Status",
        "Typ",
        "Mahnsperre",
    ]
    text = "\n".join(delimiter.join(row) for row in [header, *rows])
    _, rejects, _ = read_anything(text.encode(encoding, "replace"))
    for _, reject in rejects:
        assert reject.source.startswith("a")
        assert reject.reason


@SLOW
@given(st.lists(st.lists(WILD, min_size=1, max_size=24), max_size=8))
def test_any_bookings(rows):
    """Any cells below a DATEV header end in open items or rejects."""
    head = '"EXTF";700;21;"B";13;20260903101500000;;"RE";"";"";1;1;20260101;4;20260801;20260831;"A";"";1;0;0;"EUR"'
    names = "Umsatz;Soll/Haben-Kennzeichen;WKZ Umsatz;Konto;Gegenkonto;Belegdatum;Belegfeld 1;Belegfeld 2;Fälligkeit;Generalumkehr"
    body = [";".join(["1,00", "S", "EUR", "10001", "8400", "108", *row]) for row in rows]
    read_anything("\r\n".join([head, names, *body, *(";".join(row) for row in rows)]).encode("cp1252", "replace"))


@SLOW
@given(st.text(string.printable, max_size=60), st.text(string.printable, max_size=20))
def test_any_statement(text, amount):
    """Any content in the places of a bank statement ends in entries or rejects."""
    read_anything(CAMT.format(NTRY.format(amount, text)).encode())


@SLOW
@given(st.integers(0, 400), st.integers(0, 255))
def test_one_flipped_byte(at, byte):
    """A good file with one byte changed is read, or told of."""
    good = bytearray(
        ("Rechnungsnummer;Kunde;Rechnungsdatum;Betrag\r\n" + "RE-1;Kunde;01.08.2026;1.234,56\r\n" * 9).encode()
    )
    good[at % len(good)] = byte
    _, rejects, count = read_anything(bytes(good))
    assert count or rejects
