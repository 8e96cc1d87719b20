"""Our reminder drafts: what they must say before they are completed, compared with what Billomat made of them.

Billomat chooses the dunning level, may add that level's fee by itself, and does not document what the amounts of a reminder are made
of. So everything is read back; what differs and cannot be set is refused, naming both sides.
"""

from decimal import Decimal
from typing import Any, NamedTuple

from bridge.contract import BadRecord, NotFound, Refused, Sentence, WriteBack
from connectors.billomat import wire
from connectors.billomat.api import Api, Record
from connectors.billomat.levels import Levels
from connectors.billomat.reading import Reading, marker_of
from connectors.billomat.settings import Settings

ZERO = Decimal("0.00")
COMPLETED = ("OPEN", "OVERDUE", "PAID")
STATUS = {
    "DRAFT": Sentence("DRAFT"),
    "OPEN": Sentence("OPEN"),
    "OVERDUE": Sentence("OVERDUE"),
    "PAID": Sentence("PAID"),
    "CANCELED": Sentence("CANCELED"),
}
"""Billomat's statuses, as its German pages call them."""


def named(status: str | None) -> Sentence | str | None:
    """Return a status for people."""
    return STATUS.get(status, status) if status else status


class Checked(NamedTuple):
    """A draft that agrees with ours: its record, level and fee."""

    record: Record
    level: int
    fee: Decimal


class Drafts:
    """Reads, corrects and checks our drafts."""

    def __init__(self, api: Api, settings: Settings, reading: Reading, levels: Levels) -> None:
        self.api = api
        self.settings = settings
        self.reading = reading
        self.levels = levels

    def own(self, write: WriteBack) -> Record:
        """Return the reminder of this write-back. Raises `Refused` where it is gone, or not ours, or of another invoice."""
        key = write.reminder_id
        if key is None or not key.isdigit():
            raise Refused(
                "{act} needs the reminder that was created before, not {key!r}",
                act=write.act,
                key=key,
                cause="no_reminder",
            )
        try:
            record = wire.without_unset_dates(self.api.reminder(key))
        except NotFound as error:
            raise NotFound("reminder {key} no longer exists at Billomat", key=key) from error
        if write.invoice is not None and wire.text(record, "invoice_id") != write.invoice.id:
            raise Refused(
                "reminder {key} belongs to invoice {record}, not to {invoice_id}",
                key=key,
                record=wire.text(record, "invoice_id"),
                invoice_id=write.invoice.id,
                cause="not_ours",
            )
        if marker_of(record) is None:
            raise Refused("reminder {key} does not carry our mark; it is left alone", key=key, cause="not_ours")
        return record

    def amend(self, write: WriteBack) -> Checked:
        """Set deadline, texts and fee where they differ, and check all of it on what is read back. Harmless to repeat."""
        record = self.own(write)
        self._must_be_draft(record)
        self.check_level(record, write)
        if changes := self._differences(record, write):
            self.api.change_reminder(str(write.reminder_id), changes)
        items = self.api.reminder_items(str(write.reminder_id))
        added = self._add_fee(record, items, write)
        if changes or added:
            record = self.own(write)
            items = self.api.reminder_items(str(write.reminder_id)) if added else items
        return self.check(record, items, write)

    def check(self, record: Record, items: list[Record], write: WriteBack) -> Checked:
        """Return the draft if it agrees with ours. Raises `Refused` naming what differs, and both values."""
        checked = self._as_decided(record, items, write)
        self._check_amount(record, write)
        return checked

    def unedited(self, record: Record, write: WriteBack) -> None:
        """Raise `Refused` where somebody edited our draft since it was checked. Its amount follows the payments of its invoice."""
        self._as_decided(record, self.api.reminder_items(str(write.reminder_id)), write)

    def _as_decided(self, record: Record, items: list[Record], write: WriteBack) -> Checked:
        level = self.check_level(record, write)
        if left := self._differences(record, write):
            field = next(iter(left))
            raise Refused(
                "reminder {reminder_id}: {field} is {record!r} at Billomat and should be {left!r}",
                reminder_id=write.reminder_id,
                field=field,
                record=wire.text(record, field),
                left=left[field],
                cause=f"differs_{field}",
            )
        fee = self._fee(record, items, write)
        if fee != write.content.fee:
            raise Refused(
                "reminder {reminder_id}: its items charge {charged} at Billomat, the fee should be {fee}",
                reminder_id=write.reminder_id,
                charged=fee,
                fee=write.content.fee,
                cause="differs_fee",
            )
        return Checked(record, level, fee)

    def check_level(self, record: Record, write: WriteBack) -> int:
        """Return the level that Billomat chose. Raises `Refused` where another one was expected."""
        self.levels.rows()
        level = self.reading.level(record)
        if write.expected_provider_level is not None and level != write.expected_provider_level:
            raise Refused(
                "reminder {reminder_id}: Billomat chose its level {level}, expected was {expected_provider_level}; see the dunning levels in its settings",
                reminder_id=write.reminder_id,
                level=level,
                expected_provider_level=write.expected_provider_level,
                cause="differs_level",
            )
        return level

    @staticmethod
    def _must_be_draft(record: Record) -> None:
        if (status := wire.text(record, "status")) != "DRAFT":
            raise Refused(
                "reminder {record} is {status} at Billomat and no draft any more",
                record=wire.text(record, "id"),
                status=named(status),
                cause="no_draft",
            )

    @staticmethod
    def _differences(record: Record, write: WriteBack) -> Record:
        content = write.content
        wanted = {
            "due_date": content.deadline.isoformat() if content.deadline else None,
            "subject": content.subject or None,
            "intro": content.text or None,
        }
        return {
            field: value
            for field, value in wanted.items()
            if value is not None and _lines(wire.text(record, field)) != _lines(value)
        }

    # ---------------------------------------------------------------------------------------------------------------- fee

    def _add_fee(self, record: Record, items: list[Record], write: WriteBack) -> bool:
        """Add the fee unless the draft charges anything already, whoever put it there."""
        fee = write.content.fee
        if fee <= 0 or self._fee(record, items, write) != 0:
            return False
        title = self.levels.charge_title(record) or self.settings.fee_title
        self.api.add_item(
            {"reminder_id": int(str(write.reminder_id)), "title": title, "quantity": 1, "unit_price": str(fee)}
        )
        return True

    def _fee(self, record: Record, items: list[Record], write: WriteBack) -> Decimal:
        """Return what the items charge on top of the invoice: every item but one that repeats the invoice's own amount."""
        title = self.levels.charge_title(record)
        charged, principals = ZERO, 0
        for item in items:
            amount = _item_total(item)
            name = wire.text(item, "title")
            charge = wire.flag(item, "is_charge") or name in (title, self.settings.fee_title)
            if not charge and amount == write.content.principal and principals == 0:
                principals = 1
                continue
            charged += amount
        return charged

    def _check_amount(self, record: Record, write: WriteBack) -> None:
        """Compare the demanded amount. Whether Billomat counts the fee in is not documented, so both readings are right."""
        if not self.settings.check_amounts:
            return
        principal, fee = write.content.principal, write.content.fee
        shown = wire.amount(record, "open_amount")
        if shown is None:
            gross, paid = wire.amount(record, "total_gross"), wire.amount(record, "paid_amount")
            shown = None if gross is None else gross - (paid or ZERO)
        if shown not in (principal, principal + fee):
            raise Refused(
                "reminder {reminder_id}: Billomat asks for {shown}, should be {principal} and {fee} fee",
                reminder_id=write.reminder_id,
                shown=Sentence("nothing") if shown is None else shown,
                principal=principal,
                fee=fee,
                cause="differs_amount",
            )


def _item_total(item: Record) -> Decimal:
    try:
        total = wire.amount(item, "total")
        if total is not None:
            return total
        return (wire.amount(item, "quantity") or ZERO) * (wire.amount(item, "unit_price") or ZERO)
    except BadRecord as error:
        raise Refused("an item of the reminder has no amount: {error}", error=error, cause="differs_fee") from error


def _lines(text: Any) -> str:
    return "\n".join(line.rstrip() for line in str(text or "").replace("\r\n", "\n").strip().split("\n"))
