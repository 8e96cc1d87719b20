"""Dunning runs (Mahnläufe) and their decisions: who started them, what they decided, how they ended."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, func, insert, or_, select, update
from sqlalchemy.engine import Connection

from bridge.errors import UsageError, WrongState
from bridge.policy.views import Decision
from bridge.store.evidence import mark
from bridge.store.tables import decision, run
from bridge.store.upsert import CHUNK, chunked
from bridge.words import Sentence

LEFT = timedelta(hours=1)
"""Several workers deliver side by side: a delivery counts as left by a crash only after so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run as stored. `state`: running, done, failed, waiting (for one approval)."""

    id: int
    kind: str
    account: str | None
    actor: str
    business_date: date
    started_at: datetime
    ended_at: datetime | None
    state: str
    counts: Mapping[str, Any]
    cause: str | None
    error: Sentence | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """The newest stored decision about one invoice."""

    id: int
    run_id: int
    invoice_id: str
    outcome: str
    reason: str
    level: int | None
    next_on: date | None
    detail: Mapping[str, Any]

    @property
    def waits(self) -> str:
        """Return what of the same debtor waited for an approval and held the invoice; empty where nothing did."""
        return str(self.detail.get("facts", {}).get("waits", ""))


class Runs:
    """Rows of tables `run` and `decision`; every method takes the connection of the caller's transaction first."""

    def start(
        self, conn: Connection, kind: str, *, actor: str, on: date, at: datetime, account: str | None = None
    ) -> int:
        """Note that a run began; return its id. Runs of that kind which a crash left running are closed.

        Raises `UsageError` where a dunning run is dated before the last one.
        """
        self._close_left(conn, kind, account, at - LEFT if kind == "deliver" else at, ended=at)
        if kind == "dun":
            last = self.last_date(conn, kind)
            if last is not None and on < last:
                raise UsageError(
                    "the last dunning run was of {last}; a run dated {on} would go back in time", last=last, on=on
                )
        values: dict[str, Any] = {
            "kind": kind,
            "account": account,
            "actor": actor,
            "business_date": on,
            "started_at": at,
            "state": "running",
            "counts": {},
        }
        return int(conn.execute(insert(run).values(values).returning(run.c.id)).scalar_one())

    def _close_left(
        self, conn: Connection, kind: str, account: str | None, before: datetime, *, ended: datetime
    ) -> None:
        left = run.c.kind == kind, run.c.account.is_not_distinct_from(account), run.c.state == "running"
        error = Sentence("the process ended before the run")
        conn.execute(
            update(run)
            .where(*left, run.c.started_at <= before)
            .values(state="failed", ended_at=ended, cause="interrupted", error=error)
        )

    def end(
        self,
        conn: Connection,
        run_id: int,
        *,
        at: datetime,
        state: str,
        counts: Mapping[str, Any],
        cause: str | None = None,
        error: Sentence | None = None,
    ) -> None:
        """Note how a run ended: `done`, `failed`, or `waiting` for one approval."""
        values = {"ended_at": at, "state": state, "counts": dict(counts), "cause": cause, "error": error}
        conn.execute(update(run).where(run.c.id == run_id).values(**values))

    def approved(self, conn: Connection, run_id: int) -> Run:
        """Take a run out of waiting because a person approved it; return it. Raises `WrongState` where it does not wait."""
        changed = conn.execute(update(run).where(run.c.id == run_id, run.c.state == "waiting").values(state="done"))
        if changed.rowcount != 1:
            raise WrongState("run {run_id} does not wait for an approval", run_id=run_id)
        return self.get(conn, run_id)

    def get(self, conn: Connection, run_id: int) -> Run:
        """Return one run. Raises `UsageError` where there is none."""
        row = conn.execute(select(run).where(run.c.id == run_id)).mappings().first()
        if row is None:
            raise UsageError("there is no run {run_id}", run_id=run_id)
        return Run(**row)

    def listing(
        self, conn: Connection, *, kind: str | None = None, states: Sequence[str] = (), limit: int = 100
    ) -> list[Run]:
        """Return runs, newest first."""
        query = select(run).order_by(run.c.id.desc()).limit(limit)
        if kind is not None:
            query = query.where(run.c.kind == kind)
        if states:
            query = query.where(run.c.state.in_(states))
        return [Run(**row) for row in conn.execute(query).mappings()]

    def last_date(self, conn: Connection, kind: str) -> date | None:
        """Return the newest business date of a run of that kind that came to its end."""
        ended = or_(run.c.state.in_(("done", "waiting")), run.c.cause == "undecided")
        query = select(func.max(run.c.business_date)).where(run.c.kind == kind, ended)
        found: date | None = conn.scalar(query)
        return found

    # ----------------------------------------------------------------------------------------------------- decisions

    def decided(self, conn: Connection, account: str, invoice_ids: Iterable[str]) -> dict[str, Decided]:
        """Return, by invoice, the newest stored decision."""
        found: dict[str, Decided] = {}
        for chunk in chunked(invoice_ids, CHUNK):
            newest = (
                select(func.max(decision.c.id))
                .where(decision.c.account == account, decision.c.invoice_id.in_(chunk))
                .group_by(decision.c.invoice_id)
            )
            for row in conn.execute(select(decision).where(decision.c.id.in_(newest))).mappings():
                found[row["invoice_id"]] = _decided(row)
        return found

    def of_run(self, conn: Connection, run_id: int) -> list[Decided]:
        """Return the decisions that a run stored: those that were new or different from the ones before."""
        query = select(decision).where(decision.c.run_id == run_id).order_by(decision.c.id)
        return [_decided(row) for row in conn.execute(query).mappings()]

    def store(
        self,
        conn: Connection,
        run_id: int,
        account: str,
        debtor_id: str,
        made: Iterable[tuple[Decision, Decided | None]],
    ) -> tuple[list[Decision], dict[int, str]]:
        """Store the decisions that differ from the ones before; return them, and the marks of their rows for the journal.

        Of the others only the next date is kept up to date.
        """
        rows: list[dict[str, Any]] = []
        new = []
        for one, before in made:
            same = before is not None and (before.outcome, before.reason, before.level, before.waits) == (
                one.outcome.value,
                one.reason.value,
                one.level,
                one.waits,
            )
            if same and before is not None:
                if before.next_on != one.next_on:
                    conn.execute(update(decision).where(decision.c.id == before.id).values(next_on=one.next_on))
                continue
            new.append(one)
            rows.append(
                {
                    "run_id": run_id,
                    "account": account,
                    "invoice_id": one.invoice_id,
                    "debtor_id": debtor_id,
                    "outcome": one.outcome.value,
                    "reason": one.reason.value,
                    "level": one.level,
                    "next_on": one.next_on,
                    "detail": detail_of(one),
                }
            )
        if not rows:
            return [], {}
        ids = conn.scalars(insert(decision).returning(decision.c.id, sort_by_parameter_order=True), rows).all()
        return new, {number: mark({**row, "id": number}) for number, row in zip(ids, rows, strict=True)}


def detail_of(one: Decision) -> dict[str, Any]:
    """Return what else a decision says, as JSON values."""
    facts = {name: value.isoformat() if isinstance(value, date) else value for name, value in one.facts.items()}
    told = {
        "plan": one.plan,
        "round": one.round,
        "repetition": one.repetition,
        "facts": facts,
        "chosen_by": one.chosen_by,
        "skipped": list(one.skipped),
        "variant": one.variant,
    }
    return {name: value for name, value in told.items() if value not in (None, "", [], {})}


def _decided(row: RowMapping) -> Decided:
    names = ("id", "run_id", "invoice_id", "outcome", "reason", "level", "next_on", "detail")
    return Decided(**{name: row[name] for name in names})
