"""Handing over by hand: a person decides that a case goes to collection, whatever its plan says."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from sqlalchemy import Connection

from bridge.app.choosing import Choosing
from bridge.app.results import Done
from bridge.errors import WrongState
from bridge.model import Reason
from bridge.policy import Outcome, words
from bridge.policy.assign import assign
from bridge.policy.decide import decide_claim
from bridge.policy.situation import EARLY, hands_over
from bridge.store.choices import Target
from bridge.store.outbox import CHANGEABLE
from bridge.store.overview import ClaimRow
from bridge.store.records import Notice
from bridge.words import Sentence

PASSES = frozenset({Reason.NOT_WORKING_DAY, Reason.STALE_DATA, Reason.WRITING_SUSPENDED, Reason.APPROVAL_PENDING})
"""Holds of the day or of the whole account: the run minds them, they say nothing about the case."""


class Handing(Choosing):
    """What people do so that a case goes to collection."""

    def hand_over(self, case: str, *, invoice: str | None = None, early: bool = False) -> Done:
        """Decide that a case, or one invoice of it, goes to collection: the next run proposes it, a person approves that.

        What waits for the debtor about these invoices is dropped. The gate is that of a plan's own hand-over: the last reminder has
        gone out and its term is over, nothing speaks against it, the address is complete. `early` passes over reminders that have not
        gone out, in the person's name. What came back from the agency is handed over once more in the same way. An invoice that is
        not ready stays as it is, with what waits about it alone, and the answer says why; a bundle that asks for both is decided
        anew. Raises `WrongState` with what stands in the way where no invoice can be handed over.
        """
        ready: list[ClaimRow] = []
        others: list[tuple[str, Sentence]] = []
        with self.store.begin() as conn:
            row = self._row(conn, case)
            stamp = self.stamp(row.account)
            for one in self._open_claims(conn, case, invoice):
                why = self._in_the_way(conn, row.account, one, early=early, today=stamp.on)
                if why is None:
                    ready.append(one)
                else:
                    others.append((_number(one), why))
            if not ready:
                raise WrongState(
                    "not for collection: {others}",
                    others=[Sentence("{number}: {why}", number=number, why=why) for number, why in others],
                )
            notes = [Sentence("{number} stays as it is: {why}", number=number, why=why) for number, why in others]
            for one in ready:
                target = Target(account=row.account, invoice_id=one.invoice_id)
                for dropped in self._replace(conn, row.account, target, None):
                    notes += _with_others(dropped, ready)
                self.store.choices.choose(conn, target, "hand_over", EARLY if early else "last", stamp)
        told = ", ".join(_number(one) for one in ready)
        return Done("hand_over", row.number, self.actor, count=len(ready), text=told, notes=tuple(notes))

    def keep_here(self, case: str, *, invoice: str | None = None) -> Done:
        """Take a decision to hand over back, and the proposal that came of it. Raises `WrongState` where there is none."""
        count = 0
        with self.store.begin() as conn:
            row = self._row(conn, case)
            stamp = self.stamp(row.account)
            for one in self._open_claims(conn, case, invoice):
                target = Target(account=row.account, invoice_id=one.invoice_id)
                if self.store.choices.take_back(conn, target, "hand_over", stamp):
                    count += 1
                    self._replace(conn, row.account, target, None)
            if not count:
                raise WrongState("nobody decided to hand over {case}", case=row.number)
        return Done("hand_over_default", row.number, self.actor, count=count)

    def _in_the_way(
        self, conn: Connection, account: str, one: ClaimRow, *, early: bool, today: date
    ) -> Sentence | None:
        """Return why this claim cannot go to collection now, or None; what waits about it and would be dropped is no reason."""
        known = self.store.mirror.invoice(conn, account, one.invoice_id)
        if known is None:
            return words.told(Reason.GONE)
        if self.store.handovers.there(conn, one.claim_id):
            return words.told(Reason.COLLECTION)
        case, claim = self.seen(conn, known, today)
        plan = assign(case, claim, self.rules[account]).plan
        if plan is None:
            return words.told(Reason.NO_PLAN)
        if claim.running is not None and claim.running.state in CHANGEABLE:
            claim = replace(claim, running=None)
        claim = replace(claim, hand_over=EARLY if early else "last")
        found = decide_claim(case, claim, self.rules[account], today)
        stands = found.adoption.level if found.adoption else claim.level
        if not hands_over(claim, stands, plan):
            return words.told(Reason.COLLECTION_NOT_READY, {"why": "last_reminder"})
        fine = found.outcome is Outcome.ESCALATE or found.reason in PASSES
        return None if fine else words.told(found.reason, found.facts)


def _number(one: ClaimRow) -> str:
    return one.number or one.invoice_id


def _with_others(dropped: Notice, ready: Sequence[ClaimRow]) -> list[Sentence]:
    """Return that a bundle which was dropped asked for invoices that stay, or nothing where it did not."""
    mine = {one.invoice_id for one in ready}
    others = [one.invoice_number or one.invoice_id for one in dropped.claims if one.invoice_id not in mine]
    if not others:
        return []
    return [
        Sentence(
            "notice {notice} also asked for {others}; the next run decides on that anew",
            notice=dropped.id,
            others=others,
        )
    ]
