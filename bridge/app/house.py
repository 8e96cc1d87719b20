"""The state of the house for metrics and diagnosis: room on the disk, sizes, clocks, the last backup."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from bridge.app.sending import MEGABYTE, Sending
from bridge.metrics import seconds
from bridge.words import Sentence

Readings = dict[str, dict[tuple[str, ...], float]]

SKEW_SECONDS = 120
"""Clock differences beyond this are warned of: settling and deadlines rely on the two clocks."""

LAST_BACKUP = "last_backup"
"""The setting that says when the last backup was made, and which."""


def house_readings(bridge: Sending) -> Readings:
    """Return the gauges of the house, by metric and labels."""
    with bridge.store.reading() as conn:
        kept, held = bridge.store.files.size(conn), bridge.store.restored.hold(conn)
    skews = {name: port.http.clock_skew for name, port in bridge.accounts.items()}
    made = last_backup(bridge)
    sizes = {"files": kept, "recordings": _size(bridge.loaded.data / "recordings")}
    if bridge.store.engine.dialect.name == "sqlite":
        sizes["database"] = _size(bridge.loaded.data, "mahnbridge.db*")
    return {
        "mahnbridge_account_clock_skew_seconds": {
            (name,): skew.total_seconds() for name, skew in skews.items() if skew is not None
        },
        "mahnbridge_disk_free_bytes": {(): float(bridge.room())},
        "mahnbridge_disk_hold_bytes": {(): float(bridge.config.disk.hold_megabytes * MEGABYTE)},
        "mahnbridge_stored_bytes": {(what,): float(size) for what, size in sizes.items()},
        "mahnbridge_backup_timestamp_seconds": {(): seconds(made)} if made else {},
        "mahnbridge_restored": {(): float(held is not None)},
    }


def signs(bridge: Sending) -> Iterator[tuple[str, str, Sentence]]:
    """Yield what is watched while the service runs: its name, the cause where it is not well (else empty), and why."""
    free, disk = bridge.room() // MEGABYTE, bridge.config.disk
    cause = "disk_full" if free < disk.hold_megabytes else "disk_low" if free < disk.warn_megabytes else ""
    yield "disk", cause, Sentence("{free} MB are free", free=free)
    for name, port in bridge.accounts.items():
        skew = port.http.clock_skew
        apart = 0 if skew is None or bridge.config.clock is not None else round(abs(skew.total_seconds()))
        yield (
            f"clock:{name}",
            "clock_skew" if apart > SKEW_SECONDS else "",
            Sentence("{seconds} s apart", seconds=apart),
        )


def last_backup(bridge: Sending) -> datetime | None:
    """Return when the last backup was made here, None where none ever was."""
    with bridge.store.reading() as conn:
        said = bridge.store.settings.get(conn, LAST_BACKUP)
    return datetime.fromisoformat(said["at"]) if said else None


def _size(folder: Path, pattern: str = "*") -> int:
    total = 0
    for one in folder.glob(pattern):
        try:
            total += one.stat().st_size
        except OSError:  # it went meanwhile
            continue
    return total
