"""Pulling open invoices (Rechnungen) and open credit notes (Gutschriften)."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from bridge.contract import BadRecord, Batch, Invoice, NotFound
from connectors.billomat import tags, wire
from connectors.billomat.api import OPEN_STATES, Api, Page, Record
from connectors.billomat.clients import Clients
from connectors.billomat.cycle import OPEN, Cycle
from connectors.billomat.reading import CREDIT_NOTE_PREFIX, mail_address, reject


class CreditNotes:
    """The open credit notes of a cycle."""

    def __init__(self, cycle: Cycle) -> None:
        self.cycle = cycle

    def batches(self) -> Iterator[Batch]:
        if not self.cycle.settings.credit_notes:
            return
        found, rejects = [], []
        for raw in self.cycle.api.credit_notes(status="OPEN"):
            if wire.text(raw, "status") != "OPEN":
                continue
            try:
                found.append(self.cycle.reading.credit_note(raw))
            except BadRecord as error:
                rejects.append(reject("invoice", raw, error, prefix=CREDIT_NOTE_PREFIX))
        if found or rejects:
            yield self.cycle.batch(invoices=tuple(found), rejects=tuple(rejects), full=self.cycle.full)


class Invoices:
    """The open invoices of a cycle, its last part."""

    def __init__(self, cycle: Cycle) -> None:
        self.cycle = cycle
        self.clients = Clients(cycle)

    def batches(self) -> Iterator[Batch]:
        """Yield the open invoices page by page; a page that takes many more calls in pieces, so that no progress is lost."""
        state, meaning = self.cycle.state, self.cycle.settings.invoice_tags
        if state["page"] is None:
            state["tagged_invoices"] = tags.tagged(self.cycle.api, "invoice", meaning, state["tagged_invoices"])
        if not self.cycle.full and (changed := self._changed_invoices()) is not None:
            yield self._batch(changed, last=True)
            return
        done = 0
        for page in self.cycle.api.invoice_pages(state["page"], status=OPEN):
            *pieces, rest = self._pieces(page)
            for piece in pieces:
                state["page"] = page.number
                yield self._batch(piece, full=True, done=done, total=page.total)
            done += len(page.records)
            self.cycle.done(page)
            yield self._batch(rest, last=page.last, full=True, complete=page.last, done=done, total=page.total)

    def _pieces(self, page: Page) -> list[list[Record]]:
        """Return the open invoices of a page, whole or in pieces that need few calls each."""
        size = self.cycle.settings.client_chunk
        records = [raw for raw in page.records if wire.text(raw, "status") in OPEN_STATES]
        contacts = {wire.text(raw, "contact_id") for raw in records if _wants_contact(raw, self.cycle.contacts_until)}
        unknown = len(contacts - self.cycle.state["contacts"].keys()) + self.clients.unknown(records)
        if unknown <= size:
            return [records]
        return [records[start : start + size] for start in range(0, len(records), size)]

    def _batch(self, records: Sequence[Record], *, last: bool = False, **parts: Any) -> Batch:
        debtors, rejects = self.clients.of(records)
        invoices: list[Invoice] = []
        misfits = list(rejects)
        state = self.cycle.state
        for raw in records:
            self._note_change(raw)
            try:
                invoices.append(self._invoice(raw))
            except BadRecord as error:
                misfits.append(reject("invoice", raw, error))
        if last:
            refreshed = self.cycle.now.isoformat() if state["refresh"] else state["refreshed"]
            state.update(stage=None, page=None, refresh=False, refreshed=refreshed)
        return self.cycle.batch(debtors=debtors, invoices=tuple(invoices), rejects=tuple(misfits), **parts)

    def _note_change(self, raw: Record) -> None:
        if self.cycle.settings.changes == "updated" and (moment := wire.instant(wire.text(raw, "updated"))) is not None:
            known = wire.instant(self.cycle.state["updated"])
            self.cycle.state["updated"] = (moment if known is None else max(moment, known)).isoformat()

    def _invoice(self, raw: Record) -> Invoice:
        state = self.cycle.state
        names = tuple(state["tagged_invoices"].get(str(wire.number(raw)), ()))
        email = contact_email(self.cycle.api, raw, self.cycle.contacts_until, state["contacts"])
        return self.cycle.reading.invoice(raw, tags=names, email=email)

    def _changed_invoices(self) -> list[Record] | None:
        """Return the invoices changed since the last cycle, or None where the provider does not sort by `updated`."""
        mark = self.cycle.state["updated"]
        if mark is None:
            return None
        since = datetime.fromisoformat(mark) - timedelta(hours=1)
        found: list[Record] = []
        number = 1
        while records := [wire.without_unset_dates(row) for row in self.cycle.api.latest_changes(number)]:
            moments = [moment for row in records if (moment := wire.instant(wire.text(row, "updated"))) is not None]
            if len(moments) < len(records) or moments != sorted(moments, reverse=True):
                return None
            found += [row for row, moment in zip(records, moments, strict=True) if moment >= since]
            if moments[-1] < since:
                break
            number += 1
        return list(wire.distinct([row for row in found if wire.text(row, "status") != "DRAFT"]))


def _wants_contact(raw: Record, until: date | None) -> bool:
    due = wire.text(raw, "due_date")
    due_by_then = until is None or (due is not None and due <= until.isoformat())
    return wire.text(raw, "contact_id") is not None and due_by_then


def contact_email(api: Api, raw: Record, until: date | None, known: dict[str, str]) -> str | None:
    """Return the e-mail address of an invoice's contact (Ansprechpartner), which goes before the client's.

    Contacts can only be read one by one, so those of invoices that are due after `until` are left alone; None: of none. `known` is
    read and added to.
    """
    contact_id = wire.reference(raw, "contact_id")
    if contact_id is None or not _wants_contact(raw, until):
        return None
    if contact_id not in known:
        try:
            known[contact_id] = mail_address(wire.text(api.contact(contact_id), "email")) or ""
        except NotFound:
            known[contact_id] = ""
    return known[contact_id] or None
