"""The switch from the store that was to a restored one: noted beforehand, so that one that was broken off is never taken for a store."""

import json
from pathlib import Path

from bridge.errors import ConfigError
from bridge.files import replace, sync

UNFINISHED = "restore.unfinished"
"""A file of the data folder, there while the store is being switched: which backup, and where the database before it goes."""


def refuse_unfinished(data: Path) -> None:
    """Raise `ConfigError` where a restore into this data folder was broken off: what lies there may be half of it."""
    found = _noted(data)
    if found is not None:
        raise ConfigError(
            "a restore was broken off, the database may be half of it; repeat `mahnbridge restore load {backup}` (PostgreSQL: into an empty database)",
            backup=found["backup"],
            cause="restore_unfinished",
        )


def unfinished(data: Path) -> bool:
    """Return whether a restore into this data folder was broken off."""
    return _noted(data) is not None


def begin(data: Path, backup: Path, aside: str) -> str:
    """Note that the switch begins; return where the database before it goes, which is `aside` unless an earlier try said otherwise."""
    before = _noted(data)
    chosen = aside if before is None else before["aside"]
    text = json.dumps({"backup": str(backup), "aside": chosen}, ensure_ascii=False)
    replace(data / UNFINISHED, text.encode(), mode=0o600)
    return chosen


def end(data: Path) -> None:
    """Note that the store is whole."""
    (data / UNFINISHED).unlink(missing_ok=True)
    sync(data)


def put_aside(place: Path, aside: str) -> None:
    """Move the database away with all that belongs to it; what lies there although it was moved already is half a restore and goes."""
    moved = not aside or Path(aside).exists()  # the database itself is moved last
    for ending in ("-wal", "-shm", ""):
        one = Path(f"{place}{ending}")
        if moved:
            one.unlink(missing_ok=True)
        elif one.exists():
            one.replace(f"{aside}{ending}")
    if place.parent.is_dir():
        sync(place.parent)


def _noted(data: Path) -> dict[str, str] | None:
    try:
        text = (data / UNFINISHED).read_text("utf-8")
    except FileNotFoundError:
        return None
    found: dict[str, str] = json.loads(text)
    return found
