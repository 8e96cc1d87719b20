import tempfile
from collections.abc import Mapping as MappingType
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from bridge.contract import Act
from bridge.http import HttpSettings
from bridge.testing.conformance import ConnectorConformance
from bridge.testing.kit import Kit
from connectors.generic_csv.connector import GenericCsv
from connectors.generic_csv.sandbox import Sandbox


class CsvKit(Kit):
    """Files in a folder of their own for each check; a change at the provider is a new export."""

    connector = GenericCsv
    fresh = True  # look imports what lies in the inbox before it answers
    over_http = False

    def start(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.sandbox = Sandbox(Path(self._folder.name), today=self.today)

    def stop(self) -> None:
        self._folder.cleanup()

    def http(self) -> HttpSettings:
        return HttpSettings(base_url="http://127.0.0.1:9")

    def settings(self) -> MappingType[str, Any]:
        return {"inbox": self.sandbox.inbox, "settle_seconds": 0}

    def seed(self, count: int) -> list[str]:
        numbers = []
        for _ in range(count):
            number = f"RE-{len(self.sandbox.invoices) + 1:04d}"
            self.sandbox.add_invoice(
                number,
                customer_no=f"K{len(self.sandbox.invoices) + 1}",
                customer=f"Kunde {number} GmbH",
                gross=Decimal("1190.00"),
                due_on=self.today - timedelta(days=20),
                email="buchhaltung@schuldner.example",
            )
            numbers.append(number)
        self.sandbox.export()
        return [f"plain/{number}" for number in numbers]

    def _number(self, invoice_id: str) -> str:
        return invoice_id.removeprefix("plain/")

    def pay(self, invoice_id: str) -> None:
        self.sandbox.pay(self._number(invoice_id))
        self.sandbox.export()

    def break_record(self, invoice_id: str) -> str:
        for path in self.sandbox.inbox.glob("*.csv"):
            path.unlink()
        self.sandbox.invoices[self._number(invoice_id)].spoilt["Rechnungsdatum"] = "31.02.2026"
        self.sandbox.export()
        return "Rechnungsdatum"

    def remind_by_hand(self, invoice_id: str) -> str:
        self.sandbox.invoices[self._number(invoice_id)].level = 1
        self.sandbox.export()
        return f"{invoice_id}/level-1"

    def effects(self, act: Act, invoice_id: str) -> int:
        assert act is Act.NOTE
        return sum(row["Rechnungsnummer"] == self._number(invoice_id) for row in self.sandbox.ledger)


class TestGenericCsv(ConnectorConformance, kit=CsvKit):
    """The whole contract, on files."""
