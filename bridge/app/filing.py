"""Files: what left the house is kept before it does; looked through, given out, checked, packed by run."""

import hashlib
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path

from sqlalchemy import Connection

from bridge.app.opening import Opened
from bridge.contract import Act, Produced, WriteBack
from bridge.documents.archive import FileArchive, FileDamaged
from bridge.errors import UsageError, WrongState
from bridge.plain import free_name, name_part
from bridge.store.files import CLASSES, Class, KeptFile, NewFile
from bridge.store.records import Notice, Step
from bridge.words import Sentence, sentence_of

LETTERS = ("letter", "enclosure")
"""Kinds that the view of letters shows."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time a ZIP can name; packed files carry it, so that the same files are the same package."""


@dataclass(frozen=True, slots=True)
class FileLine:
    """One file that left the house. `retention` is the class by which it is kept. `on` and `keep_until` are local dates; `run` is the dunning run that made the notice."""

    id: int
    on: date
    kind: str
    name: str
    case: str
    account: str
    notice: int | None
    run: int | None
    media_type: str
    size: int
    sha256: str
    retention: str
    keep_until: date


@dataclass(frozen=True, slots=True)
class Checked:
    """How many kept files were read, and what is wrong with which."""

    count: int
    damaged: tuple[tuple[str, Sentence], ...]


@dataclass(frozen=True, slots=True)
class Packed:
    """A package that was written."""

    path: str
    files: int
    sha256: str


class Filing(Opened):
    """Files that left the house (Dateien)."""

    @cached_property
    def archive(self) -> FileArchive:
        """Return the archive of kept files."""
        return FileArchive(self.loaded.data / "archive")

    def years_kept(self, kind: str) -> int:
        """Return how many calendar years after its own a file of this kind must be kept."""
        years = self.config.retention.years(self.config.creditor.country)
        return years.vouchers if CLASSES[kind] is Class.VOUCHER else years.letters

    def keep(self, step: Step, write: WriteBack, produced: Sequence[Produced]) -> None:
        """Keep what a step is about to hand over: first the bytes, then the note of them. Raises `OSError`."""
        kept = [(one, self.archive.keep(one.data)) for one in produced]
        with self.store.begin() as conn:
            notice = self.store.outbox.get(conn, step.notice_id)
            case = self.store.questions.case_number(conn, notice.case_id)
            today = self.today(step.account)
            for number, (one, digest) in enumerate(kept):
                name = file_name(notice, one, kind := _kind(step.act, number), number)
                new = self.new_file(notice, one, digest, kind=kind, name=f"{today.isoformat()}_{case}_{name}", on=today)
                self.store.files.add(conn, replace(new, step_id=step.id, acted_at=write.started_at))

    def new_file(self, notice: Notice, one: Produced, digest: str, *, kind: str, name: str, on: date) -> NewFile:
        """Return the note of a kept file of a notice, which left the house on the local date `on`."""
        return NewFile(
            account=notice.account,
            case_id=notice.case_id,
            run_id=notice.run_id,
            notice_id=notice.id,
            kind=kind,
            name=name,
            media_type=one.media_type,
            sha256=digest,
            size=len(one.data),
            kept_at=self.store.now(),
            on=on,
            years=self.years_kept(kind),
        )

    def files(
        self,
        *,
        letters: bool = False,
        account: str | None = None,
        case: str | None = None,
        run: int | None = None,
        since: date | None = None,
        until: date | None = None,
    ) -> tuple[FileLine, ...]:
        """Return the files that left the house, newest first: all, or letters with their enclosures alone."""
        if account is not None:
            self.chosen((account,))
        with self.store.reading() as conn:
            found = self._files(conn, letters=letters, account=account, case=case, run=run, since=since, until=until)
        return tuple(file_line(one) for one in found)

    def _files(
        self,
        conn: Connection,
        *,
        letters: bool = False,
        account: str | None = None,
        case: str | None = None,
        run: int | None = None,
        since: date | None = None,
        until: date | None = None,
    ) -> list[KeptFile]:
        case_id = None if case is None else self.store.cases.by_number(conn, case)["id"]
        return self.store.files.listing(
            conn,
            kinds=LETTERS if letters else (),
            account=account,
            case_id=case_id,
            run_id=run,
            since=since,
            until=until,
        )

    def file(self, file_id: int) -> tuple[FileLine, bytes]:
        """Return one file with its bytes. Raises `UsageError` where there is none, `FileDamaged` where it is not what was kept."""
        with self.store.reading() as conn:
            found = self.store.files.get(conn, file_id)
        return file_line(found), self.archive.read(found.sha256)

    def save_file(self, file_id: int, path: Path | None = None) -> Packed:
        """Write one file to `path`, or under its own name here. Raises `UsageError` where that exists."""
        line, data = self.file(file_id)
        write_new(path or Path(line.name), data)
        return Packed(str(path or line.name), 1, line.sha256)

    def check_files(self) -> Checked:
        """Read every kept file and compare it with its hash."""
        with self.store.reading() as conn:
            found = self.store.files.listing(conn)
        damaged = []
        for one in found:
            try:
                self.archive.read(one.sha256)
            except FileDamaged as error:
                damaged.append((f"{one.id} {one.name}", sentence_of(error)))
        return Checked(len(found), tuple(damaged))

    def pack_run(self, run: int, path: Path) -> Packed:
        """Write all files of a dunning run as one ZIP to `path` (mahnlauf.zip). Raises `UsageError` where it exists or there is no such run, `WrongState` where nothing went out."""
        with self.store.reading() as conn:
            self.store.runs.get(conn, run)
            found = self._files(conn, run=run)
        if not found:
            raise WrongState("run {run} has sent nothing yet; `mahnbridge files list --run {run}`", run=run)
        return write_package(path, [(one.name, self.archive.read(one.sha256)) for one in reversed(found)])


def write_package(path: Path, files: Iterable[tuple[str, bytes]]) -> Packed:
    """Write a ZIP of these files; the same files give the same bytes. Raises `UsageError` where `path` exists or cannot be written."""
    packed = io.BytesIO()
    names: set[str] = set()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as package:
        for name, data in files:
            entry = zipfile.ZipInfo(free_name(name, names), _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o600 << 16
            package.writestr(entry, data)
    write_new(path, packed.getvalue())
    return Packed(str(path), len(names), hashlib.sha256(packed.getvalue()).hexdigest())


def write_new(path: Path, data: bytes | Iterable[bytes]) -> None:
    """Write a file that does not exist yet, whole or not at all. Raises `UsageError` where it does, or cannot be written."""
    try:
        with path.open("xb") as file, _whole(path):
            file.writelines([data] if isinstance(data, bytes) else data)
            file.flush()
    except FileExistsError as error:
        raise UsageError("{path} exists; choose another name", path=path) from error
    except OSError as error:
        raise UsageError("{path} cannot be written: {strerror}", path=path, strerror=error.strerror) from error


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    """Take a file away again whose writing ends in an error."""
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def file_line(one: KeptFile) -> FileLine:
    """Return a kept file as people see it."""
    return FileLine(
        one.id, one.on, one.kind, one.name, one.case, one.account, one.notice_id, one.run_id, one.media_type, one.size, one.sha256,
        one.retention.value, one.keep_until,
    )  # fmt: skip


def _kind(act: Act, number: int) -> str:
    if act is Act.LETTER:
        return "letter" if number == 0 else "enclosure"
    return "mail" if act is Act.MAIL else "internal"


def file_name(notice: Notice, one: Produced, kind: str, number: int) -> str:
    """Return the name for people of a file that a notice brought: notice and level; of further ones their own name too."""
    suffix = Path(one.filename).suffix.lower()[:8] or ".bin"
    level = name_part(notice.level_name) or "mahnung"
    extra = f"_{name_part(Path(one.filename).stem)}" if number else "_intern" if kind == "internal" else ""
    return f"{notice.id}_{level}{extra}{suffix}"
