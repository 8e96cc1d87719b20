"""Which reminders at the provider are our own: by the marker that a write-back of ours left, or by the id noted for a claim."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.engine import Connection

from bridge.model import Act, ProviderNotice, WriteBack
from bridge.policy.build import marked
from bridge.store.states import SETTLED
from bridge.store.tables import notice, notice_claim, step


def made_by_us(conn: Connection, account: str, notices: Sequence[ProviderNotice]) -> set[str]:
    """Return the ids of those reminders that a write-back of ours made."""
    if not notices:
        return set()
    made = _noted(conn, account, notices)
    left = _marks(conn, account, notices) if any(n.marker is not None for n in notices) else set()
    return {n.id for n in notices if (n.invoice_id, n.id) in made or (n.invoice_id, n.marker) in left}


def astray(
    conn: Connection, account: str, notices: Sequence[ProviderNotice], *, without: int | None = None
) -> frozenset[str]:
    """Return the ids of those reminders that carry our mark while no notice here goes on from them or has gone out with them.

    The effect of a call that was looked for and not found, or a reminder made after the backup that was put back. `without`: the notice
    whose own reminder is noted already, so that its mark on another one counts for nothing.
    """
    found = [one for one in notices if marked(one)]
    made = _noted(conn, account, found) if found else set()
    found = [one for one in found if (one.invoice_id, one.id) not in made]
    if not found:
        return frozenset()
    goes_on = or_(notice_claim.c.live, notice_claim.c.landed_on.is_not(None))
    kept = _marks(conn, account, found, goes_on, *(() if without is None else (notice.c.id != without,)))
    return frozenset(one.id for one in found if (one.invoice_id, one.marker) not in kept)


def leaving(conn: Connection, account: str, reminder_ids: Sequence[str]) -> frozenset[str]:
    """Return those reminders that a step of ours still deletes, or that a person decides on because it could not."""
    mine = and_(step.c.notice_id == notice_claim.c.notice_id, step.c.claim_id == notice_claim.c.claim_id)
    query = (
        select(notice_claim.c.reminder_id)
        .join(step, mine)
        .where(step.c.account == account, step.c.act == Act.DISCARD.value, step.c.state.not_in(sorted(SETTLED)))
        .where(notice_claim.c.reminder_id.in_(reminder_ids))
    )
    return frozenset(conn.scalars(query))


def _noted(conn: Connection, account: str, notices: Sequence[ProviderNotice]) -> set[tuple[str, str]]:
    query = (
        select(notice_claim.c.invoice_id, notice_claim.c.reminder_id)
        .join(notice, notice.c.id == notice_claim.c.notice_id)
        .where(notice.c.account == account, notice_claim.c.invoice_id.in_({n.invoice_id for n in notices}))
        .where(notice_claim.c.reminder_id.is_not(None))
    )
    return {(row.invoice_id, row.reminder_id) for row in conn.execute(query)}


def _marks(
    conn: Connection, account: str, notices: Sequence[ProviderNotice], *where: Any
) -> set[tuple[str, str | None]]:
    """Return the marks that the write-backs of these invoices leave."""
    about = or_(step.c.claim_id.is_(None), step.c.claim_id == notice_claim.c.claim_id)
    query = (
        select(notice_claim.c.invoice_id, step.c.key)
        .join(notice, notice.c.id == notice_claim.c.notice_id)
        .join(step, and_(step.c.notice_id == notice_claim.c.notice_id, about))
        .where(notice.c.account == account, notice_claim.c.invoice_id.in_({n.invoice_id for n in notices}), *where)
    )
    return {
        (row.invoice_id, WriteBack(key=row.key, account=account, act=Act.CREATE).marker) for row in conn.execute(query)
    }
