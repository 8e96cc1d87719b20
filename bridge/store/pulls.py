"""The runs that read an account (Abgleiche): when, by whom, what they changed, how they ended."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.engine import Connection

from bridge.store.tables import run


class Pulls:
    """The rows of table `run` with kind `pull`."""

    def start(self, conn: Connection, account: str, *, actor: str, business_date: date, at: datetime) -> int:
        """Note that reading an account began; return the run's id. Runs of it that a crash left running are closed."""
        self._close_left(conn, account, at)
        values = {
            "kind": "pull",
            "account": account,
            "actor": actor,
            "business_date": business_date,
            "started_at": at,
            "state": "running",
            "counts": {},
        }
        return int(conn.execute(insert(run).values(values).returning(run.c.id)).scalar_one())

    def _close_left(self, conn: Connection, account: str, at: datetime) -> None:
        left = run.c.kind == "pull", run.c.account == account, run.c.state == "running"
        conn.execute(
            update(run)
            .where(*left)
            .values(state="failed", ended_at=at, cause="interrupted", error="the process ended before the run")
        )

    def end(
        self,
        conn: Connection,
        run_id: int,
        *,
        at: datetime,
        state: str,
        counts: Mapping[str, Any],
        cause: str | None = None,
        error: str | None = None,
    ) -> None:
        """Note how it ended: `done`, `failed`, or `waiting` for the approval of a jump."""
        values = {"ended_at": at, "state": state, "counts": dict(counts), "cause": cause, "error": error}
        conn.execute(update(run).where(run.c.id == run_id).values(**values))
