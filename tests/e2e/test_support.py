"""Replay for support: failures by cause, exchanges of failed runs, a bundle that names nobody and fails elsewhere as it did here."""

import json
import socket
import zipfile
from pathlib import Path

import pytest

MAPPING = Path(__file__).parents[2] / "mappings" / "sevdesk.yaml"


def lines(desk, run):
    text = (desk.folder / "data" / "recordings" / f"run-{run}.jsonl").read_text("utf-8")
    assert desk.sandbox.token not in text
    return [json.loads(line) for line in text.splitlines()]


def configured(office, keep):
    office.env["MAHNBRIDGE__RECORDINGS__KEEP"] = keep


def test_exchanges_are_kept_as_wished(desk, office):
    """By default a run that went well leaves nothing, one that failed each of its calls; `all` keeps all, `none` none; never the token."""
    desk("pull")
    folder = office.folder / "data" / "recordings"
    assert not folder.exists()
    desk.sandbox.faults.html("/Invoice", times=None)
    asked = len(office.sandbox.server.log)
    desk("pull", "--full", code=1)
    head, *said = lines(desk, 2)
    assert len(said) == len(office.sandbox.server.log) - asked > 0
    assert (head["run"], head["kind"], head["account"], head["cursor"]) == (2, "pull", "main", None)
    configured(office, "none")
    desk("pull", code=1)
    assert [path.name for path in folder.iterdir()] == ["run-2.jsonl"]
    desk.sandbox.faults.clear()
    configured(office, "all")
    desk("pull")
    assert len(lines(desk, 4)) > 1


@pytest.fixture
def forty(desk):
    """Forty invoices that cannot be read, for two reasons."""
    for number in range(40):
        one = desk.sandbox.add_invoice(desk.customer, number=f"RE-{100 + number}", gross="119.00")
        desk.sandbox.spoil(one, **({"invoiceDate": "soon"} if number % 2 else {"sumGross": "a lot"}))
    desk("pull")
    return desk


def elsewhere(desk, tmp_path, monkeypatch, *words):
    """Another machine: another folder without configuration, no credentials, no network."""
    other = tmp_path / "elsewhere"
    other.mkdir(exist_ok=True)
    with monkeypatch.context() as patch:
        patch.setattr(socket.socket, "connect", lambda *_: pytest.fail("asked the network"))
        patch.setattr(socket, "getaddrinfo", lambda *_, **__: pytest.fail("asked for a name"))
        patch.setattr("tests.e2e.conftest.Office.environment", lambda _: {"MAHNBRIDGE_LANG": "en"})
        patch.delenv("MAIN_TOKEN", raising=False)
        patch.chdir(other)
        return desk.json(*words)


@pytest.mark.feature("N-7")
def test_support(forty, tmp_path, monkeypatch):
    """Forty failures are two causes; a preview says what each replay would do; a bundle fails elsewhere as here, and not after a fix."""
    desk = forty
    groups = desk.json("failures", "list", code=1)
    assert [(one["count"], one["cause"]) for one in groups] == [
        (20, "bad_record:invoiceDate"),
        (20, "bad_record:sumGross"),
    ]
    told = desk.json("replay", "--account", "main", "--dry-run")
    assert {(one["outcome"], one["dry_run"]) for one in told} == {("read", True)}
    assert len(told) == 40
    assert len(desk.json("replay", "--run", "1", "--cause", "bad_record:sumGross", "--dry-run")) == 20
    made = desk.json("bundle", "1", "--out", "run.zip")
    with zipfile.ZipFile(desk.folder / "run.zip") as package:
        text = "".join(package.read(name).decode() for name in package.namelist())
    for secret in (desk.sandbox.token, "Späth", "spaeth", "20095", "Hamburg", "Weg 1", "127.0.0.1"):
        assert secret not in text
    assert made["exchanges"] > 3
    bundle = str(desk.folder / "run.zip")
    found = elsewhere(desk, tmp_path, monkeypatch, "replay", "--offline", bundle)
    assert (found["same"], found["then"]["misfits"]) == (True, found["now"]["misfits"])
    assert len(found["now"]["misfits"]) == 40
    mended = MAPPING.read_text("utf-8").replace(
        "issued_on: {from: invoiceDate, read: date}", "issued_on: {from: create, read: date}"
    )
    (tmp_path / "mended").mkdir()
    (tmp_path / "mended" / "sevdesk.yaml").write_text(mended, "utf-8")
    found = elsewhere(
        desk, tmp_path, monkeypatch, "replay", "--offline", bundle, "--mappings", str(tmp_path / "mended")
    )
    assert (found["same"], len(found["now"]["misfits"])) == (False, 20)


def test_a_failed_read_fails_elsewhere(desk, tmp_path, monkeypatch):
    """A read that broke off on a page ends with the same cause on another machine."""
    desk.sandbox.faults.html("/Invoice", times=None)
    desk("pull", code=1)
    desk("bundle", "1")
    found = elsewhere(desk, tmp_path, monkeypatch, "replay", "--offline", str(desk.folder / "run-1.zip"))
    assert found["same"]
    assert found["now"]["cause"] == found["then"]["cause"] == "bad_answer:html"


def test_a_failed_delivery_fails_elsewhere(live, tmp_path, monkeypatch):
    """A delivery whose look is refused is told by `runs trace`, and ends on another machine as it did here; a connector that asks no more, otherwise."""
    live.sandbox.faults.status(400, "/Invoice", times=None)
    begun = []
    monkeypatch.setattr("connectors.sevdesk.connector.SevDesk.forget", lambda _: begun.append(1))
    assert "HTTP 400" in live("deliver", code=None)
    assert begun == [1], "what was remembered of an earlier run would not be in the recording"
    [trace] = live.json("runs", "trace", "--failed")
    assert (trace["kind"], trace["account"], trace["state"], trace["recorded"]) == ("deliver", "main", "failed", True)
    assert [(outcome, cause) for _, outcome, cause in trace["steps"]] == [("parked", "http_400")]
    [shown] = [line for line in live("runs", "trace").splitlines() if "delivery" in line]
    assert [word for word in ("main", "failed", "http_400", "yes") if word not in shown] == []
    assert "column." not in live("runs", "trace")
    live("bundle", trace["run"], "--out", "delivery.zip")
    bundle = str(live.folder / "delivery.zip")
    found = elsewhere(live, tmp_path, monkeypatch, "replay", "--offline", bundle)
    assert (found["kind"], found["same"], found["asked"] > 0) == ("deliver", True, True)
    assert found["now"]["cause"] == found["then"]["cause"] == "http_400"
    monkeypatch.setattr("connectors.sevdesk.connector.SevDesk.look", lambda _self, _refs: iter(()))
    found = elsewhere(live, tmp_path, monkeypatch, "replay", "--offline", bundle)
    assert (found["same"], found["now"]["state"]) == (False, "done"), "another answer to the same recording is seen"


def recorded(desk):
    return sorted(path.name for path in (desk.folder / "data" / "recordings").glob("run-*.jsonl"))


def test_a_delivery_that_only_waits_is_recorded_once(live, tmp_path, monkeypatch):
    """What a waiting delivery was answered last is kept by default, once for a step and cause; its bundle shows it elsewhere."""
    live.sandbox.faults.status(503, "/Invoice", times=None)
    live("deliver", code=None)
    first = recorded(live)
    [group] = live.json("failures", "list", code=1)
    live("replay", *group["ids"], "--as", "Erika")
    live("deliver", code=None)
    [trace, before] = live.json("runs", "trace", "--failed")
    assert (trace["state"], trace["cause"], trace["recorded"], before["recorded"]) == (
        "waiting",
        "http_503",
        True,
        False,
    )
    assert recorded(live) == [f"run-{trace['run']}.jsonl"] != first
    live("bundle", trace["run"], "--out", "waits.zip")
    found = elsewhere(live, tmp_path, monkeypatch, "replay", "--offline", str(live.folder / "waits.zip"))
    assert (found["same"], found["now"]["state"], found["now"]["cause"]) == (True, "waiting", "http_503")
    assert found["asked"] > 0


def test_what_the_mail_server_said_is_in_the_bundle(live, tmp_path, monkeypatch):
    """A mail that the server does not take now waits; the bundle says in its words why, without the recipient."""
    live.mails.down = True
    live("deliver", code=None)
    [trace] = live.json("runs", "trace", "--failed")
    assert (trace["state"], trace["cause"]) == ("waiting", "smtp_451")
    live("bundle", trace["run"], "--out", "mail.zip")
    found = elsewhere(live, tmp_path, monkeypatch, "replay", "--offline", str(live.folder / "mail.zip"))
    assert (found["same"], found["now"]["state"], found["now"]["cause"]) == (True, "waiting", "smtp_451")
    assert found["now"]["misfits"] == [f"step-{trace['steps'][0][0]}: smtp_451"]
    with zipfile.ZipFile(live.folder / "mail.zip") as package:
        text = package.read("exchanges.jsonl").decode()
    assert "451 try again later" in text
    assert "spaeth" not in text


def test_a_record_is_replayed_by_its_number_or_id(desk):
    """`--record` takes one of two records that were set aside, by id; a second time it says who did that; a number that nothing has is refused."""
    odd = [desk.sandbox.add_invoice(desk.customer, number=f"RE-{one}", gross="119.00") for one in (7, 8)]
    for one in odd:
        desk.sandbox.spoil(one, invoiceDate="soon")
    desk("pull")
    desk.sandbox.heal(odd[0])
    [told] = desk.json("replay", "--record", odd[0], "--dry-run")
    assert (told["outcome"], told["dry_run"]) == ("read", True)
    desk("replay", "--record", odd[0], "--as", "Erika")
    [group] = desk.json("failures", "list", code=1)
    assert group["count"] == 1
    for more in ((), ("--dry-run",)):
        said = desk("replay", "--record", odd[0], "--as", "Max", *more)
        assert "nothing to do: Erika replayed it on 2026-09-01; it arrived well meanwhile" in said
    desk.speak("de")
    assert "wiederholt; der Datensatz kam inzwischen richtig an" in desk("replay", "--record", odd[0])
    desk.speak("en")
    desk("replay", "--record", "RE-4711", code=2)


@pytest.mark.feature("N-7", "P-29")
def test_failures_are_named_in_every_way(live):
    """By record, run, cause, account and id: a preview changes nothing, a replay is done once and noted with person and reason, again it does nothing."""
    live.sandbox.faults.status(400, "/Invoice", times=None)
    for way in ("--record", "--run", "--cause", "--account", ""):
        live("deliver", code=None)
        [group] = live.json("failures", "list", code=1)
        [trace, *_], [item] = live.json("runs", "trace", "--failed"), group["ids"]
        value = {"--record": "RE-1", "--run": trace["run"], "--cause": "http_400", "--account": "main"}
        words = (way, value[way]) if way else (item,)
        for _ in range(2):
            [told] = live.json("replay", *words, "--dry-run")
            assert (told["id"], told["outcome"], told["dry_run"]) == (item, "again", True), words
        [done] = live.json("replay", *words, "--evidence", f"Konto geprüft {way or item}", "--as", "Erika")
        assert (done["outcome"], done["dry_run"]) == ("again", False)
        said = live("replay", *words, "--as", "Max", code=None)
        assert "nothing is stopped" in said or "is tried again at the next delivery" in said
    shown = live("failures", "discard", item, "--reason", "egal", "--yes", code=1)
    assert "left as it is" in shown, "what is not parked is not given up, and is not said to be"
    assert "mahnbridge case block" in shown
    live.sandbox.faults.clear()
    live("deliver")
    assert len(live.mails.received) == 1
    live("audit", "export", "trail.jsonl")
    events = [json.loads(line) for line in (live.folder / "trail.jsonl").read_text("utf-8").splitlines()]
    noted = [
        (one["actor"], one["data"]["reason"])
        for one in events
        if one["kind"] == "step_replayed" and one["actor"] == "Erika"
    ]
    assert noted == [("Erika", f"Konto geprüft {way}") for way in ("--record", "--run", "--cause", "--account", item)]


def test_a_failure_says_what_it_means_and_what_to_do(desk):
    """List and single view explain the cause, name the next thing to do and the bundle for support, in German and English; a repeated run that fails again says so."""
    desk.sandbox.faults.status(500, "/Invoice", times=None)
    desk("pull", code=1)
    assert "It means: the provider has a fault of its own" in desk("failures", "list", code=1)
    shown = desk("failures", "show", "run-1")
    assert "it is tried again by itself" in shown
    assert "mahnbridge bundle 1" in shown
    assert "account main is read again" in desk("replay", "run-1", "--dry-run")
    assert "HTTP 500" in desk("replay", "run-1", "--as", "Erika", code=1)
    desk.speak("de")
    assert "Das heißt: beim Anbieter ist etwas gestört" in desk("failures", "list", code=1)
    shown = desk("failures", "show", "run-2")
    assert "gescheitert" in shown
    assert "failed" not in shown
    assert "wieder gescheitert" in desk("replay", "run-2", "--as", "Erika", code=1)


def test_a_case_says_what_keeps_its_notice(live):
    """While a mail waits for the mail server, its case and the delivery say so and lead to the failure."""
    live.mails.down = True
    assert "nothing went out" in live("deliver", code=None)
    shown = " ".join(live("case", "show", "RE-1").split())
    assert "1 does not go on: SMTP: 451 try again later. What to do: `mahnbridge failures show step-1`" in shown


def test_keys_are_shown_changed_and_forgotten(desk):
    """A new key seals from now on, the earlier one is named until it is forgotten, and no command tells a key."""
    first = desk.json("keys", "show")
    assert (first["source"], first["earlier"]) == ("file", [])
    assert "Erika" in desk("keys", "rotate", "--as", "Erika")
    second = desk.json("keys", "show")
    assert (second["key"] != first["key"], second["earlier"]) == (True, [first["key"]])
    assert first["key"] in desk("keys", "show")
    kept = (desk.folder / "data" / "secret.key").read_text("ascii").split()
    desk("keys", "forget", "--as", "Erika")
    assert desk.json("keys", "show") == second | {"earlier": []}
    assert "no earlier key" in desk("keys", "forget", code=2)
    said = desk("keys", "show") + desk("keys", "show", "--json")
    assert [one for one in kept if one in said] == []
