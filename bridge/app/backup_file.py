"""One backup as a file: a ZIP with a manifest that names every file in it with its size and SHA-256."""

import errno
import hashlib
import json
import os
import zipfile
import zlib
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bridge import __version__
from bridge.errors import BridgeError, ConfigError
from bridge.store.engine import DatabaseFault
from bridge.store.snapshots import DATABASE, Snapshot, check, save

MANIFEST, FORMAT = "manifest.json", 1
_PIECE = 1 << 20
LARGEST_MANIFEST = 100_000_000
"""Bytes of a list of files; a backup of a million files has less."""

_NONE = (
    OSError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, LookupError, ValueError, TypeError, AttributeError,
)  # fmt: skip
"""What a file that is no backup, or a damaged one, ends in."""
_TORN = (None, errno.EINVAL)
"""Errors of a place that lies outside of the file, and of our own; any other one is the machine's, not the backup's."""

COPIES = 5
"""How many copies from before an upgrade are kept."""


@dataclass(frozen=True, slots=True)
class BackedUp:
    """One backup as its manifest tells it. `since` is the business instant of its snapshot; `left_out` are places to be kept elsewhere."""

    path: str
    sha256: str
    size: int
    made_at: datetime
    since: datetime
    version: str
    database: Snapshot
    files: int
    left_out: tuple[str, ...]


def verify(path: Path, *, deep: bool = True) -> BackedUp:
    """Read a backup as a whole and compare it with its hashes; `deep`: open the database in it too. Raises `ConfigError`.

    Where it lies nothing need be writable: backups are kept on disks that are read-only.
    """
    room = path.parent if os.access(path.parent, os.W_OK) else None
    try:
        with zipfile.ZipFile(path) as package:
            facts = manifest(package)
            for name, (size, digest) in facts["files"].items():
                if _digest(package, name) != (size, digest):
                    raise ConfigError("{path}: {name} is not what was backed up", path=path, name=name, cause="backup")
            if deep and facts["database"]["kind"] == "sqlite":
                with TemporaryDirectory(prefix=".backup-", dir=room) as folder:
                    package.extract(DATABASE, folder)
                    if asdict(check(Path(folder), "sqlite")) != facts["database"]:
                        raise ConfigError(
                            "{path}: {name} is not what was backed up", path=path, name=DATABASE, cause="backup"
                        )
            return _told(path, facts)
    except BridgeError:
        raise
    except _NONE as error:
        if isinstance(error, OSError) and error.errno not in _TORN:
            raise ConfigError(
                "{path}: cannot be read: {strerror}", path=path, strerror=error.strerror, cause="backup"
            ) from error
        raise ConfigError("{path} is no whole backup: {error}", path=path, error=error, cause="backup") from error


def write(path: Path, chosen: list[tuple[str, Path]], facts: dict[str, Any]) -> None:
    """Write a new backup of the `chosen` files by their names in it; `facts` go into its manifest. Raises `OSError`."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    files: dict[str, tuple[int, str]] = {}
    with os.fdopen(handle, "wb") as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as package:
            for name, source in chosen:
                digest, size = hashlib.sha256(), 0
                with source.open("rb") as read, package.open(name, "w", force_zip64=True) as entry:
                    while piece := read.read(_PIECE):
                        entry.write(piece)
                        digest.update(piece)
                        size += len(piece)
                files[name] = size, digest.hexdigest()
            whole = {"format": FORMAT, "version": __version__, **facts, "files": files}
            package.writestr(MANIFEST, json.dumps(whole, indent=1, ensure_ascii=False))
        file.flush()
        os.fsync(file.fileno())


def copy_before_upgrade(where: str, folder: Path, since: datetime, revision: str) -> Path:
    """Write the rows of a PostgreSQL database as a backup into `folder` before its tables change; keep the newest five such files.

    Raises `ConfigError` where that is impossible: there is no upgrade without its copy.
    """
    now = datetime.now(UTC)
    path = folder / f"before-upgrade-of-{revision}.{now:%Y%m%dT%H%M%S%fZ}.zip"
    facts = {"made_at": now.isoformat(), "since": since.isoformat(), "left_out": []}
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with TemporaryDirectory(prefix=".backup-", dir=folder) as inside:
            rows, part = Path(inside) / "rows", Path(inside) / path.name
            rows.mkdir()
            told = save(where, rows)
            write(part, [(one.name, one) for one in sorted(rows.iterdir())], {**facts, "database": asdict(told)})
            verify(part)
            part.rename(path)
    except (OSError, DatabaseFault) as error:
        raise ConfigError(
            "the database was not upgraded: its copy {copy} cannot be written: {error}",
            copy=path,
            error=error,
            cause="database",
        ) from error
    copies = sorted(folder.glob("before-upgrade-of-*.zip"), key=lambda one: one.name.split(".")[-2])
    for old in copies[:-COPIES]:
        old.unlink()
    return path


def manifest(package: zipfile.ZipFile) -> dict[str, Any]:
    """Return what a backup says of itself. Raises `KeyError`, `ValueError` where it is none."""
    if package.getinfo(MANIFEST).file_size > LARGEST_MANIFEST:
        raise ValueError("its list of files is too long")
    facts: dict[str, Any] = json.loads(package.read(MANIFEST), parse_constant=_no_number, parse_float=_no_number)
    if facts["format"] != FORMAT:
        raise ValueError(f"format {facts['format']}")
    facts["files"] = {name: (int(size), str(digest)) for name, (size, digest) in facts["files"].items()}
    if set(package.namelist()) != {*facts["files"], MANIFEST} or any(".." in Path(one).parts for one in facts["files"]):
        raise ValueError("its list of files does not fit")
    return facts


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number of bytes")


def _digest(package: zipfile.ZipFile, name: str) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with package.open(name) as entry:
        while piece := entry.read(_PIECE):
            digest.update(piece)
            size += len(piece)
    return size, digest.hexdigest()


def _told(path: Path, facts: dict[str, Any]) -> BackedUp:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return BackedUp(
        str(path), digest.hexdigest(), path.stat().st_size, datetime.fromisoformat(facts["made_at"]),
        datetime.fromisoformat(facts["since"]), facts["version"], Snapshot(**facts["database"]), len(facts["files"]),
        tuple(facts["left_out"]),
    )  # fmt: skip
