"""What the HTTP session needs to remember, as protocols: the store implements them, a test may use the in-memory ones.

Every method is one short transaction of its own; instants are aware UTC on the technical clock.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from bridge.words import Sentence


@dataclass(frozen=True, slots=True)
class StoredToken:
    """An OAuth token as the server answered it (`access_token`, `refresh_token`, `expires_at` in epoch seconds) and its version."""

    token: Mapping[str, Any]
    version: int

    def __repr__(self) -> str:
        return f"StoredToken(version={self.version})"


class TokenStore(Protocol):
    """OAuth tokens, one per account, encrypted at rest, with a lease so that only one worker refreshes."""

    def load(self, account: str) -> StoredToken | None:
        """Return the newest token; None before `mahnbridge connect`."""

    def save(self, account: str, token: Mapping[str, Any], *, expected: int | None) -> bool:
        """Store `token` as version `expected` + 1 if the stored version is still `expected` (0: none stored); None: in any case.

        Returns False, and changes nothing, where somebody else has stored a newer one. A stored token sets the account's state
        from `reconnect` back to `ok`.
        """

    def acquire(self, account: str, owner: str, ttl: timedelta) -> bool:
        """Take the lease `token:ACCOUNT` for `owner` if it is free, expired, or its own."""

    def release(self, account: str, owner: str) -> None:
        """Give the lease back if `owner` still holds it."""

    def reconnect_needed(self, account: str, text: Sentence) -> None:
        """Set the account's state to `reconnect` with `text` for people: consent was revoked or has expired."""


@dataclass(frozen=True, slots=True)
class Rate:
    """The rate budget of an account, as far as it is known. All None: nothing is known, calls are free.

    `remaining` calls are left until `reset_at`; before `blocked_until` no call is made at all (429); `next_at` is the earliest
    instant of the next call under the account's pace.
    """

    remaining: int | None = None
    limit: int | None = None
    reset_at: datetime | None = None
    blocked_until: datetime | None = None
    next_at: datetime | None = None


class RateStore(Protocol):
    """Rate budgets, one per account, shared by all threads and processes."""

    def load(self, account: str) -> Rate:
        """Return what is known; `Rate()` for an account that never called. Takes no write lock."""

    def update(self, account: str, change: Callable[[Rate], Rate]) -> Rate:
        """Replace the stored rate by `change(stored)` in one transaction and return the new one. `change` is quick and pure."""


class MemoryTokens:
    """Token store of one process, for tests and trials."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._tokens: dict[str, StoredToken] = {}
        self._leases: dict[str, tuple[str, datetime]] = {}
        self._lock = threading.Lock()
        self.states: dict[str, str] = {}

    def load(self, account: str) -> StoredToken | None:
        with self._lock:
            return self._tokens.get(account)

    def save(self, account: str, token: Mapping[str, Any], *, expected: int | None) -> bool:
        with self._lock:
            stored = self._tokens.get(account)
            version = stored.version if stored else 0
            if expected not in (None, version):
                return False
            self._tokens[account] = StoredToken(dict(token), version + 1)
            self.states.pop(account, None)
            return True

    def acquire(self, account: str, owner: str, ttl: timedelta) -> bool:
        with self._lock:
            holder, until = self._leases.get(account, ("", self._now()))
            if holder not in ("", owner) and until > self._now():
                return False
            self._leases[account] = (owner, self._now() + ttl)
            return True

    def release(self, account: str, owner: str) -> None:
        with self._lock:
            if self._leases.get(account, ("",))[0] == owner:
                del self._leases[account]

    def reconnect_needed(self, account: str, text: Sentence) -> None:
        with self._lock:
            self.states[account] = text


class MemoryRates:
    """Rate store of one process, for tests and trials."""

    def __init__(self) -> None:
        self._rates: dict[str, Rate] = {}
        self._lock = threading.Lock()

    def load(self, account: str) -> Rate:
        with self._lock:
            return self._rates.get(account, Rate())

    def update(self, account: str, change: Callable[[Rate], Rate]) -> Rate:
        with self._lock:
            self._rates[account] = changed = change(self._rates.get(account, Rate()))
            return changed
