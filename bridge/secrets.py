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
from bridge.files import replace

_VERSION = "v1"
_NONCE = 12
KEY_FILE = "secret.key"
PREVIOUS_FILE = "secret.key.previous"
"""Earlier keys of the file, newest first, one a line; they open what is not sealed anew yet, and prove links of earlier mails."""


@dataclass(frozen=True, slots=True, repr=False)
class _Key:
    id: str
    raw: bytes


class Vault:
    """Seals and opens secrets. The first key seals; the others only open, until everything was resealed."""

    def __init__(self, keys: Sequence[str], folder: Path | None = None) -> None:
        if not keys:
            raise ConfigError("no key to seal secrets with")
        self._keys = tuple(_key(text) for text in keys)
        self._folder = folder

    @classmethod
    def open(cls, folder: Path, key: str | None = None, previous: Sequence[str] = ()) -> "Vault":
        """Use `key`, else the key file in `folder`, which is made with mode 0600 where there is none.

        Raises `ConfigError` where the key is too short or others can read the key file.
        """
        if key is not None:
            return cls([key, *previous])
        return cls([*_of_files(folder), *previous], folder)

    @property
    def key_id(self) -> str:
        """Return the id of the key that seals."""
        return self._keys[0].id

    @property
    def earlier(self) -> tuple[str, ...]:
        """Return the ids of the keys that only open."""
        return tuple(key.id for key in self._keys[1:])

    @property
    def of_file(self) -> bool:
        """Return whether the key is the file's, not the configuration's."""
        return self._folder is not None

    def rotate(self) -> None:
        """Make a new key file; the key until now becomes an earlier one. A crash in between leaves both or the old one alone.

        Raises `ConfigError` where the key is the configuration's, or the files cannot be written.
        """
        if self._folder is None:
            raise ConfigError(
                "the key comes from keys.key; set a new one there and put the old one under keys.previous",
                cause="secret_key",
            )
        texts = _of_files(self._folder)
        _write(self._folder / PREVIOUS_FILE, texts)
        _write(self._folder / KEY_FILE, [new_key()])
        self._read_again()

    def forget(self) -> None:
        """Forget the earlier keys of the file: what they sealed opens no more. Raises as `rotate`."""
        if self._folder is None:
            raise ConfigError("earlier keys come from keys.previous; take them out there", cause="secret_key")
        (self._folder / PREVIOUS_FILE).unlink(missing_ok=True)
        self._keys = self._keys[:1]

    def _read_again(self) -> None:
        """Take the keys that another process may have made meanwhile."""
        if self._folder is not None:
            known = tuple(_key(text) for text in _of_files(self._folder))
            self._keys = (*known, *(key for key in self._keys if key not in known))

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
        key = self._find(key_id)
        if key is None:
            self._read_again()
            key = self._find(key_id)
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

    def _find(self, key_id: str) -> _Key | None:
        return next((one for one in self._keys if one.id == key_id), None)

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


def _key(text: str, place: str = "keys.key") -> _Key:
    """Read 32 bytes as base64, or derive them from a long text. Raises `ConfigError`, which names the place, where it is too short."""
    raw = b""
    try:
        raw = base64.b64decode(text.strip(), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 32:
        if len(text.strip()) < 32:
            raise ConfigError(
                "{place} is too short: write 32 bytes as base64, or a text of at least 32 characters",
                place=place,
                cause="secret_key",
            )
        raw = hashlib.sha256(b"mahnbridge key " + text.strip().encode("utf-8", "surrogateescape")).digest()
    return _Key(hashlib.sha256(b"mahnbridge key id " + raw).hexdigest()[:8], raw)


def new_key() -> str:
    """Return a fresh key as base64."""
    return base64.b64encode(os.urandom(32)).decode()


def _of_files(folder: Path) -> list[str]:
    """Return the keys of the data folder, the one that seals first; it is made where there is none."""
    first, earlier = _key_file(folder / KEY_FILE), folder / PREVIOUS_FILE
    texts = _existing(earlier).split() if earlier.exists() else []
    for path, text in ((folder / KEY_FILE, first), *((earlier, text) for text in texts)):
        _key(text, str(path))
    return [first, *(text for text in texts if text != first)]


def _write(path: Path, keys: Sequence[str]) -> None:
    """Put a file of keys in place, whole or not at all."""
    try:
        replace(path, "".join(f"{key}\n" for key in keys).encode(), mode=0o600)
    except OSError as error:
        raise ConfigError(
            "{path}: cannot be written: {strerror}", path=path, strerror=error.strerror, cause="secret_key"
        ) from error


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
