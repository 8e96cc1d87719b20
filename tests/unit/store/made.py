"""Model objects with sound defaults for the tests of the store."""

from datetime import UTC, date, datetime
from decimal import Decimal

from bridge.model import Batch, Cursor, Debtor, Invoice, NoticeStatus, Payment, ProviderNotice, Reject, Snapshot

DAY = date(2026, 3, 2)
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def invoice(key="1", **values):
    given = {
        "number": f"RE-{key}",
        "status": "open",
        "debtor_id": "d1",
        "issued_on": date(2026, 1, 5),
        "due_on": date(2026, 1, 19),
        "gross": Decimal("119.00"),
        "open": Decimal("119.00"),
    }
    return Invoice(id=key, **(given | values))


def debtor(key="d1", **values):
    return Debtor(id=key, **({"name": "Musterfrau GmbH", "email": "rechnung@example.org"} | values))


def payment(key="p1", invoice_id="1", **values):
    return Payment(id=key, invoice_id=invoice_id, **({"amount": Decimal("19.00"), "value_on": DAY} | values))


def notice(key="n1", invoice_id="1", **values):
    return ProviderNotice(id=key, invoice_id=invoice_id, **({"level": 1, "status": NoticeStatus.SENT} | values))


def reject(key="9", **values):
    given = {"kind": "invoice", "field": "due_on", "value": "31.02.2026", "reason": "no such day", "raw": '{"id": "9"}'}
    return Reject(**(given | {"provider_id": key} | values))


def batch(*, cursor=1, **values):
    return Batch(cursor=Cursor(data={"page": cursor}), **{name: _tuple(value) for name, value in values.items()})


def _tuple(value):
    return tuple(value) if isinstance(value, list) else value


def snapshot(invoice_id, **values):
    return Snapshot(invoice_id=invoice_id, taken_at=NOW, **values)
