"""Looking: some invoices with everything that can stop their reminders, read from sevDesk now."""

from collections.abc import Iterator, Sequence

from bridge.contract import (
    BadRecord,
    Debtor,
    Invoice,
    InvoiceStatus,
    NotFound,
    ProviderNotice,
    Ref,
    Relation,
    Snapshot,
)
from connectors.sevdesk.invoices import CREDIT
from connectors.sevdesk.reading import Circumstances, Reader
from connectors.sevdesk.records import ZERO, ident
from connectors.sevdesk.reminders import paid_by_origin


class Look:
    """One batch of looks: reminders, cancellations, credit notes, tags and bank transactions are read once for all."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._api = reader.api
        self._debtors: dict[str, Debtor | None] = {}

    def snapshots(self, refs: Sequence[Ref]) -> Iterator[Snapshot]:
        """Yield one snapshot for each invoice, in order.

        Raises `BadRecord` where an invoice, its customer, a reminder or a credit note of it does not fit: nothing may be left out.
        """
        if not refs:
            return
        wanted = {ref.id for ref in refs}
        around = self._reader.circumstances()
        notices = self._notices(wanted, around)
        related = self._related(wanted)
        for ref in refs:
            yield self._snapshot(ref, around, tuple(notices.get(ref.id, ())), tuple(related.get(ref.id, ())))

    def _snapshot(
        self, ref: Ref, around: Circumstances, notices: tuple[ProviderNotice, ...], related: tuple[Invoice, ...]
    ) -> Snapshot:
        taken_at = self._api.http.now()
        try:
            invoice, debtor = self._invoice(ref.id, around)
        except NotFound:
            return Snapshot(invoice_id=ref.id, taken_at=taken_at, found=False)
        if invoice is not None and any(other.relation is Relation.CANCELS for other in related):
            invoice = invoice.model_copy(update={"status": InvoiceStatus.CANCELLED, "open": ZERO})
        return Snapshot(
            invoice_id=ref.id,
            taken_at=taken_at,
            invoice=invoice,
            debtor=debtor,
            notices=notices,
            related=related,
            payments_as_of=around.bank.as_of,
        )

    def _invoice(self, id_: str, around: Circumstances) -> tuple[Invoice | None, Debtor | None]:
        if id_.startswith(CREDIT):
            return self._reader.invoices.credit_note(self._api.credit_note(id_.removeprefix(CREDIT))), None
        raw = self._api.invoice(id_)
        contact, debtor, misfit = raw.get("contact"), None, None
        if isinstance(contact, dict):
            try:
                debtor = self._debtor(str(contact.get("id")), around)
            except BadRecord as error:
                misfit = error
            if debtor is None and misfit is None:
                misfit = BadRecord("its customer does not exist", field="contact.id", value=contact.get("id"))
        invoice = self._reader.invoice(raw, around)
        if misfit is not None and invoice is not None and invoice.status is InvoiceStatus.OPEN:
            raise misfit  # whether the customer is blocked, and who is written to, cannot be told
        return invoice, debtor

    def _debtor(self, id_: str, around: Circumstances) -> Debtor | None:
        """Read a contact once, with the payments that it, or the organisation it belongs to, may have made."""
        if id_ not in self._debtors:
            try:
                raw = self._api.contact(id_)
            except NotFound:
                self._debtors[id_] = None
                return None
            parent = self._reader.contacts.parent_of(raw)
            debtor = self._reader.debtor(raw, self._reader.reach(filter(None, (id_, parent))), around)
            payers = list(around.bank.from_payer(debtor))
            if parent and around.bank.incoming and (organisation := self._debtor(parent, around)) is not None:
                payers += around.bank.from_payer(organisation)
            around.payers[id_] = [item.id for item in payers]
            self._debtors[id_] = debtor
        return self._debtors[id_]

    def _notices(self, wanted: set[str], around: Circumstances) -> dict[str, list[ProviderNotice]]:
        """Return the reminders of the wanted invoices; what was booked on them counts for their invoices."""
        found: dict[str, list[ProviderNotice]] = {}
        booked = []
        for raw in self._api.whole(self._api.documents_of_type("MA")):
            origin = raw.get("origin") if isinstance(raw, dict) and raw.get("invoiceType") == "MA" else None
            if not isinstance(origin, dict) or str(origin.get("id")) not in wanted:
                continue
            reminder = self._reader.reminders.reminder(raw)
            if reminder is not None and all(reminder.notice.id != n.id for n in found.get(str(origin["id"]), ())):
                found.setdefault(reminder.notice.invoice_id, []).append(reminder.notice)
                booked.append((reminder.notice.invoice_id, reminder.paid))
        around.paid_on_reminders = paid_by_origin(booked)
        return found

    def _related(self, wanted: set[str]) -> dict[str, list[Invoice]]:
        """Return cancellations and credit notes of the wanted invoices."""
        found: dict[str, list[Invoice]] = {}
        for raw in self._api.whole(self._api.documents_of_type("SR")):
            origin = raw.get("origin") if isinstance(raw, dict) and raw.get("invoiceType") == "SR" else None
            if isinstance(origin, dict) and str(origin.get("id")) in wanted:
                found.setdefault(str(origin["id"]), []).append(self._cancellation(raw, str(origin["id"])))
        for raw in self._api.whole(self._api.credit_notes()):
            try:
                note = self._reader.invoices.credit_note(raw)
            except BadRecord:
                named = (raw.get("refSrcInvoice"), raw.get("origin")) if isinstance(raw, dict) else ()
                if not wanted.isdisjoint(map(ident, named)):
                    raise
                continue  # a credit note of another invoice says nothing about these
            if note.origin_id in wanted:
                found.setdefault(str(note.origin_id), []).append(note)
        return found

    def _cancellation(self, raw: dict[str, object], origin: str) -> Invoice:
        """Return a cancellation; one that does not fit excludes its origin all the same."""
        try:
            invoice = self._reader.invoices.invoice(raw)
        except BadRecord:
            invoice = None
        if invoice is not None and invoice.relation is Relation.CANCELS:
            return invoice
        return Invoice(
            id=str(raw.get("id")),
            kind="cancellation",
            status=InvoiceStatus.UNKNOWN,
            gross=ZERO,
            open=ZERO,
            origin_id=origin,
            relation=Relation.CANCELS,
        )
