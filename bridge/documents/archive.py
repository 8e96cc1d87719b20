"""The archive of files (Dateiablage): each file under its SHA-256, written once, read-only, checked whenever it is read."""

import os
from hashlib import sha256
from pathlib import Path

from bridge.errors import BridgeError


class FileDamaged(BridgeError):
    """A kept file is missing, or is not what was kept."""

    cause = "file_damaged"


class FileArchive:
    """Files by content in `folder`; the same content is kept once. Several processes may keep side by side."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, data: bytes) -> str:
        """Keep `data` so that it survives a power cut; return its SHA-256 (hex). Raises `OSError` where the disk refuses."""
        digest = sha256(data).hexdigest()
        path = self.path(digest)
        if path.exists():
            return digest
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = path.with_name(f".{path.name}.{os.getpid()}.{id(data):x}.part")
        try:
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
        _sync(path.parent)
        return digest

    def read(self, digest: str) -> bytes:
        """Return the file with this SHA-256. Raises `FileDamaged` where it is missing or was changed."""
        path = self.path(digest)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise FileDamaged(f"{path}: {error.strerror}; the file that was kept cannot be read") from error
        if sha256(data).hexdigest() != digest:
            raise FileDamaged(f"{path}: the file is not the one that was kept; its SHA-256 differs from its name")
        return data

    def path(self, digest: str) -> Path:
        """Return where the file with this SHA-256 lies."""
        return self._folder / digest[:2] / digest[2:]


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
