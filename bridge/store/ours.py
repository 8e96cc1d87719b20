"""Which reminders at the provider are our own: by the marker that a write-back of ours left, or by the id noted for a claim."""

from collections.abc import Sequence

from sqlalchemy import and_, or_, select
from sqlalchemy.engine import Connection

from bridge.model import Act, ProviderNotice, WriteBack
from bridge.store.tables import notice, notice_claim, step


def made_by_us(conn: Connection, account: str, notices: Sequence[ProviderNotice]) -> set[str]:
    """Return the ids of those reminders that a write-back of ours made."""
    if not notices:
        return set()
    of_account = (
        select(notice_claim.c.invoice_id, notice_claim.c.reminder_id, notice_claim.c.notice_id, notice_claim.c.claim_id)
        .join(notice, notice.c.id == notice_claim.c.notice_id)
        .where(notice.c.account == account, notice_claim.c.invoice_id.in_({n.invoice_id for n in notices}))
    )
    made = {
        (row.invoice_id, row.reminder_id)
        for row in conn.execute(of_account.where(notice_claim.c.reminder_id.is_not(None)))
    }
    marked: set[tuple[str, str | None]] = set()
    if any(n.marker is not None for n in notices):
        of = of_account.subquery()
        keys = select(of.c.invoice_id, step.c.key).join(
            of,
            and_(step.c.notice_id == of.c.notice_id, or_(step.c.claim_id.is_(None), step.c.claim_id == of.c.claim_id)),
        )
        marked = {
            (row.invoice_id, WriteBack(key=row.key, account=account, act=Act.CREATE).marker)
            for row in conn.execute(keys)
        }
    return {n.id for n in notices if (n.invoice_id, n.id) in made or (n.invoice_id, n.marker) in marked}
