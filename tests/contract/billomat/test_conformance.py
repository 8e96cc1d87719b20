"""The conformance suite on the Billomat connector, directly and behind an OAuth gateway."""

from datetime import timedelta
from typing import ClassVar

from bridge.contract import Act
from bridge.http import HttpSettings, TokenAuth
from bridge.testing.conformance import ConnectorConformance
from bridge.testing.kit import Kit
from connectors.billomat.connector import Billomat
from connectors.billomat.sandbox import Sandbox

LINE = "16.11.2026 1. Mahnung per E-Mail"


class BillomatKit(Kit):
    """A sandbox account with our client property, dunning levels and the letter add-on."""

    connector = Billomat
    calls: ClassVar = {
        Act.CREATE: ("POST", r"/reminders$"),
        Act.AMEND: ("PUT", r"/reminders/\d+$"),
        Act.COMPLETE: ("PUT", r"/reminders/\d+/complete$"),
        Act.SEND_EMAIL: ("POST", r"/reminders/\d+/email$"),
        Act.SEND_POST: ("POST", r"/reminders/\d+/mail$"),
        Act.DISCARD: ("DELETE", r"/reminders/\d+$"),
        Act.NOTE: ("POST", r"/invoice-comments$"),
        Act.TAG: ("POST", r"/invoice-tags$"),
        Act.CUSTOMER_NOTE: ("POST", r"/client-property-values$"),
    }
    reads = r"/invoices$"
    looks = r"/invoices/\d+$"

    def start(self):
        self.sandbox = Sandbox(today=self.today).start()
        self.server = self.sandbox.server
        self.sandbox.add_property("Mahnwesen")

    def stop(self):
        self.sandbox.stop()
        assert self.sandbox.server.errors == []

    def http(self):
        return HttpSettings(
            base_url=self.sandbox.base_url, auth=TokenAuth(token=self.sandbox.key, header="X-BillomatApiKey")
        )

    def settings(self):
        return {"post": True}

    def seed(self, count):
        ids = []
        for number in range(count):
            client = self.sandbox.add_client(f"Schuldner {number} GmbH", email=f"rechnung{number}@schuldner.example")
            ids.append(self.sandbox.add_invoice(client, f"{100 + number}.50", due_on=self.today - timedelta(days=14)))
        return ids

    def pay(self, invoice_id):
        self.sandbox.pay(invoice_id)

    def break_record(self, invoice_id):
        self.sandbox.change_invoice(invoice_id, total_gross="hundert")
        return "total_gross"

    def remind_by_hand(self, invoice_id):
        return self.sandbox.remind_by_hand(invoice_id)

    def content(self, act, invoice):
        content = super().content(act, invoice)
        return content.model_copy(update={"deadline": self.today + timedelta(days=21)}) if act is Act.AMEND else content

    def effects(self, act, invoice_id):
        sandbox, history = self.sandbox, [entry.action for entry in self.sandbox.ledger.history[invoice_id]]
        if act is Act.AMEND:
            wanted = self.today + timedelta(days=21)
            return sum(reminder["due_date"] == wanted for reminder in sandbox.reminders(invoice_id))
        if act is Act.TAG:
            return sandbox.invoice_tag_names(invoice_id).count("gemahnt-1")
        if act is Act.NOTE:
            return sum(text.startswith(LINE) for text in sandbox.ledger.comments(invoice_id))
        if act is Act.CUSTOMER_NOTE:
            client = str(sandbox.books.invoices.rows[int(invoice_id)]["client_id"])
            return int(sandbox.client_line(client) == LINE)
        if act is Act.CREATE:
            return history.count("REMINDER_CREATE")
        if act is Act.COMPLETE:
            return history.count("REMINDER_STATUS")
        if act is Act.DISCARD:
            return history.count("REMINDER_DELETE")
        sent = sandbox.ledger.mails if act is Act.SEND_EMAIL else sandbox.ledger.letters
        return sum(entry.invoice_id == invoice_id for entry in sent)


class TestBillomat(ConnectorConformance, kit=BillomatKit):
    """Every promise of the contract."""
