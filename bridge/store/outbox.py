"""The outbox (Postausgang): notices with their claims and steps, from the proposal to the landing.

The states and the ways between them are in `bridge.store.states`, the queue of single steps is `Outbox.steps`.
"""

import secrets
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from bridge.errors import WrongState
from bridge.model import Act
from bridge.store.notices import Notices, cents
from bridge.store.records import NewNotice, NewStep, Notice, NoticeClaim, Step
from bridge.store.states import SETTLED, move_notice, move_step, state_words
from bridge.store.tables import claim, invoice, notice, notice_claim, step
from bridge.store.tasks import drop_tasks, wake_tasks
from bridge.words import Sentence

CHANGEABLE = ("proposed", "approved", "queued")
"""States of a notice that people may still change, or that gives way to another choice of theirs."""

_UNAPPROVED: dict[str, Any] = {"approved_hash": None, "approved_by": None, "approved_at": None}

UNDONE = ("waiting", "queued", "sending", "unclear", "parked")


class NoticeExists(WrongState):
    """There already is a live notice for one of these claims, rounds, levels, repetitions and channels."""

    cause = "notice_exists"


class Outbox(Notices):
    """All notices, from the proposal to the landing."""

    # ------------------------------------------------------------------------------------------------------- writing

    def insert(self, conn: Connection, new: NewNotice, *, now: datetime) -> int:
        """Store a notice with its claims and steps: proposed, or queued where it needs no approval. Return its id.

        Raises `NoticeExists` where the unique key (claim, round, level, repetition, channel) is taken; nothing is stored then.
        """
        values = {
            **_document(new),
            "account": new.account,
            "case_id": new.case_id,
            "run_id": new.run_id,
            "debtor_id": new.debtor_id,
            "state": "proposed" if new.needs_approval else "queued",
            "link": new.link,
            "hash": "",
            "created_at": now,
        }
        try:
            with conn.begin_nested():
                notice_id = int(conn.execute(insert(notice).values(values).returning(notice.c.id)).scalar_one())
                self._insert_claims(conn, notice_id, new)
        except IntegrityError as error:
            taken = self._taken(conn, new)
            if taken is None:
                raise
            raise NoticeExists(
                "notice {taken} already covers level {level} of one of these claims", taken=taken, level=new.level
            ) from error
        self._insert_steps(conn, notice_id, new, now)
        self._seal(conn, notice_id)
        if not new.needs_approval:
            self.advance(conn, notice_id, now=now)
        return notice_id

    def edit(self, conn: Connection, notice_id: int, new: NewNotice, *, now: datetime) -> int:
        """Replace content and steps before the first step was claimed; the notice is proposed again. Return the new version.

        Claims stay as they are, an approval falls. Raises `WrongState` once a worker has claimed a step: from the check on, none can.
        """
        if self.changeable(conn, notice_id, lock=True).state != "proposed":
            move_notice(conn, notice_id, "O", **_UNAPPROVED)
        conn.execute(step.delete().where(step.c.notice_id == notice_id))
        version = notice.c.version + 1
        conn.execute(update(notice).where(notice.c.id == notice_id).values(**_document(new), version=version))
        self._insert_steps(conn, notice_id, new, now)
        self._seal(conn, notice_id)
        return self.get(conn, notice_id).version

    def changeable(self, conn: Connection, notice_id: int, *, lock: bool = False) -> Notice:
        """Return a notice that people may still change: proposed, or approved and not begun. Raises `WrongState`, with the reason.

        With `lock` no worker can claim a step of it until the end of the transaction.
        """
        known = self.get(conn, notice_id, lock=lock)
        if known.state not in CHANGEABLE:
            raise WrongState(
                "notice {notice_id} is {state}; only what has not begun to go out can be edited",
                notice_id=notice_id,
                state=state_words(known.state),
            )
        steps = self.steps.of_notice(conn, notice_id, lock=lock)
        if any(one.state not in ("waiting", "queued") or one.attempts for one in steps):
            raise WrongState(
                "notice {notice_id} is being delivered already, and can no longer be edited", notice_id=notice_id
            )
        return known

    def approve(self, conn: Connection, notice_id: int, *, shown_hash: str, actor: str, now: datetime) -> None:
        """Approve what was shown; the approval binds to that content's hash. Raises `WrongState` where it changed since."""
        values = {"approved_hash": shown_hash, "approved_by": actor, "approved_at": now}
        move_notice(conn, notice_id, "A", notice.c.hash == shown_hash, **values)

    def queue_approved(self, conn: Connection, account: str, *, now: datetime) -> list[int]:
        """Hand all approved notices of `account` to delivery; return their ids."""
        query = select(notice.c.id).where(notice.c.account == account, notice.c.state == "approved")
        ids = list(conn.scalars(query.order_by(notice.c.id)))
        for notice_id in ids:
            self.queue(conn, notice_id, now=now)
        return ids

    def queue(self, conn: Connection, notice_id: int, *, now: datetime) -> None:
        """Hand one approved notice to delivery. Raises `WrongState` where it is not approved."""
        move_notice(conn, notice_id, "Q")
        self.advance(conn, notice_id, now=now)

    def reopen(self, conn: Connection, notice_id: int) -> None:
        """Send a notice back to proposed, as what is stored now, because its approval no longer fits; its queued step waits."""
        version = notice.c.version + 1
        move_notice(conn, notice_id, "O", **_UNAPPROVED, version=version)
        for one in self.steps.of_notice(conn, notice_id):
            if one.state == "queued":
                move_step(conn, one.id, "o", not_before=None)
        self._seal(conn, notice_id)

    def refuse(self, conn: Connection, notice_id: int, *, text: str, now: datetime) -> None:
        """Refuse a proposal; its key is free again. Drafts that were made before it had to be approved anew are deleted."""
        move_notice(conn, notice_id, "R", reason="refused", reason_text=text)
        self._give_up(conn, notice_id, now)
        found = self.get(conn, notice_id)
        self._discards(conn, found, found.claims, now)

    def drop(
        self,
        conn: Connection,
        notice_id: int,
        *,
        reason: str,
        text: Sentence,
        today: date,
        now: datetime,
        withdrawn: bool = False,
    ) -> list[int]:
        """Drop a notice that has not landed: it is decided anew today, and our drafts at the provider are deleted by new steps.

        Returns the ids of those steps. Raises `WrongState` where a call is under way or unclear (its outcome comes first), and where
        its letter is written (somebody may just be posting it) unless a person has `withdrawn` that letter.
        """
        found = self.get(conn, notice_id, lock=True)
        steps = self.steps.of_notice(conn, notice_id)
        if any(one.state == "unclear" or (one.state == "sending" and one.started_at) for one in steps):
            raise WrongState(
                "a call of notice {notice_id} is under way; its outcome must be known first", notice_id=notice_id
            )
        if found.state == "waiting" and not withdrawn and any(one.act is Act.LETTER for one in steps):
            raise WrongState(
                "the letter of notice {notice_id} is written; note it as posted, or withdraw it", notice_id=notice_id
            )
        landed = {one.claim_id for one in found.claims if one.landed_on}
        move_notice(conn, notice_id, "L" if landed else "D", reason=reason, reason_text=text)
        self._give_up(conn, notice_id, now, landed=landed)
        left = [one for one in found.claims if one.claim_id not in landed]
        ids = [one.invoice_id for one in left]
        conn.execute(
            update(invoice).where(invoice.c.account == found.account, invoice.c.id.in_(ids)).values(next_on=today)
        )
        made = self._discards(conn, found, left, now)
        if landed:
            self.advance(conn, notice_id, now=now)
        return made

    def park(self, conn: Connection, notice_id: int, *, cause: str, text: Sentence) -> None:
        """Show the notice as waiting for a person; one that has landed stays landed. Parked already is no mistake."""
        if self.get(conn, notice_id, lock=True).state in ("queued", "waiting", "dropped"):
            move_notice(conn, notice_id, "P", reason=cause, reason_text=text)

    def resume(self, conn: Connection, notice_id: int, *, now: datetime, advance: bool = True) -> None:
        """Go on with a notice whose step was proven or, parked, resolved; with a parked step left it stays parked.

        One that was given up stays given up: nothing goes out of it any more, and a draft of it that turned up is deleted.
        """
        parked = any(one.state == "parked" for one in self.steps.of_notice(conn, notice_id))
        found = self.get(conn, notice_id, lock=True)
        if found.state == "parked" and not parked:
            if any(one.live for one in found.claims):
                move_notice(conn, notice_id, "Q", reason=None, reason_text=None)
            else:
                move_notice(conn, notice_id, "D")
                self._discards(conn, found, found.claims, now)
        if advance:
            self.advance(conn, notice_id, now=now)

    def advance(self, conn: Connection, notice_id: int, *, now: datetime) -> None:
        """Queue the steps whose turn has come.

        Before the landing each step waits for the one before. After it, the records of different claims do not wait for each
        other, and notes and tags wait for nothing. A notice whose steps are all done without reaching the debtor is waiting.
        """
        state = conn.scalar(select(notice.c.state).where(notice.c.id == notice_id))
        steps = self.steps.of_notice(conn, notice_id)
        for found in _turn(state or "", steps):
            move_step(conn, found.id, "n", updated_at=now)
            if found.started_at is not None:
                self.steps.doubt(conn, self.steps.get(conn, found.id), since=found.started_at, now=now)
        if state == "queued" and all(found.state in SETTLED for found in steps):
            move_notice(conn, notice_id, "W")

    def made(self, conn: Connection, notice_id: int, claim_id: int, reminder_id: str) -> None:
        """Remember the provider's record that was made for a claim."""
        key = and_(notice_claim.c.notice_id == notice_id, notice_claim.c.claim_id == claim_id)
        conn.execute(update(notice_claim).where(key).values(reminder_id=reminder_id))

    def await_landing(self, conn: Connection, notice_id: int) -> None:
        """Let a notice wait because its letter is written but not posted."""
        move_notice(conn, notice_id, "W")

    def land(
        self,
        conn: Connection,
        notice_id: int,
        *,
        on: date,
        at: datetime,
        now: datetime,
        only: Collection[int] | None = None,
    ) -> list[NoticeClaim]:
        """Raise the claims of a notice that reached the debtor on local date `on`; return those that rose.

        With `only` (claim ids) a part of them. The notice has landed when none is left. A level is never lowered, and a claim
        that began a new round meanwhile is left alone. The invoices are decided again today.
        """
        found = self.get(conn, notice_id, lock=True)
        rising = [one for one in found.claims if one.landed_on is None and (only is None or one.claim_id in only)]
        for one in rising:
            self._raise(conn, found, one, on)
        left = len([one for one in found.claims if one.landed_on is None]) - len(rising)
        if not left and found.state != "landed":
            move_notice(conn, notice_id, "L", landed_at=at, reason=None, reason_text=None)
            wake_tasks(conn, notice_id, on)
            self.advance(conn, notice_id, now=now)
        return rising

    def _raise(self, conn: Connection, found: Notice, one: NoticeClaim, on: date) -> None:
        key = and_(notice_claim.c.notice_id == found.id, notice_claim.c.claim_id == one.claim_id)
        conn.execute(update(notice_claim).where(key).values(landed_on=on))
        if one.level:
            self._rise(conn, found, one, on)
        elif found.deadline is not None:
            self._extend(conn, one, found.deadline)
        conn.execute(
            update(invoice).where(invoice.c.account == found.account, invoice.c.id == one.invoice_id).values(next_on=on)
        )

    def _rise(self, conn: Connection, found: Notice, one: NoticeClaim, on: date) -> None:
        values: dict[str, Any] = {
            "level": one.level,
            "level_name": one.level_name or found.level_name,
            "repetition": one.repetition,
            "level_on": on,
            "adopted": False,
            "undelivered": found.undelivered,
            "resend": None,
            "resent": _resent(one),
        }
        if found.deadline is not None:
            values["deadline"] = found.deadline
        conn.execute(
            update(claim)
            .where(claim.c.id == one.claim_id, claim.c.round == one.round, claim.c.level <= one.level)
            .values(values)
        )

    def _extend(self, conn: Connection, one: NoticeClaim, deadline: date) -> None:
        """Let a claim that only went along have the term that the debtor was told: its own next step comes after it."""
        shorter = or_(claim.c.deadline.is_(None), claim.c.deadline < deadline)
        mine = claim.c.id == one.claim_id, claim.c.round == one.round
        conn.execute(update(claim).where(*mine, shorter).values(deadline=deadline))

    # -------------------------------------------------------------------------------------------------------- inside

    def _insert_claims(self, conn: Connection, notice_id: int, new: NewNotice) -> None:
        for one in new.claims:
            conn.execute(
                insert(notice_claim).values(
                    notice_id=notice_id,
                    claim_id=one.claim_id,
                    invoice_id=one.invoice_id,
                    round=one.round,
                    level=one.level,
                    level_name=one.level_name,
                    repetition=one.repetition,
                    channel=new.channel,
                    live=True,
                    open_cents=cents(one.open),
                    fee_cents=cents(one.fee),
                    basis=dict(one.basis),
                )
            )

    def _insert_steps(self, conn: Connection, notice_id: int, new: NewNotice, now: datetime) -> None:
        for seq, one in enumerate(new.steps, 1):
            self._insert_step(conn, (new.account, notice_id, seq), one, now)

    def _insert_step(self, conn: Connection, place: tuple[str, int, int], one: NewStep, now: datetime) -> int:
        """Store one step at `place`: account, notice, position. Its key is unique for ever, also after a restored backup."""
        account, notice_id, seq = place
        values = {
            "notice_id": notice_id,
            "seq": seq,
            "account": account,
            "key": f"{account}/{notice_id}/{seq}/{one.act.value}/{secrets.token_hex(4)}",
            "act": one.act.value,
            "channel": one.channel,
            "claim_id": one.claim_id,
            "state": "waiting",
            "content": one.content.model_dump(mode="json"),
            "updated_at": now,
        }
        return int(conn.execute(insert(step).values(values).returning(step.c.id)).scalar_one())

    def _seal(self, conn: Connection, notice_id: int) -> None:
        conn.execute(update(notice).where(notice.c.id == notice_id).values(hash=self.hash_of(conn, notice_id)))

    def _taken(self, conn: Connection, new: NewNotice) -> int | None:
        keys = [
            and_(
                notice_claim.c.claim_id == one.claim_id,
                notice_claim.c.round == one.round,
                notice_claim.c.level == one.level,
                notice_claim.c.repetition == one.repetition,
            )
            for one in new.claims
        ]
        query = select(notice_claim.c.notice_id).where(
            notice_claim.c.live, notice_claim.c.channel == new.channel, or_(*keys)
        )
        return conn.scalar(query.limit(1))

    def _give_up(self, conn: Connection, notice_id: int, now: datetime, *, landed: Collection[int] = ()) -> None:
        """Free the key, and end the tasks and every step that is not settled, except those of claims that have landed."""
        if not landed:
            drop_tasks(conn, notice_id, now)
        free = update(notice_claim).where(notice_claim.c.notice_id == notice_id, notice_claim.c.landed_on.is_(None))
        conn.execute(free.values(live=False))
        for one in self.steps.of_notice(conn, notice_id):
            if one.claim_id in landed:
                continue
            if one.state in ("waiting", "queued", "sending"):
                uncalled = or_(step.c.started_at.is_(None), step.c.state == "waiting")  # before its turn: only doubted
                move_step(
                    conn, one.id, "i", uncalled, lease_until=None, not_before=None, started_at=None, updated_at=now
                )
            elif one.state == "parked":
                move_step(conn, one.id, "x", updated_at=now)

    def _discards(self, conn: Connection, found: Notice, claims: Sequence[NoticeClaim], now: datetime) -> list[int]:
        """Append a step for each draft of ours that has to go; one that exists already is not repeated."""
        steps = self.steps.of_notice(conn, found.id)
        last, ids = max((one.seq for one in steps), default=0), []
        gone = {one.claim_id for one in steps if one.act is Act.DISCARD}
        for one in claims:
            if one.reminder_id is None or one.claim_id in gone:
                continue
            last += 1
            new = NewStep(act=Act.DISCARD, claim_id=one.claim_id)
            ids.append(self._insert_step(conn, (found.account, found.id, last), new, now))
            move_step(conn, ids[-1], "n", updated_at=now)
        return ids


def _resent(one: NoticeClaim) -> ColumnElement[int]:
    """Return how many repetitions of its level were the same notice sent once more, once this one has landed."""
    same = claim.c.level == one.level
    more = and_(same, claim.c.resend.is_not(None), claim.c.repetition < one.repetition)
    return case((more, claim.c.resent + 1), (same, claim.c.resent), else_=0)


def _document(new: NewNotice) -> dict[str, Any]:
    return {
        "plan": new.plan,
        "plan_version": new.plan_version,
        "level": new.level,
        "level_name": new.level_name,
        "channel": new.channel,
        "automation": new.automation,
        "currency": new.currency,
        "total_cents": cents(new.total),
        "deadline": new.deadline,
        "recipient": new.recipient,
        "content": new.content.model_dump(mode="json"),
        "beside": [one.to_json() for one in new.beside],
    }


def _turn(state: str, steps: list[Step]) -> list[Step]:
    """Return the waiting steps whose turn it is in a notice with this state."""
    if state == "queued":
        left = [one for one in steps if one.state not in SETTLED]
        return left[:1] if left and left[0].state == "waiting" else []
    if state != "landed":
        return []
    ready = []
    for one in steps:
        before = [other for other in steps if other.seq < one.seq and other.claim_id == one.claim_id]
        chained = one.act in (Act.COMPLETE, Act.MARK_SENT, Act.AMEND)
        if one.state == "waiting" and not (chained and any(other.state in UNDONE for other in before)):
            ready.append(one)
    return ready
