"""Recording of exchanges, for support and for replaying a fault: everything a provider said, nothing that opens its door.

The session redacts before it hands an exchange over; a recorder never sees a secret.
"""

import contextlib
import hashlib
import json
import os
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from bridge.http.redact import MASK, Redactor


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call and its answer, redacted. `error` says what went wrong on the wire; then there may be no answer."""

    account: str
    at: datetime
    seconds: float
    method: str
    url: str
    request_headers: Mapping[str, str]
    request_body: str
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    error: str | None = None


class Recorder(Protocol):
    """Keeps exchanges."""

    def record(self, exchange: Exchange) -> None:
        """Keep `exchange`; must not raise for want of space."""


def body_text(redactor: Redactor, content: bytes, content_type: str) -> str:
    """Return a body as redacted text; what is no text becomes its length and SHA-256."""
    if not content:
        return ""
    binary = re.match(r"(application/(pdf|zip|octet-stream)|image/|font/|multipart/)", content_type.strip().lower())
    try:
        text = None if binary else content.decode("utf-8")
    except UnicodeDecodeError:
        text = None
    if text is None:
        return f"({len(content)} bytes, SHA-256 {hashlib.sha256(content).hexdigest()})"
    return redactor.text(text)


class FileRecorder:
    """JSON lines in `folder`, one file per account and day (`http-ACCOUNT-YYYYMMDD.jsonl`), within a budget of bytes and days.

    The oldest files go first. Several processes may record into the same folder. A full disk loses recordings, not calls.
    """

    def __init__(
        self, folder: Path, *, largest: int = 100_000_000, days: int = 14, largest_body: int = 1_000_000
    ) -> None:
        self.folder = folder
        self._largest = largest
        self._days = days
        self._largest_body = largest_body
        self._lock = threading.Lock()
        self._since_tidy = largest
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)

    def record(self, exchange: Exchange) -> None:
        line = json.dumps(
            {
                "at": exchange.at.isoformat(),
                "account": exchange.account,
                "seconds": round(exchange.seconds, 3),
                "method": exchange.method,
                "url": exchange.url,
                "request_headers": dict(exchange.request_headers),
                "request_body": self._short(exchange.request_body),
                "status": exchange.status,
                "headers": dict(exchange.headers),
                "body": self._short(exchange.body),
                "error": exchange.error,
            },
            ensure_ascii=False,
        )
        data = line.encode("utf-8", "replace") + b"\n"
        safe = re.sub(r"[^A-Za-z0-9_-]", "_", exchange.account)
        path = self.folder / f"http-{safe}-{exchange.at:%Y%m%d}.jsonl"
        with self._lock, contextlib.suppress(OSError):
            self._tidy(len(data), exchange.at)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(handle, data)
            finally:
                os.close(handle)

    def _short(self, body: str) -> str:
        return body if len(body) <= self._largest_body else body[: self._largest_body] + f"… ({len(body)} characters)"

    def _tidy(self, coming: int, now: datetime) -> None:
        """Delete what is too old, and the oldest until the rest fits; looked at after every tenth of the budget."""
        self._since_tidy += coming
        if self._since_tidy < self._largest // 10:
            return
        self._since_tidy = 0
        oldest = f"{now - timedelta(days=self._days):%Y%m%d}"
        files = sorted(self.folder.glob("http-*.jsonl"), key=lambda path: path.stem[-8:])
        room = self._largest - self._largest // 10 - coming
        sizes = {path: path.stat().st_size for path in files}
        for path in files:
            if path.stem[-8:] < oldest or sum(sizes.values()) > room:
                path.unlink(missing_ok=True)
                del sizes[path]


__all__ = ["MASK", "Exchange", "FileRecorder", "Recorder", "body_text"]
