"""Cases and claims (Mahnakten, Forderungen): opened, raised by reminders made elsewhere, closed, reopened. Never deleted."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Select, func, insert, select, update
from sqlalchemy.engine import Connection

from bridge.errors import UsageError, WrongState
from bridge.model import Reason
from bridge.policy.channel import IN_HOUSE
from bridge.policy.views import Adoption, Running, asks_from
from bridge.store.journal import SELF, Journal
from bridge.store.tables import claim, dunning_case, invoice, notice, notice_claim, override, run
from bridge.store.upsert import CHUNK, chunked

_LIVE = ("proposed", "approved", "queued", "waiting", "parked")
_UNDER_WAY = ("approved", "queued", "waiting", "parked")
_IN_HOUSE = tuple(via.value for via in IN_HOUSE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known here about one claim: its case, round and level, and a notice of ours that has not landed yet."""

    claim_id: int
    account: str
    case_id: int
    case_number: str
    case_state: str
    debtor_id: str
    invoice_id: str
    state: str
    round: int
    round_on: date | None
    level: int
    level_name: str
    repetition: int
    level_on: date | None
    deadline: date | None
    adopted: bool
    undelivered: bool
    resend: str | None
    resent: int
    returned: bool
    close_reason: str | None
    running: Running | None = None

    @property
    def is_open(self) -> bool:
        return self.state == "open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamp:
    """When and by whom something was changed: business instant, local business date, actor."""

    at: datetime
    on: date
    actor: str = SELF


class Cases:
    """Cases and their claims; every method takes the connection of the caller's transaction first."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    # ------------------------------------------------------------------------------------------------------- reading

    def standings(self, conn: Connection, account: str, invoice_ids: Iterable[str]) -> dict[str, Standing]:
        """Return, by invoice, what is known here about the claims of these invoices."""
        found: dict[str, Standing] = {}
        for chunk in chunked(invoice_ids, CHUNK):
            query = (
                select(claim, dunning_case.c.number, dunning_case.c.state.label("case_state"), dunning_case.c.debtor_id)
                .join(dunning_case, dunning_case.c.id == claim.c.case_id)
                .where(claim.c.account == account, claim.c.invoice_id.in_(chunk))
            )
            rows = conn.execute(query).mappings().all()
            running = self._running(conn, [row["id"] for row in rows])
            for row in rows:
                found[row["invoice_id"]] = _standing(row, running.get(row["id"]))
        return found

    def _running(self, conn: Connection, claim_ids: list[int]) -> dict[int, Running]:
        """Return, by claim, the oldest notice of ours that has not landed on it."""
        if not claim_ids:
            return {}
        query = (
            select(
                notice_claim,
                notice.c.state,
                notice.c.deadline,
                notice.c.level_name.label("name"),
                notice.c.version,
                notice.c.approved_hash,
                run.c.business_date,
            )
            .join(notice, notice.c.id == notice_claim.c.notice_id)
            .join(run, run.c.id == notice.c.run_id)
            .where(
                notice_claim.c.claim_id.in_(claim_ids),
                notice_claim.c.live,
                notice_claim.c.landed_on.is_(None),
                notice.c.state.in_(_LIVE),
            )
            .order_by(notice.c.id.desc())
        )
        return {
            row["claim_id"]: Running(
                notice_id=row["notice_id"],
                state=row["state"],
                level=row["level"],
                demand=row["open_cents"],
                repetition=row["repetition"],
                since=row["business_date"],
                deadline=row["deadline"],
                level_name=row["level_name"] or row["name"],
                asks=asks_from(row["basis"] or {}),
                total=(row["basis"] or {}).get("total"),
                channel=row["channel"],
                plan=(row["basis"] or {}).get("plan", ""),
                plan_version=(row["basis"] or {}).get("plan_version", ""),
                settled=row["approved_hash"] is not None or row["version"] > 1,
            )
            for row in conn.execute(query).mappings()
        }

    def last_contacts(
        self, conn: Connection, account: str, debtor_ids: Collection[str], *, without: Collection[int] = ()
    ) -> dict[str, date]:
        """Return, by debtor, the newest date on which they heard of us: a notice landed, was adopted or set out (but for `without`), a person wrote.

        What stays in the house, a word to colleagues or a hand-over, is no contact.
        """
        found: dict[str, date] = {}
        for chunk in chunked(debtor_ids, CHUNK):
            of_debtors = dunning_case.c.account == account, dunning_case.c.debtor_id.in_(chunk)
            levels = (
                select(dunning_case.c.debtor_id, func.max(claim.c.level_on))
                .join(claim, claim.c.case_id == dunning_case.c.id)
                .where(*of_debtors, claim.c.id.not_in(_told_nobody(*of_debtors)))
            )
            landings = (
                select(dunning_case.c.debtor_id, func.max(notice_claim.c.landed_on))
                .join(notice, notice.c.case_id == dunning_case.c.id)
                .join(notice_claim, notice_claim.c.notice_id == notice.c.id)
                .where(*of_debtors, notice.c.channel.not_in(_IN_HOUSE))
            )
            under_way = (
                select(dunning_case.c.debtor_id, func.max(run.c.business_date))
                .join(notice, notice.c.case_id == dunning_case.c.id)
                .join(run, run.c.id == notice.c.run_id)
                .where(*of_debtors, notice.c.state.in_(_UNDER_WAY), notice.c.id.not_in(without))
                .where(notice.c.channel.not_in(_IN_HOUSE))
            )
            by_hand = (
                select(override.c.debtor_id, func.max(override.c.value))
                .where(override.c.account == account, override.c.debtor_id.in_(chunk), override.c.setting == "contact")
                .group_by(override.c.debtor_id)
            )
            told = [(debtor_id, date.fromisoformat(on)) for debtor_id, on in conn.execute(by_hand)]
            for query in (levels, landings, under_way):
                told += [(debtor_id, on) for debtor_id, on in conn.execute(query.group_by(dunning_case.c.debtor_id))]
            for debtor_id, on in told:
                if on is not None and (debtor_id not in found or on > found[debtor_id]):
                    found[debtor_id] = on
        return found

    def open_cases(self, conn: Connection, account: str, debtor_ids: Collection[str]) -> dict[str, tuple[int, str]]:
        """Return, by debtor, id and number of the case that is not closed."""
        found: dict[str, tuple[int, str]] = {}
        for chunk in chunked(debtor_ids, CHUNK):
            query = select(dunning_case.c.debtor_id, dunning_case.c.id, dunning_case.c.number).where(
                dunning_case.c.account == account,
                dunning_case.c.debtor_id.in_(chunk),
                dunning_case.c.state != "closed",
            )
            found.update({debtor_id: (case_id, number) for debtor_id, case_id, number in conn.execute(query)})
        return found

    def by_number(self, conn: Connection, number: str) -> RowMapping:
        """Return the row of one case. Raises `UsageError` where there is none."""
        row = (
            conn.execute(select(dunning_case).where(dunning_case.c.number == number.strip().upper())).mappings().first()
        )
        if row is None:
            raise UsageError("there is no case {number!r}; `mahnbridge cases` lists them", number=number)
        return row

    # ------------------------------------------------------------------------------------------------------- writing

    def open_case(self, conn: Connection, account: str, debtor_id: str, stamp: Stamp) -> tuple[int, str]:
        """Return id and number of the debtor's open case; open one where there is none."""
        known = self.open_cases(conn, account, [debtor_id]).get(debtor_id)
        if known is not None:
            return known
        values = {"account": account, "debtor_id": debtor_id, "state": "open", "opened_on": stamp.on}
        made = (
            insert(dunning_case).values(number=f"new:{account}:{debtor_id}"[:32], **values).returning(dunning_case.c.id)
        )
        case_id = int(conn.execute(made).scalar_one())
        number = f"MA-{case_id:06d}"
        conn.execute(update(dunning_case).where(dunning_case.c.id == case_id).values(number=number))
        self._note(conn, "case_opened", stamp, account, case_id, data={"number": number})
        return case_id, number

    def open_claim(self, conn: Connection, case_id: int, account: str, invoice_id: str, stamp: Stamp) -> int:
        """Put an invoice into a case; return the claim's id."""
        values = {"case_id": case_id, "account": account, "invoice_id": invoice_id, "state": "open"}
        claim_id = int(conn.execute(insert(claim).values(values).returning(claim.c.id)).scalar_one())
        restate(conn, case_id)
        self._note(conn, "claim_opened", stamp, account, case_id, invoice_id=invoice_id)
        return claim_id

    def move_claim(self, conn: Connection, known: Standing, debtor_id: str, stamp: Stamp) -> None:
        """Put an open claim into the case of the customer whom the provider names by now; a case left without one is closed."""
        case_id, _ = self.open_case(conn, known.account, debtor_id, stamp)
        conn.execute(update(claim).where(claim.c.id == known.claim_id).values(case_id=case_id))
        data = {"was": known.case_number}
        self._note(conn, "claim_moved", stamp, known.account, case_id, invoice_id=known.invoice_id, data=data)
        self._close_if_settled(conn, known.case_id, Reason.CHANGED, stamp)

    def reopen_claim(self, conn: Connection, known: Standing, stamp: Stamp, *, new_round: bool) -> int:
        """Open a closed claim again, in its case or in the debtor's open one; return the case's id.

        With `new_round` (a payment was taken back, or a person reopens it) it starts before level 1 again, its due date is kept;
        without one it goes on where it was. What is with the agency stays there until it is called back.
        """
        case_id = self._case_for(conn, known, stamp)
        values: dict[str, Any] = {"state": "open", "closed_on": None, "close_reason": None, "case_id": case_id}
        if new_round:
            returned = known.close_reason == Reason.PAID.value
            values |= _FRESH | {"round": known.round + 1, "round_on": stamp.on, "returned": returned}
        conn.execute(update(claim).where(claim.c.id == known.claim_id).values(values))
        restate(conn, case_id)
        kind = "round_opened" if new_round else "claim_reopened"
        data = {"round": known.round + new_round, "was": known.close_reason or ""}
        self._note(conn, kind, stamp, known.account, case_id, invoice_id=known.invoice_id, data=data)
        return case_id

    def _case_for(self, conn: Connection, known: Standing, stamp: Stamp) -> int:
        if known.case_state != "closed":
            return known.case_id
        row = conn.execute(select(dunning_case).where(dunning_case.c.id == known.case_id)).mappings().one()
        other = self.open_cases(conn, known.account, [row["debtor_id"]]).get(row["debtor_id"])
        if other is not None:
            return other[0]
        conn.execute(
            update(dunning_case)
            .where(dunning_case.c.id == known.case_id)
            .values(state="open", closed_on=None, close_reason=None, closed_level=None)
        )
        self._note(conn, "case_reopened", stamp, known.account, known.case_id)
        return known.case_id

    def adopt(self, conn: Connection, known: Standing, adoption: Adoption, *, name: str, stamp: Stamp) -> None:
        """Raise a claim to the level of a reminder made elsewhere; a level is never lowered."""
        values: dict[str, Any] = {"level_on": adoption.on, "deadline": adoption.deadline}
        if adoption.level > known.level:
            values |= {"level": adoption.level, "level_name": name, "repetition": 0, "adopted": True}
            values |= {"resend": None, "resent": 0}
        conn.execute(update(claim).where(claim.c.id == known.claim_id, claim.c.level <= adoption.level).values(values))
        data = {
            "level": adoption.level,
            "from": known.level,
            "on": adoption.on.isoformat(),
            "notice": adoption.notice_id,
        }
        self._note(conn, "level_adopted", stamp, known.account, known.case_id, invoice_id=known.invoice_id, data=data)

    def close_claim(self, conn: Connection, known: Standing, reason: Reason, stamp: Stamp) -> None:
        """Close one claim, and its case when nothing in it is open any more."""
        changed = conn.execute(
            update(claim)
            .where(claim.c.id == known.claim_id, claim.c.state == "open")
            .values(state="closed", closed_on=stamp.on, close_reason=reason.value)
        )
        if changed.rowcount == 1:
            data = {"reason": reason.value, "level": known.level}
            self._note(
                conn, "claim_closed", stamp, known.account, known.case_id, invoice_id=known.invoice_id, data=data
            )
            self._close_if_settled(conn, known.case_id, reason, stamp)

    def _close_if_settled(self, conn: Connection, case_id: int, reason: Reason, stamp: Stamp) -> None:
        open_left, level = conn.execute(
            select(
                func.count().filter(claim.c.state == "open"),
                func.coalesce(func.max(claim.c.level), 0),
            ).where(claim.c.case_id == case_id)
        ).one()
        if open_left:
            restate(conn, case_id)
            return
        values = {"state": "closed", "closed_on": stamp.on, "close_reason": reason.value, "closed_level": level}
        changed = update(dunning_case).where(dunning_case.c.id == case_id).values(values)
        account = conn.execute(changed.returning(dunning_case.c.account)).scalar_one()
        self._note(conn, "case_closed", stamp, account, case_id, data={"reason": reason.value, "level": level})

    def close_by_hand(self, conn: Connection, number: str, note: str, stamp: Stamp) -> list[str]:
        """Close a case by hand: nothing is dunned any more, nothing is booked at the provider. Return the invoices it had open.

        Raises `UsageError` where there is no such case, `WrongState` where it is closed already.
        """
        row = self.by_number(conn, number)
        if row["state"] == "closed":
            raise WrongState("case {row} is closed already", row=row["number"])
        ids = list(
            conn.scalars(select(claim.c.invoice_id).where(claim.c.case_id == row["id"], claim.c.state == "open"))
        )
        reason = Reason.CLOSED_BY_HAND
        conn.execute(
            update(claim)
            .where(claim.c.case_id == row["id"], claim.c.state == "open")
            .values(state="closed", closed_on=stamp.on, close_reason=reason.value)
        )
        self._note(conn, "closed_by_hand", stamp, row["account"], row["id"], data={"note": note, "invoices": ids})
        self._close_if_settled(conn, row["id"], reason, stamp)
        return ids

    def reopen_by_hand(self, conn: Connection, number: str, note: str, stamp: Stamp) -> list[str]:
        """Open the claims of a case that a person closed again, in a new round. Return their invoices.

        Raises `UsageError` where there is no such case, `WrongState` where nothing in it was closed by hand.
        """
        row = self.by_number(conn, number)
        ids = list(
            conn.scalars(
                select(claim.c.invoice_id).where(
                    claim.c.case_id == row["id"], claim.c.close_reason == Reason.CLOSED_BY_HAND.value
                )
            )
        )
        if not ids:
            raise WrongState("nothing in case {row} was closed by hand", row=row["number"])
        self._note(conn, "reopened_by_hand", stamp, row["account"], row["id"], data={"note": note, "invoices": ids})
        for invoice_id in ids:
            known = self.standings(conn, row["account"], [invoice_id])[invoice_id]
            self.reopen_claim(conn, known, stamp, new_round=True)
        self.wake(conn, row["account"], ids, stamp.on)
        return ids

    def undelivered(self, conn: Connection, claim_ids: Collection[int], stamp: Stamp, *, back: bool = True) -> None:
        """Note that the last notice of these claims came back (their next level waits), or that a person accepts it as it is."""
        conn.execute(update(claim).where(claim.c.id.in_(claim_ids)).values(undelivered=back, resend=None))
        query = select(claim.c.account, claim.c.case_id, claim.c.invoice_id).where(claim.c.id.in_(claim_ids))
        for account, case_id, invoice_id in conn.execute(query).all():
            self._note(
                conn, "undelivered" if back else "delivery_accepted", stamp, account, case_id, invoice_id=invoice_id
            )
            self.wake(conn, account, [invoice_id], stamp.on)

    def wake(self, conn: Connection, account: str, invoice_ids: Collection[str], on: date) -> None:
        """Let these invoices be decided on from local date `on`."""
        conn.execute(
            update(invoice).where(invoice.c.account == account, invoice.c.id.in_(invoice_ids)).values(next_on=on)
        )

    def _note(
        self,
        conn: Connection,
        kind: str,
        stamp: Stamp,
        account: str,
        case_id: int,
        *,
        invoice_id: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> None:
        self._journal.note(
            conn,
            kind,
            stamp,
            account=account,
            case_id=case_id,
            invoice_id=invoice_id,
            data=data,
        )


def restate(conn: Connection, case_id: int) -> None:
    """Show a case that is not closed as at collection where all its open claims are there, else as open."""
    left = select(func.count()).where(
        claim.c.case_id == case_id, claim.c.state == "open", claim.c.handed_over_on.is_(None)
    )
    state = "open" if conn.scalar(left) else "collection"
    mine = dunning_case.c.id == case_id, dunning_case.c.state.in_(("open", "collection")), dunning_case.c.state != state
    conn.execute(update(dunning_case).where(*mine).values(state=state))


_FRESH: dict[str, Any] = {
    "level": 0,
    "level_name": "",
    "repetition": 0,
    "level_on": None,
    "deadline": None,
    "adopted": False,
    "undelivered": False,
    "resend": None,
    "resent": 0,
}


def _standing(row: RowMapping, running: Running | None) -> Standing:
    names = ("debtor_id", "invoice_id", "state", "round", "round_on", "level", "level_name", "repetition", "level_on")
    return Standing(
        **{name: row[name] for name in names},
        claim_id=row["id"],
        account=row["account"],
        case_id=row["case_id"],
        case_number=row["number"],
        case_state=row["case_state"],
        deadline=row["deadline"],
        adopted=row["adopted"],
        undelivered=row["undelivered"],
        resend=row["resend"],
        resent=row["resent"],
        returned=row["returned"],
        close_reason=row["close_reason"],
        running=running,
    )


def _told_nobody(*of_debtors: ColumnElement[bool]) -> Select[tuple[int]]:
    """Return the claims whose level stayed in the house."""
    return (
        select(notice_claim.c.claim_id)
        .join(notice, notice.c.id == notice_claim.c.notice_id)
        .join(dunning_case, dunning_case.c.id == notice.c.case_id)
        .join(claim, claim.c.id == notice_claim.c.claim_id)
        .where(*of_debtors, notice.c.channel.in_(_IN_HOUSE), notice_claim.c.landed_on == claim.c.level_on)
    )
