"""Files put in place in one step, so that they survive a crash and a power cut."""

import os
import threading
from pathlib import Path


def replace(path: Path, data: bytes, *, mode: int = 0o666) -> None:
    """Put `data` at `path` in one step that survives a power cut. Raises `OSError`; what was there before is untouched then.

    Several threads and processes may put the same file side by side; the last one stays.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}.part")
    try:
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    sync(path.parent)


def sync(path: Path) -> None:
    """Make the names in a folder, or the bytes of a file, survive a power cut. Raises `OSError`."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
