"""The sandboxes as the simulation sees them: what a person does there, what they believe, where faults strike."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import ClassVar
from zoneinfo import ZoneInfo

from bridge.contract import Act
from connectors.billomat.sandbox import Sandbox as BillomatSandbox
from connectors.sevdesk.sandbox import Sandbox as SevDeskSandbox

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = date(2026, 3, 2)


@dataclass(frozen=True)
class Truth:
    """What the provider believes of one invoice."""

    open: Decimal
    stopped: str  # paid, cancelled, blocked, or empty
    by_hand: frozenset[str]  # reminders that people made


@dataclass(frozen=True)
class Sent:
    """One message that went to a debtor, as the ledger of whoever sent it has it; `asked` maps invoices to what was asked for."""

    ident: str
    on: date
    asked: tuple[tuple[str, Decimal | None], ...]
    total: Decimal | None
    to: tuple[str, ...] = ()
    reminder: str = ""

    @property
    def invoices(self):
        return [invoice for invoice, _ in self.asked]


class Provider:
    """One account at one sandbox."""

    name = ""
    paths: ClassVar = {}

    def __init__(self):
        self.blocked, self.hands, self.numbers, self.emails = set(), {}, {}, {}

    @property
    def faults(self):
        return self.sandbox.faults

    def start(self):
        self.sandbox.start()

    def stop(self):
        self.sandbox.stop()
        assert self.sandbox.server.errors == []

    def now(self):
        return self.sandbox.clock.now()

    def advance(self, days):
        day = self.sandbox.today + timedelta(days=days)
        self.sandbox.today = datetime(day.year, day.month, day.day, 9, tzinfo=BERLIN)

    def add(self, debtor, gross):
        """Add an overdue invoice of this debtor; return its id."""
        if debtor not in self.hands:
            self.hands[debtor] = self.person(f"Kunde {debtor}", f"rechnung{debtor}@kunde.example")
        invoice = self.invoice(self.hands[debtor], gross, f"RE-{len(self.numbers) + 1}")
        self.numbers[f"RE-{len(self.numbers) + 1}"] = invoice
        self.emails[invoice] = f"rechnung{debtor}@kunde.example"
        return invoice

    def block(self, invoice):
        self.blocked.add(invoice)
        self.tag(invoice)


class BillomatProvider(Provider):
    name = "billomat"
    paths: ClassVar = {
        Act.CREATE: ("POST", r"/reminders$"),
        Act.COMPLETE: ("PUT", r"/reminders/\d+/complete"),
        Act.SEND_EMAIL: ("POST", r"/reminders/\d+/email"),
        Act.NOTE: ("POST", r"/invoice-comments"),
        Act.DISCARD: ("DELETE", r"/reminders/\d+"),
        "read": ("GET", r""),
    }

    def __init__(self):
        super().__init__()
        free = tuple((name, "0") for name in ("Erinnerung", "Mahnung", "Mahnung 2", "Mahnung 3", "Mahnung 4"))
        self.sandbox = BillomatSandbox(today=datetime(2026, 3, 2, 9, tzinfo=BERLIN), limit=None, levels=free)
        self.proof = ("X-BillomatApiKey", self.sandbox.key)

    def person(self, name, email):
        return self.sandbox.add_client(name, email=email)

    def invoice(self, person, gross, number):
        return self.sandbox.add_invoice(person, gross, due_on=date(2026, 2, 2), number=number)

    def pay(self, invoice, amount=None):
        if self.truth(invoice).open > 0:
            self.sandbox.pay(invoice, amount)

    def tag(self, invoice):
        self.sandbox.tag_invoice(invoice, "mahnstopp")

    def cancel(self, invoice):
        if self.truth(invoice).stopped != "paid":
            self.sandbox.cancel(invoice)

    def by_hand(self, invoice):
        if not self.truth(invoice).stopped:
            self.sandbox.remind_by_hand(invoice)

    def truth(self, invoice):
        with self.sandbox.server.lock:
            row = self.sandbox.books.invoices.rows[int(invoice)]
            stopped = {"PAID": "paid", "CANCELED": "cancelled"}.get(row["status"], "")
            hands = {str(one["id"]) for one in self.sandbox.reminders(invoice) if not one["label"]}
            return Truth(
                row["open_amount"], stopped or ("blocked" if invoice in self.blocked else ""), frozenset(hands)
            )

    def sent(self):
        return [
            Sent(f"{number}", one.at.date(), ((one.invoice_id, one.demanded),), one.demanded, one.to, one.reminder_id)
            for number, one in enumerate(self.sandbox.ledger.sendings())
            if one.label
        ]

    def records(self):
        """Return the invoice of every finished reminder that we made."""
        rows = self.sandbox.books.reminders.rows.values()
        return [str(row["invoice_id"]) for row in rows if row["label"] and row["status"] not in ("DRAFT", "CANCELED")]

    def drafts(self):
        """Return the drafts that we made and that still stand there."""
        rows = self.sandbox.books.reminders.rows.values()
        return {str(row["id"]) for row in rows if row["status"] == "DRAFT" and row["label"]}


class SevDeskProvider(Provider):
    name = "sevdesk"
    paths: ClassVar = {
        Act.CREATE: ("POST", r"/Invoice/Factory/createInvoiceReminder"),
        Act.SEND_EMAIL: ("POST", r"/Invoice/\d+/sendViaEmail"),
        Act.MARK_SENT: ("PUT", r"/Invoice/\d+/sendBy"),
        Act.AMEND: ("PUT", r"/Invoice/\d+$"),
        Act.DISCARD: ("DELETE", r"/Invoice/\d+"),
        "read": ("GET", r""),
    }

    def __init__(self):
        super().__init__()
        self.sandbox = SevDeskSandbox(today=MONDAY)
        self.proof = ("Authorization", self.sandbox.token)
        self.cancelled = set()
        self._see_bank()

    def advance(self, days):
        super().advance(days)
        self._see_bank()

    def _see_bank(self):
        """Let the bank feed live."""
        self.sandbox.add_transaction("-4.90", purpose="Kartenzahlung", status=400)

    def person(self, name, email):
        return self.sandbox.add_contact(name, email=email)

    def invoice(self, person, gross, number):
        return self.sandbox.add_invoice(person, gross=gross, issued_on=date(2026, 1, 19), number=number)

    def pay(self, invoice, amount=None):
        if self.truth(invoice).open > 0 and not self.truth(invoice).stopped:
            self.sandbox.pay(invoice, amount)

    def tag(self, invoice):
        self.sandbox.tag(invoice, "Mahnsperre")

    def cancel(self, invoice):
        if not self.truth(invoice).stopped:
            self.sandbox.cancel(invoice)
            self.cancelled.add(invoice)

    def by_hand(self, invoice):
        if not self.truth(invoice).stopped:
            self.sandbox.remind_by_hand(invoice)

    def truth(self, invoice):
        with self.sandbox.server.lock:
            row = self.sandbox.document(invoice)
            made = {entry.record for entry in self.sandbox.ledger.of("reminder", invoice)}
            hands = {str(one.id) for one in self.sandbox.reminders(invoice)} - made
            stopped = "cancelled" if invoice in self.cancelled else "paid" if row.open <= 0 else ""
            return Truth(row.open, stopped or ("blocked" if invoice in self.blocked else ""), frozenset(hands))

    def sent(self):
        found = []
        for number, entry in enumerate(self.sandbox.ledger.of("mail")):
            reminder = self.sandbox.document(entry.record)
            to, asked = tuple(entry.detail["toEmail"].split(",")), reminder.debit + reminder.charge
            on = entry.at.astimezone(BERLIN).date()
            found.append(Sent(f"{number}", on, ((entry.invoice, asked),), asked, to, entry.record))
        return found

    def records(self):
        """Return the invoice of every finished reminder that we made."""
        made = {entry.record: entry.invoice for entry in self.sandbox.ledger.of("reminder")}
        documents = self.sandbox.world.documents.values()
        return [made[str(one.id)] for one in documents if str(one.id) in made and one.status != 100]

    def drafts(self):
        made = {entry.record for entry in self.sandbox.ledger.of("reminder")}
        return {
            str(one.id) for one in self.sandbox.world.documents.values() if one.status == 100 and str(one.id) in made
        }
