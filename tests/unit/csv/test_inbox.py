import multiprocessing
import os
import time

import pytest

from bridge.contract import ConfigError, Mapping, RetryLater
from bridge.http import Http, HttpSettings
from connectors.generic_csv.connector import GenericCsv
from connectors.generic_csv.inbox import Inbox
from connectors.generic_csv.state import State
from tests.unit.csv.conftest import HEAD

ROW = "RE-1;K1;Kunde 1;01.08.2026;15.08.2026;119,00;119,00"


def test_originals_are_archived_with_time_and_hash(desk):
    """The original lies in the archive, byte for byte, under its time, hash and name; the inbox is empty."""
    path = desk.items(ROW, name="Offene Posten Müller.csv")
    data = path.read_bytes()
    desk.pull()
    (name,) = desk.archived()
    assert name.startswith("20260904T080000Z_")
    assert name.endswith("_Offene_Posten_M_ller.csv")
    assert (desk.inbox / "mahnbridge" / "archiv" / name).read_bytes() == data
    assert not path.exists()


def test_file_that_is_being_written_waits(desk):
    """A file that was touched a moment ago, has a temporary name, or has its `.part` beside it, is left alone."""
    desk.items(ROW, name="jung.csv")
    desk.settings["settle_seconds"] = 3600
    assert desk.invoices() == {}
    desk.settings["settle_seconds"] = 0
    (desk.inbox / "jung.csv").unlink()
    for name in ("a.csv.tmp", "b.part", ".c.csv", "~d.csv", "e.crdownload"):
        desk.items(ROW, name=name)
    desk.items(ROW, name="f.csv")
    desk.items(ROW, name="f.csv.part")
    assert desk.invoices() == {}


def test_a_link_leads_to_nothing(desk):
    """Whoever may put files there need not be allowed to read what a link leads to: no copy of it is made, and `check` names the link."""
    secret = desk.folder / "secret.key"
    secret.write_text(f"{HEAD}\r\n{ROW}\r\n", "utf-8")
    link = desk.inbox / "liste.csv"
    link.symlink_to(secret)
    assert (desk.invoices(), desk.archived()) == ({}, [])
    [found] = [one for one in desk.connector().check().findings if one.code == "csv_link"]
    assert "liste.csv" in str(found.text)


def test_others_on_the_machine_read_no_debts(desk):
    """State and originals are the operator's alone, whatever the umask says."""
    before = os.umask(0o022)
    try:
        desk.items(ROW)
        desk.pull()
    finally:
        os.umask(before)
    own = desk.inbox / "mahnbridge"
    assert {name: (own / name).stat().st_mode & 0o077 for name in ("state.sqlite", "archiv", "spool")} == dict.fromkeys(
        ("state.sqlite", "archiv", "spool"), 0
    )


def test_file_that_changes_while_it_is_copied_waits(desk, monkeypatch):
    """A file that grows while it is copied is not imported half."""
    path = desk.items(ROW)
    real = os.fsync

    def grow(handle):
        real(handle)
        with path.open("ab") as file:
            file.write(b"RE-2;K2;Kunde 2;01.08.2026;15.08.2026;119,00;119,00\r\n")

    monkeypatch.setattr("connectors.generic_csv.inbox.os.fsync", grow)
    with pytest.raises(RetryLater, match="still changing"):
        desk.pull()
    monkeypatch.undo()
    assert sorted(desk.invoices()) == ["RE-1", "RE-2"]


def test_single_file_stays_and_is_read_when_it_changes(desk):
    """A single file is copied to the archive, stays where it is, and is read again only when it changes."""
    path = desk.items(ROW, name="offen.csv")
    desk.settings["inbox"] = path
    cursor = desk.pull()[-1].cursor
    assert path.exists()
    assert len(desk.archived()) == 1
    assert desk.pull(cursor)[-1].cursor == cursor
    desk.items(ROW.replace("119,00;119,00", "119,00;19,00"), name="offen.csv")
    assert desk.invoices()["RE-1"].open == 19
    assert len(desk.archived()) == 2


def test_read_only_inbox_is_copied_from(desk, monkeypatch):
    """Where files cannot be taken out of the inbox they stay, and are not imported again and again."""
    desk.settings["folder"] = desk.folder / "eigenes"
    path = desk.items(ROW)
    monkeypatch.setattr(Inbox, "moves", property(lambda _: False))
    desk.pull()
    assert path.exists()
    taken = []
    real = Inbox.take
    monkeypatch.setattr(Inbox, "take", lambda *args: taken.append(args) or real(*args))
    desk.pull()
    assert taken == []
    assert [finding.code for finding in desk.connector().check().findings] == ["csv_copies", "csv_no_bank"]


@pytest.mark.parametrize("where", ["Importer.read", "Matcher.run", "Inbox.keep"])
def test_crash_at_any_step_loses_and_repeats_nothing(desk, monkeypatch, where):
    """Whether it dies while reading, matching or archiving: afterwards the rows are there once, and the original is archived."""
    path = desk.items(ROW)
    module = {"Importer": "importer", "Matcher": "matching", "Inbox": "inbox"}[where.split(".")[0]]

    def die(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(f"connectors.generic_csv.{module}.{where}", die)
    with pytest.raises(KeyboardInterrupt):
        desk.pull()
    assert path.exists()
    monkeypatch.undo()
    assert sorted(desk.invoices()) == ["RE-1"]
    assert len(desk.archived()) == 1
    assert not path.exists()
    assert list((desk.inbox / "mahnbridge" / "spool").iterdir()) == []


def test_crash_before_the_bridge_stored_a_batch(desk):
    """What was imported and not yet stored by the bridge comes again with the old cursor."""
    desk.items(ROW)
    cursor = desk.pull()[-1].cursor
    desk.items(ROW.replace("RE-1", "RE-2"))
    next(iter(desk.connector().pull(cursor)))  # imported, and then the bridge died
    again = [invoice.number for batch in desk.pull(cursor) for invoice in batch.invoices]
    assert again == ["RE-2"]


def test_file_that_cannot_be_read_now_is_tried_again(desk):
    """A file without permission is RetryLater, and nothing of it is lost."""
    if os.geteuid() == 0:
        path = desk.inbox / "fehlt.csv"
        path.symlink_to(desk.folder / "nirgends")
        assert desk.invoices() == {}
        return
    path = desk.items(ROW)
    path.chmod(0)
    with pytest.raises(RetryLater, match="datei-001"):
        desk.pull()


def test_folders_and_pipes_in_the_inbox_are_left_alone(desk):
    """Only plain files are read."""
    (desk.inbox / "ordner.csv").mkdir()
    os.mkfifo(desk.inbox / "rohr.csv")
    assert desk.invoices() == {}


def test_missing_inbox_is_a_matter_of_configuration(desk):
    """An inbox that does not exist stops the account and is told by check."""
    desk.settings["inbox"] = desk.folder / "fehlt"
    with pytest.raises(ConfigError, match="fehlt"):
        desk.pull()
    health = desk.connector().check()
    assert (health.ok, [finding.code for finding in health.findings]) == (False, ["csv_inbox"])


def test_unknown_profile_is_a_matter_of_configuration(desk):
    """A profile that does not exist is named with those that do."""
    with pytest.raises(ConfigError, match="lexware_office"):
        desk.connector(profile="lexwer")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("kind: [", "meins.yaml"),
        ("kind: briefe\n", "kind"),
        ("- a\n", "table"),
        ("kind: invoices\nkey: [customer_no]\n", "invoice_no"),
        ("kind: invoices\nunbekannt: 1\n", "unbekannt"),
    ],
)
def test_wrong_profile_names_file_and_key(desk, tmp_path, text, words):
    """A profile that is wrong is told by file and key."""
    own = tmp_path / "profile"
    own.mkdir()
    (own / "meins.yaml").write_text(text)
    with pytest.raises(ConfigError, match=words):
        desk.connector(profiles=own)


def test_newer_state_is_refused(desk):
    """A state that a newer program wrote is not touched."""
    desk.items(ROW)
    desk.pull()
    state = State(desk.inbox / "mahnbridge" / "state.sqlite")
    state.run("pragma user_version = 99")
    state.close()
    with pytest.raises(ConfigError, match="99"):
        desk.pull()


def _pull(settings, barrier):
    connector = GenericCsv(
        "test",
        GenericCsv.Settings.model_validate(settings),
        Mapping.load("generic_csv"),
        Http(HttpSettings(base_url="http://127.0.0.1:9")),
    )
    barrier.wait()
    list(connector.pull(None))


def test_processes_side_by_side_import_a_file_once(desk):
    """Two processes that import at the same moment archive each file once."""
    for number in range(5):
        desk.items(ROW.replace("RE-1", f"RE-{number}"))
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    workers = [context.Process(target=_pull, args=(desk.settings, barrier)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert len(desk.archived()) == 5
    assert len(desk.invoices()) == 5


def test_busy_folder_is_tried_later(desk, monkeypatch):
    """If another process holds the folder for too long, the import is tried later."""
    desk.items(ROW)
    inbox = Inbox(desk.inbox, desk.inbox / "mahnbridge", settle=0)
    inbox.prepare()
    monkeypatch.setattr("connectors.generic_csv.inbox._PATIENCE", 0.0)
    with inbox.alone(), pytest.raises(RetryLater, match="importing"):
        desk.pull()
    assert time.monotonic() > 0
    assert sorted(desk.invoices()) == ["RE-1"]
