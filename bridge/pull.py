"""Reading one account (Abgleich): provider -> store, resumable at every point.

Batches are written in small groups, each in one transaction with the cursor behind it; a crash means the same batches again and the
same rows. Groups that change nothing are not written at all; where reading stands is then noted now and then, and at the end.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from bridge.contract import BadRecord, Batch, BridgeError, ConfigError, Connector, Ref, Reject, RetryLater, Snapshot
from bridge.errors import AlreadyRunning
from bridge.http import said_by
from bridge.model import Cursor
from bridge.store import Store
from bridge.store.accounts import OK, RECONNECT, STOPPED, UNREACHABLE, Account, Totals
from bridge.store.engine import explained
from bridge.store.foreign import watch
from bridge.store.leases import Held
from bridge.store.stopping import change_state, note_jump
from bridge.store.upsert import Written
from bridge.words import Sentence

LEASE_SECONDS = 600.0
"""How long a pull that was killed keeps others out; renewed with every group written."""

GROUP = 500
"""Records written in one transaction."""

GROUP_SECONDS = timedelta(seconds=2)
"""Longest time that records which were read wait to be written."""

NOTED_EVERY = 10_000
"""Listed invoices, all unchanged, after which it is noted where reading stands."""

BERLIN = ZoneInfo("Europe/Berlin")
LOOKS = 50
"""Missing invoices looked at in one go."""

_NOT_AN_OUTAGE = frozenset({"http_429", "rate_budget", "rate_pace", "oauth_lease", "token_renewed"})


class Port(Protocol):
    """One account as reading sees it."""

    @property
    def name(self) -> str:
        """Name of the account."""

    @property
    def connector(self) -> Connector:
        """What speaks to its provider."""


@dataclass(frozen=True, slots=True)
class JumpLimits:
    """By how many per cent open count and total of an account may move between two pulls before a person is asked.

    Accounts with fewer than `small` open invoices before and after are not judged: there every invoice is a jump. `left` are accounts
    that the configuration lost: one that is read for the first time may be such a one under another name.
    """

    count_percent: int = 30
    total_percent: int = 50
    small: int = 20
    left: tuple[str, ...] = ()


class Outcome(StrEnum):
    """How a pull ended: read to the end; a person must act; the provider does not answer; the provider asks to wait."""

    DONE = "done"
    STOPPED = "stopped"
    UNREACHABLE = "unreachable"
    WAITING = "waiting"


@dataclass(slots=True)
class Counts:
    """What a pull read, and what of it was new or changed. `looked` were missing from a complete listing, `gone` of those unknown."""

    batches: int = 0
    records: int = 0
    debtors: int = 0
    invoices: int = 0
    payments: int = 0
    notices: int = 0
    rejects: int = 0
    resolved: int = 0
    looked: int = 0
    gone: int = 0

    def add(self, written: Written) -> None:
        """Add what one group changed."""
        for name in ("debtors", "invoices", "payments", "notices", "rejects", "resolved"):
            setattr(self, name, getattr(self, name) + getattr(written, name))


@dataclass(frozen=True, slots=True)
class PullResult:
    """What one pull did. `outage_began` and `recovered` are true once each, at the pull where it turned."""

    account: str
    run_id: int
    outcome: Outcome
    counts: Counts
    open: Totals = field(default_factory=dict)
    jump: Mapping[str, Any] | None = None
    full: bool = False
    cause: str | None = None
    error: Sentence | None = None
    retry_after: timedelta | None = None
    outage_began: bool = False
    recovered: bool = False


def pull(
    store: Store,
    port: Port,
    *,
    business_date: date,
    actor: str = "mahnbridge",
    full: bool = False,
    limits: JumpLimits | None = None,
    zone: ZoneInfo = BERLIN,
    progress: Callable[[int | None, int | None], None] | None = None,
    begun: Callable[[int, Cursor | None], None] = lambda _run, _cursor: None,
) -> PullResult:
    """Read one account into the store; with `full` from the beginning.

    A provider that fails ends in the result, and in the account's state; everything read until then is kept. `progress` is told
    how many records are read, of how many, where the provider says so; `begun` the id of the run and where it begins. Raises `AlreadyRunning` where this account is being read.
    """
    with store.leases.holding(
        f"pull:{port.name}", seconds=LEASE_SECONDS, what=Sentence("reading account {account}", account=port.name)
    ) as lease:
        with store.begin() as conn:
            store.mirror.accounts.ensure(conn, port.name, port.connector.name)
            before = store.mirror.accounts.get(conn, port.name)
            run_id = store.runs.start(conn, "pull", actor=actor, on=business_date, at=store.now(), account=port.name)
        reading, began = _Reading(store, port, business_date, lease, progress), store.now()
        begun(run_id, None if full else before.cursor)
        try:
            reading.run(None if full else before.cursor)
        except AlreadyRunning as error:
            _broken_off(store, run_id, reading, error.cause, error.sentence)
            raise
        except BridgeError as error:
            return _failed(store, before, run_id, reading, error)
        except BaseException as error:
            fault = explained(error)
            cause, text = (fault.cause, fault.sentence) if fault else ("crash", said_by(error, named=True))
            _broken_off(store, run_id, reading, cause, text)
            raise
        if before.pulled_at is not None and reading.counts.notices and not before.writing_suspended:
            watch(store, before.name, run_id, began=began, zone=zone, today=business_date)
        return _done(store, before, run_id, reading, limits or JumpLimits())


def approve_jump(store: Store, account: str, *, actor: str, business_date: date, at: datetime) -> bool:
    """Accept the jump that holds an account, so that it is dunned again; return whether one waited. `at` is a business instant."""
    with store.begin() as conn:
        waited = store.mirror.accounts.approve_jump(conn, account)
        if waited:
            _release(store, conn, account)
            store.journal.record(conn, "jump_approved", at=at, on=business_date, actor=actor, account=account)
    return waited


def _release(store: Store, conn: Connection, account: str) -> None:
    """Let no run wait for the approval of a jump that holds no longer."""
    for run in store.runs.listing(conn, kind="pull", states=("waiting",)):
        if run.account == account:
            store.runs.approved(conn, run.id)


def jump(before: Totals | None, now: Totals, limits: JumpLimits) -> dict[str, Any] | None:
    """Return what moved further than the limits allow, as JSON values; None if nothing did, or there is nothing to compare with."""
    if before is None:
        return {"left": [*limits.left]} if limits.left and now else None
    counts = sum(count for count, _ in before.values()), sum(count for count, _ in now.values())
    if max(counts) < limits.small:
        return None
    moved: dict[str, Any] = {}
    if _beyond(Decimal(counts[0]), Decimal(counts[1]), limits.count_percent):
        moved["count"] = list(counts)
    for currency in sorted({*before, *now}):
        old, new = (totals.get(currency, (0, Decimal("0.00")))[1] for totals in (before, now))
        if _beyond(old, new, limits.total_percent):
            moved[currency] = [str(old), str(new)]
    return moved or None


def _beyond(before: Decimal, now: Decimal, percent: int) -> bool:
    return abs(now - before) * 100 > abs(before) * percent


class _Reading:
    """The state of one pull."""

    def __init__(
        self,
        store: Store,
        port: Port,
        business_date: date,
        lease: Held,
        progress: Callable[[int | None, int | None], None] | None,
    ) -> None:
        self._store = store
        self._mirror = store.mirror
        self._account = port.name
        self._connector = port.connector
        self.date = business_date
        self._lease = lease
        self._progress = progress
        self._renewed = store.now()
        self._group: list[Batch] = []
        self._since: datetime | None = None
        self._listed: list[str] = []  # of groups that changed nothing, not noted yet
        self._behind: Batch | None = None  # the last such group's end
        self.counts = Counts()
        self.full = False

    def run(self, cursor: Cursor | None) -> None:
        self._begin(fresh=cursor is None)
        try:
            for batch in self._connector.pull(cursor):
                self._take(batch)
        except AlreadyRunning:
            raise
        except BridgeError:
            self._write_group(noting=True)
            raise
        self._write_group(noting=True)
        if self.full:
            self._judge()

    def _begin(self, *, fresh: bool) -> None:
        with self._store.begin() as conn:
            if fresh:
                self._mirror.listing.start(conn, self._account)
                return
            left = self._mirror.listing.complete(conn, self._account)
        if left:  # a listing was complete, but the process ended before what it lacked was looked at
            self._judge()

    # ------------------------------------------------------------------------------------------------------- batches

    def _take(self, batch: Batch) -> None:
        self.counts.batches += 1
        self._group.append(batch)
        now = self._store.now()
        self._since = self._since or now
        if batch.complete or _size(self._group) >= GROUP or now - self._since >= GROUP_SECONDS:
            self._write_group(noting=batch.complete)
        if self._progress is not None:
            self._progress(batch.done, batch.total)

    def _write_group(self, *, noting: bool) -> None:
        """Write what the group changed; where it stands too, if anything changed, or `noting`, or much has been read since."""
        group, self._group, self._since = self._group, [], None
        if group:
            self._behind = joined(group)
            self._listed.extend(_listed(group))
            self.full = self.full or self._behind.complete
        if self._behind is None:
            return
        with self._store.begin() as conn:
            written = self._mirror.write(
                conn,
                self._account,
                joined(group) if group else Batch(cursor=self._behind.cursor),
                business_date=self.date,
                now=self._store.now(),
            )
            if written.rows or noting or len(self._listed) >= NOTED_EVERY:
                self._note(conn, self._behind)
            elif self._store.now() - self._renewed > timedelta(seconds=LEASE_SECONDS / 4):
                self._renew(conn)
        self.counts.records += _size(group)
        self.counts.add(written)

    def _note(self, conn: Connection, behind: Batch) -> None:
        self._renew(conn)
        self._mirror.accounts.read(conn, self._account, behind.cursor, behind.payments_as_of)
        if self._listed or behind.complete:
            self._mirror.listing.add(conn, self._account, self._listed, complete=behind.complete)
        self._listed, self._behind = [], None

    def _renew(self, conn: Connection) -> None:
        self._lease.renew(conn)
        self._renewed = self._store.now()

    # ------------------------------------------------------------------------------------- what a full listing lacks

    def _judge(self) -> None:
        """Look at every stored open invoice that the complete listing lacks: paid, cancelled, or gone."""
        with self._mirror.listing.missing(self._store.engine, self._account, at_once=LOOKS) as missing:
            for refs in missing:
                snapshots, rejects = self._look(refs)
                with self._store.begin() as conn:
                    self._renew(conn)
                    self.counts.add(
                        self._mirror.write_looks(
                            conn,
                            self._account,
                            snapshots,
                            rejects=rejects,
                            business_date=self.date,
                            now=self._store.now(),
                        )
                    )
                self.counts.looked += len(refs)
                self.counts.gone += sum(not snapshot.found for snapshot in snapshots)
        with self._store.begin() as conn:
            self._mirror.listing.start(conn, self._account)

    def _look(self, refs: Sequence[Ref]) -> tuple[list[Snapshot], list[Reject]]:
        try:
            return list(self._connector.look(refs)), []
        except BadRecord as error:
            if len(refs) == 1:
                return [], [_set_aside(refs[0], error)]
        snapshots, rejects = [], []
        for ref in refs:  # one of them does not fit: find out which
            found, bad = self._look([ref])
            snapshots += found
            rejects += bad
        return snapshots, rejects


def joined(group: Sequence[Batch]) -> Batch:
    """Return several batches in a row as one."""
    if len(group) == 1:
        return group[0]
    last = group[-1]
    as_of = [batch.payments_as_of for batch in group if batch.payments_as_of is not None]
    return last.model_copy(
        update={
            name: tuple(record for batch in group for record in getattr(batch, name))
            for name in ("debtors", "invoices", "payments", "notices", "rejects")
        }
        | {"complete": any(batch.complete for batch in group), "payments_as_of": as_of[-1] if as_of else None}
    )


def _size(group: Sequence[Batch]) -> int:
    return sum(len(b.debtors) + len(b.invoices) + len(b.payments) + len(b.notices) + len(b.rejects) for b in group)


def _listed(group: Sequence[Batch]) -> Iterator[str]:
    """Yield what full listings had; an invoice that did not fit was listed too."""
    for batch in group:
        if batch.full:
            yield from (one.id for one in batch.invoices)
            yield from (
                one.provider_id for one in batch.rejects if one.kind == "invoice" and one.provider_id is not None
            )


def _set_aside(ref: Ref, error: BadRecord) -> Reject:
    raw = f'{{"id": "{ref.id}"}}'
    return Reject(
        kind="invoice",
        provider_id=ref.id,
        field=error.field,
        value=error.value,
        reason=error.reason,
        source="look",
        raw=raw,
    )


# ---------------------------------------------------------------------------------------------------------- the ending


def _done(store: Store, before: Account, run_id: int, reading: _Reading, limits: JumpLimits) -> PullResult:
    accounts, name = store.mirror.accounts, before.name
    with store.begin() as conn:
        totals = accounts.totals(conn, name)
        moved = jump(before.open_totals, totals, limits)
        accounts.pulled(conn, name, at=store.now(), full=reading.full, totals=None if moved else totals, jump=moved)
        at, on = store.now(), reading.date
        state = change_state(store, conn, name, OK, at=at, on=on, run_id=run_id)
        note_jump(store, conn, name, before.held_jump, moved, at=at, on=on, run_id=run_id)
        if before.held_jump and not moved:
            _release(store, conn, name)
        store.history.keep_totals(conn, name, reading.date)
        store.runs.end(
            conn,
            run_id,
            at=store.now(),
            state="waiting" if moved else "done",
            counts=asdict(reading.counts),
            cause="jump" if moved else None,
        )
    return PullResult(
        name, run_id, Outcome.DONE, reading.counts, totals, moved, reading.full, recovered=state == UNREACHABLE
    )


def _failed(store: Store, before: Account, run_id: int, reading: _Reading, error: BridgeError) -> PullResult:
    accounts, name = store.mirror.accounts, before.name
    outcome = _outcome(error)
    with store.begin() as conn:
        was = accounts.get(conn, name).state
        state = UNREACHABLE if outcome is Outcome.UNREACHABLE else None
        if outcome is Outcome.STOPPED and was != RECONNECT:
            state = RECONNECT if error.cause == "reconnect" else STOPPED
        if state is not None:
            change_state(store, conn, name, state, error.sentence, at=store.now(), on=reading.date, run_id=run_id)
        store.runs.end(
            conn,
            run_id,
            at=store.now(),
            state="failed",
            counts=asdict(reading.counts),
            cause=error.cause,
            error=error.sentence,
        )
    return PullResult(
        name,
        run_id,
        outcome,
        reading.counts,
        full=reading.full,
        cause=error.cause,
        error=error.sentence,
        retry_after=error.after if isinstance(error, RetryLater) else None,
        outage_began=outcome is Outcome.UNREACHABLE and before.state != UNREACHABLE,
    )


def _broken_off(store: Store, run_id: int, reading: _Reading, cause: str, text: Sentence) -> None:
    with store.begin() as conn:
        counts = asdict(reading.counts)
        store.runs.end(conn, run_id, at=store.now(), state="failed", counts=counts, cause=cause, error=text)


def _outcome(error: BridgeError) -> Outcome:
    if isinstance(error, ConfigError):
        return Outcome.STOPPED
    return Outcome.WAITING if error.cause in _NOT_AN_OUTAGE else Outcome.UNREACHABLE
