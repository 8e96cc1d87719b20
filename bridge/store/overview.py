"""Lists of cases for people: every case ever opened, with its debtor, its claims and what they add up to."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, exists, func, or_, select
from sqlalchemy.engine import Connection

from bridge.model.period import ALWAYS, Period
from bridge.store.rows import amount
from bridge.store.tables import claim, debtor, dunning_case, event, invoice, notice, notice_claim

VIEWS = {"all": (), "open": ("open",), "closed": ("closed",), "collection": ("open", "collection")}
"""The views of `cases`: Alle, Offene, Geschlossene Mahnakten, Inkasso; the last holds every case with a claim there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRow:
    """One case (Mahnakte) in a list. `level` is its highest one now, `closed_level` the one at closing."""

    id: int
    number: str
    account: str
    debtor_id: str
    debtor_name: str
    debtor_number: str | None
    state: str
    opened_on: date
    closed_on: date | None
    close_reason: str | None
    closed_level: int | None
    claims: int
    open_claims: int
    level: int
    next_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRow:
    """One claim (Forderung) of a case with its invoice."""

    claim_id: int
    invoice_id: str
    number: str | None
    status: str
    issued_on: date | None
    due_on: date | None
    currency: str
    gross: Decimal
    open: Decimal
    state: str
    round: int
    level: int
    level_name: str
    level_on: date | None
    deadline: date | None
    adopted: bool
    undelivered: bool
    closed_on: date | None
    close_reason: str | None
    next_on: date | None
    plan: str  # of the notice that brought its level, with its version; empty: adopted, or none yet
    plan_version: str


def _within(day: ColumnElement[date], period: Period) -> list[ColumnElement[bool]]:
    first = [day >= period.first] if period.first is not None else []
    return first + ([day <= period.last] if period.last is not None else [])


class Overview:
    """Reading cases for people; every method takes the connection of the caller's transaction first."""

    def cases(
        self,
        conn: Connection,
        view: str = "all",
        *,
        account: str | None = None,
        period: Period = ALWAYS,
        limit: int = 1000,
        before_id: int | None = None,
    ) -> list[CaseRow]:
        """Return cases, newest first; `view` is a key of `VIEWS`.

        With a `period` those opened in it; of the closed ones those closed in it, at collection those handed over in it.
        """
        query = _cases().order_by(dunning_case.c.id.desc()).limit(limit)
        if VIEWS[view]:
            query = query.where(dunning_case.c.state.in_(VIEWS[view]))
        if view == "collection":
            there = [claim.c.handed_over_on.is_not(None), claim.c.state == "open"]
            there += _within(claim.c.handed_over_on, period)
            query = query.where(exists().where(claim.c.case_id == dunning_case.c.id, *there))
        if account is not None:
            query = query.where(dunning_case.c.account == account)
        if view != "collection":
            day = dunning_case.c.closed_on if view == "closed" else dunning_case.c.opened_on
            query = query.where(*_within(day, period))
        if before_id is not None:
            query = query.where(dunning_case.c.id < before_id)
        return self._rows(conn, conn.execute(query).mappings().all())

    def case(self, conn: Connection, case_id: int) -> CaseRow | None:
        """Return one case."""
        found = self._rows(conn, conn.execute(_cases().where(dunning_case.c.id == case_id)).mappings().all())
        return found[0] if found else None

    def counts(self, conn: Connection) -> dict[str, int]:
        """Return how many cases there are by state."""
        query = select(dunning_case.c.state, func.count()).group_by(dunning_case.c.state)
        return {state: int(number) for state, number in conn.execute(query)}

    def claims(self, conn: Connection, case_id: int) -> list[ClaimRow]:
        """Return the claims of a case, oldest due date first."""
        brought = (
            select(func.max(notice_claim.c.notice_id))
            .where(
                notice_claim.c.claim_id == claim.c.id,
                notice_claim.c.live,
                notice_claim.c.level == claim.c.level,
                notice_claim.c.landed_on.is_not(None),
                claim.c.adopted.is_(False),
            )
            .correlate(claim)
            .scalar_subquery()
        )
        query = (
            select(
                claim,
                notice.c.plan,
                notice.c.plan_version,
                invoice.c.number,
                invoice.c.status,
                invoice.c.issued_on,
                invoice.c.due_on,
                invoice.c.currency,
                invoice.c.gross_cents,
                invoice.c.open_cents,
                invoice.c.next_on,
            )
            .outerjoin(invoice, and_(invoice.c.account == claim.c.account, invoice.c.id == claim.c.invoice_id))
            .outerjoin(notice, notice.c.id == brought)
            .where(claim.c.case_id == case_id)
            .order_by(invoice.c.due_on, claim.c.id)
        )
        return [_claim_row(row) for row in conn.execute(query).mappings()]

    def timeline(self, conn: Connection, case_id: int, *, limit: int | None = 500) -> list[RowMapping]:
        """Return the journal of a case, oldest first: its own events, and what people chose for its invoices and its customer.

        The newest `limit` of them; None: all.
        """
        found = conn.execute(
            select(dunning_case.c.account, dunning_case.c.debtor_id).where(dunning_case.c.id == case_id)
        ).first()
        if found is None:
            return []
        claims = select(claim.c.invoice_id).where(claim.c.case_id == case_id)
        ours = or_(
            event.c.invoice_id.in_(claims),
            and_(event.c.invoice_id.is_(None), event.c.data["debtor"].as_string() == found.debtor_id),
        )
        about = and_(event.c.account == found.account, event.c.case_id.is_(None), ours)
        query = select(event).where(or_(event.c.case_id == case_id, about)).order_by(event.c.id.desc()).limit(limit)
        return list(reversed(conn.execute(query).mappings().all()))

    def noted(self, conn: Connection, kind: str, name: str, value: str) -> bool:
        """Return whether the journal has an event of `kind` in which `name` is `value`."""
        query = select(event.c.id).where(event.c.kind == kind, event.c.data[name].as_string() == value).limit(1)
        return conn.scalar(query) is not None

    def _rows(self, conn: Connection, rows: Sequence[RowMapping]) -> list[CaseRow]:
        sums = self._sums(conn, [row["id"] for row in rows])
        return [_case_row(row, sums.get(row["id"], [])) for row in rows]

    def _sums(self, conn: Connection, case_ids: Sequence[int]) -> dict[int, list[RowMapping]]:
        """Return, by case, one row per state of its claims."""
        query = (
            select(
                claim.c.case_id,
                claim.c.state,
                func.count().label("claims"),
                func.max(claim.c.level).label("level"),
                func.min(invoice.c.next_on).label("next_on"),
            )
            .outerjoin(invoice, and_(invoice.c.account == claim.c.account, invoice.c.id == claim.c.invoice_id))
            .where(claim.c.case_id.in_(case_ids))
            .group_by(claim.c.case_id, claim.c.state)
        )
        found: dict[int, list[RowMapping]] = {}
        for row in conn.execute(query).mappings():
            found.setdefault(row["case_id"], []).append(row)
        return found


def _cases() -> Any:
    return select(dunning_case, debtor.c.name.label("debtor_name"), debtor.c.number.label("debtor_number")).outerjoin(
        debtor, and_(debtor.c.account == dunning_case.c.account, debtor.c.id == dunning_case.c.debtor_id)
    )


def _case_row(row: RowMapping, sums: Sequence[RowMapping]) -> CaseRow:
    names = (
        "id", "number", "account", "debtor_id", "debtor_number", "state", "opened_on", "closed_on", "close_reason",
        "closed_level",
    )  # fmt: skip
    left = [one for one in sums if one["state"] == "open"]
    return CaseRow(
        **{name: row[name] for name in names},
        debtor_name=row["debtor_name"] or "",
        claims=sum(one["claims"] for one in sums),
        open_claims=sum(one["claims"] for one in left),
        level=max((one["level"] for one in left or sums), default=0),
        next_on=min((one["next_on"] for one in left if one["next_on"]), default=None),
    )


def _claim_row(row: RowMapping) -> ClaimRow:
    names = (
        "invoice_id", "number", "issued_on", "due_on", "state", "round", "level", "level_name", "level_on", "deadline",
        "adopted", "undelivered", "closed_on", "close_reason", "next_on",
    )  # fmt: skip
    return ClaimRow(
        **{name: row[name] for name in names},
        claim_id=row["id"],
        plan=row["plan"] or "",
        plan_version=row["plan_version"] or "",
        status=row["status"] or "unknown",
        currency=row["currency"] or "EUR",
        gross=amount(row["gross_cents"] or 0),
        open=amount(row["open_cents"] or 0),
    )
