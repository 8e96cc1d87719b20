"""The one HTTP session of all connectors: authentication, timeouts, retries of reads, rate budget, recording, redaction.

Reads are repeated on passing faults, writes never. Every failure is one of `bridge.errors`.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import requests

from bridge.errors import BadAnswer, BridgeError, ConfigError, NotFound, Refused, RetryLater, Unclear


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: `data` is the parsed JSON (numbers as int or Decimal) or None where the body is no JSON."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    data: Any


class Http:
    """Speaks to one account's base URL. Thread-safe; all threads and processes of an account share budget and token."""

    def __init__(
        self,
        base_url: str,
        *,
        account: str = "test",
        headers: Mapping[str, str] | None = None,
        timeout: tuple[float, float] = (10.0, 60.0),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.account = account
        self.clock = clock
        self._timeout = timeout
        self._session = requests.Session()
        self._session.headers.update(headers or {})

    def now(self) -> datetime:
        """Return the business clock's instant (aware, UTC); dates shown to people and providers come from it."""
        return self.clock()

    def prepare(self, calls: int = 1) -> None:
        """Obtain a valid token and room for `calls` delivery calls in the rate budget. Raises `RetryLater`, `ConfigError`."""

    @contextmanager
    def delivering(self) -> Iterator[None]:
        """Within this block calls may use the reserve that polling leaves for delivery."""
        yield

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
        no connection, timeout), `BadAnswer` (no JSON, truncated, too large).
        """
        try:
            answer = self._session.request(
                method,
                self.base_url + path,
                params=params,
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise RetryLater(f"{path}: {type(error).__name__}", cause="connection") from error
        reply = self._reply(answer)
        if reply.data is None and reply.content and answer.ok:
            raise BadAnswer(f"{path}: the answer is no JSON")
        self._raise(path, reply, writing=False, unclear_on=frozenset())
        return reply

    def download(self, path: str, *, params: Mapping[str, Any] | None = None, largest: int = 30_000_000) -> bytes:
        """Read a file of at most `largest` bytes. Errors as `read`."""
        try:
            answer = self._session.get(
                self.base_url + path, params=params, timeout=self._timeout, allow_redirects=False
            )
        except requests.RequestException as error:
            raise RetryLater(f"{path}: {type(error).__name__}", cause="connection") from error
        self._raise(path, self._reply(answer), writing=False, unclear_on=frozenset())
        return answer.content[:largest]

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
        """Call exactly once.

        Raises `RetryLater` where nothing can have been written (no connection, 429), `Refused` / `NotFound` (4xx), `ConfigError`
        (401, 403), `Unclear` (timeout or reset after sending, 408, 5xx, unreadable 2xx, and every status in `unclear_on`).
        """
        try:
            answer = self._session.request(
                method,
                self.base_url + path,
                params=params,
                data=None if body is None else json.dumps(body, default=str).encode(),
                headers={"Content-Type": "application/json", **(headers or {})},
                timeout=self._timeout,
                allow_redirects=False,
            )
        except requests.ConnectTimeout as error:
            raise RetryLater(f"{path}: no connection", cause="connection") from error
        except requests.RequestException as error:
            raise Unclear(f"{path}: {type(error).__name__}", cause="connection_lost") from error
        reply = self._reply(answer)
        if answer.ok and reply.data is None and reply.content.strip():
            raise Unclear(f"{path}: the answer is no JSON", cause="bad_answer")
        self._raise(path, reply, writing=True, unclear_on=unclear_on)
        return reply

    @staticmethod
    def _reply(answer: requests.Response) -> Reply:
        try:
            data = json.loads(answer.content, parse_float=Decimal)
        except ValueError:
            data = None
        return Reply(answer.status_code, answer.headers, answer.content, data)

    @staticmethod
    def _raise(path: str, reply: Reply, *, writing: bool, unclear_on: frozenset[int]) -> None:
        if 200 <= reply.status < 300:
            return
        error = Http._failure(path, reply, writing=writing, unclear_on=unclear_on)
        error.body = reply.data if reply.data is not None else reply.content[:2000].decode("utf-8", "replace")
        raise error

    @staticmethod
    def _failure(path: str, reply: Reply, *, writing: bool, unclear_on: frozenset[int]) -> BridgeError:
        status = reply.status
        text, cause = f"{path}: HTTP {status}", f"http_{status}"
        if status == 429:
            return RetryLater(text, after=timedelta(seconds=60), cause=cause)
        if writing and (status in unclear_on or status == 408 or status >= 500):
            return Unclear(text, cause=cause)
        if status in (401, 403):
            return ConfigError(text, cause=cause)
        if status >= 500 or status == 408:
            return RetryLater(text, cause=cause)
        if status == 404:
            return NotFound(text, cause=cause)
        return Refused(text, cause=cause)
