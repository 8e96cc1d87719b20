"""An OAuth gateway in front of a sandbox, as API gateways and partner programmes run them.

It wants a bearer token of its authorization server; the provider's own token is known to it alone. Faults of the sandbox come out
of it the way they do in life: a broken upstream is a 502 page.
"""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Self
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from bridge.http import HttpSettings, MemoryTokens
from bridge.http.auth import HeaderAuth, credentials
from bridge.testing.authserver import AuthServer
from bridge.testing.server import Request, Response, Server

_HOP_BY_HOP = {
    "connection",
    "content-length",
    "transfer-encoding",
    "content-encoding",
    "keep-alive",
    "host",
    "authorization",
}
BAD_GATEWAY = "<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"


class Gateway:
    """Forwards what carries a good bearer token to `upstream`, with the credentials of `upstream`'s own settings."""

    def __init__(self, upstream: HttpSettings, auth: AuthServer, *, timeout: float = 120) -> None:
        parts = urlsplit(upstream.base_url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._path = parts.path
        self._auth = auth
        self._timeout = timeout
        self._proof = credentials("gateway", upstream, MemoryTokens(_utc_now), now=_utc_now, sleep=time.sleep)
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.mount("http://", HTTPAdapter(pool_maxsize=20))
        self.server = Server()
        self.server.add("*", ".*", self._forward, locked=False)

    @property
    def base_url(self) -> str:
        """Return the address to use instead of the upstream's."""
        return self.server.base_url + self._path

    def __enter__(self) -> Self:
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()
        self._session.close()

    def _forward(self, request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not self._auth.valid(token):
            challenge = {"WWW-Authenticate": 'Bearer realm="gateway", error="invalid_token"'}
            return Response.json({"error": "invalid_token"}, 401, challenge)
        headers = {name: value for name, value in request.headers.items() if name not in _HOP_BY_HOP}
        try:
            answer = self._session.request(
                request.method,
                self._origin + request.target,
                data=request.body or None,
                headers={**headers, "Connection": "close"},
                auth=HeaderAuth(self._proof.headers()),
                timeout=(5, self._timeout),
                allow_redirects=False,
            )
        except requests.RequestException:
            return Response.html(BAD_GATEWAY, 502)
        return Response(answer.status_code, answer.content, _end_to_end(answer.headers))


def _end_to_end(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _HOP_BY_HOP}


def _utc_now() -> datetime:
    return datetime.now(UTC)
