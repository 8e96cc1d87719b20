"""Audit (Prüfpfad): the journal sealed, checked, exported, and emptied of personal data after its retention."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import structlog

from bridge.app.filing import write_new
from bridge.app.opening import Opened
from bridge.app.results import Done
from bridge.errors import UsageError
from bridge.store.engine import DatabaseFault
from bridge.store.trail import ERASED, Head, first_kept

log = structlog.get_logger("bridge.app")


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that is wrong with the trail, and the `number` of the event, link or decision it is about.

    `what`: changed, missing, erased of an event; link, cut of the chain; decision (changed), undecided (removed) and foreign (put in)
    of a stored decision.
    """

    what: str
    number: int
    kind: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Audited:
    """What the check of the trail found. `head` is the newest link, to be noted outside; `waiting` events are not sealed yet.

    `noted` links outside were compared. `restores` are events after which some of them no longer fit, rightly.
    """

    sealed: int
    head: str
    waiting: int
    flaws: tuple[Flaw, ...]
    restores: tuple[Flaw, ...]
    noted: int


class Auditing(Opened):
    """The audit trail."""

    def seal(self) -> Head:
        """Seal what the journal has gained, and note the newest link beside the database, where a change of that does not reach."""
        with self.store.reading() as conn:
            before = self.store.trail.head(conn)
            if self.store.trail.complete(conn):
                return before
        with self.store.begin() as conn:
            head = self.store.trail.extend(conn)
        self._note(head)
        return head

    def close(self) -> None:
        """Seal what this process added, then close everything."""
        try:
            self.seal()
        except (DatabaseFault, OSError) as error:  # the next process seals it
            log.warning("not_sealed", error=type(error).__name__)
        finally:
            super().close()

    def audit(self, head: str | None = None) -> Audited:
        """Check every event against its digest, every digest against the chain, and the chain against the links noted outside.

        `head` is a link that somebody noted elsewhere, `NUMBER:HASH`, beside all those of the data folder. Raises `UsageError`
        where it is not of that form.
        """
        noted = {*self._noted(), *([_head(head)] if head else ())}
        self.seal()
        with self.store.reading() as conn:
            found = [Flaw(one.what, one.number, one.kind, one.at) for one in self.store.trail.check(conn, noted)]
            newest = self.store.trail.head(conn)
            waiting = self.store.trail.waiting(conn)
        flaws = tuple(one for one in found if one.what != "restored")
        restores = tuple(one for one in found if one.what == "restored")
        return Audited(newest.seq, f"{newest.seq}:{newest.chain}", waiting, flaws, restores, len(noted))

    def export_trail(self, path: Path) -> Done:
        """Write the whole trail as JSON lines, one event with its link each, those about decisions with these; note that in the journal.

        What a line says and how it is checked without this program stands in `docs/operations.md`. Raises `UsageError` where `path` exists.
        """
        self.seal()
        digest = hashlib.sha256()
        with self.store.reading() as conn:
            head = self.store.trail.head(conn)
            write_new(path, _told(self.store.trail.lines(conn), digest.update))
        with self.store.begin() as conn:
            data = {"count": head.seq, "head": f"{head.seq}:{head.chain}", "sha256": digest.hexdigest()}
            self.record(conn, "trail_exported", data=data)
        return Done("trail_exported", str(path), self.actor, count=head.seq)

    def erase_data(self, before: date) -> Done:
        """Erase the data of events before a day, once their retention is over; who, when and what stays, and the chain holds.

        Raises `UsageError` where events of that time must still be kept.
        """
        kept = first_kept(self.today())
        if before > kept:
            raise UsageError("{before}: events from {kept} on must still be kept", before=before, kept=kept)
        with self.store.begin() as conn:
            self.record(conn, ERASED, data={"before": before.isoformat()})
            count = self.store.trail.erase(conn, before)
        return Done("data_erased", "", self.actor, count=count, until=before)

    @property
    def _heads(self) -> Path:
        return self.loaded.data / "audit-heads.txt"

    def _note(self, head: Head) -> None:
        handle = os.open(self._heads, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(f"{head.seq}:{head.chain}\n")

    def _noted(self) -> Iterator[Head]:
        try:
            text = self._heads.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            return
        for line in text.splitlines():
            number, _, chain = line.partition(":")
            if number.isdigit() and len(chain) == 64:  # a line cut by a crash is none
                yield Head(int(number), chain)


def _told(lines: Iterable[Mapping[str, Any]], seen: Callable[[bytes], None]) -> Iterator[bytes]:
    """Yield each line as it is written, after it was `seen`."""
    for one in lines:
        line = f"{json.dumps(one, ensure_ascii=False)}\n".encode()
        seen(line)
        yield line


def _head(text: str) -> Head:
    number, _, chain = text.strip().partition(":")
    if not number.isdigit() or len(chain) != 64:
        raise UsageError("{text!r} is no link; write NUMBER:HASH as `audit verify` prints it", text=text)
    return Head(int(number), chain)
