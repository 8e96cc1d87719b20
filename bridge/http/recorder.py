"""Recording of exchanges, for support and for replaying a fault: everything a provider said, nothing that opens its door.

What is said during a run is held in memory, up to a limit, and written only where the run failed, or where all are asked for; secrets
are taken out before anything is written. Calls outside of runs (`check`) are kept only where all are asked for.
"""

import contextlib
import hashlib
import json
import os
import re
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any, Protocol

from bridge.errors import BridgeError
from bridge.http.redact import KNOWN, MASK, Redactor
from bridge.http.reply import nested_too_deep
from bridge.words import sentence_of

HELD = 8_000_000
"""Bytes of answers held for one run; what was said for steps that went well goes first, then what was said longest ago."""
OPENING = 1_000_000
"""Bytes of the beginning that stay while there is something else to let go: what a connector asks once for all steps stands there."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call and its answer, redacted. `error` says what went wrong on the wire; then there may be no answer.

    `sent` says whether bytes of the request may have left, `step` which step of a delivery it belongs to.
    """

    account: str
    at: datetime
    seconds: float
    method: str
    url: str
    request_headers: Mapping[str, str]
    request_body: str
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    error: str | None = None
    sent: bool = True
    step: int | None = None


Making = Callable[[], Exchange]
"""Makes the redacted exchange; called only where it is kept."""


class Recorder(Protocol):
    """Keeps exchanges."""

    def record(self, size: int, making: Making) -> None:
        """Keep what `making` makes, of about `size` bytes; must not raise for want of space."""


def body_text(redactor: Redactor, content: bytes, content_type: str) -> str:
    """Return a body as redacted text; what is no text becomes its length and SHA-256."""
    if not content:
        return ""
    binary = re.match(r"(application/(pdf|zip|octet-stream)|image/|font/|multipart/)", content_type.strip().lower())
    try:
        text = None if binary else content.decode("utf-8")
    except UnicodeDecodeError:
        text = None
    if text is None:
        return f"({len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()})"
    return redactor.text(text)


class Tape:
    """What was said during one run. `begin` names the run; `keep` says that it is worth keeping.

    `about` names what a run was kept for that only has to wait, and will be tried again soon: the newest run about it is enough.
    """

    def __init__(self) -> None:
        self.run: int | None = None
        self.keep = False
        self.about: tuple[str, ...] = ()
        self.said = False
        self.facts: dict[str, Any] = {}
        self.whole = True
        self._held: deque[tuple[int, int | None, Callable[[], dict[str, Any]]]] = deque()
        self._well: set[int] = set()
        self._bytes = 0
        self._lock = threading.Lock()

    def begin(self, run: int, **facts: Any) -> None:
        """Name the run, with facts that a replay needs (JSON values)."""
        self.run, self.facts = run, facts

    def hold(self, size: int, making: Callable[[], dict[str, Any]], *, said: bool = True) -> None:
        """Hold one thing that was said, or a fact beside it."""
        with self._lock:
            self.said = self.said or said
            self._held.append((size, _STEP.get(), making))
            self._bytes += size
            if self._bytes > HELD and self._well:
                self._spare()
            while self._bytes > HELD and len(self._held) > 1:
                self._bytes -= self._held.popleft()[0]
                self.whole = False

    def went_well(self, step: int) -> None:
        """Say that a step of a delivery went well: where room is short, what was said for it goes first."""
        with self._lock:
            self._well.add(step)

    def _spare(self) -> None:
        """Let go what was said for steps that went well, but for the beginning: what a connector asks once a run stands there."""
        begun, kept = 0, []
        for one in self._held:
            begun += one[0]
            if begun <= OPENING or one[1] not in self._well:
                kept.append(one)
        self._held, self._bytes = deque(kept), sum(size for size, _, _ in kept)
        self._well.clear()

    def lines(self) -> Iterator[dict[str, Any]]:
        """Yield the facts, then everything held, as JSON values without secrets."""
        with self._lock:
            held = list(self._held)
        yield {"run": self.run, "whole": self.whole, "about": list(self.about), **KNOWN.value(self.facts)}
        for _, _, making in held:
            yield making()


_TAPE: ContextVar[Tape | None] = ContextVar("mahnbridge_tape", default=None)
_STEP: ContextVar[int | None] = ContextVar("mahnbridge_step", default=None)


@contextlib.contextmanager
def of_step(step: int) -> Iterator[None]:
    """Say that what is exchanged within belongs to this step of a delivery."""
    token = _STEP.set(step)
    try:
        yield
    finally:
        _STEP.reset(token)


def went_well(step: int) -> None:
    """Say that this step of the delivery under way went well."""
    tape = _TAPE.get()
    if tape is not None:
        tape.went_well(step)


def note(what: str, making: Callable[[], Mapping[str, Any]], *, said: bool = False) -> None:
    """Hold facts (JSON values) beside the exchanges of the run under way, if there is one; `said` where they are an answer by themselves."""
    tape = _TAPE.get()
    if tape is not None:
        step = _STEP.get()
        tape.hold(1000, lambda: {"note": what, "step": step, **KNOWN.value(making())}, said=said)


def as_told(error: BaseException) -> dict[str, Any]:
    """Return what a channel of ours or an authorization server said, for a replay, in which it is not asked again (JSON values)."""
    known = isinstance(error, BridgeError)
    return {
        "error": type(error).__name__,
        "cause": error.cause if isinstance(error, BridgeError) else "",
        "text": sentence_of(error).to_store() if known else type(error).__name__,
    }


class FileRecorder:
    """JSON lines in `folder`, within a budget of bytes and days: `run-NUMBER.jsonl` of runs that failed; with `every` of all runs.

    Of runs that only had to wait for the same thing (`Tape.about`) the newest one stays, where something was said in it. With `every` calls outside of runs are kept too, in one file per account and day. The oldest files go first. Several processes may
    record into the same folder. A full disk loses recordings, not calls.
    """

    def __init__(
        self,
        folder: Path,
        *,
        every: bool = True,
        largest: int = 100_000_000,
        days: int = 14,
        largest_body: int = 2_000_000,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.folder = folder
        self._every = every
        self._largest = largest
        self._days = days
        self._largest_body = largest_body
        self._now = now
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def run(self) -> Iterator[Tape]:
        """Hold what is said within; keep it at the end where `keep` was set, where it ends in an error, or where all is kept."""
        tape = Tape()
        token = _TAPE.set(tape)
        try:
            yield tape
        except BaseException:
            tape.keep = True
            raise
        finally:
            _TAPE.reset(token)
            wanted = tape.keep and (tape.said or not tape.about)
            if tape.run is not None:
                name = f"run-{tape.run}.jsonl"
                with contextlib.suppress(
                    OSError
                ):  # after a restore numbers come again: what lies there is another run's
                    (self.folder / name).unlink()
                if wanted or self._every:
                    self._write(name, tape.lines(), os.O_TRUNC)
                    self._supersede(tape)

    def _supersede(self, tape: Tape) -> None:
        """Delete the recordings of earlier runs that were kept for nothing but what this one is about."""
        for path in self.folder.glob("run-*.jsonl") if tape.about and not self._every else ():
            with contextlib.suppress(OSError, ValueError), path.open(encoding="utf-8") as file:
                about = json.loads(file.readline()).get("about")
                if about and path.name != f"run-{tape.run}.jsonl" and set(tape.about).issuperset(about):
                    path.unlink(missing_ok=True)

    def record(self, size: int, making: Making) -> None:
        tape, step = _TAPE.get(), _STEP.get()
        if tape is not None:
            tape.hold(size, lambda: self._line(making()) | {"step": step})
        elif self._every:
            exchange = making()
            safe = re.sub(r"[^A-Za-z0-9_-]", "_", exchange.account)
            self._write(f"http-{safe}-{exchange.at:%Y%m%d}.jsonl", [self._line(exchange)], os.O_APPEND)

    def read(self, run: int) -> list[dict[str, Any]]:
        """Return what was kept of a run, facts first, as far as it can be read; nothing where nothing was."""
        try:
            lines = (self.folder / f"run-{run}.jsonl").read_bytes().split(b"\n")
        except OSError:
            return []
        return list(takewhile(bool, map(_object, lines)))

    def _line(self, exchange: Exchange) -> dict[str, Any]:
        return asdict(exchange) | {
            "at": exchange.at.isoformat(),
            "seconds": round(exchange.seconds, 3),
            "request_body": self._short(exchange.request_body),
            "body": self._short(exchange.body),
        }

    def _short(self, body: str) -> str:
        return body if len(body) <= self._largest_body else body[: self._largest_body] + f"… ({len(body)} characters)"

    def _write(self, name: str, lines: Iterator[dict[str, Any]] | list[dict[str, Any]], how: int) -> None:
        with (
            self._lock,
            contextlib.suppress(OSError),
        ):  # a full disk costs the recording, never the work that is recorded
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.folder / name, os.O_WRONLY | os.O_CREAT | how, 0o600)
            with os.fdopen(handle, "wb") as file:
                for line in lines:
                    file.write(json.dumps(line, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
            self._tidy(self.folder / name)

    def _tidy(self, newest: Path) -> None:
        """Delete what is too old, and the oldest until the rest fits."""
        oldest = (self._now() - timedelta(days=self._days)).timestamp()
        found = sorted(
            ((path.stat(), path) for path in self.folder.glob("*.jsonl")), key=lambda one: one[0].st_mtime_ns
        )
        size = sum(stat.st_size for stat, _ in found)
        for stat, path in found:
            if path != newest and (stat.st_mtime < oldest or size > self._largest):
                path.unlink(missing_ok=True)
                size -= stat.st_size


def _object(line: bytes) -> dict[str, Any]:
    """Return one line of a recording, nothing where it was broken off."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) and not nested_too_deep(found) else {}


__all__ = ["MASK", "Exchange", "FileRecorder", "Recorder", "Tape", "body_text", "note", "of_step"]
