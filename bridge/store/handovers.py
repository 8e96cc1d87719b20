"""Hand-overs to collection (Inkassoübergaben) and their recall: which claims are with the agency, and which cases."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.engine import Connection

from bridge.errors import WrongState
from bridge.model import Reason
from bridge.store.cases import Stamp, restate
from bridge.store.choices import Choices, Target
from bridge.store.journal import Journal
from bridge.store.tables import claim


class HandOvers:
    """Claims at collection; every method takes the connection of the caller's transaction first."""

    def __init__(self, journal: Journal, choices: Choices) -> None:
        self._journal, self._choices = journal, choices

    def hand_over(
        self, conn: Connection, account: str, case_id: int, amounts: dict[str, str], stamp: Stamp, *, agency: str
    ) -> None:
        """Note that the claims on these invoices are with the agency, which stops all further dunning; `amounts` by invoice."""
        mine = claim.c.case_id == case_id, claim.c.invoice_id.in_(amounts)
        conn.execute(update(claim).where(*mine).values(handed_over_on=stamp.on))
        for invoice_id, total in amounts.items():
            target = Target(account=account, invoice_id=invoice_id)
            self._choices.block(conn, target, Reason.COLLECTION, stamp, note=agency)
            data = {"agency": agency, "amount": total}
            self._note(conn, "handed_over", account, case_id, invoice_id, stamp=stamp, data=data)
        restate(conn, case_id)

    def there(self, conn: Connection, claim_id: int) -> bool:
        """Return whether this claim is with the agency."""
        return conn.scalar(select(claim.c.handed_over_on).where(claim.c.id == claim_id)) is not None

    def among(self, conn: Connection, account: str, invoice_ids: Collection[str]) -> list[str]:
        """Return which of these invoices are with the agency."""
        mine = claim.c.account == account, claim.c.invoice_id.in_(invoice_ids), claim.c.handed_over_on.is_not(None)
        return list(conn.scalars(select(claim.c.invoice_id).where(*mine, claim.c.state == "open").order_by(claim.c.id)))

    def call_back(
        self, conn: Connection, account: str, case_id: int, invoice_ids: Collection[str], stamp: Stamp, *, note: str
    ) -> list[str]:
        """Take claims of a case back from the agency, all or these; return their invoices. Raises `WrongState` where none is there."""
        there = claim.c.case_id == case_id, claim.c.handed_over_on.is_not(None), claim.c.state == "open"
        query = select(claim.c.invoice_id).where(*there).order_by(claim.c.id)
        found = [one for one in conn.scalars(query) if not invoice_ids or one in invoice_ids]
        if not found:
            raise WrongState("nothing of this is with a collection agency")
        conn.execute(update(claim).where(*there, claim.c.invoice_id.in_(found)).values(handed_over_on=None))
        for invoice_id in found:
            target = Target(account=account, invoice_id=invoice_id)
            self._choices.unblock(conn, target, stamp, reason=Reason.COLLECTION)
            self._note(conn, "called_back", account, case_id, invoice_id, stamp=stamp, data={"note": note})
        restate(conn, case_id)
        return found

    def _note(
        self,
        conn: Connection,
        kind: str,
        account: str,
        case_id: int,
        invoice_id: str,
        *,
        stamp: Stamp,
        data: dict[str, Any],
    ) -> None:
        self._journal.note(conn, kind, stamp, account=account, case_id=case_id,
            invoice_id=invoice_id, data=data,
        )  # fmt: skip
