"""Agreements on payment in instalments (Ratenzahlung): their rates, the invoices they cover, and how they ended. Never deleted."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import RowMapping, insert, select, update
from sqlalchemy.engine import Connection

from bridge.model import InvoiceStatus, Reason
from bridge.policy.instalments import Agreement, Rate
from bridge.store.cases import Stamp
from bridge.store.journal import Journal
from bridge.store.tables import agreement, block, invoice
from bridge.store.upsert import mark


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAgreement:
    """One agreement as stored, with what came in on its invoices since. `covers`: cents open on each invoice when it was made."""

    id: int
    account: str
    debtor_id: str | None
    currency: str
    covers: Mapping[str, int]
    terms: Agreement
    note: str
    actor: str
    created_at: datetime
    ended_at: datetime | None
    ended_as: str | None


class Agreements:
    """Agreements; every method takes the connection of the caller's transaction first."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def agree(  # noqa: PLR0917  what is agreed
        self,
        conn: Connection,
        account: str,
        debtor_id: str | None,
        covers: Mapping[str, int],
        currency: str,
        rates: Sequence[Rate],
        stamp: Stamp,
        note: str = "",
    ) -> int:
        """Store an agreement over these invoices and hold them; one that covered an invoice of them before is replaced. Return its id."""
        values = {
            "account": account,
            "debtor_id": debtor_id,
            "currency": currency,
            "rates": [[one.on.isoformat(), one.amount] for one in rates],
            "covers": dict(covers),
            "note": note,
            "actor": stamp.actor,
            "created_at": stamp.at,
        }
        made = int(conn.execute(insert(agreement).values(values).returning(agreement.c.id)).scalar_one())
        for old in self._covering(conn, account, covers):
            self.end(conn, old, "replaced", stamp, covered_anew=covers)
        for invoice_id in covers:
            conn.execute(
                insert(block).values(
                    account=account, invoice_id=invoice_id, reason=Reason.PAYMENT_PLAN.value, note=note,
                    actor=stamp.actor, created_at=stamp.at, agreement_id=made,
                )
            )  # fmt: skip
            data = {"agreement": made, "count": len(rates), "until": rates[-1].on.isoformat(), "note": note}
            self._note(conn, "instalments_agreed", account, invoice_id, stamp, data)
        mark(conn, account, list(covers), stamp.on)
        return made

    def _covering(self, conn: Connection, account: str, invoice_ids: Iterable[str]) -> list[StoredAgreement]:
        query = select(block.c.agreement_id).where(
            block.c.account == account,
            block.c.invoice_id.in_(list(invoice_ids)),
            block.c.lifted_at.is_(None),
            block.c.agreement_id.is_not(None),
        )
        return list(self.by_id(conn, set(conn.scalars(query))).values())

    def by_id(self, conn: Connection, ids: Collection[int]) -> dict[int, StoredAgreement]:
        """Return these agreements, each with what came in since."""
        rows = conn.execute(select(agreement).where(agreement.c.id.in_(sorted(ids)))).mappings().all() if ids else ()
        return {row["id"]: self._stored(conn, row) for row in rows}

    def live(self, conn: Connection, account: str) -> list[StoredAgreement]:
        """Return the agreements of an account that have not ended, oldest first."""
        query = select(agreement).where(agreement.c.account == account, agreement.c.ended_at.is_(None))
        rows = conn.execute(query.order_by(agreement.c.id)).mappings().all()
        return [self._stored(conn, row) for row in rows]

    def _stored(self, conn: Connection, row: RowMapping) -> StoredAgreement:
        covers: dict[str, int] = row["covers"]
        query = select(invoice.c.open_cents).where(
            invoice.c.account == row["account"],
            invoice.c.id.in_(sorted(covers)),
            invoice.c.status == InvoiceStatus.OPEN.value,
        )
        total = sum(covers.values())
        paid = max(0, total - sum(conn.scalars(query)))
        rates = tuple(Rate(date.fromisoformat(on), cents) for on, cents in row["rates"])
        names = ("id", "account", "debtor_id", "currency", "note", "actor", "created_at", "ended_at", "ended_as")
        return StoredAgreement(
            **{name: row[name] for name in names}, covers=covers, terms=Agreement(rates, total, paid)
        )

    def end(
        self,
        conn: Connection,
        known: StoredAgreement,
        how: str,
        stamp: Stamp,
        data: Mapping[str, Any] | None = None,
        *,
        covered_anew: Collection[str] = (),
    ) -> None:
        """End an agreement (kept, missed, replaced) and lift its hold on every invoice; of those `covered_anew` nothing is told."""
        values = {"lifted_at": stamp.at, "lifted_by": stamp.actor}
        held = block.c.agreement_id == known.id, block.c.lifted_at.is_(None)
        lifted = list(conn.scalars(update(block).where(*held).values(values).returning(block.c.invoice_id)))
        self._ended(conn, [known.id], how, stamp)
        for invoice_id in sorted(lifted):
            kind = "unblocked" if how == "replaced" else f"instalments_{how}"
            if invoice_id not in covered_anew:
                self._note(conn, kind, known.account, invoice_id, stamp, data)
        mark(conn, known.account, lifted, stamp.on)

    def lifted(self, conn: Connection, account: str, stamp: Stamp) -> None:
        """Note as lifted what a person lifted the last hold of."""
        holding = select(block.c.agreement_id).where(block.c.lifted_at.is_(None), block.c.agreement_id.is_not(None))
        query = select(agreement.c.id).where(
            agreement.c.account == account, agreement.c.ended_at.is_(None), agreement.c.id.not_in(holding)
        )
        self._ended(conn, list(conn.scalars(query)), "lifted", stamp)

    def _ended(self, conn: Connection, ids: Collection[int], how: str, stamp: Stamp) -> None:
        values = {"ended_at": stamp.at, "ended_by": stamp.actor, "ended_as": how}
        where = agreement.c.id.in_(ids), agreement.c.ended_at.is_(None)
        conn.execute(update(agreement).where(*where).values(values))

    def _note(  # noqa: PLR0917  private
        self,
        conn: Connection,
        kind: str,
        account: str,
        invoice_id: str,
        stamp: Stamp,
        data: Mapping[str, Any] | None,
    ) -> None:
        self._journal.note(conn, kind, stamp, account=account, invoice_id=invoice_id,
            data=dict(data or {}),
        )  # fmt: skip
