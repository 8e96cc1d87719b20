"""The one HTTP session of all connectors. Reads are repeated on passing faults, writes never; every failure is a typed error."""

import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Self

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, stop_before_delay

from bridge.errors import BridgeError, RetryLater
from bridge.http import outcome
from bridge.http.auth import credentials
from bridge.http.budget import Budget, BudgetStatus
from bridge.http.ports import MemoryRates, MemoryTokens, RateStore, TokenStore
from bridge.http.recorder import Recorder, as_told, note
from bridge.http.redact import KNOWN
from bridge.http.reply import Reply
from bridge.http.settings import HttpSettings
from bridge.http.wire import Call, Sends, Wire

Judge = Callable[[str, Reply | None, outcome.Fault], BridgeError | None]


def _utc_now() -> datetime:
    return datetime.now(UTC)


class _Failed(Exception):
    """A read that failed, and how long the provider asked to be left alone; never leaves this module."""

    def __init__(self, error: BridgeError, asked: timedelta | None) -> None:
        super().__init__(str(error))
        self.error = error
        self.asked = asked


class Http:
    """Speaks to one account's base URL. Thread-safe; all threads and processes of an account share budget and token.

    `settings` may be a bare base URL, for tests and trials (then nothing is proven and hardly paced). `headers` go with every call.
    `clock` is the business clock, `technical` the clock of tokens and budgets; `observe` is told method, status and seconds of
    every call. Stores default to the memory of this process. `wire` takes the place of the connections, for a replay.
    `zone` is that in which people are told until when nothing is called.
    """

    def __init__(
        self,
        settings: HttpSettings | str,
        *,
        account: str = "test",
        headers: Mapping[str, str] | None = None,
        tokens: TokenStore | None = None,
        rates: RateStore | None = None,
        recorder: Recorder | None = None,
        clock: Callable[[], datetime] = _utc_now,
        technical: Callable[[], datetime] = _utc_now,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
        observe: Callable[[str, int | None, float], None] | None = None,
        wire: Sends | None = None,
        zone: tzinfo = UTC,
    ) -> None:
        self.settings = HttpSettings(base_url=settings, pace=1000) if isinstance(settings, str) else settings
        self.base_url = self.settings.base_url
        self.account = account
        self.clock = clock
        self._now = technical
        self._sleep = sleep
        self._jitter = jitter
        KNOWN.add(*self.settings.secrets)
        self._credentials = credentials(
            account, self.settings, tokens or MemoryTokens(technical), now=technical, sleep=sleep
        )
        self._budget = Budget(account, self.settings, rates or MemoryRates(), now=technical, sleep=sleep, zone=zone)
        self._wire: Sends = wire or Wire(
            account, self.settings, headers or {}, self._budget, now=technical, recorder=recorder, observe=observe
        )
        self.recorder = recorder
        self._local = threading.local()

    def __repr__(self) -> str:
        return f"Http({self.account!r}, {self.base_url!r})"

    def close(self) -> None:
        """Close all connections; the next call opens new ones."""
        self._wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ------------------------------------------------------------------------------------------------- around the calls

    def now(self) -> datetime:
        """Return the business clock's instant (aware, UTC); dates shown to people and providers come from it."""
        return self.clock()

    @property
    def clock_skew(self) -> timedelta | None:
        """How far the provider's clock is ahead of ours, by the `Date` of its last answer (to the second)."""
        return self._wire.clock_skew

    def budget(self) -> BudgetStatus:
        """Return what is known of the rate budget, for the status page."""
        return self._budget.status()

    def took(self, name: str, places: Sequence[Path], *, sha256: str, as_of: datetime, kind: str = "file") -> None:
        """Note a file that was read in the place of an answer, for support: a connector without a server says so for each.

        It lies in the first of `places` that holds these bytes. `kind` is `file`, or `table` for one by which files are read.
        """
        facts = {"name": name, "places": [str(one) for one in places], "sha256": sha256, "as_of": as_of.isoformat()}
        note(kind, lambda: facts, said=True)

    def prepare(self, calls: int = 1) -> None:
        """Obtain a valid token and room for `calls` delivery calls in the rate budget. Raises `RetryLater`, `ConfigError`."""
        self._budget.room(calls)
        self._proof()

    @contextmanager
    def delivering(self, *, seconds: float | None = None) -> Iterator[None]:
        """Within this block calls may use the reserve that polling leaves for delivery; after `seconds` no write begins any more.

        A machine that slept meanwhile counts no seconds: the technical clock is asked too.
        """
        before = getattr(self._local, "delivering", False)
        self._local.delivering = True
        later = timedelta(seconds=seconds or 0)
        self._local.until = None if seconds is None else (time.monotonic() + seconds, self._now() + later)
        if not before:
            self._local.wrote = False
        try:
            yield
        finally:
            self._local.delivering = before
            self._local.until = None

    @property
    def wrote(self) -> bool:
        """Return whether a write of this thread was answered as done since it entered `delivering`."""
        return getattr(self._local, "wrote", False)

    # ---------------------------------------------------------------------------------------------------------- reading

    def read(
        self,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        method: str = "GET",
    ) -> Reply:
        """Read; passing faults are retried with jitter.

        Raises `NotFound` (404), `ConfigError` (401, 403), `Refused` (other 4xx), `RetryLater` (429 with the provider's wait, 5xx,
        no connection, timeout), `BadAnswer` (no JSON, truncated, too large, a redirect). Those that come of an answer carry its
        content as `body`.
        """
        call = Call(method, path, params, headers or {}, self.settings.read_deadline, self.settings.largest_answer)
        return self._retrying(call, outcome.of_read)

    def download(self, path: str, *, params: Mapping[str, Any] | None = None, largest: int = 30_000_000) -> bytes:
        """Read a file of at most `largest` bytes. Errors as `read`."""
        call = Call("GET", path, params, {"Accept": "*/*"}, self.settings.read_deadline, largest)
        return self._retrying(call, outcome.of_download).content

    def _retrying(self, call: Call, judge: Judge) -> Reply:
        retrying = Retrying(
            stop=stop_after_attempt(self.settings.attempts) | stop_before_delay(self.settings.read_deadline),
            wait=self._wait,
            sleep=self._sleep,
            retry=retry_if_exception(self._passing),
            reraise=True,
        )
        try:
            return retrying(self._read_once, call, judge)
        except _Failed as failed:
            raise failed.error from None

    def _read_once(self, call: Call, judge: Judge) -> Reply:
        """Make the call; when the proof of who we are was refused and can be renewed, make it once more."""
        used = self._proof()
        reply, fault = self._send(call, used)
        if reply is not None and reply.status == 401 and self._credentials.renewable:
            reply, fault = self._send(call, self._proof(refused=used))
        error = judge(f"{self.account}: {call.method} {call.path}", reply, fault)
        if error is not None:
            raise _Failed(error, fault.wait)
        assert reply is not None
        return reply

    def _proof(self, refused: Mapping[str, str] | None = None) -> Mapping[str, str]:
        """Return who we are; that nobody would prove it is noted, for a replay has nobody to ask."""
        try:
            return self._credentials.headers(refused=refused)
        except BridgeError as error:
            said = as_told(error)
            note("auth", lambda: said, said=True)
            raise

    def _send(self, call: Call, proof: Mapping[str, str]) -> tuple[Reply | None, outcome.Fault]:
        return self._wire.send(call, proof, delivery=getattr(self._local, "delivering", False))

    def _passing(self, failed: BaseException) -> bool:
        """Tell whether a read is worth repeating now: a fault that may pass, and no long wait that the provider asks for."""
        if not isinstance(failed, _Failed) or not isinstance(failed.error, RetryLater):
            return False
        return failed.asked is None or failed.asked.total_seconds() <= self.settings.longest_wait

    def _wait(self, state: RetryCallState) -> float:
        failed = state.outcome.exception() if state.outcome else None
        if isinstance(failed, _Failed) and failed.asked is not None:
            return failed.asked.total_seconds() + self._jitter()
        return min(8.0, 0.5 * 2.0**state.attempt_number) * (0.5 + self._jitter() / 2)

    # ---------------------------------------------------------------------------------------------------------- writing

    def write(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        unclear_on: frozenset[int] = frozenset(),
    ) -> Reply:
        """Call exactly once, under a hard deadline. `body` is sent as JSON (Decimal as text), or as it is when it is bytes.

        Raises `RetryLater` where nothing can have been written (no connection, 429, too late to begin), `Refused` / `NotFound` (4xx), `ConfigError`
        (401, 403), `Unclear` (timeout or reset after sending, 3xx, 408, 5xx, unreadable 2xx, and every status in `unclear_on`).
        Those that come of an answer carry its content as `body`.
        """
        content = body if isinstance(body, bytes) or body is None else json.dumps(body, default=str).encode()
        kind = {} if content is None else {"Content-Type": "application/json"}
        # never a connection that died unseen while it was idle
        fields = {**kind, **(headers or {}), "Connection": "close"}
        call = Call(
            method, path, params, fields, self.settings.write_deadline, self.settings.largest_answer, True, content
        )
        used = self._proof()
        what = f"{self.account}: {method} {path}"
        until = getattr(self._local, "until", None)
        if until is not None and (time.monotonic() >= until[0] or self._now() >= until[1]):
            # given up meanwhile: somebody may be doing it again
            raise RetryLater("{what}: what came before took too long; it was not begun", what=what, cause="too_late")
        reply, fault = self._send(call, used)
        if reply is not None and reply.status == 401 and self._credentials.renewable and self._renewed(used):
            raise RetryLater(
                "{what}: the token was refused, a new one was fetched",
                what=what,
                after=timedelta(0),
                cause="token_renewed",
            )
        error = outcome.of_write(what, reply, fault, unclear_on)
        if error is not None:
            raise error
        assert reply is not None
        self._local.wrote = True
        return reply

    def _renewed(self, used: Mapping[str, str]) -> bool:
        """Fetch a new token instead of one that a write was refused with; only once for each, else the account is wrong."""
        if getattr(self._local, "renewed_for", None) == used.get("Authorization"):
            return False
        new = self._proof(refused=used)
        self._local.renewed_for = new.get("Authorization")
        return True
