"""What people enter about the ancillary claims (Nebenforderungen) of an invoice; taken back, never deleted.

Charges, such as what the bank took for a returned debit, and that everything beside the principal is waived. Both live in the journal;
the account of a claim puts the charges beside the fees of its notices.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sqlalchemy import RowMapping, select
from sqlalchemy.engine import Connection

from bridge.errors import UsageError
from bridge.policy.money import Waived
from bridge.store.cases import Stamp
from bridge.store.journal import Journal
from bridge.store.tables import claim, event
from bridge.store.upsert import CHUNK, chunked, mark

ADDED, TAKEN_BACK = "charge_added", "charge_taken_back"
WAIVED, UNWAIVED = "ancillaries_waived", "waiver_taken_back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One charge as entered: what for, cents, the day it arose, and by whom."""

    id: int
    kind: str
    cents: int
    on: date
    note: str
    actor: str


@dataclass(slots=True)
class Entered:
    """What people entered for one invoice and holds: charges by entry, and whether all ancillary claims are waived."""

    by_entry: dict[int, Charge] = field(default_factory=dict)
    waived: Waived | None = None

    @property
    def charges(self) -> list[Charge]:
        """Return the charges, oldest entry first."""
        return list(self.by_entry.values())


NOTHING_ENTERED = Entered()


@dataclass(slots=True)
class Charges:
    """Charges and waivers by invoice; every method takes the connection of the caller's transaction first."""

    journal: Journal

    def of(self, conn: Connection, account: str, invoice_id: str) -> list[Charge]:
        """Return the charges of an invoice that hold, oldest entry first."""
        return self.of_all(conn, account, [invoice_id]).get(invoice_id, NOTHING_ENTERED).charges

    def of_all(self, conn: Connection, account: str, invoice_ids: Iterable[str]) -> dict[str, Entered]:
        """Return, by invoice, what was entered and holds."""
        found: dict[str, Entered] = {}
        for chunk in chunked(invoice_ids, CHUNK):
            query = (
                select(event)
                .where(event.c.account == account, event.c.invoice_id.in_(chunk))
                .where(event.c.kind.in_((ADDED, TAKEN_BACK, WAIVED, UNWAIVED)))
                .order_by(event.c.id)
            )
            for row in conn.execute(query).mappings():
                data, own = row["data"], found.setdefault(row["invoice_id"], Entered())
                if row["kind"] == TAKEN_BACK:
                    own.by_entry.pop(data.get("entry"), None)
                elif row["kind"] == ADDED:
                    if data:  # erased after its retention: nothing is known of it any more, so nothing is asked for
                        own.by_entry[row["id"]] = _charge(row)
                else:
                    waived = row["kind"] == WAIVED
                    own.waived = Waived(row["business_date"], row["actor"], data.get("note", "")) if waived else None
        return found

    def add(
        self,
        conn: Connection,
        account: str,
        invoice_id: str,
        stamp: Stamp,
        *,
        kind: str,
        cents: int,
        on: date,
        note: str,
    ) -> None:
        """Add a charge that arose on day `on`. Raises `UsageError` where the day has not come, or the invoice is in no case."""
        if on > stamp.on:
            raise UsageError("{on} lies in the future; today is {today}", on=on, today=stamp.on)
        self._in_a_case(conn, account, invoice_id)
        data = {"charge": kind, "cents": cents, "amount": f"{cents // 100}.{cents % 100:02d}", "on": on.isoformat()}
        self._record(conn, ADDED, account, invoice_id, stamp=stamp, data=data | {"note": note})

    def take_back(
        self, conn: Connection, account: str, invoice_id: str, stamp: Stamp, *, kind: str, cents: int, note: str
    ) -> None:
        """Take back the newest charge of this kind and amount. Raises `UsageError` where there is none."""
        same = [one for one in self.of(conn, account, invoice_id) if (one.kind, one.cents) == (kind, cents)]
        if not same:
            raise UsageError(
                "there is no charge {kind} of {amount} on this invoice to take back",
                kind=kind,
                amount=Decimal(cents).scaleb(-2),
            )
        data = {"charge": kind, "cents": cents, "amount": f"{cents // 100}.{cents % 100:02d}", "entry": same[-1].id}
        self._record(conn, TAKEN_BACK, account, invoice_id, stamp=stamp, data=data | {"note": note})

    def waive(self, conn: Connection, account: str, invoice_id: str, stamp: Stamp, note: str) -> bool:
        """Waive all ancillary claims of an invoice, those to come too; return whether they were not waived already."""
        self._in_a_case(conn, account, invoice_id)
        return self._turn(conn, account, invoice_id, stamp, note, waived=True)

    def take_back_waiver(self, conn: Connection, account: str, invoice_id: str, stamp: Stamp, note: str) -> bool:
        """Ask for the ancillary claims of an invoice again; return whether they were waived."""
        return self._turn(conn, account, invoice_id, stamp, note, waived=False)

    def _turn(self, conn: Connection, account: str, invoice_id: str, stamp: Stamp, note: str, *, waived: bool) -> bool:
        now = self.of_all(conn, account, [invoice_id]).get(invoice_id, NOTHING_ENTERED).waived
        if waived is (now is not None):
            return False
        self._record(conn, WAIVED if waived else UNWAIVED, account, invoice_id, stamp=stamp, data={"note": note})
        return True

    def _in_a_case(self, conn: Connection, account: str, invoice_id: str) -> None:
        mine = claim.c.account == account, claim.c.invoice_id == invoice_id
        if conn.execute(select(claim.c.id).where(*mine)).first() is None:
            raise UsageError(
                "invoice {invoice_id!r} is in no case yet; a run puts overdue invoices into one", invoice_id=invoice_id
            )

    def _record(
        self, conn: Connection, kind: str, account: str, invoice_id: str, *, stamp: Stamp, data: dict[str, object]
    ) -> None:
        self.journal.note(conn, kind, stamp, account=account, invoice_id=invoice_id, data=data)
        mark(conn, account, [invoice_id], stamp.on)


def _charge(row: RowMapping) -> Charge:
    data = row["data"]
    return Charge(
        id=row["id"],
        kind=data["charge"],
        cents=data["cents"],
        on=date.fromisoformat(data["on"]),
        note=data["note"],
        actor=row["actor"],
    )
