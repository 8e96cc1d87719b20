"""Logging in to a mail server or mailbox with a token of OAuth 2.0, as the big hosters ask for it: XOAUTH2, or OAUTHBEARER (RFC 7628)."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from bridge.contract import ConfigError, TokenStore
from bridge.http import HttpSettings, MemoryTokens, OAuth2Auth
from bridge.http.oauth import OAuthTokens
from bridge.http.settings import SafeUrl

SMTP = "channels.smtp"
"""Where the log-in of the mail server stands in the configuration."""


class OAuthLogin(BaseModel):
    """Log-in with a token (OAuth 2.0) in place of a password: by client credentials, or with a refresh token."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token_url: SafeUrl = Field(description="Where tokens are issued and refreshed.")
    client_id: str = Field(min_length=1, description="The client's id at the authorization server.")
    client_secret: SecretStr | None = Field(None, description="Empty for a public client, which needs a refresh token.")
    refresh_token: SecretStr | None = Field(
        None, description="Issued once with a person's consent; empty: client credentials, no person involved."
    )
    scope: str = Field("", description="Scopes, separated by spaces.")


class Bearer:
    """The access tokens of one log-in: renewed in time, and kept with the refresh token that came last.

    `name` is where the log-in stands in the configuration; under it the tokens are kept, and told of.
    """

    def __init__(self, own: OAuthLogin, store: TokenStore | None, name: str = SMTP) -> None:
        self._own, self._name = own, name
        self._store = store or MemoryTokens(_now)
        auth = OAuth2Auth(
            grant="client_credentials" if own.refresh_token is None else "authorization_code",
            client_id=own.client_id,
            client_secret=own.client_secret,
            authorize_url=own.token_url,  # asked by nobody: the consent was given elsewhere
            token_url=own.token_url,
            scope=own.scope,
        )
        settings = HttpSettings(base_url=own.token_url, auth=auth)
        self._tokens = OAuthTokens(name, settings, self._store, now=_now, sleep=time.sleep)

    def token(self, refused: str | None = None) -> str:
        """Return a token that is valid for a while; `refused` is one that the mail server just did not accept.

        Raises `ConfigError` where a person must act, `RetryLater` where it may pass.
        """
        own = self._own.refresh_token
        if own is None:
            return self._tokens.access_token(refused)
        if self._store.load(self._name) is None:
            self._begin(own)
        try:
            return self._tokens.access_token(refused)
        except ConfigError as error:
            if error.cause != "reconnect":
                raise
        self._begin(own)  # the one kept from before is over; the configured one may be newer
        try:
            return self._tokens.access_token(refused)
        except ConfigError as error:
            if error.cause != "reconnect":
                raise
            raise ConfigError(
                "{name}: the refresh token is revoked or has expired; put a new one into {name}.oauth.refresh_token",
                name=self._name,
                cause="smtp_refresh_token",
            ) from error

    def _begin(self, refresh_token: SecretStr) -> None:
        given = {"refresh_token": refresh_token.get_secret_value(), "access_token": "", "expires_at": 0}
        self._store.save(self._name, given, expected=None)


def xoauth2(user: str, token: str) -> str:
    """Return the answer of XOAUTH2, as the big hosters define it."""
    return f"user={user}\x01auth=Bearer {token}\x01\x01"


def oauthbearer(user: str, token: str, host: str, port: int) -> str:
    """Return the answer of OAUTHBEARER (RFC 7628 section 3.1)."""
    name = user.replace("=", "=3D").replace(",", "=2C")
    return f"n,a={name},\x01host={host}\x01port={port}\x01auth=Bearer {token}\x01\x01"


def answers(mechanism: str, user: str, token: str, host: str, port: int) -> tuple[str, str]:
    """Return what is said first, and what ends the talk after a refusal, for XOAUTH2 or OAUTHBEARER."""
    if mechanism == "XOAUTH2":
        return xoauth2(user, token), ""
    return oauthbearer(user, token, host, port), "\x01"


def offered(mechanisms: Iterable[str]) -> str | None:
    """Return the mechanism to log in with among those that a server offers, or None."""
    upper = {one.upper() for one in mechanisms}
    return next((one for one in ("XOAUTH2", "OAUTHBEARER") if one in upper), None)


def _now() -> datetime:
    return datetime.now(UTC)
