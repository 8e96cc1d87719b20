"""Dunning runs (Mahnläufe) afterwards: what became of each, as a summary that a person can put away."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from bridge.app.opening import Opened
from bridge.app.results import Done
from bridge.errors import UsageError
from bridge.model import Reason
from bridge.model.period import ALWAYS, Period
from bridge.policy import words
from bridge.store.runs import Run
from bridge.store.states import state_words
from bridge.words import tell

_SENT = ("landed",)
_TO_POST = ("waiting",)
_FAILED = ("parked",)
_OPEN = ("proposed", "approved", "queued")
_NOT_SKIPPED = frozenset({Reason.LEVEL_DUE.value, Reason.PAID.value})


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One dunning run and what became of its notices by now.

    `sent` went out, `to_post` lie in the letter outbox or at the provider for a person, `waiting` wait for approval or delivery,
    `failed` are parked, `dropped` were given up with reasons by code. `skipped` counts invoices by reason code and its words.
    """

    run: int
    on: date
    started_at: datetime
    actor: str
    state: str
    error: str
    sent: int
    to_post: int
    waiting: int
    failed: int
    dropped: Mapping[str, int]
    skipped: Mapping[str, int]
    skipped_text: Mapping[str, str]
    files: int
    dismissed: bool


class Runs(Opened):
    """What people look up about runs."""

    def run_summaries(self, *, every: bool = False, limit: int = 20, period: Period = ALWAYS) -> tuple[RunSummary, ...]:
        """Return the newest dunning runs, of a period where one is given, without those that were put away unless `every`."""
        with self.store.reading() as conn:
            dismissed = self._dismissed(conn)
            found = [
                one
                for one in self.store.runs.listing(conn, kind="dun", limit=5000)
                if (every or one.id not in dismissed) and period.holds(one.business_date)
            ]
            return tuple(self._summary(conn, one, dismissed) for one in found[:limit])

    def run_summary(self, run: int) -> RunSummary:
        """Return one dunning run. Raises `UsageError` where there is none."""
        with self.store.reading() as conn:
            return self._summary(conn, self.store.runs.get(conn, run), self._dismissed(conn))

    def dismiss_run(self, run: int) -> Done:
        """Put the summary of a dunning run away; its files, notices and history stay. Raises `UsageError` where there is no such run."""
        with self.store.begin() as conn:
            if self.store.runs.get(conn, run).kind != "dun":
                raise UsageError("run {run} is no dunning run; `mahnbridge runs list` lists those", run=run)
            dismissed = self._dismissed(conn) | {run}
            self.store.settings.set(conn, _DISMISSED, sorted(dismissed)[-1000:], self.stamp())
        return Done("run_dismissed", str(run), self.actor)

    def _in_words(self, code: str) -> str:
        """Return a reason, or the state of what ended without one, in words."""
        known = code in set(Reason)
        return words.reason(Reason(code), self.language) if known else tell(state_words(code), self.language)

    def _dismissed(self, conn: Connection) -> frozenset[int]:
        return frozenset(self.store.settings.get(conn, _DISMISSED) or ())

    def _summary(self, conn: Connection, run: Run, dismissed: frozenset[int]) -> RunSummary:
        notices = self.store.outbox.listing(conn, run_id=run.id, limit=None)
        reasons: Mapping[str, Any] = run.counts.get("reasons") or {}
        skipped = {code: int(count) for code, count in reasons.items() if code not in _NOT_SKIPPED}
        dropped: dict[str, int] = {}
        for one in notices:
            if one.state in ("dropped", "refused"):
                code = one.reason or one.state
                dropped[code] = dropped.get(code, 0) + 1

        def count(states: tuple[str, ...]) -> int:
            return sum(one.state in states for one in notices)

        return RunSummary(
            run=run.id,
            on=run.business_date,
            started_at=run.started_at,
            actor=run.actor,
            state=run.state,
            error=run.error or "",
            sent=count(_SENT),
            to_post=count(_TO_POST),
            waiting=count(_OPEN),
            failed=count(_FAILED),
            dropped=dropped,
            skipped=skipped,
            skipped_text={code: self._in_words(code) for code in (*skipped, *dropped)},
            files=len(self.store.files.listing(conn, run_id=run.id)),
            dismissed=run.id in dismissed,
        )


_DISMISSED = "dismissed_runs"
