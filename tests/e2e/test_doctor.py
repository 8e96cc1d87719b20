"""`doctor` finds what keeps notices from going out: each problem is made, named in plain words, with the next thing to do."""

import json
import re
import sqlite3
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy.exc import OperationalError

from bridge.app import Bridge, mounts, sending
from bridge.app.doctor import diagnose
from bridge.errors import ConfigError
from bridge.store import Store


def found(desk, *words, code=None):
    return {one["code"]: one for one in desk.json("doctor", *words, code=code)["ailments"]}


def named(desk, code, *, severity="error", words=()):
    """The problem is found, says what to do next, and errors alone make the exit code 1."""
    one = found(desk, *words, code=1 if severity == "error" else None)[code]
    assert one["severity"] == severity, one
    assert one["text"]
    assert one["next"]
    return one


@pytest.fixture
def database(desk):
    def change(statement, *values):
        with Store.open(desk.folder / "data" / "mahnbridge.db") as store, store.begin() as conn:
            conn.exec_driver_sql(statement, values)

    return change


def test_a_healthy_installation_has_nothing_to_mend(live):
    """Exit code 0; what is only good to know is no error."""
    live("deliver")
    live("backup")
    told = live.json("doctor", code=0)
    assert told["ok"]
    assert "no_backup" not in {one["code"] for one in told["ailments"]}
    assert "no_service" in {one["code"] for one in told["ailments"]}
    live("pause", "--as", "Erika")
    asked = len(live.sandbox.server.calls())
    codes = {one["code"] for one in live.json("doctor", "--offline", code=0)["ailments"]}
    assert ("paused" in codes, "sending_off" in codes) == (True, False)  # whoever paused is not sent to go-live
    assert len(live.sandbox.server.calls()) == asked


def test_the_commonest_problems_of_the_configuration(desk, monkeypatch):
    """Sending off, cut-off in the future, no backup, no room, a disk of another machine; each by itself, in both languages."""
    desk("pull")
    assert (
        named(desk, "sending_off", severity="warning")["next"]
        == "look through `mahnbridge plan`, then `mahnbridge go-live`"
    )
    named(desk, "no_backup", severity="warning")
    desk.configure("cutoff: 2026-01-01", "cutoff: 2027-01-01")
    named(desk, "cutoff_future")
    desk.speak("de")
    said = desk("doctor", code=1)
    assert "liegt in der Zukunft" in said
    assert "→ dunning.cutoff auf den Tag setzen" in said
    desk.speak("en")
    desk.configure("cutoff: 2027-01-01", "cutoff: 2026-01-01")
    usage = type("Usage", (), {"free": 1_500_000_000})
    monkeypatch.setattr(sending.shutil, "disk_usage", lambda _: usage)
    named(desk, "disk_low", severity="warning", words=("--offline",))
    usage.free = 150_000_000
    named(desk, "disk_full", words=("--offline",))
    table = desk.folder / "mountinfo"
    table.write_text("1 0 0:1 / / rw - nfs4 nas:/export rw\n", encoding="utf-8")
    monkeypatch.setattr(mounts, "TABLE", table)
    assert "nfs4" in named(desk, "network_disk", words=("--offline",))["text"]


def test_nothing_is_sent_that_could_not_be_recorded(live, monkeypatch):
    """No room: what is approved keeps waiting, and says why; with room again it goes out."""
    usage = type("Usage", (), {"free": 150_000_000})
    monkeypatch.setattr(sending.shutil, "disk_usage", lambda _: usage)
    assert live.json("deliver", code=1)["reasons"] == {"disk_full": 1}
    assert "No room on the disk" in live("deliver", code=1)
    assert "NO ROOM on the disk" in live("status", code=1)
    live.speak("de")
    assert "KEIN PLATZ auf dem Datenträger" in live("status", code=1)
    live.speak("en")
    assert live.mails.received == []
    usage.free = 10**12
    live("deliver")
    assert len(live.mails.received) == 1


def test_the_commonest_problems_outside(desk, database):
    """A mail server that does not answer, data never read or old, a stopped account, no plan, a stale bank feed, a clock that is wrong."""
    named(desk, "never_read", severity="warning")
    desk("pull")
    port = desk.mails.port
    desk.configure(f"port: {port}", "port: 1")
    assert "channels.smtp" in named(desk, "smtp_connect")["next"]
    desk.configure("port: 1\n", f"port: {port}\n")
    database(
        "update account set pulled_at = ?", (datetime.now(UTC) - timedelta(days=3)).replace(tzinfo=None).isoformat(" ")
    )
    named(desk, "not_read")
    database("update account set state = 'reconnect', state_text = 'consent was revoked'")
    assert "mahnbridge connect main" in named(desk, "account_reconnect", words=("--offline",))["next"]
    desk("pull")
    desk.configure("default: standard", "default: none")
    assert "1 open invoice is held" in named(desk, "no_plan")["text"]
    desk.configure("default: none", "default: standard")
    desk.sandbox.today = date(2026, 9, 21)  # the bank feed stands still
    desk.at("2026-09-21T10:00")
    desk("pull")
    assert "bank account" in named(desk, "stale_data")["next"]


def test_rights_that_the_token_lacks(desk, office):
    """A tariff without API, a right that is missing, a token that is none: each is told apart, with who can mend it, in both languages."""
    faults = desk.sandbox.faults
    faults.status(403, "/Tools/bookkeepingSystemVersion", times=None)
    assert "a tariff that has them" in named(desk, "sevdesk_forbidden")["next"]
    faults.clear()
    faults.status(403, "/Invoice", times=None)
    assert "rights at the provider" in named(desk, "sevdesk_unreadable")["next"]
    desk.speak("de")
    assert "→ dem Benutzer des Tokens beim Anbieter diese Rechte geben" in desk("doctor", code=1)
    desk.speak("en")
    faults.clear()
    office.env["MAIN_TOKEN"] = "0" * 32
    assert "put the right token where accounts.main.http.auth" in named(desk, "sevdesk_token")["next"]


@pytest.mark.parametrize(
    ("cause", "next_"),
    [
        ("reconnect", "`mahnbridge connect main`, then"),
        ("oauth_invalid_client", "client_id, client_secret and scope under accounts.main.http.auth"),
        ("address", "set private_network"),
    ],
)
def test_what_is_not_about_the_token_is_not_told_as_such(desk, monkeypatch, cause, next_):
    """A consent that ended, a client or an address that is wrong: nobody is sent to look for another token."""

    def failed(_api):
        raise ConfigError("main: it does not work", cause=cause)

    monkeypatch.setattr("connectors.sevdesk.api.Api.version", failed)
    assert next_ in named(desk, cause)["next"]
    assert "sevdesk_token" not in found(desk, code=1)


def test_nothing_can_reach_a_debtor(desk):
    """No channel at all, before there is a single invoice: said with what to set up."""
    path = desk.folder / "bridge.yaml"
    path.write_text(re.sub(r"channels:\n(  .*\n)+", "channels: {}\n", path.read_text("utf-8")), "utf-8")
    assert "set up channels.smtp or channels.letter_outbox" in named(desk, "plan_channel")["next"]
    desk.speak("de")
    assert "→ channels.smtp oder channels.letter_outbox einrichten" in desk("doctor", code=1)


def test_a_time_zone_of_elsewhere(desk):
    """Schedule or account in a zone whose clocks differ from the creditor's country; Vienna and Berlin are the same."""
    desk.configure("time_zone: Europe/Berlin", "time_zone: UTC")
    one = named(desk, "time_zone", severity="warning", words=("--offline",))
    assert (one["text"].count("UTC"), "Europe/Berlin" in one["next"]) == (1, True)
    desk.speak("de")
    assert "auf Europe/Berlin setzen" in desk("doctor", "--offline", code=None)
    desk.speak("en")
    desk.configure("time_zone: UTC", "time_zone: Europe/Vienna")
    assert "time_zone" not in found(desk, "--offline")


def test_an_account_that_was_renamed(desk):
    """The database knows an account with open invoices that the configuration does not: its claims would begin again under the new name."""
    desk("run", code=None)
    desk.configure("  main:\n", "  haupt:\n")
    one = named(desk, "account_gone", severity="warning", words=("--offline",))
    assert (one["subject"], "this name again" in one["next"]) == ("main", True)
    assert "first level" in desk("pull", code=None)  # nothing of it is dunned before a person has approved that
    assert "first level" in desk("pull", code=None)
    assert "not in the configuration any more" in desk("case", "show", "MA-000001", code=2)
    assert "MA-000001" in desk("cases")


def test_files_that_belong_to_somebody_else(desk, monkeypatch):
    """A part of the data folder that this user cannot write, as after a command as root, and a folder that it cannot even open."""
    desk("pull")
    monkeypatch.setattr("bridge.app.doctor.os.access", lambda path, _: path.name != "audit-heads.txt")
    one = named(desk, "not_writable", words=("--offline",))
    assert (one["text"].count("audit-heads.txt"), "chown" in one["next"]) == (1, True)
    monkeypatch.undo()

    def refused(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("bridge.secrets.os.open", refused)
    (desk.folder / "data" / "secret.key").unlink()
    assert "chown" in named(desk, "secret_key", words=("--offline",))["next"]


def test_a_clock_that_is_wrong_is_found(desk, monkeypatch):
    """The provider's clock and ours: told by `check` and `doctor`, and watched by the service."""
    with Bridge.open(desk.folder / "bridge.yaml", actor="t", env={"MAIN_TOKEN": desk.sandbox.token}) as bridge:
        monkeypatch.setattr(type(bridge.accounts["main"].http), "clock_skew", timedelta(seconds=-600))
        one = next(one for one in diagnose(bridge).ailments if one.code == "clock_skew")
        assert (one.severity.value, "time synchronisation" in one.next) == ("warning", True)
        assert ("clock:main", "clock_skew", "600 s apart") in bridge.signs()
        assert bridge.readings()["mahnbridge_account_clock_skew_seconds"] == {("main",): -600.0}
        monkeypatch.setattr(type(bridge.accounts["main"].http), "clock_skew", timedelta(seconds=1))
        assert ("clock:main", "", "1 s apart") in bridge.signs()


def test_why_it_does_not_even_open(desk, database):
    """A newer database, and a configuration that does not hold together, are findings too, not crashes."""
    desk("pull")
    database("update alembic_version set version_num = '9999'")
    assert "newer version" in named(desk, "database_newer")["next"]
    for damaged in (desk.folder / "data").glob("mahnbridge.db*"):
        damaged.write_bytes(b"no database" * 1000)
    assert "restore load" in named(desk, "database")["next"]
    path = desk.folder / "bridge.yaml"
    path.write_text(path.read_text(encoding="utf-8") + "\nnonsense: 1\n", encoding="utf-8")
    [one] = desk.json("doctor", code=1)["ailments"]
    assert "nonsense" in json.dumps(one)


def test_a_disk_that_is_full_in_the_middle(desk, monkeypatch):
    """Where the database itself stops doctor, that is what doctor finds, with what to do."""
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorname = "SQLITE_FULL"

    def stopped(_bridge, **_):
        raise OperationalError("update rate", {}, full)

    monkeypatch.setattr(Bridge, "plan", stopped)
    assert "make room" in named(desk, "disk_full", words=("--offline",))["next"]


def test_who_works_on_the_database(live, database):
    """Another service holds the scheduler: named with its process, which is no mistake; what waits for a person is one."""
    until = (datetime.now(UTC) + timedelta(hours=1)).replace(tzinfo=None).isoformat(" ")
    database("insert into lease (name, owner, until) values ('scheduler', 'other-host:4711:x', ?)", until)
    assert "other-host:4711" in found(live)["service"]["text"]
    database("update step set state = 'parked', cause = 'cannot_tell'")
    assert named(live, "waiting")["next"] == "`mahnbridge failures list`"
