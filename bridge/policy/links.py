"""The debtor's link (Antwortlink): one address per notice, signed and expiring, by which the debtor can answer. Pure.

A token is 36 bytes as base64url: 16 that name the notice, 4 with the last day (proleptic ordinal), 16 of an HMAC-SHA256 over both. The
name is itself made with the secret, so that neither can be guessed from an invoice number.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

_REF, _DAY, _MAC = 16, 4, 16
TOKEN_LENGTH = 48
"""Characters of a token."""


@dataclass(frozen=True, slots=True)
class Link:
    """The link of one notice: `ref` names it in the store, `url` goes into the mail, `until` is its last day (local date)."""

    ref: str
    url: str
    until: date


@dataclass(frozen=True, slots=True)
class Token:
    """What a genuine token says."""

    ref: str
    until: date


class Links:
    """Makes links under `base` that hold for `days`; the first of `secrets` signs, all of them are believed."""

    def __init__(self, base: str, secrets: Sequence[bytes], *, days: int) -> None:
        self._base = base.rstrip("/")
        self._secrets = tuple(secrets)
        self._days = days

    def of(self, key: str, today: date) -> Link:
        """Return the link of the notice with this unique key, made on `today`; the same for the same key and day."""
        secret = self._secrets[0]
        until = today + timedelta(days=self._days)
        ref = hmac.digest(secret, b"ref " + key.encode(), hashlib.sha256)[:_REF]
        body = ref + until.toordinal().to_bytes(_DAY)
        token = base64.urlsafe_b64encode(body + _mac(secret, body)).decode()
        return Link(ref.hex(), f"{self._base}/{token}", until)

    def read(self, token: str) -> Token | None:
        """Return what a token says, or None where it is none of ours; whether it has expired is for the caller to tell."""
        if len(token) != TOKEN_LENGTH or not token.isascii():
            return None
        try:
            raw = base64.b64decode(token, altchars=b"-_", validate=True)
            until = date.fromordinal(int.from_bytes(raw[_REF : _REF + _DAY]))
        except (binascii.Error, ValueError, OverflowError):
            return None
        body, mac = raw[: _REF + _DAY], raw[_REF + _DAY :]
        if not any(hmac.compare_digest(mac, _mac(secret, body)) for secret in self._secrets):
            return None
        return Token(body[:_REF].hex(), until)


def _mac(secret: bytes, body: bytes) -> bytes:
    return hmac.digest(secret, b"link " + body, hashlib.sha256)[:_MAC]


def with_link(template: str, body: str, url: str, language: str) -> str:
    """Return the text with a sentence that leads to the link, unless there is none or the plan's text names it itself."""
    if not url or "debtor_link" in template:
        return body
    if language == "de":
        return f"{body}\n\nSchon bezahlt, eine Frage oder ein Einwand? Antworten Sie uns hier, ohne Anmeldung:\n{url}"
    return f"{body}\n\nAlready paid, a question or an objection? Answer us here, without a login:\n{url}"
