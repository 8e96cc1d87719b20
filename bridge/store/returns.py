"""Notices that came back (Rückläufer): marked, accepted as they are, or asked to be sent once more."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select, update
from sqlalchemy.engine import Connection

from bridge.errors import WrongState
from bridge.model import Act, Proof, WriteBack
from bridge.store.cases import Cases, Stamp
from bridge.store.journal import Journal
from bridge.store.records import Notice, NoticeClaim
from bridge.store.tables import claim, event, notice, step

RETURNED = "notice_returned"
"""The journal's kind of line about a notice that came back."""


@dataclass(frozen=True, slots=True)
class Returns:
    """What came back; every method takes the connection of the caller's transaction first."""

    journal: Journal
    cases: Cases

    def names(self, conn: Connection, channel: str, since: datetime) -> dict[str, int]:
        """Return, by marker and by the id under which it went out, the notices that a channel was handed since then."""
        query = select(step.c.notice_id, step.c.key, step.c.proof).where(
            step.c.channel == channel, step.c.act == Act.MAIL.value, step.c.acted_at >= since
        )
        found: dict[str, int] = {}
        for notice_id, key, proof in conn.execute(query):
            found[WriteBack(key=key, account="", act=Act.MAIL).marker] = notice_id
            if proof is not None and (known := Proof.model_validate(proof).provider_id) is not None:
                found[known] = notice_id
        return found

    def mark(self, conn: Connection, found: Notice, stamp: Stamp, *, reason: str, report: str = "") -> bool:
        """Note that a notice came back: the claims that stand where it took them wait with their next level.

        `report` names what told of it. Return False where that is known already.
        """
        if found.undelivered or (report and self._told(conn, found, report)):
            return False
        conn.execute(update(notice).where(notice.c.id == found.id).values(undelivered=True))
        self._note(conn, RETURNED, found, stamp, reason=reason, report=report, level=found.level)
        self.cases.undelivered(conn, [one.claim_id for one in self.standing(conn, found)], stamp)
        return True

    def accept(self, conn: Connection, found: Notice, stamp: Stamp, *, note: str = "") -> None:
        """Take a notice that came back as delivered, on a person's word. Raises `WrongState` where nothing waits for that."""
        left = self.waiting(conn, found)
        conn.execute(update(notice).where(notice.c.id == found.id).values(undelivered=False))
        self._note(conn, "notice_accepted", found, stamp, note=note, level=found.level)
        self.cases.undelivered(conn, [one.claim_id for one in left], stamp, back=False)

    def ask_again(self, conn: Connection, found: Notice, channel: str, stamp: Stamp) -> list[NoticeClaim]:
        """Let the level of a notice that came back be proposed once more by this channel; return the claims it is about.

        Asked twice it is one request: it ends when a notice of that level lands. Raises `WrongState` where nothing waits for it.
        """
        left = self.waiting(conn, found)
        ids = [one.claim_id for one in left]
        conn.execute(update(claim).where(claim.c.id.in_(ids)).values(resend=channel))
        self._note(conn, "resend_asked", found, stamp, channel=channel, level=found.level)
        for one in left:
            self.cases.wake(conn, found.account, [one.invoice_id], stamp.on)
        return left

    def waiting(self, conn: Connection, found: Notice) -> list[NoticeClaim]:
        """Return the claims of a notice that wait because it came back. Raises `WrongState` where there is none."""
        if not found.undelivered:
            raise WrongState("notice {notice} did not come back", notice=found.id)
        left = self.standing(conn, found)
        if found.state == "landed" and not left:
            raise WrongState("nothing waits for notice {notice} any more; its invoices have moved on", notice=found.id)
        return left

    def standing(self, conn: Connection, found: Notice) -> list[NoticeClaim]:
        """Return the claims that still stand where this notice took them."""
        risen = []
        for one in found.claims:
            same = and_(
                claim.c.id == one.claim_id,
                claim.c.round == one.round,
                claim.c.level == one.level,
                claim.c.repetition == one.repetition,
                claim.c.state == "open",
            )
            if one.level and one.landed_on and conn.execute(select(claim.c.id).where(same)).first():
                risen.append(one)
        return risen

    def _told(self, conn: Connection, found: Notice, report: str) -> bool:
        query = select(event.c.data).where(
            event.c.case_id == found.case_id, event.c.notice_id == found.id, event.c.kind == RETURNED
        )
        return any(data.get("report") == report for data in conn.scalars(query))

    def _note(self, conn: Connection, kind: str, found: Notice, stamp: Stamp, **data: object) -> None:
        self.journal.note(
            conn,
            kind,
            stamp,
            account=found.account,
            case_id=found.case_id,
            notice_id=found.id,
            data=data,
        )
