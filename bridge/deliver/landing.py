"""What a proof, a refusal or a hold means for the whole notice, and the journal's line for it."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from bridge.contract import REACHES_DEBTOR, Act, Proof, Reason
from bridge.deliver.ports import AccountPort, Desk
from bridge.deliver.writing import claim_of, write_back
from bridge.policy import Via
from bridge.store.journal import SELF
from bridge.store.records import Notice, NoticeClaim, Step
from bridge.store.steps import Proved
from bridge.words import Sentence


def posted_on(proof: Proof) -> bool:
    """Return whether a letter's proof says that it has gone to the post, not only into the outbox."""
    return proof.facts.get("state") == "posted"


def _lands(notice: Notice, step: Step, proof: Proof) -> bool:
    """Return whether with this proof the level has happened: the debtor is reached, or colleagues where only they are told."""
    if step.act is Act.TELL:
        return notice.state != "landed" and notice.channel == Via.INTERNAL.value
    return step.act in REACHES_DEBTOR and (step.act is not Act.LETTER or posted_on(proof))


class Landing:
    """Follows the outcome of a step through: records, the landing, the drop. Each method is one transaction or part of one."""

    def __init__(self, desk: Desk, port: AccountPort) -> None:
        self._desk, self._port = desk, port
        self._outbox, self._steps = desk.store.outbox, desk.store.outbox.steps
        self.risen = 0
        """How many claims rose so far."""

    def prove(self, step_id: int, owner: str | None, proof: Proof) -> Proved:
        """Store a proof and what follows from it, in one transaction; a proof is too dear to be lost to another transaction."""
        risen = self.risen

        def store(conn: Connection) -> Proved:
            self.risen = risen
            notice, step = self._locked(conn, step_id)
            wrong = self._mismatch(notice, step, proof)
            proved = self._steps.prove(conn, step_id, owner, proof, now=self._desk.store.now(), wrong=wrong)
            self.follow(conn, notice, step, proof, proved)
            return proved

        return self._desk.store.insisting(store)

    def follow(
        self,
        conn: Connection,
        notice: Notice,
        step: Step,
        proof: Proof,
        proved: Proved,
        *,
        actor: str = SELF,
        on: date | None = None,
    ) -> None:
        """Do what a stored proof entails: remember the record, land (on `on`, default today), wait, go on, or show the alarm."""
        claim = claim_of(notice, step)
        facts = {
            "act": step.act.value,
            "provider_id": proof.provider_id,
            "level": proof.level,
            "found": proof.found_later,
        }
        if "redirected_from" in proof.facts:  # test mode: the debtor did not get it
            facts |= {"to": proof.facts.get("to", ""), "instead_of": proof.facts["redirected_from"]}
        if step.act is Act.CREATE and claim is not None and proof.provider_id and claim.reminder_id is None:
            self._outbox.made(conn, notice.id, claim.claim_id, proof.provider_id)
            self._desk.store.mirror.own(conn, notice.account, proof.provider_id)
        if proved.alarm or proved.state != "done":
            self._journal(conn, "step_alarm" if proved.alarm else "step_parked", notice, step, actor=actor, data=facts)
            if proved.state == "parked":
                self._outbox.park(conn, notice.id, cause=Reason.PARKED.value, text=proved.text)
            return
        self._journal(conn, "step_done", notice, step, actor=actor, data=facts)
        if step.act is Act.DISCARD and claim is not None and claim.reminder_id:
            today, now = self._port.today(), self._desk.store.now()
            self._desk.store.mirror.discarded(conn, notice.account, claim.reminder_id, business_date=today, now=now)
        if _lands(notice, step, proof):
            only = None if step.claim_id is None else [step.claim_id]
            self.land(conn, notice, on=on or self._port.today(), at=self._port.now(), only=only, actor=actor)
            self._outbox.advance(conn, notice.id, now=self._desk.store.now())
        elif step.act is Act.LETTER and notice.state in ("queued", "parked"):
            self._outbox.resume(conn, notice.id, now=self._desk.store.now(), advance=False)
            self._outbox.await_landing(conn, notice.id)
        else:
            self._outbox.resume(conn, notice.id, now=self._desk.store.now())

    def land(
        self,
        conn: Connection,
        notice: Notice,
        *,
        on: date,
        at: datetime,
        only: list[int] | None = None,
        actor: str = SELF,
    ) -> list[NoticeClaim]:
        """Raise the claims and write one journal line for each; return those that rose."""
        risen = self._outbox.land(conn, notice.id, on=on, at=at, now=self._desk.store.now(), only=only)
        self.risen += len(risen)
        for claim in risen:
            data = {
                "level": claim.level,
                "level_name": claim.level_name or notice.level_name,
                "channel": notice.channel,
                "recipient": notice.recipient,
                "open": str(claim.open),
                "fee": str(claim.fee),
                "currency": notice.currency,
                "deadline": notice.deadline.isoformat() if notice.deadline else None,
            }
            kind = "notice_landed" if claim.level else "notice_listed"
            self._journal(conn, kind, notice, None, actor=actor, data=data, invoice_id=claim.invoice_id)
        return risen

    def drop(
        self,
        conn: Connection,
        notice: Notice,
        *,
        reason: Reason,
        text: Sentence,
        invoice_id: str | None = None,
        actor: str = SELF,
        withdrawn: str | None = None,
    ) -> None:
        """Drop the notice as a whole, in the caller's transaction; our drafts are deleted by steps of their own.

        `withdrawn` is why a person took back its letter, which nobody else can.
        """
        now = self._desk.store.now()
        self._outbox.drop(
            conn,
            notice.id,
            reason=reason.value,
            text=text,
            today=self._port.today(),
            now=now,
            withdrawn=withdrawn is not None,
        )
        data = {"reason": reason.value, "text": text}
        self._journal(conn, "notice_dropped", notice, None, actor=actor, data=data, invoice_id=invoice_id)

    def park(self, step_id: int, owner: str, *, cause: str, text: Sentence, written: bool = False) -> None:
        """Leave a step of ours to a person. Raises `WrongState` where the claim was lost."""
        with self._desk.store.begin() as conn:
            notice, step = self._locked(conn, step_id)
            now = self._desk.store.now()
            self._steps.park(conn, step_id, owner, now=now, cause=cause, error=text, written=written)
            self.parked(conn, notice, step, cause=cause, text=text)

    def parked(self, conn: Connection, notice: Notice, step: Step, *, cause: str, text: Sentence) -> None:
        """Show the notice as parked; a record that comes after the landing is parked for itself and the others go on."""
        self._outbox.park(conn, notice.id, cause=Reason.PARKED.value, text=text)
        self._journal(
            conn,
            "step_parked",
            notice,
            step,
            actor=SELF,
            data={"act": step.act.value, "cause": cause, "error": text},
        )
        if notice.state == "landed":
            self._outbox.advance(conn, notice.id, now=self._desk.store.now())

    def unclear(self, conn: Connection, step_id: int, *, cause: str, text: Sentence) -> None:
        """Note, in the caller's transaction, that a call was made whose effect nobody knows yet."""
        self._about(conn, "step_unclear", step_id, {"cause": cause, "error": text})

    def absent(self, conn: Connection, step_id: int) -> None:
        """Note, in the caller's transaction, that an unclear call provably did nothing, so that it is made again."""
        self._about(conn, "step_absent", step_id, {})

    def unapproved(self, conn: Connection, notice: Notice) -> None:
        """Note, in the caller's transaction, that a notice waits for approval again because it is not what was approved."""
        self._journal(conn, "notice_reopened", notice, None, actor=SELF, data={"level": notice.level})

    def _about(self, conn: Connection, kind: str, step_id: int, data: dict[str, Any]) -> None:
        step = self._steps.get(conn, step_id)
        notice = self._outbox.get(conn, step.notice_id)
        self._journal(conn, kind, notice, step, actor=SELF, data={"act": step.act.value, **data})

    def _locked(self, conn: Connection, step_id: int) -> tuple[Notice, Step]:
        """Return notice and step, the notice locked first, as everywhere."""
        found = self._steps.get(conn, step_id)
        notice = self._outbox.get(conn, found.notice_id, lock=True)
        return notice, self._steps.get(conn, step_id, lock=True)

    def _mismatch(self, notice: Notice, step: Step, proof: Proof) -> Sentence | None:
        """Return in words how the made record differs from what had to come, or None."""
        expected = write_back(notice, step).expected_provider_level
        if step.act is Act.CREATE and None not in (expected, proof.level) and proof.level != expected:
            return Sentence(
                "the provider made level {level} where {expected} had to come", level=proof.level, expected=expected
            )
        return None

    def _journal(
        self,
        conn: Connection,
        kind: str,
        notice: Notice,
        step: Step | None,
        *,
        actor: str,
        data: dict[str, Any],
        invoice_id: str | None = None,
    ) -> None:
        claim = claim_of(notice, step) if step else None
        self._desk.store.journal.record(
            conn,
            kind,
            at=self._port.now(),
            on=self._port.today(),
            actor=actor,
            account=notice.account,
            case_id=notice.case_id,
            invoice_id=invoice_id or (claim.invoice_id if claim else None),
            run_id=notice.run_id,
            notice_id=notice.id,
            step_id=step.id if step else None,
            data=data,
        )
