"""Sending: go-live, approvals, delivery, letters to the post."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bridge.app.assignments import Assignments
from bridge.app.enclosures import Enclosures
from bridge.app.lines import notice_line
from bridge.app.opening import PAUSE, SENDING
from bridge.app.party import said_here
from bridge.app.provider_files import ProviderFiles
from bridge.app.reading import Progress
from bridge.app.results import Delivered, Done, NoticeLine
from bridge.deliver import Deliverer, Desk, Report
from bridge.dun import Judge
from bridge.errors import ConfigError, UsageError
from bridge.model import Invoice, Reason
from bridge.policy import Via, words
from bridge.store.accounts import RECONNECT, STOPPED
from bridge.store.records import Notice
from bridge.words import NOTHING, Sentence

MEGABYTE = 1_000_000


class Sending(ProviderFiles, Assignments):
    """What lets notices out, and what keeps them in."""

    @cached_property
    def desk(self) -> Desk:
        """Return what all steps of delivery share."""
        zones = {name: port.zone for name, port in self.accounts.items()}
        return Desk(
            store=self.store,
            channels=self.channels,
            rules=Judge(self.store, self.rules, zones, self._gate),
            files=self.enclosures,
            keep=self.keep,
            stop=self.stop,
        )

    @cached_property
    def enclosures(self) -> Enclosures:
        """Return what makes the files of our own mails and letters."""
        own = self.config
        return Enclosures(own.creditor, own.letters, self.accounts, self._case_number, own.attachments)

    @cached_property
    def deliverer(self) -> Deliverer:
        """Return the deliverer of all accounts."""
        return Deliverer(self.desk, self.accounts)

    def _case_number(self, case_id: int) -> str:
        with self.store.reading() as conn:
            return self.store.questions.case_number(conn, case_id)

    def _gate(self, conn: Connection, _account: str) -> Reason | None:
        if self.store.settings.get(conn, PAUSE):
            return Reason.GLOBAL_PAUSE
        if not self.sending(conn):
            return Reason.SENDING_OFF
        return Reason.DISK_FULL if self.disk_full() else None

    def disk_full(self) -> bool:
        """Return whether nothing is sent, because the disk has no room to record it."""
        return self.room() < self.config.disk.hold_megabytes * MEGABYTE

    def room(self) -> int:
        """Return how many bytes are free on the disk of the data folder."""
        return shutil.disk_usage(self.loaded.data).free

    def paused(self, conn: Connection) -> str:
        """Return in plain words that all sending is paused, by whom and since when; nothing where it is not."""
        if not self.store.settings.get(conn, PAUSE):
            return ""
        who, when = self.store.settings.changed(conn, PAUSE) or ("", None)
        since = when.astimezone(ZoneInfo(self.config.schedule.time_zone)).date() if when else None
        return words.reason(Reason.GLOBAL_PAUSE, self.language, {"by": who, "since": since})

    # ------------------------------------------------------------------------------------------------------- delivery

    def deliver(self, accounts: Sequence[str] = (), *, progress: Progress | None = None) -> Delivered:
        """Deliver what is approved or needs no approval, settle what is unclear, land what was posted.

        While sending is off or paused nothing is written; what was written before is still settled.
        """
        reports: list[Report] = []
        missing: list[Sentence] = []
        for name in self.chosen(accounts):
            if progress:
                progress(name, 0, None)
            reports.append(self._deliver(name))
            missing += self.keep_documents(name).problems
        return self._delivered(reports, missing)

    def _deliver(self, name: str) -> Report:
        with self.taping(name) as tape:
            report = self.deliverer.run(
                name, actor=self.actor, begun=lambda run: tape.begin(run, **self.tape_facts(name, "deliver"))
            )
            tape.keep = report.cause is not None
            tape.about = report.waits if report.only_waits else ()
        return report

    def _delivered(self, reports: Sequence[Report], missing: Sequence[Sentence]) -> Delivered:
        names = ("done", "landed", "dropped", "parked", "unclear", "found", "again", "alarms")
        with self.store.reading() as conn:
            steps = self.store.questions.step_counts(conn)
            sending, paused = self.sending(conn), bool(self.store.settings.get(conn, PAUSE))
            restored = self.store.restored.hold(conn) is not None
            states = {one.name: one.state for one in self.store.mirror.accounts.all(conn)}
        reasons = [one.held.value for one in reports if one.held is not None]
        opens = [one.opens_at for one in reports if one.opens_at is not None]
        wake = [one.wait_until for one in reports if one.wait_until is not None]
        return Delivered(
            counts={name: sum(getattr(one, name) for one in reports) for name in names},
            parked=sum(count for (_, state), count in steps.items() if state == "parked"),
            stopped=sum(states.get(one.account) in (STOPPED, RECONNECT) for one in reports),
            unclear=sum(count for (_, state), count in steps.items() if state == "unclear"),
            waiting_until=min(wake, default=None),
            reasons={reason: reasons.count(reason) for reason in dict.fromkeys(reasons)},
            sending=sending,
            paused=paused,
            restored=restored,
            later=sum(one.later for one in reports),
            opens_at=min(opens, default=None),
            problems=(
                *(problem for one in reports for problem in (*one.problems, *filter(None, (one.stopped,)))),
                *missing,
            ),
        )

    # -------------------------------------------------------------------------------------------------------- go-live

    def go_live(self) -> Done:
        """Switch sending on, in this actor's name.

        Raises `ConfigError` where the configuration forbids it, or an assignment of plans matches nobody: then somebody would get
        another plan than was meant. What is sending already goes on; `check` says it every day.
        """
        if self.config.dunning.sending.value == "never":
            raise ConfigError(
                "{path}: dunning.sending is never; this installation does not send",
                path=self.loaded.path,
                cause="sending_never",
            )
        with self.store.reading() as conn:
            if self.store.restored.hold(conn) is not None:
                raise ConfigError(
                    "the database was restored from a backup; `mahnbridge restore adopt`, then `mahnbridge restore release`",
                    cause="restored",
                )
        for nobody in self.unmatched():
            raise ConfigError("sending stays off: {nobody}", nobody=nobody, cause="assignment_nobody")
        return self._switch(on=True)

    def stop_sending(self) -> Done:
        """Switch sending off; reading and deciding go on."""
        return self._switch(on=False)

    def _switch(self, *, on: bool) -> Done:
        with self.store.begin() as conn:
            self.store.settings.set(conn, SENDING, on, self.stamp())
        return Done("sending_on" if on else "sending_off", SENDING, self.actor)

    def pause(self) -> Done:
        """Hold all sending (globale Pause) until it is ended; reading and deciding go on, what waits keeps waiting."""
        return self._pause(on=True)

    def end_pause(self) -> Done:
        """End the pause; what waited goes on. Raises `UsageError` where nothing is paused."""
        with self.store.reading() as conn:
            if not self.store.settings.get(conn, PAUSE):
                raise UsageError("nothing is paused")
        return self._pause(on=False)

    def _pause(self, *, on: bool) -> Done:
        with self.store.begin() as conn:
            self.store.settings.set(conn, PAUSE, on, self.stamp())
        return Done("paused" if on else "pause_ended", PAUSE, self.actor)

    def notices(self, *states: str) -> tuple[NoticeLine, ...]:
        """Return the notices in these states (landed, dropped, parked, ...), oldest first."""
        with self.store.reading() as conn:
            found = self.store.outbox.listing(conn, states=list(states), limit=100_000)
            return self.lines(conn, sorted(found, key=lambda one: one.id))

    # -------------------------------------------------------------------------------------------------------- letters

    def letters_posted(self, ids: Sequence[int] = (), *, everything: bool = False) -> Done:
        """Record that letters went to the post; their level counts from today. Raises `UsageError` where none is named."""
        if not ids and not everything:
            raise UsageError("name the letters (as `letters list` shows them), or --all")
        wanted = list(ids) or self._letters_waiting()
        for notice_id in wanted:
            self.deliverer.mark_posted(notice_id, actor=self.actor)
        return Done("posted", ", ".join(map(str, wanted)), self.actor, count=len(wanted))

    def _letters_waiting(self) -> list[int]:
        with self.store.reading() as conn:
            found = self.store.outbox.listing(conn, states=["waiting"], limit=100_000)
        return sorted(one.id for one in found if one.channel == Via.LETTER.value)

    def confirm_sent(self, ids: Sequence[int]) -> Done:
        """Record that a person sent reminders which were only created or completed at the provider."""
        for notice_id in ids:
            self.deliverer.confirm_sent(notice_id, actor=self.actor)
        return Done("sent", ", ".join(map(str, ids)), self.actor, count=len(ids))

    def letters_withdrawn(self, ids: Sequence[int], *, reason: str) -> Done:
        """Take back letters that were certainly not posted, or reminders only made at the provider; they are decided anew.

        Raises `WrongState` where one does not wait to be sent, `Refused` where its letter was posted.
        """
        for notice_id in ids:
            self.deliverer.withdraw(notice_id, actor=self.actor, reason=reason)
        return Done("withdrawn", ", ".join(map(str, ids)), self.actor, count=len(ids), text=reason)

    # ---------------------------------------------------------------------------------------------------------- lines

    def _with_fault(self, conn: Connection, line: NoticeLine) -> NoticeLine:
        """Return a notice on its way with what keeps it."""
        if line.id is None or line.state not in ("queued", "parked"):
            return line
        steps = self.store.outbox.steps.of_notice(conn, line.id)
        stands = next((one for one in steps if one.cause and one.state in ("queued", "unclear", "parked")), None)
        return (
            line if stands is None else replace(line, stopped=f"step-{stands.id}", stopped_by=stands.error or NOTHING)
        )

    def lines(self, conn: Connection, notices: Sequence[Notice]) -> tuple[NoticeLine, ...]:
        """Return stored notices for people."""
        cases: dict[int, str] = {}
        found = []
        for one in notices:
            if one.case_id not in cases:
                cases[one.case_id] = self.store.questions.case_number(conn, one.case_id)
            invoices: dict[str, Invoice] = {}
            for claim in one.claims:
                known = self.store.mirror.invoice(conn, one.account, claim.invoice_id)
                if known is not None:
                    invoices[claim.invoice_id] = known.invoice
            debtor = self.store.mirror.debtor(conn, one.account, one.debtor_id)
            today, case = self.today(one.account), cases[one.case_id]
            its = self.level_names.notice(conn, one)
            said = None
            if one.channel == Via.COLLECTION.value:
                said = said_here(self.store, conn, one.account, one.debtor_id, [its.invoice_id for its in one.claims])
            line = notice_line(its, debtor, case, invoices, today=today, language=self.language, said=said)
            line = replace(line, replaces=tuple(self.store.outbox.replacing(conn, one)), replaced_by=one.replaced_by)
            if one.state == "proposed":
                ids = [its.claim_id for its in one.claims]
                line = replace(
                    line, rewritten=self.store.outbox.rewritten(conn, one.case_id, ids, one.level, before=one.id)
                )
            found.append(self._with_fault(conn, line))
        return tuple(found)
