"""The queue of steps: what is due, who holds it, what is known of its call. The states are in `bridge.store.states`."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, exists, func, or_, select, update

from bridge.errors import WrongState
from bridge.model import Act, Proof, Snapshot
from bridge.store.records import FailureGroup, Step
from bridge.store.states import SETTLED, move_step, state_words
from bridge.store.tables import Instant, notice, notice_claim, step
from bridge.words import NOTHING, Sentence

FINISHING = frozenset({Act.MARK_SENT, Act.NOTE, Act.TAG, Act.CUSTOMER_NOTE, Act.COMPLETE})
_FREE: dict[str, Any] = {"lease_until": None}
_UNCALLED: dict[str, Any] = {"lease_until": None, "started_at": None, "acted_at": None}
"""How much of an error's text is kept."""


def _due() -> Select[Any]:
    """Return the statement behind `Steps.next_due`."""
    other, mine, theirs = step.alias(), notice_claim.alias(), notice_claim.alias()
    discard = step.c.act == Act.DISCARD.value
    beside = other.join(theirs, theirs.c.notice_id == other.c.notice_id).join(
        mine, mine.c.claim_id == theirs.c.claim_id
    )
    leftover = and_(other.c.act == Act.DISCARD.value, other.c.state.not_in(sorted(SETTLED)))
    busy = exists(
        select(1)
        .select_from(beside)
        .where(mine.c.notice_id == step.c.notice_id, other.c.notice_id != step.c.notice_id)
        .where(or_(other.c.state.in_(("sending", "unclear")), leftover))
    )
    return (
        select(step)
        .join(notice, notice.c.id == step.c.notice_id)
        .where(step.c.account == bindparam("account_name"), step.c.state == "queued")
        .where(or_(step.c.not_before.is_(None), step.c.not_before <= bindparam("now", type_=Instant())))
        .where(or_(discard, and_(notice.c.state.in_(("queued", "waiting", "landed")), ~busy)))
        .where(step.c.id.not_in(bindparam("skip", expanding=True)))
        .order_by(discard.desc(), step.c.not_before.asc().nulls_first(), step.c.notice_id, step.c.seq)
        .limit(1)
    )


_DUE = _due()


@dataclass(frozen=True, slots=True)
class Proved:
    """What became of a proof: the state that the step is in now, and whether a person must be told."""

    state: str
    alarm: bool = False
    text: Sentence = NOTHING


class Steps:
    """Claims, leases, calls and proofs of single steps."""

    # ------------------------------------------------------------------------------------------------------- reading

    def get(self, conn: Connection, step_id: int, *, lock: bool = False) -> Step:
        """Return one step, with `lock` held until the end of the transaction. Raises `WrongState` where there is none."""
        query = select(step).where(step.c.id == step_id)
        row = conn.execute(query.with_for_update() if lock else query).mappings().one_or_none()
        if row is None:
            raise WrongState("there is no step {step_id}", step_id=step_id)
        return Step.from_row(row)

    def of_notice(self, conn: Connection, notice_id: int, *, lock: bool = False) -> list[Step]:
        """Return the steps of a notice in their order; with `lock` nobody claims one of them until the end of the transaction."""
        query = select(step).where(step.c.notice_id == notice_id).order_by(step.c.seq)
        rows = conn.execute(query.with_for_update() if lock else query).mappings()
        return [Step.from_row(row) for row in rows]

    def next_due(self, conn: Connection, account: str, now: datetime, *, skip: Collection[int] = ()) -> Step | None:
        """Return the step of `account` to do next, or None.

        Deleting drafts comes first, what had to wait after a fault last: one invoice that cannot be looked at holds up no other. A step of a notice waits while another notice's call on one of its claims is under way or
        unclear, or a draft of ours on it is still to be deleted: what the provider holds would not be what was decided on.
        """
        told = {"account_name": account, "now": now, "skip": sorted(skip)}
        row = conn.execute(_DUE, told).mappings().one_or_none()
        return Step.from_row(row) if row else None

    def unclear_due(self, conn: Connection, account: str, now: datetime, *, skip: Collection[int] = ()) -> Step | None:
        """Return an unclear step whose settling time has passed, or None."""
        query = (
            select(step)
            .where(step.c.account == account, step.c.state == "unclear", step.c.id.not_in(sorted(skip)))
            .where(or_(step.c.not_before.is_(None), step.c.not_before <= now))
            .order_by(step.c.id)
            .limit(1)
        )
        row = conn.execute(query).mappings().one_or_none()
        return Step.from_row(row) if row else None

    def next_wake(self, conn: Connection, account: str) -> datetime | None:
        """Return the earliest instant (technical clock) at which a waiting, leased or unclear step wants attention."""
        wake = func.min(func.coalesce(step.c.not_before, step.c.lease_until))
        query = select(wake).where(step.c.account == account, step.c.state.in_(("queued", "sending", "unclear")))
        return conn.scalar(query)

    def failures(self, conn: Connection, *, account: str | None = None) -> list[Step]:
        """Return what stopped: parked and unclear steps, and queued ones that a fault sent back."""
        query = select(step).where(
            or_(step.c.state.in_(("parked", "unclear")), and_(step.c.state == "queued", step.c.cause.is_not(None)))
        )
        if account is not None:
            query = query.where(step.c.account == account)
        return [Step.from_row(row) for row in conn.execute(query.order_by(step.c.id)).mappings()]

    def failures_by_cause(self, conn: Connection, *, account: str | None = None) -> list[FailureGroup]:
        """Return the failures grouped by account, act, state and cause, with one error text each."""
        stopped = or_(
            step.c.state.in_(("parked", "unclear")), and_(step.c.state == "queued", step.c.cause.is_not(None))
        )
        keys = (step.c.account, step.c.act, step.c.state, step.c.cause)
        query = select(*keys, func.count(), func.max(step.c.error)).where(stopped).group_by(*keys).order_by(*keys)
        if account is not None:
            query = query.where(step.c.account == account)
        return [
            FailureGroup(
                account=row[0], act=Act(row[1]), state=row[2], cause=row[3] or "", count=row[4], example=row[5] or ""
            )
            for row in conn.execute(query)
        ]

    def busy_invoices(self, conn: Connection, account: str) -> set[str]:
        """Return the invoices for which a call is under way, unclear or parked: a new reminder seen there may be our own."""
        query = (
            select(notice_claim.c.invoice_id)
            .distinct()
            .join(step, step.c.notice_id == notice_claim.c.notice_id)
            .where(step.c.account == account, step.c.state.in_(("sending", "unclear", "parked")))
        )
        return set(conn.scalars(query))

    # ------------------------------------------------------------------------------------------------- claim and call

    def claim(self, conn: Connection, step_id: int, owner: str, *, now: datetime, until: datetime) -> None:
        """Claim a queued step for `owner` until the lease ends (edge a). Raises `WrongState` where somebody was faster."""
        due = or_(step.c.not_before.is_(None), step.c.not_before <= now)
        move_step(conn, step_id, "a", due, lease_owner=owner, lease_until=until, updated_at=now)

    def start(
        self,
        conn: Connection,
        step_id: int,
        owner: str,
        *,
        now: datetime,
        acted_at: datetime,
        lasts_until: datetime,
        baseline: Sequence[Snapshot],
    ) -> None:
        """Record that the one call begins; from here on it may have been written.

        Raises `WrongState` where the claim is lost or its lease ends before `lasts_until`.
        """
        changed = conn.execute(
            update(step)
            .where(step.c.id == step_id, step.c.state == "sending", step.c.lease_owner == owner)
            .where(step.c.lease_until >= lasts_until, step.c.started_at.is_(None))
            .values(
                started_at=now,
                acted_at=acted_at,
                attempts=step.c.attempts + 1,
                baseline=[snapshot.model_dump(mode="json") for snapshot in baseline],
                updated_at=now,
            )
        )
        if changed.rowcount != 1:
            raise WrongState("the claim on step {step_id} was lost before the call", step_id=step_id)

    def release(
        self,
        conn: Connection,
        step_id: int,
        owner: str,
        *,
        now: datetime,
        not_before: datetime | None,
        cause: str | None,
        error: Sentence | None,
    ) -> None:
        """Give a step back to the queue because certainly nothing was written (edge d, or h where the lease had expired)."""
        self._end(
            conn,
            step_id,
            owner,
            ("d", "h"),
            **_UNCALLED,
            not_before=not_before,
            cause=cause,
            error=error,
            updated_at=now,
        )

    def park(
        self,
        conn: Connection,
        step_id: int,
        owner: str,
        *,
        now: datetime,
        cause: str,
        error: Sentence,
        written: bool = False,
    ) -> None:
        """Leave a step to a person (edge c, or g where the lease had expired); without `written` nothing was done."""
        values = _FREE if written else _UNCALLED
        self._end(
            conn,
            step_id,
            owner,
            ("c", "g"),
            **values,
            not_before=None,
            cause=cause,
            error=error,
            updated_at=now,
        )

    def lose(
        self,
        conn: Connection,
        step_id: int,
        owner: str,
        *,
        now: datetime,
        not_before: datetime,
        cause: str,
        error: Sentence,
    ) -> None:
        """Record that the answer was lost (edge e); `find` is asked from `not_before` on."""
        mine = step.c.lease_owner == owner
        values = {"not_before": not_before, "cause": cause, "error": error, "looks": 0, "updated_at": now}
        move_step(conn, step_id, "e", mine, **_FREE, **values)

    def _end(self, conn: Connection, step_id: int, owner: str, edges: tuple[str, str], **values: Any) -> None:
        """End the owner's claim, by the second edge where it had expired into `unclear` and nobody else holds it."""
        mine = step.c.lease_owner == owner
        try:
            move_step(conn, step_id, edges[0], mine, **values)
        except WrongState:
            move_step(conn, step_id, edges[1], mine, **values)

    def prove(
        self,
        conn: Connection,
        step_id: int,
        owner: str | None,
        proof: Proof,
        *,
        now: datetime,
        wrong: Sentence | None = None,
    ) -> Proved:
        """Store a proof, whatever has become of the step meanwhile; a proof is never thrown away.

        Sending by its owner, unclear or parked: done (edges b, f, l), or parked with the proof where it proves something `wrong`.
        Given back, dropped or claimed again: parked with an alarm (edge k). Already proven: nothing changes; another record at the
        provider than the proven one is an alarm.
        """
        found = self.get(conn, step_id, lock=True)
        values = {"proof": proof.model_dump(mode="json"), "proved_at": now, "updated_at": now, **_FREE}
        mine = found.state == "sending" and found.lease_owner == owner
        if found.proof is not None and not mine:
            return Proved(found.state, alarm=found.proof.provider_id != proof.provider_id)
        if mine or found.state == "unclear":
            if wrong is not None:
                move_step(conn, step_id, "c" if mine else "g", **values, cause="mismatch", error=wrong, not_before=None)
                return Proved("parked", text=wrong)
            move_step(conn, step_id, "b" if mine else "f", **values, cause=None, error=None, not_before=None)
            return Proved("done")
        if found.state == "parked":
            move_step(conn, step_id, "l", **values, cause=None, error=None)
            return Proved("done")
        text = Sentence(
            "the answer came after the step was given up or queued again ({state}); it may have been done twice",
            state=state_words(found.state),
        )
        move_step(conn, step_id, "k", **values, lease_owner=None, cause="late_proof", error=text)
        return Proved("parked", alarm=True, text=text)

    # ---------------------------------------------------------------------------------------------------- after a loss

    def expired(self, conn: Connection, account: str, now: datetime) -> list[Step]:
        """Return the steps whose lease has ended while they were being sent."""
        query = select(step).where(step.c.account == account, step.c.state == "sending", step.c.lease_until < now)
        return [Step.from_row(row) for row in conn.execute(query.order_by(step.c.id)).mappings()]

    def expire(self, conn: Connection, step_id: int, *, now: datetime, not_before: datetime) -> str:
        """End an expired lease: unclear if the call had begun (edge e), else queued (edge d). Return the new state."""
        over = step.c.lease_until < now
        try:
            move_step(conn, step_id, "d", over, step.c.started_at.is_(None), **_FREE, lease_owner=None, updated_at=now)
        except WrongState:
            values = {"not_before": not_before, "looks": 0, "cause": "lease_expired", "updated_at": now}
            text = Sentence("the process that made the call did not come back")
            move_step(conn, step_id, "e", over, step.c.started_at.is_not(None), **_FREE, error=text, **values)
            return "unclear"
        return "queued"

    def look_again(
        self,
        conn: Connection,
        found: Step,
        *,
        now: datetime,
        not_before: datetime,
        counted: bool,
        cause: str,
        error: Sentence,
    ) -> None:
        """Note that `find` saw nothing (`counted`) or did not answer, and ask again at `not_before`."""
        changed = conn.execute(
            update(step)
            .where(step.c.id == found.id, step.c.state == "unclear", step.c.looks == found.looks)
            .values(
                looks=found.looks + int(counted),
                not_before=not_before,
                cause=cause,
                error=error,
                updated_at=now,
            )
        )
        if changed.rowcount != 1:
            raise WrongState("step {found_id} is no longer unclear", found_id=found.id)

    def absent(self, conn: Connection, found: Step, *, now: datetime) -> None:
        """Queue an unclear step again after its absence was proven (edge h). Raises `WrongState` for acts that reach the debtor."""
        if found.reaches_debtor:
            raise WrongState("the absence of {act} can not be proven", act=found.act)
        same = step.c.looks == found.looks
        text = "the provider certainly does not hold it"
        move_step(
            conn,
            found.id,
            "h",
            same,
            **_UNCALLED,
            lease_owner=None,
            not_before=None,
            cause="absent",
            error=text,
            updated_at=now,
        )
        self._undoubted(conn, found.id)

    def give_up(self, conn: Connection, found: Step, *, now: datetime, cause: str, error: Sentence) -> None:
        """Leave an unclear step to a person (edge g)."""
        same = step.c.looks == found.looks
        move_step(conn, found.id, "g", same, **_FREE, not_before=None, cause=cause, error=error, updated_at=now)

    def doubt(self, conn: Connection, found: Step, *, since: datetime, now: datetime) -> None:
        """Take a step of a restored store as one whose answer was lost, because it may have been done since the backup (edge u).

        One whose turn has not come is marked by `started_at`, and doubted when it comes; one that is unclear is asked about anew.
        """
        called = {"started_at": since, "acted_at": found.acted_at or since}
        if found.state == "waiting":
            conn.execute(update(step).where(step.c.id == found.id).values(**called, updated_at=now))
            return
        text = Sentence("the database was restored from a backup; it may have been done since")
        values = {"not_before": None, "looks": 0, "cause": "restored", "error": text, "updated_at": now, **_FREE}
        if found.state == "unclear":
            conn.execute(update(step).where(step.c.id == found.id).values(values))
        else:
            move_step(conn, found.id, "u", lease_owner=None, **(called | values))

    def _undoubted(self, conn: Connection, step_id: int) -> None:
        """Take the doubt off what comes after a step that was not done, as long as the notice has not gone out: it was not done either."""
        mine = select(step.c.notice_id).where(step.c.id == step_id).scalar_subquery()
        on_its_way = exists(select(1).where(notice.c.id == mine, notice.c.state.in_(("queued", "parked"))))
        conn.execute(
            update(step)
            .where(step.c.notice_id == mine, step.c.state == "waiting", on_its_way)
            .values(started_at=None, acted_at=None)
        )

    # ---------------------------------------------------------------------------------------------------- for people

    def accept(self, conn: Connection, step_id: int, proof: Proof, *, now: datetime) -> None:
        """Take a parked step as done, on a person's word or a proof found for them (edge p)."""
        values = {"proof": proof.model_dump(mode="json"), "proved_at": now, "updated_at": now, "not_before": None}
        move_step(conn, step_id, "p", **values, cause=None, error=None)

    def requeue(self, conn: Connection, step_id: int, *, now: datetime) -> None:
        """Queue a parked step again because it certainly, or by a person's word, did not go out (edge q)."""
        values = {**_UNCALLED, "lease_owner": None, "not_before": None, "attempts": 0, "looks": 0, "proof": None}
        move_step(conn, step_id, "q", **values, cause=None, error=None, updated_at=now)
        self._undoubted(conn, step_id)

    def hurry(self, conn: Connection, step_id: int, *, now: datetime) -> None:
        """Let a queued step that waits after a fault be tried at once."""
        conn.execute(
            update(step).where(step.c.id == step_id, step.c.state == "queued").values(not_before=None, updated_at=now)
        )

    def discard(self, conn: Connection, step_id: int, *, now: datetime) -> None:
        """Leave a parked step undone for good (edge x)."""
        move_step(conn, step_id, "x", updated_at=now)
