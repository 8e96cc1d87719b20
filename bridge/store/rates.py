"""Rate budgets, shared by all threads and processes of an account."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Connection, Engine

from bridge.http import Rate
from bridge.store.engine import reader
from bridge.store.tables import rate as rates

_FIELDS = ("remaining", "limit", "reset_at", "blocked_until", "next_at")
_COLUMNS = tuple(rates.c[name] for name in _FIELDS)


class Rates:
    """The rate store that `bridge.http` asks for."""

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._reader = reader(engine)
        self._now = now

    def load(self, account: str) -> Rate:
        """Return what is known; `Rate()` for an account that never called."""
        with self._reader.begin() as conn:
            row = conn.execute(select(*_COLUMNS).where(rates.c.account == account)).first()
        return Rate() if row is None else Rate(*row)

    def update(self, account: str, change: Callable[[Rate], Rate]) -> Rate:
        """Replace the stored rate by `change(stored)` in one transaction and return the new one; equal means nothing is written."""
        with self._engine.begin() as conn:
            stored = self._locked(conn, account)
            new = change(stored)
            if new != stored:
                values = {name: getattr(new, name) for name in _FIELDS}
                conn.execute(update(rates).where(rates.c.account == account).values(**values, updated_at=self._now()))
        return new

    def _locked(self, conn: Connection, account: str) -> Rate:
        query: Any = select(*_COLUMNS).where(rates.c.account == account).with_for_update()
        row = conn.execute(query).first()
        if row is None:
            insert = postgresql_insert(rates) if conn.dialect.name == "postgresql" else sqlite_insert(rates)
            conn.execute(insert.values(account=account, updated_at=self._now()).on_conflict_do_nothing())
            row = conn.execute(query).one()
        return Rate(*row)
