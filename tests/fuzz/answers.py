"""What comes over HTTP before a connector sees it: statuses, headers, pages, tokens, and addresses to which browsers came back."""

import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any
from unittest.mock import patch

import requests
from requests.structures import CaseInsensitiveDict

from bridge.errors import BridgeError
from bridge.http import HttpSettings, MemoryTokens, OAuth2Auth
from bridge.http.consent import AuthorizationFlow
from bridge.http.limits import read_limits
from bridge.http.oauth import OAuthTokens, call_token_endpoint
from bridge.http.outcome import Fault, of_download, of_read, of_write
from bridge.http.ports import StoredToken
from bridge.http.redact import KNOWN
from bridge.http.reply import Reply, parse_json
from bridge.http.wire import Call, Wire
from bridge.replay.pseudonyms import Pseudonyms
from connectors.sevdesk.api import time_of
from tests.fuzz.mutate import mutated, mutated_json
from tests.fuzz.target import Target

NOW = datetime(2026, 11, 16, 8, tzinfo=UTC)

_BODIES = [b'{"errors":{"error":"no"}}', b'{"objects":[{"id":"1"}]}', b"<!doctype html><p>x", b""]
_HEADERS = [
    "Content-Type", "Retry-After", "RateLimit", "RateLimit-Policy", "RateLimit-Reset", "X-Rate-Limit-Remaining", "X-Rate-Limit-Reset", "X-RateLimit-Limit",
    "Location", "Date", "Deprecation",
]  # fmt: skip
_VALUES = [
    b"120",
    b"Wed, 21 Oct 2026 07:28:00 GMT",
    b"Wed, 21 Oct 99999999999999999999 07:28:00 GMT",
    b'"a";r=9;t=30',
    b'"a";q=100;w=60',
    b"text/html",
    b"http://[x",
    b"100, 100;w=60",
    b"@1758700000",
]
_STATUS = (200, 204, 301, 302, 400, 401, 403, 404, 408, 409, 418, 422, 429, 500, 503, 599)


def _answer(random: Random) -> None:
    """Judge an answer with any status, headers and body, as a read, a download and a write, and what it says of limits and clocks."""
    body = mutated(random, _BODIES)
    headers = CaseInsensitiveDict(
        {name: mutated(random, _VALUES).decode("latin-1") for name in random.sample(_HEADERS, 3)}
    )
    reply = Reply(random.choice(_STATUS), headers, body, parse_json(body))
    fault = Fault(random.choice(("", "timeout", "truncated", "too_large", "connect")), sent=random.random() < 0.5)
    for judged in (
        of_read("a: GET /x", reply, fault),
        of_download("a: GET /x", reply, fault),
        of_write("a: POST /x", reply, fault, frozenset({409})),
    ):
        assert judged is None or isinstance(judged, BridgeError)
    read_limits(headers, NOW)
    _WIRE._notice(_CALL, reply)
    time_of(reply)


_SETTINGS = HttpSettings(
    base_url="https://provider.example",
    auth=OAuth2Auth(
        client_id="c", client_secret="s", authorize_url="https://a.example/a", token_url="https://a.example/t"
    ),  # type: ignore[arg-type]
)
_CALL = Call("GET", "/x", None, {}, 1.0, 1000)


class _NoBudget:
    def __getattr__(self, _name: str) -> Any:
        return lambda *_, **__: None


_WIRE = Wire("a", _SETTINGS, {}, _NoBudget(), now=lambda: NOW, recorder=None, observe=None)  # type: ignore[arg-type]
_TOKEN = '{"access_token": "abc", "token_type": "bearer", "expires_in": 3600, "refresh_token": "def", "scope": "a b"}'
_REFUSED = '{"error": "invalid_grant", "error_description": "no"}'


class _Server(requests.adapters.BaseAdapter):
    """A token endpoint that says what it is told to."""

    def __init__(self, status: int, kind: str, body: bytes) -> None:
        super().__init__()
        self._status, self._kind, self._body = status, kind, body

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        answer = requests.Response()
        answer.status_code, answer.raw, answer.request, answer.url = (
            self._status,
            io.BytesIO(self._body),
            request,
            request.url or "",
        )
        answer.headers["Content-Type"] = self._kind
        return answer

    def close(self) -> None:
        pass


def _token(random: Random) -> None:
    """Ask for a token and read the answer; then use what was kept of it."""
    KNOWN._learned.clear()  # each is looked for in every later text
    body = mutated_json(random, random.choice((_TOKEN, _TOKEN, _REFUSED)))
    server = _Server(
        random.choice((200, 200, 200, 400, 401, 500, 302)),
        random.choice(("application/json", "text/html")),
        body.encode("utf-8", "replace"),
    )
    refresh = random.random() < 0.5

    def call(session: Any) -> Any:
        session.mount("https://", server)
        if refresh:
            return session.refresh_token("https://a.example/t", refresh_token="r", allow_redirects=False)
        return session.fetch_token("https://a.example/t", grant_type="client_credentials", allow_redirects=False)

    token = call_token_endpoint("a", _SETTINGS, lambda: NOW, call)
    kept = MemoryTokens(lambda: NOW)
    kept.save("a", json.loads(json.dumps(token)), expected=None)
    OAuthTokens("a", _SETTINGS, kept, now=lambda: NOW, sleep=lambda _: None)._valid(StoredToken(token, 1), None)


_ADDRESSES = [
    b"http://127.0.0.1:8123/callback?code=abc&state=STATE",
    b"http://127.0.0.1:8123/callback?error=access_denied&state=STATE",
    b"  <http://127.0.0.1:8123/callback?code=abc&state=STATE&iss=https%3A%2F%2Fa.example>",
    b"code=abc&state=STATE",
]


def _consent(random: Random) -> None:
    """Take an address that a person pasted, and the same as a browser's request."""
    KNOWN._learned.clear()
    flow = AuthorizationFlow("a", _SETTINGS, MemoryTokens(lambda: NOW))
    flow._exchange = lambda _code: None  # type: ignore[method-assign]
    address = mutated(random, _ADDRESSES).decode("utf-8", "replace").replace("STATE", flow._state)
    with patch.object(AuthorizationFlow, "redirect_uri", "http://127.0.0.1:8123/callback"):
        flow.came_back("/callback?" + address.partition("?")[2])
        flow.came_back(address)
        flow.finish(address)


_PERSON = '{"name": "Anna Muster", "id": "4711", "mails": ["a@b.example"], "sum": 1.50, "open": true, "note": "Tel. 030 1234567, DE02120300000000202051"}'


def _pseudonyms(random: Random) -> None:
    """Replace everybody's name in an answer, twice with the same result."""
    text = mutated_json(random, _PERSON)
    names = Pseudonyms({"open"}, key=b"k")
    names.learn(text)
    assert names.body(text) == names.body(text)


def targets() -> Iterator[Target]:
    """Yield what reads answers, whoever gives them."""
    yield Target("answer", 150, _answer)
    yield Target("token", 30, _token)
    yield Target("consent", 40, _consent)
    yield Target("pseudonyms", 40, _pseudonyms)
