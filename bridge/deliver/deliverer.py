"""Delivering one account: what was lost is settled first, what was approved is queued, then step after step."""

from collections.abc import Callable, Mapping
from datetime import date, datetime

from bridge.contract import REACHES_DEBTOR, Act, BridgeError, Reason
from bridge.deliver.attempt import Attempt, Ended, Outcome
from bridge.deliver.landing import Landing
from bridge.deliver.ports import AccountPort, Desk, PostedLetters, Report, TakesBack
from bridge.deliver.settle import Settle
from bridge.deliver.writing import write_back
from bridge.errors import UsageError, WrongState
from bridge.store.accounts import RECONNECT, STOPPED
from bridge.store.journal import SELF
from bridge.store.records import Notice, Step
from bridge.store.states import state_words
from bridge.words import quoted

_ENDS = frozenset({Outcome.WAIT, Outcome.HELD, Outcome.STOPPED})
STEPS_NAMED = 1000
"""Steps that a run of delivery names; of more it tells the counts alone."""

_TIMED = REACHES_DEBTOR | {Act.CREATE, Act.COMPLETE}
"""Acts for which days and hours of sending count, as long as the notice has not gone out; what finishes its records comes right after it."""


class Deliverer:
    """Delivery (Zustellung) of the notices of all accounts. Any number of workers and processes may deliver side by side."""

    def __init__(self, desk: Desk, accounts: Mapping[str, AccountPort]) -> None:
        self.desk = desk
        self.accounts = accounts

    def run(
        self,
        account: str,
        *,
        limit: int | None = None,
        actor: str = SELF,
        begun: Callable[[int], None] = lambda _run: None,
    ) -> Report:
        """Deliver what is due for `account`, at most `limit` steps; return what happened. One step's failure stops no other.

        Where there is something to do it is a run, of which `begun` is told.
        """
        port = self._port(account)
        report = Report(account)
        settle = Settle(self.desk, port)
        report.unclear += settle.expire()
        if self._stopped_account(port, report):
            return report
        settle.resolve(report)
        self._watch(port, report)
        if report.stopped is None and self._open(port, report):
            try:
                self._steps(port, report, limit, lambda: begun(self._begin(port, report, actor)))
            finally:
                self._end(report)
        with self.desk.store.reading() as conn:
            wake = self.desk.store.outbox.steps.next_wake(conn, account)
        report.wait_until = max(filter(None, (report.wait_until, wake)), default=None) if report.wait_until else wake
        return report

    def _open(self, port: AccountPort, report: Report) -> bool:
        """Return whether anything may be written now; if so, hand over what was approved."""
        with self.desk.store.begin() as conn:
            report.held = self.desk.rules.gate(conn, port.name)
            if report.held is None:
                self.desk.store.outbox.queue_approved(conn, port.name, now=self.desk.store.now())
        return report.held is None

    def _stopped_account(self, port: AccountPort, report: Report) -> bool:
        """Return whether nothing can be done for this account: it was stopped, or never pulled."""
        with self.desk.store.reading() as conn:
            known = {one.name: one for one in self.desk.store.mirror.accounts.all(conn)}.get(port.name)
        if known is not None and known.state in (STOPPED, RECONNECT):
            report.stopped = known.state_text or quoted(known.state)
        return known is None or report.stopped is not None

    def _begin(self, port: AccountPort, report: Report, actor: str) -> int:
        store = self.desk.store
        with store.begin() as conn:
            report.run = store.runs.start(
                conn, "deliver", actor=actor, on=port.today(), at=store.now(), account=port.name
            )
        return report.run

    def _end(self, report: Report) -> None:
        if report.run is None:
            return
        store, outcomes = self.desk.store, [outcome for _, outcome, _ in report.steps]
        counts = {outcome: outcomes.count(outcome) for outcome in dict.fromkeys(outcomes)}
        state = "waiting" if report.only_waits else "failed" if report.cause else "done"
        with store.begin() as conn:
            store.runs.end(
                conn,
                report.run,
                at=store.now(),
                state=state,
                counts={**counts, "steps": [list(one) for one in report.steps[:STEPS_NAMED]]},
                cause=report.cause,
                error=report.problems[0] if report.cause and report.problems else None,
            )

    def _steps(self, port: AccountPort, report: Report, limit: int | None, begin: Callable[[], None]) -> None:
        seen: set[int] = set()
        while not self.desk.stop.is_set() and (limit is None or len(seen) < limit):
            now = self.desk.store.now()
            with self.desk.store.reading() as conn:
                step = self.desk.store.outbox.steps.next_due(conn, port.name, now, skip=seen)
            if step is None:
                return
            seen.add(step.id)
            if self._too_early(port, step, report):
                continue
            if report.run is None:
                begin()
            ended = Attempt(self.desk, port, step).run()
            report.steps.append((step.id, ended.outcome.value, ended.cause))
            _count(report, ended)
            if ended.outcome in _ENDS:
                report.held = ended.reason
                report.stopped = ended.text if ended.outcome is Outcome.STOPPED else None
                report.wait_until = now + ended.after if ended.after else None
                return

    def _too_early(self, port: AccountPort, step: Step, report: Report) -> bool:
        """Return whether this step begins or sends a notice outside the days and hours of sending: it keeps waiting, untouched."""
        if step.act not in _TIMED:
            return False
        with self.desk.store.reading() as conn:
            notice = self.desk.store.outbox.get(conn, step.notice_id)
            opens = None if notice.state == "landed" else self.desk.rules.opens(conn, notice, port.now())
        if opens is None:
            return False
        report.later += 1
        report.opens_at = min(filter(None, (report.opens_at, opens)))
        return True

    # ------------------------------------------------------------------------------------------------- landing later

    def _watch(self, port: AccountPort, report: Report) -> None:
        """Land what waited: letters that were posted, reminders which the provider shows as sent."""
        with self.desk.store.reading() as conn:
            waiting = self.desk.store.outbox.listing(conn, states=["waiting"], account=port.name, limit=None)
            shown = self.desk.store.outbox.shown_as_sent(conn, port.name)
        for notice in waiting:
            try:
                posted = self._posted_at(notice)
            except BridgeError as error:  # a folder that cannot be read now; mails go out all the same
                report.problems.append(error.sentence)
                posted = None
            claims = [claim.claim_id for claim in notice.claims if claim.reminder_id in shown]
            if posted is not None:
                on = posted.astimezone(port.zone).date()
                report.landed += self._land(port, notice.id, on=on, at=posted)
            elif claims:
                report.landed += self._land(port, notice.id, on=port.today(), at=port.now(), only=claims)

    def _posted_at(self, notice: Notice) -> datetime | None:
        with self.desk.store.reading() as conn:
            steps = self.desk.store.outbox.steps.of_notice(conn, notice.id)
        for step in steps:
            channel: object = self.desk.channels.get(step.channel or "")
            if step.act is Act.LETTER and step.state == "done" and isinstance(channel, PostedLetters):
                return channel.posted_at(write_back(notice, step).marker)
        return None

    def _land(
        self,
        port: AccountPort,
        notice_id: int,
        *,
        on: date,
        at: datetime,
        only: list[int] | None = None,
        actor: str = SELF,
    ) -> int:
        landing = Landing(self.desk, port)
        with self.desk.store.begin() as conn:
            notice = self.desk.store.outbox.get(conn, notice_id, lock=True)
            if notice.state != "waiting":
                return 0
            return len(landing.land(conn, notice, on=on, at=at, only=only, actor=actor))

    # ---------------------------------------------------------------------------------------------------- for people

    def mark_posted(self, notice_id: int, *, actor: str, on: date | None = None) -> None:
        """Record that the letter of a waiting notice went to the post on local date `on` (default today). Harmless to repeat.

        Raises `WrongState` where the notice has no written letter that waits.
        """
        self._confirm(notice_id, actor, on, letters=True)

    def confirm_sent(self, notice_id: int, *, actor: str, on: date | None = None) -> None:
        """Record that a person sent the reminder that was only created or completed at the provider. Harmless to repeat."""
        self._confirm(notice_id, actor, on, letters=False)

    def withdraw(self, notice_id: int, *, actor: str, reason: str) -> None:
        """Take back a letter that was written and certainly not posted, or a reminder that was only created; decide anew.

        The letter leaves the outbox first, so that nobody posts it beside the one that may take its place. Raises `WrongState` where
        the notice does not wait to be sent, `Refused` where its letter was posted.
        """
        with self.desk.store.reading() as conn:
            notice = self.desk.store.outbox.get(conn, notice_id)
            steps = self.desk.store.outbox.steps.of_notice(conn, notice_id)
        for step in steps if notice.state == "waiting" else ():
            channel: object = self.desk.channels.get(step.channel or "")
            if step.act is Act.LETTER and step.state == "done" and isinstance(channel, TakesBack):
                channel.take_back(write_back(notice, step).marker)
        with self.desk.store.begin() as conn:
            notice = self.desk.store.outbox.get(conn, notice_id, lock=True)
            if notice.state != "waiting":
                raise WrongState(
                    "notice {notice_id} is {state}; it has nothing that waits to be sent",
                    notice_id=notice_id,
                    state=state_words(notice.state),
                )
            landing = Landing(self.desk, self._port(notice.account))
            landing.drop(
                conn, notice, reason=Reason.CHANGED, text=quoted(f"{actor}: {reason}"), actor=actor, withdrawn=reason
            )

    def _confirm(self, notice_id: int, actor: str, on: date | None, *, letters: bool) -> None:
        store = self.desk.store
        with store.reading() as conn:
            notice = store.outbox.get(conn, notice_id)
            steps = store.outbox.steps.of_notice(conn, notice_id)
        written = [step for step in steps if step.act is Act.LETTER and step.state == "done"]
        if notice.state == "landed" and not (letters and not written):
            return
        if notice.state == "waiting" and not steps:
            raise WrongState(
                "notice {notice_id} is no message but something to do; `mahnbridge tasks done` ends a call",
                notice_id=notice_id,
            )
        if notice.state != "waiting" or (letters and not written):
            raise WrongState(
                "notice {notice_id} is {state}; it has nothing that waits to be sent",
                notice_id=notice_id,
                state=state_words(notice.state),
            )
        port = self._port(notice.account)
        if on is not None and on > port.today():
            raise UsageError("{on} is in the future; today is {port}", on=on, port=port.today())
        if letters:
            channel: object = self.desk.channels.get(written[0].channel or "")
            if isinstance(channel, PostedLetters):
                channel.mark_posted(write_back(notice, written[0]).marker)
        self._land(port, notice_id, on=on or port.today(), at=port.now(), actor=actor)

    def _port(self, account: str) -> AccountPort:
        if account not in self.accounts:
            raise UsageError(
                "there is no account {account!r}; there are {accounts}",
                account=account,
                accounts=", ".join(sorted(self.accounts)),
            )
        return self.accounts[account]


def _count(report: Report, ended: Ended) -> None:
    report.done += ended.outcome is Outcome.DONE
    report.parked += ended.outcome is Outcome.PARKED
    report.unclear += ended.outcome is Outcome.UNCLEAR
    report.dropped += ended.outcome is Outcome.DROPPED
    report.alarms += ended.alarm
    report.landed += ended.landed
    if ended.outcome not in (Outcome.DONE, Outcome.LOST) and ended.text:
        report.problems.append(ended.text)
