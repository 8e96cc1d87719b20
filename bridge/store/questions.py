"""Counts and short answers for status, search and metrics. Reading only."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, case, exists, func, or_, select, text

from bridge.model import Reason
from bridge.store.rows import amount
from bridge.store.tables import (
    claim,
    debtor,
    decision,
    dunning_case,
    event,
    invoice,
    notice,
    notice_claim,
    reject,
    run,
    step,
)
from bridge.store.upsert import CHUNK, chunked
from bridge.words import Sentence

DUNNABLE = ("invoice", "partial", "final")
MOST_REPLAYED = 1000
"""Replays that are remembered when somebody asks for one once more."""
LIVE = ("proposed", "approved", "queued", "waiting", "parked")


@dataclass(frozen=True, slots=True)
class OpenSum:
    """Open and overdue invoices of one account in one currency."""

    account: str
    currency: str
    open_count: int
    open: Decimal
    overdue_count: int
    overdue: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Landed:
    """The part of a notice about one invoice that reached the debtor, on a local date. The fee in cents; `basis` as decided."""

    invoice_id: str
    round: int
    level: int
    level_name: str
    repetition: int
    on: date
    channel: str
    deadline: date | None
    fee: int
    basis: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run in short."""

    id: int
    kind: str
    account: str | None
    started_at: datetime
    state: str
    cause: str | None
    error: Sentence | None


class Questions:
    """Questions of people to the whole store; every method takes the connection of the caller's transaction first."""

    def open_sums(self, conn: Connection, today: date, only: str | None = None) -> list[OpenSum]:
        """Return open and overdue invoices per account (or of one) and currency; overdue means due before `today`."""
        late = invoice.c.due_on < today
        query = (
            select(
                invoice.c.account,
                invoice.c.currency,
                func.count(),
                func.sum(invoice.c.open_cents),
                func.sum(case((late, 1), else_=0)),
                func.sum(case((late, invoice.c.open_cents), else_=0)),
            )
            .where(invoice.c.status == "open", invoice.c.kind.in_(DUNNABLE), invoice.c.open_cents > 0)
            .group_by(invoice.c.account, invoice.c.currency)
            .order_by(invoice.c.account, invoice.c.currency)
        )
        if only is not None:
            query = query.where(invoice.c.account == only)
        return [
            OpenSum(account, currency, int(count), amount(int(total)), int(late_count), amount(int(late_total)))
            for account, currency, count, total, late_count, late_total in conn.execute(query)
        ]

    def durable(self, conn: Connection) -> bool:
        """Return whether a committed claim survives a crash of the database server."""
        return conn.dialect.name != "postgresql" or conn.scalar(text("show synchronous_commit")) != "off"

    def notice_counts(self, conn: Connection, account: str | None = None) -> dict[str, int]:
        """Return the number of notices per state."""
        query = select(notice.c.state, func.count()).group_by(notice.c.state).order_by(notice.c.state)
        if account is not None:
            query = query.where(notice.c.account == account)
        return {state: int(count) for state, count in conn.execute(query)}

    def step_counts(self, conn: Connection) -> dict[tuple[str, str], int]:
        """Return the number of unsettled steps per account and state."""
        query = select(step.c.account, step.c.state, func.count()).group_by(step.c.account, step.c.state)
        wanted = step.c.state.in_(("queued", "sending", "unclear", "parked"))
        return {(account, state): int(count) for account, state, count in conn.execute(query.where(wanted))}

    def open_rejects(self, conn: Connection) -> int:
        """Return the number of records that are set aside."""
        return int(conn.scalar(select(func.count()).select_from(reject).where(reject.c.state == "open")) or 0)

    def proposed_claims(self, conn: Connection) -> int:
        """Return the number of claims in notices that wait for an approval."""
        query = select(func.count()).select_from(notice_claim.join(notice, notice.c.id == notice_claim.c.notice_id))
        return int(
            conn.scalar(query.where(notice.c.state == "proposed", notice_claim.c.live, notice_claim.c.level > 0)) or 0
        )

    def capped_claims(self, conn: Connection) -> dict[str, int]:
        """Return, by account, how many open invoices the cap of the last run holds until a person approves."""
        query = self._capped(decision.c.account, func.count()).group_by(decision.c.account)
        return {account: int(count) for account, count in conn.execute(query)}

    def capped(self, conn: Connection, account: str) -> frozenset[str]:
        """Return the open invoices of an account that the cap of an earlier run holds until a person approves."""
        return frozenset(conn.scalars(self._capped(decision.c.invoice_id).where(decision.c.account == account)))

    @staticmethod
    def _capped(*columns: Any) -> Select[Any]:
        newer = decision.alias("newer")
        later = exists().where(
            newer.c.account == decision.c.account,
            newer.c.invoice_id == decision.c.invoice_id,
            newer.c.id > decision.c.id,
        )
        mine = (invoice.c.account == decision.c.account) & (invoice.c.id == decision.c.invoice_id)
        return (
            select(*columns)
            .select_from(decision.join(invoice, mine))
            .where(decision.c.reason == Reason.APPROVAL_PENDING.value, invoice.c.status == "open", ~later)
            .where(decision.c.detail["facts"]["cap"].as_string().is_not(None))
        )

    def case_of(self, conn: Connection, account: str, invoice_id: str) -> str | None:
        """Return the number of the case in which this invoice is a claim."""
        query = select(dunning_case.c.number).join(claim, claim.c.case_id == dunning_case.c.id)
        return conn.scalar(query.where(claim.c.account == account, claim.c.invoice_id == invoice_id))

    def cases_of(self, conn: Connection, account: str, debtor_id: str) -> list[tuple[str, str]]:
        """Return number and state of all cases of a debtor, the newest first."""
        query = select(dunning_case.c.number, dunning_case.c.state).order_by(dunning_case.c.id.desc())
        rows = conn.execute(query.where(dunning_case.c.account == account, dunning_case.c.debtor_id == debtor_id))
        return [(number, state) for number, state in rows]

    def closed_by(self, conn: Connection, account: str, invoice_id: str) -> tuple[str, date] | None:
        """Return who closed the case of this invoice by hand the last time, and on which local date."""
        query = (
            select(event.c.actor, event.c.business_date)
            .join(claim, claim.c.case_id == event.c.case_id)
            .where(claim.c.account == account, claim.c.invoice_id == invoice_id, event.c.kind == "closed_by_hand")
            .order_by(event.c.id.desc())
        )
        row = conn.execute(query).first()
        return None if row is None else (row.actor, row.business_date)

    def invoices_in_cases(self, conn: Connection, account: str, debtor_id: str) -> list[str]:
        """Return the invoices of a debtor that are open claims of a case."""
        query = (
            select(claim.c.invoice_id)
            .join(dunning_case, dunning_case.c.id == claim.c.case_id)
            .where(claim.c.account == account, claim.c.state == "open", dunning_case.c.debtor_id == debtor_id)
        )
        return list(conn.scalars(query))

    def case_number(self, conn: Connection, case_id: int) -> str:
        """Return the number of a case by its id."""
        return conn.scalar(select(dunning_case.c.number).where(dunning_case.c.id == case_id)) or ""

    def cases_in_run(self, conn: Connection) -> set[int]:
        """Return the ids of the cases with a notice that has not landed."""
        return set(conn.scalars(select(notice.c.case_id).where(notice.c.state.in_(LIVE)).distinct()))

    def notices_of_case(self, conn: Connection, case_id: int) -> list[int]:
        """Return the ids of all notices of a case, newest first."""
        return list(conn.scalars(select(notice.c.id).where(notice.c.case_id == case_id).order_by(notice.c.id.desc())))

    def last_run(self, conn: Connection, kind: str, account: str | None = None) -> RunRow | None:
        """Return the newest run of a kind, of one account or of any; a run over all accounts counts for each."""
        query = select(run).where(run.c.kind == kind).order_by(run.c.id.desc()).limit(1)
        if account is not None:
            query = query.where(or_(run.c.account == account, run.c.account.is_(None)))
        row = conn.execute(query).first()
        return (
            None
            if row is None
            else RunRow(row.id, row.kind, row.account, row.started_at, row.state, row.cause, row.error)
        )

    def last_account_run(self, conn: Connection, account: str) -> datetime | None:
        """Return when (technical clock) this account had its last dunning run."""
        mine = event.c.account == account, event.c.invoice_id.is_(None), event.c.kind == "account_run"
        data = conn.scalar(select(event.c.data).where(*mine).order_by(event.c.id.desc()).limit(1))
        return datetime.fromisoformat(data["at"]) if data else None

    def debtors(self, conn: Connection, account: str, customer: str) -> list[str]:
        """Return the provider's ids of the customer with this number or id."""
        named = or_(debtor.c.id == customer, debtor.c.number == customer)
        return list(conn.scalars(select(debtor.c.id).where(debtor.c.account == account, named)))

    def tagged(self, conn: Connection, account: str, tag: str) -> bool:
        """Return whether a customer or an invoice of this account carries a tag."""
        for table in (debtor, invoice):
            wanted = table.c.document.contains(json.dumps(tag, ensure_ascii=False), autoescape=True)
            query = select(table.c.document).where(table.c.account == account, wanted)
            if any(tag in json.loads(document).get("tags", ()) for document in conn.scalars(query)):
                return True
        return False

    def landed(self, conn: Connection, account: str, invoice_ids: Iterable[str]) -> dict[str, list[Landed]]:
        """Return, by invoice, what reached the debtor about it, in that order; what came back did not."""
        found: dict[str, list[Landed]] = {}
        own = notice_claim.c
        for chunk in chunked(invoice_ids, CHUNK):
            query = (
                select(notice_claim, notice.c.level_name.label("name"), notice.c.deadline)
                .join(notice, notice.c.id == own.notice_id)
                .where(notice.c.account == account, own.invoice_id.in_(chunk), own.landed_on.is_not(None))
                .where(~notice.c.undelivered)
                .order_by(own.landed_on, own.notice_id)
            )
            for row in conn.execute(query).mappings():
                found.setdefault(row["invoice_id"], []).append(_landed(row))
        return found

    def plan_of(self, conn: Connection, notice_id: int) -> tuple[str, str]:
        """Return the plan of a notice and the version that it had then; two empty texts where there is no such notice."""
        found = conn.execute(select(notice.c.plan, notice.c.plan_version).where(notice.c.id == notice_id)).first()
        return (found.plan, found.plan_version) if found else ("", "")

    def debtors_with_refusals(self, conn: Connection, account: str) -> frozenset[str]:
        """Return the debtors of an account about whose open invoices a person refused a notice."""
        query = (
            select(notice.c.debtor_id)
            .distinct()
            .join(notice_claim, notice_claim.c.notice_id == notice.c.id)
            .join(invoice, (invoice.c.account == notice.c.account) & (invoice.c.id == notice_claim.c.invoice_id))
            .where(notice.c.account == account, notice.c.state == "refused", invoice.c.status == "open")
        )
        return frozenset(conn.scalars(query))

    def replayed(self, conn: Connection) -> list[dict[str, Any]]:
        """Return what people tried again, the newest first: columns of the journal."""
        kinds = ("step_replayed", "reject_replayed", "run_replayed")
        query = select(event).where(event.c.kind.in_(kinds)).order_by(event.c.id.desc()).limit(MOST_REPLAYED)
        return [dict(row) for row in conn.execute(query).mappings()]

    def notices_of(self, conn: Connection, account: str, invoice_id: str) -> list[int]:
        """Return the ids of all notices over this invoice, oldest first, whatever became of them."""
        query = (
            select(notice.c.id)
            .join(notice_claim, notice_claim.c.notice_id == notice.c.id)
            .where(notice.c.account == account, notice_claim.c.invoice_id == invoice_id)
            .order_by(notice.c.id)
        )
        return list(conn.scalars(query))


def _landed(row: RowMapping) -> Landed:
    same = ("invoice_id", "round", "level", "repetition", "channel", "deadline")
    return Landed(
        **{name: row[name] for name in same},
        level_name=row["level_name"] or row["name"],
        on=row["landed_on"],
        fee=row["fee_cents"],
        basis=row["basis"] or {},
    )
