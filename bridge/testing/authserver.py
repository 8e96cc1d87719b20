"""A real OAuth 2.0 authorization server on loopback: consent, PKCE, rotation with reuse detection, client credentials, revocation.

It exists to prove the client side, so it is strict where real servers are: exact redirect addresses, S256 alone, codes and rotated
refresh tokens once; a refresh token that is used twice revokes the whole grant, as RFC 9700 (section 4.14) advises.
"""

import base64
import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import quote, unquote, urlencode, urlsplit

from pydantic import SecretStr

from bridge.http import OAuth2Auth
from bridge.testing.server import Request, Response, Server

CONSENT_PAGE = """<!DOCTYPE html><html lang="de"><meta charset="utf-8"><title>Zugriff erlauben</title>
<form method="post" action="{action}"><p>mahnbridge möchte auf Ihr Konto zugreifen.</p>
<button name="consent" value="yes">Erlauben</button><button name="consent" value="no">Ablehnen</button></form></html>"""


@dataclass
class Grant:
    """One consent: the family of tokens that came of it."""

    scope: str
    revoked: bool = False
    refreshes: int = 0


@dataclass
class _Code:
    challenge: str
    redirect_uri: str
    grant: Grant
    used: bool = False


@dataclass
class _Token:
    grant: Grant
    expires_at: float
    spent: bool = field(default=False)


class AuthServer:
    """Authorization and token endpoint. `consent`: "auto" says yes by itself, "manual" shows a page, "deny" says no.

    `expires_in` is the life of access tokens in seconds; `now` the clock by which they die; without `rotate` a refresh token lives
    on. `grants` are the consents so far.
    """

    def __init__(
        self,
        *,
        client_id: str = "mahnbridge",
        client_secret: str | None = "auth-server-Secret-1",
        expires_in: int = 3600,
        rotate: bool = True,
        consent: str = "auto",
        now: Callable[[], float] = time.time,
    ) -> None:
        self.client_id = client_id
        self.client_secret = client_secret
        self.expires_in = expires_in
        self.rotate = rotate
        self.consent = consent
        self.now = now
        self.grants: list[Grant] = []
        self.token_calls: list[str] = []
        """The grant type of every call to the token endpoint that proved its client."""
        self.server = Server()
        self.faults = self.server.faults
        self._codes: dict[str, _Code] = {}
        self._access: dict[str, _Token] = {}
        self._refresh: dict[str, _Token] = {}
        self.server.add("GET", "/authorize", self._authorize)
        self.server.add("POST", "/authorize", self._authorize)
        self.server.add("POST", "/token", self._token)
        self.server.add("POST", "/revoke", self._revoke)

    def __enter__(self) -> Self:
        self.server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()

    @property
    def issued(self) -> set[str]:
        """Every token that was ever issued; none of them may be seen in a log."""
        with self.server.lock:
            return {*self._access, *self._refresh}

    @property
    def base_url(self) -> str:
        return self.server.base_url

    def settings(self, grant: str = "authorization_code", *, leeway_seconds: int = 60) -> OAuth2Auth:
        """Return the settings with which a client uses this server."""
        return OAuth2Auth.model_validate(
            {
                "grant": grant,
                "client_id": self.client_id,
                "client_secret": SecretStr(self.client_secret) if self.client_secret else None,
                "authorize_url": self.base_url + "/authorize",
                "token_url": self.base_url + "/token",
                "scope": "invoices",
                "leeway_seconds": leeway_seconds,
            }
        )

    # ----------------------------------------------------------------------------------------------- for tests, by hand

    def issue(self, *, expires_in: int | None = None) -> dict[str, object]:
        """Return a token as if a person had consented just now."""
        with self.server.lock:
            grant = Grant("invoices")
            self.grants.append(grant)
            return self._tokens(grant, refresh=True, expires_in=expires_in)

    def revoke_all(self) -> None:
        """Revoke every consent, as a person does in the provider's settings."""
        with self.server.lock:
            for grant in self.grants:
                grant.revoked = True

    def valid(self, access_token: str) -> bool:
        """Tell whether an access token is good now."""
        with self.server.lock:
            token = self._access.get(access_token)
            return token is not None and not token.grant.revoked and token.expires_at > self.now()

    # ---------------------------------------------------------------------------------------------------------- endpoints

    def _authorize(self, request: Request) -> Response:
        redirect_uri, state = request.arg("redirect_uri") or "", request.arg("state") or ""
        parts = urlsplit(redirect_uri)
        if request.arg("client_id") != self.client_id or parts.scheme != "http" or parts.hostname != "127.0.0.1":
            return Response.html("<h1>unknown client or redirect address</h1>", 400)
        if request.arg("response_type") != "code" or request.arg("code_challenge_method") != "S256" or not state:
            return _back(redirect_uri, {"error": "invalid_request", "state": state})
        said = (
            request.form().get("consent")
            if request.method == "POST"
            else {"auto": "yes", "deny": "no"}.get(self.consent)
        )
        if said is None:
            return Response.html(CONSENT_PAGE.format(action=request.target.replace("&", "&amp;")))
        if said != "yes":
            return _back(redirect_uri, {"error": "access_denied", "state": state})
        grant = Grant(request.arg("scope") or "")
        self.grants.append(grant)
        code = secrets.token_urlsafe(24)
        self._codes[code] = _Code(request.arg("code_challenge") or "", redirect_uri, grant)
        return _back(redirect_uri, {"code": code, "state": state})

    def _token(self, request: Request) -> Response:
        form = request.form()
        if not self._client_proved(request, form):
            return Response.json({"error": "invalid_client"}, 401, {"WWW-Authenticate": "Basic"})
        kind = form.get("grant_type", "")
        self.token_calls.append(kind)
        if kind == "authorization_code":
            return self._exchange(form)
        if kind == "refresh_token":
            return self._renew(form.get("refresh_token", ""))
        if kind == "client_credentials" and self.client_secret is not None:
            grant = Grant(form.get("scope", ""))
            self.grants.append(grant)
            return Response.json(self._tokens(grant, refresh=False))
        return Response.json({"error": "unsupported_grant_type"}, 400)

    def _exchange(self, form: dict[str, str]) -> Response:
        code = self._codes.get(form.get("code", ""))
        if code is None or code.redirect_uri != form.get("redirect_uri"):
            return Response.json({"error": "invalid_grant"}, 400)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if code.used:
            code.grant.revoked = True
        if code.used or challenge != code.challenge:
            return Response.json({"error": "invalid_grant"}, 400)
        code.used = True
        return Response.json(self._tokens(code.grant, refresh=True))

    def _renew(self, refresh_token: str) -> Response:
        token = self._refresh.get(refresh_token)
        if token is not None and token.spent:
            token.grant.revoked = True  # used twice: stolen, or two clients at once
        if token is None or token.grant.revoked:
            return Response.json({"error": "invalid_grant", "error_description": f"{refresh_token} is not valid"}, 400)
        token.spent = self.rotate
        token.grant.refreshes += 1
        return Response.json(self._tokens(token.grant, refresh=self.rotate))

    def _revoke(self, request: Request) -> Response:
        form = request.form()
        if not self._client_proved(request, form):
            return Response.json({"error": "invalid_client"}, 401)
        token = self._refresh.get(form.get("token", "")) or self._access.get(form.get("token", ""))
        if token is not None:
            token.grant.revoked = True
        return Response(200)

    def _client_proved(self, request: Request, form: dict[str, str]) -> bool:
        scheme, _, coded = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            name, _, password = base64.b64decode(coded).decode().partition(":")
            return unquote(name) == self.client_id and unquote(password) == self.client_secret
        return form.get("client_id") == self.client_id and form.get("client_secret") == self.client_secret

    def _tokens(self, grant: Grant, *, refresh: bool, expires_in: int | None = None) -> dict[str, object]:
        life = self.expires_in if expires_in is None else expires_in
        access = "at-" + secrets.token_urlsafe(24)
        self._access[access] = _Token(grant, self.now() + life)
        answer: dict[str, object] = {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": life,
            "scope": grant.scope,
        }
        if refresh:
            answer["refresh_token"] = "rt-" + secrets.token_urlsafe(24)
            self._refresh[str(answer["refresh_token"])] = _Token(grant, float("inf"))
        return answer


def _back(redirect_uri: str, values: dict[str, str]) -> Response:
    return Response(302, headers={"Location": f"{redirect_uri}?{urlencode(values, quote_via=quote)}"})
