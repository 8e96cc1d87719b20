"""What is kept so that people can look back: every version of a plan in use, and each day's totals of what is open and overdue."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, insert, select, update
from sqlalchemy.engine import Connection

from bridge.errors import UsageError
from bridge.policy.plan import EscalationPlan
from bridge.store.questions import OpenSum, Questions
from bridge.store.rows import amount, cents
from bridge.store.tables import daily_total, plan_version

OLDEST = timedelta(days=7)
"""How much older than asked for a day's totals may be to stand for it, after days without a pull."""


@dataclass(frozen=True, slots=True)
class PlanVersion:
    """One version of a plan: its fingerprint, the local date from which it was in use, and what it said."""

    name: str
    version: str
    first_on: date
    plan: EscalationPlan


@dataclass(frozen=True, slots=True)
class DayTotal:
    """What was open and overdue in one account and currency at the end of a day."""

    on: date
    total: OpenSum


class History:
    """Tables `plan_version` and `daily_total`; every method takes the connection of the caller's transaction first."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    # --------------------------------------------------------------------------------------------------------- plans

    def keep_plans(self, conn: Connection, plans: Iterable[EscalationPlan], on: date) -> None:
        """Keep these plans as they are now, where they are not kept yet."""
        wanted = {(one.name, one.version): one for one in plans}
        columns = plan_version.c
        known = set(conn.execute(select(columns.name, columns.version).where(columns.name.in_({k for k, _ in wanted}))))
        rows = [
            {"name": name, "version": version, "document": one.model_dump_json(exclude_unset=True), "first_on": on}
            for (name, version), one in wanted.items()
            if (name, version) not in known
        ]
        if rows:
            conn.execute(insert(plan_version), rows)

    def plan_versions(self, conn: Connection, name: str) -> list[PlanVersion]:
        """Return every kept version of a plan, oldest first."""
        query = select(plan_version).where(plan_version.c.name == name).order_by(plan_version.c.first_on)
        return [
            PlanVersion(row.name, row.version, row.first_on, EscalationPlan.model_validate_json(row.document))
            for row in conn.execute(query)
        ]

    def plan_version(self, conn: Connection, name: str, version: str) -> PlanVersion:
        """Return one kept version. Raises `UsageError` where there is none."""
        found = self.plan_versions(conn, name)
        for one in found:
            if one.version == version:
                return one
        known = ", ".join(f"{one.version} ({one.first_on})" for one in found) or "none yet"
        raise UsageError(
            "plan {name!r} has no version {version!r}; kept are: {known}", name=name, version=version, known=known
        )

    # -------------------------------------------------------------------------------------------------------- totals

    def keep_totals(self, conn: Connection, account: str, on: date) -> None:
        """Keep what is open and overdue in `account` on `on`; the last word of a day stands. Unchanged totals are not written."""
        now = {one.currency: one for one in self._questions.open_sums(conn, on, account)}
        known = {one.total.currency: one.total for one in self._of(conn, account, on)}
        for currency in sorted(now.keys() | known.keys()):
            one = now.get(currency) or OpenSum(account, currency, 0, amount(0), 0, amount(0))
            if known.get(currency) == one:
                continue
            values = {
                "open_count": one.open_count,
                "open_cents": cents(one.open),
                "overdue_count": one.overdue_count,
                "overdue_cents": cents(one.overdue),
            }
            key = {"account": account, "on": on, "currency": currency}
            where = [daily_total.c[name] == value for name, value in key.items()]
            if conn.execute(update(daily_total).where(*where).values(values)).rowcount == 0:
                conn.execute(insert(daily_total).values({**key, **values}))
        if not now and not known:  # nothing is open: a day of which this is known
            conn.execute(
                insert(daily_total).values(
                    account=account,
                    on=on,
                    currency="EUR",
                    open_count=0,
                    open_cents=0,
                    overdue_count=0,
                    overdue_cents=0,
                )
            )

    def totals_on(self, conn: Connection, account: str, on: date) -> list[DayTotal]:
        """Return an account's totals by currency on `on`, or on the last day before that is known, at most a week earlier."""
        columns = daily_total.c
        nearest = conn.scalar(
            select(func.max(columns.on)).where(columns.account == account, columns.on <= on, columns.on >= on - OLDEST)
        )
        return self._of(conn, account, nearest) if nearest is not None else []

    def _of(self, conn: Connection, account: str, on: date) -> list[DayTotal]:
        query = select(daily_total).where(daily_total.c.account == account, daily_total.c.on == on)
        return [
            DayTotal(
                row.on,
                OpenSum(
                    account,
                    row.currency,
                    row.open_count,
                    amount(row.open_cents),
                    row.overdue_count,
                    amount(row.overdue_cents),
                ),
            )
            for row in conn.execute(query.order_by(daily_total.c.currency))
        ]
