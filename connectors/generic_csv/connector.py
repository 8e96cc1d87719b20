"""Files as a provider: lists of invoices and bank statements come into an inbox, what went out is written to a status list."""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from bridge.contract import (
    Act,
    Batch,
    ConfigError,
    Connector,
    ConnectorSettings,
    Cursor,
    Finding,
    Health,
    Http,
    Mapping,
    NotSupported,
    Proof,
    Ref,
    Refused,
    Sentence,
    Severity,
    Snapshot,
    WriteBack,
)
from connectors.generic_csv import status
from connectors.generic_csv.effective import effective
from connectors.generic_csv.german import GERMAN
from connectors.generic_csv.importer import Importer, today_in
from connectors.generic_csv.inbox import Copy, Inbox, written_before
from connectors.generic_csv.matching import Matcher
from connectors.generic_csv.profiles import Words, check_columns, load_profiles
from connectors.generic_csv.state import State, plain

KINDS = ("debtor", "invoice", "payment", "notice", "reject")
_FIELDS = {"debtor": "debtors", "invoice": "invoices", "payment": "payments", "notice": "notices", "reject": "rejects"}


class CsvSettings(ConnectorSettings):
    """Files in a folder, or one file (Dateieingang)."""

    inbox: Path = Field(
        description="Folder that is watched for files, or one file that is read again whenever it changes."
    )
    folder: Path | None = Field(
        None,
        description="Own folder for state, archived originals and the status list. Default: `mahnbridge` beside the files.",
    )
    profile: str = Field("auto", description="Name of the profile for lists whose header proves none; auto: plain.")
    profiles: Path | None = Field(
        None, description="Folder with own profiles (*.yaml); they win over shipped ones of the same name."
    )
    encoding: Literal["auto", "utf-8", "utf-16", "cp1252", "iso-8859-1", "iso-8859-15", "cp850"] = Field(
        "auto", description="Encoding of all files; auto: UTF-8, UTF-16 with byte order mark, else Windows-1252."
    )
    currency: str = Field("EUR", pattern="^[A-Z]{3}$", description="Currency where a file names none.")
    settle_seconds: float = Field(
        5, ge=0, le=3600, description="A file must have been left alone for so long before it is read."
    )
    status_file: Path | None = Field(
        None, description="Where the status list is written; default: status.csv in `folder`."
    )

    @property
    def own_folder(self) -> Path:
        """Return the connector's own folder."""
        if self.folder is not None:
            return self.folder
        return (self.inbox if self.inbox.is_dir() else self.inbox.parent) / "mahnbridge"


class GenericCsv(Connector):
    """Lists of invoices and payments from files (CSV, DATEV EXTF, CSV-CAMT, camt.053)."""

    name: ClassVar[str] = "generic_csv"
    german: ClassVar[dict[str, str]] = GERMAN
    starter: ClassVar[str] = """
settings:
  inbox: inbox
"""
    Settings: ClassVar[type[ConnectorSettings]] = CsvSettings
    acts: ClassVar[frozenset[Act]] = frozenset({Act.NOTE})

    def __init__(self, account: str, settings: CsvSettings, mapping: Mapping, http: Http) -> None:
        super().__init__(account, settings, mapping, http)
        self._settings = settings
        self._zone = ZoneInfo(settings.time_zone)
        self._words = Words(mapping.options)
        self._profiles = load_profiles(settings.profiles)
        check_columns(self._profiles, self._words)
        if settings.profile != "auto" and settings.profile not in self._profiles:
            raise ConfigError(
                "unknown profile {profile!r}; there are auto, {profiles}",
                profile=settings.profile,
                profiles=", ".join(sorted(self._profiles)),
            )
        self._inbox = Inbox(settings.inbox, settings.own_folder, settle=settings.settle_seconds)
        self._status = settings.status_file or settings.own_folder / "status.csv"

    # -------------------------------------------------------------------------------------------------------- support

    @property
    def words(self) -> Iterable[str]:
        """Return names of columns and words in them, as mapping and profiles have them."""
        yield from self.mapping.words
        yield from self._words.all
        for one in self._profiles.values():
            yield from (name for names in (*one.headers, *one.columns.values()) for name in names)

    @classmethod
    def on_files(cls, settings: dict[str, Any], folder: Path) -> dict[str, Any]:
        """Read the files of a support bundle, with the profiles in it."""
        own = folder / "tables"
        here = {"inbox": str(folder / "files"), "folder": str(folder / "own"), "settle_seconds": 0}
        return {**settings, **here, "profiles": str(own) if own.is_dir() else None, "status_file": None}

    # -------------------------------------------------------------------------------------------------------- reading

    def check(self) -> Health:
        """Try inbox, own folder and state, and tell what the files can and cannot say."""
        findings: list[Finding] = []
        bank = False
        try:
            self._inbox.prepare()
            with self._state() as state:
                bank = state.bank_as_of() is not None
                findings += [*self._sources(state), *self._links()]
        except ConfigError as error:
            findings.append(Finding(severity=Severity.ERROR, code=error.cause, text=error.sentence))
        else:
            if not self._inbox.moves:
                text = Sentence(
                    "the inbox is one file or read-only: originals are copied to the archive and stay where they are"
                )
                findings.append(Finding(severity=Severity.INFO, code="csv_copies", text=text))
            if not bank:
                text = Sentence("no bank file was imported yet: payments are known only as far as the lists tell them")
                findings.append(Finding(severity=Severity.WARNING, code="csv_no_bank", text=text))
        ok = all(finding.severity is not Severity.ERROR for finding in findings)
        return Health(ok=ok, acts=self.acts, findings=tuple(findings), has_bank_feed=bank)

    def _sources(self, state: State) -> Iterator[Finding]:
        now = self.http.now()
        for origin, as_of, days in state.run("select origin, as_of, fresh_days from source order by origin"):
            age = (now - datetime.fromisoformat(as_of)).days
            if age > days:
                text = Sentence(
                    "the newest file of {origin} is {age} {age|day|days} old, its limit is {days}: its invoices are held as stale",
                    origin=origin,
                    age=age,
                    days=days,
                )
                yield Finding(severity=Severity.WARNING, code="csv_stale", text=text)

    def _links(self) -> Iterator[Finding]:
        for name in self._inbox.links():
            text = Sentence("{name} in the inbox is a link and is not read; put the file itself there", name=name)
            yield Finding(severity=Severity.WARNING, code="csv_link", text=text)

    def pull(self, cursor: Cursor | None) -> Iterator[Batch]:
        """Import what is in the inbox, then yield every record that changed since the cursor."""
        with self._state() as state:
            self._import(state)
            yield from _Pull(state, self._zone, self.settings.page_size, cursor).batches()

    def look(self, invoices: Sequence[Ref]) -> Iterator[Snapshot]:
        """Import what is in the inbox, then yield what the last files say; `taken_at` is the time of the invoice's file."""
        with self._state() as state:
            self._import(state)
            bank = state.bank_as_of()
            for ref in invoices:
                standing = effective(state, ref.id, self._zone)
                if standing is None:
                    yield Snapshot(invoice_id=ref.id, taken_at=self.http.now(), found=False)
                    continue
                yield Snapshot(
                    invoice_id=ref.id,
                    taken_at=standing.as_of,
                    invoice=standing.invoice,
                    debtor=state.debtor(standing.invoice.debtor_id),
                    notices=state.notices(ref.id),
                    related=state.related(ref.id),
                    payments=standing.payments,
                    payments_as_of=bank,
                )

    @contextmanager
    def _state(self) -> Iterator[State]:
        state = State(self._settings.own_folder / "state.sqlite")
        try:
            yield state
        finally:
            state.close()

    def _import(self, state: State) -> None:
        """Read every file that is ready; a file that cannot be read now waits for the next time."""
        self._inbox.prepare()
        importer = Importer(
            state,
            self._profiles,
            self._words,
            self._zone,
            profile=self._settings.profile,
            encoding=self._settings.encoding,
            currency=self._settings.currency,
        )
        now, digest = self.http.now(), importer.digest()
        for path in sorted(self._settings.profiles.glob("*.yaml")) if self._settings.profiles else ():
            self.http.took(path.name, (path,), sha256="", as_of=now, kind="table")
        with self._inbox.alone():
            unread = [
                one for one in self._inbox.ready() if self._inbox.moves or not state.seen(f"{one.sight}|{digest}")
            ]
            with state.change():
                state.set_back(now, written_before(unread, now))
            for waiting in unread:
                self._take(state, importer, self._inbox.take(waiting, now), digest, now)
                if not self._inbox.moves:
                    with state.change():
                        state.see(waiting.path, f"{waiting.sight}|{digest}")
        with state.change():
            state.mark_stale(now)

    def _take(self, state: State, importer: Importer, copy: Copy, digest: str, now: datetime) -> None:
        """Import one copy, unless the same content was read before and something newer came since."""
        key = f"{copy.hash}:{digest}"
        with state.change():
            known = state.run("select origin, archived, ok from file where hash = ?", (key,)).fetchone()
            name = known[1] if known else self._inbox.name_for(copy, now)
            places = (self._inbox.archive / name, copy.waiting.path)
            self.http.took(copy.name, places, sha256=copy.hash, as_of=copy.as_of)
            if known is None or not known[2] or _is_newest(state, key, known[0]):
                report = importer.read(copy.path, copy.name, copy.as_of)
                state.run("delete from file where hash = ?", (key,))
                state.run(
                    "insert into file values (?, ?, ?, ?, ?)", (key, copy.name, report.origin, name, not report.failed)
                )
                Matcher(state, self._zone, today_in(self._zone, now)).run()
            else:
                importer.repeated(copy.name, copy.as_of, known[0], name)
        self._inbox.keep(copy, name)

    # -------------------------------------------------------------------------------------------------------- writing

    def push(self, write: WriteBack) -> Proof:
        """Add one row to the status list; a second call with the same marker finds the first."""
        if write.act is not Act.NOTE:
            raise NotSupported("{name} cannot {act}", name=self.name, act=write.act)
        if write.invoice is None:
            raise Refused("a row of the status list needs its invoice", cause="csv_status")
        with self._state() as state:
            with state.change():
                standing = effective(state, write.invoice.id, self._zone)
                if standing is None:
                    raise Refused(
                        "no file ever named the invoice {invoice_id}",
                        invoice_id=write.invoice.id,
                        cause="csv_unknown_invoice",
                    )
                debtor = state.debtor(standing.invoice.debtor_id)
                row = self._row(
                    write, standing.invoice.number or write.invoice.id, (debtor.number if debtor else "") or ""
                )
                state.run(
                    "insert or ignore into status_line values (?, ?, ?)",
                    (write.marker, plain(row), self.http.now().isoformat()),
                )
            return self._written(state, write)

    def find(self, write: WriteBack) -> Proof | None:
        """Return the row's proof, or None: the list is ours alone, so what it lacks was never written."""
        with self._state() as state:
            known = state.run("select 1 from status_line where marker = ?", (write.marker,)).fetchone()
            return self._written(state, write, later=True) if known else None

    def _row(self, write: WriteBack, number: str, customer: str) -> dict[str, str]:
        content, at = write.content, write.started_at or self.http.now()
        total = f"{content.total:.2f}".replace(".", ",")
        values = (
            number,
            customer,
            content.level_name,
            at.astimezone(self._zone).strftime("%d.%m.%Y"),
            {"mail": "E-Mail", "post": "Brief"}.get(content.sent_by or "", content.sent_by or ""),
            content.deadline.strftime("%d.%m.%Y") if content.deadline else "",
            total,
            content.currency,
            content.linked_line,
            write.marker,
        )
        return dict(zip(status.COLUMNS, values, strict=True))

    def _written(self, state: State, write: WriteBack, *, later: bool = False) -> Proof:
        """Make the list anew from the kept rows and return the proof of this one."""
        with state.change():  # one writer at a time, so that no older list replaces a newer one
            lines = state.run("select doc from status_line order by at, marker").fetchall()
            status.write(self._status, (json.loads(line[0]) for line in lines))
        return Proof(
            key=write.key,
            at=self.http.now(),
            provider_id=write.marker,
            found_later=later,
            facts={"file": self._status.name},
        )


def _is_newest(state: State, key: str, origin: str) -> bool:
    row = state.run("select hash from file where origin = ? order by rowid desc limit 1", (origin,)).fetchone()
    return row is not None and row[0] == key


class _Pull:
    """One pull: kind after kind, in the order of changes, up to the change that was newest when it began."""

    def __init__(self, state: State, zone: ZoneInfo, size: int, cursor: Cursor | None) -> None:
        data: dict[str, Any] = dict(cursor.data) if cursor else {}
        if data.get("epoch") != state.epoch:
            data = {}
        self._state, self._zone, self._size = state, zone, size
        self._after = int(data.get("seq", 0))
        self._up_to = int(data.get("up_to", state.seq))
        self._kind, self._at = str(data.get("kind", KINDS[0])), int(data.get("at", self._after))
        self._full = self._after == 0

    def batches(self) -> Iterator[Batch]:
        """Yield the pages; the last one moves the cursor to where the next pull begins."""
        bank, page = self._state.bank_as_of(), 0
        for kind in KINDS[KINDS.index(self._kind) :]:
            at = self._at if kind == self._kind else self._after
            while rows := self._state.since(kind, at, self._up_to, self._size):
                at, page = rows[-1][0], page + 1
                records = tuple(self._record(kind, row[1]) for row in rows)
                yield Batch(
                    **{_FIELDS[kind]: records}, cursor=self._cursor(kind, at), full=self._full, payments_as_of=bank
                )
        yield Batch(
            cursor=Cursor(data={"epoch": self._state.epoch, "seq": self._up_to}),
            full=self._full,
            complete=self._full,
            payments_as_of=bank,
        )

    def _record(self, kind: str, row: Any) -> Any:
        if kind != "invoice":
            return row
        standing = effective(self._state, row, self._zone)
        assert standing is not None
        return standing.invoice

    def _cursor(self, kind: str, at: int) -> Cursor:
        data = {"epoch": self._state.epoch, "seq": self._after, "up_to": self._up_to, "kind": kind, "at": at}
        return Cursor(data=data)
