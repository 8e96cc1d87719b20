"""Which debtors a dunning run looks at: ids only, so that the run can take them up in small transactions."""

from datetime import date
from typing import TypeVar

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.engine import Connection

from bridge.store.mirror import UNSETTLED, Dossier, Mirror
from bridge.store.tables import invoice
from bridge.store.upsert import mark

T = TypeVar("T")


def candidates(conn: Connection, account: str, due_by: date | None) -> tuple[list[str], list[str]]:
    """Return the debtors, and the invoices without one, on which something can happen by `due_by`; None: all that are open."""
    wanted: ColumnElement[bool]
    if due_by is None:
        wanted = or_(invoice.c.status.in_(UNSETTLED), invoice.c.next_on.is_not(None))
    else:
        wanted = invoice.c.next_on <= due_by
    where = invoice.c.account == account, wanted
    # told like this, SQLite goes by the date alone; asked for debtors, or for an order, it would read all invoices in that order
    debtor_id = func.coalesce(invoice.c.debtor_id, "")
    debtors = conn.scalars(select(debtor_id).where(*where).distinct())
    alone = conn.scalars(select(invoice.c.id).where(*where, debtor_id == ""))
    return sorted(one for one in debtors if one), sorted(alone)


def wake_origins(conn: Connection, account: str, today: date) -> None:
    """Let the open invoices be decided today that a changed document cancels, credits or covers."""
    changed = select(invoice.c.origin_id).where(
        invoice.c.account == account, invoice.c.next_on <= today, invoice.c.origin_id.is_not(None)
    )
    origins = list(conn.scalars(changed.distinct()))
    if origins:
        mark(conn, account, origins, today)


def lonely(conn: Connection, mirror: Mirror, account: str, invoice_ids: list[str]) -> tuple[Dossier, ...]:
    """Return invoices without debtor, each as a dossier of its own."""
    related = mirror.related(conn, account, invoice_ids)
    notices = mirror.notices(conn, account, invoice_ids)
    payments = mirror.payments(conn, account, invoice_ids)
    found = []
    for invoice_id in invoice_ids:
        known = mirror.invoice(conn, account, invoice_id)
        if known is not None:
            found.append(
                Dossier(
                    account,
                    None,
                    None,
                    (known,),
                    _only(related, invoice_id),
                    _only(notices, invoice_id),
                    _only(payments, invoice_id),
                )
            )
    return tuple(found)


def _only(part: dict[str, T], invoice_id: str) -> dict[str, T]:
    return {invoice_id: part[invoice_id]} if invoice_id in part else {}
