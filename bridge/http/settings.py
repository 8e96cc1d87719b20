"""Settings of an account's HTTP session: where it speaks to, how it proves who it is, how patient and how fast it is."""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from bridge.errors import Wrong


def is_loopback(host: str | None) -> bool:
    """Tell whether `host` is this machine: localhost or a loopback address."""
    if host is None:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _url(value: str) -> str:
    if not _is_address(value):
        raise Wrong("{value!r} is no address; write https://host/path", value=value)
    parts = urlsplit(value)
    if parts.username or parts.password:
        raise Wrong("no user name or password in an address; use auth")
    if parts.query or parts.fragment:
        raise Wrong("{value!r} must have no ? or #", value=value)
    return value.rstrip("/")


def _is_address(value: str) -> bool:
    """Return whether this is an address of the web whose host and port there can be."""
    try:
        parts = urlsplit(value)
        host, _ = (parts.hostname or "").encode("idna"), parts.port
    except ValueError:
        return False
    plain = value.isprintable() and not any(sign.isspace() for sign in value)
    return plain and parts.scheme in ("https", "http") and bool(host)


def _safe_url(value: str) -> str:
    value = _url(value)
    parts = urlsplit(value)
    if parts.scheme != "https" and not is_loopback(parts.hostname):
        raise Wrong("{value!r} must be https (http only to this machine itself)", value=value)
    return value


def _header_name(value: str) -> str:
    if not value or not value.isascii() or not value.replace("-", "").replace("_", "").isalnum():
        raise Wrong("{value!r} is no header name; write a name such as X-Api-Key", value=value)
    return value


Url = Annotated[str, AfterValidator(_url)]
SafeUrl = Annotated[str, AfterValidator(_safe_url)]
HeaderName = Annotated[str, AfterValidator(_header_name)]


class _Block(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NoAuth(_Block):
    """No proof of who we are."""

    type: Literal["none"] = "none"


class TokenAuth(_Block):
    """A token in a header, alone or after a prefix, and further secret headers where the provider wants them."""

    type: Literal["token"] = "token"
    token: SecretStr = Field(description="The provider's token or key.")
    header: HeaderName = Field("Authorization", description="Header that carries the token.")
    prefix: str = Field("", description="Word before the token, such as Bearer; empty for the raw token.")
    headers: dict[HeaderName, SecretStr] = Field(
        default_factory=dict, description="Further secret headers, such as X-AppId and X-AppSecret."
    )


class BasicAuth(_Block):
    """User name and password (HTTP Basic)."""

    type: Literal["basic"] = "basic"
    user: str = Field(description="User name.")
    password: SecretStr = Field(description="Password.")


class OAuth2Auth(_Block):
    """OAuth 2.0, by authorization code with PKCE (`mahnbridge connect ACCOUNT`) or by client credentials."""

    type: Literal["oauth2"] = "oauth2"
    grant: Literal["authorization_code", "client_credentials"] = Field(
        "authorization_code",
        description="authorization_code: a person consents once; client_credentials: no person involved.",
    )
    client_id: str = Field(description="The client's id at the authorization server.")
    client_secret: SecretStr | None = Field(None, description="Empty for a public client.")
    authorize_url: SafeUrl | None = Field(None, description="Where the person consents; needed for authorization_code.")
    token_url: SafeUrl = Field(description="Where tokens are issued and refreshed.")
    scope: str = Field("", description="Scopes, separated by spaces.")
    client_auth: Literal["client_secret_basic", "client_secret_post", "none"] | None = Field(
        None,
        description="How the client proves itself at token_url; default: client_secret_basic, without a secret none.",
    )
    redirect_port: int = Field(0, ge=0, le=65535, description="Port of the loopback redirect; 0 takes a free one.")
    redirect_path: str = Field("/callback", pattern=r"^/[A-Za-z0-9/_-]*$", description="Path of the loopback redirect.")
    leeway_seconds: int = Field(60, ge=0, le=600, description="A token is refreshed so long before it expires.")
    headers: dict[HeaderName, SecretStr] = Field(
        default_factory=dict, description="Further secret headers on every call."
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.grant == "authorization_code" and self.authorize_url is None:
            raise Wrong("authorize_url is needed for grant authorization_code")
        if self.grant == "client_credentials" and self.client_secret is None:
            raise Wrong("client_secret is needed for grant client_credentials")
        return self

    @property
    def method(self) -> str:
        """Return how the client proves itself at the token endpoint."""
        return self.client_auth or ("client_secret_basic" if self.client_secret else "none")


Auth = Annotated[NoAuth | TokenAuth | BasicAuth | OAuth2Auth, Field(discriminator="type")]


class HttpSettings(_Block):
    """How one account is spoken to."""

    base_url: Url = Field(description="Where the account is spoken to: provider, gateway, proxy or sandbox.")
    auth: Auth = NoAuth()
    plain_http: bool = Field(False, description="Allow http to another machine, for a gateway in the own network.")
    private_network: bool = Field(
        False,
        description="Allow addresses of the own network (10.x, 192.168.x, this machine by another name); link-local ones never.",
    )
    connect_timeout: float = Field(10, gt=0, le=120, description="Seconds until a connection must stand.")
    read_timeout: float = Field(
        60, gt=0, le=600, description="Seconds without a byte until a call counts as timed out."
    )
    read_deadline: float = Field(180, gt=0, le=3600, description="Seconds that one read may take in all.")
    write_deadline: float = Field(
        90,
        gt=0,
        le=600,
        description="Seconds that one write may take in all; shorter than `delivery.settling_seconds`.",
    )
    attempts: int = Field(4, ge=1, le=10, description="How often a read is tried before it is given up for now.")
    pace: float = Field(4, gt=0, le=1000, description="Calls per second, at most.")
    reserve: int = Field(100, ge=0, le=10_000, description="Calls of a rate window that polling leaves to delivery.")
    reserve_share: float = Field(
        0.5, ge=0, le=0.9, description="At most this share of a window is held back for delivery."
    )
    largest_answer: int = Field(50_000_000, ge=1000, description="Bytes of the largest answer that is read.")
    longest_wait: float = Field(
        10, ge=0, le=300, description="Longest Retry-After in seconds that a read waits for by itself."
    )
    user_agent: str = Field("mahnbridge", min_length=1, description="User-Agent header.", pattern=r"^[\x20-\x7e]+$")
    proxy: Url | None = Field(None, description="Proxy for this account; default: that of the environment.")
    ca_file: Path | None = Field(None, description="File with the certificates to trust instead of the system's.")

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        parts = urlsplit(self.base_url)
        if parts.scheme != "https" and not self.plain_http and not is_loopback(parts.hostname):
            raise Wrong(
                "base_url {base_url!r} must be https (or set plain_http for a gateway in the own network)",
                base_url=self.base_url,
            )
        return self

    @property
    def secrets(self) -> tuple[str, ...]:
        """Return the secret values of this account, for redaction."""
        auth = self.auth
        found: list[SecretStr | None] = []
        if isinstance(auth, TokenAuth | OAuth2Auth):
            found += auth.headers.values()
        if isinstance(auth, TokenAuth):
            found.append(auth.token)
        elif isinstance(auth, BasicAuth):
            found.append(auth.password)
        elif isinstance(auth, OAuth2Auth):
            found.append(auth.client_secret)
        return tuple(secret.get_secret_value() for secret in found if secret is not None and secret.get_secret_value())
