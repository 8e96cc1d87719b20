"""Reading what changed (Abgleich): clients, reminders, payments, credit notes and the open invoices, page by page.

Billomat has no `updated since` filter. A cycle therefore lists what is open and lets the caller look at what is missing; the rest is
read as cheaply as is safe. In the order of reading, and why each is safe:

- clients: all, or those of the open invoices, whichever takes fewer calls; again after `refresh_hours`, and the clients of invoices
  that are not known yet at once. Each look reads the client anew.
- reminders: all while they fit into two pages. Beyond that what is new, from the newest down to the highest id seen, and all drafts,
  whose completion or deletion shows by their absence; all of them again after `refresh_hours`. A completed reminder that is
  cancelled in between is seen late, so the case stays too high for a day, never too low, and each look reads reminders anew.
- payments: those dated within the overlap. One that is missing and that Billomat no longer knows becomes a payment taken back.
- credit notes and invoices: all open ones. Reminders, payments and clients come first, so that no invoice is ever judged without them.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from bridge.contract import (
    BadRecord,
    Batch,
    Cursor,
    Debtor,
    Invoice,
    Mapping,
    NotFound,
    NoticeStatus,
    Payment,
    ProviderNotice,
    Reject,
)
from connectors.billomat import tags, wire
from connectors.billomat.api import OPEN_STATES, Api, Page, Record
from connectors.billomat.levels import read_levels
from connectors.billomat.reading import Reading, mail_address, reject
from connectors.billomat.settings import Settings

STAGES = ("clients", "reminders", "payments", "credit_notes", "invoices")
OPEN = ",".join(OPEN_STATES)


def fresh_state() -> dict[str, Any]:
    """Return the cursor of an account that was never read."""
    return {
        "stage": None,  # the stage to resume at, None between two cycles
        "page": None,
        "refresh": True,  # this cycle reads clients, contacts and all reminders again
        "refreshed": None,
        "levels": {},
        "clients_to": 0,  # all clients up to this id are known, and `clients` besides
        "clients": [],
        "contacts": {},  # e-mail addresses of the contacts of overdue invoices
        "tagged_invoices": {},
        "tagged_clients": {},
        "reminders_total": 0,
        "reminders_to": 0,
        "drafts": {},
        "drafts_seen": {},
        "payments": {},
        "payments_seen": [],
        "updated": None,
    }


class Pull:
    """One reading of an account. `state` is what the cursor carries; every batch holds a copy of it."""

    def __init__(self, api: Api, settings: Settings, mapping: Mapping, now: datetime, cursor: Cursor | None) -> None:
        self.api = api
        self.settings = settings
        self.reading = Reading(settings, mapping)
        self.now = now
        self.today: date = now.astimezone(self.reading.zone).date()
        self.state = {**fresh_state(), **(dict(cursor.data) if cursor else {})}

    def batches(self) -> Iterator[Batch]:
        """Yield the batches of a cycle, or of the rest of one that was cut short."""
        self._begin()
        for stage in STAGES[STAGES.index(self.state["stage"]) :]:
            if self.state["stage"] != stage:
                self.state.update(stage=stage, page=None)
            yield from getattr(self, f"_{stage}")()

    def _begin(self) -> None:
        state = self.state
        if state["stage"] is None:
            since = state["refreshed"]
            due = since is None or self.now - datetime.fromisoformat(since) >= timedelta(
                hours=self.settings.refresh_hours
            )
            state.update(stage=STAGES[0], page=None, refresh=due)
            if due:
                self.reading.set_levels(read_levels(self.api))
                state.update(levels=self.reading.level_positions, contacts={}, clients_to=0, clients=[])
        self.reading.level_positions = dict(state["levels"])

    def _batch(self, **parts: Any) -> Batch:
        return Batch(cursor=Cursor(data={**self.state, "contacts": dict(self.state["contacts"])}), **parts)

    def _resume(self, page: Page) -> None:
        """Note that `page` is done, so that a crash goes on with the one before it."""
        self.state["page"] = None if page.last else page.number - 1

    # ------------------------------------------------------------------------------------------------------------ clients

    def _clients(self) -> Iterator[Batch]:
        state = self.state
        before = state["tagged_clients"]
        state["tagged_clients"] = tags.tagged(self.api, "client", self.settings.client_tags, before)
        changed = {
            key
            for key in before.keys() | state["tagged_clients"].keys()
            if before.get(key) != state["tagged_clients"].get(key)
        }
        if state["refresh"] and self._listing_is_cheaper():
            for page in self.api.client_pages(state["page"]):
                state["clients_to"] = max([state["clients_to"], *map(wire.number, page.records)])
                debtors, rejects = self._debtors(page.records)
                self._resume(page)
                yield self._batch(debtors=debtors, rejects=rejects)
        elif changed and not state["refresh"]:
            debtors, rejects = self._debtors(self._still_there(sorted(changed)))
            yield self._batch(debtors=debtors, rejects=rejects)

    def _listing_is_cheaper(self) -> bool:
        if self.state["page"] is not None:
            return True
        clients, invoices = self.api.count("/clients"), self.api.count("/invoices", status=OPEN)
        if clients is None or invoices is None:
            return True
        return -(-clients // self.settings.page_size) <= max(1, -(-invoices // self.settings.client_chunk))

    def _still_there(self, client_ids: Sequence[str]) -> list[Record]:
        found = []
        for client_id in client_ids:
            try:
                found.append(self.api.client(client_id))
            except NotFound:
                continue
        return found

    def _debtors(self, records: Sequence[Record]) -> tuple[tuple[Debtor, ...], tuple[Reject, ...]]:
        debtors, rejects = [], []
        for raw in records:
            try:
                debtors.append(
                    self.reading.debtor(raw, tags=tuple(self.state["tagged_clients"].get(str(wire.number(raw)), ())))
                )
            except BadRecord as error:
                rejects.append(reject("debtor", raw, error))
        return tuple(debtors), tuple(rejects)

    def _clients_of(self, records: Sequence[Record]) -> tuple[tuple[Debtor, ...], tuple[Reject, ...]]:
        """Read the clients of these invoices that are not known yet, many in one call."""
        state = self.state
        known = set(state["clients"])
        wanted: dict[int, str] = {}
        for raw in records:
            client = wire.number(raw, "client_id")
            if client > state["clients_to"] and client not in known:
                wanted.setdefault(client, str(wire.number(raw)))
        invoice_ids = list(wanted.values())
        found: dict[int, Record] = {}
        for start in range(0, len(invoice_ids), self.settings.client_chunk):
            for raw in self.api.clients_of(invoice_ids[start : start + self.settings.client_chunk]):
                if wire.number(raw) in wanted:
                    found[wire.number(raw)] = raw
        for missing in self._still_there([str(client) for client in wanted if client not in found]):
            found[wire.number(missing)] = missing
        state["clients"] = sorted(known | found.keys())
        return self._debtors(list(found.values()))

    # ---------------------------------------------------------------------------------------------------------- reminders

    def _reminders(self) -> Iterator[Batch]:
        few = self.state["reminders_total"] <= 2 * self.settings.page_size
        if self.state["refresh"] or few or self.state["page"] is not None:
            yield from self._all_reminders()
            return
        new = self._new_reminders()
        if new is None:
            yield from self._all_reminders()
            return
        self.state["drafts_seen"] = {}
        drafts = [row for row in self.api.reminders(status="DRAFT") if wire.text(row, "status") == "DRAFT"]
        yield self._notices(list(wire.distinct([*new, *drafts])), end=True)

    def _all_reminders(self) -> Iterator[Batch]:
        if self.state["page"] is None:
            self.state["drafts_seen"] = {}
        for page in self.api.reminder_pages(self.state["page"]):
            self.state["reminders_total"] = page.total
            self._resume(page)
            yield self._notices(page.records, end=page.last)

    def _new_reminders(self) -> list[Record] | None:
        """Return the reminders above the highest id seen, or None where the provider does not sort as asked."""
        found: list[Record] = []
        number = 1
        while records := [wire.without_unset_dates(row) for row in self.api.newest_reminders(number)]:
            ids = [wire.number(row) for row in records]
            if ids != sorted(ids, reverse=True):
                return None
            found += [row for row in records if wire.number(row) > self.state["reminders_to"]]
            if ids[-1] <= self.state["reminders_to"]:
                break
            number += 1
        return found

    def _notices(self, records: Sequence[Record], *, end: bool) -> Batch:
        state, notices, rejects = self.state, [], []
        seen = dict(state["drafts_seen"])
        for raw in records:
            state["reminders_to"] = max(state["reminders_to"], wire.number(raw))
            try:
                notice = self.reading.notice(raw)
            except BadRecord as error:
                rejects.append(reject("notice", raw, error))
                continue
            notices.append(notice)
            if notice.status is NoticeStatus.DRAFT:
                seen[notice.id] = [notice.invoice_id, notice.level, notice.marker]
        state["drafts_seen"] = seen
        if end:
            notices += self._former_drafts(seen)
            state.update(drafts=seen, drafts_seen={})
        return self._batch(notices=tuple(notices), rejects=tuple(rejects))

    def _former_drafts(self, seen: dict[str, Any]) -> list[ProviderNotice]:
        """Return what became of the drafts that are missing: completed, or deleted, which counts as cancelled."""
        found = []
        for key, (invoice_id, level, marker) in self.state["drafts"].items():
            if key in seen:
                continue
            try:
                found.append(self.reading.notice(self.api.reminder(key)))
            except NotFound:
                gone = ProviderNotice(
                    id=key, invoice_id=invoice_id, level=level, status=NoticeStatus.CANCELLED, marker=marker
                )
                found.append(gone)
            except BadRecord:
                continue
        return found

    # ----------------------------------------------------------------------------------------------------------- payments

    def _payments(self) -> Iterator[Batch]:
        state = self.state
        overlap = self.today - timedelta(days=self.settings.payments_overlap_days)
        first = state["refreshed"] is None
        since = self.today - timedelta(days=self.settings.payments_first_days) if first else overlap
        if state["page"] is None:
            state["payments_seen"] = []
        for page in self.api.payment_pages(state["page"], **{"from": since.isoformat()}):
            payments, rejects = [], []
            known, seen = dict(state["payments"]), set(state["payments_seen"])
            for raw in page.records:
                seen.add(str(wire.number(raw)))
                try:
                    payment = self.reading.payment(raw)
                except BadRecord as error:
                    rejects.append(reject("payment", raw, error))
                    continue
                payments.append(payment)
                if payment.value_on >= overlap:
                    known[payment.id] = [
                        payment.invoice_id,
                        str(payment.amount),
                        payment.value_on.isoformat(),
                        payment.kind.value,
                        payment.currency,
                    ]
            if page.last:
                payments += self._taken_back(known, seen, overlap)
                state.update(payments={key: row for key, row in known.items() if key in seen}, payments_seen=[])
            else:
                state.update(payments=known, payments_seen=sorted(seen))
            self._resume(page)
            yield self._batch(payments=tuple(payments), rejects=tuple(rejects))

    def _taken_back(self, known: dict[str, Any], seen: set[str], overlap: date) -> list[Payment]:
        """Return a counter-payment for every payment of the overlap that was deleted at the provider."""
        found = []
        for key, (invoice_id, amount, day, kind, currency) in known.items():
            if key in seen or date.fromisoformat(day) < overlap or self._payment_exists(key):
                continue
            found.append(
                Payment(
                    id=f"{key}-deleted",
                    invoice_id=invoice_id,
                    amount=-Decimal(amount),
                    currency=currency,
                    value_on=self.today,
                    kind=kind,
                    text=f"payment {key} was deleted",
                )
            )
        return found

    def _payment_exists(self, key: str) -> bool:
        try:
            self.api.payment(key)
        except NotFound:
            return False
        return True

    # ---------------------------------------------------------------------------------------- credit notes and invoices

    def _credit_notes(self) -> Iterator[Batch]:
        if not self.settings.credit_notes:
            return
        found, rejects = [], []
        for raw in self.api.credit_notes(status="OPEN"):
            if wire.text(raw, "status") != "OPEN":
                continue
            try:
                found.append(self.reading.credit_note(raw))
            except BadRecord as error:
                rejects.append(reject("invoice", raw, error))
        if found or rejects:
            yield self._batch(invoices=tuple(found), rejects=tuple(rejects), full=self._is_full)

    @property
    def _is_full(self) -> bool:
        return self.settings.changes == "full" or bool(self.state["refresh"])

    def _invoices(self) -> Iterator[Batch]:
        state = self.state
        if state["page"] is None:
            meaning = self.settings.invoice_tags
            state["tagged_invoices"] = tags.tagged(self.api, "invoice", meaning, state["tagged_invoices"])
        if not self._is_full and (changed := self._changed_invoices()) is not None:
            yield self._invoice_batch(changed, last=True)
            return
        done = 0
        for page in self.api.invoice_pages(state["page"], status=OPEN):
            done += len(page.records)
            self._resume(page)
            records = [raw for raw in page.records if wire.text(raw, "status") in OPEN_STATES]
            yield self._invoice_batch(
                records, last=page.last, full=True, complete=page.last, done=done, total=page.total
            )

    def _invoice_batch(self, records: Sequence[Record], *, last: bool, **parts: Any) -> Batch:
        debtors, rejects = self._clients_of(records)
        invoices: list[Invoice] = []
        misfits = list(rejects)
        for raw in records:
            self._note_change(raw)
            try:
                invoices.append(self._invoice(raw))
            except BadRecord as error:
                misfits.append(reject("invoice", raw, error))
        if last:
            refreshed = self.now.isoformat() if self.state["refresh"] else self.state["refreshed"]
            self.state.update(stage=None, page=None, refresh=False, refreshed=refreshed)
        return self._batch(debtors=debtors, invoices=tuple(invoices), rejects=tuple(misfits), **parts)

    def _note_change(self, raw: Record) -> None:
        stamp = wire.text(raw, "updated")
        if self.settings.changes == "updated" and stamp is not None and (moment := _instant(stamp)) is not None:
            known = self.state["updated"]
            newest = moment if known is None else max(moment, datetime.fromisoformat(known))
            self.state["updated"] = newest.isoformat()

    def _invoice(self, raw: Record) -> Invoice:
        names = tuple(self.state["tagged_invoices"].get(str(wire.number(raw)), ()))
        return self.reading.invoice(
            raw, tags=names, email=contact_email(self.api, raw, self.today, self.state["contacts"])
        )

    def _changed_invoices(self) -> list[Record] | None:
        """Return the invoices changed since the last cycle, or None where the provider does not sort by `updated`."""
        mark = self.state["updated"]
        if mark is None:
            return None
        since = datetime.fromisoformat(mark) - timedelta(hours=1)
        found: list[Record] = []
        number = 1
        while records := [wire.without_unset_dates(row) for row in self.api.latest_changes(number)]:
            moments = [moment for row in records if (moment := _instant(wire.text(row, "updated") or "")) is not None]
            if len(moments) < len(records) or moments != sorted(moments, reverse=True):
                return None
            found += [row for row, moment in zip(records, moments, strict=True) if moment >= since]
            if moments[-1] < since:
                break
            number += 1
        return list(wire.distinct([row for row in found if wire.text(row, "status") != "DRAFT"]))


def _instant(stamp: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo is not None else None


def contact_email(api: Api, raw: Record, today: date, known: dict[str, str]) -> str | None:
    """Return the e-mail address of an overdue invoice's contact (Ansprechpartner), which goes before the client's.

    Contacts can only be read one by one, so those of invoices that are not overdue are left alone. `known` is read and added to.
    """
    contact_id = wire.reference(raw, "contact_id")
    due = wire.text(raw, "due_date")
    if contact_id is None or due is None or due >= today.isoformat():
        return None
    if contact_id not in known:
        try:
            known[contact_id] = mail_address(wire.text(api.contact(contact_id), "email")) or ""
        except NotFound:
            known[contact_id] = ""
    return known[contact_id] or None
