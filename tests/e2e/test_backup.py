"""The drill: a backup older than the last letters is put back, and nothing goes out twice."""

import shutil
from datetime import date

import pytest

from bridge.testing.imap import ImapServer
from tests.e2e.conftest import noon
from tests.faults.providers import BillomatProvider, SevDeskProvider


@pytest.fixture
def archive():
    with ImapServer() as server:
        yield server


def with_archive(desk, archive):
    place = f"{{address: archiv@lichtblick.example, host: 127.0.0.1, port: {archive.port}, security: none, user: archiv, password: geheim}}"
    desk.configure("  smtp:\n", f"  smtp:\n    archive: {place}\n")


def filed(desk, archive):
    """What the mail server does: a hidden copy of every mail lies in the archive mailbox."""
    archive.folders["INBOX"] = [
        mail.as_bytes() for to, mail in desk.mails.received if "archiv@lichtblick.example" in to
    ]


def wiped(desk):
    """The disk is lost; configuration, key and what others hold are not."""
    for path in (desk.folder / "data").glob("mahnbridge.db*"):
        path.unlink()
    shutil.rmtree(desk.folder / "data" / "archive")


def test_a_backup_older_than_the_last_mails(live, archive):
    """Two levels went out since: after the restore nothing is sent until everybody was asked and a person released it, then nothing twice."""
    with_archive(live, archive)
    made = live.json("backup", "b.zip")
    assert (made["database"]["kind"], made["path"]) == ("sqlite", "b.zip")
    live("deliver")
    live.on(date(2026, 9, 23))
    live("run")
    live("approve", "--all", "--as", "Erika")
    live("deliver")
    assert len(live.mails.received) == 2
    filed(live, archive)
    before = live.json("case", "show", "MA-000001")
    wiped(live)

    assert "restore adopt" in live("restore", "load", "b.zip", "--as", "Erika", code=1)
    live("deliver")
    live("run", code=None)
    live("approve", "--all", "--as", "Erika", code=None)
    live("deliver")
    assert "restored from a backup" in live("go-live", "--yes", "--as", "Erika", code=None)
    assert "restored" in live("check", code=None)
    assert "go-live" not in live("status", code=1)
    assert [one["level"] for one in live.json("plan")["pending"]] == [
        1
    ]  # whoever looks through the plan sees what a release lets out
    assert len(live.mails.received) == 2
    assert "not asked since the restore: main;" in live("restore", "release", "--as", "Erika", code=1)
    found = live.json("restore", "adopt", "--as", "Erika")
    assert [
        (one["channel"], one["messages"], one["raised"]) for one in found["channels"] if one["channel"] == "smtp"
    ] == [("smtp", 2, 2)]
    live("restore", "release", "--note", "geprüft", "--as", "Erika")
    live("run")
    live("approve", "--all", "--as", "Erika", code=None)
    live("deliver")
    assert len(live.mails.received) == 2
    after = live.json("case", "show", "MA-000001")
    assert [one["level"] for one in after["claims"]] == [one["level"] for one in before["claims"]] == [2]
    live.on(date(2026, 10, 14))
    live("run")
    live("approve", "--all", "--as", "Erika", code=None)
    live("deliver")
    assert len(live.mails.received) == 3  # the third level, once, on its day


@pytest.mark.parametrize("kind", [SevDeskProvider, BillomatProvider], ids=["sevdesk", "billomat"])
def test_a_backup_older_than_the_reminders_of_the_provider(inside, tmp_path, kind):
    """The provider sends by itself: its reminders count again after the restore, what was on its way is looked up, nothing goes out twice."""
    provider = kind(date(2026, 3, 2))
    provider.sandbox.start()
    secret = getattr(provider.sandbox, "token", None) or provider.sandbox.key
    env = {"MAHNBRIDGE_LANG": "en", "COLUMNS": "120", "MAIN_TOKEN": secret, "MAIN_KEY": secret}

    def call(*words, code=0):
        day = {"MAHNBRIDGE__CLOCK": noon(provider.sandbox.today)}
        done = inside(("--config", "bridge.yaml", *words), tmp_path, env | day)
        assert code is None or done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def round_():
        call("run")
        call("approve", "--all", "--yes", "--as", "Erika", code=None)
        call("deliver")
        return [sorted(one.invoices) for one in provider.sent()]

    try:
        provider.add("a", "1190.00")
        where = f"main={provider.sandbox.base_url}"
        call(
            "init",
            "--yes",
            "--account",
            f"main:{provider.name}",
            "--base-url",
            where,
            "--cutoff",
            "2026-01-01",
            "--company",
            "X",
        )
        path = tmp_path / "bridge.yaml"
        path.write_text(path.read_text("utf-8").replace("    http:\n", "    http:\n      pace: 1000\n"), "utf-8")
        call("run")
        call("approve", "--all", "--yes", "--as", "Erika")
        call("backup", "approved.zip")
        call("go-live", "--yes", "--as", "Erika")
        assert len(round_()) == 1
        provider.advance(21)
        assert len(round_()) == 2
        for database in (tmp_path / "data").glob("mahnbridge.db*"):
            database.unlink()
        call("restore", "load", "approved.zip", "--as", "Erika", code=1)
        call("go-live", "--yes", "--as", "Erika", code=1)
        assert len(round_()) == 2
        call("pull")
        call("restore", "release", "--as", "Erika", code=1)
        call("restore", "adopt", "--as", "Erika")
        call("restore", "release", "--as", "Erika")
        call("go-live", "--yes", "--as", "Erika")
        call("release", "main", "--as", "Erika", code=None)
        assert len(round_()) == 2
        provider.advance(21)
        assert len(round_()) == 3
    finally:
        provider.stop()


def test_a_backup_older_than_the_last_letter(desk):
    """A letter that was laid out and posted since is known by the file beside it; the same letter is never laid out twice."""
    plan = desk.folder / "standard.yaml"
    plan.write_text(plan.read_text("utf-8").replace("[mail]", "[letter]"), "utf-8")
    desk("run", "--no-deliver")
    desk("approve", "--all", "--yes", "--as", "Erika")
    desk("backup", "b.zip", "--no-files")
    assert "whole" in desk("backup", "b.zip", "--verify").lower()
    desk("go-live", "--yes", "--as", "Erika")
    desk("deliver")
    desk("letters", "posted", "--all", "--as", "Erika")
    wiped(desk)
    desk("restore", "load", "b.zip", "--as", "Erika", code=1)
    found = desk.json("restore", "adopt", "--as", "Erika")
    assert {one["channel"]: (one["known"], one["messages"], one["raised"]) for one in found["channels"]} == {
        "letter_outbox": (True, 1, 1),
        "smtp": (False, 0, 0),
    }
    assert "nobody can tell what smtp sent since 2026-09-01 12:" in desk("restore", "release", "--as", "Erika", code=2)
    desk("restore", "release", "--despite-unknown", "--as", "Erika")
    desk("go-live", "--yes", "--as", "Erika")
    desk("run")
    desk("approve", "--all", "--yes", "--as", "Erika", code=None)
    desk("deliver")
    assert len({path.name for path in desk.folder.rglob("*.pdf") if "_anlage" not in path.name}) == 1
    assert desk.json("cases")[0]["level"] == 1


def test_a_backup_that_was_changed_is_refused(desk):
    """One byte of the file, a file that is missing, a service at work: nothing is put back."""
    desk("pull")
    said = desk("backup", "b.zip")
    assert "standard.yaml" in said  # plans are configuration, and not in it either
    path = desk.folder / "b.zip"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert "backup" in desk("restore", "load", "b.zip", "--as", "Erika", code=1)
    assert "exists" in desk("backup", "b.zip", code=2)
    assert desk.json("cases") == []
