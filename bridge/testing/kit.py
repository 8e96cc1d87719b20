"""What the conformance suite needs to know of a provider: its sandbox, and hands to change what it holds.

A connector's author writes one kit beside the connector's tests and gets the whole suite, directly and behind an OAuth gateway:

```python
class SevDeskKit(Kit):
    connector = SevDesk
    calls = {Act.CREATE: ("POST", r"/Invoice/Factory/createInvoiceReminder"), ...}

    def start(self) -> None:
        self.sandbox = Sandbox()
        self.sandbox.start()
        self.server = self.sandbox.server

    def stop(self) -> None:
        self.sandbox.stop()

    def http(self) -> HttpSettings:
        return HttpSettings(base_url=self.sandbox.base_url, auth=TokenAuth(token="a" * 32))

    def seed(self, count: int) -> list[str]: ...
    def pay(self, invoice_id: str) -> None: ...
    def break_record(self, invoice_id: str) -> str: ...
    def remind_by_hand(self, invoice_id: str) -> str: ...
    def effects(self, act: Act, invoice_id: str) -> int: ...

class TestSevDesk(ConnectorConformance):
    kit = SevDeskKit
```

Each check makes its own kit, so nothing is shared between checks and they may run in parallel.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping as MappingType
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Self

from bridge.contract import Act, Connector, Content, Http, Invoice, Mapping, Recipients, Ref, WriteBack
from bridge.http import HttpSettings
from bridge.testing.server import Server

_REMINDER = (Act.CREATE,)
_FINAL = (Act.CREATE, Act.COMPLETE)


class Kit(ABC):
    """One provider for one check: a sandbox that was just started, and what a person could do there by hand."""

    connector: ClassVar[type[Connector]]
    """The class under test."""

    acts: ClassVar[frozenset[Act] | None] = None
    """The acts that exist on this account; default: all of the connector's."""

    before: ClassVar[MappingType[Act, tuple[Act, ...]]] = {
        Act.AMEND: _REMINDER,
        Act.COMPLETE: _REMINDER,
        Act.DISCARD: _REMINDER,
        Act.SEND_EMAIL: _FINAL,
        Act.SEND_POST: _FINAL,
        Act.MARK_SENT: _FINAL,
    }
    """The acts that must have been pushed for the same reminder before an act; those that `acts` lacks are left out."""

    calls: ClassVar[MappingType[Act, tuple[str, str]]] = {}
    """For each act the method and the path pattern of its one call that is not harmless to repeat; faults strike there."""

    blind: ClassVar[frozenset[Act]] = frozenset()
    """Acts that the provider gives no way to find again; `find` raises `CannotTell` for them even after they happened."""

    reads: ClassVar[str] = ""
    """Path pattern of the calls that `pull` makes to list invoices; read faults strike there (method GET)."""

    looks: ClassVar[str] = ""
    """Path pattern of the calls that `look` makes for an invoice."""

    fresh: ClassVar[bool] = True
    """`look` asks the provider; False where it can only tell what was imported last (files)."""

    keeps_reminders: ClassVar[bool] = True
    """The provider has reminders of its own, which people also make by hand."""

    server: Server | None = None
    """The sandbox's server; None where nothing is spoken over HTTP (files), then the HTTP checks do not apply."""

    over_http: ClassVar[bool] = True
    """False where nothing is spoken over HTTP."""

    today: ClassVar[date] = date(2026, 11, 16)
    """The business date during a check. The sandbox's clock is to be set to it as well."""

    # ------------------------------------------------------------------------------------------------ what authors write

    @abstractmethod
    def start(self) -> None:
        """Start an empty sandbox and set `server`."""

    @abstractmethod
    def stop(self) -> None:
        """Stop it and leave nothing behind."""

    @abstractmethod
    def http(self) -> HttpSettings:
        """Return address and credentials with which the connector speaks to the sandbox directly."""

    @abstractmethod
    def seed(self, count: int) -> list[str]:
        """Add `count` open, sent, overdue invoices of different debtors with e-mail address; return their provider ids."""

    @abstractmethod
    def pay(self, invoice_id: str) -> None:
        """Book the full amount of an invoice at the provider."""

    @abstractmethod
    def break_record(self, invoice_id: str) -> str:
        """Spoil one field of an invoice at the provider so that it fits no more; return the model's name of the field."""

    @abstractmethod
    def effects(self, act: Act, invoice_id: str) -> int:
        """Return how often the provider believes that `act` happened for this invoice (for a harmless act: 0 or 1)."""

    def remind_by_hand(self, invoice_id: str) -> str:
        """Make a reminder at the provider as a person would; return its provider id."""
        raise NotImplementedError

    def settings(self) -> MappingType[str, Any]:
        """Return the connector's own settings; the suite adds a small `page_size`."""
        return {}

    # -------------------------------------------------------------------------------------------- what may stay as it is

    def make(self, http: Http) -> Connector:
        """Make the connector under test on `http`."""
        cls = self.connector
        settings = cls.Settings.model_validate({"page_size": 3, **self.settings()})
        return cls("conformance", settings, Mapping.load(cls.name), http)

    def now(self) -> datetime:
        """Return the business clock's instant during a check."""
        return datetime(self.today.year, self.today.month, self.today.day, 9, tzinfo=UTC)

    def content(self, act: Act, invoice: Invoice) -> Content:
        """Return what a write-back of `act` says."""
        return Content(
            level_name="1. Mahnung",
            currency=invoice.currency,
            principal=invoice.open,
            fee=Decimal("0.00"),
            total=invoice.open,
            deadline=self.today + timedelta(days=14),
            subject=f"Zahlungserinnerung {invoice.number}",
            text="Bitte zahlen Sie den offenen Betrag.",
            recipients=Recipients(to=("buchhaltung@schuldner.example",)),
            sent_by="mail",
            line="16.11.2026 1. Mahnung per E-Mail",
            tag="gemahnt-1" if act is Act.TAG else None,
        )

    def write(self, act: Act, invoice: Invoice, reminder_id: str | None) -> WriteBack:
        """Return the write-back of `act`; the suite adds baseline, expected level and start."""
        return WriteBack(
            key=f"conformance/{invoice.id}/1/1/{act}",
            account="conformance",
            act=act,
            invoice=Ref.invoice(invoice.id, invoice.number),
            debtor_id=invoice.debtor_id,
            reminder_id=reminder_id,
            content=self.content(act, invoice),
        )

    def available(self) -> frozenset[Act]:
        """Return the acts under test."""
        return self.connector.acts if self.acts is None else self.acts

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
