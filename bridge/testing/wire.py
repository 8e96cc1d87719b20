"""What goes over the wire between a sandbox and its client: request, response, and the date that a sandbox believes."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Self
from urllib.parse import parse_qs, unquote
from zoneinfo import ZoneInfo

LARGEST_REQUEST = 64 * 1024 * 1024
BERLIN = ZoneInfo("Europe/Berlin")


class Headers(dict[str, str]):
    """Header fields, looked up in any case."""

    def __init__(self, values: Mapping[str, str] | None = None) -> None:
        super().__init__({key.lower(): value for key, value in (values or {}).items()})

    def __getitem__(self, key: str) -> str:
        return super().__getitem__(key.lower())

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and super().__contains__(key.lower())

    def get(self, key: str, default: Any = None) -> Any:
        return super().get(key.lower(), default)


@dataclass(slots=True)
class Request:
    """One request as it arrived. `path` is decoded and without the query; `groups` are those of the route's pattern."""

    method: str
    path: str
    target: str
    query: Mapping[str, list[str]]
    headers: Headers
    body: bytes
    groups: tuple[str, ...] = ()
    status: int | None = None
    """What was answered; None while it runs and where the connection was cut."""

    def arg(self, name: str, default: str | None = None) -> str | None:
        """Return the first value of the query parameter `name`."""
        values = self.query.get(name)
        return values[0] if values else default

    def json(self) -> Any:
        """Return the body as JSON, numbers as int or Decimal; raises `ValueError`."""
        return json.loads(self.body, parse_float=Decimal)

    def form(self) -> dict[str, str]:
        """Return the body's form fields, the first value of each."""
        return {key: values[0] for key, values in parse_qs(self.body.decode(), keep_blank_values=True).items()}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return str(value)


@dataclass(frozen=True, slots=True)
class Response:
    """One answer; `Content-Length`, `Date` and `Connection` are added on sending."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Self:
        """Answer JSON; Decimal becomes a number, dates and the like become text."""
        body = json.dumps(data, default=_plain, ensure_ascii=False).encode()
        return cls(status, body, {"Content-Type": "application/json; charset=utf-8", **(headers or {})})

    @classmethod
    def text(cls, text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Self:
        return cls(status, text.encode(), {"Content-Type": "text/plain; charset=utf-8", **(headers or {})})

    @classmethod
    def html(cls, text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Self:
        return cls(status, text.encode(), {"Content-Type": "text/html; charset=utf-8", **(headers or {})})

    def with_headers(self, headers: Mapping[str, str]) -> Self:
        return replace(self, headers={**self.headers, **headers})


Handler = Callable[[Request], Response]


class Clock:
    """The date that a sandbox believes. Real until set; then it stands still until it is set or advanced."""

    def __init__(self, now: datetime | date | None = None, zone: ZoneInfo = BERLIN) -> None:
        self.zone = zone
        self._set: datetime | None = None
        if now is not None:
            self.set(now)

    def set(self, now: datetime | date) -> None:
        """Set an aware instant, or a local date (then it is noon of that day)."""
        if not isinstance(now, datetime):
            now = datetime(now.year, now.month, now.day, 12, tzinfo=self.zone)
        if now.tzinfo is None:
            raise ValueError("the clock needs an aware instant")
        self._set = now.astimezone(UTC)

    def advance(self, by: timedelta) -> None:
        """Move on from what the clock shows, and stand still there."""
        self._set = self.now() + by

    def now(self) -> datetime:
        """Return the instant (aware, UTC)."""
        return self._set or datetime.now(UTC)

    def today(self) -> date:
        """Return the local date."""
        return self.now().astimezone(self.zone).date()


class Cut(Exception):
    """End the connection now; `reset` ends it with RST instead of FIN."""

    def __init__(self, *, reset: bool = False) -> None:
        super().__init__("connection cut")
        self.reset = reset


def read_request(stream: Any) -> Request | None:
    """Read one request; None where the client has gone. Raises `ValueError` for what is no HTTP."""
    line = stream.readline(65536)
    if not line.strip():
        return None
    method, target, _ = line.decode("latin-1").split(" ", 2)
    headers: dict[str, str] = {}
    while (line := stream.readline(65536)) not in (b"\r\n", b"\n"):
        if not line or len(headers) > 200:
            return None
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    length = int(headers.get("content-length", "0") or 0)
    if "transfer-encoding" in headers or not 0 <= length <= LARGEST_REQUEST:
        raise ValueError("only bodies with a sensible Content-Length are understood")
    body = stream.read(length) if length else b""
    if len(body) < length:
        return None
    path, _, query = target.partition("?")
    return Request(method, unquote(path), target, parse_qs(query, keep_blank_values=True), Headers(headers), body)
