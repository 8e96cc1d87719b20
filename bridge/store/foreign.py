"""Reminders at the provider that were not made here, as far as co-existence asks for them."""

from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy import exists, select, update
from sqlalchemy.engine import Connection

from bridge.model import NoticeStatus, ProviderNotice
from bridge.policy.coexistence import FRESH, Foreign, repeated
from bridge.store.tables import event, invoice, notice, notice_claim, provider_notice, step

if TYPE_CHECKING:
    from bridge.store import Store

RELEASED = "writing_released"
UNSETTLED = ("sending", "unclear", "parked")


def foreign(conn: Connection, account: str, since: datetime, zone: ZoneInfo) -> list[Foreign]:
    """Return foreign reminders first seen after writing was released last; new are those since `since` (technical clock).

    Where a call of ours on the invoice has an unknown outcome, the reminder may be our own: it does not count.
    """
    released = _released(conn, account)
    unsettled = (
        select(step.c.id)
        .join(notice_claim, notice_claim.c.notice_id == step.c.notice_id)
        .join(notice, notice.c.id == step.c.notice_id)
        .where(notice.c.account == account, notice_claim.c.invoice_id == provider_notice.c.invoice_id)
        .where(step.c.state.in_(UNSETTLED))
    )
    query = select(provider_notice.c.document, provider_notice.c.first_seen).where(
        provider_notice.c.account == account,
        provider_notice.c.ours.is_(False),
        provider_notice.c.status != NoticeStatus.CANCELLED.value,
        provider_notice.c.first_seen > since - FRESH,
        ~exists(unsettled),
    )
    if released is not None:
        query = query.where(provider_notice.c.first_seen > released)
    found = []
    for document, first_seen in conn.execute(query.order_by(provider_notice.c.id)):
        one = ProviderNotice.model_validate_json(document)
        if one.marker is not None and one.marker.startswith("mb:"):
            continue
        made = one.created_at.astimezone(zone) if one.created_at else None
        on = made.date() if made else one.dated_on
        found.append(Foreign(one.id, on, made.hour if made else None, first_seen >= since))
    return found


def _released(conn: Connection, account: str) -> datetime | None:
    mine = event.c.account == account, event.c.invoice_id.is_(None), event.c.kind == RELEASED
    data = conn.scalar(select(event.c.data).where(*mine).order_by(event.c.id.desc()).limit(1))
    return datetime.fromisoformat(data["at"]) if data else None


def wake(conn: Connection, account: str, today: date) -> None:
    """Let what waits for the next day be decided today: an account that was suspended asks daily."""
    soon = invoice.c.next_on > today, invoice.c.next_on <= today + timedelta(days=1)
    conn.execute(update(invoice).where(invoice.c.account == account, *soon).values(next_on=today))


def watch(store: "Store", account: str, run_id: int, *, began: datetime, zone: ZoneInfo, today: date) -> None:
    """Suspend writing where reminders that were not made here keep appearing: two automations must not dun one debtor."""
    with store.begin() as conn:
        found = foreign(conn, account, began, zone)
        why = repeated(found, today)
        if why is None:
            return
        store.mirror.accounts.suspend_writing(conn, account, why)
        data = {"why": why, "reminders": [one.id for one in found if one.new][:50]}
        at = store.now()
        store.journal.record(conn, "writing_suspended", at=at, on=today, account=account, run_id=run_id, data=data)


def release_writing(
    store: "Store", account: str, *, actor: str, business_date: date, at: datetime, note: str = ""
) -> bool:
    """Let an account be written to again, in a person's name; return whether it was suspended. What is known now no longer counts."""
    with store.begin() as conn:
        why = store.mirror.accounts.get(conn, account).writing_suspended
        if why is None:
            return False
        store.mirror.accounts.suspend_writing(conn, account, None)
        wake(conn, account, business_date)
        data = {"why": why, "note": note, "at": store.now().isoformat()}
        store.journal.record(conn, RELEASED, at=at, on=business_date, actor=actor, account=account, data=data)
    return True
