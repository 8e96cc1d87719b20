"""Secrets at rest: AES-256-GCM, bound to the account they belong to, with the key's id in the record so that keys can change.

A record is `v1.<key id>.<nonce and sealed text, base64url>`. It opens only with that key and for that account: a token moved to
another account's row does not open.
"""

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bridge.errors import ConfigError

_VERSION = "v1"
_NONCE = 12
KEY_FILE = "secret.key"


@dataclass(frozen=True, slots=True, repr=False)
class _Key:
    id: str
    raw: bytes


class Vault:
    """Seals and opens secrets. The first key seals; the others only open, until everything was resealed."""

    def __init__(self, keys: Sequence[str]) -> None:
        if not keys:
            raise ConfigError("no key to seal secrets with")
        self._keys = tuple(_key(text) for text in keys)

    @classmethod
    def open(cls, folder: Path, key: str | None = None, previous: Sequence[str] = ()) -> "Vault":
        """Use `key`, else the key file in `folder`, which is made with mode 0600 where there is none.

        Raises `ConfigError` where the key is too short or others can read the key file.
        """
        return cls([key or _key_file(folder / KEY_FILE), *previous])

    def seal(self, account: str, text: str) -> str:
        """Return `text` sealed for `account`."""
        key, nonce = self._keys[0], os.urandom(_NONCE)
        sealed = AESGCM(key.raw).encrypt(nonce, text.encode(), _bound_to(account))
        return f"{_VERSION}.{key.id}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def unseal(self, account: str, record: str) -> str:
        """Return the text of `record`. Raises `ConfigError` where the key is unknown, or the record is not this account's."""
        version, _, rest = record.partition(".")
        key_id, _, body = rest.partition(".")
        if version != _VERSION:
            raise ConfigError(
                "the secret of account {account} has an unknown format", account=account, cause="secret_format"
            )
        key = next((one for one in self._keys if one.id == key_id), None)
        if key is None:
            raise ConfigError(
                "the secret of account {account} was sealed with key {key_id}, which is not configured; put it under keys.previous or run `mahnbridge connect {account}` again",
                account=account,
                key_id=key_id,
                cause="secret_key",
            )
        try:
            raw = base64.urlsafe_b64decode(body.encode())
            return AESGCM(key.raw).decrypt(raw[:_NONCE], raw[_NONCE:], _bound_to(account)).decode()
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise ConfigError(
                "the secret of account {account} was changed or belongs to another account",
                account=account,
                cause="secret_broken",
            ) from error

    def derived(self, purpose: str) -> tuple[bytes, ...]:
        """Return 32 bytes of each key for one other purpose, the newest key's first; they tell nothing about the key."""
        return tuple(hmac.digest(key.raw, f"mahnbridge {purpose}".encode(), hashlib.sha256) for key in self._keys)

    def reseal(self, account: str, record: str) -> str | None:
        """Return `record` sealed with the newest key, or None where it already is. Raises as `unseal`."""
        if record.startswith(f"{_VERSION}.{self._keys[0].id}."):
            return None
        return self.seal(account, self.unseal(account, record))


def _bound_to(account: str) -> bytes:
    return f"mahnbridge:{account}".encode()


def _key(text: str) -> _Key:
    """Read 32 bytes as base64, or derive them from a long text."""
    raw = b""
    try:
        raw = base64.b64decode(text.strip(), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 32:
        if len(text.strip()) < 32:
            raise ConfigError(
                "keys.key is too short: write 32 bytes as base64, or a text of at least 32 characters",
                cause="secret_key",
            )
        raw = hashlib.sha256(b"mahnbridge key " + text.strip().encode()).digest()
    return _Key(hashlib.sha256(b"mahnbridge key id " + raw).hexdigest()[:8], raw)


def new_key() -> str:
    """Return a fresh key as base64."""
    return base64.b64encode(os.urandom(32)).decode()


def _key_file(path: Path) -> str:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _existing(path)
    except OSError as error:
        raise ConfigError(
            "{path}: cannot be written: {strerror}", path=path, strerror=error.strerror, cause="secret_key"
        ) from error
    key = new_key()
    with os.fdopen(handle, "w") as file:
        file.write(key + "\n")
        file.flush()
        os.fsync(file.fileno())
    return key


def _existing(path: Path) -> str:
    try:
        mode = path.stat().st_mode
        text = path.read_text("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("{path}: cannot be read", path=path, cause="secret_key") from error
    if mode & 0o077:
        raise ConfigError("{path}: others can read this key; run: chmod 600 {path}", path=path, cause="secret_key")
    if not text:
        raise ConfigError("{path}: the key file is empty", path=path, cause="secret_key")
    return text
