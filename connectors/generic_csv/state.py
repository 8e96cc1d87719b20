"""What was imported last, in a small SQLite file of the connector's own.

Files come and go, so somebody has to remember their rows: for `look`, for telling a changed row from an unchanged one, and for finding
the invoice of a payment that arrives weeks later. SQLite, because one file's rows must become true together or not at all, also
when the power goes, and because a hundred thousand rows must not live in memory. Every change of a record takes the next number of one
counter (`seq`); a pull delivers what is above its cursor, so what was imported and not yet stored by the bridge is delivered again.
"""

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from secrets import token_hex
from typing import Any

from pydantic import BaseModel

from bridge.contract import (
    ConfigError,
    Debtor,
    Invoice,
    InvoiceKind,
    InvoiceStatus,
    Payment,
    ProviderNotice,
    Reject,
    RetryLater,
    Sentence,
)

VERSION = 1

_SCHEMA = """
create table meta (name text primary key, value text not null) without rowid;
create table file (hash text primary key, name text not null, origin text not null, archived text not null, ok integer not null);
create table source (origin text primary key, as_of text not null, fresh_days integer not null, meaning text not null,
  bank integer not null default 0) without rowid;
create table debtor (id text primary key, doc text not null, name_key text not null, number_key text not null, iban text,
  seq integer not null) without rowid;
create table invoice (id text primary key, origin text not null, number_key text not null, debtor_id text, doc text not null,
  open_cents integer not null, as_of text not null, place text not null, doubt text not null default '',
  stale integer not null default 0, live integer not null, seq integer not null) without rowid;
create table booking (batch text not null, invoice_id text not null, line integer not null, doc text not null,
  primary key (invoice_id, batch, line)) without rowid;
create table entry (id text primary key, doc text not null, booked_on text not null, twin text not null, format text not null,
  state text not null) without rowid;
create table payment (id text primary key, entry_id text not null, invoice_id text not null, cents integer not null,
  booked_on text not null, doc text not null, seq integer not null) without rowid;
create table suspect (entry_id text not null, invoice_id text not null, until text, why text not null,
  open_cents integer not null, primary key (invoice_id, entry_id)) without rowid;
create table notice (id text primary key, doc text not null, seq integer not null) without rowid;
create table reject (id text primary key, doc text not null, seq integer not null) without rowid;
create table status_line (marker text primary key, doc text not null, at text not null) without rowid;
create index invoice_seq on invoice (seq);
create index invoice_number on invoice (number_key);
create index invoice_debtor on invoice (debtor_id, live);
create index invoice_origin on invoice (origin, as_of);
create index invoice_open on invoice (live, open_cents);
create index debtor_seq on debtor (seq);
create index debtor_name on debtor (name_key);
create index debtor_number on debtor (number_key);
create index debtor_iban on debtor (iban);
create index payment_invoice on payment (invoice_id);
create index payment_seq on payment (seq);
create index entry_twin on entry (twin, format);
create index entry_state on entry (state, booked_on);
create index booking_batch on booking (batch);
create index reject_seq on reject (seq);
create index notice_seq on notice (seq);
create index reject_of on reject (json_extract(doc, '$.provider_id'));
create index invoice_related on invoice (json_extract(doc, '$.origin_id'));
create index suspect_entry on suspect (entry_id);
"""

_DUNNABLE = frozenset({InvoiceKind.INVOICE, InvoiceKind.PARTIAL, InvoiceKind.FINAL})


_MODELS: dict[str, type[BaseModel]] = {"debtor": Debtor, "payment": Payment, "notice": ProviderNotice, "reject": Reject}


def cents(value: Decimal) -> int:
    """Return an exact amount in cents."""
    return int(value.scaleb(2))


@contextmanager
def _opening(path: Path) -> Iterator[None]:
    """Let one process open the file at a time: SQLite refuses, without waiting, a second one that turns its journal to WAL."""
    lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


class State:
    """The connector's memory of one account. Every change happens within `change()`, one transaction."""

    def __init__(self, path: Path) -> None:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with _opening(path):
                path.touch(mode=0o600)  # it holds people's debts
                self._db = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
                self._db.execute("pragma journal_mode = wal")
                self._db.execute("pragma synchronous = full")
                self._db.execute("pragma temp_store = file")
                self._prepare()
        except (OSError, sqlite3.Error) as error:
            raise ConfigError(
                "{path}: the connector's state cannot be opened: {error}", path=path, error=error, cause="csv_state"
            ) from error
        self._path = path

    def _prepare(self) -> None:
        with self.change():
            version = int(self._db.execute("pragma user_version").fetchone()[0])
            if version > VERSION:
                raise ConfigError(
                    "the connector's state has version {version}, this program knows {known}",
                    version=version,
                    known=VERSION,
                    cause="csv_state",
                )
            if version == 0:
                for statement in _SCHEMA.split(";"):
                    self._db.execute(statement)
                self._db.execute("insert into meta values ('epoch', ?), ('seq', '0')", (token_hex(8),))
                self._db.execute(f"pragma user_version = {VERSION}")

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def change(self) -> Iterator[None]:
        """Make everything inside true together or not at all. Raises `RetryLater` where another process holds the state."""
        if self._db.in_transaction:
            yield
            return
        try:
            self._db.execute("begin immediate")
        except sqlite3.OperationalError as error:
            raise RetryLater("the connector's state is in use: {error}", error=error, cause="csv_state_busy") from error
        try:
            yield
        except BaseException:
            self._db.execute("rollback")
            raise
        try:
            self._db.execute("commit")
        except sqlite3.Error as error:
            self._db.execute("rollback")
            raise RetryLater(
                "the connector's state cannot be written: {error}", error=error, cause="csv_state_disk"
            ) from error

    def run(self, sql: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Execute one statement."""
        return self._db.execute(sql, values)

    @property
    def epoch(self) -> str:
        """Return the name of this state; a new or restored one has another, and everything is delivered again."""
        return str(self.run("select value from meta where name = 'epoch'").fetchone()[0])

    @property
    def seq(self) -> int:
        """Return the number of the newest change."""
        return int(self.run("select value from meta where name = 'seq'").fetchone()[0])

    def next_seq(self) -> int:
        """Take the next number; only within `change()`."""
        self.run("update meta set value = cast(value as integer) + 1 where name = 'seq'")
        return self.seq

    # ------------------------------------------------------------------------------------------------------ records

    def put_debtor(self, debtor: Debtor, name_key: str, number_key: str) -> None:
        """Store a debtor; what a newer row leaves empty is kept from the older."""
        known = self.debtor(debtor.id)
        if known is not None:
            kept = {name: value for name, value in known if getattr(debtor, name) in (None, "", False)}
            if debtor.name == debtor.number and known.name:
                kept["name"] = known.name
            debtor = debtor.model_copy(update=kept)
            if debtor == known:
                return
        self.run(
            "insert or replace into debtor values (?, ?, ?, ?, ?, ?)",
            (debtor.id, debtor.model_dump_json(), name_key, number_key, debtor.iban, self.next_seq()),
        )

    def debtor(self, debtor_id: str | None) -> Debtor | None:
        row = self.run("select doc from debtor where id = ?", (debtor_id,)).fetchone()
        return Debtor.model_validate_json(row[0]) if row else None

    def put_invoice(self, invoice: Invoice, origin: str, number_key: str, as_of: datetime, place: str) -> bool:
        """Store what a list says of an invoice, unless something newer is known; return whether it changed."""
        doc, stamp = invoice.model_dump_json(), stamped(as_of)
        old = self.run("select doc, as_of, doubt, stale from invoice where id = ?", (invoice.id,)).fetchone()
        if old and old[1] > stamp:
            return False
        if old and old[0] == doc and not old[2] and not old[3]:
            self.run("update invoice set as_of = ?, place = ? where id = ?", (stamp, place, invoice.id))
            return False
        live = invoice.kind in _DUNNABLE and invoice.status is InvoiceStatus.OPEN
        self.run(
            "insert or replace into invoice values (?, ?, ?, ?, ?, ?, ?, ?, '', 0, ?, ?)",
            (
                invoice.id,
                origin,
                number_key,
                invoice.debtor_id,
                doc,
                cents(invoice.open),
                stamp,
                place,
                live,
                self.next_seq(),
            ),
        )
        return True

    def doubt(self, invoice_id: str, why: Sentence) -> None:
        """Mark that a newer row of this invoice could not be read: what is known of it is not to be acted on."""
        text = why.to_store()
        self.run(
            "update invoice set doubt = ?, seq = ? where id = ? and doubt <> ?",
            (text, self.next_seq(), invoice_id, text),
        )

    def touch(self, invoice_ids: Iterable[str]) -> None:
        """Have these invoices delivered again, because payments or doubts about them changed."""
        for invoice_id in sorted(set(invoice_ids)):
            self.run("update invoice set seq = ? where id = ?", (self.next_seq(), invoice_id))

    def put_reject(self, reject: Reject, identity: str) -> None:
        """Keep a record that did not fit until the bridge has taken it over."""
        doc = reject.model_dump_json()
        old = self.run("select doc from reject where id = ?", (identity,)).fetchone()
        if old is None or old[0] != doc:
            self.run("insert or replace into reject values (?, ?, ?)", (identity, doc, self.next_seq()))

    def put_notice(self, notice: ProviderNotice) -> None:
        """Keep a reminder that a list tells of; the first list that told of it gives its date."""
        self.run(
            "insert or ignore into notice values (?, ?, ?)", (notice.id, notice.model_dump_json(), self.next_seq())
        )

    def set_source(self, origin: str, as_of: datetime, fresh_days: int, meaning: str, *, bank: bool) -> None:
        """Note how far a source is known; an older file never sets it back."""
        self.run(
            "insert into source values (?, ?, ?, ?, ?) on conflict (origin) do update set fresh_days = excluded.fresh_days,"
            " meaning = excluded.meaning, bank = excluded.bank, as_of = max(as_of, excluded.as_of)",
            (origin, stamped(as_of), fresh_days, meaning, bank),
        )

    def set_back(self, now: datetime, before: datetime) -> None:
        """Where something is known from later than `now` the clock was set back since: date it at `before`, so that new files count."""
        if self.run("select 1 from source where as_of > ?", (stamped(now),)).fetchone():
            for table in ("invoice", "source"):
                self.run(f"update {table} set as_of = ? where as_of > ?", (stamped(before), stamped(before)))  # noqa: S608

    def seen(self, sight: str) -> bool:
        """Return whether a file that stays in its place was read as it is."""
        return self.run("select 1 from meta where name = ?", (f"sight:{sight}",)).fetchone() is not None

    def see(self, path: Path, sight: str) -> None:
        """Note that a file that stays in its place was read as it is."""
        self.run("delete from meta where name like ?", (f"sight:{path}|%",))
        self.run("insert into meta values (?, '')", (f"sight:{sight}",))

    def bank_as_of(self) -> datetime | None:
        """Return up to when the bank account is known, None where no bank file was ever imported."""
        row = self.run("select max(as_of) from source where bank = 1").fetchone()
        return datetime.fromisoformat(row[0]) if row and row[0] else None

    # --------------------------------------------------------------------------------------------- as delivered

    def since(self, kind: str, after: int, up_to: int, limit: int) -> list[tuple[int, Any]]:
        """Return the next records of a kind in the order of their changes, with their numbers; of invoices only the ids."""
        rows = self.run(
            f"select seq, {'id' if kind == 'invoice' else 'doc'} from {kind} where seq > ? and seq <= ? order by seq limit ?",  # noqa: S608
            (after, up_to, limit),
        ).fetchall()
        return [(row[0], row[1] if kind == "invoice" else _MODELS[kind].model_validate_json(row[1])) for row in rows]

    def row(self, invoice_id: str) -> tuple[Invoice, datetime, str, str] | None:
        """Return what the list said of an invoice, as of when, where that stands, and a doubt."""
        row = self.run(
            "select i.doc, case s.meaning when 'delta' then max(i.as_of, s.as_of) else i.as_of end, i.place, i.doubt"
            " from invoice i left join source s on s.origin = i.origin where i.id = ?",
            (invoice_id,),
        ).fetchone()
        return (Invoice.model_validate_json(row[0]), datetime.fromisoformat(row[1]), row[2], row[3]) if row else None

    def payments(self, invoice_id: str) -> tuple[Payment, ...]:
        rows = self.run("select doc from payment where invoice_id = ? order by booked_on, id", (invoice_id,)).fetchall()
        return tuple(Payment.model_validate_json(row[0]) for row in rows)

    def suspects(self, invoice_id: str) -> list[tuple[str, date | None]]:
        """Return why an unmatched bank entry may belong to this invoice, and until when that holds it."""
        rows = self.run(
            "select why, until from suspect where invoice_id = ? order by entry_id", (invoice_id,)
        ).fetchall()
        return [(row[0], date.fromisoformat(row[1]) if row[1] else None) for row in rows]

    def related(self, invoice_id: str) -> tuple[Invoice, ...]:
        """Return the documents that cancel or credit this one."""
        rows = self.run(
            "select doc from invoice where json_extract(doc, '$.origin_id') = ? order by id", (invoice_id,)
        ).fetchall()
        return tuple(Invoice.model_validate_json(row[0]) for row in rows)

    def notices(self, invoice_id: str) -> tuple[ProviderNotice, ...]:
        rows = self.run(
            "select doc from notice where id >= ? and id < ?", (f"{invoice_id}/level-", f"{invoice_id}/level.")
        ).fetchall()
        return tuple(ProviderNotice.model_validate_json(row[0]) for row in rows)

    def mark_stale(self, now: datetime) -> None:
        """Turn invoices whose source became older than its limit, or fresh again, into changed ones, once."""
        age = "julianday(?) - julianday(case s.meaning when 'delta' then max(i.as_of, s.as_of) else i.as_of end)"
        rows = self.run(
            f"select i.id, {age} > s.fresh_days as old from invoice i join source s on s.origin = i.origin"  # noqa: S608
            " where i.live = 1 and old <> i.stale",
            (stamped(now),),
        ).fetchall()
        for invoice_id, old in rows:
            self.run("update invoice set stale = ?, seq = ? where id = ?", (old, self.next_seq(), invoice_id))

    def is_stale(self, invoice_id: str) -> bool:
        """Return whether the invoice's source has not been seen for longer than its profile allows."""
        row = self.run("select stale from invoice where id = ?", (invoice_id,)).fetchone()
        return bool(row and row[0])


def stamped(at: datetime) -> str:
    """Return an instant as text that sorts by time."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def plain(value: Any) -> str:
    """Return JSON for the state: keys sorted, nothing escaped."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
