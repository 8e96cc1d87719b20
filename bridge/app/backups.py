"""Backup (Sicherung): the database, the archive and the trail's links in one file with hashes; and a store from such a file.

No key and no configuration is in it: tokens stay sealed as the store keeps them, and what opens them lies elsewhere.
"""

import shutil
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from bridge.app.backup_file import BackedUp, manifest, verify, write
from bridge.app.house import LAST_BACKUP
from bridge.app.opening import BACKUPS, Opened, business_now
from bridge.app.switching import begin, end, put_aside, unfinished
from bridge.config import Loaded
from bridge.errors import AlreadyRunning, ConfigError, UsageError
from bridge.files import sync
from bridge.store import Store
from bridge.store.cases import Stamp
from bridge.store.engine import database_url
from bridge.store.snapshots import DATABASE, known, load, running, save

_PARTS, _EXTRACTED = ".backup-", ".restore-"
"""How folders begin in which a backup is made, or unpacked; a killed process leaves its own."""

_BROKEN_OFF = 86_400
"""Seconds after which nobody works in such a folder any more."""


@dataclass(frozen=True, slots=True)
class PutBack:
    """A store that was restored. `aside` is where the database before it went; `dropped` notices are decided anew, `doubted` steps looked up."""

    backup: BackedUp
    files: int
    aside: str
    dropped: int
    doubted: int


class Backups(Opened):
    """What copies everything away."""

    def back_up(self, path: Path | None = None, *, files: bool = True) -> BackedUp:
        """Write a backup to `path` (default: the folder `backups` of the data folder) while everything goes on, and read it back.

        Without `files` the archive of what left the house is named, not copied. Raises `UsageError` where `path` exists,
        `ConfigError` where the copy is not what was read.
        """
        since, now = self.clock(), datetime.now(UTC)
        target = path or self.loaded.data / BACKUPS / f"mahnbridge-{now:%Y%m%dT%H%M%SZ}.zip"
        if target.exists():
            raise UsageError("{path} exists; choose another name", path=target)
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _forget_broken_off(target.parent)
        with TemporaryDirectory(prefix=_PARTS, dir=target.parent) as folder:
            rows, part = Path(folder) / "rows", Path(folder) / target.name
            rows.mkdir()
            told = save(self.loaded.database_url, rows)
            chosen = [(one.name, one) for one in sorted(rows.iterdir())]
            chosen += list(self._beside()) if files else []
            facts = {"made_at": now.isoformat(), "since": since.isoformat(), "database": asdict(told)}
            write(part, chosen, {**facts, "left_out": self._left_out(files=files)})
            verify(part)
            part.rename(target)
        sync(target.parent)
        made = verify(target, deep=False)
        with self.store.begin() as conn:
            said = {"at": now.isoformat(), "sha256": made.sha256}
            self.store.settings.remember(conn, LAST_BACKUP, said, self.stamp())
            self.record(conn, "backup_made", data={**said, "files": made.files})
        return made

    def _beside(self) -> Iterator[tuple[str, Path]]:
        data = self.loaded.data
        heads = data / "audit-heads.txt"
        if heads.is_file():
            yield heads.name, heads
        for one in sorted((data / "archive").glob("??/*")):
            if one.is_file() and not one.name.startswith("."):
                yield one.relative_to(data).as_posix(), one

    def _left_out(self, *, files: bool) -> list[str]:
        places = [
            *self.loaded.files,
            *self.config.plans.files,
            self.loaded.data / "secret.key",
            self.loaded.data / "recordings",
        ]
        places += [] if files else [self.loaded.data / "archive"]
        outboxes = (getattr(one, "folder", None) for one in self.channels.values())
        return [str(one) for one in (*places, *filter(None, outboxes)) if Path(one).exists()]


def _forget_broken_off(folder: Path) -> None:
    for one in folder.glob(f"{_PARTS}*"):
        with suppress(FileNotFoundError):
            if time.time() - one.stat().st_mtime > _BROKEN_OFF:
                shutil.rmtree(one, ignore_errors=True)


def put_back(loaded: Loaded, path: Path, *, actor: str) -> PutBack:
    """Make the store of this installation from a backup; it begins with sending held. What was there before is moved aside.

    Raises `ConfigError` where the backup is damaged, newer, or of the other kind of database, `AlreadyRunning` while a service works
    on the database.
    """
    made = verify(path)
    kind = database_url(loaded.database_url).get_backend_name()
    if kind != made.database.kind:
        raise ConfigError(
            "the backup is of {theirs}, this installation uses {ours}",
            theirs=made.database.kind,
            ours=kind,
            cause="backup",
        )
    if not known(made.database.revision):
        raise ConfigError(
            "the backup has revision {revision}, which this program does not know; install the version {version} that made it",
            revision=made.database.revision, version=made.version, cause="database_newer",
        )  # fmt: skip
    who = "" if unfinished(loaded.data) else running(loaded.database_url)
    if who:
        raise AlreadyRunning("process {who} works on the database; stop the service first", who=who)
    loaded.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    for old in loaded.data.glob(f"{_EXTRACTED}*"):  # of a restore that was broken off
        shutil.rmtree(old, ignore_errors=True)
    with TemporaryDirectory(prefix=_EXTRACTED, dir=loaded.data) as folder, zipfile.ZipFile(path) as package:
        for name in manifest(package)["files"]:
            package.extract(name, folder)
        switch = _server if made.database.kind != "sqlite" else _file
        begun, aside = switch(loaded, Path(folder), made, actor)
        files = _files(Path(folder), loaded.data)
    end(loaded.data)
    return PutBack(made, files, aside, **begun)


def _server(loaded: Loaded, folder: Path, made: BackedUp, actor: str) -> tuple[dict[str, int], str]:
    """Fill the empty database of a server and hold it. Where that refuses at once, nothing has begun."""
    again = unfinished(loaded.data)
    begin(loaded.data, Path(made.path).resolve(), "")
    try:
        load(loaded.database_url, folder, made.database.revision)
    except ConfigError:
        if not again:
            end(loaded.data)
        raise
    return held(loaded.database_url, loaded, made.since, actor), ""


def _file(loaded: Loaded, folder: Path, made: BackedUp, actor: str) -> tuple[dict[str, int], str]:
    """Hold the restored database before anybody can open it under its own name."""
    copy, place = folder / DATABASE, Path(str(database_url(loaded.database_url).database))
    copy.chmod(0o600)
    begun = held(str(copy), loaded, made.since, actor)
    sync(copy)
    aside = f"{place}.before-restore.{datetime.now(UTC):%Y%m%dT%H%M%SZ}" if place.exists() else ""
    aside = begin(loaded.data, Path(made.path).resolve(), aside)
    put_aside(place, aside)
    place.parent.mkdir(parents=True, exist_ok=True)
    copy.replace(place)
    sync(place.parent)
    return begun, aside


def held(where: str, loaded: Loaded, since: datetime, actor: str) -> dict[str, int]:
    """Hold sending in a database that was put back by whatever means, and doubt what it believes. `since`: how old it is."""
    zone = ZoneInfo(loaded.config.schedule.time_zone)
    now = business_now(loaded.config)
    with Store.open(where) as store:
        with store.begin() as conn:
            stamp = Stamp(at=now, on=now.astimezone(zone).date(), actor=actor)
            begun = store.restored.begin(conn, since, stamp, now=store.now())
        if store.engine.dialect.name == "sqlite":
            with store.engine.connect() as conn:
                conn.exec_driver_sql("rollback")
                conn.exec_driver_sql("pragma wal_checkpoint(truncate)")
    return begun


def _files(folder: Path, data: Path) -> int:
    """Put the files back that are not there; what is there is newer, or the same."""
    count = 0
    for one in sorted(folder.rglob("*")):
        inside = one.relative_to(folder)
        target = data / inside
        if one.is_file() and inside.parts[0] in ("archive", "audit-heads.txt") and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            one.chmod(0o400 if inside.parts[0] == "archive" else 0o600)
            shutil.move(one, target)
            count += 1
    return count
