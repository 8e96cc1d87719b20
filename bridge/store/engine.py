"""Both databases behind one engine, with the settings that exactly-once delivery relies on.

SQLite: WAL, `synchronous=FULL` (a claim must survive power loss), foreign keys on, `BEGIN IMMEDIATE` for every writing transaction.
PostgreSQL: psycopg 3, READ COMMITTED for writing (callers use conditional updates), one read-only snapshot for reading.
"""

import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any

from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError

from bridge.errors import ConfigError

BUSY_SECONDS = 30
"""How long a writer waits for another one before it gives up."""

DatabaseFault = DBAPIError
"""What the database itself breaks off with, for those who must tell it from a mistake in what they do."""

_READING = "mahnbridge_reading"


def database_url(where: str | Path) -> URL:
    """Return the URL of `where`: a path (SQLite), or a `sqlite:`, `postgresql:` or `postgres:` URL. Raises `ConfigError`."""
    plain = str(where)
    if "://" not in plain:
        if plain in ("", ":memory:"):
            raise ConfigError("the database must be a file or a postgresql:// URL", cause="database")
        return URL.create("sqlite", database=str(Path(plain).expanduser()))
    try:
        url = make_url(plain)
    except ArgumentError as error:
        raise ConfigError(
            "the database is no URL; write a path or postgresql://user@host/name", cause="database"
        ) from error
    backend = url.get_backend_name()
    if "@" in (url.host or ""):  # the rest of a password, which would be told as the name of a server
        raise ConfigError("the database is no URL; an @ in a password is written %40", cause="database")
    if backend in ("postgres", "postgresql"):
        return url.set(drivername="postgresql+psycopg")
    if backend == "sqlite" and url.database not in (None, "", ":memory:"):
        return url.set(drivername="sqlite")
    raise ConfigError(
        "database {backend!r} is not supported; write a file path or postgresql://user@host/name",
        backend=backend,
        cause="database",
    )


def make_engine(where: str | Path) -> Engine:
    """Return an engine on `where`; nothing is opened yet. Raises `ConfigError` where that is no database of ours."""
    url = database_url(where)
    engine = _sqlite(url) if url.get_backend_name() == "sqlite" else _postgresql(url)
    event.listen(engine, "begin", _begin)
    return engine


def _sqlite(url: URL) -> Engine:
    assert url.database is not None
    folder = Path(url.database).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not Path(url.database).exists():
            Path(url.database).touch(mode=0o600)  # it holds people's debts
    except OSError as error:
        raise ConfigError(
            "the database {database} cannot be made: {strerror}",
            database=url.database,
            strerror=error.strerror,
            cause="database",
        ) from error
    engine = create_engine(url, connect_args={"timeout": BUSY_SECONDS}, pool_size=5, max_overflow=20)
    event.listen(engine, "connect", _sqlite_connection)
    return engine


def _postgresql(url: URL) -> Engine:
    return create_engine(
        url,
        pool_pre_ping=True,
        pool_size=5,
        max_overflow=20,
        connect_args={
            "connect_timeout": 10,
            "application_name": "mahnbridge",
            "keepalives": 1,
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
            "options": f"-c timezone=UTC -c lock_timeout={BUSY_SECONDS}s -c client_min_messages=warning",
        },
    )


def _sqlite_connection(dbapi: Any, _record: object) -> None:
    dbapi.isolation_level = None  # transactions are begun by `_begin`, never by the driver
    cursor = dbapi.cursor()
    for pragma in ("journal_mode=wal", "synchronous=full", "foreign_keys=on", "temp_store=file"):
        cursor.execute("pragma " + pragma)
    cursor.close()


def _begin(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    reading = connection.get_execution_options().get(_READING, False)
    connection.exec_driver_sql(f"pragma query_only={int(reading)}")
    connection.exec_driver_sql("begin" if reading else "begin immediate")


def reader(engine: Engine) -> Engine:
    """Return `engine` for reading: one consistent snapshot, writes are refused, writers are not held up."""
    if engine.dialect.name == "sqlite":
        return engine.execution_options(**{_READING: True})
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)


def decider(engine: Engine) -> Engine:
    """Return `engine` for reading and then writing on one consistent snapshot; on PostgreSQL that fails with `overtaken` errors."""
    if engine.dialect.name == "sqlite":
        return engine  # one writer at a time, from its start
    return engine.execution_options(isolation_level="REPEATABLE READ")


_OVERTAKEN = frozenset({"40001", "40P01", "55P03"})
"""PostgreSQL: serialisation failure, deadlock, a lock not given in time."""


def overtaken(error: DBAPIError) -> bool:
    """Return whether a transaction failed only because another one was faster, or held what it needed for too long."""
    busy = getattr(error.orig, "sqlite_errorname", "").startswith("SQLITE_BUSY")
    return busy or getattr(error.orig, "sqlstate", None) in _OVERTAKEN


NO_ROOM = 500_000
"""Bytes: with less SQLite cannot even make the files that it reads with; it says "disk I/O error" then, of which nobody learns why."""


def no_room(engine: Engine) -> bool:
    """Return whether the disk of a SQLite database is full."""
    if engine.dialect.name != "sqlite":
        return False
    try:
        return shutil.disk_usage(Path(str(engine.url.database)).parent).free < NO_ROOM
    except OSError:
        return False


def explained(error: BaseException) -> ConfigError | None:
    """Return what people are told of a fault of the database that is none of the program: a full disk, or what the database itself says.

    None where it is no such fault.
    """
    if not isinstance(error, OperationalError | InterfaceError):
        return None
    if getattr(error.orig, "sqlite_errorname", "") == "SQLITE_FULL" or getattr(error.orig, "sqlstate", None) == "53100":
        return ConfigError(
            "no room is left on the disk of the database; nothing was lost, and it goes on once there is room",
            cause="disk_full",
        )
    return ConfigError("the database does not do its work: {reason}", reason=_said(error), cause="database")


def _said(error: DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0] if str(error.orig or "").strip() else "no connection"


def reach(engine: Engine) -> None:
    """Connect once. Raises `ConfigError` with the reason, without the password, where that fails."""
    shown = engine.url.database if engine.dialect.name == "sqlite" else engine.url.render_as_string(hide_password=True)
    try:
        with engine.connect() as connection:
            connection.execute(text("select 1"))
    except DBAPIError as error:
        if no_room(engine):
            raise ConfigError(
                "no room is left on the disk of {shown}; the database cannot be opened", shown=shown, cause="disk_full"
            ) from None
        raise ConfigError(
            "the database {shown} cannot be opened: {reason}", shown=shown, reason=_said(error), cause="database"
        ) from None


class DatabaseClock:
    """The technical clock of a shared PostgreSQL: the server's time, carried on by the monotonic clock between two questions."""

    def __init__(
        self, engine: Engine, *, every: timedelta = timedelta(minutes=1), ticks: Callable[[], float] = time.monotonic
    ) -> None:
        self._engine = engine
        self._every = every.total_seconds()
        self._ticks = ticks
        self._lock = Lock()
        self._asked: tuple[float, datetime] | None = None

    def __call__(self) -> datetime:
        """Return the server's present instant (aware, UTC)."""
        with self._lock:
            now = self._ticks()
            if self._asked is None or now - self._asked[0] > self._every:
                with self._engine.connect() as connection:
                    told = connection.scalar(text("select clock_timestamp()"))
                assert isinstance(told, datetime)
                now = self._ticks()
                self._asked = now, told.astimezone(UTC)
            at, told = self._asked
            return told + timedelta(seconds=now - at)
