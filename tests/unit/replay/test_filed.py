"""Files in support bundles: whatever is wrong with a file is wrong with the one in the bundle too, and that one names nobody."""

import io
import os
import zipfile
from collections import Counter
from datetime import UTC, datetime

import pytest

from bridge.app.bundling import program_words
from bridge.contract import Mapping
from bridge.http import Http, HttpSettings
from bridge.replay.filed import LARGEST, fold, learn_file, pseudonymised_file, thinned
from bridge.replay.pseudonyms import Pseudonyms
from connectors.generic_csv.connector import CsvSettings, GenericCsv

NOW = datetime(2026, 9, 4, 8, tzinfo=UTC)
MAPPING = Mapping.load("generic_csv")
HEAD = "Rechnungsnummer;Kundennummer;Kunde;E-Mail;Straße;PLZ;Ort;Telefon;IBAN;Rechnungsdatum;Fällig am;Bruttobetrag;Offen;Bemerkung"
WHO = "Käthe Späth GmbH;kaethe@spaeth.example;Rosenweg 117;20095;Hamburg;04031415926;DE12500105170648489890"
GOOD = f"RE-1042;10007;{WHO};03.08.2026;17.08.2026;1.190,00;1.190,00;Frau Späth, 0170 7654321, RE-1042"
NAMED = (
    "käthe", "kaethe", "späth", "spaeth", "rosenweg", "117", "20095", "hamburg", "31415926", "500105170648489890", "7654321", "1042",
)  # fmt: skip


def connector(folder):
    (folder / "in").mkdir(exist_ok=True, parents=True)
    settings = CsvSettings(inbox=folder / "in", settle_seconds=0)
    return GenericCsv("test", settings, MAPPING, Http(HttpSettings(base_url="http://127.0.0.1:9"), clock=lambda: NOW))


def outcome(folder, data):
    """Return what the connector makes of one file: its rejects by kind, field and rule, and amounts and dates of what fits."""
    own = connector(folder)
    path = folder / "in" / "datei"
    path.write_bytes(data)
    os.utime(path, (NOW.timestamp() - 60,) * 2)
    batches = list(own.pull(None))
    rejects = Counter((one.kind, one.field, one.reason.template) for batch in batches for one in batch.rejects)
    invoices = [(one.gross, one.open, one.issued_on, one.due_on) for batch in batches for one in batch.invoices]
    payments = [(one.amount, one.value_on) for batch in batches for one in batch.payments]
    return rejects, sorted(invoices, key=str), payments


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    return set(program_words(connector(tmp_path_factory.mktemp("words"))))


def pseudonymised(data, words):
    names, headings = Pseudonyms(words, b"fixed"), {fold(word) for word in words} - {""}
    learn_file(data, names, headings)
    return pseudonymised_file(data, names, headings)


def table(*rows, head=HEAD):
    return "\r\n".join((head, *rows, "")).encode()


ODD = {
    "good": table(GOOD),
    "bad amount": table(GOOD, GOOD.replace("RE-1042", "RE-7").replace("1.190,00;1", "1.19O,0O;1", 1)),
    "word for an amount": table(GOOD.replace("1.190,00;1.190,00", "viel;1.190,00")),
    "bad date": table(GOOD.replace("03.08.2026", "31.02.2026"), GOOD.replace("RE-1042", "RE-8").replace("03.08.2026", "2026 Aug 3")),
    "ambiguous amount": table(GOOD.replace("1.190,00;1.190,00", "1.190;1.190")),
    "no header": table(GOOD, head="a;b;c"),
    "unknown heading": table(GOOD, head=HEAD.replace("Bruttobetrag", "Endsumme X").replace("Offen", "Noch Y")),
    "cells too many": table(GOOD, GOOD.replace("Käthe Späth GmbH", "Käthe; Späth GmbH")),
    "quote never closed": table(GOOD, GOOD.replace("Käthe Späth", '"Käthe Späth').replace("RE-1042", "RE-9")),
    "quoted lines": table(GOOD.replace("Frau Späth,", '"Frau Späth\r\n20095 Hamburg;').replace(", RE-1042", '"')),
    "no number": table(GOOD.replace("RE-1042;", ";", 1)),
    "twice": table(GOOD, GOOD.replace("1.190,00;1.190,00", "1.190,00;90,00")),
    "NUL": table(GOOD, GOOD.replace("Hamburg", "Ham\0burg")),
    "cp1252": table(GOOD).decode().encode("cp1252"),
    "mixed": table(GOOD) + GOOD.replace("RE-1042", "RE-6").encode("cp1252") + b"\r\n",
    "utf-16": b"\xff\xfe" + table(GOOD).decode().encode("utf-16-le"),
    "broken utf-16": b"\xff\xfe" + table(GOOD).decode().encode("utf-16-le") + b"\x00\xd8A\x00Sp\xe4th",
    "two currencies": table(GOOD.replace("1.190,00;1.190,00", "1.190,00 EUR;1.190,00 USD")),
    "empty": b"",
}  # fmt: skip


@pytest.mark.parametrize("kind", ODD)
def test_a_file_fails_as_it_did_and_names_nobody(kind, tmp_path, words):
    """The same records are set aside for the same field and rule, amounts and dates are the same, and no name, address or number is left."""
    then, data = outcome(tmp_path / "then", ODD[kind]), pseudonymised(ODD[kind], words)
    now = outcome(tmp_path / "now", data)
    assert now == then
    if kind == "good":
        [row] = data.decode().splitlines()[1:]
        assert row.split(";")[0] in row.split(";")[-1], "a number is the same in a text as in its own cell"
    for coding in ("utf-8", "cp1252", "utf-16-le"):
        text = data.decode(coding, "ignore").casefold()
        assert [one for one in NAMED if one in text] == []


def test_a_mapping_mended_by_the_headings_of_the_bundle_reads_it(tmp_path, words):
    """Headings, amounts and dates under headings that nobody knows are what they were: names of columns can be added by them."""
    data = pseudonymised(ODD["unknown heading"], words)
    assert outcome(tmp_path / "now", data)[0]
    known = data.replace(b"Endsumme X", b"Bruttobetrag").replace(b"Noch Y", b"Offen")
    assert outcome(tmp_path / "mended", known) == outcome(tmp_path / "good", ODD["good"])


DATEV = (
    '"EXTF";700;21;"Buchungsstapel";13;20260901080000000;;"RE";"Käthe";"";29098;55003;20260101;4;20260801;20260831;"Späth";"KS";1;0;0;"EUR";;"";;;"03";;;"";""\r\n'
    "Umsatz (ohne Soll/Haben-Kz);Soll/Haben-Kennzeichen;WKZ Umsatz;Konto;Gegenkonto (ohne BU-Schlüssel);Belegdatum;Belegfeld 1;Buchungstext\r\n"
    '1190,00;"S";"EUR";10007;8400;0308;"RE-1042";"Käthe Späth"\r\n'
    '119,0O;"S";"EUR";10007;8400;0308;"RE-1043";"Käthe Späth"\r\n'
    '119,00;"S";"EUR";10007;8400;3502;"RE-1044";"Käthe Späth"\r\n'
).encode("cp1252")

CAMT = """<?xml version="1.0" encoding="UTF-8"?>
<!-- Käthe Späth --><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><GrpHdr><MsgId>20095</MsgId><CreDtTm>2026-09-01T08:00:00</CreDtTm></GrpHdr><Stmt>
<Acct><Id><IBAN>DE12500105170648489890</IBAN></Id><Ownr><Nm>K&#228;the Sp&#xE4;th</Nm></Ownr></Acct>
<Ntry><Amt Ccy="EUR">119.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-09-01</Dt></BookgDt><NtryDtls><TxDtls><Refs><EndToEndId>7654321</EndToEndId></Refs>
<RltdPties><Dbtr><Nm>K&auml;the Sp\u00e4th</Nm></Dbtr></RltdPties><RmtInf><Ustrd>RE-1042 <![CDATA[Rosenweg 117]]></Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
<Ntry><Amt Ccy="EUR">11,9</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-09-01</Dt></BookgDt><AddtlNtryInf>Hamburg</AddtlNtryInf></Ntry>
<Ntry><Amt Ccy="EUR">11.90</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>1.9.2026</Dt></BookgDt></Ntry>
</Stmt></BkToCstmrStmt></Document>""".replace("&auml;", "ä")  # fmt: skip


def zipped(**members):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as package:
        for name, data in members.items():
            package.writestr(f"{name}.xml", data)
    return packed.getvalue()


BOOKED = {
    "datev": DATEV,
    "camt": CAMT.encode(),
    "broken camt": CAMT[:-60].encode(),
    "document type": CAMT.replace("<!--", '<!DOCTYPE x [<!ENTITY who "Käthe Späth">]><!--').encode(),
    "other format": CAMT.replace("camt.053.001.08", "pain.001.001.03").encode(),
    "zip": zipped(Käthe_Späth=CAMT),
    "broken zip": zipped(Späth=CAMT)[:-30],
}


@pytest.mark.parametrize("kind", BOOKED)
def test_statements_and_bookings_fail_as_they_did(kind, tmp_path, words):
    """DATEV, camt.053 and ZIPs: as set aside as before, and named nobody, in no spelling that XML has for a name."""
    then, data = outcome(tmp_path / "then", BOOKED[kind]), pseudonymised(BOOKED[kind], words)
    assert outcome(tmp_path / "now", data) == then
    if data[:2] == b"PK" and "broken" not in kind:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            data = b"".join(one.filename.encode() + package.read(one) for one in package.infolist())
    text = data.decode("utf-8", "ignore").casefold()
    assert [one for one in (*NAMED, "sp&", "&#228;", "29098", "55003") if one in text] == []


def test_of_a_large_file_the_lines_that_failed_are_kept():
    """Of a table beyond the limit the top and what surrounds the lines that were set aside stay, under their numbers."""
    row = b"RE-%d;1,00;" + b"x" * 400 + b"\n"
    data = b"Rechnungsnummer;Betrag;Text\n" + b"".join(row % number for number in range(LARGEST // 400))
    kept = thinned(data, [30_000])
    assert len(kept) < 100_000
    assert kept.count(b"\n") == data.count(b"\n")
    assert kept.split(b"\n")[29_999] == data.split(b"\n")[29_999]
    made = pseudonymised_file(data, Pseudonyms(), set(), [30_000])
    assert made is not None
    assert len(made) < 100_000
