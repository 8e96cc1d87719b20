"""OAuth 2.0 tokens of an account: kept in the store, refreshed in time, and by one worker at a time.

With rotating refresh tokens two refreshes at once lose the grant, so a refresh happens under the account's lease, after the stored
token was read again, and is stored with a version compare before it is used.
"""

import os
import re
import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from authlib.integrations.base_client import OAuthError  # type: ignore[import-untyped]
from authlib.integrations.requests_client import OAuth2Session  # type: ignore[import-untyped]

from bridge.errors import BadAnswer, BridgeError, ConfigError, RetryLater
from bridge.http.ports import StoredToken, TokenStore
from bridge.http.redact import KNOWN
from bridge.http.settings import HttpSettings, OAuth2Auth
from bridge.http.transport import Watch, configure, trusted
from bridge.words import Sentence

TOKEN_DEADLINE = 30.0
"""Seconds that one call to the token endpoint may take in all."""

LARGEST_TOKEN_ANSWER = 1_000_000
"""Bytes of the largest answer of a token endpoint that is read."""

LEASE = timedelta(seconds=60)
_LEASE_TRIES = 300
_LEASE_PAUSE = 0.2
_PASSING = {"temporarily_unavailable", "server_error", "slow_down"}
_KEPT = ("access_token", "refresh_token", "token_type", "expires_at", "scope")


def oauth_settings(account: str, settings: HttpSettings) -> OAuth2Auth:
    """Return the OAuth settings of an account; raises `ConfigError` where it has none."""
    if not isinstance(settings.auth, OAuth2Auth):
        raise ConfigError(
            "{account}: auth.type is {type}, not oauth2; there is nothing to connect",
            account=account,
            type=settings.auth.type,
        )
    return settings.auth


def call_token_endpoint(
    account: str,
    settings: HttpSettings,
    now: Callable[[], datetime],
    call: Callable[[OAuth2Session], Mapping[str, Any]],
) -> dict[str, Any]:
    """Make one call to the token endpoint and return the token to store, with `expires_at` on our clock.

    Raises `ConfigError` (cause `oauth_<error>`) where a person must act, `RetryLater` where it may pass.
    """
    auth = oauth_settings(account, settings)
    secret = auth.client_secret.get_secret_value() if auth.client_secret else None
    session = OAuth2Session(auth.client_id, secret, token_endpoint_auth_method=auth.method, scope=auth.scope or None)
    configure(session, settings, host=urlsplit(auth.token_url).hostname, connections=1)
    session.verify = trusted(settings)
    session.hooks["response"].append(_bounded)
    try:
        with session, Watch(TOKEN_DEADLINE):
            token = dict(call(session))
    except OAuthError as error:
        raise _refused(account, str(error.error)) from None
    except requests.RequestException as error:
        raise RetryLater(
            "{account}: no answer from the token endpoint ({name})",
            account=account,
            name=type(error).__name__,
            cause="oauth_connection",
        ) from None
    except (ValueError, TypeError, KeyError, AttributeError, ArithmeticError, RecursionError):
        raise BadAnswer(  # what its library says of an answer of any other shape
            "{account}: the token endpoint did not answer a token", account=account, cause="bad_answer:token"
        ) from None
    return _checked(account, token, now())


def _bounded(answer: requests.Response, **_: object) -> None:
    """Read the whole answer, or as much of it as any token is long; what is longer is cut off, and then no JSON."""
    parts, size = [], 0
    for part in answer.iter_content(65536):
        parts.append(part)
        size += len(part)
        if size > LARGEST_TOKEN_ANSWER:
            answer.close()
            parts = []
            break
    answer._content = b"".join(parts)  # noqa: SLF001  what `requests` keeps there once it has read everything


def _refused(account: str, code: str) -> BridgeError:
    code = re.sub(r"[^a-z_]", "", code.lower())[:40] or "error"
    if code in _PASSING:
        return RetryLater(
            "{account}: the authorization server says {code}", account=account, code=code, cause=f"oauth_{code}"
        )
    return ConfigError(
        "{account}: the authorization server says {code}; check client_id, client_secret and scope there",
        account=account,
        code=code,
        cause=f"oauth_{code}",
    )


def _checked(account: str, token: dict[str, Any], now: datetime) -> dict[str, Any]:
    access = token.get("access_token")
    if not isinstance(access, str) or not access or not access.isascii() or not access.isprintable():
        raise BadAnswer(
            "{account}: the token endpoint answered no access token", account=account, cause="bad_answer:token"
        )
    if str(token.get("token_type", "bearer")).lower() != "bearer":
        raise ConfigError(
            "{account}: the token endpoint answered a token that is no bearer token",
            account=account,
            cause="oauth_token_type",
        )
    kept = {name: token[name] for name in _KEPT if isinstance(token.get(name), str)}
    try:
        seconds = int(token["expires_in"])
        kept["expires_at"] = int(now.timestamp()) + max(0, min(seconds, 10 * 365 * 86400))
    except (KeyError, TypeError, ValueError, OverflowError):
        kept.pop("expires_at", None)
    KNOWN.learn(*(kept[name] for name in ("access_token", "refresh_token") if name in kept))
    return kept


class OAuthTokens:
    """The tokens of one account."""

    def __init__(
        self,
        account: str,
        settings: HttpSettings,
        store: TokenStore,
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], None],
    ) -> None:
        self.account = account
        self._settings = settings
        self._auth = oauth_settings(account, settings)
        self._store = store
        self._now = now
        self._sleep = sleep
        self._owner = f"{socket.gethostname()[:36]}:{os.getpid()}:{secrets.token_hex(6)}"
        self._lock = threading.Lock()
        self._cached: StoredToken | None = None
        self._revoked: int | None = None

    def access_token(self, refused: str | None = None) -> str:
        """Return a token that is valid for a while; `refused` is one that the provider just did not accept.

        Raises `ConfigError` with cause `reconnect` where a person must consent (again), `RetryLater` where it may pass.
        """
        token = self._valid(self._cached, refused)
        if token is None:
            with self._lock:
                token = self._valid(self._load(), refused) or self._renew(refused)
        return token

    def _load(self) -> StoredToken | None:
        stored = self._store.load(self.account)
        if stored is not None:
            KNOWN.learn(
                *(str(stored.token[name]) for name in ("access_token", "refresh_token") if stored.token.get(name))
            )
        self._cached = stored
        return stored

    def _valid(self, stored: StoredToken | None, refused: str | None) -> str | None:
        if stored is None:
            return None
        token, expires = stored.token.get("access_token"), stored.token.get("expires_at")
        if not isinstance(token, str) or token == refused:
            return None
        if expires is not None and int(expires) - self._auth.leeway_seconds <= self._now().timestamp():
            return None
        return token

    def _renew(self, refused: str | None) -> str:
        for _ in range(_LEASE_TRIES):
            if self._store.acquire(self.account, self._owner, LEASE):
                break
            self._sleep(_LEASE_PAUSE)
            token = self._valid(self._load(), refused)
            if token is not None:
                return token
        else:
            raise RetryLater(
                "{account}: another worker is refreshing the token", account=self.account, cause="oauth_lease"
            )
        try:
            stored = self._load()
            return self._valid(stored, refused) or self._fetch(stored)
        finally:
            self._store.release(self.account, self._owner)

    def _fetch(self, stored: StoredToken | None) -> str:
        if self._auth.grant == "client_credentials":
            new = call_token_endpoint(
                self.account,
                self._settings,
                self._now,
                lambda session: session.fetch_token(
                    self._auth.token_url, grant_type="client_credentials", allow_redirects=False, timeout=(10, 20)
                ),
            )
        else:
            new = self._refresh(stored)
        version = stored.version if stored else 0
        if not self._store.save(self.account, new, expected=version):
            token = self._valid(self._load(), None)  # somebody connected the account anew meanwhile; theirs is newer
            if token is None:
                raise RetryLater(
                    "{account}: the token changed while it was refreshed", account=self.account, cause="oauth_lease"
                )
            return token
        self._cached = StoredToken(new, version + 1)
        return str(new["access_token"])

    def _refresh(self, stored: StoredToken | None) -> dict[str, Any]:
        if stored is None:
            raise self._reconnect(None, Sentence("nobody has consented yet"))
        refresh_token = stored.token.get("refresh_token")
        if not refresh_token:
            raise self._reconnect(stored, Sentence("the consent has expired"))
        if stored.version == self._revoked:
            raise self._reconnect(stored, Sentence("the consent was revoked or has expired"))
        try:
            return call_token_endpoint(  # keeps the old refresh token where the server answers no new one
                self.account,
                self._settings,
                self._now,
                lambda session: session.refresh_token(
                    self._auth.token_url, refresh_token=refresh_token, allow_redirects=False, timeout=(10, 20)
                ),
            )
        except ConfigError as error:
            if error.cause != "oauth_invalid_grant":
                raise
            raise self._reconnect(stored, Sentence("the consent was revoked or has expired")) from None

    def _reconnect(self, stored: StoredToken | None, why: Sentence) -> ConfigError:
        text = Sentence("{account}: {why}; run: mahnbridge connect {account}", account=self.account, why=why)
        self._revoked = stored.version if stored else None
        self._store.reconnect_needed(self.account, text)
        return ConfigError(text, cause="reconnect")
