"""The archive of files (Dateiablage): each file under its SHA-256, written once, read-only, checked whenever it is read."""

from hashlib import sha256
from pathlib import Path

from bridge import files
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
        files.replace(path, data, mode=0o400)
        return digest

    def read(self, digest: str) -> bytes:
        """Return the file with this SHA-256. Raises `FileDamaged` where it is missing or was changed."""
        path = self.path(digest)
        try:
            data = path.read_bytes()
        except OSError as error:
            raise FileDamaged(
                "{path}: {strerror}; the file that was kept cannot be read", path=path, strerror=error.strerror
            ) from error
        if sha256(data).hexdigest() != digest:
            raise FileDamaged(
                "{path}: the file is not the one that was kept; its SHA-256 differs from its name", path=path
            )
        return data

    def path(self, digest: str) -> Path:
        """Return where the file with this SHA-256 lies."""
        return self._folder / digest[:2] / digest[2:]
