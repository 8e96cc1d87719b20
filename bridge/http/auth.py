"""How an account proves who it is. A strategy per account, chosen in its settings; connectors do not know of it."""

import base64
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Protocol

import requests
from requests.auth import AuthBase

from bridge.errors import ConfigError
from bridge.http.oauth import OAuthTokens
from bridge.http.ports import TokenStore
from bridge.http.settings import BasicAuth, HttpSettings, OAuth2Auth, TokenAuth


class Credentials(Protocol):
    """The headers that prove who we are."""

    renewable: bool
    """A refused proof can be replaced without a person."""

    def headers(self, *, refused: Mapping[str, str] | None = None) -> Mapping[str, str]:
        """Return the headers; `refused` are those which the provider just did not accept. Raises `ConfigError`, `RetryLater`."""


class FixedCredentials:
    """Headers that never change: token, basic, none."""

    renewable = False

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def headers(self, *, refused: Mapping[str, str] | None = None) -> Mapping[str, str]:
        _ = refused
        return self._headers


class OAuthCredentials:
    """A bearer token that is refreshed in time."""

    renewable = True

    def __init__(self, tokens: OAuthTokens, extra: Mapping[str, str]) -> None:
        self._tokens = tokens
        self._extra = extra

    def headers(self, *, refused: Mapping[str, str] | None = None) -> Mapping[str, str]:
        old = refused["Authorization"].removeprefix("Bearer ") if refused else None
        return {"Authorization": "Bearer " + self._tokens.access_token(old), **self._extra}


class HeaderAuth(AuthBase):
    """Sets the headers on a request. Being set, it keeps `requests` from looking into a .netrc file."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._headers)
        return request


def credentials(
    account: str,
    settings: HttpSettings,
    store: TokenStore,
    *,
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
) -> Credentials:
    """Return the credentials that the account's settings describe. Raises `ConfigError` for one that no header can carry."""
    auth = settings.auth
    if isinstance(auth, TokenAuth):
        prefix = auth.prefix.strip() + " " if auth.prefix.strip() else ""
        token = {auth.header: prefix + auth.token.get_secret_value()}
        return FixedCredentials(_sendable(account, {**token, **_extra(auth)}))
    if isinstance(auth, BasicAuth):
        pair = f"{auth.user}:{auth.password.get_secret_value()}".encode()
        return FixedCredentials({"Authorization": "Basic " + base64.b64encode(pair).decode()})
    if isinstance(auth, OAuth2Auth):
        tokens = OAuthTokens(account, settings, store, now=now, sleep=sleep)
        return OAuthCredentials(tokens, _sendable(account, _extra(auth)))
    return FixedCredentials({})


def _extra(auth: TokenAuth | OAuth2Auth) -> dict[str, str]:
    return {name: value.get_secret_value() for name, value in auth.headers.items()}


def _sendable(account: str, headers: Mapping[str, str]) -> Mapping[str, str]:
    for name, value in headers.items():
        if not value.isascii() or not value.isprintable() or value != value.strip() or not value:
            raise ConfigError(
                "{account}: the secret for {name} is empty or has spaces around it or characters no header can carry",
                account=account,
                name=name,
            )
    return headers
