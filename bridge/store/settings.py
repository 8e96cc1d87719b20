"""Switches that people set while the service runs: sending, pause. Each change is in the journal."""

from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from bridge.store.cases import Stamp
from bridge.store.journal import Journal
from bridge.store.tables import setting


class Settings:
    """Rows of table `setting`; every method takes the connection of the caller's transaction first."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def get(self, conn: Connection, name: str, default: Any = None) -> Any:
        """Return the value of a switch, `default` where nobody set it."""
        row = conn.execute(select(setting.c.value).where(setting.c.name == name)).first()
        return default if row is None else row.value

    def changed(self, conn: Connection, name: str) -> tuple[str, Any] | None:
        """Return who changed a switch last, and when (aware instant)."""
        row = conn.execute(select(setting.c.actor, setting.c.changed_at).where(setting.c.name == name)).first()
        return None if row is None else (row.actor, row.changed_at)

    def set(self, conn: Connection, name: str, value: Any, stamp: Stamp) -> None:
        """Set a switch to a JSON value."""
        before = self.get(conn, name)
        self.remember(conn, name, value, stamp)
        data = {"name": name, "before": before, "value": value}
        self._journal.note(conn, "setting_changed", stamp, data=data)

    def remember(self, conn: Connection, name: str, value: Any, stamp: Stamp) -> None:
        """Keep a JSON value that is no decision of anybody, such as how far something was read; the journal has no line of it."""
        values = {"value": value, "actor": stamp.actor, "changed_at": stamp.at}
        if conn.execute(update(setting).where(setting.c.name == name).values(values)).rowcount == 0:
            conn.execute(insert(setting).values(name=name, **values))
