"""Lost outcomes: wait the settling time, ask `find` on several reads, then done, again, or a person."""

from datetime import timedelta

from bridge.contract import BridgeError, CannotTell, ConfigError, Proof, RetryLater
from bridge.deliver.landing import Landing
from bridge.deliver.ports import AccountPort, Desk, Report, stop_account
from bridge.deliver.writing import found_proof, write_back
from bridge.errors import WrongState
from bridge.http import said_by
from bridge.store.records import Step
from bridge.store.steps import Proved
from bridge.words import NOTHING, Sentence


class Settle:
    """Looks after one account's expired leases and unclear steps. Only reads at the provider, so it runs while sending is off."""

    def __init__(self, desk: Desk, port: AccountPort) -> None:
        self._desk, self._port = desk, port
        self._store, self._steps = desk.store, desk.store.outbox.steps
        self._landing = Landing(desk, port)

    def expire(self) -> int:
        """End the leases whose time has passed; return how many calls are unclear now."""
        now = self._store.now()
        with self._store.reading() as conn:
            expired = self._steps.expired(conn, self._port.name, now)
        lost = 0
        for step in expired:
            try:
                with self._store.begin() as conn:
                    not_before = now + self._port.settings.settling
                    if self._steps.expire(conn, step.id, now=now, not_before=not_before) == "unclear":
                        gone = self._steps.get(conn, step.id)
                        self._landing.unclear(conn, step.id, cause=gone.cause or "", text=gone.error or NOTHING)
                        lost += 1
            except WrongState:
                continue  # another worker ended it, or its owner came back
        return lost

    def resolve(self, report: Report) -> None:
        """Ask `find` for every unclear step whose time has come. Stops at the first sign that the provider does not answer."""
        seen: set[int] = set()
        while not self._desk.stop.is_set():
            with self._store.reading() as conn:
                step = self._steps.unclear_due(conn, self._port.name, self._store.now(), skip=seen)
            if step is None:
                return
            seen.add(step.id)
            try:
                with self._port.http.delivering():
                    found = self._find(step)
            except ConfigError as error:
                with self._store.begin() as conn:
                    stop_account(self._store, conn, self._port, error, step.id)
                report.stopped = error.sentence
                return
            except RetryLater as error:
                self._again(step, error.after, counted=False, cause=error.cause, text=error.sentence)
                return
            except BridgeError as error:
                self._not_found(step, report, CannotTell(error.sentence, cause=error.cause))
            except Exception as error:  # noqa: BLE001  a mistake in a connector is not a proof of anything
                self._give_up(step, report, f"unexpected_{type(error).__name__}", said_by(error))
            else:
                if isinstance(found, Proof):
                    self._found(step, report, found)
                else:
                    self._not_found(step, report, None)

    def _find(self, step: Step) -> Proof | None:
        with self._store.reading() as conn:
            notice = self._store.outbox.get(conn, step.notice_id)
        write = write_back(notice, step)
        if step.channel is None:
            self._port.http.prepare()
            return found_proof(write, self._port.connector.find(write))
        if step.channel in self._desk.channels:
            return found_proof(write, self._desk.channels[step.channel].find(write))
        raise CannotTell("there is no channel {channel} any more", channel=step.channel, cause="no_channel")

    def _found(self, step: Step, report: Report, proof: Proof) -> None:
        proved: Proved = self._landing.prove(step.id, None, proof)
        report.found += proved.state == "done"
        report.landed += self._landing.risen
        self._landing.risen = 0
        report.parked += proved.state == "parked"

    def _not_found(self, step: Step, report: Report, error: CannotTell | None) -> None:
        """Count the read; after the last one the step is done again where its absence can be proven, else left to a person."""
        settings = self._port.settings
        if step.looks + 1 < settings.finds:
            cause = error.cause if error else "not_found_yet"
            text = error.sentence if error else Sentence("not seen at the provider so far")
            self._again(step, settings.settling / settings.finds, counted=True, cause=cause, text=text)
        elif error is not None or step.reaches_debtor:
            text = (
                error.sentence if error else Sentence("the provider shows no trace, which proves nothing for this act")
            )
            self._give_up(step, report, error.cause if error else "cannot_tell", text)
        else:
            self._absent(step, report)

    def _absent(self, step: Step, report: Report) -> None:
        try:
            with self._store.begin() as conn:
                self._steps.absent(conn, step, now=self._store.now())
                self._landing.absent(conn, step.id)
        except WrongState:
            return
        report.again += 1

    def _again(self, step: Step, after: timedelta, *, counted: bool, cause: str, text: Sentence) -> None:
        now = self._store.now()
        try:
            with self._store.begin() as conn:
                self._steps.look_again(
                    conn, step, now=now, not_before=now + after, counted=counted, cause=cause, error=text
                )
        except WrongState:
            return

    def _give_up(self, step: Step, report: Report, cause: str, text: Sentence) -> None:
        try:
            with self._store.begin() as conn:
                notice = self._store.outbox.get(conn, step.notice_id, lock=True)
                self._steps.give_up(conn, step, now=self._store.now(), cause=cause, error=text)
                self._landing.parked(conn, notice, step, cause=cause, text=text)
        except WrongState:
            return
        report.parked += 1
