"""Support bundles of this installation: gathered, pseudonymised, written."""

import ast
import hashlib
import inspect
import json
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection

from bridge import __version__
from bridge.app.filing import write_new
from bridge.app.opening import Opened
from bridge.contract import Connector, Reject
from bridge.errors import UsageError
from bridge.http import FileRecorder
from bridge.replay.bundle import (
    LACKS,
    Bundle,
    Lack,
    Misfit,
    Packed,
    Recorded,
    pseudonymised,
    structure,
    told,
    without_secrets,
)
from bridge.replay.filed import file_name, fold, is_cut, learn_file, pseudonymised_file
from bridge.replay.pseudonyms import Pseudonyms
from bridge.store.migrations import revision_of
from bridge.store.runs import Run
from bridge.words import Sentence

PACKAGES = ("pydantic", "SQLAlchemy", "requests", "urllib3", "ruamel.yaml")
_ROOMS = ("bridge.model", "bridge.mapping", "bridge.http.reply", "bridge.words.model")
_SAID_BY_SERVERS = """
    accepted access account action address again allowed authentication available blocked command connection data deferred delivery denied
    disabled domain does error exceeded exist expired failed greylisted host inactive invalid later limit local login mailbox message not
    ok over permission policy problem queued quota rate recipient refused rejected relay resources server service spam storage system
    get post put patch delete temporarily temporary timeout too try unavailable unknown unreachable user
"""
"""What mail servers and gateways answer in: nobody's name, and what support needs to read."""
_NOT_ITS_WORDS = (".german", ".sandbox")


@dataclass(frozen=True, slots=True)
class Made:
    """A bundle that was written: where, how many exchanges and files it holds, how many words were replaced, its SHA-256, what it lacks."""

    path: str
    run: int
    exchanges: int
    files: int
    replaced: int
    whole: bool
    sha256: str
    lacks: tuple[Sentence, ...] = ()


@dataclass(frozen=True, slots=True)
class Trace:
    """One run of any kind (`pull`, `dun`, `deliver`): when (technical clock), by whom, how it ended, what it counted.

    `steps` of a delivery are those it tried: id, outcome, cause. `recorded` tells whether its exchanges are kept.
    """

    run: int
    kind: str
    account: str | None
    actor: str
    started_at: datetime
    ended_at: datetime | None
    state: str
    cause: str | None
    error: Sentence | None
    counts: dict[str, Any]
    steps: tuple[tuple[int, str, str], ...]
    recorded: bool


class Bundling(Opened):
    """What makes support bundles, and shows what there is to make them of."""

    def traces(self, *, failed: bool = False, limit: int = 50) -> tuple[Trace, ...]:
        """Return the newest runs of every kind, or those alone that failed or wait."""
        with self.store.reading() as conn:
            found = self.store.runs.listing(conn, states=("failed", "waiting") if failed else (), limit=limit)
        return tuple(self._trace(one) for one in found)

    def trace(self, run: int) -> Trace:
        """Return one run of any kind. Raises `UsageError` where there is none."""
        with self.store.reading() as conn:
            return self._trace(self.store.runs.get(conn, run))

    def _trace(self, one: Run) -> Trace:
        counts = dict(one.counts)
        steps = tuple((int(number), str(outcome), str(cause)) for number, outcome, cause in counts.pop("steps", ()))
        kept = self.recorded(one.id)
        return Trace(
            one.id, one.kind, one.account, one.actor, one.started_at, one.ended_at, one.state, one.cause, one.error, counts, steps, kept
        )  # fmt: skip

    def bundle(self, run: int, path: Path) -> Made:
        """Write the support bundle of a run. Raises `UsageError` where there is no such run, or `path` exists."""
        with self.store.reading() as conn:
            found = self.store.runs.get(conn, run)
            name = found.account or next(iter(self.accounts), "")
            if name not in self.accounts:
                raise UsageError("account {account!r} is no longer configured", account=name)
            names = Pseudonyms({*program_words(self.port(name).connector), *_SAID_BY_SERVERS.split(), name})
            recorder = self.port(name).http.recorder
            lines = recorder.read(run) if isinstance(recorder, FileRecorder) else []
            rejects = list(self._rejects(conn, found)) if found.kind == "pull" else []
            read, files = files_of(lines[1:], self.port(name).connector, names, rejects)
            said = pseudonymised([one for one in lines[1:] if one.get("note") not in FILES], names)
            bundle = self._bundle(conn, found, name, Recorded.of(lines[0] if lines else {}), names)
        bundle = bundle.model_copy(
            update={"whole": bundle.whole and None not in files.values(), "rejects": misfits(rejects)}
        )
        if read:  # what is known already stands in files that are not in it
            bundle = bundle.model_copy(update={"open": (), "cursor": None, "lacks": tuple(_lacks(bundle, read))})
        kept = {entry: data for entry, data in files.items() if data is not None}
        packed = Packed(bundle=bundle, lines=(*read, *said), mapping=self._own_mapping(name), files=kept)
        data = packed.pack()
        write_new(path, data)
        digest = hashlib.sha256(data).hexdigest()
        with self.store.begin() as conn:
            self.record(conn, "bundle_made", account=name, run_id=run, data={"sha256": digest})
        lacks = tuple(LACKS[one] for one in bundle.lacks)
        return Made(str(path), run, len(packed.exchanges), len(read), names.count, bundle.whole, digest, lacks)

    def _bundle(self, conn: Connection, run: Run, name: str, facts: Recorded, names: Pseudonyms) -> Bundle:
        port, config = self.port(name), self.config.accounts[name]
        counts = dict(run.counts)
        steps = counts.pop("steps", ())
        waits = run.kind == "pull"
        http = config.http.model_dump(mode="json") if config.http else {}
        return Bundle(
            run=run.id,
            kind=run.kind,
            account=name,
            connector=port.connector.name,
            state=run.state,
            cause=run.cause,
            error=told(run.error, names).to_store(),
            business_date=run.business_date.isoformat(),
            counts=structure(counts, names),
            steps=steps,
            clock=facts.clock,
            cursor=structure(facts.cursor, names),
            whole=facts.whole,
            open=tuple(
                (ref.id, ref.number and names.value(ref.number))
                for ref in (self.store.mirror.listing.open(conn, name) if waits else ())
            ),
            versions={
                "mahnbridge": facts.version or __version__,
                "python": platform.python_version(),
                "system": sys.platform,
                "database": conn.dialect.name,
                "schema": revision_of(conn) or "",
                **{package: version(package) for package in PACKAGES},
            },
            mapping=facts.mapping or port.connector.mapping.digest,
            settings=without_secrets(config.settings.model_dump(mode="json")),
            http=without_secrets(http) | {"base_url": f"https://provider.invalid{_path(http.get('base_url', ''))}"},
        )

    def _rejects(self, conn: Connection, run: Run) -> Iterator[Reject]:
        for one in self.store.mirror.rejects.list(conn, run.account):
            if one.last_seen >= run.started_at and (run.ended_at is None or one.last_seen <= run.ended_at):
                yield one.reject

    def _own_mapping(self, account: str) -> str:
        name, folder = self.port(account).connector.name, self.config.mappings
        own = folder and (self.loaded.folder / folder / f"{name}.yaml")
        return own.read_text("utf-8") if own and own.is_file() else ""


def _path(url: str) -> str:
    return urlsplit(url).path.rstrip("/")


def misfits(rejects: Iterable[Reject]) -> tuple[Misfit, ...]:
    """Return what was set aside by kind, field and rule."""
    return tuple(Misfit(kind=one.kind, field=one.field, reason=one.reason.template) for one in rejects)


def _lacks(bundle: Bundle, read: Iterable[Mapping[str, Any]]) -> Iterator[Lack]:
    if bundle.cursor:
        yield "history"
    if any(one["cut"] for one in read):
        yield "rows"


FILES = ("file", "table")
"""Notes of a recording that name a file."""


def files_of(
    lines: Sequence[dict[str, Any]], connector: Connector, names: Pseudonyms, rejects: Iterable[Reject]
) -> tuple[list[dict[str, Any]], dict[str, bytes | None]]:
    """Return a note of each file that was read, and the files by their names in the bundle; None stands for one that cannot be in it."""
    headings = {fold(word) for word in program_words(connector)} - {""}
    noted = [one for one in lines if one.get("note") in FILES and _names_a_file(one)]
    read = {f"files/{number:03}": one for number, one in enumerate(one for one in noted if one["note"] == "file")}
    found = {entry: _lying(one) for entry, one in read.items()}
    for content in filter(None, found.values()):
        learn_file(content, names, headings)
    aside = [one.source.rpartition(":") for one in rejects]
    files: dict[str, bytes | None] = {}
    for entry, data in found.items():
        wrong = [int(line) for name, _, line in aside if name == read[entry]["name"] and line.isdecimal()]
        files[entry] = pseudonymised_file(data, names, headings, wrong) if data is not None else None
    files |= {f"tables/{one['name']}": _lying(one) for one in noted if one["note"] == "table"}
    told = [
        {
            "note": "file",
            "entry": entry,
            "name": file_name(one["name"], names),
            "as_of": one["as_of"],
            "cut": is_cut(found[entry]),
        }
        for entry, one in read.items()
    ]
    return told, files


def _names_a_file(one: dict[str, Any]) -> bool:
    """Return whether a line of a recording was not damaged on the disk."""
    texts = all(isinstance(one.get(name), str) for name in ("name", "sha256", "as_of"))
    return texts and isinstance(one.get("places"), list)


def _lying(one: dict[str, Any]) -> bytes | None:
    """Return the bytes of a file that a recording names, where they are still there."""
    for place in one["places"]:
        with suppress(OSError):
            data = Path(str(place)).read_bytes()
            if not one["sha256"] or hashlib.sha256(data).hexdigest() == one["sha256"]:
                return data
    return None


def program_words(connector: Connector) -> Iterator[str]:
    """Yield the words by which the program decides: literals of the connector and of the model, its mapping, its settings."""
    package = type(connector).__module__.rpartition(".")[0]
    for name in sorted(sys.modules):
        its = name == package or name.startswith(f"{package}.") or name.startswith(_ROOMS)
        if its and not any(part in name for part in _NOT_ITS_WORDS):
            yield from _literals(name)
    yield from connector.words
    yield from _path(connector.http.base_url).split("/")
    yield from _texts(json.loads(connector.settings.model_dump_json()))


def _literals(module: str) -> Iterator[str]:
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except (OSError, TypeError, SyntaxError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
            yield from node.value.strip("/").split("/")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
