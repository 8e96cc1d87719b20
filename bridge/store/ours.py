"""Which reminders at the provider are our own: by the marker that a write-back of ours left, or by the id noted for a claim."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.engine import Connection

from bridge.model import Act, ProviderNotice, WriteBack
from bridge.store.tables import notice, notice_claim, step


def made_by_us(conn: Connection, account: str, notices: Sequence[ProviderNotice]) -> set[str]:
    """Return the ids of those reminders that a write-back of ours made."""
    if not notices:
        return set()
    invoices = {n.invoice_id for n in notices}
    of_invoices = select(notice_claim.c.notice_id).where(notice_claim.c.invoice_id.in_(invoices))
    made = {
        row.reminder_id
        for row in conn.execute(
            select(notice_claim.c.reminder_id)
            .join(notice, notice.c.id == notice_claim.c.notice_id)
            .where(
                notice.c.account == account,
                notice_claim.c.invoice_id.in_(invoices),
                notice_claim.c.reminder_id.is_not(None),
            )
        )
    }
    markers: set[str] = set()
    if any(n.marker is not None for n in notices):
        keys = conn.scalars(select(step.c.key).where(step.c.account == account, step.c.notice_id.in_(of_invoices)))
        markers = {WriteBack(key=key, account=account, act=Act.CREATE).marker for key in keys}
    return {n.id for n in notices if n.id in made or n.marker in markers}
