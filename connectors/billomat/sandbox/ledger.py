"""What the provider believes: the outside effects of everything that was asked of it, for tests to judge by."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Sending:
    """One reminder that went to a debtor. `user_id` is None where Billomat's own automation sent it."""

    invoice_id: str
    reminder_id: str
    level: int
    at: datetime
    way: str
    to: tuple[str, ...] = ()
    subject: str = ""
    body: str = ""
    demanded: Decimal = Decimal(0)
    invoice_open: Decimal = Decimal(0)
    label: str = ""
    user_id: int | None = None


@dataclass(frozen=True, slots=True)
class Happening:
    """One entry of an invoice's history."""

    invoice_id: str
    id: int
    at: datetime
    action: str
    text: str = ""
    user_id: int | None = None


@dataclass(slots=True)
class Ledger:
    """Everything in the order it happened, and by invoice."""

    mails: list[Sending] = field(default_factory=list)
    letters: list[Sending] = field(default_factory=list)
    history: dict[str, list[Happening]] = field(default_factory=lambda: defaultdict(list))

    def sendings(self, invoice_id: str | None = None) -> list[Sending]:
        """Return mails and letters, of one invoice or of all, in the order they went out."""
        found = [entry for entry in (*self.mails, *self.letters) if invoice_id in (None, entry.invoice_id)]
        return sorted(found, key=lambda entry: entry.at)

    def comments(self, invoice_id: str) -> list[str]:
        """Return what people and programs noted on an invoice."""
        return [entry.text for entry in self.history[invoice_id] if entry.action == "COMMENT"]
