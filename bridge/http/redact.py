"""Redaction: secrets are taken out where text is made, before it reaches a log, an error or a recording.

`KNOWN` holds the secret values of this process (configured ones, and tokens as they are fetched); they are found as they are, and
URL-encoded, JSON-escaped, HTML-escaped, and in base64. Besides, values under telling names are taken out without being known.
"""

import base64
import html
import json
import re
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, quote_plus

from bridge.words import Sentence, quoted

MASK = "[redacted]"
_SHORTEST = 4
_REMEMBERED_TOKENS = 200
_DEEPEST = 64
TOO_DEEP = "[nested too deep]"
"""Stands for what lies below the 64th level of a structure: nobody reads it, and following it would run out of stack."""

_NAMES = (
    r"access_token|refresh_token|id_token|client_secret|client_assertion|code_verifier|api_?key|apikey|password|passwd|secret|token|"
    r"authorization|signature"
)
_SECRET_NAME = re.compile(rf"(?:{_NAMES}|cookie|credentials?)$|api[-_]?key", re.IGNORECASE)
_IN_QUERY = re.compile(rf"(?i)([?&;\s](?:{_NAMES})=|[?&](?:code|state)=)[^&\s\"'<>#]+")
_IN_FORM = re.compile(rf"(?i)\A((?:{_NAMES}|code|assertion)=)[^&\s]+")
_IN_JSON = re.compile(rf"(?i)(\"(?:{_NAMES})\"\s*:\s*\")(?:[^\"\\]|\\.)*(?=\")")
_IN_ESCAPED_JSON = re.compile(rf"(?i)(\\\"(?:{_NAMES})\\\"\s*:\s*\\\")[^\"\\]*(?=\\\")")
_IN_REPR = re.compile(rf"(?i)('(?:{_NAMES})'\s*:\s*')[^']*(?=')")
_UNDER_NAMES = (_IN_QUERY, _IN_FORM, _IN_JSON, _IN_ESCAPED_JSON, _IN_REPR)
_SCHEME = re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/-]{6,}=*")


def _base64_forms(secret: bytes) -> Iterable[str]:
    """Yield the part of every base64 text that contains `secret` at any offset which depends on `secret` alone."""
    for offset in range(3):
        padded = b"\0" * offset + secret
        encoded = base64.b64encode(padded).decode()
        start = (offset * 8 + 5) // 6
        end = len(padded) * 8 // 6
        inner = encoded[start:end]
        if len(inner) >= _SHORTEST + 2:
            yield inner
            yield inner.replace("+", "-").replace("/", "_")


def _forms(secret: str) -> set[str]:
    forms = {
        secret,
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        quote(secret, safe="").lower(),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        html.escape(secret),
        repr(secret)[1:-1],
    }
    forms.update(_base64_forms(secret.encode()))
    return {form for form in forms if len(form) >= _SHORTEST}


class Redactor:
    """Takes known secret values, and values under telling names, out of text and structures."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._fixed: set[str] = set()
        self._learned: deque[str] = deque(maxlen=_REMEMBERED_TOKENS)
        self._pattern: re.Pattern[str] | None = None
        self.add(*secrets)

    def add(self, *secrets: str) -> None:
        """Know these values from now on; shorter ones than four characters are no secrets and are ignored."""
        self._remember(secrets, self._fixed.add, self._fixed)

    def learn(self, *tokens: str) -> None:
        """Know these short-lived values too; the newest 200 are remembered."""
        self._remember(tokens, self._learned.append, self._learned)

    def _remember(self, values: Iterable[str], put: Any, known: Any) -> None:
        with self._lock:
            new = [value for value in values if len(value) >= _SHORTEST and value not in known]
            if not new:
                return
            for value in new:
                put(value)
            forms = sorted(
                {form for secret in (*self._fixed, *self._learned) for form in _forms(secret)}, key=len, reverse=True
            )
            self._pattern = re.compile("|".join(map(re.escape, forms)))

    def text(self, text: str) -> str:
        """Return `text` without secrets."""
        if self._pattern is not None:
            text = self._pattern.sub(MASK, text)
        for pattern in _UNDER_NAMES:
            text = pattern.sub(rf"\1{MASK}", text)
        return _SCHEME.sub(rf"\1 {MASK}", text)

    def headers(self, headers: Mapping[str, Any]) -> dict[str, str]:
        """Return header fields without secrets; those with a telling name keep only the name."""
        return {
            str(name): MASK if is_secret_name(str(name)) else self.text(str(value)) for name, value in headers.items()
        }

    def value(self, value: Any, *, levels: int = _DEEPEST) -> Any:
        """Return a structure (as it goes into a log line) without secrets, and without what lies deeper than so many levels."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, bytes | bytearray):
            return self.text(bytes(value).decode("utf-8", "replace"))
        if not levels and isinstance(value, Mapping | list | tuple | set | frozenset):
            return TOO_DEEP
        if isinstance(value, Mapping):
            return {
                self.value(str(key) if isinstance(key, tuple | frozenset) else key): MASK
                if isinstance(key, str) and isinstance(item, str) and is_secret_name(key)
                else self.value(item, levels=levels - 1)
                for key, item in value.items()
            }
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(item, levels=levels - 1) for item in value]
        if value is None or isinstance(value, bool | int | float):
            return value
        text = str(value)
        redacted = self.text(text)
        return value if redacted == text else redacted


def is_secret_name(name: str) -> bool:
    """Tell whether a header or field of this name carries a secret."""
    return bool(_SECRET_NAME.search(name))


KNOWN = Redactor()
"""The secrets of this process."""


def redact(value: Any) -> Any:
    """Return `value` (text or structure) without the secrets of this process."""
    return KNOWN.value(value)


def said_by(error: BaseException, *, named: bool = False) -> Sentence:
    """Return what an error says: one of ours in its words, another one quoted without secrets, with `named` behind its name."""
    known = getattr(error, "sentence", None)
    if isinstance(known, Sentence):
        return known
    return quoted(KNOWN.text(f"{type(error).__name__}: {error}" if named else str(error)))
