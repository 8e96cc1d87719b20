"""The mirror (Spiegel): what the providers told us, written only where it changed, and read back as model objects."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, exists, or_, select, update
from sqlalchemy.engine import Connection

from bridge.model import (
    Batch,
    Cursor,
    Debtor,
    Flag,
    Invoice,
    InvoiceStatus,
    NoticeStatus,
    Payment,
    ProviderNotice,
    Reason,
    Reject,
    Snapshot,
)
from bridge.store.accounts import Accounts
from bridge.store.listing import Listing
from bridge.store.ours import astray, leaving
from bridge.store.rejects import Rejects
from bridge.store.tables import debtor, invoice, notice_claim, payment, provider_notice
from bridge.store.upsert import CHUNK, Written, chunked, mark, mark_debtors, write

UNSETTLED = ("open", "unknown")


@dataclass(frozen=True, slots=True)
class Known:
    """An invoice as the mirror has it; `next_on` is the next local date on which something can happen to it."""

    account: str
    invoice: Invoice
    next_on: date | None


@dataclass(frozen=True, slots=True)
class KnownNotice:
    """A reminder that the provider holds, whether a write-back of ours made it, and when we first saw it.

    `astray` and `leaving`: see `bridge.policy.views.NoticeView`.
    """

    notice: ProviderNotice
    ours: bool
    first_seen: datetime
    astray: bool = False
    leaving: bool = False


@dataclass(frozen=True, slots=True)
class Dossier:
    """One debtor of one account with everything that a dunning decision looks at.

    `invoices` are all that are open, of unknown status, or due for a decision; `related` the cancellations, credit notes and final
    invoices that name one of them as origin. `debtor` is None where the provider gave none or has not sent it yet.
    """

    account: str
    debtor_id: str | None
    debtor: Debtor | None
    invoices: tuple[Known, ...]
    related: Mapping[str, tuple[Invoice, ...]]
    notices: Mapping[str, tuple[KnownNotice, ...]]
    payments: Mapping[str, tuple[Payment, ...]]


class Mirror:
    """Debtors, invoices, payments and reminders of all accounts; `accounts`, `rejects` and `listing` go with them."""

    def __init__(self) -> None:
        self.accounts = Accounts()
        self.rejects = Rejects()
        self.listing = Listing()

    # ------------------------------------------------------------------------------------------------------- writing

    def write(self, conn: Connection, account: str, batch: Batch, *, business_date: date, now: datetime) -> Written:
        """Write what changed; see `bridge.store.upsert.write`."""
        return write(conn, account, batch, business_date=business_date, now=now)

    def write_looks(
        self,
        conn: Connection,
        account: str,
        snapshots: Iterable[Snapshot],
        *,
        rejects: Sequence[Reject] = (),
        business_date: date,
        now: datetime,
    ) -> Written:
        """Write what looks at single invoices answered.

        An invoice that the provider no longer knows becomes cancelled with the flag `gone`, a reminder that it no longer holds
        becomes cancelled.
        """
        looked = list(snapshots)
        invoices: list[Invoice] = []
        parts: dict[str, list[Any]] = defaultdict(list)
        parts["notices"].extend(self._withdrawn(conn, account, looked))
        for snapshot in looked:
            if not snapshot.found:
                known = self.invoice(conn, account, snapshot.invoice_id)
                if known is not None:
                    invoices.append(gone(known.invoice))
                continue
            if snapshot.invoice is not None:
                invoices.append(snapshot.invoice)
            if snapshot.debtor is not None:
                parts["debtors"].append(snapshot.debtor)
            invoices.extend(snapshot.related)
            parts["notices"].extend(snapshot.notices)
            parts["payments"].extend(snapshot.payments)
        named = {name: tuple(found) for name, found in parts.items()}
        batch = Batch(invoices=tuple(invoices), **named, rejects=tuple(rejects), cursor=Cursor(data={}))
        return write(conn, account, batch, business_date=business_date, now=now)

    def _withdrawn(self, conn: Connection, account: str, looked: Iterable[Snapshot]) -> Iterator[ProviderNotice]:
        held = {s.invoice_id: {n.id for n in s.notices} for s in looked if s.found}
        for invoice_id, known in self.notices(conn, account, held).items():
            for one in known:
                if one.notice.id not in held[invoice_id] and one.notice.status is not NoticeStatus.CANCELLED:
                    yield one.notice.model_copy(update={"status": NoticeStatus.CANCELLED})

    def set_next(self, conn: Connection, account: str, dates: Mapping[str, date | None]) -> None:
        """Set the next date of invoices; None: nothing can happen until the record changes."""
        if dates:
            conn.execute(_SET_NEXT, [{"a": account, "i": invoice_id, "on": on} for invoice_id, on in dates.items()])

    def touch(self, conn: Connection, account: str, invoice_ids: Collection[str], on: date) -> None:
        """Let these invoices be decided on `on`, unless they are due for it already; for what changed on our side."""
        mark(conn, account, invoice_ids, on)

    def touch_debtor(self, conn: Connection, account: str, debtor_id: str, on: date) -> None:
        """Let all open invoices of a debtor be decided on `on`, unless they are due for it already."""
        mark_debtors(conn, account, [debtor_id], on)

    def discarded(
        self, conn: Connection, account: str, reminder_id: str, *, business_date: date, now: datetime
    ) -> None:
        """Note that a draft of ours is deleted at the provider, which may never tell: it holds its invoice no longer."""
        where = provider_notice.c.account == account, provider_notice.c.id == reminder_id
        text = conn.scalar(select(provider_notice.c.document).where(*where))
        if text is not None:
            gone = ProviderNotice.model_validate_json(text).model_copy(update={"status": NoticeStatus.CANCELLED})
            batch = Batch(notices=(gone,), cursor=Cursor(data={}))
            write(conn, account, batch, business_date=business_date, now=now)

    def own(self, conn: Connection, account: str, reminder_id: str) -> None:
        """Note that a reminder at the provider is ours, once that is known."""
        conn.execute(
            update(provider_notice)
            .where(
                provider_notice.c.account == account,
                provider_notice.c.id == reminder_id,
                provider_notice.c.ours.is_(False),
            )
            .values(ours=True)
        )

    # ------------------------------------------------------------------------------------------------------- reading

    def invoice(self, conn: Connection, account: str, invoice_id: str) -> Known | None:
        """Return one invoice by the provider's id."""
        row = conn.execute(_invoices().where(invoice.c.account == account, invoice.c.id == invoice_id)).first()
        return None if row is None else _known(row)

    def by_number(self, conn: Connection, number: str, account: str | None = None) -> list[Known]:
        """Return the invoices with this number (or id), in all accounts or one; numbers are unique only within an account."""
        query = _invoices().where(or_(invoice.c.number == number, invoice.c.id == number))
        if account is not None:
            query = query.where(invoice.c.account == account)
        return [_known(row) for row in conn.execute(query.order_by(invoice.c.account, invoice.c.id))]

    def debtor(self, conn: Connection, account: str, debtor_id: str) -> Debtor | None:
        """Return one debtor by the provider's id."""
        return self.debtors(conn, account, [debtor_id]).get(debtor_id)

    def debtors(self, conn: Connection, account: str, debtor_ids: Iterable[str]) -> dict[str, Debtor]:
        """Return the known ones of these debtors by id."""
        query = select(debtor.c.id, debtor.c.document).where(debtor.c.account == account)
        found = {}
        for chunk in chunked(debtor_ids, CHUNK):
            for debtor_id, text in conn.execute(query.where(debtor.c.id.in_(chunk))):
                found[debtor_id] = Debtor.model_validate_json(text)
        return found

    def invoices_of(self, conn: Connection, account: str, debtor_id: str, *, unsettled: bool = False) -> list[Known]:
        """Return the documents of a debtor, oldest first; with `unsettled` only open ones and those of unknown status."""
        query = _invoices().where(invoice.c.account == account, invoice.c.debtor_id == debtor_id)
        if unsettled:
            query = query.where(invoice.c.status.in_(UNSETTLED))
        return [_known(row) for row in conn.execute(query.order_by(invoice.c.issued_on, invoice.c.id))]

    def unsettled(self, conn: Connection, account: str) -> Iterator[Known]:
        """Stream all open invoices, and those of unknown status, of an account by id."""
        query = _invoices().where(invoice.c.account == account, invoice.c.status.in_(UNSETTLED)).order_by(invoice.c.id)
        for row in conn.execute(query, execution_options={"yield_per": CHUNK}):
            yield _known(row)

    def related(self, conn: Connection, account: str, invoice_ids: Iterable[str]) -> dict[str, tuple[Invoice, ...]]:
        """Return, by origin, the documents that cancel, credit or cover these invoices."""
        found: dict[str, list[Invoice]] = defaultdict(list)
        for chunk in chunked(invoice_ids, CHUNK):
            query = select(invoice.c.id, invoice.c.origin_id, invoice.c.document).where(invoice.c.account == account)
            # sorted here: asked for in this order, SQLite reads the whole account in it
            for _, origin, text in sorted(conn.execute(query.where(invoice.c.origin_id.in_(chunk)))):
                found[origin].append(Invoice.model_validate_json(text))
        return {origin: tuple(documents) for origin, documents in found.items()}

    def notices(self, conn: Connection, account: str, invoice_ids: Iterable[str]) -> dict[str, tuple[KnownNotice, ...]]:
        """Return the reminders that the provider holds on these invoices, lowest level first."""
        noted = exists().where(
            notice_claim.c.invoice_id == provider_notice.c.invoice_id,
            notice_claim.c.reminder_id == provider_notice.c.id,
        )
        query = select(
            provider_notice.c.document,
            or_(provider_notice.c.ours, noted),
            provider_notice.c.first_seen,
        ).where(provider_notice.c.account == account)
        found: dict[str, list[KnownNotice]] = defaultdict(list)
        for chunk in chunked(invoice_ids, CHUNK):
            wanted = query.where(provider_notice.c.invoice_id.in_(chunk))
            known = [
                KnownNotice(ProviderNotice.model_validate_json(text), bool(ours), seen)
                for text, ours, seen in conn.execute(wanted.order_by(provider_notice.c.level, provider_notice.c.id))
            ]
            for one in _followed(conn, account, known):
                found[one.notice.invoice_id].append(one)
        return {invoice_id: tuple(notices) for invoice_id, notices in found.items()}

    def payments(self, conn: Connection, account: str, invoice_ids: Iterable[str]) -> dict[str, tuple[Payment, ...]]:
        """Return the payments and take-backs booked on these invoices, oldest first."""
        query = select(payment.c.invoice_id, payment.c.document).where(payment.c.account == account)
        found: dict[str, list[Payment]] = defaultdict(list)
        for chunk in chunked(invoice_ids, CHUNK):
            wanted = query.where(payment.c.invoice_id.in_(chunk)).order_by(payment.c.value_on, payment.c.id)
            for invoice_id, text in conn.execute(wanted):
                found[invoice_id].append(Payment.model_validate_json(text))
        return {invoice_id: tuple(payments) for invoice_id, payments in found.items()}

    # ---------------------------------------------------------------------------------------------- dunning candidates

    def due(self, conn: Connection, account: str, today: date, *, at_once: int = 200) -> Iterator[tuple[Dossier, ...]]:
        """Stream the debtors with at least one invoice on which something can happen by `today`, `at_once` debtors at a time.

        The caller may set next dates in the same transaction meanwhile. An invoice without debtor is a dossier of its own.
        """
        due = invoice.c.account == account, invoice.c.next_on <= today
        debtors = select(invoice.c.debtor_id).where(*due, invoice.c.debtor_id.is_not(None)).distinct()
        streamed = {"yield_per": at_once}
        rows = conn.execute(debtors.order_by(invoice.c.debtor_id), execution_options=streamed).scalars()
        for chunk in chunked(rows, at_once):
            yield self.dossiers(conn, account, chunk, today=today)
        alone = _invoices().where(*due, invoice.c.debtor_id.is_(None)).order_by(invoice.c.id)
        for chunk_alone in chunked(conn.execute(alone, execution_options=streamed), at_once):
            alone_known = [_known(row) for row in chunk_alone]
            shared = self._around(conn, account, [known.invoice.id for known in alone_known])
            yield tuple(_pick(account, None, None, [known], shared) for known in alone_known)

    def dossiers(
        self, conn: Connection, account: str, debtor_ids: Sequence[str], *, today: date | None = None
    ) -> tuple[Dossier, ...]:
        """Return these debtors with their open invoices and, given `today`, those due for a decision by then."""
        of: dict[str, list[Known]] = defaultdict(list)
        for chunk in chunked(debtor_ids, CHUNK):
            wanted: ColumnElement[bool] = invoice.c.status.in_(UNSETTLED)
            if today is not None:
                wanted = or_(wanted, invoice.c.next_on <= today)
            query = _invoices().where(invoice.c.account == account, invoice.c.debtor_id.in_(chunk), wanted)
            for row in conn.execute(query.order_by(invoice.c.due_on, invoice.c.id)):
                of[row.debtor_id].append(_known(row))
        debtors = self.debtors(conn, account, debtor_ids)
        shared = self._around(conn, account, [known.invoice.id for found in of.values() for known in found])
        return tuple(_pick(account, i, debtors.get(i), of.get(i, []), shared) for i in debtor_ids)

    def _around(self, conn: Connection, account: str, ids: list[str]) -> tuple[Any, Any, Any]:
        return self.related(conn, account, ids), self.notices(conn, account, ids), self.payments(conn, account, ids)


_SET_NEXT = (
    update(invoice)
    .where(invoice.c.account == bindparam("a"), invoice.c.id == bindparam("i"))
    .values(next_on=bindparam("on"))
)


def gone(known: Invoice) -> Invoice:
    """Return `known` as an invoice that its provider no longer knows: cancelled, flagged as gone."""
    flag = Flag(reason=Reason.GONE, source="look")
    return known.model_copy(update={"status": InvoiceStatus.CANCELLED, "flags": (flag,)})


def _followed(conn: Connection, account: str, known: list[KnownNotice]) -> list[KnownNotice]:
    """Return these reminders with what became of the notices that they belong to."""
    lost = astray(conn, account, [one.notice for one in known])
    drafts = [one.notice.id for one in known if one.ours and one.notice.status is NoticeStatus.DRAFT]
    going = leaving(conn, account, drafts) if drafts else frozenset()
    if not lost and not going:
        return known
    return [replace(one, astray=one.notice.id in lost, leaving=one.notice.id in going) for one in known]


def _invoices() -> Select[Any]:
    return select(invoice.c.account, invoice.c.debtor_id, invoice.c.document, invoice.c.next_on)


def _known(row: Any) -> Known:
    return Known(row.account, Invoice.model_validate_json(row.document), row.next_on)


def _pick(
    account: str, debtor_id: str | None, known_debtor: Debtor | None, found: list[Known], shared: tuple[Any, Any, Any]
) -> Dossier:
    related, notices, payments = (
        {known.invoice.id: part[known.invoice.id] for known in found if known.invoice.id in part} for part in shared
    )
    return Dossier(account, debtor_id, known_debtor, tuple(found), related, notices, payments)
