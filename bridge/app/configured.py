"""The configuration as the journal sees it: which keys changed since the last dunning run, from what to what, without secrets."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection

from bridge.config import Config
from bridge.http.redact import KNOWN
from bridge.store import Store
from bridge.store.cases import Stamp

CONFIGURATION = "configuration"
"""The setting that holds what was configured at the last run, and the name of its changes in the journal."""

_NO_SETTINGS = {"clock", "language", "log", "monitor"}
"""What decides nothing that goes out, and may be another one for a service and for commands by hand."""


def flat(config: Config) -> dict[str, Any]:
    """Return every key, such as `dunning.cutoff`, with its JSON value; lists are one value, secrets are masked."""
    return dict(_keys("", KNOWN.value(config.model_dump(mode="json", serialize_as_any=True, exclude=_NO_SETTINGS))))


def _keys(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _keys(f"{path}.{name}" if path else str(name), inner)
    else:
        yield path, value


def note_changes(store: Store, conn: Connection, config: Config, stamp: Stamp) -> None:
    """Write one event with the keys that are others than at the last run, and keep the rest for the next; the first run has none to compare."""
    now, before = flat(config), store.settings.get(conn, CONFIGURATION)
    if now == before:
        return
    store.settings.remember(conn, CONFIGURATION, now, stamp)
    if before is None:
        return
    other = sorted(name for name in {*now, *before} if now.get(name) != before.get(name))
    data = {
        "name": CONFIGURATION,
        "before": {name: before.get(name) for name in other},
        "value": {name: now.get(name) for name in other},
    }
    store.journal.note(conn, "setting_changed", stamp, data=data)
