"""A stand-in for an invoicing tool that exports files, and for the bank: for rehearsals, the demo and tests.

It keeps invoices and movements, writes them into an inbox as such tools do, and reads the status list as its user would.
"""

import csv
import os
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Self

from connectors.generic_csv.bank import Entry

_HEADER = (
    "Kundennummer",
    "Kunde",
    "E-Mail",
    "Straße",
    "PLZ",
    "Ort",
    "Rechnungsnummer",
    "Rechnungsdatum",
    "Fälligkeitsdatum",
    "Bruttobetrag",
    "Bezahlter Betrag",
    "Offener Betrag",
    "Status",
    "Zahlungsart",
    "Mahnstufe",
    "Mahnsperre",
)
_CAMT = (
    "Auftragskonto",
    "Buchungstag",
    "Valutadatum",
    "Buchungstext",
    "Verwendungszweck",
    "Glaeubiger ID",
    "Mandatsreferenz",
    "Kundenreferenz (End-to-End)",
    "Sammlerreferenz",
    "Lastschrift Ursprungsbetrag",
    "Auslagenersatz Ruecklastschrift",
    "Beguenstigter/Zahlungspflichtiger",
    "Kontonummer/IBAN",
    "BIC (SWIFT-Code)",
    "Betrag",
    "Waehrung",
    "Info",
)


@dataclass
class Listed:
    """One invoice in the tool. `spoilt` replaces cells by header name, as broken exports do."""

    number: str
    customer_no: str
    customer: str
    issued_on: date
    due_on: date
    gross: Decimal
    paid: Decimal = Decimal("0.00")
    email: str = ""
    street: str = ""
    postcode: str = ""
    city: str = ""
    method: str = "Überweisung"
    level: int = 0
    block: str = ""
    spoilt: dict[str, str] = field(default_factory=dict)

    def cells(self) -> list[str]:
        rest = self.gross - self.paid
        values = (
            self.customer_no,
            self.customer,
            self.email,
            self.street,
            self.postcode,
            self.city,
            self.number,
            _day(self.issued_on),
            _day(self.due_on),
            _money(self.gross),
            _money(self.paid),
            _money(rest),
            "bezahlt" if rest <= 0 else "offen",
            self.method,
            str(self.level or ""),
            self.block,
        )
        return [self.spoilt.get(name, value) for name, value in zip(_HEADER, values, strict=True)]


class Sandbox:
    """An invoicing tool with an export folder. Use as context manager or not; it holds nothing open."""

    def __init__(self, folder: Path, *, today: date | None = None) -> None:
        self.folder = folder
        self.inbox = folder / "eingang"
        self.inbox.mkdir(parents=True, exist_ok=True)
        self.today = today or datetime.now(UTC).date()
        self.invoices: dict[str, Listed] = {}
        self.movements: list[Entry] = []
        self._written = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave nothing open; the folder stays."""

    def add_invoice(
        self,
        number: str,
        *,
        customer_no: str,
        customer: str,
        gross: Decimal,
        due_on: date,
        issued_on: date | None = None,
        **more: str,
    ) -> Listed:
        """Add an open invoice. `more`: email, street, postcode, city, method, block."""
        issued = issued_on or due_on - timedelta(days=14)
        listed = Listed(number, customer_no, customer, issued, due_on, gross, **more)  # type: ignore[arg-type]
        self.invoices[number] = listed
        return listed

    def pay(self, number: str, amount: Decimal | None = None) -> None:
        """Book a payment in the tool, the full rest by default."""
        listed = self.invoices[number]
        listed.paid += listed.gross - listed.paid if amount is None else amount

    def transfer(self, amount: Decimal, text: str, *, name: str = "", iban: str = "") -> None:
        """Let money arrive at the bank; the tool does not know of it."""
        day = self.today
        self.movements.append(Entry("DE02120300000000202051", day, day, amount, "EUR", text, name=name, iban=iban))

    def export(self, at: datetime | None = None) -> Path:
        """Write the list of all invoices into the inbox, as made at `at`."""
        rows = [listed.cells() for listed in self.invoices.values()]
        return self._write("offene-posten", [list(_HEADER), *rows], "cp1252", at)

    def export_bank(self, at: datetime | None = None) -> Path:
        """Write the bank's movements as CSV-CAMT into the inbox."""
        rows = [
            [
                entry.account,
                entry.booked_on.strftime("%d.%m.%y"),
                entry.value_on.strftime("%d.%m.%y"),
                "GUTSCHR. UEBERWEISUNG",
                entry.text,
                *[""] * 6,
                entry.name,
                entry.iban,
                "",
                _money(entry.amount),
                entry.currency,
                "Umsatz gebucht",
            ]
            for entry in self.movements
        ]
        return self._write("umsaetze", [list(_CAMT), *rows], "cp1252", at)

    @property
    def status_file(self) -> Path:
        return self.inbox / "mahnbridge" / "status.csv"

    @property
    def ledger(self) -> list[dict[str, str]]:
        """Return what the tool's user reads in the status list."""
        if not self.status_file.exists():
            return []
        with self.status_file.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file, delimiter=";"))

    def _write(self, stem: str, rows: list[list[str]], encoding: str, at: datetime | None) -> Path:
        self._written += 1
        path = self.inbox / f"{stem}-{self._written:04d}.csv"
        part = self.inbox / f".{path.name}.part"
        with part.open("w", encoding=encoding, errors="replace", newline="") as file:
            csv.writer(file, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(rows)
        if at is not None:
            os.utime(part, (at.timestamp(), at.timestamp()))
        part.replace(path)
        return path


def _day(value: date) -> str:
    return value.strftime("%d.%m.%Y")


def _money(value: Decimal) -> str:
    whole, _, cents = f"{value:,.2f}".partition(".")
    return whole.replace(",", ".") + "," + cents
