"""Records that did not fit (ausgesteuerte Datensätze): kept raw, explained, until they arrive well or a person discards them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.engine import Connection

from bridge.errors import UsageError
from bridge.model import Reject
from bridge.store.tables import reject as rejects


@dataclass(frozen=True, slots=True)
class KnownReject:
    """One bad record: however often it arrives, it is one row. `state` is open, resolved or discarded."""

    id: int
    account: str
    reject: Reject
    state: str
    first_seen: datetime
    last_seen: datetime


class Rejects:
    """All records that did not fit. They are written with their batch, by `Mirror.write`."""

    def list(
        self, conn: Connection, account: str | None = None, *, state: str = "open", limit: int = 1000
    ) -> list[KnownReject]:
        """Return the newest first, of one account or all."""
        query = select(rejects).where(rejects.c.state == state).order_by(rejects.c.id.desc()).limit(limit)
        if account is not None:
            query = query.where(rejects.c.account == account)
        return [_known(row) for row in conn.execute(query)]

    def get(self, conn: Connection, reject_id: int) -> KnownReject:
        """Return one by its number. Raises `UsageError` where there is none."""
        row = conn.execute(select(rejects).where(rejects.c.id == reject_id)).first()
        if row is None:
            raise UsageError("there is no set-aside record {reject_id}", reject_id=reject_id)
        return _known(row)

    def counts(self, conn: Connection) -> dict[tuple[str, str, str], int]:
        """Return the number of open ones by account, kind and field."""
        keys = rejects.c.account, rejects.c.kind, rejects.c.field
        query = select(*keys, func.count()).where(rejects.c.state == "open").group_by(*keys)
        return {(account, kind, field): count for account, kind, field, count in conn.execute(query)}

    def settle(self, conn: Connection, reject_id: int, state: str) -> bool:
        """Set an open one to `resolved` or `discarded`; return whether it was open."""
        done = conn.execute(
            update(rejects).where(rejects.c.id == reject_id, rejects.c.state == "open").values(state=state)
        )
        return done.rowcount == 1


def _known(row: object) -> KnownReject:
    values = row._mapping  # type: ignore[attr-defined]  # noqa: SLF001  public in all but name
    names = ("kind", "provider_id", "field", "value", "reason", "source", "raw")
    return KnownReject(
        values["id"],
        values["account"],
        Reject(**{name: values[name] for name in names}),
        values["state"],
        values["first_seen"],
        values["last_seen"],
    )
