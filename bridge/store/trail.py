"""The audit trail (Prüfpfad): a hash chain over the journal, so that a changed, removed or inserted event is found.

Events are sealed in the order in which they are found, soon after they were stored: `seal.chain` is the SHA-256 of the chain before and
the event's digest. Whoever changes an event must change every later link too; the newest link, noted outside the database, shows it.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, func, insert, select, text, update

from bridge.store import evidence
from bridge.store.journal import digest_of_data, digest_of_event, instant_text
from bridge.store.tables import event, seal

START = hashlib.sha256(b"mahnbridge audit trail").hexdigest()
LATE = 100_000
"""How far back unsealed events are looked for: ids are given out in order, but transactions end in any."""

CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Head:
    """The newest link: how many events are sealed, and the chain up to there."""

    seq: int
    chain: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, and the event, link or decision it is about.

    Events are `changed`, `missing` or `erased` (without a record of it), links `link` or `cut`, decisions as `evidence.misfits` tells.
    `restored` is no fault: the event of a restore, after which links that were noted no longer fit.
    """

    what: str
    number: int
    kind: str = ""
    at: datetime | None = None


class Trail:
    """Table `seal`, and what it says about `event`; every method takes the connection of the caller's transaction first."""

    def head(self, conn: Connection) -> Head:
        """Return the newest link."""
        row = conn.execute(select(seal.c.seq, seal.c.chain).order_by(seal.c.seq.desc()).limit(1)).first()
        return Head(row.seq, row.chain) if row else Head(0, START)

    def complete(self, conn: Connection) -> bool:
        """Return whether the newest event is sealed: then, but for a transaction that was slow to end, all are."""
        return bool(conn.scalar(select(func.max(event.c.id))) == conn.scalar(select(func.max(seal.c.event_id))))

    def extend(self, conn: Connection) -> Head:
        """Seal the events that are not sealed yet, one sealer at a time; return the newest link."""
        if conn.dialect.name == "postgresql":
            conn.execute(text("lock table seal in exclusive mode"))
        head = self.head(conn)
        last = conn.scalar(select(func.max(seal.c.event_id))) or 0
        sealed = select(seal.c.event_id).where(seal.c.event_id == event.c.id)
        query = (
            select(event.c.id, event.c.digest).where(event.c.id > last - LATE, ~sealed.exists()).order_by(event.c.id)
        )
        rows, seq, chain = [], head.seq, head.chain
        for event_id, digest in conn.execute(query).all():
            seq, chain = seq + 1, linked(chain, digest)
            rows.append({"seq": seq, "event_id": event_id, "digest": digest, "chain": chain})
        for start in range(0, len(rows), CHUNK):
            conn.execute(insert(seal), rows[start : start + CHUNK])
        return Head(seq, chain)

    def check(self, conn: Connection, noted: Iterable[Head] = ()) -> Iterator[Problem]:
        """Yield everything that is wrong: events against their digests, these against the chain, that against every link `noted` outside, decisions against their events."""
        chain, expected, erased = START, 1, self._erased_before(conn)
        unmet = {(one.seq, one.chain) for one in noted if one.seq}
        restores: list[tuple[int, Problem]] = []
        for link, row in self._pairs(conn):
            if link["seq"] != expected or linked(chain, link["digest"]) != link["chain"]:
                yield Problem("link", link["seq"])
            chain, expected = link["chain"], link["seq"] + 1
            unmet.discard((link["seq"], chain))
            if row is not None and row["kind"] == RESTORED:
                restores.append((link["seq"], Problem("restored", row["id"], row["kind"], row["at"])))
            yield from _problems(link, row, erased)
        yield from _lost(sorted(seq for seq, _ in unmet), restores)
        yield from (Problem(what, number) for what, number in evidence.misfits(conn, erased))

    def waiting(self, conn: Connection) -> int:
        """Return how many events are not sealed yet."""
        sealed = select(seal.c.event_id).where(seal.c.event_id == event.c.id)
        return int(conn.scalar(select(func.count()).select_from(event).where(~sealed.exists())) or 0)

    def lines(self, conn: Connection) -> Iterator[dict[str, Any]]:
        """Yield every sealed event with its link, in the order of the chain, as JSON values; those about decisions with these.

        All that a digest is taken of is in it, as the text that it is taken of: `docs/operations.md` says how to take it again.
        """
        for link, row in self._pairs(conn):
            facts = {} if row is None else {name: _plain(value) for name, value in row.items()}
            if row is not None and row["kind"] == evidence.DECIDED:
                found = evidence.rows_of(conn, row["data"])
                facts["decisions"] = [{name: _plain(value) for name, value in one.items()} for one in found]
            told = {"seq": link["seq"], "chain": link["chain"], "sealed_digest": link["digest"], "id": link["event_id"]}
            yield {**told, **facts}

    def erase(self, conn: Connection, before: date) -> int:
        """Erase the data of events dated before `before`, and what their decisions say of people; the digests stay, and with them the chain.

        Return how many events.
        """
        old = event.c.business_date < before, event.c.salt.is_not(None), event.c.kind != ERASED
        evidence.erase(conn, conn.scalars(select(event.c.data).where(*old, event.c.kind == evidence.DECIDED)).all())
        return conn.execute(update(event).where(*old).values(data={}, salt=None)).rowcount

    def _erased_before(self, conn: Connection) -> date:
        found = evidence.read(conn, event, conn.scalars(select(event.c.id).where(event.c.kind == ERASED)))
        return max((_erasing(one["data"], one["business_date"]) for one in found.values()), default=date.min)

    def _pairs(self, conn: Connection) -> Iterator[tuple[RowMapping, Mapping[str, Any] | None]]:
        last = 0
        while True:
            links = (
                conn.execute(select(seal).where(seal.c.seq > last).order_by(seal.c.seq).limit(CHUNK)).mappings().all()
            )
            if not links:
                return
            ids = [link["event_id"] for link in links]
            rows = evidence.read(conn, event, ids)
            for link in links:
                yield link, rows.get(link["event_id"])
            last = links[-1]["seq"]


ERASED = "personal_data_erased"
"""Kind of the event that says before which day data was erased."""


RESTORED = "store_restored"
"""Kind of the event that says that the database was put back from a backup."""

KEPT_YEARS = 10
"""The journal documents the procedure: kept until the end of the tenth calendar year after the one of the event (HGB 257, AO 147)."""


def first_kept(today: date) -> date:
    """Return the first day whose events must still be kept."""
    return date(today.year - KEPT_YEARS, 1, 1)


def _erasing(data: Any, on: date) -> date:
    """Return before which day an event lets data be erased; one that claims more than could be over by its own date lets nothing."""
    try:
        before = date.fromisoformat(data["before"])
    except (KeyError, TypeError, ValueError):
        return date.min
    return before if before <= first_kept(on) else date.min


def _lost(unmet: Sequence[int], restores: Sequence[tuple[int, Problem]]) -> Iterator[Problem]:
    """Yield the first noted link that the chain no longer has, and the restores by which later ones were lost."""
    since = min((seq for seq, _ in restores), default=None)
    cut = [seq for seq in unmet if since is None or seq < since]
    if cut:
        yield Problem("cut", cut[0])
    yield from (told for seq, told in restores if unmet and unmet[-1] >= seq)


def linked(chain: str, digest: str) -> str:
    """Return the chain after one more digest."""
    return hashlib.sha256(f"{chain}{digest}".encode()).hexdigest()


def _problems(link: RowMapping, row: Mapping[str, Any] | None, erased: date) -> Iterator[Problem]:
    number = link["event_id"]
    if row is None:
        yield Problem("missing", number)
        return
    if row["kind"] is None:
        yield Problem("changed", number)
        return
    if row["salt"] is None:
        if row["data"] or row["business_date"] >= erased:
            yield Problem("erased", number, row["kind"], row["at"])
    elif digest_of_data(row["data"], row["salt"]) != row["data_digest"]:
        yield Problem("changed", number, row["kind"], row["at"])
        return
    if digest_of_event(dict(row), row["data_digest"]) != row["digest"] or row["digest"] != link["digest"]:
        yield Problem("changed", number, row["kind"], row["at"])


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant_text(value)
    return value.isoformat() if isinstance(value, date) else value
