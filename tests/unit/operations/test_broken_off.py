"""Backup, restore and change of key, killed at every file operation: a half backup is none, a half restore is the old store or refused, no key is lost."""

import errno
import os
import shutil
import signal
import sqlite3
import sys
from contextlib import closing
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import select

from bridge import config
from bridge.app import Bridge, backup_file
from bridge.app import backups as module
from bridge.app.backup_file import verify
from bridge.app.backups import put_back
from bridge.app.switching import UNFINISHED, refuse_unfinished
from bridge.errors import ConfigError
from bridge.secrets import Vault, new_key
from bridge.store import Store
from bridge.store.tables import event
from bridge.store.tokens import Tokens

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.chmod", "os.link", "sqlite3.connect"}
OWN = {"os.mkdir", "os.rename", "sqlite3.connect"}
"""What counts inside a folder of its own, at which nobody else looks."""

NEWER = "after the backup"


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """An installation killed with a write-ahead log beside its database, and a backup that is older than its last event."""
    folder = tmp_path_factory.mktemp("house") / "a"
    (folder / "inbox").mkdir(parents=True)
    text = "accounts: {main: {connector: generic_csv, settings: {inbox: inbox}}}\ncreditor: {name: X}\n"
    (folder / "bridge.yaml").write_text(text, "utf-8")
    with Bridge.open(folder / "bridge.yaml", actor="t", env={}) as bridge:
        bridge.archive.keep(b"a letter")
        bridge.back_up(folder / "b.zip")
        for one in (folder / "data" / "archive").glob("??"):
            shutil.rmtree(one)
        with bridge.store.begin() as conn:
            bridge.record(conn, "asked", data={"what": NEWER, "accounts": []})
        shutil.copytree(folder, folder.with_name("killed"))
    assert (folder.with_name("killed") / "data" / "mahnbridge.db-wal").stat().st_size
    return folder.with_name("killed")


def killed(folder, number, prepare, act):
    """Let a child do it, which SIGKILL ends just before its file operation `number`; return whether that came."""
    child = os.fork()
    if child == 0:
        try:
            given = prepare(folder)
            _watch(str(folder), number)
            act(given)
        finally:
            os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def _watch(folder, number):
    seen = 0

    def hook(name, args):
        nonlocal seen
        opened = name == "open" and isinstance(args[2], int) and args[2] & WRITES
        places = [str(one) for one in args[:2] if folder in str(one)]
        own = all("/.restore-" in one or "/.backup-" in one for one in places)
        if places and (name in (OWN if own else CHANGES) or (opened and not own)):
            seen += 1
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def every_kill(house, tmp_path, prepare, act):
    """Yield a fresh copy of the house after each kill, at last one in which it was done."""
    for number in range(1, 500):
        folder = tmp_path / str(number)
        shutil.copytree(house, folder)
        ended = killed(folder, number, prepare, act)
        yield folder
        if not ended:
            assert number > 5
            return
        shutil.rmtree(folder)


def loaded(folder):
    return config.load(folder / "bridge.yaml", {})


def restore(of):
    return put_back(of, of.folder / "b.zip", actor="t")


def newer(database):
    """Return whether the event after the backup is there."""
    with closing(sqlite3.connect(database)) as found:
        return NEWER in str(found.execute("select data from event").fetchall())


def opened(folder):
    return Bridge.open(folder / "bridge.yaml", actor="t", env={})


def test_a_backup_that_was_killed_is_none(house, tmp_path):
    """At every step: under the name that was asked for lies nothing until a whole backup does, and no other file that could be taken for one."""
    found = []
    for folder in every_kill(house, tmp_path, opened, lambda bridge: bridge.back_up(bridge.loaded.folder / "c.zip")):
        target = folder / "c.zip"
        found.append(target.exists())
        assert {one.name for one in folder.glob("*.*") if one.is_file()} <= {"bridge.yaml", "b.zip", "c.zip"}
    verify(target)
    assert found == [False] * (len(found) - 1) + [True]


def test_a_backup_that_fails_leaves_nothing(house, tmp_path, monkeypatch):
    """The disk is full, or what was written is not what is read back: nothing lies there, and the next backup has that name; folders of killed ones go after a day."""
    folder = tmp_path / "a"
    shutil.copytree(house, folder)
    before = {one.name for one in folder.iterdir()}
    for old in (".backup-killed", ".backup-working"):
        (folder / old).mkdir()
    os.utime(folder / ".backup-killed", (0, 0))
    with opened(folder) as bridge:
        for name in ("save", "write", "verify"):
            with monkeypatch.context() as patch:
                patch.setattr(module, name, full)
                with pytest.raises(OSError, match="No space left"):
                    bridge.back_up(folder / "c.zip")
            assert {one.name for one in folder.iterdir()} == before | {".backup-working"}
        bridge.back_up(folder / "c.zip")


def full(*_args, **_more):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_backup_that_was_cut_is_refused(house, tmp_path):
    """Wherever a copy of a backup ends too early, neither `--verify` nor `restore load` takes it, and the store is untouched."""
    folder = tmp_path / "a"
    shutil.copytree(house, folder)
    whole = (folder / "b.zip").read_bytes()
    for length in (0, 1, *range(1000, len(whole), len(whole) // 20), len(whole) - 1):
        (folder / "b.zip").write_bytes(whole[:length])
        with pytest.raises(ConfigError, match="no whole backup") as caught:
            restore(loaded(folder))
        assert caught.value.cause == "backup"
    assert judged(folder) == "old"


def test_a_backup_is_read_where_nothing_can_be_written(house, tmp_path, monkeypatch):
    """On a disk that is read-only it is as whole as elsewhere; what the machine refuses is told as that, not as damage."""
    target = tmp_path / "b.zip"
    shutil.copyfile(house / "b.zip", target)

    def elsewhere(*words, **more):
        assert more.pop("dir") is None
        return TemporaryDirectory(*words, **more)

    monkeypatch.setattr(backup_file, "TemporaryDirectory", elsewhere)
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert verify(target).files
    monkeypatch.setattr(backup_file, "TemporaryDirectory", full)
    with pytest.raises(ConfigError, match=r"b\.zip: cannot be read: No space left on device"):
        verify(target)
    with pytest.raises(ConfigError, match=r"none\.zip: cannot be read: No such file"):
        verify(tmp_path / "none.zip")


def test_a_restore_that_was_killed(house, tmp_path):
    """At every step: the old store is as it was, or every door is closed until the restore is repeated; then nothing of the old one is lost."""
    kinds = {"old": 0, "refused": 0, "new": 0}
    for folder in every_kill(house, tmp_path, loaded, restore):
        kinds[judged(folder)] += 1
        if (folder / "data" / UNFINISHED).exists():
            with pytest.raises(ConfigError, match="restore was broken off"):
                opened(folder)
            restore(loaded(folder))
            assert judged(folder) == "new"
    assert all(kinds.values()), kinds


def judged(folder):
    data = folder / "data"
    if (data / UNFINISHED).exists():
        with pytest.raises(ConfigError, match=r"repeat `mahnbridge restore load .*b\.zip`") as caught:
            refuse_unfinished(data)
        assert caught.value.cause == "restore_unfinished"
        return "refused"
    with Store.open(data / "mahnbridge.db") as store, store.reading() as conn:
        held = store.restored.hold(conn)
    if held is None:
        assert newer(data / "mahnbridge.db")
        return "old"
    [aside] = data.glob("*.before-restore.*Z")
    assert newer(aside)
    assert not newer(data / "mahnbridge.db")
    assert len([*data.glob("archive/??/*")]) == 1
    return "new"


SECRETS = {name: {"access_token": f"of {name}"} for name in "abcd"}


def sealed(store, vault):
    """Return the tokens of a store, each sealed with the vault's key."""
    tokens = Tokens(store.engine, store.now, store.leases, vault)
    for name, secret in SECRETS.items():
        tokens.save(name, secret, expected=None)
    return tokens


def read(store, vault):
    tokens = Tokens(store.engine, store.now, store.leases, vault)
    return {name: dict(tokens.load(name).token) for name in SECRETS}


def test_a_change_of_key_that_was_killed_loses_no_key(tmp_path):
    """At every step: what was sealed before opens, with the old key alone or with both; changed once more, it still does."""
    (tmp_path / "house").mkdir()
    record = Vault.open(tmp_path / "house").seal("a", "token")
    for folder in every_kill(tmp_path / "house", tmp_path, Vault.open, Vault.rotate):
        vault = Vault.open(folder)
        assert vault.unseal("a", record) == "token"
        vault.rotate()
        assert Vault.open(folder).unseal("a", vault.reseal("a", record)) == "token"


class Died(BaseException):
    """The end of a process."""


@pytest.mark.parametrize("done", range(len(SECRETS) + 1))
def test_sealing_anew_that_was_broken_off(sqlite_store, tmp_path, monkeypatch, done):
    """After some of the tokens: all open, for old processes and new ones; the next start goes on, and then the old key is not needed."""
    before, vault = Vault.open(tmp_path), Vault.open(tmp_path)
    tokens = sealed(sqlite_store, vault)
    vault.rotate()
    left = iter(range(done))
    reseal = vault.reseal

    def dying(account, record):
        if next(left, None) is None:
            raise Died
        return reseal(account, record)

    with monkeypatch.context() as patch:
        patch.setattr(Vault, "reseal", lambda _, *about: dying(*about))
        if done < len(SECRETS):
            with pytest.raises(Died):
                tokens.reseal()
        else:
            tokens.reseal()
    assert read(sqlite_store, before) == read(sqlite_store, Vault.open(tmp_path)) == SECRETS
    again = Vault.open(tmp_path)
    assert Tokens(sqlite_store.engine, sqlite_store.now, sqlite_store.leases, again).reseal() == (
        len(SECRETS) - done,
        0,
    )
    again.forget()
    assert read(sqlite_store, Vault.open(tmp_path)) == SECRETS


def test_a_change_of_key_is_in_the_journal_though_broken_off(house, tmp_path, monkeypatch):
    """The new key is made and not one token sealed with it: who changed it stands in the journal already."""
    folder = tmp_path / "a"
    shutil.copytree(house, folder)
    with opened(folder) as bridge:
        monkeypatch.setattr(bridge.store.tokens, "reseal", full)
        with pytest.raises(OSError, match="No space left"):
            bridge.rotate_key()
        with bridge.store.reading() as conn:
            assert conn.scalar(select(event.c.actor).where(event.c.kind == "key_rotated")) == "t"


def test_a_wrong_key_loses_nothing(sqlite_store, tmp_path):
    """With another key each account says what to do; changing that key touches no token, and the right key put back opens all."""
    right, wrong = new_key(), Vault.open(tmp_path)
    sealed(sqlite_store, Vault([right]))
    tokens = Tokens(sqlite_store.engine, sqlite_store.now, sqlite_store.leases, wrong)
    for _ in range(2):
        with pytest.raises(ConfigError, match=r"keys\.previous or run `mahnbridge connect b` again") as caught:
            tokens.load("b")
        assert (caught.value.cause, right in str(caught.value)) == ("secret_key", False)
        assert tokens.reseal() == (0, len(SECRETS))
        wrong.rotate()
    assert read(sqlite_store, Vault.open(tmp_path, previous=[right])) == SECRETS
