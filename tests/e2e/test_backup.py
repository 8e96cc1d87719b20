"""The drill: a backup older than the last letters is put back, and nothing goes out twice."""

import shutil
from datetime import date

import pytest

from bridge.testing.imap import ImapServer


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
    assert len(live.mails.received) == 2
    assert "was not asked" in live("restore", "release", "--as", "Erika", code=1)
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
