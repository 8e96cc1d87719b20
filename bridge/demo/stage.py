"""The stage: sandboxes, an authorization server with its gateway, a mail server, a CSV inbox, and what happens there day by day."""

import csv
import io
import os
import socket
import time as real_time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

from aiosmtpd.controller import Controller

from bridge.demo.world import BILLOMAT, CSV, SEVDESK, DemoDebtor, DemoInvoice, World
from bridge.http import HttpSettings
from bridge.testing.authserver import AuthServer
from bridge.testing.gateway import Gateway
from connectors.billomat.sandbox import Sandbox as BillomatSandbox
from connectors.sevdesk.sandbox import Sandbox as SevDeskSandbox

BERLIN = ZoneInfo("Europe/Berlin")
EXPORT_DAYS = frozenset({0, 3})
"""Weekdays on which somebody exports the old program's open items into the inbox."""

LEVELS = (("Zahlungserinnerung", "0"), ("1. Mahnung", "0"), ("2. Mahnung", "0"), ("Letzte Mahnung", "0"))
"""Billomat's own dunning levels, without fees as in the agency's plan."""
EXPORT_COLUMNS = (
    *("Kundennummer", "Kunde", "E-Mail", "Straße", "PLZ", "Ort"),
    *("Rechnungsnummer", "Rechnungsdatum", "Fällig am", "Bruttobetrag", "Offen", "Status"),
)


class Mails:
    """A real SMTP server that keeps what it was given."""

    def __init__(self) -> None:
        self.received: list[EmailMessage] = []
        self.refusing = False

    async def handle_RCPT(  # noqa: N802  the name that the mail server calls
        self,
        _server: Any,
        _session: Any,
        envelope: Any,
        address: str,
        _options: list[str],
    ) -> str:
        """Accept a recipient, unless the server is down for the story's sake."""
        if self.refusing:
            return "451 mailbox busy, try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        """Keep the message."""
        self.received.append(message_from_bytes(envelope.content, policy=policy.SMTP))
        return "250 accepted"


def cents(amount: Decimal) -> Decimal:
    """Return `amount` to the cent."""
    return amount.quantize(Decimal("0.01"))


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class SimClock:
    """The simulated instant: set to a day and hour, then running as real time does."""

    def __init__(self, day: date) -> None:
        self._base, self._since = datetime.combine(day, time(7, 30), BERLIN), real_time.monotonic()

    def set(self, day: date, hour: int, minute: int = 0) -> None:
        self._base, self._since = datetime.combine(day, time(hour, minute), BERLIN), real_time.monotonic()

    def __call__(self) -> datetime:
        return (self._base + timedelta(seconds=real_time.monotonic() - self._since)).astimezone(UTC)


class Stage:
    """Everything outside of mahnbridge. `invoice_ids` gives the provider's id of an invoice number."""

    def __init__(self, world: World, folder: Path, start: date) -> None:
        self.world, self.folder = world, folder
        self.clock = SimClock(start)
        self.sevdesk = SevDeskSandbox(today=start)
        self.billomat = BillomatSandbox(today=start, limit=1000, levels=LEVELS)
        self.auth = AuthServer(now=lambda: self.clock().timestamp())
        self.mails = Mails()
        self.ids: dict[str, str] = {}
        self.customers: dict[str, str] = {}
        self._paid: set[str] = set()
        self._exports = 0
        self._open = ExitStack()

    def __enter__(self) -> Self:
        for server in (self.sevdesk, self.billomat, self.auth):
            self._open.enter_context(server)
        token = {"type": "token", "header": "X-BillomatApiKey", "token": self.billomat.key}
        upstream = HttpSettings.model_validate({"base_url": self.billomat.base_url, "auth": token})
        self.gateway = self._open.enter_context(Gateway(upstream, self.auth))
        self.smtp_port = _free_port()
        self._smtp = Controller(self.mails, hostname="127.0.0.1", port=self.smtp_port)
        self._smtp.start()
        self._open.callback(self._smtp.stop)
        self.inbox.mkdir(parents=True, exist_ok=True)
        self._seed()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def inbox(self) -> Path:
        return self.folder / "csv-inbox"

    # ------------------------------------------------------------------------------------------------------- history

    def _seed(self) -> None:
        for debtor in self.world.debtors:
            self._seed_debtor(debtor)
        for invoice in sorted(self.world.invoices, key=lambda one: one.issued_on):
            if invoice.account == SEVDESK:
                self._seed_sevdesk(invoice)
            elif invoice.account == BILLOMAT:
                self._seed_billomat(invoice)

    def _seed_debtor(self, debtor: DemoDebtor) -> None:
        if debtor.account == SEVDESK:
            address = (debtor.street, debtor.postcode, debtor.city)
            id_ = self.sevdesk.add_contact(debtor.name, email=debtor.email, number=debtor.number, address=address)
            if debtor.twist == "excluded":
                self.sevdesk.set_field(id_, "Mahnsperre", "1")
        elif debtor.account == BILLOMAT:
            id_ = self.billomat.add_client(
                debtor.name,
                email=debtor.email,
                client_number=debtor.number,
                street=debtor.street,
                zip=debtor.postcode,
                city=debtor.city,
            )
            if debtor.twist == "excluded":
                self.billomat.dunning_off(id_)
        else:
            id_ = debtor.number
        self.customers[debtor.number] = id_

    def _seed_sevdesk(self, invoice: DemoInvoice) -> None:
        box, twist = self.sevdesk, invoice.twist
        id_ = self.ids[invoice.number] = box.add_invoice(
            self.customers[invoice.debtor.number],
            gross=invoice.gross,
            issued_on=invoice.issued_on,
            days=invoice.term_days,
            number=invoice.number,
            status=100 if twist == "draft" else 200,
            currency="CHF" if twist == "foreign_currency" else "EUR",
            written=twist != "not_sent",
            mandate="M-0815" if invoice.debtor.twist == "direct_debit" else None,
        )
        half = cents(invoice.gross / 2)
        steps: dict[str, Callable[[], object]] = {
            "cancelled": lambda: box.cancel(id_),
            "credited": lambda: box.add_credit_note(id_, half),
            "part_paid": lambda: box.pay(id_, half),
            "tag_block": lambda: box.tag(id_, "Mahnsperre"),
            "prepayment": lambda: box.tag(id_, "Vorkasse"),
            "payment_unmatched": lambda: box.add_transaction(invoice.gross, purpose=f"Rechnung {invoice.number}"),
            "broken_date": lambda: box.spoil(id_, invoiceDate="31.02.2026"),
        }
        if twist in steps:
            steps[twist]()
        if invoice.debtor.twist == "reminded_by_hand":
            box.remind_by_hand(id_)

    def _seed_billomat(self, invoice: DemoInvoice) -> None:
        box, twist = self.billomat, invoice.twist
        customer = self.customers[invoice.debtor.number]
        id_ = self.ids[invoice.number] = box.add_invoice(
            customer,
            invoice.gross,
            due_on=invoice.due_on,
            issued_on=invoice.issued_on,
            number=invoice.number,
            status="DRAFT" if twist == "draft" else None,
            payment_types="DEBIT" if invoice.debtor.twist == "direct_debit" else "BANK_TRANSFER",
        )
        half = cents(invoice.gross / 2)
        steps: dict[str, Callable[[], object]] = {
            "cancelled": lambda: box.cancel(id_),
            "credited": lambda: box.add_credit_note(customer, half, invoice_id=id_),
            "part_paid": lambda: box.pay(id_, half),
            "tag_block": lambda: box.tag_invoice(id_, "mahnstopp"),
            "discount_taken": lambda: box.pay(id_, cents(invoice.gross * Decimal("0.98")), mark_as_paid=True),
        }
        if twist in steps:
            steps[twist]()
        if invoice.debtor.twist == "reminded_by_hand":
            box.remind_by_hand(id_, email=invoice.debtor.email)

    # -------------------------------------------------------------------------------------------------- day by day

    def dawn(self, day: date) -> None:
        """Begin a day: clocks, the money that came, and on some days an export from the old program."""
        self.at(day, 7, 30)
        for invoice in self.world.invoices:
            if invoice.paid_on is not None and invoice.paid_on <= day:
                self.pay(invoice)
        self.sevdesk.add_transaction(
            "-4.90", purpose="Kartenzahlung Parkhaus", on=day, status=400
        )  # the bank feed lives
        if day.weekday() in EXPORT_DAYS or not self._exports:
            self.export(day)

    def at(self, day: date, hour: int, minute: int = 0) -> None:
        """Let it be that time for everybody on the stage."""
        self.clock.set(day, hour, minute)
        now = self.clock()
        self.sevdesk.clock.set(now)
        self.billomat.today = now
        self.billomat.door.clock.set(now)
        for server in (self.auth.server, self.gateway.server):
            server.clock.set(now)

    def pay(self, invoice: DemoInvoice) -> None:
        """Book all that is open, once."""
        if invoice.number in self._paid:
            return
        self._paid.add(invoice.number)
        if invoice.account == SEVDESK:
            self.sevdesk.pay(self.ids[invoice.number])
        elif invoice.account == BILLOMAT:
            self.billomat.pay(self.ids[invoice.number])

    def export(self, day: date) -> Path:
        """Write the old program's list of open items, complete, as it exports it: semicolons, comma, Windows-1252."""
        text = io.StringIO(newline="")
        rows = csv.writer(text, delimiter=";", lineterminator="\r\n")
        rows.writerow(EXPORT_COLUMNS)
        for invoice in self.world.of(CSV):
            if invoice.number in self._paid or invoice.issued_on > day:
                continue
            debtor, amount = invoice.debtor, f"{invoice.gross:.2f}".replace(".", ",")
            line = [debtor.number, debtor.name, debtor.email or "", debtor.street, debtor.postcode, debtor.city]
            line += [
                invoice.number,
                f"{invoice.issued_on:%d.%m.%Y}",
                f"{invoice.due_on:%d.%m.%Y}",
                amount,
                amount,
                "offen",
            ]
            rows.writerow(line)
            if invoice.twist == "contradiction":
                rows.writerow([*line[:-3], "1,00", "1,00", "offen"])
        self._exports += 1
        part = self.inbox / f".offene-posten-{day:%Y%m%d}.part"
        part.write_bytes(text.getvalue().encode("cp1252"))
        os.utime(part, (self.clock().timestamp(),) * 2)  # a list is as old as its file, and days are simulated here
        return part.rename(self.inbox / f"offene-posten-{day:%Y%m%d}.csv")
