"""Writing a batch into the mirror: only what changed, and which invoices must be decided again because of it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Date, bindparam, case, or_, select, true, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Connection
from sqlalchemy.schema import Table

from bridge.model import Batch, Debtor, Invoice, InvoiceKind, InvoiceStatus, Payment, ProviderNotice, Reject
from bridge.store import rows
from bridge.store.ours import made_by_us
from bridge.store.rows import Record
from bridge.store.tables import debtor, invoice, payment, provider_notice, reject
from bridge.words import Sentence

CHUNK = 500
"""Ids per query: far below every driver's limit of parameters."""

SEEN_AGAIN = timedelta(days=1)
"""A reject that keeps arriving unchanged is written at most this often."""

_SETTLED = frozenset({InvoiceStatus.PAID, InvoiceStatus.CANCELLED, InvoiceStatus.DRAFT})
_REDUCING = frozenset({InvoiceKind.CREDIT_NOTE, InvoiceKind.CANCELLATION})
_LIVE = ("open", "unknown")
_DUNNABLE = ("invoice", "partial", "final")
_REFERENCES = {
    Debtor: ("id",),
    Invoice: ("id", "debtor_id", "origin_id"),
    Payment: ("id", "invoice_id"),
    ProviderNotice: ("id", "invoice_id"),
}
_KINDS = {Debtor: "debtor", Invoice: "invoice", Payment: "payment", ProviderNotice: "notice"}
_LONGEST = 128
_HIGHEST_LEVEL = 10_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Written:
    """How many rows really changed, and the invoices to be decided again: those of `touched` and all open ones of `debtors_touched`."""

    debtors: int = 0
    invoices: int = 0
    payments: int = 0
    notices: int = 0
    rejects: int = 0
    resolved: int = 0
    touched: frozenset[str] = frozenset()
    debtors_touched: frozenset[str] = frozenset()

    @property
    def rows(self) -> int:
        """Return the number of records written."""
        return self.debtors + self.invoices + self.payments + self.notices + self.rejects + self.resolved


def write(conn: Connection, account: str, batch: Batch, *, business_date: date, now: datetime) -> Written:
    """Write what changed, and let all invoices that this concerns be decided on `business_date`.

    Concerned are new and changed invoices, and those whose debtor, payment, reminder, credit note or cancellation is new or changed.
    """
    batch = _sorted_out(batch)
    new_debtors = _changed(conn, debtor, account, batch.debtors)
    new_invoices = _changed(conn, invoice, account, batch.invoices)
    new_payments = _changed(conn, payment, account, batch.payments)
    new_notices = _changed(conn, provider_notice, account, batch.notices)

    _upsert(conn, debtor, [rows.debtor_row(account, r, t, h) for r, t, h, _ in new_debtors])
    _upsert(
        conn,
        invoice,
        [
            rows.invoice_row(account, r, t, h) | {"next_on": None if old is None and _quiet(r) else business_date}
            for r, t, h, old in new_invoices
        ],
    )
    _upsert(conn, payment, [rows.payment_row(account, r, t, h) for r, t, h, _ in new_payments])
    ours = made_by_us(conn, account, [r for r, *_ in new_notices])
    _upsert(
        conn,
        provider_notice,
        [rows.notice_row(account, r, t, h) | {"ours": r.id in ours, "first_seen": now} for r, t, h, _ in new_notices],
    )
    written = {r.id for r, *_ in new_invoices}
    touched = {r.invoice_id for r, *_ in new_payments} | {r.invoice_id for r, *_ in new_notices}
    touched.update(_origins(new_invoices))
    debtors_touched = {r.id for r, *_ in new_debtors} | _netted(new_invoices)
    mark(conn, account, touched - written, business_date)
    mark_debtors(conn, account, debtors_touched, business_date)
    return Written(
        debtors=len(new_debtors),
        invoices=len(new_invoices),
        payments=len(new_payments),
        notices=len(new_notices),
        rejects=_write_rejects(conn, account, batch.rejects, now),
        resolved=_resolve(conn, account, batch),
        touched=frozenset(touched | written),
        debtors_touched=frozenset(debtors_touched),
    )


def mark(conn: Connection, account: str, ids: Iterable[str], on: date) -> None:
    """Let these invoices be decided on `on`, unless they are due for it already."""
    for chunk in chunked(sorted(ids), CHUNK):
        conn.execute(_MARK, {"a": account, "ids": chunk, "on": on})


def mark_debtors(conn: Connection, account: str, debtor_ids: Iterable[str], on: date) -> None:
    """Let all open invoices of these debtors be decided on `on`, unless they are due for it already."""
    for chunk in chunked(sorted(debtor_ids), CHUNK):
        conn.execute(_MARK_DEBTORS, {"a": account, "ids": chunk, "on": on})


def mark_all(conn: Connection, account: str, on: date) -> None:
    """Let all open invoices of an account be decided on `on`, unless they are due for it already."""
    conn.execute(_MARK_ALL, {"a": account, "on": on})


def chunked(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield the items in lists of at most `size`."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


_ON = bindparam("on", type_=Date())
_LATER = or_(invoice.c.next_on.is_(None), invoice.c.next_on > _ON)
_EARLIER = case((_LATER, _ON), else_=invoice.c.next_on)
"""Written in any case: a run that is just deciding on the row, on PostgreSQL, must notice that something happened to it."""

_MARK = (
    update(invoice)
    .where(invoice.c.account == bindparam("a"), invoice.c.id.in_(bindparam("ids", expanding=True)))
    .values(next_on=_EARLIER)
)
_MARK_ALL = (
    update(invoice).where(invoice.c.account == bindparam("a"), invoice.c.status.in_(_LIVE), _LATER).values(next_on=_ON)
)
_MARK_DEBTORS = (
    update(invoice)
    .where(
        invoice.c.account == bindparam("a"),
        invoice.c.debtor_id.in_(bindparam("ids", expanding=True)),
        invoice.c.status.in_(_LIVE),
        invoice.c.kind.in_(_DUNNABLE),
    )
    .values(next_on=_EARLIER)
)

Change = tuple[Record, str, str, Any]
"""A record that differs from its row, its content as JSON and that one's hash, and the old row or None."""


def _changed(conn: Connection, table: Table, account: str, records: Sequence[Record]) -> list[Change[Record]]:
    latest = rows.by_id(records)
    stored: dict[str, Any] = {}
    for chunk in chunked(latest, CHUNK):
        stored.update((row.id, row) for row in conn.execute(_stored(table), {"a": account, "ids": chunk}))
    changes = []
    for record in latest.values():
        content = rows.content(record)
        hashed = rows.digest(content)
        old = stored.get(record.id)
        if old is None or old.hash != hashed:
            changes.append((record, content, hashed, old))
    return changes


@cache
def _stored(table: Table) -> Any:
    extra = [table.c.origin_id] if table is invoice else []
    return select(table.c.id, table.c.hash, *extra).where(
        table.c.account == bindparam("a"), table.c.id.in_(bindparam("ids", expanding=True))
    )


def _upsert(conn: Connection, table: Table, values: list[rows.Row]) -> None:
    if values:
        values.sort(key=lambda row: row["id"])  # writers that meet lock rows in one order
        conn.execute(_upsert_statement(table, conn.dialect.name), values)


@cache
def _upsert_statement(table: Table, dialect: str) -> Any:
    statement = postgresql_insert(table) if dialect == "postgresql" else sqlite_insert(table)
    new: dict[str, Any] = {
        column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key
    }
    if table is provider_notice:
        del new["first_seen"]
        new["ours"] = or_(table.c.ours == true(), statement.excluded.ours == true())
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=new)


def _quiet(new: Invoice) -> bool:
    """Tell whether nothing can ever happen to this new document until it changes."""
    return new.status in _SETTLED or new.kind in _REDUCING


def _origins(changes: Iterable[Change[Invoice]]) -> set[str]:
    found = {r.origin_id for r, *_ in changes} | {old.origin_id for *_, old in changes if old is not None}
    return {origin for origin in found if origin is not None}


def _netted(changes: Iterable[Change[Invoice]]) -> set[str]:
    """Return the debtors with a changed credit note: it may reduce any of their invoices."""
    return {r.debtor_id for r, *_ in changes if r.kind is InvoiceKind.CREDIT_NOTE and r.debtor_id is not None}


# ------------------------------------------------------------------------------------------ records that did not fit


def _all(batch: Batch) -> Iterator[Debtor | Invoice | Payment | ProviderNotice]:
    yield from batch.debtors
    yield from batch.invoices
    yield from batch.payments
    yield from batch.notices


def _sorted_out(batch: Batch) -> Batch:
    """Return `batch` with records that no database can hold turned into rejects."""
    misfits = [_misfit(record, field) for record in _all(batch) for field in _unfit(record)]
    if not misfits:
        return batch
    parts = {
        name: tuple(record for record in getattr(batch, name) if next(_unfit(record), None) is None)
        for name in ("debtors", "invoices", "payments", "notices")
    }
    return batch.model_copy(update={**parts, "rejects": (*batch.rejects, *misfits)})


def _unfit(record: Debtor | Invoice | Payment | ProviderNotice) -> Iterator[str]:
    values = record.__dict__  # a hundred thousand records come through here
    for field in _REFERENCES[type(record)]:
        value = values[field]
        if value is not None and (len(value) > _LONGEST or "\0" in value):
            yield field
            return
    if type(record) is ProviderNotice and not 0 <= values["level"] <= _HIGHEST_LEVEL:
        yield "level"


def _misfit(record: Debtor | Invoice | Payment | ProviderNotice, field: str) -> Reject:
    reason = (
        Sentence("no level between 0 and {highest_level}", highest_level=_HIGHEST_LEVEL)
        if field == "level"
        else Sentence("an id has at most {longest} characters and no NUL", longest=_LONGEST)
    )
    return Reject(
        kind=_KINDS[type(record)],
        provider_id=record.id,
        field=field,
        value=str(getattr(record, field))[:200],
        reason=reason,
        raw=rows.document(record, rows.content(record)),
    )


_OPEN_REJECTS = select(reject.c.id).where(reject.c.account == bindparam("a"), reject.c.state == "open").limit(1)
_KNOWN_REJECTS = select(reject).where(
    reject.c.account == bindparam("a"), reject.c.hash.in_(bindparam("keys", expanding=True))
)


def _write_rejects(conn: Connection, account: str, rejects: Iterable[Reject], now: datetime) -> int:
    latest = {rows.reject_key(r.kind, r.provider_id, r.raw): r for r in rejects}
    written = 0
    for keys in chunked(latest, CHUNK):
        known = {row.hash: row for row in conn.execute(_KNOWN_REJECTS, {"a": account, "keys": keys})}
        new = []
        for key in keys:
            row = rows.reject_row(account, latest[key], key)
            old = known.get(key)
            if old is None:
                new.append(row | {"first_seen": now, "last_seen": now, "state": "open"})
                continue
            changed = any(row[name] != old._mapping[name] for name in row)  # noqa: SLF001  public in all but name
            reopened = old.state == "resolved" or (changed and old.state == "discarded")
            if changed or reopened or now - old.last_seen >= SEEN_AGAIN:
                state = "open" if reopened else old.state
                conn.execute(update(reject).where(reject.c.id == old.id).values(**row, state=state, last_seen=now))
                written += 1
        if new:
            conn.execute(reject.insert(), new)
            written += len(new)
    return written


def _resolve(conn: Connection, account: str, batch: Batch) -> int:
    """Resolve the open rejects whose record has now arrived well."""
    if conn.execute(_OPEN_REJECTS, {"a": account}).first() is None:
        return 0
    well = [rows.reject_key(_KINDS[type(r)], r.id, "") for r in _all(batch)]
    again = {rows.reject_key(r.kind, r.provider_id, r.raw) for r in batch.rejects}
    wanted = select(reject.c.id).where(reject.c.account == account, reject.c.state == "open")
    found: list[int] = []
    for keys in chunked((key for key in well if key not in again), CHUNK):
        found.extend(conn.scalars(wanted.where(reject.c.hash.in_(keys))))
    for ids in chunked(found, CHUNK):
        conn.execute(update(reject).where(reject.c.id.in_(ids)).values(state="resolved"))
    return len(found)
