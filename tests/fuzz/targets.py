"""Every parser of foreign input, with what it is fed from and which errors it may answer with."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.fuzz import answers, entered, files, mailboxes, packages, page, providers, settings
from tests.fuzz.target import Target


@contextlib.contextmanager
def targets() -> Iterator[list[Target]]:
    """Yield every parser, ready to be fed."""
    shared = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(dir=shared) as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        yield [
            *files.targets(folder),
            *providers.targets(),
            *answers.targets(),
            *mailboxes.targets(),
            *settings.targets(folder),
            *packages.targets(folder),
            *page.targets(stack),
            *entered.targets(),
        ]
