"""The journal: what happened, when, who did it; only ever added to."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, insert

from bridge.store.tables import event
from bridge.words import Sentence

SELF = "mahnbridge"
"""The actor of everything that no person asked for."""


class Journal:
    """Events of cases, invoices, runs, notices and steps."""

    def record(
        self,
        conn: Connection,
        kind: str,
        *,
        at: datetime,
        on: date,
        actor: str = SELF,
        account: str | None = None,
        case_id: int | None = None,
        invoice_id: str | None = None,
        run_id: int | None = None,
        notice_id: int | None = None,
        step_id: int | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> int:
        """Add one event of `kind` at the business instant `at`, local date `on`; return its id. `data` holds JSON values and sentences."""
        values = {
            "at": at,
            "business_date": on,
            "actor": actor,
            "kind": kind,
            "account": account,
            "case_id": case_id,
            "invoice_id": invoice_id,
            "run_id": run_id,
            "notice_id": notice_id,
            "step_id": step_id,
            "data": {
                name: value.to_store() if isinstance(value, Sentence) else value for name, value in (data or {}).items()
            },
        }
        return int(conn.execute(insert(event).values(values).returning(event.c.id)).scalar_one())
