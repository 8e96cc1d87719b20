"""The row of each account: where its reading stands, its state, and what was open at the last pull."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import RowMapping, func, select, update
from sqlalchemy.engine import Connection

from bridge.errors import UsageError
from bridge.model import Cursor
from bridge.store.rows import amount, cents
from bridge.store.tables import account, invoice
from bridge.words import NOTHING, Sentence

OK, UNREACHABLE, RECONNECT, STOPPED = "ok", "unreachable", "reconnect", "stopped"

Totals = Mapping[str, tuple[int, Decimal]]
"""Number and sum of open invoices by currency."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account at one provider, as it stands.

    `state` is ok, unreachable (the provider does not answer), reconnect (consent must be renewed) or stopped (a person must act).
    `held_jump` is the jump between two pulls that waits for an approval, before which nothing of this account is dunned.
    """

    name: str
    connector: str
    cursor: Cursor | None
    state: str
    state_text: Sentence
    pulled_at: datetime | None
    full_at: datetime | None
    payments_as_of: datetime | None
    writing_suspended: str | None
    held_jump: Mapping[str, Any] | None
    open_totals: Totals | None


class Accounts:
    """All accounts."""

    def ensure(self, conn: Connection, name: str, connector: str) -> None:
        """Make the row of a configured account. Another connector under the same name starts reading from the beginning."""
        known = conn.execute(select(account.c.connector).where(account.c.name == name)).scalar_one_or_none()
        if known is None:
            conn.execute(account.insert().values(name=name, connector=connector))
        elif known != connector:
            conn.execute(update(account).where(account.c.name == name).values(connector=connector, cursor=None))

    def get(self, conn: Connection, name: str) -> Account:
        """Return one account. Raises `UsageError` where it was never pulled."""
        row = conn.execute(select(account).where(account.c.name == name)).mappings().first()
        if row is None:
            raise UsageError(
                "account {name!r} is not known to the database; `mahnbridge pull {name}` reads it", name=name
            )
        return _account(row)

    def all(self, conn: Connection) -> list[Account]:
        """Return all accounts by name."""
        return [_account(row) for row in conn.execute(select(account).order_by(account.c.name)).mappings()]

    def read(self, conn: Connection, name: str, cursor: Cursor, payments_as_of: datetime | None) -> bool:
        """Note where to go on reading, if that has changed; return whether it has."""
        old = self.get(conn, name)
        values: dict[str, Any] = {}
        data = dict(cursor.data)
        if old.cursor is None or dict(old.cursor.data) != data:
            values["cursor"] = data
        if payments_as_of is not None and payments_as_of != old.payments_as_of:
            values["payments_as_of"] = payments_as_of
        if values:
            conn.execute(update(account).where(account.c.name == name).values(**values))
        return bool(values)

    def set_state(self, conn: Connection, name: str, state: str, text: Sentence = NOTHING) -> str:
        """Set state and text for people; return the state before."""
        before = self.get(conn, name)
        if (before.state, before.state_text) != (state, text):
            conn.execute(update(account).where(account.c.name == name).values(state=state, state_text=text))
        return before.state

    def suspend_writing(self, conn: Connection, name: str, why: str | None) -> None:
        """Let nothing be written at this provider until a person looks, or (None) let it go on."""
        conn.execute(update(account).where(account.c.name == name).values(writing_suspended=why))

    def totals(self, conn: Connection, name: str) -> Totals:
        """Return number and sum of the open invoices in the mirror, by currency."""
        found = conn.execute(
            select(invoice.c.currency, func.count(), func.sum(invoice.c.open_cents))
            .where(
                invoice.c.account == name,
                invoice.c.status == "open",
                invoice.c.kind.in_(("invoice", "partial", "final")),
            )
            .group_by(invoice.c.currency)
        )
        return {currency: (int(count), amount(int(total))) for currency, count, total in found}

    def pulled(
        self,
        conn: Connection,
        name: str,
        *,
        at: datetime,
        full: bool,
        totals: Totals | None,
        jump: Mapping[str, Any] | None,
    ) -> None:
        """Note the end of a successful pull; `totals` None keeps those to compare with, while a jump waits."""
        values: dict[str, Any] = {"pulled_at": at, "held_jump": None if jump is None else dict(jump)}
        if full:
            values["full_at"] = at
        if totals is not None:
            values["open_totals"] = _totals_json(totals)
        conn.execute(update(account).where(account.c.name == name).values(**values))

    def approve_jump(self, conn: Connection, name: str) -> bool:
        """Accept the jump that waits: from now on pulls are compared with what is open now. Return whether one waited."""
        if self.get(conn, name).held_jump is None:
            return False
        totals = _totals_json(self.totals(conn, name))
        conn.execute(update(account).where(account.c.name == name).values(held_jump=None, open_totals=totals))
        return True


def _totals_json(totals: Totals) -> dict[str, list[int]]:
    return {currency: [count, cents(total)] for currency, (count, total) in sorted(totals.items())}


def _account(row: RowMapping) -> Account:
    totals = row["open_totals"]
    return Account(
        name=row["name"],
        connector=row["connector"],
        cursor=None if row["cursor"] is None else Cursor(data=row["cursor"]),
        state=row["state"],
        state_text=row["state_text"],
        pulled_at=row["pulled_at"],
        full_at=row["full_at"],
        payments_as_of=row["payments_as_of"],
        writing_suspended=row["writing_suspended"],
        held_jump=row["held_jump"],
        open_totals=None if totals is None else {cur: (count, amount(total)) for cur, (count, total) in totals.items()},
    )
