"""The inbox (Eingang): which files are ready, a private copy to read from, and the archive where originals stay.

A file is first copied and its content hashed; what is read is that copy, so that nobody can change it in between. After its rows are
safe in the state the copy becomes the archived original by one rename, and only then the file is taken out of the inbox, if it is
still the same. Whatever dies when, the file is in the inbox, in the archive, or in both.
"""

import fcntl
import os
import re
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

from bridge.contract import ConfigError, RetryLater, sync

TEMPORARY = (".tmp", ".part", ".partial", ".crdownload", ".download", ".filepart", ".swp", "~", ".lock", ".bak")
_CHUNK = 1 << 20
_PATIENCE = 30.0
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A file that is ready: where, and what it looked like when it was listed. A copy may keep the old time of change, not `arrived_ns`."""

    path: Path
    size: int
    changed_ns: int
    inode: int
    arrived_ns: int

    @property
    def sight(self) -> str:
        """Return what tells this state of the file from another without reading it."""
        return f"{self.path}|{self.size}|{self.changed_ns}|{self.inode}"


@dataclass(frozen=True, slots=True)
class Copy:
    """The private copy of a file, its content's hash, and the time of the file (aware)."""

    waiting: Waiting
    path: Path
    hash: str
    as_of: datetime

    @property
    def name(self) -> str:
        return self.waiting.path.name


class Inbox:
    """An inbox folder or a single file. A single file, and one in a folder that cannot be written to, stays where it is."""

    def __init__(self, place: Path, folder: Path, *, settle: float) -> None:
        self.place, self._settle = place, settle
        self.spool, self.archive = folder / "spool", folder / "archiv"

    def prepare(self) -> None:
        """Make the folders. Raises `ConfigError` where that is not possible or the inbox is missing."""
        for path in (self.spool, self.archive):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.mkdir(mode=0o700, exist_ok=True)
            except OSError as error:
                raise ConfigError(
                    "{path}: {strerror}", path=path, strerror=error.strerror, cause="csv_folder"
                ) from error
        if not self.place.exists():
            raise ConfigError("the inbox {place} does not exist", place=self.place, cause="csv_inbox")

    @property
    def is_folder(self) -> bool:
        return self.place.is_dir()

    @property
    def moves(self) -> bool:
        """Return whether files are taken out of the inbox once they are archived."""
        return self.is_folder and os.access(self.place, os.W_OK)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the folder for one import. Raises `RetryLater` where another process has it for longer than half a minute."""
        lock = os.open(self.spool.parent / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            until = time.monotonic() + _PATIENCE
            while True:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as error:
                    if time.monotonic() > until:
                        raise RetryLater("another process is importing files", cause="csv_busy") from error
                    time.sleep(0.05)
            for left in self.spool.iterdir():
                left.unlink()  # of an import that died; its file is still in the inbox
            yield
        finally:
            os.close(lock)

    def ready(self) -> list[Waiting]:
        """Return the files that nobody is writing any more, oldest first."""
        found = [waiting for path in self._paths() if (waiting := self._look(path))]
        return sorted(found, key=lambda waiting: (waiting.changed_ns, waiting.path.name))

    def _paths(self) -> Iterator[Path]:
        if not self.is_folder:
            yield self.place
            return
        try:
            names = sorted(entry.name for entry in os.scandir(self.place))
        except OSError as error:
            raise RetryLater(
                "the inbox {place} cannot be listed: {strerror}",
                place=self.place,
                strerror=error.strerror,
                cause="csv_inbox",
            ) from error
        for name in names:
            if not name.startswith((".", "~")) and not name.lower().endswith(TEMPORARY):
                yield self.place / name

    def _look(self, path: Path) -> Waiting | None:
        try:
            seen = path.stat(follow_symlinks=path == self.place)
        except OSError:
            return None
        if not stat.S_ISREG(seen.st_mode) or path.with_name(path.name + ".part").exists():
            return None
        if self._settle and time.time() - max(seen.st_mtime, seen.st_ctime) < self._settle:
            return None
        return Waiting(path, seen.st_size, seen.st_mtime_ns, seen.st_ino, seen.st_ctime_ns)

    def links(self) -> list[str]:
        """Return the names of links in the inbox, which are not read: whoever may put files there need not be allowed to read theirs."""
        return [path.name for path in self._paths() if self.is_folder and path.is_symlink()]

    def take(self, waiting: Waiting, now: datetime) -> Copy:
        """Copy a file into the spool. Raises `RetryLater` where it cannot be read or changes meanwhile, or the disk is full."""
        target = self.spool / "copy"
        digest = sha256()
        try:
            linked = 0 if waiting.path == self.place else os.O_NOFOLLOW
            with os.fdopen(os.open(waiting.path, os.O_RDONLY | linked), "rb") as source, target.open("wb") as copy:
                while chunk := source.read(_CHUNK):
                    digest.update(chunk)
                    copy.write(chunk)
                copy.flush()
                os.fsync(copy.fileno())
        except OSError as error:
            target.unlink(missing_ok=True)
            raise RetryLater(
                "{path}: {strerror}", path=waiting.path, strerror=error.strerror, cause="csv_read"
            ) from error
        if self._look(waiting.path) != waiting:
            target.unlink(missing_ok=True)
            raise RetryLater("{path}: the file is still changing", path=waiting.path, cause="csv_changing")
        return Copy(waiting, target, digest.hexdigest(), min(_instant(waiting.changed_ns), now))

    def keep(self, copy: Copy, name: str) -> None:
        """Archive the copy as `name`, unless it is there already, and take the file out of the inbox."""
        try:
            if (self.archive / name).exists():
                copy.path.unlink(missing_ok=True)
            else:
                copy.path.replace(self.archive / name)
                sync(self.archive)
            if self.moves and self._look(copy.waiting.path) == copy.waiting:
                copy.waiting.path.unlink()
        except OSError as error:
            raise RetryLater(
                "{path}: it cannot be archived: {strerror}",
                path=copy.waiting.path,
                strerror=error.strerror,
                cause="csv_archive",
            ) from error

    @staticmethod
    def name_for(copy: Copy, now: datetime) -> str:
        """Return the archived name of a copy: when, which content, what it was called."""
        plain = re.sub(r"[^A-Za-z0-9._-]+", "_", copy.name)[-100:]
        return f"{now.astimezone(UTC).strftime('%Y%m%dT%H%M%SZ')}_{copy.hash[:12]}_{plain}"


def written_before(waiting: Iterable[Waiting], now: datetime) -> datetime:
    """Return an instant, `now` at most, before which everything that was read was written: what waits arrived after it was read."""
    return min([now, *(_instant(one.arrived_ns) - _MOMENT for one in waiting)])


def _instant(nanoseconds: int) -> datetime:
    return datetime.fromtimestamp(nanoseconds / 1e9, UTC)
