"""Backup and restore, killed at every file operation: a half backup is none, a half restore is the old store or refused."""

import errno
import os
import shutil
import signal
import sqlite3
import sys
from contextlib import closing

import pytest

from bridge import config
from bridge.app import Bridge
from bridge.app import backups as module
from bridge.app.backup_file import verify
from bridge.app.backups import put_back
from bridge.app.switching import UNFINISHED, refuse_unfinished
from bridge.errors import ConfigError
from bridge.store import Store

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
            assert number > 8
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
