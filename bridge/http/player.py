"""A recording in the place of the wire: every request is answered with what was answered then; nothing leaves this machine."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.structures import CaseInsensitiveDict

from bridge.errors import BridgeError, ConfigError, RetryLater, UsageError
from bridge.http.limits import read_retry_after
from bridge.http.outcome import Fault
from bridge.http.reply import Reply, parse_json
from bridge.http.wire import Call
from bridge.words import Sentence

Asked = tuple[str, str, tuple[tuple[str, str], ...]]


class Player:
    """Answers from `exchanges` (lines of a recording of what was asked at `base_url`, and notes `auth`, oldest first); the same request is answered with the next of its answers.

    Where none is left the last one is given again, then what was read `beside` them by the very same request, for a connector remembers
    some answers. A request with other parameters than then is answered with the next one of its path.
    """

    def __init__(
        self, exchanges: Sequence[Mapping[str, Any]], base_url: str, beside: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        self._base = urlsplit(base_url).path.rstrip("/")
        self.clock_skew: timedelta | None = None
        self.asked = 0
        self._left: list[tuple[Asked, Mapping[str, Any]]] = []
        self._ended: dict[int, BridgeError] = {}
        self._unproved: BridgeError | None = None
        for one in exchanges:
            if "method" in one:
                self._left.append((_asked(str(one["method"]), str(one["url"])), one))
            elif self._left:
                self._ended[id(self._left[-1][1])] = _unproved(one)
            else:
                self._unproved = _unproved(one)
        self._last: dict[Asked, Mapping[str, Any]] = {}
        read = [one for one in beside if one["method"] == "GET" and one["status"] == 200]
        self._beside: dict[Asked, Mapping[str, Any]] = {_asked("GET", str(one["url"])): one for one in reversed(read)}

    def close(self) -> None:
        """There is nothing to close."""

    def send(self, call: Call, proof: Mapping[str, str], *, delivery: bool) -> tuple[Reply | None, Fault]:
        """Answer as then. Raises `UsageError` (`not_recorded`) where nothing like it was asked, what an authorization server said then."""
        self.asked += 1
        if self._unproved is not None:
            raise self._unproved
        asked = self.key(call)
        found = self._next(asked)
        if found is None:
            raise UsageError(
                "{method} {path} was not asked when this was recorded",
                method=call.method,
                path=call.path[:200],
                cause="not_recorded",
            )
        self._last[asked] = found
        if id(found) in self._ended:
            raise self._ended[id(found)]
        return _answer(found)

    def key(self, call: Call) -> Asked:
        """Return what tells this request from others, as the wire would have sent it."""
        url = requests.Request(call.method, f"http://x{self._base}{call.path}", params=call.params).prepare().url or ""
        return _asked(call.method, url)

    def _next(self, asked: Asked) -> Mapping[str, Any] | None:
        exact = next((at for at, (key, _) in enumerate(self._left) if key == asked), None)
        if exact is None and asked in self._last:
            return self._last[asked]
        if exact is None and asked in self._beside:
            return self._beside[asked]
        if exact is None:
            exact = next((at for at, (key, _) in enumerate(self._left) if key[:2] == asked[:2]), None)
        return None if exact is None else self._left.pop(exact)[1]


def _unproved(said: Mapping[str, Any]) -> BridgeError:
    kind = RetryLater if said.get("error") == RetryLater.__name__ else ConfigError
    return kind(Sentence.stored(str(said.get("text", ""))), cause=str(said.get("cause") or ""))


@lru_cache(maxsize=2000)
def _asked(method: str, url: str) -> Asked:
    parts = urlsplit(url)
    return method, parts.path, tuple(sorted(parse_qsl(parts.query, keep_blank_values=True)))


def _answer(one: Mapping[str, Any]) -> tuple[Reply | None, Fault]:
    headers = CaseInsensitiveDict({str(name): str(value) for name, value in one["headers"].items()})
    wait = read_retry_after(headers.get("Retry-After"), datetime.fromisoformat(one["at"]))
    fault = Fault(str(one["error"] or ""), sent=bool(one["sent"]), wait=wait)
    if one["status"] is None:
        return None, fault
    content = str(one["body"]).encode("utf-8", "surrogatepass")
    return Reply(int(one["status"]), headers, content, parse_json(content)), fault
