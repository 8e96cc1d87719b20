"""Reminders (Mahnungen): rows of `/Invoice` of type MA, each with the dunned invoice as origin."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from bridge.contract import BadRecord, NoticeStatus, ProviderNotice
from connectors.sevdesk.records import ZERO, build, cents

DRAFT = "100"
WAYS = frozenset({"VM", "VP", "VPR", "VPDF"})
"""How a document was sent: mail, post, print, download. An unsent one shows `0`, nothing, or an empty text."""


@dataclass(frozen=True, slots=True)
class Reminder:
    """A reminder, with what the model has no room for: the way of sending, and money that was booked on it."""

    notice: ProviderNotice
    sent_by: str
    sent_at: Any
    paid: Decimal
    contact_id: str | None


class ReminderReader:
    """Reads rows of type MA."""

    def __init__(self, mapping: Any, zone: ZoneInfo) -> None:
        self._tables = mapping
        self._zone = zone

    def reminder(self, raw: Any) -> Reminder | None:
        """Return the reminder of a row; None where the row is no reminder. Raises `BadRecord`."""
        fields = self._tables["reminder"].read(raw, self._zone)
        if fields is None:
            return None
        facts = self._tables["reminder_facts"].read(raw, self._zone) or {}
        if "invoice_id" not in fields:
            raise BadRecord("a reminder needs the invoice that it is for", field="origin.id", value=raw.get("origin"))
        for name in ("principal", "fee", "total"):
            if name in fields:
                fields[name] = cents(fields[name], name)
        fields["level"] = max(fields.get("level", 0), 0)
        sent_by = facts.get("sent_by", "") if facts.get("sent_by") in WAYS else ""
        fields["status"] = _status(facts, sent_by)
        return Reminder(
            build(ProviderNotice, fields),
            sent_by,
            facts.get("sent_at"),
            cents(facts.get("paid", ZERO), "paidAmount"),
            facts.get("contact_id"),
        )


def _status(facts: Mapping[str, Any], sent_by: str) -> NoticeStatus:
    """Return draft, sent (a date or a way of sending is recorded), or final: no draft, but not shown as sent."""
    if facts.get("status", DRAFT) == DRAFT:
        return NoticeStatus.DRAFT
    return NoticeStatus.SENT if sent_by or "sent_at" in facts else NoticeStatus.FINAL


def paid_by_origin(booked: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    """Return how much was booked on the reminders of each invoice: it counts for the invoice."""
    paid: dict[str, Decimal] = {}
    for origin, amount in booked:
        paid[origin] = paid.get(origin, ZERO) + amount
    return paid
