"""What fuzzing has found, one by one: each ended in an error without a type of ours, or took for ever."""

import json
import zipfile
from contextlib import suppress
from datetime import UTC, date, datetime
from email.message import Message
from types import SimpleNamespace

import pytest

from bridge.app.backup_file import MANIFEST, verify
from bridge.app.evidence import SUMS, EvidencePackages
from bridge.app.plan_files import listed
from bridge.app.restoring import Restoring
from bridge.channels.archived import _sent
from bridge.channels.bounces import _may_report
from bridge.channels.letter_outbox import LetterOutbox, LetterSettings
from bridge.channels.message import COVERS
from bridge.config import load
from bridge.contract import BadAnswer, ConfigError, Cursor, Http, RetryLater
from bridge.errors import UsageError, Wrong
from bridge.http import FileRecorder, HttpSettings, MemoryTokens
from bridge.http.consent import AuthorizationFlow
from bridge.http.limits import read_limits
from bridge.http.oauth import call_token_endpoint
from bridge.http.redact import Redactor
from bridge.mapping import LARGEST, Mapping
from bridge.model.period import NAMED, period
from bridge.plain import DEEPEST, too_deep, too_many
from bridge.policy.colleagues import colleague_of
from bridge.policy.load import parse_plan
from bridge.policy.money.base_rates import parse_table
from bridge.policy.recipients import email_of
from bridge.replay.bundle import Packed, Recorded, pseudonymised
from bridge.replay.markup import pseudonymised_xml
from bridge.replay.pseudonyms import Pseudonyms, named
from bridge.secrets import Vault
from bridge.words import Sentence
from connectors.billomat.cycle import fresh_state, kept_state
from connectors.billomat.reading import mail_address
from connectors.generic_csv.cells import Decimals, amount
from connectors.generic_csv.profiles import load_profiles
from connectors.sevdesk.api import Api
from connectors.sevdesk.settings import SevDeskSettings
from connectors.sevdesk.state import State
from tests.fuzz.answers import _SETTINGS, NOW, _Server
from tests.fuzz.files import zipped
from tests.fuzz.mailboxes import _IMAP, imap_server
from tests.fuzz.packages import _FACTS
from tests.fuzz.page import _Page

NESTED = "a: " + "[" * 3000


def test_a_document_in_no_base64_is_a_bad_answer(monkeypatch):
    """sevDesk's PDF with signs that are no ASCII."""
    api = Api(Http(HttpSettings(base_url="https://x.example")), SevDeskSettings())
    answer = type("Answer", (), {"data": {"objects": {"content": "JVBERÄ"}}})
    monkeypatch.setattr(api, "read", lambda *_: answer)
    with pytest.raises(BadAnswer):
        api.pdf("Invoice", "1")


@pytest.mark.parametrize(
    "body", ['{"access_token": "a", "expires_in": [1]}', "[1]", "7", '{"error": {"a": 1}}', "[" * 3000]
)
def test_a_token_endpoint_that_answers_anything(body):
    """Whatever it answers is a token, or an error that says what to do."""
    server = _Server(200, "application/json", body.encode())

    def call(session):
        session.mount("https://", server)
        return session.fetch_token("https://a.example/t", grant_type="client_credentials")

    with pytest.raises((BadAnswer, ConfigError)):
        call_token_endpoint("main", _SETTINGS, lambda: NOW, call)


@pytest.mark.parametrize("address", ["http://[x?code=1", "?" + "a=1&" * 60, "?state=\udc80"])
def test_an_address_that_is_none_is_no_answer(address):
    """What a person pasted, or a browser asked for, is no answer to this attempt."""
    flow = AuthorizationFlow("main", _SETTINGS, MemoryTokens(lambda: NOW))
    flow._listener = type("Listener", (), {"server_port": 1})()
    with pytest.raises(UsageError):
        flow.finish(address)
    assert flow.came_back("http://[x")[0] == 404
    assert flow.came_back(flow._auth.redirect_path + address[address.index("?") :])[0] == 400


@pytest.mark.parametrize(
    "text", ["- a\n", "plans: 7\n", "plans: {files: 7}\n", "a: [2026-02-30]\n", NESTED, "? {a: 1}\n: b\n"]
)
def test_a_configuration_that_is_no_table_is_left_alone(text):
    """A new plan is listed only where that can be done by adding a line."""
    made = listed(text, "neu.yaml")
    assert made is None or made.startswith(text)


def test_keys_of_any_signs(tmp_path):
    """A key that is no text of any encoding is a key all the same; what is sealed opens with it."""
    vault = Vault(["\udc80" * 40])
    assert vault.unseal("main", vault.seal("main", "x")) == "x"
    with pytest.raises(ConfigError):
        vault.unseal("main", f"v1.{vault.key_id}.\udc80")


def test_a_recording_that_was_broken_off(tmp_path):
    """What lies before the place can be read, exchanges that were damaged are left out."""
    good = {
        "method": "GET",
        "url": "/x",
        "at": "2026-09-01T08:00:00+00:00",
        "status": 200,
        "headers": {},
        "body": "{}",
        "error": None,
    }
    lines = [json.dumps(one) for one in ({"clock": "soon"}, good, {**good, "headers": 7}, {**good, "body": 1.5})]
    (tmp_path / "run-1.jsonl").write_text("\n".join([*lines, '{"method": "GE']))
    first, *said = FileRecorder(tmp_path).read(1)
    assert len(said) == 3
    assert Recorded.of(first) == Recorded(whole=False)
    assert [one["body"] for one in pseudonymised(said, Pseudonyms(set(), key=b"k"))] == ["{}"]


@pytest.mark.parametrize(
    "listing",
    [
        "[]",
        "{}",
        '{"format": 1, "files": []}',
        '{"format": 1, "files": {}, "database": {"kind": 1}}',
        '{"format": 1, "files": {"a": [1e400, "b"]}}',
        '{"format": 1, "files": {"a": [Infinity, "b"]}}',
        "[" * 3000,
    ],
)
def test_a_backup_whose_list_is_none(tmp_path, listing):
    """It is no whole backup, and said so."""
    path = tmp_path / "b.zip"
    with zipfile.ZipFile(path, "w") as package:
        package.writestr(MANIFEST, listing)
    with pytest.raises(ConfigError, match="no whole backup"):
        verify(path)


def test_a_backup_that_cannot_be_unpacked(tmp_path):
    """Bytes that were changed inside."""
    with pytest.raises(ConfigError, match="no whole backup"):
        verify(_damaged(tmp_path / "b.zip", MANIFEST))


def _damaged(path, name):
    """Write a package with one file, and change bytes of its packed content."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr(name, "x" * 1000)
    data, begins = bytearray(path.read_bytes()), 30 + len(name)
    data[begins + 1 : begins + 7] = b"\xff" * 6
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("noted", ["eur", 7, [], "2026-11-16T08:00:00", "\ud800"])
def test_a_letter_whose_note_was_changed(tmp_path, noted):
    """A posted letter is a posted letter, whatever stands beside it."""
    outbox = LetterOutbox(LetterSettings(folder=tmp_path), clock=lambda: datetime(2026, 11, 17, tzinfo=UTC))
    outbox.posted_folder.mkdir()
    letter = tmp_path / "2026-11-16_mb-0123456789ab_mahnung.pdf"
    letter.write_bytes(b"%PDF-1.7")
    letter.with_suffix(".json").write_text(json.dumps({"posted_at": noted, "covers": ["x"], "deadline": 7}))
    outbox.mark_posted("mb:0123456789ab")
    (outbox.posted_folder / letter.name).with_suffix(".json").write_text(
        json.dumps({"posted_at": noted, "covers": ["x"]})
    )
    at = outbox.posted_at("mb:0123456789ab")
    assert at is not None
    assert at.tzinfo is not None
    assert len(outbox.sent(datetime(2026, 11, 1, tzinfo=UTC))) == 1


def test_the_debtors_page_leads_nowhere():
    """An address with a slash too many is no page; in no case does it lead to the host that a request names."""
    page = _Page()
    status, _ = page._loop.run_until_complete(
        page._asked("GET", b"/" + page._token + b"/", b"", [(b"host", b"evil.example")], b"")
    )
    page.close()
    assert status == 404


@pytest.mark.parametrize(
    "text",
    [
        '{"words": "x", "facts": "y"}',
        '{"words": ' + "[" * 3000,
        '{"words": 7, "facts": {}}',
        '{"words": "{a}", "facts": {}}',
    ],
)
def test_a_stored_sentence_that_is_none(text):
    """It is told as it stands."""
    found = Sentence.stored(text)
    assert isinstance(found.told("de"), str)
    assert isinstance(found.told("en"), str)


@pytest.mark.parametrize(
    "change",
    [
        {"stage": "soon"},
        {"reminders_total": "7"},
        {"refreshed": 7},
        {"updated": "2026-11-16T08:00:00"},
        {"payments": {"1": ["2", "1.00", 7, "payment", "EUR"]}},
        {"page": -1},
        {"drafts": 7},
        {"reminders_total": "x"},
        {"payments": {"1": ["a"]}},
        {"updated": "x"},
    ],
)
def test_a_place_that_nobody_can_go_on_from(change):
    """Reading begins anew, as on the first day."""
    assert kept_state(Cursor(data={**fresh_state(), "clients_to": 7})) == {**fresh_state(), "clients_to": 7}
    assert kept_state(Cursor(data={**fresh_state(), "clients_to": 7, **change})) == fresh_state()


def test_a_place_of_sevdesk_that_nobody_can_go_on_from():
    """Reading begins anew where an amount in it is none."""
    data = {"version": State().version, "on_reminders": {"1": {"invoice": "2", "amount": "NaN"}}, "log_last": "x"}
    assert State.load(Cursor(data=data)) == State()
    data["on_reminders"]["1"]["amount"] = "-12.50"
    assert State.load(Cursor(data=data)).log_last == "x"


def test_brackets_without_end(tmp_path):
    """A file of brackets would be read for minutes; every reader of YAML refuses it at once."""
    (tmp_path / "bridge.yaml").write_text(NESTED)
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "own.yaml").write_text(NESTED)
    for read in (
        lambda: Mapping.parse("x", NESTED, "x.yaml"),
        lambda: parse_plan(NESTED, "x.yaml"),
        lambda: parse_table(NESTED, "x.yaml"),
        lambda: load(tmp_path / "bridge.yaml", {}),
        lambda: load_profiles(tmp_path / "profiles"),
    ):
        with pytest.raises(ConfigError, match="brackets"):
            read()
    assert not too_deep("a: " + "[" * DEEPEST)
    assert not too_deep("text: wie in [1], [2] und {3}\n" * 500)


def test_aliases_without_end(tmp_path):
    """A few lines whose aliases repeat each other would be written out for ever; every reader of YAML refuses them at once."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{one}: &a{one} [{', '.join([f'*a{one - 1}'] * 10)}]" for one in range(1, 12)]
    laughs = "\n".join(lines)
    (tmp_path / "bridge.yaml").write_text(laughs)
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "own.yaml").write_text(laughs)
    for read in (
        lambda: Mapping.parse("x", laughs, "x.yaml"),
        lambda: parse_plan(laughs, "x.yaml"),
        lambda: load(tmp_path / "bridge.yaml", {}),
        lambda: load_profiles(tmp_path / "profiles"),
    ):
        with pytest.raises(ConfigError, match="aliases"):
            read()
    assert not too_many({"a": ["x"] * 100_000})


def test_a_broken_answer_of_megabytes_is_made_anonymous():
    """Quotes without end are read once each, not once for every one before them."""
    text = "[" + '\\"' * 250_000
    names = Pseudonyms()
    names.learn(text)
    assert "Muster" not in names.body(text + "Erna Muster")


def test_a_header_about_limits_without_end():
    """A provider's word about its limits is short; of a longer one the beginning is read."""
    said = read_limits({"RateLimit": "a" * 65_000 + ";", "RateLimit-Policy": "a" * 65_000}, NOW)
    assert said.remaining is None


def test_a_mapping_that_is_too_long():
    """It may come with a bundle, from anybody."""
    with pytest.raises(ConfigError, match="no mapping is that long"):
        Mapping.parse("x", "#" * (LARGEST + 1), "x.yaml")


@pytest.mark.parametrize("value", ["[2026-02-30]", "{? [a] : b}", "[" * 3000 + "]", "[*a]"])
def test_a_key_from_the_environment_that_is_no_yaml(tmp_path, value):
    """It is taken as text, and refused where that does not fit."""
    (tmp_path / "bridge.yaml").write_text("creditor: {name: A GmbH}\n")
    with pytest.raises(ConfigError):
        load(tmp_path / "bridge.yaml", {"MAHNBRIDGE__SCHEDULE__TIME_ZONE": value})


@pytest.mark.parametrize("said", [b"TAG \xde done\r\n", b"* \xff\r\n", b"\0\r\n", b""])
def test_a_mailbox_that_says_what_is_no_text(said):
    """It is asked again later."""
    with imap_server({b"": b"* OK ready\r\n", **_IMAP, b"EXAMINE": said}) as box, pytest.raises(RetryLater):
        box.probe()


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("today", [date.min, date.max])
def test_a_period_at_the_end_of_all_days(name, today):
    """It is named as far as there are days, and else refused."""
    with suppress(Wrong):
        found = period(name, today)
        assert found.first <= found.last


def test_a_database_older_than_all_calendars():
    """An instant from which nobody can count a day back is refused where it is told."""
    desk = SimpleNamespace(clock=lambda: NOW)
    with pytest.raises(UsageError, match="can stem"):
        Restoring.declare_restored(desk, datetime(1, 1, 1, tzinfo=UTC))


def test_a_package_of_evidence_that_cannot_be_unpacked(tmp_path):
    """Bytes that were changed inside: it is no package of evidence."""
    with pytest.raises(UsageError, match="no package of evidence"):
        EvidencePackages.verify_package(SimpleNamespace(), _damaged(tmp_path / "e.zip", SUMS))


@pytest.mark.parametrize(
    "day", ["Mon, 02 Nov 99999999999999999999 09:00:00 +0100", "Mon, 02 Nov 2026 09:00:00 +9999", "soon", ""]
)
def test_a_mail_of_no_day_is_passed_over(day):
    """A date in the archive mailbox that is none."""
    mail = Message()
    mail["Message-ID"], mail["Date"], mail[COVERS] = "<mb.1@a.example>", day, "- 0123456789abcdef/1/1/0"
    assert _sent(mail) is None


def test_an_address_with_half_a_sign():
    """A recording with it can be told to support all the same."""
    line = {
        "method": "GET",
        "url": "/x\ud800?a=\ud800",
        "at": "2026-09-01T08:00:00+00:00",
        "status": 302,
        "headers": {"Location": "/\ud800"},
        "body": "",
    }
    told = pseudonymised([line], Pseudonyms(set(), key=b"k"))
    assert json.dumps(told, ensure_ascii=False).encode()


def test_a_bundle_of_no_day(tmp_path):
    """A business date that is none: no support bundle."""
    path = tmp_path / "b.zip"
    path.write_bytes(zipped(("bundle.json", json.dumps(_FACTS | {"business_date": "2026-09"}).encode())))
    with pytest.raises(UsageError, match="no support bundle"):
        Packed.read(path)


def test_a_bundle_of_a_later_shape(tmp_path):
    """A bundle of a newer version is told from one that is none."""
    path = tmp_path / "b.zip"
    path.write_bytes(zipped(("bundle.json", json.dumps({"format": 2, "shape": "round"}).encode())))
    with pytest.raises(UsageError, match="newer version"):
        Packed.read(path)


def test_a_bundle_whose_line_is_of_no_step(tmp_path):
    """A line that belongs to what is no number of a step: no support bundle."""
    path = tmp_path / "b.zip"
    lines = json.dumps({"note": "look", "step": {"a": 1}}).encode()
    path.write_bytes(zipped(("bundle.json", json.dumps(_FACTS).encode()), ("exchanges.jsonl", lines)))
    with pytest.raises(UsageError, match="no support bundle"):
        Packed.read(path)


def test_a_sender_of_comments_within_comments():
    """A mail that nobody can say who it is from is passed over; the others are read."""
    assert not _may_report(b"From: " + b"(" * 1500 + b"\r\n\r\n")


MANY = 300_000
"""Signs that a pattern which takes the square of their number would read for hours; one that reads each once takes a moment."""


def refused(reader, text):
    with pytest.raises(ValueError):
        reader(text)


@pytest.mark.parametrize(
    "read",
    [
        lambda: refused(email_of, "a@" + "." * MANY + "@"),
        lambda: refused(colleague_of, "a@" + "." * MANY + "@"),
        lambda: mail_address("a@" + "." * MANY + "@"),
        lambda: refused(lambda text: amount(text, Decimals.COMMA), "1" + "a" * MANY + "!"),
        lambda: named("kd" + "_" * MANY),
        lambda: pseudonymised_xml("<a " + "a" * MANY + ">", Pseudonyms()),
        lambda: Pseudonyms().text("(" * MANY, personal=True),
        lambda: Redactor(["geheim"]).text('"token":"' + "\\" * MANY + "bearer " * 1000),
    ],
    ids=["recipient", "colleague", "billomat", "amount", "heading", "attribute", "groups", "redaction"],
)
def test_what_is_long_is_read_once(read):
    """No pattern over foreign text takes more than its length: what is too long is refused before it is matched."""
    read()
