"""What lies in files between two machines, or between yesterday and today: bundles, recordings, evidence, backups, the letter outbox."""

import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from bridge.app import offline
from bridge.app.backup_file import MANIFEST, verify
from bridge.app.evidence import SUMS, EvidencePackages
from bridge.app.offline import replay_bundle
from bridge.channels.letter_outbox import LetterOutbox, LetterSettings
from bridge.contract import Channel
from bridge.errors import BridgeError
from bridge.http import FileRecorder
from bridge.http.player import Player
from bridge.replay.bundle import Bundle, Packed, Recorded, pseudonymised, structure
from bridge.replay.pseudonyms import Pseudonyms
from bridge.store import Store
from bridge.store.snapshots import DATABASE, Snapshot, check
from bridge.testing.kit import Kit
from tests.contract.sevdesk.test_conformance import SevDeskKit
from tests.fuzz.files import zipped
from tests.fuzz.mutate import mutated, mutated_json
from tests.fuzz.target import Parse, Target

NOW = datetime(2026, 11, 16, 8, tzinfo=UTC)

_FACTS: dict[str, Any] = {
    "run": 1, "kind": "pull", "account": "main", "connector": "sevdesk", "state": "failed", "cause": "http_503", "business_date": "2026-09-01",
    "clock": "2026-09-01T08:00:00Z", "cursor": {"page": 1}, "http": {"base_url": "https://x.invalid"}, "counts": {}, "steps": [[1, "parked", "x"]],
    "open": [["1", "RE-1"], ["2", None]], "settings": {"page_size": 5}, "versions": {"mahnbridge": "1"}, "rejects": [{"kind": "invoice", "field": "x"}],
}  # fmt: skip
_LINE = {
    "method": "GET", "url": "/Tag?limit=1", "at": "2026-09-01T08:00:00+00:00", "seconds": 0.1, "status": 200, "headers": {"Location": "/y", "Date": "x"}, "request_body": "",
    "body": '{"objects": [{"name": "Anna Muster"}]}', "error": None, "sent": True, "step": None,
}  # fmt: skip


def _bundle(path: Path) -> Parse:
    """Read a bundle and pack it again."""
    whole = zipped(("bundle.json", json.dumps(_FACTS).encode()), ("exchanges.jsonl", json.dumps(_LINE).encode()))

    def parse(random: Random) -> None:
        data = mutated(random, [whole])
        if random.random() < 0.7:
            inside = mutated_json(random, json.dumps(_FACTS)).encode("utf-8", "replace")
            said = mutated_json(random, json.dumps(_LINE)).encode("utf-8", "replace")
            data = zipped(("bundle.json", inside), ("exchanges.jsonl", said))
        path.write_bytes(data)
        packed = Packed.read(path)
        assert Player(packed.exchanges, "https://x.invalid").asked == 0
        packed.pack()

    return parse


def _replayed(folder: Path) -> Parse:
    """Run a bundle again whose facts, exchanges or notes were changed; the store that it needs is copied, not made."""
    folder.mkdir()
    made = folder / "made.db"
    Store.open(made).close()
    exchanges = [one | {"step": 1} for one in _exchanges(SevDeskKit)]
    notes = [{"note": "look", "step": 1, "refs": [{"id": "1", "number": "RE-1"}]}]
    path, opened = folder / "b.zip", Store.open

    def copied(where: str) -> Store:
        Path(where.removeprefix("sqlite:///")).write_bytes(made.read_bytes())
        return opened(where)

    def parse(random: Random) -> None:
        facts = _FACTS | {"kind": random.choice(("pull", "pull", "deliver")), "cursor": None}
        what = random.randrange(3)
        told = mutated_json(random, json.dumps(facts)) if what == 0 else json.dumps(facts)
        lines = [json.dumps(one) for one in (*exchanges, *notes)]
        at = random.randrange(len(lines)) if what == 1 else len(lines) - 1
        lines[at] = mutated_json(random, lines[at]) if what else lines[at]
        path.write_bytes(
            zipped(
                ("bundle.json", told.encode("utf-8", "replace")),
                ("exchanges.jsonl", "\n".join(lines).encode("utf-8", "replace")),
            )
        )
        with patch.object(offline.Store, "open", copied):
            replay_bundle(path)

    return parse


def _exchanges(kit: type[Kit]) -> list[dict[str, Any]]:
    from tests.fuzz.providers import recorded_pull  # noqa: PLC0415  only here

    return [{name: one[name] for name in _LINE} for one in recorded_pull(kit)]


def _recording(folder: Path) -> Parse:
    """Make a bundle of a recording that lay on the disk."""
    facts = {
        "run": 1,
        "whole": True,
        "account": "main",
        "kind": "pull",
        "clock": "2026-09-01T08:00:00+00:00",
        "cursor": {"page": 1},
        "version": "1",
        "mapping": "x",
    }
    note = {"note": "look", "step": 1, "refs": [{"id": "1", "number": "RE-1"}]}
    lines = [json.dumps(one) for one in (facts, _LINE, note)]
    recorder = FileRecorder(folder)
    folder.mkdir()

    def parse(random: Random) -> None:
        at = random.randrange(len(lines))
        changed = [mutated_json(random, one) if number == at else one for number, one in enumerate(lines)]
        (folder / "run-1.jsonl").write_bytes("\n".join(changed).encode("utf-8", "surrogatepass"))
        read = recorder.read(1)
        names = Pseudonyms({"sevdesk"}, key=b"k")
        said = pseudonymised(read[1:], names)
        told = Recorded.of(read[0] if read else {})
        bundle = Bundle(
            **{
                **_FACTS,
                "rejects": (),
                "clock": told.clock,
                "whole": told.whole,
                "cursor": structure(told.cursor, names),
            }
        )
        Packed(bundle=bundle, lines=tuple(said)).pack()

    return parse


def _evidence(path: Path) -> Parse:
    """Check a package of evidence."""
    files = [("case.json", b"{}"), ("files/a.pdf", b"%PDF-1.7"), ("timeline.txt", b"x\n")]
    sums = "".join(f"{sha256(data).hexdigest()}  {name}\n" for name, data in files).encode()
    noted = SimpleNamespace(noted=lambda *_: True)
    checker: Any = SimpleNamespace(store=SimpleNamespace(reading=_nothing, overview=noted))

    def parse(random: Random) -> None:
        members = [(SUMS, mutated(random, [sums]) if random.random() < 0.4 else sums), *files]
        data = zipped(*members)
        path.write_bytes(mutated(random, [data]) if random.random() < 0.7 else data)
        EvidencePackages.verify_package(checker, path)

    return parse


@contextmanager
def _nothing() -> Iterator[None]:
    yield None


def _backup(folder: Path) -> Parse:
    """Check a backup: its ZIP, its list, and the database in it."""
    folder.mkdir()
    Store.open(folder / DATABASE).close()
    held = check(folder, "sqlite")
    database = (folder / DATABASE).read_bytes()
    path = folder / "b.zip"

    def packed(listing: str | None, data: bytes) -> bytes:
        files = {DATABASE: [len(data), sha256(data).hexdigest()], "audit-heads.txt": [2, sha256(b"x\n").hexdigest()]}
        facts = {
            "format": 1,
            "version": "1",
            "made_at": NOW.isoformat(),
            "since": NOW.isoformat(),
            "left_out": [],
            "database": vars_of(held),
            "files": files,
        }
        return zipped(
            (DATABASE, data),
            ("audit-heads.txt", b"x\n"),
            (MANIFEST, (listing or json.dumps(facts)).encode("utf-8", "replace")),
        )

    whole = packed(None, database)
    with zipfile.ZipFile(_written(path, whole)) as package:
        listing = package.read(MANIFEST).decode()

    def parse(random: Random) -> None:
        what = random.random()
        if what < 0.6:
            data = packed(mutated_json(random, listing), database[:100])
        elif what < 0.98:
            data = _struck(random, whole)
        else:
            data = packed(None, _struck(random, database))
        verify(_written(path, data))

    return parse


def _struck(random: Random, data: bytes) -> bytes:
    """Return `data` with a few bytes changed, or its end or a piece missing; it is too long for more."""
    changed = bytearray(data)
    for _ in range(random.choice((1, 2, 5))):
        changed[random.randrange(len(changed))] = random.randrange(256)
    tail = len(changed) - random.randrange(600)
    if random.random() < 0.5:
        changed[tail:] = mutated(random, [bytes(changed[tail:]) or b"x"])
    return bytes(changed)


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def vars_of(held: Snapshot) -> dict[str, Any]:
    """Return what a manifest says of a database."""
    return {"kind": held.kind, "revision": held.revision, "rows": held.rows, "head": held.head}


_BESIDE = {
    "key": "main/1/1/1",
    "marker": "mb:0123456789ab",
    "posted_at": "2026-11-16T08:00:00+00:00",
    "deadline": "2026-12-01",
    "covers": ["0123456789abcdef/1/1/0"],
}


def _outbox(folder: Path) -> Parse:
    """Look into a letter outbox in which people and print services have been."""
    outbox: Channel = LetterOutbox(LetterSettings(folder=folder), clock=lambda: NOW)
    assert isinstance(outbox, LetterOutbox)
    outbox.posted_folder.mkdir(parents=True)
    marker = str(_BESIDE["marker"])
    stem = f"{date(2026, 11, 16)}_mb-0123456789ab_mahnung"

    def parse(random: Random) -> None:
        where = random.choice((outbox.folder, outbox.posted_folder))
        letter, beside = where / f"{stem}.pdf", where / f"{stem}.json"
        letter.write_bytes(b"%PDF-1.7")
        beside.write_text(mutated_json(random, json.dumps(_BESIDE)), "utf-8", "surrogatepass")
        calls: list[Callable[[], object]] = [
            lambda: outbox.posted_at(marker),
            lambda: outbox.sent(datetime(2026, 11, 1, tzinfo=UTC)),
            lambda: outbox.mark_posted(marker),
            lambda: outbox.take_back(marker),
        ]
        try:
            for call in random.sample(calls, len(calls)):
                with _typed():
                    call()
        finally:
            for path in outbox.folder.rglob("*_*"):
                path.unlink()

    return parse


@contextmanager
def _typed() -> Iterator[None]:
    with suppress(BridgeError):
        yield


def targets(folder: Path) -> Iterator[Target]:
    """Yield the parsers of packages."""
    yield Target("bundle", 25, _bundle(folder / "b.zip"))
    yield Target("replayed", 2, _replayed(folder / "replayed"))
    yield Target("recording", 25, _recording(folder / "recordings"))
    yield Target("evidence", 25, _evidence(folder / "e.zip"))
    yield Target("backup", 8, _backup(folder / "backup"))
    yield Target("letter_outbox", 20, _outbox(folder / "letters"))
