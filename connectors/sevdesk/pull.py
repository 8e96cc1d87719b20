"""Pulling: what changed since the last time, and from time to time everything that is open.

A full reading goes in steps and is resumed at the page where it stopped; the first one reads every document once, whatever its state.
Between full readings the lists of changes are read with an overlap. Nothing documents which events change an invoice's `update`, so
what may not is watched separately: reminder drafts, tags, block fields, credit notes, the payment log and unbooked bank transactions.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from bridge.contract import Batch, Debtor, Invoice, InvoiceStatus, Payment, ProviderNotice, Reject
from connectors.sevdesk.api import unix
from connectors.sevdesk.ledger import Ledger
from connectors.sevdesk.reading import Reader
from connectors.sevdesk.records import ident
from connectors.sevdesk.scan import Page, Scan
from connectors.sevdesk.state import Listing, State

FIRST = ("contacts", "reminders", "cancellations", "credits", "payments", "everything")
AGAIN = ("contacts", "reminders", "cancellations", "credits", "payments", "changes", "200", "750")
KINDS = {"reminders": "MA", "cancellations": "SR"}


class Pull:
    """One pull of one account."""

    def __init__(self, reader: Reader, state: State) -> None:
        self._reader = reader
        self._api = reader.api
        self._state = state
        self._around = reader.circumstances()
        self._ledger = Ledger(reader, state, self._around)

    def batches(self) -> Iterator[Batch]:
        """Yield what is to be stored."""
        if self._full_is_due():
            yield from self._full()
        else:
            yield from self._contact_changes()
            yield from self._changes()
            yield from self._batches(
                self._ledger.reminders_gone(), self._ledger.marked(), self._ledger.credit_changes()
            )
            yield from self._payments(from_start=False)
            yield self._last()

    def _full_is_due(self) -> bool:
        state, settings = self._state, self._reader.settings
        if state.listing is not None or state.full_at is None or state.read_at is None:
            return True
        if self._reader.now - state.full_at >= timedelta(hours=settings.full_every_hours):
            return True
        if self._around.unreadable != state.unreadable:
            return True
        return self._around.bank.digest != state.bank and state.open_rows <= settings.reread_limit

    # ------------------------------------------------------------------------------------------------- full reading

    def _full(self) -> Iterator[Batch]:
        """Read everything that is open, step by step, from where the last attempt stopped."""
        listing = self._state.listing
        if listing is None:
            listing = self._state.listing = Listing(
                began=self._reader.now, read_at=self._reader.read_at(), first=self._state.full_at is None
            )
            self._ledger.begin()
        steps = FIRST if listing.first else AGAIN
        while listing.step < len(steps):
            yield from self._step(steps[listing.step], listing)
            listing.step, listing.offset, listing.total = listing.step + 1, 0, None
        yield from self._batches(self._ledger.reminders_gone())
        self._finish(listing)
        yield self._last(full=True, complete=listing.steady)

    def _step(self, name: str, listing: Listing) -> Iterator[Batch]:
        if name == "contacts":
            return self._all_contacts(listing)
        if name in KINDS:
            return self._pages(
                self._api.documents_of_type(KINDS[name]), lambda row: row.get("invoiceType") == KINDS[name]
            )
        if name == "credits":
            return self._batches(self._ledger.credits())
        if name == "payments":
            return self._payments(from_start=True)
        if name == "changes":
            return self._changes()
        return self._open_invoices(name, listing)

    def _open_invoices(self, name: str, listing: Listing) -> Iterator[Batch]:
        filters = {"showAll": "true"} if name == "everything" else {"status": name}
        scan = self._api.invoices(filters, start=listing.offset, total=listing.total)
        for page in scan:
            rows = page.rows if name == "everything" else [row for row in page.rows if _status(row) in (name, None)]
            listing.offset, listing.total = page.offset, page.total
            batch = self._documents(rows, page, full=True)
            listing.rows += sum(invoice.status is InvoiceStatus.OPEN for invoice in batch.invoices)
            yield batch
        listing.steady = listing.steady and scan.stable

    def _finish(self, listing: Listing) -> None:
        """Note the end of a full reading."""
        state = self._state
        state.read_at = listing.read_at
        state.full_at, state.open_rows, state.listing = listing.began, listing.rows, None
        state.drafts_before = {}
        self._ledger.note_signs()

    # ----------------------------------------------------------------------------------------------------- changes

    def _since(self) -> datetime:
        """Return from when on changes are read: the last reading by sevDesk's own clock, less the overlap."""
        last = self._state.read_at or self._reader.read_at()
        return last - timedelta(minutes=self._reader.settings.overlap_minutes)

    def _changes(self) -> Iterator[Batch]:
        """Read the changed documents; reminders and cancellations by type too, as plain lists may hide them."""
        since = self._since()

        def changed(row: Mapping[str, Any]) -> bool:
            moment = self._reader.moment(row.get("update"))
            return moment is None or moment >= since

        after = {"updateAfter": str(unix(since))}
        yield from self._pages(self._api.invoices(after), changed)
        for kind in KINDS.values():
            scan = self._api.documents_of_type(kind, after)
            yield from self._pages(scan, changed)
        yield from self._batches(self._ledger.touched())

    def _pages(self, scan: Scan, wanted: Callable[[Mapping[str, Any]], bool]) -> Iterator[Batch]:
        for page in scan:
            rows = [row for row in page.rows if not isinstance(row, Mapping) or wanted(row)]
            if rows:
                yield self._documents(rows, page, full=self._state.listing is not None)
        if not scan.stable and self._state.listing is not None:
            self._state.listing.steady = False

    def _documents(self, rows: Iterable[Any], page: Page, *, full: bool) -> Batch:
        """Return a batch of rows of `/Invoice`, whatever their type."""
        found = self._ledger.documents(rows)
        return self._batch(found, full=full, page=page)

    # ------------------------------------------------------------------------------------- contacts and payments

    def _all_contacts(self, listing: Listing) -> Iterator[Batch]:
        reach = self._reader.contacts.reach(self._api.communication_ways(), self._api.addresses())
        scan = self._api.contacts(start=listing.offset, total=listing.total)
        for page in scan:
            listing.offset, listing.total = page.offset, page.total
            yield self._batch(self._ledger.contacts(page.rows, reach), full=True, page=page)

    def _contact_changes(self) -> Iterator[Batch]:
        """Read changed contacts, and those whose tags or block field changed."""
        since = self._since()
        rows: dict[str, Any] = {}
        for page in self._api.contacts({"updateAfter": str(unix(since))}):
            for row in page.rows:
                moment = self._reader.moment(row.get("update")) if isinstance(row, Mapping) else None
                if moment is None or moment >= since:
                    rows[ident(row) or str(len(rows))] = row
        for id_ in self._ledger.contacts_with_new_signs() - rows.keys():
            rows.update(self._ledger.contact(id_))
        wanted = set(rows) | {parent for row in rows.values() if (parent := self._reader.contacts.parent_of(row))}
        reach = self._reader.reach(wanted) if rows else {}
        yield from self._batches(self._ledger.contacts(rows.values(), reach))

    def _payments(self, *, from_start: bool) -> Iterator[Batch]:
        for found in self._ledger.payments(from_start=from_start):
            yield from self._batches(found)

    # ----------------------------------------------------------------------------------------------------- batches

    def _batches(self, *parts: Iterable[object]) -> Iterator[Batch]:
        records = [record for part in parts for record in part]
        if records:
            yield self._batch(records, full=self._state.listing is not None)

    def _batch(self, records: Iterable[object], *, full: bool, page: Page | None = None) -> Batch:
        records = list(records)
        return Batch(
            debtors=tuple(record for record in records if isinstance(record, Debtor)),
            invoices=tuple(record for record in records if isinstance(record, Invoice)),
            payments=tuple(record for record in records if isinstance(record, Payment)),
            notices=tuple(record for record in records if isinstance(record, ProviderNotice)),
            rejects=tuple(record for record in records if isinstance(record, Reject)),
            cursor=self._state.cursor(),
            full=full,
            payments_as_of=self._around.bank.as_of,
            done=page.offset if page else None,
            total=page.total if page else None,
        )

    def _last(self, *, full: bool = False, complete: bool = False) -> Batch:
        if not full:
            self._ledger.note_signs()
            self._state.read_at = self._reader.read_at()
        return Batch(cursor=self._state.cursor(), full=full, complete=complete, payments_as_of=self._around.bank.as_of)


def _status(row: Any) -> str | None:
    """Return the status of a row; None for what is no row, so that it is set aside with a reason."""
    return str(row.get("status")) if isinstance(row, Mapping) else None
