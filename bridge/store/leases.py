"""Leases: one owner at a time, across threads, processes and machines, on the technical clock.

Names in use: `scheduler`, `pull:ACCOUNT`, `dun`, `deliver:ACCOUNT`, `token:ACCOUNT`. A lease that its owner does not renew ends by
itself; one whose process has died on this machine is taken over at once.
"""

import os
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Connection, Engine

from bridge.errors import AlreadyRunning
from bridge.store.tables import lease
from bridge.words import NOTHING, Sentence


def new_owner() -> str:
    """Return a name for one holder: host, process, and what tells it from every other one."""
    return f"{socket.gethostname()[:36]}:{os.getpid()}:{secrets.token_hex(6)}"


class Held:
    """A lease that is held."""

    def __init__(self, leases: "Leases", name: str, owner: str, seconds: float) -> None:
        self._leases = leases
        self.name = name
        self.owner = owner
        self._seconds = seconds

    def renew(self, conn: Connection) -> None:
        """Prolong it, in the transaction that depends on it. Raises `AlreadyRunning` where somebody else has taken it over."""
        if not self._leases.renew(conn, self.name, self.owner, self._seconds):
            raise AlreadyRunning(
                "{name} was taken over by another process, because this one was too slow", name=self.name
            )


class Leases:
    """All leases."""

    def __init__(self, engine: Engine, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._now = now

    def acquire(self, conn: Connection, name: str, owner: str, seconds: float) -> bool:
        """Take the lease if it is free, has expired, or is `owner`'s already; return whether it is `owner`'s now."""
        now = self._now()
        insert = postgresql_insert(lease) if conn.dialect.name == "postgresql" else sqlite_insert(lease)
        statement = insert.values(name=name, owner=owner, until=now + timedelta(seconds=seconds)).on_conflict_do_update(
            index_elements=[lease.c.name],
            set_={"owner": insert.excluded.owner, "until": insert.excluded.until},
            where=or_(lease.c.until <= now, lease.c.owner == owner),
        )
        return conn.execute(statement.returning(lease.c.name)).first() is not None

    def renew(self, conn: Connection, name: str, owner: str, seconds: float) -> bool:
        """Prolong the lease if it is still `owner`'s, even when it has just expired; return whether it is."""
        until = self._now() + timedelta(seconds=seconds)
        return (
            conn.execute(update(lease).where(lease.c.name == name, lease.c.owner == owner).values(until=until)).rowcount
            == 1
        )

    def release(self, conn: Connection, name: str, owner: str) -> None:
        """Give the lease back, if it is still `owner`'s."""
        conn.execute(delete(lease).where(lease.c.name == name, lease.c.owner == owner))

    def holder(self, conn: Connection, name: str) -> tuple[str, datetime] | None:
        """Return owner and end of a lease that has not expired."""
        row = conn.execute(
            select(lease.c.owner, lease.c.until).where(lease.c.name == name, lease.c.until > self._now())
        ).first()
        return None if row is None else (row.owner, row.until)

    def alive(self, conn: Connection, name: str) -> str:
        """Return the process that holds a lease; nothing where it has expired, or its process has died on this machine."""
        found = self.holder(conn, name)
        return "" if found is None or _died_here(found[0]) else found[0].rpartition(":")[0]

    @contextmanager
    def holding(self, name: str, *, seconds: float, what: Sentence = NOTHING) -> Iterator[Held]:
        """Hold a lease for the block. Raises `AlreadyRunning` with the holder where it is taken; `what` names the work for people."""
        owner = new_owner()
        with self._engine.begin() as conn:
            if not self.acquire(conn, name, owner, seconds):
                holder = self.holder(conn, name)
                dead = holder is not None and _died_here(holder[0])
                if dead and holder is not None:
                    self.release(conn, name, holder[0])
                if not dead or not self.acquire(conn, name, owner, seconds):
                    raise AlreadyRunning("{what} is already running{holder}", what=what or name, holder=_by(holder))
        try:
            yield Held(self, name, owner, seconds)
        finally:
            with self._engine.begin() as conn:
                self.release(conn, name, owner)


def _by(holder: tuple[str, datetime] | None) -> Sentence:
    if holder is None:
        return Sentence("")
    owner, until = holder
    host, _, rest = owner.partition(":")
    return Sentence(
        " (process {process} on {host}, until {until} UTC at the latest)",
        process=rest.partition(":")[0],
        host=host,
        until=f"{until:%H:%M:%S}",
    )


def _died_here(owner: str) -> bool:
    """Tell whether the holder was a process of this machine that no longer exists."""
    host, _, rest = owner.partition(":")
    pid = rest.partition(":")[0]
    if host != socket.gethostname()[:36] or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
