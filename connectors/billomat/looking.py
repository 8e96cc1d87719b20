"""Looking at single invoices right before something is written: every answer is read now.

For an open invoice: the invoice, its client and contact, tags, reminders, newest history entry, payments, and what the client has
open in its favour. An invoice that is paid or cancelled needs no more than its reminders. Clients, and the lists that Billomat
only offers as a whole, are read once per batch.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime

from bridge.contract import (
    BadRecord,
    Debtor,
    Invoice,
    InvoiceKind,
    NotFound,
    NoticeStatus,
    Payment,
    ProviderNotice,
    Ref,
    Snapshot,
)
from connectors.billomat import tags, wire
from connectors.billomat.api import OPEN_STATES, Api, Record
from connectors.billomat.invoices import contact_email
from connectors.billomat.reading import CREDIT_NOTE_PREFIX, Reading, is_correction, is_live, shows_sending
from connectors.billomat.settings import Settings

Readable = tuple[Record, Callable[[Record], Invoice]]
_INDEX_FROM = 4  # from so many invoices on, it is asked whether one listing of all reminders is cheaper
_BATCH_FROM = 3  # from so many on, clients, tags in use and credit notes are asked for together


class Look:
    """One batch of looks; it forgets what it read when it ends."""

    def __init__(self, api: Api, settings: Settings, reading: Reading, now: datetime) -> None:
        self.api = api
        self.settings = settings
        self.reading = reading
        self.now = now
        self.today: date = now.astimezone(reading.zone).date()
        self._clients: dict[str, Debtor | None] = {}
        self._credits: dict[str, list[Readable]] = {}
        self._contacts: dict[str, str] = {}
        self._index: dict[str, list[Record]] | None = None
        self._stops: dict[str, tuple[str, ...]] = {}
        self._batch: list[str] = []
        self._ahead: dict[str, Record] | None = None
        self._notes: list[Record] | None = None

    def snapshots(self, refs: Sequence[Ref]) -> Iterator[Snapshot]:
        """Yield one snapshot for each of `refs`, in order.

        Raises `BadRecord` where an invoice, its client, a reminder or a credit that may be for it does not fit: nothing may be left
        out here. What belongs to other invoices of the client is not judged.
        """
        self._batch = [ref.id for ref in refs] if len(refs) >= _BATCH_FROM else []
        if not self._batch:
            self._stops = {"invoice": tuple(self.settings.invoice_tags), "client": tuple(self.settings.client_tags)}
        for place, ref in enumerate(refs):
            yield self._snapshot(ref, left=len(refs) - place)

    def _snapshot(self, ref: Ref, left: int) -> Snapshot:
        try:
            if ref.id.startswith(CREDIT_NOTE_PREFIX):
                raw = self.api.credit_note(ref.id.removeprefix(CREDIT_NOTE_PREFIX))
                note = self.reading.credit_note(wire.without_unset_dates(raw))
                return Snapshot(invoice_id=ref.id, taken_at=self.now, invoice=note)
            raw = wire.without_unset_dates(self.api.invoice(ref.id))
        except NotFound:
            return Snapshot(invoice_id=ref.id, taken_at=self.now, found=False)
        return self._open_or_done(ref, raw, left)

    def _open_or_done(self, ref: Ref, raw: Record, left: int) -> Snapshot:
        if wire.text(raw, "status") not in OPEN_STATES:
            return self._done(ref, raw, left)
        names = self._tags("invoice", ref.id)
        invoice = self.reading.invoice(raw, tags=names, email=contact_email(self.api, raw, None, self._contacts))
        debtor = self._client(invoice.debtor_id)
        if debtor is None and invoice.debtor_id is not None:
            raise BadRecord("its client does not exist", field="client_id", value=invoice.debtor_id)
        history = self.api.comments(ref.id)
        return Snapshot(
            invoice_id=ref.id,
            taken_at=self.now,
            invoice=invoice,
            debtor=debtor,
            notices=tuple(self._reminders(ref.id, invoice.number, left, history)),
            related=tuple(self._open_credits(invoice)),
            payments=tuple(self._payments(raw, ref.id)),
            history_head=str(max(map(wire.number, history))) if history else None,
        )

    def _done(self, ref: Ref, raw: Record, left: int) -> Snapshot:
        """Return a paid or cancelled invoice with its reminders, for they are taken to be all that there are; a draft has none."""
        invoice = self.reading.invoice(raw)
        drafted = wire.text(raw, "status") == "DRAFT"
        notices = [] if drafted else self._reminders(ref.id, invoice.number, left, ())
        return Snapshot(invoice_id=ref.id, taken_at=self.now, invoice=invoice, notices=tuple(notices))

    def _client(self, client_id: str | None) -> Debtor | None:
        if client_id is None:
            return None
        if client_id not in self._clients:
            try:
                raw = wire.without_unset_dates(self._client_record(client_id))
                self._clients[client_id] = self.reading.debtor(raw, tags=self._tags("client", client_id))
            except NotFound:
                self._clients[client_id] = None
        return self._clients[client_id]

    def _client_record(self, client_id: str) -> Record:
        """Return a client; in a batch, all clients of its invoices are read with the first one that is needed."""
        if self._ahead is None:
            self._ahead = {}
            ids, size = [key for key in self._batch if key.isdigit()], self.settings.client_chunk
            for start in range(0, len(ids), size):
                self._ahead.update(
                    {str(wire.number(row)): row for row in self.api.clients_of(ids[start : start + size])}
                )
        return self._ahead.get(client_id) or self.api.client(client_id)

    def _tags(self, kind: str, record_id: str) -> tuple[str, ...]:
        if kind not in self._stops:
            meaning = self.settings.invoice_tags if kind == "invoice" else self.settings.client_tags
            used = tags.in_use(self.api, kind) if meaning else {}
            self._stops[kind] = tuple(name for name in meaning if name.casefold() in used)
        return tags.of_record(self.api, kind, record_id, self._stops[kind])

    def _payments(self, raw: Record, invoice_id: str) -> list[Payment]:
        if not wire.amount(raw, "paid_amount"):
            return []
        found = self.api.payments(invoice_id=invoice_id)
        return [self.reading.payment(row) for row in found if wire.text(row, "invoice_id") == invoice_id]

    def _open_credits(self, invoice: Invoice) -> list[Invoice]:
        """Return the client's open credit notes and corrections that are for this invoice or for none in particular."""
        client_id = invoice.debtor_id
        if client_id is None or invoice.kind is InvoiceKind.CREDIT_NOTE:
            return []
        if client_id not in self._credits:
            rows = self.api.invoices(client_id=client_id, status=",".join(OPEN_STATES))
            mine = [row for row in rows if wire.text(row, "client_id") == client_id]
            found: list[Readable] = [(row, self.reading.invoice) for row in mine if is_correction(row)]
            if self.settings.credit_notes:
                found += [(row, self.reading.credit_note) for row in self._notes_of(client_id)]
            self._credits[client_id] = [(row, read) for row, read in found if wire.text(row, "status") in OPEN_STATES]
        here = (None, invoice.id)
        return [read(row) for row, read in self._credits[client_id] if wire.reference(row, "invoice_id") in here]

    def _notes_of(self, client_id: str) -> list[Record]:
        """Return a client's open credit notes; in a batch, all open ones are listed once."""
        if self._batch and self._notes is None:
            self._notes = self.api.credit_notes(status="OPEN")
        rows = self.api.credit_notes(client_id=client_id, status="OPEN") if self._notes is None else self._notes
        return [row for row in rows if wire.text(row, "client_id") == client_id]

    # ---------------------------------------------------------------------------------------------------------- reminders

    def _reminders(
        self, invoice_id: str, number: str | None, left: int, history: Sequence[Record]
    ) -> list[ProviderNotice]:
        found = []
        for row in self._reminder_rows(invoice_id, number, left):
            notice = self.reading.notice(row)
            sent = is_live(row) and shows_sending(notice, history)
            found.append(notice.model_copy(update={"status": NoticeStatus.SENT}) if sent else notice)
        return found

    def _reminder_rows(self, invoice_id: str, number: str | None, left: int) -> list[Record]:
        """Return the reminders of one invoice. They cannot be asked for by its id, only by a part of its number."""
        if self._index is None and (number is None or self._indexing_is_cheaper(left)):
            self._index = {}
            for row in wire.distinct([row for page in self.api.reminder_pages() for row in page.records]):
                self._index.setdefault(wire.text(row, "invoice_id") or "", []).append(row)
        if self._index is not None:
            return self._index.get(invoice_id, [])
        return reminders_of(self.api, invoice_id, str(number))

    def _indexing_is_cheaper(self, left: int) -> bool:
        if left < _INDEX_FROM:
            return False
        total = self.api.count("/reminders")
        return total is not None and -(-total // self.settings.page_size) + 1 < left


def reminders_of(api: Api, invoice_id: str, number: str) -> list[Record]:
    """Return the reminders of an invoice by its number; every row is checked, for the filter matches parts of numbers."""
    return [row for row in api.reminders(invoice_number=number) if wire.text(row, "invoice_id") == invoice_id]
