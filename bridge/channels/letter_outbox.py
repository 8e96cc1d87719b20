"""The letter outbox (Postausgang): letters as PDF files in a folder, for a person or a print service to post.

The letter's file is put in place by one atomic rename, its marker is in its name: the file is the proof that the letter was handed over.
A person moves posted letters into `posted/`; only then the letter counts as gone, unless `posted_when_written` says otherwise.
Letters that were taken back lie in `withdrawn/`.
"""

import fcntl
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from bridge.contract import (
    Act,
    Attachment,
    CannotTell,
    Channel,
    ConfigError,
    Finding,
    Health,
    Proof,
    Refused,
    RetryLater,
    Sent,
    Severity,
    Unclear,
    WriteBack,
)
from bridge.files import replace, sync
from bridge.plain import name_part
from bridge.words import Sentence, sentence_of

_DAY = timedelta(days=1)
_ENCLOSED = re.compile(r"_anlage\d+_")
"""In the name of an enclosure, and in no letter's: a level's name has no `_` there."""


class LetterSettings(BaseModel):
    """Where letters are laid out for posting (Postausgang)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: Path = Field(description="Folder for letters; `posted/` inside it receives those that went to the post.")
    posted_when_written: bool = Field(False, description="True where a print service empties the folder by itself.")
    time_zone: str = Field("Europe/Berlin", description="Time zone of the date in a file's name.")


class LetterOutbox(Channel):
    """Letters laid out for posting (Briefausgang). `files` of `push`: first the letter as PDF, then its enclosures."""

    name: ClassVar[str] = "letter_outbox"
    Settings: ClassVar[type[BaseModel]] = LetterSettings
    act: ClassVar[Act] = Act.LETTER

    def __init__(self, settings: LetterSettings, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__(settings, clock=clock)
        self._settings = settings
        self.folder = settings.folder
        self.posted_folder = settings.folder / "posted"
        self.withdrawn_folder = settings.folder / "withdrawn"

    def check(self) -> Health:
        """Make the folders and write and remove a file there."""
        findings: tuple[Finding, ...] = ()
        try:
            with self._locked():
                probe = self.folder / f".probe-{os.getpid()}"
                replace(probe, b"")
                probe.unlink()
        except (ConfigError, RetryLater, OSError) as error:
            findings = (Finding(severity=Severity.ERROR, code="letter_folder", text=sentence_of(error)),)
        return Health(ok=not findings, acts=frozenset({Act.LETTER}), findings=findings)

    def push(self, write: WriteBack, files: Sequence[tuple[Attachment, bytes]] = ()) -> Proof:
        """Lay the letter out once; a second call with the same marker finds the first one and writes nothing.

        Raises `Refused` (no PDF), `RetryLater` (disk full), `Unclear` (it may lie there), `ConfigError` (folder missing or not writable).
        """
        if not files or not files[0][1].startswith(b"%PDF-"):
            raise Refused("a letter needs its PDF as the first file", cause="letter_pdf")
        with self._locked():
            present = self._letter(write.marker)
            return self._proof(write, present) if present else self._proof(write, self._lay_out(write, files))

    def find(self, write: WriteBack) -> Proof:
        """Return the proof that the letter was laid out or posted. Raises `CannotTell`: somebody may have taken it away."""
        present = self._letter(write.marker)
        if present is None:
            raise CannotTell(
                "{key}: there is no letter {marker} in {folder}",
                key=write.key,
                marker=write.marker,
                folder=self.folder,
                cause="letter_not_found",
            )
        return self._proof(write, present, found=True)

    def posted_at(self, marker: str) -> datetime | None:
        """Return when the letter with this marker was posted (aware), None while it lies in the outbox or is unknown."""
        letter = self._letter(marker)
        if letter is None or (letter.parent != self.posted_folder and not self._settings.posted_when_written):
            return None
        return _instant(_facts(letter).get("posted_at")) or datetime.fromtimestamp(letter.stat().st_ctime, UTC)

    def mark_posted(self, marker: str) -> datetime:
        """Move the letter with its enclosures to `posted/` and return when; harmless to repeat. Raises `Refused` if unknown."""
        with self._locked():
            letter = self._letter(marker)
            if letter is None:
                raise Refused(
                    "there is no letter {marker} in {folder}",
                    marker=marker,
                    folder=self.folder,
                    cause="letter_not_found",
                )
            noted = self.posted_at(marker) if letter.parent == self.posted_folder else None
            if noted is not None:
                return noted
            at = self.clock()
            facts = _facts(letter) or _facts(self.posted_folder / letter.name)
            replace(letter.with_suffix(".json"), _json(facts | {"posted_at": at.isoformat()}))
            for path in sorted(self.folder.glob(f"{letter.stem}*"), key=lambda path: path == letter):
                path.replace(
                    self.posted_folder / path.name
                )  # the letter itself last: a crash leaves it to be marked again
            sync(self.posted_folder)
            return at

    def take_back(self, marker: str) -> None:
        """Move the letter with its enclosures to `withdrawn/`; harmless to repeat. Raises `Refused` where it was posted."""
        with self._locked():
            letter = self._letter(marker)
            if letter is not None and self.posted_at(marker) is not None:
                raise Refused("letter {letter} was posted", letter=letter.name, cause="letter_posted")
            self.withdrawn_folder.mkdir(exist_ok=True)
            stem = f"_{name_part(marker)}_"
            for path in sorted(
                self.folder.glob(f"*{stem}*"), key=lambda path: path != letter
            ):  # the letter itself first
                path.replace(self.withdrawn_folder / path.name)
            sync(self.withdrawn_folder)

    def sent(self, since: datetime) -> Sequence[Sent] | None:
        """Return the letters that were laid out since then, posted or not; None where a print service takes them away."""
        if self._settings.posted_when_written:
            return None
        found = []
        for folder in (self.folder, self.posted_folder):
            for letter in sorted(folder.glob("*.pdf")) if folder.is_dir() else ():
                facts, day = _facts(letter), _day(letter.name[:10])
                about = facts.get("covers")
                if not isinstance(about, list) or day is None:
                    continue
                laid_out = datetime.combine(day, time(), tzinfo=ZoneInfo(self._settings.time_zone))
                if laid_out + _DAY >= since:
                    at = self.posted_at(str(facts.get("marker", ""))) or laid_out
                    found.append(Sent(letter.name, at, tuple(map(str, about)), _day(facts.get("deadline"))))
        return found

    def _lay_out(self, write: WriteBack, files: Sequence[tuple[Attachment, bytes]]) -> Path:
        dated = self.clock().astimezone(ZoneInfo(self._settings.time_zone)).date()
        level = name_part(write.content.level_name) or "brief"
        letter = self.folder / f"{dated.isoformat()}_{name_part(write.marker)}_{level}.pdf"
        try:
            names, digits = [], len(str(len(files) - 1))  # sorted by name, they lie as they are to be printed
            for position, (attachment, data) in enumerate(files[1:], 1):
                name = f"{letter.stem}_anlage{position:0{digits}}_{name_part(Path(attachment.filename).stem) or 'datei'}.pdf"
                replace(self.folder / name, data)
                names.append(name)
            replace(letter.with_suffix(".json"), _json(_sidecar(write, files[0][1], names)))
            replace(letter, files[0][1])  # last: from here on the letter is handed over
        except OSError as error:
            said = Sentence("letter outbox {folder}: {strerror}", folder=self.folder, strerror=error.strerror)
            if letter.exists():  # a disk that cannot sync its names: the letter may be taken away before another try
                raise Unclear(said, cause="letter_disk") from error
            raise RetryLater(said, cause="letter_disk") from error
        return letter

    def _letter(self, marker: str) -> Path | None:
        wanted = f"_{name_part(marker)}_"
        for folder in (self.folder, self.posted_folder):
            try:
                names = sorted(entry.name for entry in os.scandir(folder) if wanted in entry.name)
            except FileNotFoundError:
                continue
            except OSError as error:
                raise ConfigError(
                    "letter outbox {folder}: {strerror}", folder=folder, strerror=error.strerror, cause="letter_folder"
                ) from error
            for name in names:
                if name.endswith(".pdf") and not name.startswith(".") and not _ENCLOSED.search(name):
                    return folder / name
        return None

    def _proof(self, write: WriteBack, letter: Path, *, found: bool = False) -> Proof:
        posted = self.posted_at(write.marker)
        facts = {"file": letter.name, "state": "posted" if posted else "outbox"}
        if posted:
            facts["posted_at"] = posted.isoformat()
        return Proof(key=write.key, at=self.clock(), provider_id=letter.name, found_later=found, facts=facts)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Hold the folder's lock, so that two processes never lay out the same letter side by side."""
        try:
            self.posted_folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigError(
                "letter outbox {folder}: {strerror}", folder=self.folder, strerror=error.strerror, cause="letter_folder"
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _sidecar(write: WriteBack, letter: bytes, enclosures: Sequence[str]) -> dict[str, Any]:
    content = write.content
    return {
        "key": write.key,
        "marker": write.marker,
        "account": write.account,
        "invoice": write.invoice.number or write.invoice.id if write.invoice else None,
        "debtor_id": write.debtor_id,
        "level": content.level_name,
        "subject": content.subject,
        "total": f"{content.total:.2f}",
        "currency": content.currency,
        "deadline": content.deadline.isoformat() if content.deadline else None,
        "address": content.address.model_dump() if content.address else None,
        "sha256": sha256(letter).hexdigest(),
        "enclosures": list(enclosures),
        "covers": list(write.covers),
    }


def _json(facts: dict[str, Any]) -> bytes:
    return json.dumps(facts, ensure_ascii=False, indent=2).encode("utf-8", "replace")


def _facts(letter: Path) -> dict[str, Any]:
    try:
        facts = json.loads(letter.with_suffix(".json").read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return facts if isinstance(facts, dict) else {}


def _instant(text: object) -> datetime | None:
    """Return an instant as it was noted, None where somebody made something else of it."""
    try:
        at = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _day(text: object) -> date | None:
    try:
        return date.fromisoformat(str(text))
    except ValueError:
        return None
