"""The sandbox: server, books and door put together, and everything that people do in Billomat's own screens.

```python
with Sandbox(today=date(2026, 11, 16)) as billomat:
    client = billomat.add_client("Muster GmbH", email="buchhaltung@muster.example")
    invoice = billomat.add_invoice(client, "119.00", due_on=date(2026, 11, 1))
    ...  # let the bridge speak to billomat.base_url with the header X-BillomatApiKey: billomat.key
    assert billomat.ledger.sendings(invoice)
```

All ids are text. Amounts are text or Decimal. Dates are local dates of Berlin.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal
from types import TracebackType
from typing import Any, Self

from bridge.testing.server import Clock, Faults, Request, Response, Server
from connectors.billomat.sandbox import reminding
from connectors.billomat.sandbox.books import Automation, Behaviour, Books, Row
from connectors.billomat.sandbox.door import Door
from connectors.billomat.sandbox.ledger import Ledger
from connectors.billomat.sandbox.routes import Routes

BASE = "/api"
ZERO = Decimal(0)
LEVELS = (("Zahlungserinnerung", "0"), ("1. Mahnung", "0"), ("2. Mahnung", "5"), ("Letzte Mahnung", "10"))


class Sandbox:
    """One Billomat account. `faults` strikes requests on demand, `ledger` is what Billomat believes, `behaviour` how it behaves."""

    def __init__(
        self,
        *,
        today: date | datetime | None = None,
        key: str = "billomat-test-key-0123456789abcdef",
        limit: int | None = 300,
        levels: tuple[tuple[str, str], ...] = LEVELS,
        port: int = 0,
    ) -> None:
        self.clock = Clock(today)
        self.server = Server(port=port, clock=self.clock, base_path=BASE)
        self.books = Books(self.clock)
        self.door = Door(key, BASE, limit)
        self.routes = Routes(self.server, self.books, self._account, self.door.user)
        self.server.before(self._before)
        self.server.after(self.door.headers)
        for name, charge in levels:
            self.add_level(name, charge)

    # ------------------------------------------------------------------------------------------------------------- life

    @property
    def base_url(self) -> str:
        return self.server.base_url

    @property
    def key(self) -> str:
        """The key that belongs into the header `X-BillomatApiKey`."""
        return self.door.key

    @property
    def headers(self) -> dict[str, str]:
        """The headers that prove who is calling."""
        return {"X-BillomatApiKey": self.key}

    @property
    def faults(self) -> Faults:
        return self.server.faults

    @property
    def ledger(self) -> Ledger:
        return self.books.ledger

    @property
    def behaviour(self) -> Behaviour:
        """Switches for what Billomat does not document."""
        return self.books.behaviour

    @property
    def today(self) -> date:
        return self.clock.today()

    @today.setter
    def today(self, now: date | datetime) -> None:
        """Set the date (noon) or instant; what happens by itself until then happens at once."""
        with self.server.lock:
            self.clock.set(now)
            self.books.pass_time()

    def start(self) -> Self:
        self.server.start()
        return self

    def stop(self) -> None:
        self.server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _before(self, request: Request) -> Response | None:
        self.books.pass_time()
        return self.door.check(request)

    def _account(self) -> Row:
        quota = [
            {"entity": "documents", "available": self.books.documents_available, "used": self.books.documents_used},
            {"entity": "clients", "available": -1, "used": len(self.books.clients.rows)},
        ]
        return {"id": 1, "name": "Beispiel Agentur", "plan": "L", "currency_code": "EUR", "quotas": {"quota": quota}}

    # ---------------------------------------------------------------------------------------------------------- settings

    def add_level(self, name: str, charge: str = "0", *, subject: str | None = None) -> str:
        """Add a dunning level at the end."""
        position = len(self.books.reminder_texts.rows) + 1
        row = self.books.reminder_texts.add(
            {
                "sorting": position * 10,
                "name": name,
                "subject": subject or f"{name} zu [Invoice.invoice_number]",
                "header": "Bitte zahlen Sie.",
                "footer": "",
                "charge_name": "Mahngebühr" if Decimal(charge) else "",
                "charge_description": "",
                "charge_amount": Decimal(charge),
                "_position": position,
            },
            key=30 + position,
        )
        return str(row["id"])

    def add_property(self, name: str) -> str:
        """Add a client property, as a person does in the settings."""
        return str(
            self.books.properties.add({"name": name, "type": "TEXTFIELD", "default_value": None, "is_nvl": False})["id"]
        )

    def set_quota(self, documents: int) -> None:
        """Let the plan allow so many further documents; -1 is unlimited."""
        self.books.documents_available = documents if documents < 0 else self.books.documents_used + documents

    def automate(self, *, wait_days: int = 3, hour: int = 6) -> None:
        """Switch on Billomat's own dunning run, which the API does not show."""
        self.books.automation = Automation(wait_days, hour)

    # ------------------------------------------------------------------------------------------------------------ clients

    def add_client(self, name: str, *, email: str | None = None, dunning_run: bool = True, **fields: Any) -> str:
        """Add a client; `fields` are Billomat's own."""
        number = len(self.books.clients.rows) + 1
        row = self.books.clients.add(
            {
                "created": self.clock.now(),
                "updated": self.clock.now(),
                "archived": False,
                "client_number": f"KD-{number:05d}",
                "name": name,
                "salutation": None,
                "first_name": None,
                "last_name": None,
                "street": "Musterstraße 1",
                "zip": "10115",
                "city": "Berlin",
                "country_code": "DE",
                "email": email,
                "phone": None,
                "vat_number": None,
                "sepa_mandate": None,
                "bank_iban": None,
                "locale": None,
                "currency_code": None,
                "default_payment_types": None,
                "due_days_type": "SETTINGS",
                "due_days": None,
                "dunning_run": dunning_run,
                "note": None,
                "client-property-values": [],
                **fields,
            },
            key=None if number > 1 else 4711,
        )
        return str(row["id"])

    def change_client(self, client_id: str, **fields: Any) -> None:
        """Change fields of a client, such as `dunning_run`, `archived` or `email`."""
        with self.server.lock:
            self.books.clients.change(self.books.clients.rows[int(client_id)], **fields, updated=self.clock.now())

    def dunning_off(self, client_id: str) -> None:
        """Exclude a client from Billomat's own dunning run."""
        self.change_client(client_id, dunning_run=False)

    def add_contact(self, client_id: str, email: str | None, **fields: Any) -> str:
        """Add a contact of a client; its empty fields inherit from the client."""
        row = {
            "client_id": int(client_id),
            "label": "",
            "name": "",
            "first_name": "",
            "last_name": "",
            "email": email,
            **fields,
        }
        return str(self.books.contacts.add(row)["id"])

    # ----------------------------------------------------------------------------------------------------------- invoices

    def add_invoice(
        self,
        client_id: str,
        gross: str | Decimal,
        *,
        due_on: date | None,
        issued_on: date | None = None,
        number: str | None = None,
        status: str | None = None,
        payment_types: str = "BANK_TRANSFER",
        contact_id: str | None = None,
        **fields: Any,
    ) -> str:
        """Add an invoice, completed unless `status` says DRAFT; `fields` are Billomat's own."""
        with self.server.lock:
            key = max(9001, self.books.invoices.next_id)
            amount = Decimal(str(gross))
            issued = issued_on or (due_on - timedelta(days=14) if due_on else self.today)
            client = self.books.clients.rows[int(client_id)]
            overdue = due_on is not None and due_on < self.today
            row = self.books.invoices.add(
                {
                    "created": self.clock.now(),
                    "updated": self.clock.now(),
                    "client_id": int(client_id),
                    "contact_id": int(contact_id) if contact_id else None,
                    "invoice_number": number or f"RE-{key - 8000}",
                    "number": key - 8000,
                    "status": status or ("OVERDUE" if overdue else "OPEN"),
                    "date": issued,
                    "due_date": due_on,
                    "due_days": (due_on - issued).days if due_on else None,
                    "address": f"{client['name']}\n{client['street']}\n{client['zip']} {client['city']}",
                    "title": "",
                    "label": "",
                    "intro": "",
                    "note": "",
                    "total_net": (amount / Decimal("1.19")).quantize(Decimal("0.01")),
                    "total_gross": amount,
                    "paid_amount": ZERO,
                    "open_amount": amount,
                    "currency_code": "EUR",
                    "quote": Decimal(1),
                    "net_gross": "NET",
                    "payment_types": payment_types,
                    "invoice_id": None,
                    "recurring_id": None,
                    "customfield": "",
                    **fields,
                },
                key=key,
            )
            self.books.note(row["id"], "CREATE", "Rechnung erstellt", reminding.ME)
            self.books.watch_due(row)
            return str(row["id"])

    def change_invoice(self, invoice_id: str, **fields: Any) -> None:
        """Change fields of an invoice as they stand in Billomat, right or wrong."""
        with self.server.lock:
            self.books.invoices.change(self.books.invoices.rows[int(invoice_id)], **fields)

    def delete_invoice(self, invoice_id: str) -> None:
        with self.server.lock:
            self.books.invoices.remove(self.books.invoices.rows[int(invoice_id)])

    def pay(
        self,
        invoice_id: str,
        amount: str | Decimal | None = None,
        *,
        on: date | None = None,
        type: str = "BANK_TRANSFER",  # noqa: A002
        mark_as_paid: bool = False,
    ) -> str:
        """Book a payment, by default of all that is open; a negative amount takes money back. Returns its id."""
        with self.server.lock:
            invoice = self.books.invoices.rows[int(invoice_id)]
            value = invoice["open_amount"] if amount is None else Decimal(str(amount))
            row = self.books.payments.add(
                {
                    "created": self.clock.now(),
                    "invoice_id": invoice["id"],
                    "user_id": reminding.ME,
                    "date": on or self.today,
                    "amount": value,
                    "comment": "",
                    "transaction_purpose": "",
                    "type": type,
                    "currency_code": invoice["currency_code"],
                    "quote": Decimal(1),
                }
            )
            self.books.settle(invoice, force_paid=mark_as_paid)
            self.books.note(invoice["id"], "PAYMENT", "Zahlung gebucht", reminding.ME)
            return str(row["id"])

    def delete_payment(self, payment_id: str) -> None:
        """Delete a payment; the invoice is open again."""
        with self.server.lock:
            row = self.books.payments.rows[int(payment_id)]
            self.books.payments.remove(row)
            self.books.settle(self.books.invoices.rows[row["invoice_id"]])
            self.books.note(row["invoice_id"], "DELETE_PAYMENT", "Zahlung gelöscht", reminding.ME)

    def cancel(self, invoice_id: str) -> None:
        """Cancel an invoice."""
        self.change_invoice(invoice_id, status="CANCELED", updated=self.clock.now())
        self.books.note(int(invoice_id), "CANCEL", "Rechnung storniert", reminding.ME)

    def correct(self, invoice_id: str) -> str:
        """Complete a correction of the whole invoice: both are paid, or the correction stays open where the invoice was paid."""
        original = self.books.invoices.rows[int(invoice_id)]
        was_open = original["status"] in ("OPEN", "OVERDUE")
        gross = original["total_gross"]
        correction = self.add_invoice(str(original["client_id"]), -gross, due_on=self.today, invoice_id=original["id"])
        if was_open:
            self.pay(invoice_id, type="INVOICE_CORRECTION")
            self.pay(correction, type="INVOICE_CORRECTION")
        return correction

    def add_credit_note(
        self, client_id: str, gross: str | Decimal, *, invoice_id: str | None = None, status: str = "OPEN"
    ) -> str:
        """Add a credit note, by default completed and not yet used."""
        with self.server.lock:
            amount = Decimal(str(gross))
            row = self.books.credit_notes.add(
                {
                    "created": self.clock.now(),
                    "updated": self.clock.now(),
                    "client_id": int(client_id),
                    "contact_id": None,
                    "credit_note_number": f"GS-{len(self.books.credit_notes.rows) + 1}",
                    "status": status,
                    "date": self.today,
                    "total_gross": amount,
                    "total_net": amount,
                    "paid_amount": ZERO,
                    "open_amount": amount,
                    "currency_code": "EUR",
                    "quote": Decimal(1),
                    "invoice_id": int(invoice_id) if invoice_id else None,
                    "label": "",
                    "intro": "",
                    "note": "",
                }
            )
            return str(row["id"])

    def tag_invoice(self, invoice_id: str, name: str) -> None:
        with self.server.lock:
            self.books.invoice_tags.add({"invoice_id": int(invoice_id), "name": name})
            self.books.invoices.forget()

    def tag_client(self, client_id: str, name: str) -> None:
        with self.server.lock:
            self.books.client_tags.add({"client_id": int(client_id), "name": name})
            self.books.clients.forget()

    def untag(self, kind: str, record_id: str, name: str) -> None:
        """Take a tag off again; `kind` is `invoice` or `client`."""
        with self.server.lock:
            table = self.books.tags(kind)
            for row in table.by(f"{kind}_id", int(record_id)):
                if row["name"] == name:
                    table.remove(row)
            self.books.owner(kind).forget()

    # ---------------------------------------------------------------------------------------------------------- reminders

    def remind_by_hand(self, invoice_id: str, *, complete: bool = True, email: str | None = None) -> str:
        """Make a reminder as a person does in Billomat; returns its id."""
        with self.server.lock:
            reminder = reminding.create(self.books, {"invoice_id": int(invoice_id)}, user_id=2)
            if complete:
                reminding.complete(self.books, reminder, user_id=2)
            if email:
                reminding.send_mail(self.books, reminder, {"recipients": {"to": email}}, user_id=2)
            return str(reminder["id"])

    def cancel_reminder(self, reminder_id: str) -> None:
        with self.server.lock:
            reminding.cancel(self.books, reminding.found(self.books, int(reminder_id)), user_id=2)

    def delete_reminder(self, reminder_id: str) -> None:
        with self.server.lock:
            reminding.delete(self.books, reminding.found(self.books, int(reminder_id)), user_id=2)

    def reminders(self, invoice_id: str) -> list[Row]:
        """Return copies of the reminders of an invoice as Billomat holds them, with `items`."""
        with self.server.lock:
            rows = self.books.reminders.by("invoice_id", int(invoice_id))
            return [
                {**row, "items": [dict(item) for item in self.books.reminder_items.by("reminder_id", row["id"])]}
                for row in rows
            ]

    def client_line(self, client_id: str) -> str | None:
        """Return what stands in the client's own property for our line, if anything."""
        values = self.books.property_values.by("client_id", int(client_id))
        return values[-1]["value"] if values else None

    def invoice_tag_names(self, invoice_id: str) -> list[str]:
        return [row["name"] for row in self.books.invoice_tags.by("invoice_id", int(invoice_id))]
