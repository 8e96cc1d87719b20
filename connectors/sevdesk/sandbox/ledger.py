"""What sevDesk believes has happened: the ledger that tests and the demo assert on."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """One effect, on the dunned `invoice`, by which `record` was made or changed.

    `act` is reminder, deadline, mail, mark, delete, tag, field, field_setting or pdf_sent (a PDF was fetched without
    `preventSendBy`, which sent a draft).
    """

    at: datetime
    act: str
    invoice: str
    record: str
    detail: dict[str, str] = field(default_factory=dict)
    request: int | None = None
    """Number of the request that did it; None for what a person did at sevDesk."""


class Ledger:
    """All effects, in order."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def add(self, entry: Entry) -> None:
        self.entries.append(entry)

    def of(self, act: str | None = None, invoice: str | None = None, *, by_api: bool = True) -> list[Entry]:
        """Return the entries of an act, an invoice, or both; with `by_api` only what came over the API."""
        return [
            entry
            for entry in self.entries
            if act in (None, entry.act)
            and invoice in (None, entry.invoice)
            and (entry.request is not None or not by_api)
        ]

    def count(self, act: str, invoice: str | None = None) -> int:
        """Return how often an act happened over the API."""
        return len(self.of(act, invoice))

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)
