"""The conformance suite on the sevDesk connector, directly and behind an OAuth gateway."""

from collections import Counter
from typing import ClassVar

from bridge.contract import Act
from bridge.http import HttpSettings, TokenAuth
from bridge.testing.conformance import ConnectorConformance
from bridge.testing.kit import Kit
from connectors.sevdesk.connector import SevDesk
from connectors.sevdesk.sandbox import Sandbox

LEDGER = {
    Act.CREATE: "reminder",
    Act.SEND_EMAIL: "mail",
    Act.DISCARD: "delete",
    Act.AMEND: "deadline",
    Act.MARK_SENT: "mark",
}
COUNTED = {Act.CREATE, Act.SEND_EMAIL, Act.DISCARD}
LINE = "16.11.2026 1. Mahnung per E-Mail"


class SevDeskKit(Kit):
    """A sandbox account in which our custom field exists and lines may become tags."""

    connector = SevDesk
    calls: ClassVar = {
        Act.CREATE: ("POST", r"/Invoice/Factory/createInvoiceReminder$"),
        Act.AMEND: ("PUT", r"/Invoice/\d+$"),
        Act.SEND_EMAIL: ("POST", r"/sendViaEmail$"),
        Act.MARK_SENT: ("PUT", r"/sendBy$"),
        Act.DISCARD: ("DELETE", r"/Invoice/\d+$"),
        Act.TAG: ("POST", r"/Tag/Factory/create$"),
        Act.NOTE: ("POST", r"/Tag/Factory/create$"),
        Act.CUSTOMER_NOTE: ("POST", r"/ContactCustomField$"),
    }
    reads = r"/Invoice$"
    looks = r"/Invoice/\d+$"

    def start(self):
        self.sandbox = Sandbox(today=self.today).start()
        self.server = self.sandbox.server
        field = {"name": "Mahnstatus", "identifier": "mahnstatus", "description": "geschrieben von mahnbridge"}
        self.sandbox.world.add_plain("ContactCustomFieldSetting", field)

    def stop(self):
        self.sandbox.stop()
        assert self.sandbox.server.errors == []
        assert self.sandbox.ledger.count("pdf_sent") == 0

    def http(self):
        return HttpSettings(base_url=self.sandbox.base_url, auth=TokenAuth(token=self.sandbox.token))

    def settings(self):
        return {"line_as_tag": True}

    def seed(self, count):
        ids = []
        for number in range(count):
            contact = self.sandbox.add_contact(f"Schuldner {number} GmbH", email=f"rechnung{number}@schuldner.example")
            ids.append(self.sandbox.add_invoice(contact, gross=f"{100 + number}.50"))
        return ids

    def pay(self, invoice_id):
        self.sandbox.pay(invoice_id)

    def break_record(self, invoice_id):
        self.sandbox.spoil(invoice_id, invoiceDate="übermorgen")
        return "invoiceDate"

    def remind_by_hand(self, invoice_id):
        return self.sandbox.remind_by_hand(invoice_id)

    def effects(self, act, invoice_id):
        if act is Act.TAG:
            return Counter(self.sandbox.tags_of(invoice_id))["gemahnt-1"]
        if act is Act.NOTE:
            return Counter(self.sandbox.tags_of(invoice_id))[LINE]
        if act is Act.CUSTOMER_NOTE:
            contact = str(self.sandbox.document(invoice_id).contact)
            return (self.sandbox.field_of(contact, "Mahnstatus") or "").split(" | ").count(LINE)
        happened = self.sandbox.ledger.count(LEDGER[act], invoice_id)
        return happened if act in COUNTED else min(happened, 1)


class TestSevDesk(ConnectorConformance, kit=SevDeskKit):
    """Every promise of the contract."""
