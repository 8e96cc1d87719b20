"""The sandboxes as the simulation sees them: what a person does there, what they believe, where faults strike."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import ClassVar
from zoneinfo import ZoneInfo

from bridge.contract import Act, Http, Mapping
from connectors.billomat.connector import Billomat
from connectors.billomat.sandbox import Sandbox as BillomatSandbox
from connectors.sevdesk.connector import SevDesk
from connectors.sevdesk.sandbox import Sandbox as SevDeskSandbox

mapping = cache(Mapping.load)
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
    """One reminder that went to a debtor over the API."""

    invoice: str
    reminder: str
    to: tuple[str, ...]
    demanded: Decimal


class Provider:
    """One account at one sandbox."""

    name = ""
    acts = ()  # of a notice that the provider sends itself
    letter_acts = ()  # of our own letter with a record there
    paths: ClassVar = {}

    def __init__(self):
        self.blocked, self.hands = set(), {}

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

    def http(self, technical):
        headers = self.headers()
        return Http(
            self.sandbox.base_url, account="a", headers=headers, clock=self.now, technical=technical,
            sleep=lambda seconds: technical.pass_(seconds=seconds), jitter=lambda: 0.5,
        )  # fmt: skip

    def connector(self, http):
        cls = self.cls
        return cls("a", cls.Settings(), mapping(cls.name), http)

    def block(self, invoice):
        self.blocked.add(invoice)
        self.tag(invoice)


class BillomatProvider(Provider):
    name, cls = "billomat", Billomat
    acts = (Act.CREATE, Act.AMEND, Act.COMPLETE, Act.SEND_EMAIL, Act.NOTE)
    letter_acts = (Act.CREATE, Act.AMEND, Act.LETTER, Act.COMPLETE, Act.NOTE)
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
        self.sandbox = BillomatSandbox(today=datetime(2026, 3, 2, 9, tzinfo=BERLIN), limit=None)

    def headers(self):
        return self.sandbox.headers

    def add(self, debtor, gross):
        if debtor not in self.hands:
            self.hands[debtor] = self.sandbox.add_client(f"Kunde {debtor}", email=f"rechnung{debtor}@kunde.example")
        return self.sandbox.add_invoice(self.hands[debtor], gross, due_on=date(2026, 2, 2))

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
            Sent(one.invoice_id, one.reminder_id, one.to, one.demanded)
            for one in self.sandbox.ledger.sendings()
            if one.label
        ]

    def drafts(self):
        """Return the drafts that we made and that still stand there."""
        rows = self.sandbox.books.reminders.rows.values()
        return {str(row["id"]) for row in rows if row["status"] == "DRAFT" and row["label"]}


class SevDeskProvider(Provider):
    name, cls = "sevdesk", SevDesk
    acts = (Act.CREATE, Act.AMEND, Act.SEND_EMAIL)
    letter_acts = (Act.CREATE, Act.AMEND, Act.LETTER, Act.MARK_SENT)
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

    def headers(self):
        return {"Authorization": self.sandbox.token}

    def add(self, debtor, gross):
        if debtor not in self.hands:
            self.hands[debtor] = self.sandbox.add_contact(f"Kunde {debtor}", email=f"rechnung{debtor}@kunde.example")
        return self.sandbox.add_invoice(self.hands[debtor], gross=gross, issued_on=date(2026, 1, 19))

    def pay(self, invoice, amount=None):
        if self.truth(invoice).open > 0 and not self.truth(invoice).stopped:
            self.sandbox.pay(invoice, amount)

    def tag(self, invoice):
        self.sandbox.tag(invoice, "Mahnsperre")

    def cancel(self, invoice):
        if not self.truth(invoice).stopped:
            self.sandbox.cancel(invoice)
            self.cancelled = {*getattr(self, "cancelled", ()), invoice}

    def by_hand(self, invoice):
        if not self.truth(invoice).stopped:
            self.sandbox.remind_by_hand(invoice)

    def truth(self, invoice):
        with self.sandbox.server.lock:
            row = self.sandbox.document(invoice)
            made = {entry.record for entry in self.sandbox.ledger.of("reminder", invoice)}
            hands = {str(one.id) for one in self.sandbox.reminders(invoice)} - made
            stopped = "cancelled" if invoice in getattr(self, "cancelled", ()) else "paid" if row.open <= 0 else ""
            return Truth(row.open, stopped or ("blocked" if invoice in self.blocked else ""), frozenset(hands))

    def sent(self):
        found = []
        for entry in self.sandbox.ledger.of("mail"):
            reminder = self.sandbox.document(entry.record)
            to = tuple(entry.detail["toEmail"].split(","))
            found.append(Sent(entry.invoice, entry.record, to, reminder.debit + reminder.charge))
        return found

    def drafts(self):
        made = {entry.record for entry in self.sandbox.ledger.of("reminder")}
        return {
            str(one.id) for one in self.sandbox.world.documents.values() if one.status == 100 and str(one.id) in made
        }
