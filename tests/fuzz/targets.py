"""Every parser of foreign input, with what it is fed from and which errors it may answer with."""

import contextlib
import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import parse_qs
from zoneinfo import ZoneInfo

from bridge.app.answering import BadAnswerGiven, Kind
from bridge.channels.bounces import report_in
from bridge.config import load
from bridge.errors import BridgeError, Wrong
from bridge.http import Http, HttpSettings, TokenAuth
from bridge.http.limits import read_limits
from bridge.http.outcome import Fault, of_read, of_write
from bridge.http.player import Player
from bridge.http.reply import Reply, parse_json
from bridge.mapping import Mapping
from bridge.page.routes import _given
from bridge.policy import texts
from bridge.policy.load import parse_plan
from bridge.replay.bundle import Packed
from bridge.replay.pseudonyms import Pseudonyms
from connectors.billomat.connector import Billomat
from connectors.billomat.sandbox import Sandbox as BillomatSandbox
from connectors.generic_csv.importer import Importer
from connectors.generic_csv.profiles import Words, load_profiles
from connectors.generic_csv.state import State
from connectors.sevdesk.connector import SevDesk
from connectors.sevdesk.sandbox import Sandbox as SevDeskSandbox
from tests.fuzz.mutate import mutated, mutated_json

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 16)
NOW = datetime(2026, 11, 16, 8, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
TYPED: tuple[type[Exception], ...] = (BridgeError, Wrong)
"""What may come out besides a result; `Wrong` is what readers answer with and callers name a place for."""

Parse = Callable[[Random], None]


@dataclass(frozen=True)
class Target:
    """A parser. `share` of 1,000 inputs that it gets: cheap ones get more."""

    name: str
    share: int
    parse: Parse


def _text(seeds: list[str], parse: Callable[[str], object]) -> Parse:
    data = [seed.encode() for seed in seeds]
    return lambda random: _quiet(parse, mutated(random, data).decode("utf-8", "replace"))


def _quiet(parse: Callable[[Any], object], value: Any) -> None:
    with contextlib.suppress(*TYPED):
        parse(value)


# ------------------------------------------------------------------------------------------------------ files and banks

_LIST = 'Rechnungsnummer;Kundennummer;Kunde;Rechnungsdatum;Fällig am;Zahlungsziel;Bruttobetrag;Bezahlt;Offen;Status;Typ;Mahnsperre;E-Mail\r\nRE-1;K1;Kunde 1;01.08.2026;15.08.2026;14;1.119,00;0,00;1.119,00;offen;Rechnung;nein;a@b.example\r\nRE-2;K2;"Kunde; 2";02.08.2026;;14 Tage;119,00;19,00;;;Gutschrift;ja;\r\nSumme;;;;;;1.238,00;;;;;;\r\n'
_BANK = 'Auftragskonto;Buchungstag;Valutadatum;Buchungstext;Verwendungszweck;Glaeubiger ID;Mandatsreferenz;Kundenreferenz (End-to-End);Sammlerreferenz;Lastschrift Ursprungsbetrag;Auslagenersatz Ruecklastschrift;Beguenstigter/Zahlungspflichtiger;Kontonummer/IBAN;BIC (SWIFT-Code);Betrag;Waehrung;Info\r\n"DE02";"03.09.26";"03.09.26";"GUTSCHRIFT";"RE-1 Kunde";"";"";"";"";"";"";"Kunde 1";"DE02120300000000202051";"";"119,00";"EUR";"Umsatz gebucht"\r\n'
_DATEV = '"EXTF";700;21;"B";13;20260903101500000;;"RE";"";"";1;1;20260101;4;20260801;20260831;"A";"";1;0;0;"EUR"\r\nUmsatz;Soll/Haben-Kennzeichen;WKZ Umsatz;Konto;Gegenkonto;Belegdatum;Belegfeld 1;Belegfeld 2;Fälligkeit;Generalumkehr\r\n119,00;"S";"EUR";10001;8400;0108;"RE-1";"";15082026;\r\n19,00;"H";"EUR";10001;1200;0508;"RE-1";"";;\r\n'
_CAMT = '<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt><Id>1</Id><Acct><Id><IBAN>DE02120300000000202051</IBAN></Id></Acct><Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">1.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-09-03</Dt></Dt></Bal><Ntry><Amt Ccy="EUR">119.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-09-03</Dt></BookgDt><ValDt><DtTm>2026-09-03T10:00:00+02:00</DtTm></ValDt><NtryDtls><TxDtls><Refs><EndToEndId>RE-1</EndToEndId></Refs><RltdPties><Dbtr><Pty><Nm>Kunde</Nm></Pty></Dbtr></RltdPties><RmtInf><Ustrd>RE-1</Ustrd></RmtInf><RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf></TxDtls></NtryDtls></Ntry></Stmt></BkToCstmrStmt></Document>'


def _zipped(*members: tuple[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return packed.getvalue()


class _TakenBack(Exception):
    """Nothing of an import is kept."""


class _Files:
    """The importer of files, on one state whose changes are taken back after each input."""

    def __init__(self, folder: Path) -> None:
        self._path, self._state = folder / "a", State(folder / "state.sqlite")
        mapping = Mapping.load("generic_csv")
        self._importer = Importer(
            self._state,
            load_profiles(None),
            Words(mapping.options),
            BERLIN,
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

    def target(self, *seeds: bytes) -> Parse:
        return lambda random: self.read(mutated(random, list(seeds)))


# ---------------------------------------------------------------------------------------------------- provider answers


class _Kept:
    """A recorder that keeps everything."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []

    def record(self, _size: int, making: Any) -> None:
        one = making()
        self.said.append(
            {
                "method": one.method, "url": one.url, "at": one.at.isoformat(), "status": one.status, "headers": dict(one.headers),
                "body": one.body, "error": one.error, "sent": one.sent,
            }
        )  # fmt: skip


def _sevdesk() -> tuple[Any, Any, TokenAuth]:
    sandbox = SevDeskSandbox(today=TODAY)
    contact = sandbox.add_contact(
        "Schuldner GmbH", email="r@schuldner.example", number="1001", address=("Weg 1", "20095", "Hamburg")
    )
    made = sandbox.add_invoice(contact, number="RE-1", gross="1190.00", issued_on=date(2026, 8, 3))
    sandbox.add_invoice(contact, number="RE-2", gross="119.00", issued_on=date(2026, 9, 3))
    return sandbox, made, TokenAuth(token=sandbox.token)


def _billomat() -> tuple[Any, Any, TokenAuth]:
    sandbox = BillomatSandbox(today=TODAY)
    client = sandbox.add_client("Schuldner GmbH", email="r@schuldner.example")
    made = sandbox.add_invoice(client, "119.00", due_on=date(2026, 9, 3))
    return sandbox, made, TokenAuth(token=sandbox.key, header="X-BillomatApiKey")


class _Answers:
    """A connector whose recorded answers are changed before it reads them."""

    def __init__(self, kind: Any, make: Callable[[], tuple[Any, Any, TokenAuth]]) -> None:
        sandbox, made, auth = make()
        self._kind, self._mapping, kept = kind, Mapping.load(kind.name), _Kept()
        with sandbox:
            if hasattr(sandbox, "remind_by_hand"):
                sandbox.remind_by_hand(made)
            settings = HttpSettings(base_url=sandbox.base_url, auth=auth, pace=1000)
            with Http(settings, clock=lambda: NOW, recorder=kept) as http:
                list(kind("test", kind.Settings(), self._mapping, http).pull(None))
        self._said, self._base = kept.said, HttpSettings(base_url=sandbox.base_url, attempts=1, pace=1000)

    def __call__(self, random: Random) -> None:
        said = list(self._said)
        for at in random.sample(range(len(said)), random.choice((1, 1, 2))):
            said[at] = {**said[at], "body": mutated_json(random, said[at]["body"])}
        player = Player(said, self._base.base_url)
        http = Http(self._base, clock=lambda: NOW, wire=player, sleep=lambda _: None)
        connector = self._kind("test", self._kind.Settings(), self._mapping, http)
        with contextlib.suppress(*TYPED):
            for _, _batch in zip(range(50), connector.pull(None), strict=False):
                if player.asked > 400:
                    raise AssertionError("the connector goes on asking for ever")


def _answer(random: Random) -> None:
    """Judge an answer with any status, headers and body, as a read and as a write."""
    body = mutated(random, [b'{"errors":{"error":"no"}}', b'{"objects":[{"id":"1"}]}', b"<!doctype html><p>x", b""])
    names = [
        "Content-Type",
        "Retry-After",
        "RateLimit",
        "RateLimit-Policy",
        "X-Rate-Limit-Remaining",
        "X-Rate-Limit-Reset",
        "Location",
    ]
    seeds = [b"120", b"Wed, 21 Oct 2026 07:28:00 GMT", b'"a";r=9;t=30', b"text/html", b"http://[x", b"100, 100;w=60"]
    headers = {name: mutated(random, seeds).decode("latin-1") for name in random.sample(names, 3)}
    reply = Reply(random.choice((200, 204, 301, 400, 401, 404, 408, 429, 500, 599)), headers, body, parse_json(body))
    fault = Fault(random.choice(("", "timeout", "truncated", "too_large")), sent=True)
    for judged in (of_read("a: GET /x", reply, fault), of_write("a: POST /x", reply, fault, frozenset({409}))):
        assert judged is None or isinstance(judged, BridgeError)
    read_limits(headers, NOW)


# ---------------------------------------------------------------------------------------------------------- the others

_FORM = ["day=2026-11-20&reason=Ware+defekt&invoice=RE-1&invoice=RE-2&confirmed=yes", "day=20.11.2026&reason=%C3%A4"]
_MAIL = (
    "From: MAILER-DAEMON@mx.example\r\nMessage-ID: <1@mx.example>\r\nMIME-Version: 1.0\r\nX-Failed-Recipients: a@b.example\r\n"
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nnot delivered\r\n'
    "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; a@b.example\r\nAction: failed\r\n"
    "Status: 5.1.1\r\nDiagnostic-Code: smtp; 550 no such user\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
    "Message-ID: <mb.0123456789ab.1@lichtblick.example>\r\nX-Mahnbridge-Key: mb:0123456789ab\r\n\r\n--b--\r\n"
)
_PAGES = [
    "Sehr geehrte Damen und Herren,\n{% for one in items %}{{ one.number }}: {{ one.amount }}\n{% endfor %}{{ total }} bis {{ deadline }}",
    "{% if several %}Rechnungen{% else %}Rechnung{% endif %} {{ numbers }} {{ fee|default('') }}",
]


def _form(text: str) -> None:
    with contextlib.suppress(ValueError):  # answered as a form that cannot be read, by its caller
        form = parse_qs(text, max_num_fields=50, errors="strict")
        for kind in Kind:
            with contextlib.suppress(BadAnswerGiven):
                _given(kind, form)


def _bundle(path: Path) -> Parse:
    facts = {
        "run": 1, "kind": "pull", "account": "main", "connector": "sevdesk", "state": "failed", "cause": "http_503", "business_date": "2026-09-01",
        "clock": "2026-09-01T08:00:00Z", "cursor": {"page": 1}, "http": {"base_url": "https://x.invalid"}, "counts": {}, "steps": [[1, "parked", "x"]],
    }  # fmt: skip
    line = {
        "method": "GET",
        "url": "/Tag?limit=1",
        "at": "2026-09-01T08:00:00+00:00",
        "status": 200,
        "headers": {},
        "body": "{}",
        "error": None,
        "sent": True,
    }
    whole = _zipped(("bundle.json", json.dumps(facts).encode()), ("exchanges.jsonl", json.dumps(line).encode()))

    def parse(random: Random) -> None:
        data = mutated(random, [whole])
        if random.random() < 0.7:
            inside = mutated_json(random, json.dumps(facts)).encode("utf-8", "replace")
            said = mutated_json(random, json.dumps(line)).encode("utf-8", "replace")
            data = _zipped(("bundle.json", inside), ("exchanges.jsonl", said))
        path.write_bytes(data)
        with contextlib.suppress(*TYPED):
            packed = Packed.read(path)
            player = Player(packed.exchanges, "https://x.invalid")
            assert player.asked == 0
            packed.pack()

    return parse


def _pseudonyms(random: Random) -> None:
    text = mutated_json(
        random, '{"name": "Anna Muster", "id": "4711", "mails": ["a@b.example"], "sum": 1.50, "open": true}'
    )
    names = Pseudonyms({"open"}, key=b"k")
    names.learn(text)
    assert names.body(text) == names.body(text)


def _configuration(path: Path) -> Callable[[str], object]:
    def parse(text: str) -> object:
        path.write_text(text.replace("include", "includes"), "utf-8", "replace")
        return load(path, {"T": "0123456789"})

    return parse


@contextlib.contextmanager
def targets() -> Iterator[list[Target]]:
    """Yield every parser, ready to be fed."""
    shared = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=shared) as name:
        folder = Path(name)
        files = _Files(folder)
        mappings = [(ROOT / "mappings" / f"{one}.yaml").read_text("utf-8")[:2500] for one in ("sevdesk", "billomat")]
        plan = (ROOT / "bridge" / "policy" / "plans" / "standard.yaml").read_text("utf-8")[:2500]
        config = "creditor:\n  name: A GmbH\naccounts:\n  main:\n    connector: sevdesk\n    http:\n      base_url: https://my.sevdesk.de/api/v1\n      auth:\n        type: token\n        token: ${T}\ndunning:\n  cutoff: 2026-01-01\n  minimum_amount: 5.00\nschedule:\n  pull: ['06:00']\n"
        yield [
            Target("csv", 25, files.target(_LIST.encode("cp1252"), _LIST.encode("utf-8-sig"))),
            Target("bank_csv", 20, files.target(_BANK.encode())),
            Target("datev", 20, files.target(_DATEV.encode("cp1252"))),
            Target("camt053", 40, files.target(_CAMT.encode(), _zipped(("a.xml", _CAMT.encode())))),
            Target("mapping", 5, _text(mappings, lambda text: Mapping.parse("x", text, "x.yaml"))),
            Target("plan", 5, _text([plan], lambda text: parse_plan.__wrapped__(text, "x.yaml"))),
            Target("template", 80, _text(_PAGES, texts.check.__wrapped__)),
            Target("configuration", 8, _text([config], _configuration(folder / "bridge.yaml"))),
            Target("sevdesk", 15, _Answers(SevDesk, _sevdesk)),
            Target("billomat", 15, _Answers(Billomat, _billomat)),
            Target("answer", 360, _answer),
            Target("form", 280, _text(_FORM, _form)),
            Target(
                "bounce",
                77,
                lambda random: _quiet(lambda mail: report_in(mail, "1:1"), mutated(random, [_MAIL.encode()])),
            ),
            Target("bundle", 20, _bundle(folder / "b.zip")),
            Target("pseudonyms", 30, _pseudonyms),
        ]
