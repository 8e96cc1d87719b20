"""What a pull makes of rows, and what it must keep in mind of them for the next time."""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from bridge.contract import (
    ConfigError,
    Invoice,
    NotFound,
    NoticeStatus,
    Payment,
    ProviderNotice,
    Refused,
    Reject,
)
from connectors.sevdesk.contacts import Reach
from connectors.sevdesk.reading import Circumstances, Reader
from connectors.sevdesk.records import ident, sorted_out
from connectors.sevdesk.reminders import Reminder, paid_by_origin
from connectors.sevdesk.signs import Signs
from connectors.sevdesk.state import Draft, OnReminder, State

OPEN_CREDITS = frozenset({"200", "750"})


class Ledger:
    """Turns rows into records and keeps the pull's memory."""

    def __init__(self, reader: Reader, state: State, around: Circumstances) -> None:
        self._reader = reader
        self._api = reader.api
        self._state = state
        self._around = around
        self._touched: set[str] = set()
        self._carry()

    def _carry(self) -> None:
        """Bring what earlier steps and pulls found out to bear on the records to come."""
        self._around.payers = self._state.payers
        self._around.paid_on_reminders = paid_by_origin(
            (entry.invoice, entry.value) for entry in self._state.on_reminders.values()
        )

    def begin(self) -> None:
        """Forget what a full reading finds out anew."""
        self._state.drafts_before, self._state.drafts = self._state.drafts, {}
        self._state.on_reminders, self._state.payers = {}, {}
        self._carry()

    # --------------------------------------------------------------------------------------------------- documents

    def documents(self, rows: Iterable[Any]) -> list[object]:
        """Return invoices, cancellations and reminders of rows of `/Invoice`, and rejects."""
        found: list[object] = []
        for raw in rows:
            if isinstance(raw, Mapping) and raw.get("invoiceType") == "MA":
                record: object = self._reminder(raw)
            else:
                record = sorted_out("invoice", raw, lambda row: self._reader.invoice(row, self._around))
            if record is not None:
                found.append(record)
            if isinstance(record, Invoice):
                found.extend(self._money(record, raw))
        return found

    def _money(self, invoice: Invoice, raw: Any) -> Iterator[Payment]:
        """Yield the payment that stands for all money on the invoice, where the payment log cannot be read.

        One of nothing takes back what was seen before; it comes for invoices that changed since the last full reading.
        """
        if self._state.log_rows is None and invoice.relation is None:
            since, moment = self._state.full_at, invoice.updated_at
            changed = since is not None and moment is not None and moment >= since
            if invoice.paid > 0 or changed:
                yield self._reader.payment_of(invoice, raw)

    def _reminder(self, raw: Any) -> ProviderNotice | Reject | None:
        reminder = sorted_out("reminder", raw, self._reader.reminders.reminder)
        if not isinstance(reminder, Reminder):
            return reminder
        notice, state = reminder.notice, self._state
        if notice.status is NoticeStatus.DRAFT:
            state.drafts[notice.id] = Draft(invoice=notice.invoice_id, level=notice.level)
        else:
            state.drafts.pop(notice.id, None)
            state.drafts_before.pop(notice.id, None)
        before = state.on_reminders.pop(notice.id, None)
        if reminder.paid > 0:
            state.on_reminders[notice.id] = OnReminder(invoice=notice.invoice_id, amount=str(reminder.paid))
        if before != state.on_reminders.get(notice.id):
            self._touched.add(notice.invoice_id)
            self._carry()
        return notice

    def touched(self) -> list[object]:
        """Return the invoices on whose reminders money came or went, read again."""
        touched, self._touched = self._touched, set()
        return self.documents(self._fetched(touched))

    def _fetched(self, ids: Iterable[str]) -> Iterator[Any]:
        for id_ in sorted(ids):
            try:
                yield self._api.invoice(id_)
            except NotFound:
                continue  # deleted drafts; what was stored as open is looked at after a full reading

    def reminders_gone(self) -> list[object]:
        """Return what became of reminder drafts that were there the last time: people delete them without a trace."""
        state = self._state
        if state.listing is None:
            known = dict(state.drafts)
            if not known:
                return []
            there = {
                ident(row)
                for page in self._api.documents_of_type("MA", {"status": "100"})
                for row in page.rows
                if isinstance(row, Mapping) and str(row.get("status")) == "100"
            }
        else:
            known, there = dict(state.drafts_before), set(state.drafts)
        return [record for id_ in sorted(known.keys() - there) for record in self._gone(id_, known[id_])]

    def _gone(self, id_: str, draft: Draft) -> list[object]:
        try:
            return self.documents([self._api.invoice(id_)])
        except NotFound:
            self._state.drafts.pop(id_, None)
            return [ProviderNotice(id=id_, invoice_id=draft.invoice, level=draft.level, status=NoticeStatus.CANCELLED)]

    # ---------------------------------------------------------------------------------------------- credit notes

    def credits(self) -> list[object]:
        """Return all credit notes."""
        rows = [row for page in self._api.credit_notes() for row in page.rows]
        self._state.credits = sorted(id_ for row in rows if _is_open(row) and (id_ := ident(row)))
        return [sorted_out("credit_note", row, self._reader.invoices.credit_note) for row in rows]

    def credit_changes(self) -> list[object]:
        """Return the open credit notes, and those that were open and are no more; there is no list of changes."""
        rows: dict[str, Any] = {}
        for status in sorted(OPEN_CREDITS):
            for page in self._api.credit_notes({"status": status}):
                rows.update((ident(row) or "", row) for row in page.rows if _is_open(row))
        for id_ in set(self._state.credits) - rows.keys():
            try:
                rows[id_] = self._api.credit_note(id_)
            except NotFound:
                continue
        self._state.credits = sorted(id_ for id_, row in rows.items() if id_ and _is_open(row))
        return [sorted_out("credit_note", row, self._reader.invoices.credit_note) for row in rows.values()]

    # -------------------------------------------------------------------------------------------------- contacts

    def contacts(self, rows: Iterable[Any], reach: Mapping[str, Reach]) -> list[object]:
        """Return debtors of contact rows, and remember whose unbooked payments are at the bank."""
        found: list[object] = []
        state = self._state
        for raw in rows:
            record = sorted_out("contact", raw, lambda row: self._reader.debtor(row, reach, self._around))
            found.append(record)
            if isinstance(record, Reject):
                continue
            incoming = [item.id for item in self._around.bank.from_payer(record)]
            state.payers.pop(record.id, None)
            if incoming:
                state.payers[record.id] = incoming
        return found

    def contact(self, id_: str) -> dict[str, Any]:
        """Return one contact's row by its id; nothing where there is none."""
        try:
            return {id_: self._api.contact(id_)}
        except NotFound:
            return {}

    # ------------------------------------------------------------------------------------------------------- signs

    def contacts_with_new_signs(self) -> AbstractSet[str]:
        """Return the contacts whose block changed since the last time."""
        return _changed(self._state.blocks, self._blocks())

    def marked(self) -> list[object]:
        """Return the invoices whose blocking tags changed since the last time, read again."""
        return self.documents(self._fetched(_changed(self._state.marks, self._marks())))

    def note_signs(self) -> None:
        """Remember the signs, to see next time which changed."""
        self._state.blocks, self._state.marks = self._blocks(), self._marks()
        self._state.bank, self._state.unreadable = self._around.bank.digest, self._around.unreadable

    def _blocks(self) -> dict[str, str]:
        signs: Signs = self._around.signs
        contacts = signs.contact_tags.keys() | signs.blocks.keys()
        return _told({id_: self._reader.signs.on_contact(signs, id_) for id_ in contacts})

    def _marks(self) -> dict[str, str]:
        signs: Signs = self._around.signs
        return _told({id_: self._reader.signs.on_invoice(signs, id_) for id_ in signs.invoice_tags})

    # ---------------------------------------------------------------------------------------------------- payments

    def payments(self, *, from_start: bool) -> Iterator[list[object]]:
        """Yield the entries of the payment log: all, or those since the last time. A log that cannot be read is left out."""
        state = self._state
        start = 0 if from_start or state.log_rows is None else max(state.log_rows - 1, 0)
        if not from_start and state.log_rows is None:
            return
        reminders = {id_: entry.invoice for id_, entry in state.on_reminders.items()}
        last, count = "", 0
        try:
            for page in self._api.payment_log(start=start):
                if start and not count and ident(page.rows[0]) != state.log_last:
                    yield from self.payments(from_start=True)  # entries were taken out: read all
                    return
                count = page.offset
                last = ident(page.rows[-1]) or ""
                yield [
                    record
                    for row in page.rows
                    if (record := sorted_out("payment", row, lambda raw: self._reader.bank.payment(raw, reminders)))
                ]
        except (Refused, ConfigError) as error:
            if error.cause == "http_401":
                raise
            state.log_rows = None
            return
        if count or not start:
            state.log_rows, state.log_last = count, last
        else:
            yield from self.payments(from_start=True)


def _is_open(row: Any) -> bool:
    return isinstance(row, Mapping) and str(row.get("status")) in OPEN_CREDITS


def _changed(before: Mapping[str, str], now: Mapping[str, str]) -> AbstractSet[str]:
    return {id_ for id_ in before.keys() | now.keys() if before.get(id_) != now.get(id_)}


def _told(flags: Mapping[str, Iterable[Any]]) -> dict[str, str]:
    """Return the flags of each record as one text to compare; records without are left out."""
    told = {id_: ";".join(f"{flag.reason}/{flag.source}/{flag.until}" for flag in of) for id_, of in flags.items()}
    return {id_: text for id_, text in told.items() if text}
