"""OAuth tokens at rest: sealed, one per account, replaced only by whoever knew the newest version."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Connection, Engine

from bridge.errors import ConfigError
from bridge.http import StoredToken
from bridge.store.accounts import OK, RECONNECT
from bridge.store.engine import reader
from bridge.store.leases import Leases
from bridge.store.tables import account as accounts
from bridge.store.tables import token as tokens
from bridge.words import Sentence


class Cipher(Protocol):
    """Seals texts for one account, so that they open for that account only. `bridge.secrets.Vault` is one."""

    def seal(self, account: str, text: str) -> str:
        """Return `text` sealed for `account`."""

    def unseal(self, account: str, record: str) -> str:
        """Return the text of `record`. Raises `ConfigError`."""

    def reseal(self, account: str, record: str) -> str | None:
        """Return `record` sealed with the newest key, or None where it already is. Raises as `unseal`."""


class Tokens:
    """The token store that `bridge.http` asks for."""

    def __init__(self, engine: Engine, now: Callable[[], datetime], leases: Leases, cipher: Cipher | None) -> None:
        self._engine = engine
        self._reader = reader(engine)
        self._now = now
        self._leases = leases
        self._cipher = cipher

    def load(self, account: str) -> StoredToken | None:
        """Return the newest token; None before `mahnbridge connect`. Raises `ConfigError` where it cannot be opened."""
        with self._reader.begin() as conn:
            row = conn.execute(select(tokens.c.sealed, tokens.c.version).where(tokens.c.account == account)).first()
        if row is None:
            return None
        return StoredToken(json.loads(self._sealing().unseal(account, row.sealed)), row.version)

    def save(self, account: str, token: Mapping[str, Any], *, expected: int | None) -> bool:
        """Store `token` as the next version if the stored one is still `expected` (0: none stored); None: in any case.

        Returns False, and changes nothing, where somebody else has stored a newer one.
        """
        sealed = self._sealing().seal(account, json.dumps(dict(token)))
        with self._engine.begin() as conn:
            if not self._replace(conn, account, sealed, expected):
                return False
            conn.execute(
                update(accounts)
                .where(accounts.c.name == account, accounts.c.state == RECONNECT)
                .values(state=OK, state_text="")
            )
        return True

    def _replace(self, conn: Connection, account: str, sealed: str, expected: int | None) -> bool:
        now = self._now()
        if expected:
            changed = update(tokens).where(tokens.c.account == account, tokens.c.version == expected)
            return conn.execute(changed.values(sealed=sealed, version=expected + 1, updated_at=now)).rowcount == 1
        insert = postgresql_insert(tokens) if conn.dialect.name == "postgresql" else sqlite_insert(tokens)
        first = insert.values(account=account, sealed=sealed, version=1, updated_at=now)
        if expected == 0:
            return conn.execute(first.on_conflict_do_nothing().returning(tokens.c.version)).first() is not None
        conn.execute(
            first.on_conflict_do_update(
                index_elements=[tokens.c.account],
                set_={"sealed": sealed, "version": tokens.c.version + 1, "updated_at": insert.excluded.updated_at},
            )
        )
        return True

    def reseal(self) -> tuple[int, int]:
        """Seal every token with the newest key; return how many were sealed anew, and how many open with no key that is known."""
        with self._reader.begin() as conn:
            rows = conn.execute(select(tokens.c.account, tokens.c.sealed)).all()
        done = lost = 0
        for row in rows:
            try:
                sealed = self._sealing().reseal(row.account, row.sealed)
            except ConfigError:
                lost += 1
                continue
            if sealed is not None:
                same = tokens.c.account == row.account, tokens.c.sealed == row.sealed
                with self._engine.begin() as conn:
                    done += conn.execute(update(tokens).where(*same).values(sealed=sealed)).rowcount
        return done, lost

    def acquire(self, account: str, owner: str, ttl: timedelta) -> bool:
        """Take the lease `token:ACCOUNT` for `owner` if it is free, expired, or its own."""
        with self._engine.begin() as conn:
            return self._leases.acquire(conn, f"token:{account}", owner, ttl.total_seconds())

    def release(self, account: str, owner: str) -> None:
        """Give the lease back if `owner` still holds it."""
        with self._engine.begin() as conn:
            self._leases.release(conn, f"token:{account}", owner)

    def reconnect_needed(self, account: str, text: Sentence) -> None:
        """Set the account's state to `reconnect` with `text` for people."""
        with self._engine.begin() as conn:
            conn.execute(update(accounts).where(accounts.c.name == account).values(state=RECONNECT, state_text=text))

    def _sealing(self) -> Cipher:
        if self._cipher is None:
            raise ConfigError("tokens can only be kept with a key to seal them", cause="secret_key")
        return self._cipher
