"""The books of the sandbox: records, their rules, and what people do in Billomat's own screens."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from bridge.testing.server import Clock
from connectors.billomat.sandbox.ledger import Happening, Ledger

Row = dict[str, Any]
ZERO = Decimal(0)


class Problem(Exception):
    """The provider refuses this."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


class Table:
    """Records of one kind by id, with the lists that were asked for remembered until something changes."""

    def __init__(self) -> None:
        self.rows: dict[int, Row] = {}
        self._by: dict[str, dict[Any, dict[int, Row]]] = {}
        self._lists: dict[Any, list[Row]] = {}
        self._next = 1

    @property
    def next_id(self) -> int:
        return self._next

    def index(self, *fields: str) -> "Table":
        """Keep an index over these fields; they change through `change` only."""
        for name in fields:
            self._by[name] = defaultdict(dict)
        return self

    def add(self, row: Row, *, key: int | None = None) -> Row:
        number = self._next if key is None else key
        self._next = max(self._next, number) + 1
        stored = {"id": number, **row}
        self.rows[number] = stored
        for name, places in self._by.items():
            places[stored[name]][number] = stored
        self._lists.clear()
        return stored

    def change(self, row: Row, **fields: Any) -> None:
        for name, places in self._by.items():
            if name in fields and fields[name] != row[name]:
                del places[row[name]][row["id"]]
                places[fields[name]][row["id"]] = row
        row.update(fields)
        self._lists.clear()

    def remove(self, row: Row) -> None:
        del self.rows[row["id"]]
        for name, places in self._by.items():
            places[row[name]].pop(row["id"], None)
        self._lists.clear()

    def forget(self) -> None:
        """Forget the remembered lists, where another table changed what belongs in them."""
        self._lists.clear()

    def indexed(self, name: str) -> bool:
        return name in self._by

    def by(self, name: str, value: Any) -> list[Row]:
        """Return the records with this value, in the order of their ids."""
        return sorted(self._by[name].get(value, {}).values(), key=lambda row: int(row["id"]))

    def listed(self, question: Any, answer: Callable[[], Iterable[Row]]) -> list[Row]:
        """Return the list for `question`, made by `answer` once until something changes."""
        if question not in self._lists:
            if len(self._lists) > 50:
                self._lists.clear()
            self._lists[question] = list(answer())
        return self._lists[question]


@dataclass(slots=True)
class Automation:
    """Billomat's own dunning run: after so many days overdue, at this local hour, it completes and mails by itself."""

    wait_days: int = 3
    hour: int = 6
    last_run: date | None = None


@dataclass(slots=True)
class Behaviour:
    """What is not documented and may be either way."""

    draft_has_charge: bool = True
    """A reminder created through the API contains the level's fee as an item."""
    charge_is_marked: bool = True
    """Fee items carry `is_charge`."""
    amounts_include_charges: bool = False
    """`total_gross` and `open_amount` of a reminder contain its fees."""
    refuses_open_invoices: bool = False
    """Only OVERDUE invoices can be reminded of."""
    cancelled_counts: bool = False
    """A cancelled reminder raises the next level all the same."""
    stores_label: bool = True
    payment_bumps_updated: bool = True
    deletes_completed: bool = False
    post_is_set_up: bool = True
    mail_fails: bool = False
    """Mails are accepted and then fail, as a REMINDER_ERROR_MAIL in the history."""
    customfield_in_post: bool = False


class Books:
    """All records of one account."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.behaviour = Behaviour()
        self.ledger = Ledger()
        self.automation: Automation | None = None
        self.documents_available = -1
        self.documents_used = 0
        self.clients = Table()
        self.contacts = Table().index("client_id")
        self.invoices = Table().index("status", "client_id")
        self.credit_notes = Table().index("status", "client_id")
        self.payments = Table().index("invoice_id")
        self.comments = Table().index("invoice_id")
        self.invoice_tags = Table().index("invoice_id")
        self.client_tags = Table().index("client_id")
        self.reminders = Table().index("status", "invoice_id")
        self.reminder_items = Table().index("reminder_id")
        self.reminder_texts = Table()
        self.properties = Table()
        self.property_values = Table().index("client_id")
        self._due: dict[date, list[Row]] = defaultdict(list)
        self._day: date | None = None

    @property
    def today(self) -> date:
        return self.clock.today()

    # ------------------------------------------------------------------------------------------------- history and time

    def note(
        self, invoice_id: int, action: str, text: str = "", user_id: int | None = None, public: bool = False
    ) -> Row:
        """Add an entry to the history of an invoice."""
        at = self.clock.now()
        row = self.comments.add(
            {
                "created": at,
                "invoice_id": invoice_id,
                "user_id": user_id,
                "comment": text,
                "actionkey": action,
                "public": public,
                "by_client": False,
            }
        )
        self.ledger.history[str(invoice_id)].append(Happening(str(invoice_id), row["id"], at, action, text, user_id))
        return row

    def pass_time(self) -> None:
        """Do what happens by itself: invoices and reminders fall overdue, and the automation runs at its hour."""
        if self._day != self.today:
            self._day = self.today
            for day in [day for day in self._due if day < self.today]:
                for row in self._due.pop(day):
                    if row["status"] == "OPEN" and row["due_date"] is not None and row["due_date"] < self.today:
                        self.invoices.change(row, status="OVERDUE")
            for row in self.reminders.by("status", "OPEN"):
                if row["due_date"] < self.today:
                    self.reminders.change(row, status="OVERDUE")
        automation = self.automation
        if automation is None or automation.last_run == self.today:
            return
        if self.clock.now().astimezone(self.clock.zone).hour >= automation.hour:
            automation.last_run = self.today
            self._run_automation(automation)

    def watch_due(self, row: Row) -> None:
        """Remember when an invoice falls overdue."""
        if row["due_date"] is not None:
            self._due[row["due_date"]].append(row)
            self._day = None

    def _run_automation(self, automation: Automation) -> None:
        from connectors.billomat.sandbox import reminding  # noqa: PLC0415  reminding needs the books

        for invoice in list(self.invoices.by("status", "OVERDUE")):
            client = self.clients.rows[invoice["client_id"]]
            if not client["dunning_run"] or invoice["invoice_id"] is not None or invoice["open_amount"] <= 0:
                continue
            before = self.reminders.by("invoice_id", invoice["id"])
            since = max([invoice["due_date"], *(row["due_date"] for row in before if row["status"] != "CANCELED")])
            if self.today - since < timedelta(days=automation.wait_days) or reminding.next_level(self, before) is None:
                continue
            reminder = reminding.create(self, {"invoice_id": invoice["id"]}, user_id=None)
            reminding.complete(self, reminder, user_id=None)
            if client["email"]:
                reminding.send_mail(self, reminder, {"recipients": {"to": client["email"]}}, user_id=None)

    # ----------------------------------------------------------------------------------------------------------- invoices

    def settle(self, invoice: Row, *, force_paid: bool = False) -> None:
        """Recompute what is paid and open, and the status that follows."""
        paid = sum((row["amount"] for row in self.payments.by("invoice_id", invoice["id"])), ZERO)
        left = invoice["total_gross"] - paid
        done = force_paid or (left <= 0 if invoice["total_gross"] > 0 else left >= 0)
        status = invoice["status"]
        if status not in ("DRAFT", "CANCELED"):
            overdue = invoice["due_date"] is not None and invoice["due_date"] < self.today
            status = "PAID" if done else ("OVERDUE" if overdue else "OPEN")
        fields: Row = {"paid_amount": paid, "open_amount": ZERO if done else left, "status": status}
        if self.behaviour.payment_bumps_updated:
            fields["updated"] = self.clock.now()
        if status == "OPEN":
            self.watch_due(invoice)
        self.invoices.change(invoice, **fields)
        for reminder in self.reminders.by("invoice_id", invoice["id"]):
            if reminder["status"] in ("OPEN", "OVERDUE") and status == "PAID":
                self.reminders.change(reminder, status="PAID", paid_amount=reminder["total_gross"], open_amount=ZERO)

    def tags(self, kind: str) -> Table:
        return self.invoice_tags if kind == "invoice" else self.client_tags

    def owner(self, kind: str) -> Table:
        """Return the records that tags of this kind belong to."""
        return self.invoices if kind == "invoice" else self.clients

    def tagged_ids(self, kind: str, names: Iterable[str]) -> set[int]:
        """Return the ids of records with one of these tags."""
        wanted = {name.strip().casefold() for name in names}
        return {row[f"{kind}_id"] for row in self.tags(kind).rows.values() if row["name"].casefold() in wanted}

    def cloud(self, kind: str) -> Iterator[Row]:
        """Yield the tags in use with their counts."""
        counts: dict[str, Row] = {}
        for row in self.tags(kind).rows.values():
            entry = counts.setdefault(row["name"], {"id": row["id"], "name": row["name"], "count": 0})
            entry["count"] += 1
        yield from counts.values()
