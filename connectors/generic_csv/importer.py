"""From a file to the state: one file, one transaction. A bad row is set aside and explained, a bad file as a whole likewise."""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

from bridge.contract import BadRecord, Debtor, Invoice, InvoiceStatus, Sentence
from connectors.generic_csv import datev, statements
from connectors.generic_csv.bank import BankReader, Entry, Occurrences
from connectors.generic_csv.batches import import_batch
from connectors.generic_csv.cells import fold
from connectors.generic_csv.effective import ZERO
from connectors.generic_csv.intake import Intake, Report
from connectors.generic_csv.lines import Fault, Record
from connectors.generic_csv.profiles import Profile, Words
from connectors.generic_csv.rows import Read, RowReader
from connectors.generic_csv.sheet import Sheet, encoding_of, open_sheet
from connectors.generic_csv.state import State, plain, stamped

_STAGE = (
    "create temp table if not exists staged (id text, line integer, doc text, debtor text, number text, raw text)",
    "create index if not exists temp.staged_id on staged (id)",
    "delete from staged",
)


class Importer:
    """Reads files into the state of one account."""

    def __init__(
        self,
        state: State,
        profiles: Mapping[str, Profile],
        words: Words,
        zone: ZoneInfo,
        *,
        profile: str,
        encoding: str,
        currency: str,
    ) -> None:
        self._state, self._profiles, self._words, self._zone = state, profiles, words, zone
        self._intake = Intake(state, zone)
        self._wanted, self._encoding, self._currency = profile, encoding, currency

    def digest(self) -> str:
        """Return a hash of everything besides its content that a file's meaning depends on."""
        parts = [self._wanted, self._encoding, self._currency, *(p.digest() for p in self._profiles.values())]
        return sha256("|".join((*parts, self._words.digest)).encode()).hexdigest()[:16]

    def read(self, path: Path, name: str, as_of: datetime) -> Report:
        """Read one file; only within one `change()`. It never raises for what is in the file."""
        report = Report(name, as_of)
        for statement in _STAGE:
            self._state.run(statement)
        self._state.run("savepoint file")
        try:
            self._dispatch(path, report)
        except BadRecord as error:
            self._state.run("rollback to file")
            report.failed = True
            self._intake.reject(report, "file", None, error, place=name, raw="")
        self._state.run("release file")
        return report

    def repeated(self, name: str, as_of: datetime, origin: str, archived: str) -> None:
        """Tell of a file whose content was read before while something newer was read since.

        Taken for news, an old list that somebody drops again would open what was paid meanwhile; so it is not.
        """
        row = self._state.run("select as_of from source where origin = ?", (origin,)).fetchone()
        if row and row[0] < stamped(as_of):
            error = BadRecord(
                "the same content was read before and something newer since; if it is right, export it again with other content",
                field="file",
                value=archived,
            )
            self._intake.reject(Report(name, as_of), "file", None, error, place=name, raw="")

    def _dispatch(self, path: Path, report: Report) -> None:
        if path.stat().st_size == 0:
            raise BadRecord("the file is empty", cause="csv_empty")
        if statements.is_statement(path):
            self._statement(path, report, self._named("statement"))
        elif datev.is_extf(path):
            profile = self._named("bookings")
            import_batch(self._intake, path, encoding_of(path, self._encoding, profile), profile, report)
        else:
            sheet = open_sheet(path, self._profiles, self._wanted, self._encoding, self._words)
            read: Callable[..., None] = self._bank if sheet.profile.kind == "bank" else self._invoices
            read(sheet, report)

    def _named(self, kind: str) -> Profile:
        chosen = self._profiles.get(self._wanted)
        if chosen is not None and chosen.kind == kind:
            return chosen
        found = [profile for profile in self._profiles.values() if profile.kind == kind]
        if not found:
            raise BadRecord("there is no profile of kind {kind}", kind=kind, field="profile")
        return max(found, key=lambda profile: profile.priority)

    # ------------------------------------------------------------------------------------------------------ invoices

    def _invoices(self, sheet: Sheet, report: Report) -> None:
        profile = sheet.profile
        report.origin = profile.origin
        reader = RowReader(sheet, self._words, self._zone, self._currency)
        for record in sheet.rows(self._words):
            if isinstance(record, Fault):
                self._intake.fault(report, record)
                continue
            report.rows += 1
            try:
                read = reader.read(record)
            except BadRecord as error:
                raw = sheet.delimiter.join(record.cells)[:2000]
                self._intake.reject(report, "invoice", reader.invoice_id(record), error, line=record.line, raw=raw)
                continue
            self._stage(read, record)
        self._join(profile, report)
        self._set_other_ones_aside(report)
        self._store(profile, report)
        self._doubt_names(report)
        if profile.meaning == "snapshot":
            self._settle_missing(profile, report)
        self._state.set_source(profile.origin, report.as_of, profile.fresh_days, profile.meaning, bank=False)

    def _stage(self, read: Read, record: Record) -> None:
        debtor = read.debtor.model_dump_json() if read.debtor else None
        self._state.run(
            "insert into staged values (?, ?, ?, ?, ?, ?)",
            (
                read.invoice.id,
                record.line,
                read.invoice.model_dump_json(),
                debtor,
                fold(read.invoice.number or ""),
                ";".join(record.cells)[:2000],
            ),
        )

    def _join(self, profile: Profile, report: Report) -> None:
        """Make one row per key: equal rows are one, different ones are added up or rejected together."""
        twice = self._state.run("select id from staged group by id having count(*) > 1").fetchall()
        for (identity,) in twice:
            rows = self._state.run(
                "select line, doc, raw from staged where id = ? order by line", (identity,)
            ).fetchall()
            invoices = [Invoice.model_validate_json(doc) for _, doc, _ in rows]
            if profile.rows == "add_up" and _agree(invoices):
                total = _added(invoices)
                self._state.run("delete from staged where id = ? and line > ?", (identity, rows[0][0]))
                self._state.run("update staged set doc = ? where id = ?", (total.model_dump_json(), identity))
            elif len({doc for _, doc, _ in rows}) == 1:
                self._state.run("delete from staged where id = ? and line > ?", (identity, rows[0][0]))
            else:
                lines = ", ".join(str(line) for line, _, _ in rows[:20])
                error = BadRecord(
                    "the rows {lines} say different things of the same invoice",
                    lines=lines,
                    field="key",
                    value=identity,
                )
                for line, _, raw in rows:
                    self._intake.reject(report, "invoice", identity, error, line=line, raw=raw)
                self._state.run("delete from staged where id = ?", (identity,))

    def _set_other_ones_aside(self, report: Report) -> None:
        """Set aside what bears the number of an invoice of another customer and another day: it would inherit its levels and payments."""
        rows = self._state.run(
            "select s.id, s.line, s.raw, json_extract(i.doc, '$.issued_on') from staged s join invoice i on i.id = s.id"
            " where i.as_of <= ? and json_extract(i.doc, '$.issued_on') <> json_extract(s.doc, '$.issued_on')"
            " and json_extract(i.doc, '$.debtor_id') <> json_extract(s.doc, '$.debtor_id')",
            (stamped(report.as_of),),
        ).fetchall()
        for identity, line, raw, day in rows:
            error = BadRecord(
                "this number is that of an invoice of {day} to another customer; a number names one invoice for ever",
                day=date.fromisoformat(day),
                field="key",
                value=identity,
            )
            self._intake.reject(report, "invoice", identity, error, line=line, raw=raw)
            self._state.run("delete from staged where id = ?", (identity,))

    def _store(self, profile: Profile, report: Report) -> None:
        known: set[int] = set()
        for identity, line, doc, debtor, number in self._state.run(
            "select id, line, doc, debtor, number from staged order by rowid"
        ):
            if debtor and hash(debtor) not in known:
                known.add(hash(debtor))
                self._intake.debtor(Debtor.model_validate_json(debtor))
            invoice = Invoice.model_validate_json(doc)
            self._intake.put(invoice, profile.origin, number, report, line)
            if invoice.provider_level > 0 and invoice.status is InvoiceStatus.OPEN:
                self._intake.level(identity, invoice.provider_level, report.as_of)

    def _doubt_names(self, report: Report) -> None:
        """Hold every invoice of a customer whom one list calls by two names: nobody knows whom a bundle or letter would reach."""
        twice = self._state.run(
            "select json_extract(debtor, '$.id') as customer from staged where debtor is not null"
            " group by customer having count(distinct json_extract(debtor, '$.name')) > 1"
        ).fetchall()
        for (customer,) in twice:
            rows = self._state.run(
                "select id, line, json_extract(debtor, '$.name'), json_extract(debtor, '$.number') from staged"
                " where json_extract(debtor, '$.id') = ? order by line",
                (customer,),
            ).fetchall()
            names = {fold(name): (name, line) for _, line, name, _ in reversed(rows)}
            if len(names) == 1:
                continue
            (one, at), (other, place) = list(names.values())[-1:-3:-1]
            why = Sentence(
                "{file}: customer {number} is {one!r} in line {at} and {other!r} in line {place}",
                file=report.name, number=rows[0][3], one=one, at=at, other=other, place=place,
            )  # fmt: skip
            for identity, *_ in rows:
                self._state.doubt(identity, why)

    def _settle_missing(self, profile: Profile, report: Report) -> None:
        """Settle what a complete list no longer names; where rows of it could not be read, nobody knows and it is held."""
        rows = self._state.run(
            "select id, doc from invoice where origin = ? and as_of <= ? and live = 1"
            " and id not in (select id from staged)",
            (profile.origin, stamped(report.as_of)),
        ).fetchall()
        for identity, doc in rows:
            if identity in report.keys:
                continue
            if report.unnamed:
                self._state.doubt(
                    identity,
                    Sentence(
                        "{file}: not listed, but {rows} {rows|row|rows} could not be read",
                        file=report.name,
                        rows=report.unnamed,
                    ),
                )
                continue
            old = Invoice.model_validate_json(doc)
            settled = old.model_copy(update={"status": InvoiceStatus.PAID, "paid": old.gross, "open": ZERO})
            self._state.put_invoice(
                settled, profile.origin, fold(old.number or ""), report.as_of, f"{report.name}: not listed"
            )

    # ---------------------------------------------------------------------------------------------------------- bank

    def _bank(self, sheet: Sheet, report: Report) -> None:
        report.origin = sheet.profile.origin
        reader = BankReader(sheet, self._words, self._zone, self._currency)
        occurrences = Occurrences()
        for record in sheet.rows(self._words):
            if isinstance(record, Fault):
                self._intake.fault(report, record)
                continue
            report.rows += 1
            try:
                entry = reader.read(record, f"{report.name}:{record.line}")
            except BadRecord as error:
                self._intake.reject(
                    report, "payment", None, error, line=record.line, raw=sheet.delimiter.join(record.cells)[:2000]
                )
                continue
            if entry is not None:
                self._enter(entry, occurrences.identity(entry), sheet.profile.origin)
        self._state.set_source(
            sheet.profile.origin, report.as_of, sheet.profile.fresh_days, sheet.profile.meaning, bank=True
        )

    def _statement(self, path: Path, report: Report, profile: Profile) -> None:
        report.origin = profile.origin
        occurrences, created = Occurrences(), None
        for item in statements.entries(path, report.name, self._zone):
            if isinstance(item, statements.Closing):
                at = item.at if item.at.tzinfo else item.at.replace(tzinfo=self._zone)
                created = max(at, created) if created else at
            elif isinstance(item, statements.Flaw):
                self._intake.reject(report, "payment", None, item.error, place=item.place, raw=item.raw)
            else:
                report.rows += 1
                self._enter(item, occurrences.identity(item), profile.origin)
        if created:
            report.as_of = min(report.as_of, created.astimezone(UTC))
        self._state.set_source(profile.origin, report.as_of, profile.fresh_days, profile.meaning, bank=True)

    def _enter(self, entry: Entry, identity: str, form: str) -> None:
        """Keep a movement once: overlapping files repeat it, and another format may list it too."""
        if self._state.run("select 1 from entry where id = ?", (identity,)).fetchone():
            return
        own, other = 0, 0
        for name, count in self._state.run(
            "select format, count(*) from entry where twin = ? group by format", (entry.twin,)
        ):
            own, other = (count, other) if name == form else (own, max(other, count))
        state = "unmatched" if own >= other and entry.amount else "twin"
        self._state.run(
            "insert into entry values (?, ?, ?, ?, ?, ?)",
            (identity, plain(entry.as_json()), entry.booked_on.isoformat(), entry.twin, form, state),
        )


def _agree(invoices: list[Invoice]) -> bool:
    """Return whether rows that are to be added up tell of the same invoice."""
    free = {"gross": ZERO, "paid": ZERO, "open": ZERO, "status": InvoiceStatus.OPEN, "kind": invoices[0].kind}
    return len({invoice.model_copy(update=free).model_dump_json() for invoice in invoices}) == 1


def _added(invoices: list[Invoice]) -> Invoice:
    sums: dict[str, Decimal] = {
        name: sum((getattr(invoice, name) for invoice in invoices), ZERO) for name in ("gross", "paid", "open")
    }
    status = InvoiceStatus.OPEN if sums["open"] > 0 else InvoiceStatus.PAID
    return invoices[0].model_copy(update=sums | {"status": status})


def today_in(zone: ZoneInfo, now: datetime) -> date:
    """Return the local date of an instant."""
    return now.astimezone(zone).date()
