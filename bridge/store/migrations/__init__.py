"""Bringing a database to the tables of this program, at start, one process at a time.

The revisions are numbered files in `versions/`; `python -m bridge.store.migrations.make TEXT` writes the next one from what has changed
in `tables/`. Alembic is imported only where there is something to do.
"""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import inspect, select, text
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.schema import Column, MetaData, Table
from sqlalchemy.types import String

from bridge.errors import ConfigError
from bridge.store.tables import metadata

HERE = Path(__file__).parent
VERSIONS = HERE / "versions"

VERSION_TABLE = "alembic_version"
_version = Table(VERSION_TABLE, MetaData(), Column("version_num", String(32)))
_LOCK = 0x6D61686E  # "mahn"; an advisory lock of this database


def revisions() -> list[str]:
    """Return the revisions that this program knows, oldest first."""
    return sorted(path.name.partition("_")[0] for path in VERSIONS.glob("[0-9]*_*.py"))


def revision_of(conn: Connection) -> str | None:
    """Return the database's revision; None for one without any tables of ours.

    Raises `ConfigError` where the tables are not ours, or newer than this program.
    """
    found = set(inspect(conn).get_table_names())
    if _version.name in found:
        revision = conn.execute(select(_version.c.version_num)).scalar_one_or_none()
        if revision is not None and revision not in revisions():
            raise ConfigError(
                "the database has revision {revision}, this program knows revisions up to {newest}: it was written by a newer mahnbridge; install that version, or restore the copy made before its upgrade",
                revision=revision,
                newest=revisions()[-1],
                cause="database_newer",
            )
        return revision
    foreign = found if conn.dialect.name == "sqlite" else found & set(metadata.tables)
    if foreign:
        raise ConfigError(
            "the database has tables that mahnbridge did not make ({foreign}, ...)",
            foreign=sorted(foreign)[0],
            cause="database",
        )
    return None


def newest() -> str:
    """Return the revision of this program's tables."""
    return revisions()[-1]


def make_tables(conn: Connection, revision: str) -> None:
    """Make the tables as they were at `revision`, in the caller's transaction. Raises `ConfigError` where there are any."""
    if revision_of(conn) is not None:
        raise ConfigError("the database is not empty; a backup is restored into an empty one", cause="database")
    _run(conn, revision)


def upgrade(engine: Engine, *, backups: int = 5, before: Callable[[str], None] | None = None) -> None:
    """Make the tables, or bring them up to date; a SQLite file is copied beside itself first, on a server `before` is called for that.

    Only one process does it, others wait for it. Either the whole upgrade happens or none of it, also where `before` raises. Raises as
    `revision_of`.
    """
    head = newest()
    with engine.connect() as conn:
        if revision_of(conn) == head:
            return
    with engine.connect() as conn:
        conn.detach()  # closed at the end: its settings are for upgrading alone
        if conn.dialect.name == "sqlite":
            conn.connection.cursor().execute("pragma foreign_keys=off")  # tables are rebuilt, rows stay
        with conn.begin():
            if conn.dialect.name == "postgresql":
                conn.execute(text("set local lock_timeout = '10min'"))
                conn.execute(text("select pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            revision = revision_of(conn)
            if revision == head:
                return
            if revision is not None and conn.dialect.name == "sqlite":
                back_up(Path(str(engine.url.database)), revision, keep=backups)
            elif revision is not None and before is not None:
                before(revision)
            _run(conn)


def _run(conn: Connection, revision: str = "head") -> None:
    from alembic import command  # noqa: PLC0415  half a second, and hardly ever needed

    command.upgrade(config(conn), revision)
    if conn.dialect.name == "sqlite":
        broken = conn.execute(text("pragma foreign_key_check")).all()
        if broken:
            raise ConfigError(
                "upgrading would break {broken} {broken|reference|references}, first in table {table}",
                broken=len(broken),
                table=broken[0][0],
                cause="database",
            )


def config(conn: Connection) -> Any:
    """Return Alembic's configuration for one connection, in whose transaction everything happens."""
    from alembic.config import Config  # noqa: PLC0415

    made = Config()
    made.set_main_option("script_location", str(HERE).replace("%", "%%"))
    made.set_main_option("version_locations", str(VERSIONS).replace("%", "%%"))
    made.set_main_option("path_separator", "newline")
    made.attributes["connection"] = conn
    return made


def back_up(path: Path, revision: str, *, keep: int) -> Path | None:
    """Copy a SQLite database as of its last commit beside itself; remove all but the newest `keep` such copies.

    Raises `ConfigError` where the copy cannot be written.
    """
    if keep <= 0:
        return None
    copy = path.with_name(f"{path.name}.revision-{revision}.{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}.bak")
    part = copy.with_suffix(".part")
    try:
        part.touch(mode=0o600)
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(part)) as target:
            source.backup(target)
        shutil.copymode(path, part)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.rename(copy)
    except (OSError, sqlite3.Error) as error:
        part.unlink(missing_ok=True)
        raise ConfigError(
            "the database was not upgraded: its copy {copy} cannot be written: {error}",
            copy=copy,
            error=error,
            cause="database",
        ) from error
    for old in sorted(path.parent.glob(f"{path.name}.revision-*.bak"), key=lambda one: one.name.split(".")[-2])[:-keep]:
        old.unlink()
    return copy
