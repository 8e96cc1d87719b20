"""Notices that came back (Rückläufer): read from the mailboxes for them, or told by a person; the next level waits, and a task comes up."""

from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import Connection

from bridge.app.results import Done, ReturnsRead
from bridge.app.waiting import Waiting
from bridge.contract import Channel, Returned
from bridge.errors import BridgeError, UsageError, WrongState
from bridge.model import Reason
from bridge.policy import Via, words
from bridge.store.cases import Stamp
from bridge.store.journal import SELF
from bridge.store.records import Notice
from bridge.words import Sentence, both, tell

NAMED_FOR = timedelta(days=60)
"""How long a report may come after its mail."""

TASK = "returned"
_NOT_OUT = ("proposed", "approved", "queued")


class Returning(Waiting):
    """What is done about notices that did not arrive."""

    def read_returns(self) -> ReturnsRead:
        """Read what came back since the last look; a mailbox that does not answer stops nothing, and is read again the next time."""
        notices: list[int] = []
        problems: list[tuple[str, str, Sentence]] = []
        known = others = 0
        for name, channel in self.channels.items():
            try:
                found, old, foreign = self._read(name, channel)
            except BridgeError as error:
                problems.append((name, error.cause, error.sentence))
                continue
            notices += found
            known, others = known + old, others + foreign
        return ReturnsRead(tuple(notices), known, others, tuple(problems))

    def _read(self, name: str, channel: Channel) -> tuple[list[int], int, int]:
        place = f"returns:{name}"
        with self.store.reading() as conn:
            since = self.store.settings.get(conn, place)
        found = channel.returns(since)
        if found is None or found.since == since:
            return [], 0, 0
        marked: list[int] = []
        known = others = 0
        with self.store.begin() as conn:
            names = self.store.returns.names(conn, name, self.clock() - NAMED_FOR) if found.reports else {}
            for one in found.reports:
                about = {names[said] for said in one.names if said in names}
                if not about:
                    others += 1
                for notice_id in sorted(about):
                    if self._reported(conn, notice_id, one):
                        marked.append(notice_id)
                    else:
                        known += 1
            self.store.settings.remember(conn, place, found.since, self._by_itself(None))
        return marked, known, others

    def _reported(self, conn: Connection, notice_id: int, report: Returned) -> bool:
        """Mark a notice by a report; return False where it is known, or where only a copy for others did not arrive."""
        notice = self.store.outbox.get(conn, notice_id, lock=True)
        failed = {one.casefold() for one in report.recipients}
        copies = notice.content.recipients.cc + notice.content.recipients.bcc
        if failed and failed <= {one.casefold() for one in copies}:
            return False
        stamp = self._by_itself(notice.account)
        said = " ".join(filter(None, (", ".join(report.recipients), report.reason)))
        return self._came_back(conn, notice, said, stamp, report=report.report)

    def letters_returned(self, notice_id: int, *, reason: str) -> Done:
        """Record that a letter or mail came back: the next level waits until it is sent once more or accepted.

        Raises `WrongState` where it has not gone out or is known to have come back, `UsageError` where nothing was written.
        """
        with self.store.begin() as conn:
            notice = self.store.outbox.get(conn, notice_id, lock=True)
            if Via(notice.channel).in_house:
                raise UsageError("notice {notice} is no letter or mail; nothing of it can come back", notice=notice_id)
            if notice.state != "landed":
                raise WrongState("notice {notice} has not gone out", notice=notice_id)
            if not self._came_back(conn, notice, reason, self.stamp(notice.account)):
                raise WrongState("notice {notice} is known to have come back", notice=notice_id)
        return Done("returned", str(notice_id), self.actor, text=reason)

    def letters_accepted(self, notice_id: int, *, note: str = "") -> Done:
        """Let a notice that came back count as delivered: its level stands, and the next one counts from it.

        Raises `WrongState` where it did not come back, or was sent once more.
        """
        with self.store.begin() as conn:
            notice = self.store.outbox.get(conn, notice_id, lock=True)
            stamp = self.stamp(notice.account)
            self.store.returns.accept(conn, notice, stamp, note=note)
            self._drop_others(conn, notice, again=True)
            self.end_returned(conn, notice, stamp, note)
        return Done("accepted", str(notice_id), self.actor, text=note)

    # --------------------------------------------------------------------------------------------------------- inside

    def _by_itself(self, account: str | None) -> Stamp:
        return Stamp(at=self.clock(), on=self.today(account), actor=SELF)

    def _came_back(self, conn: Connection, notice: Notice, reason: str, stamp: Stamp, *, report: str = "") -> bool:
        if not self.store.returns.mark(conn, notice, stamp, reason=reason, report=report):
            return False
        self._drop_others(conn, notice, again=False)
        title = Sentence("notice {notice} came back: {recipient}", notice=notice.id, recipient=notice.recipient)
        self.store.tasks.tell(conn, notice, TASK, title, stamp, note=reason)
        return True

    def end_returned(self, conn: Connection, notice: Notice, stamp: Stamp, note: str) -> None:
        """End the task about a notice that came back."""
        self.store.tasks.told(conn, notice.id, TASK, stamp, note=note)

    def _drop_others(self, conn: Connection, notice: Notice, *, again: bool) -> None:
        """Drop what is proposed or queued and does not fit any more: the next level, or with `again` the same one once more."""
        levels = {one.claim_id: one.level for one in notice.claims}
        name = self.level_names.notice(conn, notice).level_name
        for number in self._live(conn, notice):
            other = self.store.outbox.get(conn, number)
            same = any(levels.get(one.claim_id) == one.level for one in other.claims if one.level)
            if other.state not in _NOT_OUT or same is not again:
                continue
            try:
                self.store.outbox.drop(
                    conn,
                    number,
                    reason=Reason.UNDELIVERED.value,
                    text=words.told(Reason.UNDELIVERED, {"level": name}),
                    today=self.today(notice.account),
                    now=self.store.now(),
                )
            except WrongState:  # a call of it is under way, and its re-check has been; its outcome comes first
                continue
            data = {"reason": Reason.UNDELIVERED.value, "note": both(tell(name, "de"), tell(name, "en"))}
            self.record(
                conn, "notice_dropped", account=notice.account, case_id=notice.case_id, notice_id=number, data=data
            )

    def _live(self, conn: Connection, notice: Notice) -> Iterable[int]:
        found = (self.store.outbox.live_for(conn, notice.account, one.invoice_id) for one in notice.claims)
        return sorted({one.id for group in found for one in group if one.id != notice.id})
