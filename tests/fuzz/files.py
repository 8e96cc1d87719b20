"""Files that people export: lists, bookings and statements, as CSV, DATEV, camt.053 and ZIP; and profiles that say how to read them."""

import contextlib
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from ruamel.yaml import YAML

from bridge.mapping import Mapping
from connectors.generic_csv.importer import Importer
from connectors.generic_csv.profiles import Words, load_profiles
from connectors.generic_csv.state import State
from tests.fuzz.mutate import mutated, mutated_json
from tests.fuzz.target import Parse, Target

NOW = datetime(2026, 11, 16, 8, tzinfo=UTC)

_LIST = 'Rechnungsnummer;Kundennummer;Kunde;Rechnungsdatum;Fällig am;Zahlungsziel;Bruttobetrag;Bezahlt;Offen;Status;Typ;Mahnsperre;E-Mail\r\nRE-1;K1;Kunde 1;01.08.2026;15.08.2026;14;1.119,00;0,00;1.119,00;offen;Rechnung;nein;a@b.example\r\nRE-2;K2;"Kunde; 2";02.08.2026;;14 Tage;119,00;19,00;;;Gutschrift;ja;\r\nSumme;;;;;;1.238,00;;;;;;\r\n'
_BANK = 'Auftragskonto;Buchungstag;Valutadatum;Buchungstext;Verwendungszweck;Glaeubiger ID;Mandatsreferenz;Kundenreferenz (End-to-End);Sammlerreferenz;Lastschrift Ursprungsbetrag;Auslagenersatz Ruecklastschrift;Beguenstigter/Zahlungspflichtiger;Kontonummer/IBAN;BIC (SWIFT-Code);Betrag;Waehrung;Info\r\n"DE02";"03.09.26";"03.09.26";"GUTSCHRIFT";"RE-1 Kunde";"";"";"";"";"";"";"Kunde 1";"DE02120300000000202051";"";"119,00";"EUR";"Umsatz gebucht"\r\n'
_DATEV = '"EXTF";700;21;"B";13;20260903101500000;;"RE";"";"";1;1;20260101;4;20260801;20260831;"A";"";1;0;0;"EUR"\r\nUmsatz;Soll/Haben-Kennzeichen;WKZ Umsatz;Konto;Gegenkonto;Belegdatum;Belegfeld 1;Belegfeld 2;Fälligkeit;Generalumkehr\r\n119,00;"S";"EUR";10001;8400;0108;"RE-1";"";15082026;\r\n19,00;"H";"EUR";10001;1200;0508;"RE-1";"";;\r\n'
_CAMT = '<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt><Id>1</Id><Acct><Id><IBAN>DE02120300000000202051</IBAN></Id></Acct><Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-09-03</Dt></Dt></Bal><Ntry><Amt Ccy="EUR">119.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-09-03</Dt></BookgDt><ValDt><DtTm>2026-09-03T10:00:00+02:00</DtTm></ValDt><NtryDtls><TxDtls><Refs><EndToEndId>RE-1</EndToEndId></Refs><RltdPties><Dbtr><Pty><Nm>Kunde</Nm></Pty></Dbtr></RltdPties><RmtInf><Ustrd>RE-1</Ustrd></RmtInf><RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf></TxDtls></NtryDtls></Ntry></Stmt></BkToCstmrStmt></Document>'


def zipped(*members: tuple[str, bytes]) -> bytes:
    """Return a ZIP with these files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return packed.getvalue()


class _TakenBack(Exception):
    """Nothing of an import is kept."""


class Files:
    """The importer of files, on one state whose changes are taken back after each input."""

    def __init__(self, folder: Path) -> None:
        self._path, self._state = folder / "a", State(folder / "state.sqlite")
        mapping = Mapping.load("generic_csv")
        self._importer = Importer(
            self._state,
            load_profiles(None),
            Words(mapping.options),
            ZoneInfo("Europe/Berlin"),
            profile="auto",
            encoding="auto",
            currency="EUR",
        )

    def read(self, data: bytes) -> None:
        """Import: whatever it is, it ends in rejects and records, and a file that was rejected says why."""
        self._path.write_bytes(data)
        with contextlib.suppress(_TakenBack), self._state.change():
            report = self._importer.read(self._path, "a", NOW)
            rejects = self._state.since("reject", 0, 10**9, 10**6)
            if bool(report.rejected) != bool(rejects):
                raise AssertionError(f"{report.rejected} rejected, {len(rejects)} kept")
            raise _TakenBack

    def fed_from(self, *seeds: bytes) -> Parse:
        """Return what imports these files, changed."""
        return lambda random: self.read(mutated(random, list(seeds)))


def _profile(folder: Path) -> Parse:
    """Read an operator's profile: a table of its own, in a folder of its own."""
    shipped = Path(__file__).parents[2] / "mappings" / "csv"
    texts = [path.read_text("utf-8") for path in sorted(shipped.glob("*.yaml"))]
    tables = [json.dumps(YAML(typ="safe", pure=True).load(one)) for one in texts]
    folder.mkdir()

    def parse(random: Random) -> None:
        at = random.randrange(len(texts))
        data = (
            mutated(random, [texts[at].encode()])
            if random.random() < 0.4
            else mutated_json(random, tables[at]).encode()
        )
        (folder / "own.yaml").write_bytes(data)
        load_profiles(folder)

    return parse


def targets(folder: Path) -> Iterator[Target]:
    """Yield the parsers of files."""
    files = Files(folder)
    yield Target("csv", 10, files.fed_from(_LIST.encode("cp1252"), _LIST.encode("utf-8-sig")))
    yield Target("bank_csv", 14, files.fed_from(_BANK.encode()))
    yield Target("datev", 24, files.fed_from(_DATEV.encode("cp1252")))
    yield Target("camt053", 40, files.fed_from(_CAMT.encode(), zipped(("a.xml", _CAMT.encode()))))
    yield Target("profile", 6, _profile(folder / "profiles"))
