"""Both databases behave alike where the delivery protocol needs it."""

import sqlite3
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError, OperationalError

from bridge.app.remedies import first_remedy
from bridge.cli.wrong import explain_error
from bridge.errors import ConfigError
from bridge.store import Store
from bridge.store import engine as engines
from bridge.store.engine import DatabaseClock, database_url
from bridge.store.tables import lease

SOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def add(connection, name):
    connection.execute(insert(lease).values(name=name, owner="a", until=SOON))


def test_committed_at_the_end(store):
    """What was written in a transaction is there afterwards, in UTC."""
    with store.begin() as c:
        add(c, "x")
    with store.reading() as c:
        assert c.execute(select(lease.c.until)).scalar_one() == SOON


def test_rolled_back_on_an_exception(store):
    """An exception inside a transaction leaves nothing behind."""

    def half():
        with store.begin() as c:
            add(c, "x")
            raise KeyError

    with pytest.raises(KeyError):
        half()
    with store.reading() as c:
        assert c.execute(select(lease)).all() == []


def test_reading_sees_one_state(store):
    """A reading transaction sees the state of its first read, whatever others write meanwhile, and holds nobody up."""
    with store.reading() as reading:
        assert reading.execute(select(lease)).all() == []
        with store.begin() as c:
            add(c, "x")
        assert reading.execute(select(lease)).all() == []
    with store.reading() as reading:
        assert len(reading.execute(select(lease)).all()) == 1


def test_reading_refuses_writes(store):
    """A write by mistake in a reading transaction fails instead of deadlocking later; the connection is usable afterwards."""
    with pytest.raises(DBAPIError), store.reading() as c:
        add(c, "x")
    with store.begin() as c:
        add(c, "x")


def test_sqlite_settings(sqlite_path, monkeypatch, no_power_cuts):
    """SQLite survives power loss: write-ahead log, full synchronisation; and it keeps foreign keys."""
    monkeypatch.setattr(engines, "_sqlite_connection", no_power_cuts)
    with Store.open(sqlite_path) as opened, opened.reading() as c:
        read = [c.execute(text(f"pragma {name}")).scalar() for name in ("journal_mode", "synchronous", "foreign_keys")]
    assert read == ["wal", 2, 1]


def test_a_naive_instant_is_refused(store):
    """An instant without a time zone never reaches the database."""
    with pytest.raises(Exception, match="naive instant"), store.begin() as c:
        c.execute(insert(lease).values(name="x", owner="a", until=SOON.replace(tzinfo=None)))


@pytest.mark.parametrize(
    "where",
    ["mysql://x/y", "sqlite://", "sqlite:///:memory:", "", ":memory:", "://"],
    ids=lambda where: where or "empty",
)
def test_other_databases_are_refused(where):
    """What is neither a file nor PostgreSQL is a configuration error."""
    with pytest.raises(ConfigError):
        database_url(where)


def test_half_a_password_is_not_told():
    """An @ in a password ends it where nobody meant it: what follows is not told as the name of a server."""
    with pytest.raises(ConfigError, match="%40") as caught:
        Store.open("postgresql://bridge:first@s3cr3t@127.0.0.1:1/none")
    assert "s3cr3t" not in str(caught.value)


def test_the_password_is_not_told(tmp_path):
    """An unreachable PostgreSQL is explained without its password."""
    with pytest.raises(ConfigError) as caught:
        Store.open("postgresql://bridge:s3cr3t@127.0.0.1:1/none?connect_timeout=2")
    assert "127.0.0.1" in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


def test_a_file_that_is_no_database_is_refused(tmp_path):
    """Pointing at another file ends in a clear error and leaves that file alone."""
    path = tmp_path / "notes.txt"
    path.write_text("my notes, " * 200)
    with pytest.raises(ConfigError, match=r"notes\.txt"):
        Store.open(path)
    assert path.read_text() == "my notes, " * 200


@pytest.mark.postgres
def test_the_clock_of_a_shared_database_is_the_servers(postgres_store):
    """With PostgreSQL all machines use the server's time, carried on between two questions by the monotonic clock."""
    ticks = [0.0]
    clock = DatabaseClock(postgres_store.engine, ticks=lambda: ticks[0])
    first = clock()
    ticks[0] = 30.0
    assert clock() - first == timedelta(seconds=30)
    ticks[0] = 61.0
    assert clock() - first < timedelta(seconds=20)


def full(store):
    """Write into a database that may not grow any more, as on a full disk; return what is raised."""

    def fill():
        with store.begin() as c:
            c.exec_driver_sql("pragma max_page_count = 1")
            for number in range(2000):
                add(c, f"{number:0>100}")

    with pytest.raises(DBAPIError) as raised:
        fill()
    return raised.value


def test_a_full_disk_is_told_as_one(sqlite_store, capsys):
    """What the database says of a full disk reaches people as that, with what it means; a mistake of ours stays one."""
    error = full(sqlite_store)
    assert error.orig.sqlite_errorname == "SQLITE_FULL"
    found = engines.explained(error)
    assert found.cause == "disk_full"
    assert explain_error(error) == 1
    assert "mistake in mahnbridge" not in capsys.readouterr().err
    assert engines.explained(ZeroDivisionError()) is None
    assert "locked" in str(engines.explained(OperationalError("x", None, Exception("database is locked"))))


def test_a_database_on_a_full_disk_says_so(sqlite_path, monkeypatch):
    """SQLite says "disk I/O error" where it cannot even begin; what is wrong is the room."""
    Store.open(sqlite_path).close()

    def broken(*_):
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(engines, "_sqlite_connection", broken)
    with pytest.raises(ConfigError, match="disk I/O error"):
        engines.reach(engines.make_engine(sqlite_path))
    monkeypatch.setattr(engines.shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    with pytest.raises(ConfigError, match="no room is left") as caught:
        engines.reach(engines.make_engine(sqlite_path))
    assert caught.value.cause == "disk_full"
    assert "make room" in first_remedy(caught.value)
