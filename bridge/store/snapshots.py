"""One consistent copy of the database as files, and a database from such a copy.

SQLite: its own online backup, while others write. PostgreSQL: the rows of every table in one snapshot, as the server writes them with
`COPY`; neither needs a program besides this one. A copy goes back to the same kind of database.
"""

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import Column, MetaData, Table, func, inspect, select, table, text
from sqlalchemy.engine import Connection

from bridge.errors import ConfigError
from bridge.store.engine import DatabaseFault, database_url, make_engine, reach, reader
from bridge.store.leases import Leases
from bridge.store.migrations import VERSION_TABLE, make_tables, newest, revision_of, revisions
from bridge.store.tables import metadata, seal

DATABASE, COLUMNS = "mahnbridge.db", "columns.json"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a copy holds: the kind of database, the revision of its tables, their rows, and the newest link of the journal's chain."""

    kind: str
    revision: str
    rows: dict[str, int]
    head: str


def save(where: str, folder: Path) -> Snapshot:
    """Copy the database into `folder`. Raises `ConfigError` where it cannot be read or was damaged."""
    engine = make_engine(where)
    try:
        if engine.dialect.name == "sqlite":
            copy = folder / DATABASE
            copy.touch(mode=0o600)
            _online(Path(str(engine.url.database)), copy)
            return check(folder, "sqlite")
        with reader(engine).begin() as conn:
            return _tables(conn, folder)
    finally:
        engine.dispose()


def check(folder: Path, kind: str) -> Snapshot:
    """Return what the copy in `folder` holds, after reading all of it. Raises `ConfigError` where it is damaged."""
    if kind != "sqlite":
        raise ConfigError("only a copy of SQLite can be opened by itself", cause="backup")
    engine = make_engine(folder / DATABASE)
    try:
        with engine.connect() as conn:
            broken = conn.execute(text("pragma integrity_check")).scalar_one()
            if broken != "ok":
                raise ConfigError("the copy of the database is damaged: {broken}", broken=broken, cause="backup")
            return _told(conn, kind)
    except DatabaseFault as error:
        raise ConfigError("the copy of the database is damaged: {broken}", broken=error.orig, cause="backup") from error
    finally:
        engine.dispose()


def load(where: str, folder: Path, revision: str) -> None:
    """Fill an empty PostgreSQL database from a copy; all of it or nothing. Raises `ConfigError` where it is not empty."""
    engine = make_engine(where)
    columns: dict[str, list[str]] = json.loads((folder / COLUMNS).read_text("utf-8"))
    try:
        reach(engine)
        with engine.begin() as conn:
            make_tables(conn, revision)
            known = set(inspect(conn).get_table_names())
            for name in [one for one in columns if one in known]:
                _fill(conn, name, columns[name], folder / f"{name}.copy")
    finally:
        engine.dispose()


def running(where: str) -> str:
    """Return which process holds the scheduler of this SQLite file, nothing where none does or the file cannot be asked."""
    url = database_url(where)
    if url.get_backend_name() != "sqlite" or not Path(str(url.database)).is_file():
        return ""
    engine = make_engine(where)
    try:
        with engine.connect() as conn:
            return Leases(engine, lambda: datetime.now(UTC)).alive(conn, "scheduler")
    except DatabaseFault:
        return ""  # what is damaged, or none of ours, is about to be replaced
    finally:
        engine.dispose()


def _online(source: Path, target: Path) -> None:
    try:
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
            old.backup(new)
    except sqlite3.Error as error:
        raise ConfigError(
            "the database {source} cannot be copied: {error}", source=source, error=error, cause="backup"
        ) from error


def _told(conn: Connection, kind: str) -> Snapshot:
    revision = revision_of(conn)
    if revision is None:
        raise ConfigError("the database has no tables of mahnbridge yet; there is nothing to back up", cause="backup")
    names = sorted(_ours(revision) & set(inspect(conn).get_table_names()))
    rows = {one: int(conn.scalar(select(func.count()).select_from(table(one))) or 0) for one in names}
    link = conn.execute(select(seal.c.seq, seal.c.chain).order_by(seal.c.seq.desc()).limit(1)).first()
    return Snapshot(kind, revision, rows, f"{link.seq}:{link.chain}" if link else "")


def _ours(revision: str) -> set[str]:
    """Return the names of our tables at that revision; a server's database may hold those of others too."""
    if revision == newest():
        return set(metadata.tables)
    with TemporaryDirectory() as folder:
        engine = make_engine(Path(folder) / DATABASE)
        try:
            with engine.begin() as conn:
                make_tables(conn, revision)
                return set(inspect(conn).get_table_names()) - {VERSION_TABLE}
        finally:
            engine.dispose()


def _tables(conn: Connection, folder: Path) -> Snapshot:
    told = _told(conn, "postgresql")
    there = MetaData()  # the tables as they are, which before an upgrade are not those of this program
    there.reflect(conn, only=list(told.rows))
    columns = {one.name: [column.name for column in one.columns] for one in there.sorted_tables}
    (folder / COLUMNS).write_text(json.dumps(columns), "utf-8")
    for name, names in columns.items():
        out = f"copy {_quoted(name)} ({', '.join(map(_quoted, names))}) to stdout"
        with (folder / f"{name}.copy").open("wb") as file, _cursor(conn) as cursor, cursor.copy(out) as rows:
            for data in rows:
                file.write(data)
    return told


def _fill(conn: Connection, name: str, names: list[str], path: Path) -> None:
    into = f"copy {_quoted(name)} ({', '.join(map(_quoted, names))}) from stdin"
    with path.open("rb") as file, _cursor(conn) as cursor, cursor.copy(into) as rows:
        while data := file.read(1 << 20):
            rows.write(data)
    here = {"name": _quoted(name)}
    if "id" in names and conn.scalar(text("select pg_get_serial_sequence(:name, 'id')"), here):
        numbered = Table(name, MetaData(), Column("id"))
        highest = conn.scalar(select(func.max(numbered.c.id)))
        if highest is not None:
            conn.execute(
                text("select setval(pg_get_serial_sequence(:name, 'id'), :highest)"), {**here, "highest": highest}
            )


def _cursor(conn: Connection) -> Any:
    return conn.connection.driver_connection.cursor()  # type: ignore[union-attr]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def known(revision: str) -> bool:
    """Tell whether this program knows the tables of that revision."""
    return revision in revisions()
