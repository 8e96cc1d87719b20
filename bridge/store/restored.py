"""A database that was put back from a backup: what it believes may have been overtaken, so it doubts itself until a person releases it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.engine import Connection

from bridge.model import Covered, Reason
from bridge.model.covered import fingerprint
from bridge.store.cases import Cases, Stamp
from bridge.store.choices import Choices, Target
from bridge.store.journal import Journal
from bridge.store.outbox import Outbox
from bridge.store.records import Step
from bridge.store.settings import Settings
from bridge.store.tables import account, claim, invoice, lease, listing, notice, step
from bridge.store.trail import RESTORED as PUT_BACK
from bridge.words import Sentence

RESTORED = "restored"
"""The setting that holds sending: since when the database may lack what went out, when it was restored, which channels were asked."""


@dataclass(frozen=True, slots=True)
class Hold:
    """The hold of a restored database. `since` is the business instant of the backup; `asked` are channels and what they told."""

    since: datetime
    at: datetime
    asked: Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class Restored:
    """The hold after a restore; every method takes the connection of the caller's transaction first."""

    settings: Settings
    outbox: Outbox
    cases: Cases
    choices: Choices
    journal: Journal

    def hold(self, conn: Connection) -> Hold | None:
        """Return the hold, None where this database was not restored or a person has released it."""
        value = self.settings.get(conn, RESTORED)
        if not value:
            return None
        return Hold(datetime.fromisoformat(value["since"]), datetime.fromisoformat(value["at"]), value["asked"])

    def begin(self, conn: Connection, since: datetime, stamp: Stamp, *, now: datetime) -> dict[str, int]:
        """Hold sending, forget who held what, read everything anew, and doubt whatever may have gone out since the backup.

        What was proposed or approved is dropped, to be decided anew; a step that was to be done counts as one whose answer was lost.
        Return how many notices were dropped and how many steps are doubted.
        """
        conn.execute(delete(lease))
        conn.execute(delete(listing))
        conn.execute(
            update(account).values(cursor=None, pulled_at=None, full_at=None, open_totals=None, held_jump=None)
        )
        dropped = 0
        text = Sentence("the database was restored from a backup; it may have been done since")
        undecided = select(notice.c.id).where(notice.c.state.in_(("proposed", "approved"))).order_by(notice.c.id)
        doubted = self._open_steps(conn)
        for one in doubted:
            self.outbox.steps.doubt(conn, one, since=since, now=now)
        for notice_id in list(conn.scalars(undecided)):
            unclear = select(step.c.id).where(step.c.notice_id == notice_id, step.c.state.in_(("unclear", "sending")))
            if conn.execute(unclear).first() is None:
                self.outbox.drop(conn, notice_id, reason=Reason.CHANGED.value, text=text, today=stamp.on, now=now)
                dropped += 1
        self._keep(conn, Hold(since, now, {}), stamp)
        data = {"since": since.isoformat(), "dropped": dropped, "doubted": len(doubted)}
        self.journal.note(conn, PUT_BACK, stamp, data=data)
        return {"dropped": dropped, "doubted": len(doubted)}

    def asked(self, conn: Connection, channel: str, adopted: int | None, stamp: Stamp) -> None:
        """Note that a channel was asked what went out since the backup, and how many claims that moved; None: it cannot tell."""
        held = self.hold(conn)
        if held is not None:
            self._keep(conn, Hold(held.since, held.at, {**held.asked, channel: adopted}), stamp)

    def release(self, conn: Connection, stamp: Stamp, *, note: str) -> None:
        """End the hold, in a person's name."""
        held = self.hold(conn)
        self.settings.remember(conn, RESTORED, value=False, stamp=stamp)
        data = {"since": held.since.isoformat() if held else "", "note": note}
        self.journal.note(conn, "restore_released", stamp, data=data)

    def unresolved(self, conn: Connection) -> int:
        """Return how many doubted steps are still to be looked up."""
        return len(conn.execute(select(step.c.id).where(step.c.state == "unclear")).all())

    def invoices(self, conn: Connection, names: Iterable[str]) -> dict[str, tuple[str, str, str | None]]:
        """Return account, id and debtor of every invoice by its fingerprint, as messages name them."""
        query = select(invoice.c.account, invoice.c.id, invoice.c.debtor_id).where(invoice.c.account.in_(names))
        return {fingerprint(row[0], row[1]): (row[0], row[1], row[2]) for row in conn.execute(query)}

    def adopt(
        self, conn: Connection, where: tuple[str, str, str | None], said: Covered, stamp: Stamp, **more: Any
    ) -> bool:
        """Raise the claim on an invoice to what a message says went out on date `on` with the term `deadline`; return whether it rose.

        A level is never lowered. What cannot be adopted exactly, because the message belongs to a later round, blocks the invoice.
        """
        name, invoice_id, debtor_id = where
        on: date = more["on"]
        known = self.cases.standings(conn, name, [invoice_id]).get(invoice_id)
        if known is None:
            case_id, _ = self.cases.open_case(conn, name, debtor_id or invoice_id, stamp)
            self.cases.open_claim(conn, case_id, name, invoice_id, stamp)
            known = self.cases.standings(conn, name, [invoice_id])[invoice_id]
        if said.round > known.round and known.level:
            self.choices.block(
                conn, Target(account=name, invoice_id=invoice_id), Reason.PARKED, stamp, note=more["identity"]
            )
            return True
        newer = known.level_on is None or on > known.level_on
        if (said.level, said.repetition) < (known.level, known.repetition) or not newer:
            return False
        values = {
            "round": max(said.round, known.round), "level": said.level, "repetition": said.repetition, "level_on": on,
            "deadline": more["deadline"], "adopted": True, "undelivered": False, "resend": None, "resent": 0,
        }  # fmt: skip
        conn.execute(update(claim).where(claim.c.id == known.claim_id).values(values))
        self.cases.wake(conn, name, [invoice_id], stamp.on)
        data = {"level": said.level, "from": known.level, "on": on.isoformat(), "notice": more["identity"]}
        self.journal.note(conn, "level_adopted", stamp, account=name, case_id=known.case_id,
            invoice_id=invoice_id, data=data,
        )  # fmt: skip
        return True

    def _keep(self, conn: Connection, held: Hold, stamp: Stamp) -> None:
        value = {"since": held.since.isoformat(), "at": held.at.isoformat(), "asked": dict(held.asked)}
        self.settings.remember(conn, RESTORED, value, stamp)

    def _open_steps(self, conn: Connection) -> list[Step]:
        """Return the steps that may have been done since: to be done, under way or unclear, and those whose turn is still to come."""
        begun = notice.c.state.in_(("queued", "waiting", "landed", "parked", "dropped", "refused"))
        query = (
            select(step)
            .join(notice, notice.c.id == step.c.notice_id)
            .where(step.c.state.in_(("sending", "unclear", "queued", "waiting")), begun)
            .order_by(step.c.id)
        )
        return [Step.from_row(row) for row in conn.execute(query).mappings()]
