"""What sevDesk knows and how it changes: contacts, documents, payments, tags. Both people and the API act through it."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from bridge.testing.wire import Clock
from connectors.sevdesk.sandbox.behaviour import Behaviour
from connectors.sevdesk.sandbox.ledger import Entry, Ledger
from connectors.sevdesk.sandbox.records import (
    CreditNote,
    Document,
    Person,
    Plain,
    Transaction,
    midnight,
    moment,
    number,
    ref,
)

FIRST_ID = 135_000_000
KEYS = {1: "Privat", 2: "Arbeit", 3: "Fax", 4: "Mobil", 5: "", 6: "Autobox", 7: "Newsletter", 8: "Rechnungsadresse"}


class ApiError(Exception):
    """sevDesk's own refusal: HTTP status, code and message."""

    def __init__(self, status: int, code: int | None, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


class World:
    """All records. `version` rises with every change, so that lists can be kept until then."""

    def __init__(self, clock: Clock, behaviour: Behaviour) -> None:
        self.clock = clock
        self.behaviour = behaviour
        self.ledger = Ledger()
        self.version = 0
        self.documents: dict[int, Document] = {}
        self.contacts: dict[int, Person] = {}
        self.credit_notes: dict[int, CreditNote] = {}
        self.transactions: dict[int, Transaction] = {}
        self.plain: dict[str, dict[int, Plain]] = defaultdict(dict)
        self.ways_of: dict[int, list[Plain]] = defaultdict(list)
        self.reminders_of: dict[int, list[int]] = defaultdict(list)
        self.request: int | None = None
        self._next = FIRST_ID
        self._numbers = {"RE": 1000, "MA": 100, "GU": 500, "KD": 10_000}
        for id_, code, name in ((1, "de", "Deutschland"), (2, "ch", "Schweiz"), (6, "at", "Österreich")):
            self.add_plain("StaticCountry", {"code": code, "name": name, "nameEn": name}, id_)
        for id_, name in ((21919, "Überweisung"), (21920, "SEPA-Lastschrift")):
            self.add_plain("PaymentMethod", {"name": name}, id_)

    # ------------------------------------------------------------------------------------------------------ basics

    def new_id(self) -> int:
        self._next += 1
        return self._next

    def next_number(self, series: str) -> str:
        self._numbers[series] += 1
        return f"{series}-{self._numbers[series]}" if series != "KD" else str(self._numbers[series])

    def now(self) -> datetime:
        return self.clock.now().replace(microsecond=0)

    def note(self, act: str, invoice: int, record: int, **detail: str) -> None:
        """Write an effect into the ledger."""
        self.ledger.add(Entry(self.now(), act, str(invoice), str(record), detail, self.request))

    def changed(self, *records: Document | Person | CreditNote) -> None:
        self.version += 1
        for record in records:
            record.updated = self.now()

    def add_plain(self, model: str, data: dict[str, Any], id_: int | None = None) -> Plain:
        """Add a small record of a model."""
        self.version += 1
        now = self.now()
        times = {"create": moment(now), "update": moment(now)} if model != "StaticCountry" else {}
        plain = Plain(id_ or self.new_id(), {"objectName": model, **times, **data}, now)
        self.plain[model][plain.id] = plain
        return plain

    def document(self, id_: int) -> Document:
        """Return a row of `/Invoice`; raises what sevDesk answers for an unknown id."""
        if id_ not in self.documents:
            raise ApiError(404, 151, f"No Model_Invoice with the id {id_} was found")
        return self.documents[id_]

    def add_document(self, document: Document) -> Document:
        self.version += 1
        self.documents[document.id] = document
        if document.type == "MA" and document.origin is not None:
            self.reminders_of[document.origin].append(document.id)
        return document

    # --------------------------------------------------------------------------------------------------- reminders

    def remind(self, invoice: Document) -> Document:
        """Make the next reminder as a draft (createInvoiceReminder)."""
        if invoice.type not in ("RE", "AR", "TR", "ER"):
            raise ApiError(422, None, "Reminders can only be created for invoices")
        if invoice.status not in (200, 750):
            raise ApiError(422, None, "The invoice is not open")
        earlier = [self.documents[id_] for id_ in self.reminders_of[invoice.id] if id_ in self.documents]
        if self.behaviour.refuses_second_draft and any(other.status == 100 for other in earlier):
            raise ApiError(422, None, "There is an unsent reminder")
        level = max((other.level or 0 for other in earlier), default=0) + 1
        charges = self.behaviour.version == "1.0" or self.behaviour.fee_in_version_2
        today, now = self.clock.today(), self.now()
        reminder = Document(
            id=self.new_id(),
            type="MA",
            status=100,
            contact=invoice.contact,
            issued_on=today,
            created=now,
            updated=now,
            days=None,
            level=level,
            origin=invoice.id,
            debit=invoice.open,
            charge=self.behaviour.default_fee if charges and level > 1 else Decimal(0),
            deadline=today + timedelta(days=self.behaviour.deadline_days),
            header="Zahlungserinnerung" if level == 1 else f"{level - 1}. Mahnung",
        )
        self.add_document(reminder)
        if self.behaviour.level_rises == "create":
            invoice.level = level
        if self.behaviour.reminder_bumps_update:
            self.changed(invoice)
        self.note("reminder", invoice.id, reminder.id, level=str(level))
        return reminder

    def mark_sent(self, document: Document, way: str) -> None:
        """Mark as sent: number, status and level follow."""
        document.send_type, document.sent_at = way, self.now()
        document.number = document.number or self.next_number("MA" if document.type == "MA" else "RE")
        if document.status == 100:
            document.status = 200
        self.changed(document)
        origin = self.documents.get(document.origin) if document.origin is not None else None
        if document.type == "MA" and origin is not None:
            origin.level = max(origin.level or 0, document.level or 0)
            if self.behaviour.reminder_bumps_update:
                self.changed(origin)

    def delete(self, document: Document) -> None:
        """Delete a draft; anything else is refused."""
        if document.status != 100:
            raise ApiError(409, 159, "Only drafts can be deleted")
        del self.documents[document.id]
        self.version += 1
        if document.type == "MA" and document.origin is not None:
            self.reminders_of[document.origin].remove(document.id)
            origin = self.documents.get(document.origin)
            if origin is not None and self.behaviour.level_rises == "create":
                left = [self.documents[id_].level or 0 for id_ in self.reminders_of[document.origin]]
                origin.level = max(left, default=0) or None
        self.note("delete", document.origin or document.id, document.id)

    # ---------------------------------------------------------------------------------------------------- payments

    def book(self, document: Document, amount: Decimal, on: date, transaction: Transaction | None) -> None:
        """Book money on a document (bookAmount) with an entry in the log."""
        if document.status == 1000:
            raise ApiError(422, 750, "The invoice is already paid")
        before, document.paid = document.status, document.paid + amount
        total = document.gross if document.type != "MA" else (document.debit or Decimal(0)) + document.charge
        document.status = 1000 if document.paid >= total else (750 if document.paid > 0 else 200)
        document.paid_on = on if document.status == 1000 else None
        self.version += 1
        if self.behaviour.booking_bumps_update:
            self.changed(document)
        if transaction is None:
            account = next(iter(self.plain["CheckAccount"]), 0)
            transaction = self.add_transaction(account, amount, on, status=400, purpose=document.number)
        transaction.status = 400
        self.add_plain(
            "CheckAccountTransactionLog",
            {
                "checkAccountTransaction": ref(transaction.id, "CheckAccountTransaction"),
                "fromStatus": str(before),
                "toStatus": str(document.status),
                "amountPaid": number(amount),
                "bookingDate": midnight(on),
                "object": ref(document.id, "Invoice"),
            },
        )

    def take_back(self, document: Document) -> None:
        """Unlink all payments (resetToOpen), as after a returned debit."""
        log = self.plain["CheckAccountTransactionLog"]
        for id_ in [id_ for id_, entry in log.items() if entry.data["object"] == ref(document.id, "Invoice")]:
            entry = log.pop(id_)
            self.transactions[int(entry.data["checkAccountTransaction"]["id"])].status = 100
        document.paid, document.paid_on, document.status = Decimal(0), None, 200
        self.version += 1
        if self.behaviour.booking_bumps_update:
            self.changed(document)

    def add_transaction(
        self, account: int, amount: Decimal, on: date, *, status: int = 100, purpose: str | None = None,
        payer: str | None = None, iban: str | None = None, entered: datetime | None = None,
    ) -> Transaction:  # fmt: skip
        transaction = Transaction(
            self.new_id(), account, amount, on, entered or self.now(), status, purpose, payer, iban
        )
        self.transactions[transaction.id] = transaction
        self.version += 1
        return transaction

    # ------------------------------------------------------------------------------- cancellations and credit notes

    def cancel(self, invoice: Document) -> Document:
        """Cancel an invoice (cancelInvoice)."""
        if any(other.type == "SR" and other.origin == invoice.id for other in self.documents.values()):
            raise ApiError(422, 421, "The invoice is already cancelled")
        if any(note.reduces == invoice.id for note in self.credit_notes.values()):
            raise ApiError(422, 170, "A credit note stands beside the invoice")
        if invoice.paid > 0:
            raise ApiError(200, 390, "A partly paid invoice cannot be cancelled")
        now = self.now()
        cancellation = Document(
            id=self.new_id(),
            type="SR",
            status=1000,
            contact=invoice.contact,
            issued_on=self.clock.today(),
            created=now,
            updated=now,
            number=self.next_number("RE"),
            days=None,
            gross=-invoice.gross,
            origin=invoice.id,
            send_type="VPDF",
            has_time=True,
            header=f"Stornorechnung zu {invoice.number}",
        )
        invoice.status = self.behaviour.cancelled_status
        self.changed(invoice)
        return self.add_document(cancellation)

    # -------------------------------------------------------------------------------------------------------- tags

    def tag(self, name: str, invoice: Document | None, *, contact: Person | None = None) -> Plain:
        """Put a tag on an invoice (or a contact), creating the tag if need be."""
        tag = next((tag for tag in self.plain["Tag"].values() if tag.data["name"] == name), None)
        if tag is None:
            tag = self.add_plain("Tag", {"name": name, "additionalInformation": None})
        target = ref(invoice.id, "Invoice") if invoice is not None else ref(contact.id if contact else None, "Contact")
        for relation in self.plain["TagRelation"].values():
            if relation.data["tag"]["id"] == str(tag.id) and relation.data["object"] == target:
                return relation
        relation = self.add_plain("TagRelation", {"tag": ref(tag.id, "Tag"), "object": target})
        if invoice is not None:
            if self.behaviour.tag_bumps_update:
                self.changed(invoice)
            self.note("tag", invoice.id, relation.id, tag=name)
        return relation
