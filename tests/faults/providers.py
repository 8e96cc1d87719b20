"""The sandboxes as the simulation sees them: what people do there, what they believe, where faults strike."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import ClassVar
from zoneinfo import ZoneInfo

from bridge.contract import Act
from connectors.billomat.sandbox import Sandbox as BillomatSandbox
from connectors.billomat.sandbox.reminding import add_item
from connectors.sevdesk.sandbox import Sandbox as SevDeskSandbox

BERLIN = ZoneInfo("Europe/Berlin")
ISSUED, DUE = 42, 28
"""Days before a history begins at which its invoices were written, and fell due."""


@dataclass(frozen=True)
class Truth:
    """What the provider believes of one invoice."""

    open: Decimal
    stopped: str  # paid, credited, cancelled, blocked, in debit, deferred, or empty
    by_hand: frozenset[str]  # reminders that people made
    to: str = ""  # whom mails go to


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
    """One account at one sandbox, of which a history makes its own."""

    name = ""
    paths: ClassVar = {}

    def __init__(self, today):
        self.begun = today
        self.blocked, self.debited, self.hands, self.numbers, self.emails = set(), set(), {}, {}, {}
        self.paid, self.credited, self.debtors, self.had = {}, {}, {}, {}

    @property
    def faults(self):
        return self.sandbox.faults

    def start(self, stage):
        """Listen on the port of the sandbox before it: what was parsed for that one then fits."""
        self.sandbox.server._port = stage.ports.get(self.name, 0)
        try:
            self.sandbox.start()
        except OSError:  # somebody else took the port meanwhile
            self.sandbox.server._port = 0
            self.sandbox.start()
        stage.ports[self.name] = self.sandbox.server.port

    def stop(self):
        self.sandbox.stop()
        assert self.sandbox.server.errors == []

    def now(self):
        return self.sandbox.clock.now()

    @property
    def today(self):
        return self.now().astimezone(BERLIN).date()

    def advance(self, days):
        self.sandbox.today = _morning(self.sandbox.today + timedelta(days=days))

    def add(self, debtor, gross, overdue=DUE):
        """Add an invoice of this debtor which fell due so many days ago; return its id."""
        if debtor not in self.hands:
            self.hands[debtor] = self.person(f"Kunde {debtor}", f"rechnung{debtor}@kunde.example")
        number = f"RE-{len(self.numbers) + 1}"
        invoice = self.invoice(self.hands[debtor], gross, number, self.today - timedelta(days=overdue))
        self.numbers[number] = invoice
        self.debtors[invoice] = debtor
        self.emails.setdefault(debtor, f"rechnung{debtor}@kunde.example")
        self.had.setdefault(debtor, {self.emails[debtor]})
        return invoice

    def move(self, invoice):
        """Let the invoice's customer have another mail address."""
        debtor = self.debtors[invoice]
        self.emails[debtor] = f"neu.{self.emails[debtor]}"
        self.had[debtor].add(self.emails[debtor])
        self.readdress(debtor, self.emails[debtor])

    def block(self, invoice):
        self.blocked.add(invoice)
        self.tag(invoice)

    def pay(self, invoice, amount=None):
        if not self.truth(invoice).stopped:
            self.paid.setdefault(invoice, []).append(self.book(invoice, amount))

    def give_back(self, invoice):
        """Let the bank take back what was paid, as a returned debit does."""
        if self.paid.get(invoice) and self.truth(invoice).stopped in ("", "paid"):
            self.take_back(invoice, self.paid.pop(invoice))

    def credit(self, invoice, amount):
        """Write a credit note over part of an invoice."""
        if not self.truth(invoice).stopped and invoice not in self.credited:
            self.add_credit(invoice, amount)
            self.credited[invoice] = amount

    def cancel(self, invoice):
        booked = self.paid.get(invoice) or invoice in self.credited  # beside a booking no provider takes an invoice out
        if self.truth(invoice).stopped not in ("paid", "cancelled", "credited") and not booked:
            self.take_out(invoice)

    def by_hand(self, invoice):
        if not self.truth(invoice).stopped:
            self.sandbox.remind_by_hand(invoice)

    def left(self, invoice, amount):
        """Return what is to be had for an invoice of which this amount is open."""
        return max(amount - self.credited.get(invoice, Decimal(0)), Decimal(0))

    def kept_from(self, invoice):
        """Return what keeps people from being reminded of an unpaid invoice."""
        return "blocked" if invoice in self.blocked else "in debit" if invoice in self.debited else ""


def _morning(day):
    return datetime(day.year, day.month, day.day, 9, tzinfo=BERLIN)


class BillomatProvider(Provider):
    name = "billomat"
    paths: ClassVar = {
        Act.CREATE: ("POST", r"/reminders$"),
        Act.COMPLETE: ("PUT", r"/reminders/\d+/complete"),
        Act.SEND_EMAIL: ("POST", r"/reminders/\d+/email"),
        Act.NOTE: ("POST", r"/invoice-comments"),
        Act.DISCARD: ("DELETE", r"/reminders/\d+"),
        "document": ("GET", r"/reminders/\d+/pdf"),
        "read": ("GET", r""),
    }

    def __init__(self, today):
        super().__init__(today)
        free = tuple((name, "0") for name in ("Erinnerung", "Mahnung", "Mahnung 2", "Mahnung 3", "Mahnung 4"))
        self.sandbox = BillomatSandbox(today=_morning(today), limit=None, levels=free)
        self.proof = ("X-BillomatApiKey", self.sandbox.key)

    def person(self, name, email):
        return self.sandbox.add_client(name, email=email)

    def invoice(self, person, gross, number, due_on):
        return self.sandbox.add_invoice(person, gross, due_on=due_on, number=number)

    def book(self, invoice, amount):
        return self.sandbox.pay(invoice, amount)

    def take_back(self, _invoice, payments):
        for one in payments:
            self.sandbox.delete_payment(one)

    def add_credit(self, invoice, amount):
        person = str(self.sandbox.books.invoices.rows[int(invoice)]["client_id"])
        self.sandbox.add_credit_note(person, amount, invoice_id=invoice)

    def readdress(self, debtor, email):
        self.sandbox.change_client(self.hands[debtor], email=email)

    def meddle(self, invoice):
        """Let somebody put a fee on our draft."""
        with self.sandbox.server.lock:
            for row in [*self.sandbox.books.reminders.rows.values()]:
                if row["status"] == "DRAFT" and row["label"] and str(row["invoice_id"]) == invoice:
                    add_item(
                        self.sandbox.books,
                        {"reminder_id": row["id"], "quantity": 1, "unit_price": "5.00", "title": "Gebühr"},
                    )

    def tag(self, invoice):
        self.sandbox.tag_invoice(invoice, "mahnstopp")

    def debit(self, invoice):
        """Let it be collected by direct debit."""
        self.debited.add(invoice)
        self.sandbox.change_invoice(invoice, payment_types="DEBIT", updated=self.now())

    def take_out(self, invoice):
        self.sandbox.cancel(invoice)

    def truth(self, invoice):
        with self.sandbox.server.lock:
            row = self.sandbox.books.invoices.rows[int(invoice)]
            stopped = {"PAID": "paid", "CANCELED": "cancelled"}.get(row["status"], "")
            hands = {str(one["id"]) for one in self.sandbox.reminders(invoice) if not one["label"]}
            left = self.left(invoice, row["open_amount"])
            stopped = stopped or ("credited" if left <= 0 else "") or self.kept_from(invoice)
            return Truth(left, stopped, frozenset(hands), self.emails[self.debtors[invoice]])

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
        "document": ("GET", r"/Invoice/\d+/getPdf"),
        "read": ("GET", r""),
    }

    def __init__(self, today):
        super().__init__(today)
        self.sandbox = SevDeskSandbox(today=today)
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

    def invoice(self, person, gross, number, due_on):
        return self.sandbox.add_invoice(person, gross=gross, issued_on=due_on - timedelta(days=14), number=number)

    def book(self, invoice, amount):
        self.sandbox.pay(invoice, amount)

    def take_back(self, invoice, _payments):
        self.sandbox.return_debit(invoice)

    def add_credit(self, invoice, amount):
        self.sandbox.add_credit_note(invoice, amount)

    def readdress(self, debtor, email):
        self.sandbox.change_email(self.hands[debtor], email)

    def meddle(self, invoice):
        """Let somebody put a fee on our draft."""
        with self.sandbox.server.lock:
            for one in self.drafts():
                row = self.sandbox.document(one)
                if str(row.origin) == invoice:
                    row.charge = Decimal("5.00")
                    self.sandbox.world.changed(row)

    def tag(self, invoice):
        self.sandbox.tag(invoice, "Mahnsperre")

    def debit(self, invoice):
        """Let it be collected by direct debit."""
        self.debited.add(invoice)
        with self.sandbox.server.lock:
            row = self.sandbox.document(invoice)
            row.mandate = "M-1"
            self.sandbox.world.changed(row)

    def take_out(self, invoice):
        self.sandbox.cancel(invoice)
        self.cancelled.add(invoice)

    def truth(self, invoice):
        with self.sandbox.server.lock:
            row = self.sandbox.document(invoice)
            made = {entry.record for entry in self.sandbox.ledger.of("reminder", invoice)}
            hands = {str(one.id) for one in self.sandbox.reminders(invoice)} - made
            left = self.left(invoice, row.open)
            done = "cancelled" if invoice in self.cancelled else "paid" if row.open <= 0 else ""
            stopped = done or ("credited" if left <= 0 else "") or self.kept_from(invoice)
            return Truth(left, stopped, frozenset(hands), self.emails[self.debtors[invoice]])

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
