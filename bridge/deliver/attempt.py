"""One step, once: claim it, look, re-check, call, prove. What each error means is decided here and nowhere else."""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

import structlog
from sqlalchemy import Connection

from bridge.contract import (
    Attachment,
    BadAnswer,
    BridgeError,
    CannotTell,
    Channel,
    ConfigError,
    NotSupported,
    Proof,
    Reason,
    Ref,
    Refused,
    RetryLater,
    Snapshot,
    Unclear,
    WriteBack,
)
from bridge.deliver.call import Result, within
from bridge.deliver.landing import Landing
from bridge.deliver.ports import AccountPort, Desk, HoldLike, stop_account
from bridge.deliver.writing import LOOKED, claim_of, proving, refs, write_back
from bridge.errors import WrongState
from bridge.http import said_by
from bridge.http.recorder import as_told, note, of_step, went_well
from bridge.policy.words import told
from bridge.store.engine import DatabaseFault
from bridge.store.records import Notice, Step
from bridge.words import NOTHING, Sentence

log = structlog.get_logger("bridge.deliver")

_LONGEST_WAIT = timedelta(hours=1)
_PREPARED_CALLS = 6
"""Provider calls that one step may need: a look with its lists, the act, and what is read back."""


class Outcome(StrEnum):
    """What became of an attempt. After `WAIT`, `HELD` and `STOPPED` the account is left alone for now."""

    DONE = "done"
    PARKED = "parked"
    UNCLEAR = "unclear"
    DROPPED = "dropped"
    RELEASED = "released"
    LOST = "lost"
    WAIT = "wait"
    HELD = "held"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Ended:
    """How an attempt ended, and why."""

    outcome: Outcome
    text: Sentence = NOTHING
    after: timedelta | None = None
    reason: Reason | None = None
    alarm: bool = False
    landed: int = 0
    cause: str = ""


@dataclass(frozen=True, slots=True)
class _Ready:
    snapshots: Mapping[str, Snapshot]
    files: Sequence[tuple[Attachment, bytes]]


class Attempt:
    """One worker's attempt at one step."""

    def __init__(self, desk: Desk, port: AccountPort, step: Step) -> None:
        self._desk, self._port, self._step = desk, port, step
        self._store, self._outbox, self._steps = desk.store, desk.store.outbox, desk.store.outbox.steps
        self._owner = secrets.token_hex(8)
        self._until = desk.store.now()
        self._claimed_at = desk.ticks()
        self._landing = Landing(desk, port)

    def run(self) -> Ended:
        """Do the step as far as it goes. Nothing escapes but the end of the process."""
        with of_step(self._step.id), self._port.http.delivering():
            try:
                self._port.http.prepare(_PREPARED_CALLS)
            except RetryLater as error:
                return Ended(Outcome.WAIT, error.sentence, after=error.after, cause=error.cause)
            except ConfigError as error:
                return self._stop_account(error)
            if not self._claim():
                return Ended(Outcome.LOST)
            ended = self._claimed()
        if not ended.cause:
            went_well(self._step.id)
        log.info("step", id=self._step.id, act=self._step.act, account=self._port.name, outcome=ended.outcome)
        return ended

    # ------------------------------------------------------------------------------------------------ before the call

    def _claim(self) -> bool:
        self._claimed_at, now = self._desk.ticks(), self._store.now()
        self._until = now + self._port.settings.lease
        try:
            with self._store.begin() as conn:
                self._steps.claim(conn, self._step.id, self._owner, now=now, until=self._until)
        except WrongState:
            return False
        return True

    def _claimed(self) -> Ended:
        try:
            ready = self._prepare()
        except RetryLater as error:
            self._release(error, error.after)
            return Ended(Outcome.WAIT, error.sentence, after=error.after, cause=error.cause)
        except ConfigError as error:
            self._release(error, timedelta(0))
            return self._stop_account(error)
        except BridgeError as error:
            return self._park(error.cause, error.sentence)
        except Exception as error:  # noqa: BLE001  a mistake in a connector parks this step, visibly, and stops nothing else
            return self._park(f"unexpected_{type(error).__name__}", said_by(error))
        try:
            begun = self._begin(ready)
        except DatabaseFault:
            raise
        except Exception as error:  # noqa: BLE001  a look that the rules stumble over parks this step; its transaction is undone
            return self._park(f"unexpected_{type(error).__name__}", said_by(error))
        return begun if isinstance(begun, Ended) else self._call(begun, ready)

    def _prepare(self) -> _Ready:
        """Look at all claims, and fetch or make what goes with the step."""
        if self._step.channel is not None and self._step.channel not in self._desk.channels:
            raise NotSupported("there is no channel {channel} any more", channel=self._step.channel, cause="no_channel")
        if self._step.act not in LOOKED:
            return _Ready({}, ())
        with self._store.reading() as conn:
            notice = self._outbox.get(conn, self._step.notice_id)
        claim = claim_of(notice, self._step)
        alone = notice.state == "landed" and claim is not None
        wanted = refs([claim] if alone and claim else notice.claims)
        if not alone:
            wanted += [Ref.invoice(one.invoice_id, one.number) for one in notice.mentioned]
        note("look", lambda: {"refs": [one.model_dump(mode="json") for one in wanted]})
        snapshots = {taken.invoice_id: taken for taken in self._port.connector.look(wanted)}
        missing = [one.id for one in wanted if one.id not in snapshots]
        if missing:
            raise BadAnswer("the look at invoice {missing} was not answered", missing=missing[0])
        files = self._desk.files(notice, self._step, snapshots) if self._step.channel else ()
        return _Ready(snapshots, files)

    def _begin(self, ready: _Ready) -> WriteBack | Ended:
        """Re-check everything on the fresh snapshots and record that the call begins: one transaction."""
        settings = self._port.settings
        try:
            with self._store.begin() as conn:
                notice = self._outbox.get(conn, self._step.notice_id, lock=True)
                now = self._store.now()
                stopped = self._recheck(conn, notice, ready)
                if stopped is not None:
                    return stopped
                self._steps.start(
                    conn,
                    self._step.id,
                    self._owner,
                    now=now,
                    acted_at=self._port.now(),
                    lasts_until=now + settings.needed,
                    baseline=list(ready.snapshots.values()),
                )
                begun = write_back(notice, self._steps.get(conn, self._step.id))
        except WrongState as error:
            return self._give_back(error.sentence)
        if self._used_up():
            return self._give_back(Sentence("the lease would end during the call"))
        return begun

    def _used_up(self) -> bool:
        """Return whether a slow disk or a paused machine left too little of the lease, by the clock or by the seconds that passed."""
        settings = self._port.settings
        passed = timedelta(seconds=self._desk.ticks() - self._claimed_at)
        return self._store.now() + settings.needed > self._until or passed + settings.needed > settings.lease

    def _recheck(self, conn: Connection, notice: Notice, ready: _Ready) -> Ended | None:
        """Return how the attempt ends because something speaks against the call, or None; inside the transaction that begins it."""
        reason = self._desk.rules.gate(conn, self._port.name)
        if reason is not None:
            self._steps.release(conn, self._step.id, self._owner, now=self._store.now(), **_held(reason))
            return Ended(Outcome.HELD, told(reason), reason=reason)
        if self._step.act not in LOOKED or notice.state == "landed":
            return None
        if not self._approved(conn, notice):
            self._steps.release(
                conn, self._step.id, self._owner, now=self._store.now(), **_held(Reason.APPROVAL_PENDING)
            )
            self._outbox.reopen(conn, notice.id)
            self._landing.unapproved(conn, notice)
            why = Sentence("the approval does not fit what is stored")
            return Ended(Outcome.DROPPED, _named(notice, None, why), reason=Reason.APPROVAL_PENDING)
        today = self._port.today()
        for invoice_id, hold in self._holds(conn, notice, ready.snapshots, today):
            if hold.reason is Reason.UNREADABLE:
                return self._unreadable(conn, notice, hold.text)
            self._store.mirror.write_looks(
                conn, notice.account, ready.snapshots.values(), business_date=today, now=self._store.now()
            )
            self._landing.drop(conn, notice, reason=hold.reason, text=hold.text, invoice_id=invoice_id)
            return Ended(Outcome.DROPPED, _named(notice, invoice_id, hold.text), reason=hold.reason)
        return None

    def _holds(
        self, conn: Connection, notice: Notice, looked: Mapping[str, Snapshot], today: date
    ) -> Iterator[tuple[str, HoldLike]]:
        """Yield what speaks against the notice as a whole, with the invoice that it is about."""
        rules = self._desk.rules
        for claim in notice.claims:
            hold = rules.recheck(conn, notice, claim, looked[claim.invoice_id], today)
            if hold is not None:
                yield claim.invoice_id, hold
        for one in notice.mentioned:
            hold = rules.recheck_mention(notice, one, looked[one.invoice_id], today)
            if hold is not None:
                yield one.invoice_id, hold

    def _unreadable(self, conn: Connection, notice: Notice, text: Sentence) -> Ended:
        """Park what cannot be judged: dropped, it would be decided anew every day and end here again."""
        cause = Reason.UNREADABLE.value
        now = self._store.now()
        self._steps.park(conn, self._step.id, self._owner, now=now, cause=cause, error=text, written=False)
        self._landing.parked(conn, notice, self._step, cause=cause, text=text)
        return Ended(Outcome.PARKED, text, reason=Reason.UNREADABLE, cause=cause)

    def _approved(self, conn: Connection, notice: Notice) -> bool:
        """Return whether what is stored is what a person approved, or needs no approval and is what was decided."""
        stored = self._outbox.hash_of(conn, notice.id)
        if notice.approved_hash is None:
            return notice.automation != "propose" and stored == notice.hash
        return stored == notice.approved_hash

    # --------------------------------------------------------------------------------------------------------- the call

    def _call(self, write: WriteBack, ready: _Ready) -> Ended:
        step, seconds = self._step, self._port.settings.deadline_seconds
        note("write", lambda: {"write": write.model_dump(mode="json"), "channel": step.channel})

        def act() -> Proof:
            with self._port.http.delivering(seconds=seconds):
                if step.channel is not None:
                    channel = self._desk.channels[step.channel]
                    self._keep(channel, write, ready.files)
                    self._in_time(step.channel)
                    return proving(write, channel.push(write, ready.files))
                return proving(write, self._push(write))

        try:
            proof = within(seconds, act, late=self._late, stop=self._desk.stop)
        except Exception as error:  # noqa: BLE001  its class decides, an unknown one counts as perhaps written
            return self._failed(error)
        return self._proved(proof)

    def _keep(self, channel: Channel, write: WriteBack, files: Sequence[tuple[Attachment, bytes]]) -> None:
        """Keep what is about to be handed over. Where that fails, nothing is handed over."""
        try:
            self._desk.keep(self._step, write, channel.produced(write, files))
        except BridgeError:
            raise
        except (OSError, DatabaseFault) as error:
            raise RetryLater(
                "what goes out cannot be kept: {name}", name=type(error).__name__, cause="archive"
            ) from error
        except Exception as error:
            raise Refused(
                "channel {channel} cannot make what it sends: {error}",
                channel=channel.name,
                error=error,
                cause="channel",
            ) from error

    def _in_time(self, channel: str) -> None:
        """Raise `RetryLater` where keeping took so long that the look is old by now: somebody may have paid, or do the step again."""
        if self._used_up():
            raise RetryLater("{what}: what came before took too long; it was not begun", what=channel, cause="too_late")

    def _push(self, write: WriteBack) -> Proof:
        """Do the connector's act; after its write was answered as done, no error says any more that nothing was written."""
        try:
            return self._port.connector.push(write)
        except (RetryLater, ConfigError) as error:
            if not self._port.http.wrote:
                raise
            raise Unclear("after the write: {error}", error=error, cause=error.cause) from error

    def _late(self, result: Result) -> None:
        """Keep what came after the deadline; the step is unclear by then, or further."""
        try:
            ended = self._proved(result) if isinstance(result, Proof) else self._failed(result)
            log.warning("late_answer", id=self._step.id, outcome=ended.outcome)
        except Exception:
            log.exception("late_answer_lost", id=self._step.id)

    def _proved(self, proof: Proof) -> Ended:
        result = self._landing.prove(self._step.id, self._owner, proof)
        outcome = Outcome.DONE if result.state == "done" else Outcome.PARKED
        return Ended(outcome, alarm=result.alarm, landed=self._landing.risen)

    def _failed(self, error: BaseException) -> Ended:
        """Decide by the class of the error alone; `BadAnswer` after a write does not say that nothing was written."""
        if self._step.channel is not None:
            note("said", lambda: {"channel": self._step.channel, **as_told(error)}, said=True)
        if isinstance(error, RetryLater) and not isinstance(error, BadAnswer):
            return self._again(error)
        if isinstance(error, ConfigError):
            self._release(error, timedelta(0))
            return self._stop_account(error)
        if isinstance(error, Refused | NotSupported):
            return self._park(error.cause, error.sentence)
        if isinstance(error, CannotTell):
            return self._park(error.cause, error.sentence, written=True)
        cause = error.cause if isinstance(error, Unclear | BadAnswer) else f"unexpected_{type(error).__name__}"
        return self._lose(cause, said_by(error))

    def _again(self, error: RetryLater) -> Ended:
        with self._store.reading() as conn:
            attempts = self._steps.get(conn, self._step.id).attempts
        if attempts >= self._port.settings.retries:
            return self._park(
                error.cause,
                Sentence("given up after {attempts} {attempts|call|calls}: {error}", attempts=attempts, error=error),
            )
        wait = min(error.after * 2 ** (attempts - 1), max(_LONGEST_WAIT, error.after))
        self._release(error, wait)
        return Ended(Outcome.RELEASED, error.sentence, after=wait, cause=error.cause)

    # --------------------------------------------------------------------------------------------------- what is stored

    def _release(self, error: BridgeError, after: timedelta) -> None:
        """Give the step back: nothing was written."""
        now = self._store.now()
        with suppress(WrongState), self._store.begin() as conn:
            self._steps.release(
                conn,
                self._step.id,
                self._owner,
                now=now,
                not_before=now + after,
                cause=error.cause,
                error=error.sentence,
            )

    def _give_back(self, text: Sentence) -> Ended:
        """Give the step back without a mark of failure: it was not called."""
        now = self._store.now()
        with suppress(WrongState), self._store.begin() as conn:
            self._steps.release(conn, self._step.id, self._owner, now=now, not_before=None, cause=None, error=None)
        return Ended(Outcome.RELEASED, text)

    def _park(self, cause: str, text: Sentence, *, written: bool = False) -> Ended:
        try:
            self._landing.park(self._step.id, self._owner, cause=cause, text=text, written=written)
        except WrongState:
            return Ended(Outcome.LOST)
        return Ended(Outcome.PARKED, text, cause=cause)

    def _lose(self, cause: str, text: Sentence) -> Ended:
        now = self._store.now()
        try:
            with self._store.begin() as conn:
                until = now + self._port.settings.settling
                self._steps.lose(conn, self._step.id, self._owner, now=now, not_before=until, cause=cause, error=text)
                self._landing.unclear(conn, self._step.id, cause=cause, text=text)
        except WrongState:
            return Ended(Outcome.LOST)
        return Ended(Outcome.UNCLEAR, text, cause=cause)

    def _stop_account(self, error: ConfigError) -> Ended:
        with self._store.begin() as conn:
            stop_account(self._store, conn, self._port, error, self._step.id)
        return Ended(Outcome.STOPPED, error.sentence, cause=error.cause)


def _held(reason: Reason) -> dict[str, Any]:
    return {"not_before": None, "cause": None, "error": told(reason)}


def _named(notice: Notice, invoice_id: str | None, why: Sentence) -> Sentence:
    """Return why a notice does not go out, with the invoice it is about and those dropped with it; all of them where it is about none."""
    asked = {one.invoice_id: one.invoice_number or one.invoice_id for one in notice.claims}
    known = asked | {one.invoice_id: one.number or one.invoice_id for one in notice.mentioned}
    if invoice_id is None:
        return Sentence("{number}: {why}", number=", ".join(asked.values()), why=why)
    others = [number for one, number in asked.items() if one != invoice_id]
    if others:
        return Sentence("{number}: {why}; dropped with it: {others}", number=known[invoice_id], why=why, others=others)
    return Sentence("{number}: {why}", number=known[invoice_id], why=why)
