"""Failures (Fehlschläge): seen by cause, tried again, set aside."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date

from sqlalchemy import Connection

from bridge.app.advice import advice
from bridge.app.explaining import Explaining
from bridge.app.results import Done, Failure, FailureGroup, Replayed
from bridge.app.timeline import UNEXPLAINED
from bridge.errors import BridgeError, UsageError, WrongState
from bridge.model import Act
from bridge.model.period import ALWAYS, Period
from bridge.replay import Again, Earlier, FailedRun, Kind, Plan, Preview, Replay
from bridge.replay import Failure as Stopped
from bridge.store.accounts import OK, RECONNECT, STOPPED
from bridge.words import NOTHING, Sentence, listed, quoted

OUTCOMES: dict[str, bool | None] = {"retry": None, "went-out": True, "not-sent": False}


LOOKED_BACK = 500
"""Runs among which the one of a failure is looked for."""


class Failures(Explaining):
    """What can be done with parked deliveries, records that did not fit, and failed runs."""

    @property
    def _replay(self) -> Replay:
        again = Again(failed_runs=self._failed_runs, rerun=self._rerun, pull=self._reread)
        return Replay(self.desk, self.accounts, again)

    def failures(
        self, *, account: str | None = None, cause: str | None = None, period: Period = ALWAYS
    ) -> tuple[FailureGroup, ...]:
        """Return failures grouped by cause, the largest group first; with a `period` only what stopped in it."""
        if account is not None:
            self.chosen((account,))
        groups = [
            replace(group, items=items)
            for group in self._replay.groups(account)
            if cause in (None, group.cause)
            and (items := tuple(one for one in group.items if period.holds(self._stopped_on(one))))
        ]
        return tuple(
            FailureGroup(
                kind=group.items[0].kind.value,
                what=_what(group.items[0]),
                cause=group.cause,
                count=len(group.items),
                account=group.account,
                example=group.items[0].text,
                ids=tuple(item.id for item in group.items),
                means=advised.means,
                next=advised.next,
            )
            for group in groups
            if (advised := advice(_known_as(group.items[0]), group.items[0].state))
        )

    def _stopped_on(self, one: Stopped) -> date | None:
        zone = self.accounts[one.account].zone if one.account in self.accounts else UTC
        return one.since.astimezone(zone).date() if one.since else None

    def needing(self) -> int:
        """Return how many failures need a person: those that delivery or the next round goes on with by itself do not."""
        found = self._replay.failures()
        with self.store.reading() as conn:
            states = {one.name: one.state for one in self.store.mirror.accounts.all(conn)}
        return sum(not _passing(one, states.get(one.account, OK)) for one in found)

    def failure(self, item: str) -> Failure:
        """Return one failure. Raises `UsageError` where nothing with this id is stopped."""
        found = self._replay.get(item)
        return _failure(found, self._replay.preview([item])[0], self._run_of(found))

    def _run_of(self, one: Stopped) -> int | None:
        """Return the newest run of which something was recorded about a failure."""
        if one.kind is Kind.RUN:
            return one.number
        which = "deliver" if one.kind is Kind.STEP else "pull"
        with self.store.reading() as conn:
            runs = [
                run
                for run in self.store.runs.listing(conn, kind=which, limit=LOOKED_BACK)
                if run.account == one.account
            ]
        for run in runs:
            tried = any(step[0] == one.number for step in run.counts.get("steps", ()))
            read = one.since is not None and run.started_at <= one.since <= (run.ended_at or one.since)
            if (tried if which == "deliver" else read) and self.recorded(run.id):
                return run.id
        return None

    def replay(
        self,
        items: Sequence[str] = (),
        *,
        cause: str | None = None,
        account: str | None = None,
        record: str | None = None,
        run: int | None = None,
        dry_run: bool = False,
        outcome: str = "retry",
        evidence: str = "",
        on: date | None = None,
    ) -> tuple[Replayed, ...]:
        """Try failures again: by id, or all of a cause, account, record or run; with `dry_run` only say what would happen.

        `record` is the number of an invoice, or an id at the provider, also of a record that was set aside. `outcome` is a person's word where nobody can tell: `went-out` or `not-sent`, with evidence.
        What was replayed before and is not stopped any more is left as it is; it is said who did that, and when.
        Raises `UsageError` where nothing is named, or where that word is needed and missing.
        """
        wanted, earlier = self._wanted(items, cause=cause, account=account, record=record, run=run)
        replay, went_out = self._replay, OUTCOMES[outcome]
        if went_out is not None and not evidence.strip():
            raise UsageError("{outcome} needs --evidence: how do you know?", outcome=outcome)
        if dry_run:
            return tuple(_replayed(one, earlier, dry_run=True) for one in replay.preview(wanted))
        done = []
        for item in wanted:
            try:
                preview = replay.replay(
                    item, actor=self.actor, reason=evidence or UNEXPLAINED, went_out=went_out, on=on
                )
            except UsageError as error:
                if len(wanted) == 1:
                    raise
                done.append(Replayed(item, "ask", error.sentence, dry_run=False))
            except BridgeError as error:
                done.append(Replayed(item, "failed", error.sentence, dry_run=False))
            else:
                done.append(_replayed(preview, earlier, dry_run=False))
        return tuple(done)

    def discard(self, items: Sequence[str], *, reason: str, not_sent: bool = False) -> Done:
        """Set failures aside for good; they stay in the journal. `not_sent`: a person knows that it did not go out.

        Raises `WrongState` where none of them is stopped; what is no longer stopped is left as it is.
        """
        done, left = [], NOTHING
        for item in items:
            told = self._replay.discard(item, actor=self.actor, reason=reason, went_out=False if not_sent else None)
            if told.plan is Plan.GIVEN_UP:
                done.append(item)
            else:
                left = Sentence("{item} is left as it is: {text}", item=item, text=told.text)
        if not done:
            raise WrongState(left)
        return Done("discarded", ", ".join(done), self.actor, count=len(done))

    def _wanted(
        self, items: Sequence[str], *, cause: str | None, account: str | None, record: str | None, run: int | None
    ) -> tuple[list[str], Mapping[str, Earlier]]:
        """Return the ids of what is meant, and who has replayed what before."""
        earlier = {one.failure.id: one for one in self._replay.earlier()}
        if items:
            return list(items), earlier
        asked = (
            (cause, Sentence("cause {value}", value=cause)),
            (account, Sentence("account {value}", value=account)),
            (record, Sentence("record {value}", value=record)),
            (run, Sentence("run {value}", value=run)),
        )
        named = [sentence for value, sentence in asked if value is not None]
        if not named:
            raise UsageError(
                "name the failures (as `failures list` shows them), or --cause, --account, --record or --run"
            )
        if account is not None:
            self.chosen((account,))
        of_run = None if run is None else self._stopped_in(run)

        def meant(one: Stopped) -> bool:
            of_account = account in (None, one.account) and cause in (None, one.cause)
            return of_account and (record is None or one.about(record)) and (of_run is None or of_run(one))

        found = [one.id for one in self._replay.failures(account) if meant(one)]
        if not found and (record is not None or run is not None):
            found = [one.failure.id for one in earlier.values() if meant(one.failure)]
        if not found:
            raise UsageError("nothing is stopped for {wanted}", wanted=listed(named, ", "))
        return found, earlier

    def _stopped_in(self, run: int) -> Callable[[Stopped], bool]:
        """Return what tells whether a failure belongs to a run: itself, steps it tried or decided on, records it set aside."""
        with self.store.reading() as conn:
            found = self.store.runs.get(conn, run)
            notices = {one.id for one in self.store.outbox.listing(conn, run_id=run, limit=None)}
        tried = {int(one[0]) for one in found.counts.get("steps", ())}

        def its(one: Stopped) -> bool:
            if one.kind is Kind.STEP:
                return one.number in tried or one.notice_id in notices
            if one.kind is Kind.RUN:
                return one.number == run
            seen = one.since is not None and found.started_at <= one.since <= (found.ended_at or one.since)
            return found.kind == "pull" and one.account == found.account and seen

        return its

    def _failed_runs(self, conn: Connection, account: str | None) -> list[FailedRun]:
        """Return the last run of each kind and account, where it failed; a run over all accounts once."""
        found: dict[int, FailedRun] = {}
        for name in (account,) if account else tuple(self.accounts):
            for kind in ("pull", "dun"):
                last = self.store.questions.last_run(conn, kind, name)
                if last is not None and last.state == "failed":
                    found[last.id] = FailedRun(
                        id=last.id,
                        kind=kind,
                        account=last.account,
                        cause=last.cause or "failed",
                        text=last.error or Sentence(""),
                        started_at=last.started_at,
                    )
        return list(found.values())

    def _rerun(self, run: FailedRun, _actor: str, reason: str) -> None:
        with self.store.begin() as conn:
            self.record(conn, "run_replayed", account=run.account, run_id=run.id, data={"reason": reason})
        accounts = (run.account,) if run.account else ()
        if run.kind != "pull":
            self.run(accounts, pull=False, deliver=False)
        for one in self.pull(accounts) if run.kind == "pull" else ():
            if one.state == "failed":
                raise BridgeError("{error}", error=one.error, cause=one.cause)

    def _reread(self, account: str, _actor: str) -> None:
        self.pull((account,), full=True)


_THINGS: Mapping[str, Sentence] = {
    "booking": Sentence("a booking"),
    "dun": Sentence("dunning run"),
    "file": Sentence("a file"),
    "invoice": Sentence("an invoice"),
    "movement": Sentence("a bank movement"),
    "notice": Sentence("a reminder"),
    "payment": Sentence("a payment"),
    "debtor": Sentence("a customer"),
    "pull": Sentence("reading an account"),
    "row": Sentence("a row"),
    "contact": Sentence("a contact"),
    "credit_note": Sentence("a credit note"),
    "reminder": Sentence("a reminder"),
}
"""What failed, in words, where it is no act; records of connectors that are not known here keep their own word."""


def _what(one: Stopped) -> Sentence:
    if one.kind is Kind.STEP:
        return Act(one.what).sentence
    return _THINGS.get(one.what) or quoted(one.what)


def _passing(one: Stopped, state: str) -> bool:
    """Return whether the program deals with a failure by itself.

    Unclear outcomes are looked up, refused moments tried again, and an account that does not answer is read at its next time; only
    a stopped account, a crash, and what was set aside or parked waits for somebody.
    """
    stopped = state in (STOPPED, RECONNECT)
    if one.kind is Kind.STEP:
        return one.state == "unclear" or (one.state == "queued" and not stopped)
    return one.kind is Kind.RUN and one.what == "pull" and one.cause != "crash" and not stopped


def _known_as(one: Stopped) -> str:
    """Return the cause by which advice is found: a file that could not be read at all is another thing than a record."""
    return "csv_file" if one.kind is Kind.REJECT and one.what == "file" else one.cause


def _failure(one: Stopped, preview: Preview, run: int | None) -> Failure:
    advised = advice(_known_as(one), one.state)
    return Failure(
        id=one.id,
        kind=one.kind.value,
        account=one.account,
        state=one.state,
        cause=one.cause,
        error=one.text,
        subject=listed((_what(one), *one.invoices), ", "),
        at=one.since,
        plan=preview.plan.value,
        replay=preview.text,
        means=advised.means,
        next=advised.next,
        run=run,
        source=one.source,
        raw=one.raw,
    )


def _replayed(preview: Preview, earlier: Mapping[str, Earlier], *, dry_run: bool) -> Replayed:
    text, before = preview.text, earlier.get(preview.id)
    if preview.plan is Plan.NOTHING and before is not None:
        text = Sentence("{person} replayed it on {day}; {now}", person=before.by, day=before.on, now=preview.text)
    return Replayed(preview.id, preview.plan.value, text, dry_run)
