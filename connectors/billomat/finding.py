"""Answering for lost outcomes: the proof, None where the write is certainly absent, else `CannotTell`.

Billomat has no idempotency key. A created reminder is found by our mark; a sending leaves no trace but an entry in the history of the
invoice, so what went out is found by an entry of our own user newer than the newest one before the call; its absence proves nothing.
"""

from collections.abc import Callable

from bridge.contract import (
    Act,
    BadAnswer,
    CannotTell,
    ConfigError,
    NotFound,
    Proof,
    ProviderNotice,
    Refused,
    Sentence,
    WriteBack,
)
from connectors.billomat import tags, wire
from connectors.billomat.api import Record
from connectors.billomat.drafts import COMPLETED, named
from connectors.billomat.looking import reminders_of
from connectors.billomat.reading import marker_of
from connectors.billomat.writing import Push, invoice_of, line_of, proof

MAILED = ("REMINDER_MAIL", "REMINDER_SIGN_MAIL")
FAILED = "REMINDER_ERROR_MAIL"
POSTED = ("REMINDER_LETTER",)


class Find:
    """One method for each act."""

    def __init__(self, push: Push) -> None:
        self.push = push
        self.api = push.api
        self.drafts = push.drafts
        self._user: str | None = None
        self._acts: dict[Act, Callable[[WriteBack], Proof | None]] = {
            Act.CREATE: self._create,
            Act.AMEND: self._amend,
            Act.COMPLETE: self._complete,
            Act.SEND_EMAIL: self._send_email,
            Act.SEND_POST: self._send_post,
            Act.DISCARD: self._discard,
            Act.NOTE: self._note,
            Act.TAG: self._tag,
            Act.CUSTOMER_NOTE: self._customer_note,
        }

    def __call__(self, write: WriteBack) -> Proof | None:
        act = self._acts.get(write.act)
        if act is None:
            raise CannotTell("Billomat does not know {act}", act=write.act)
        return act(write)

    # ------------------------------------------------------------------------------------------------------ the reminder

    def _create(self, write: WriteBack) -> Proof | None:
        """Look for our mark, first by the filter, then on all reminders of the invoice.

        Several with our mark: the oldest is ours, the others are to be deleted by a person, who is told which. A new reminder without
        any mark may be the one we made (a lost mark) or somebody else's, so nothing is repeated then.
        """
        invoice = invoice_of(write)
        ours = [
            row
            for row in self._by_mark(write)
            if wire.text(row, "invoice_id") == invoice.id and marker_of(row) == write.marker
        ]
        number = invoice.number or self._number(write)
        rows = reminders_of(self.api, invoice.id, number) if number else self._scan(invoice.id)
        ours = list(wire.distinct([*ours, *(row for row in rows if marker_of(row) == write.marker)]))
        live = sorted((row for row in ours if wire.text(row, "status") != "CANCELED"), key=wire.number)
        if len(live) > 1:
            drafts = [str(wire.number(row)) for row in live[1:] if wire.text(row, "status") == "DRAFT"]
            raise CannotTell(
                "several reminders carry {marker}: keep {kept}, delete the drafts {drafts} of {others}",
                marker=write.marker,
                kept=wire.number(live[0]),
                drafts=drafts or Sentence("none"),
                others=", ".join(str(wire.number(row)) for row in live[1:]),
                cause="duplicate_reminder",
            )
        if live:
            return self._found(write, live[0])
        if ours:
            raise CannotTell(
                "reminder {ours} with {marker} was cancelled",
                ours=wire.number(ours[0]),
                marker=write.marker,
                cause="cancelled_reminder",
            )
        if strange := [str(wire.number(row)) for row in rows if self._may_be_ours(write, row)]:
            raise CannotTell(
                "reminder {strange} without our mark appeared meanwhile",
                strange=", ".join(strange),
                cause="unmarked_reminder",
            )
        return None

    def _found(self, write: WriteBack, row: Record) -> Proof:
        """Return the proof that a reminder is there as the write-back wanted it, with its level, deadline and status."""
        self.drafts.levels.rows()
        notice: ProviderNotice = self.push.reading.notice(wire.without_unset_dates(row))
        return proof(
            write,
            self.push.now,
            provider_id=notice.id,
            found_later=True,
            level=notice.level,
            deadline=notice.deadline,
            status=wire.text(row, "status"),
        )

    def _by_mark(self, write: WriteBack) -> list[Record]:
        return self.api.reminders(**{self.push.settings.write_key: write.marker})

    def _number(self, write: WriteBack) -> str | None:
        if write.baseline is not None and write.baseline.invoice is not None and write.baseline.invoice.number:
            return write.baseline.invoice.number
        try:
            return wire.text(self.api.invoice(invoice_of(write).id), "invoice_number")
        except NotFound:
            return None

    def _scan(self, invoice_id: str) -> list[Record]:
        return [row for row in self.api.reminders() if wire.text(row, "invoice_id") == invoice_id]

    @staticmethod
    def _may_be_ours(write: WriteBack, row: Record) -> bool:
        """Return whether a reminder without our mark is new since the call."""
        if marker_of(row) is not None or wire.text(row, "status") == "CANCELED":
            return False
        if write.baseline is not None:
            return wire.text(row, "id") not in {notice.id for notice in write.baseline.notices}
        return True

    def _amend(self, write: WriteBack) -> Proof | None:
        try:
            record = self.drafts.own(write)
            if wire.text(record, "status") != "DRAFT":
                raise CannotTell("reminder {reminder_id} is no draft any more", reminder_id=write.reminder_id)
            checked = self.drafts.check(record, self.api.reminder_items(str(write.reminder_id)), write)
        except NotFound as error:
            raise CannotTell(error.sentence, cause="gone") from error
        except Refused:
            return None  # not as it should be; amending again is harmless and names what differs
        return self.push.proof_of_draft(write, checked, found_later=True)

    def _complete(self, write: WriteBack) -> Proof | None:
        try:
            record = self.drafts.own(write)
        except Refused as error:
            raise CannotTell(error.sentence, cause=error.cause) from error
        status = wire.text(record, "status")
        if status == "DRAFT":
            return None
        if status not in COMPLETED:
            raise CannotTell(
                "reminder {reminder_id} is {status} at Billomat",
                reminder_id=write.reminder_id,
                status=named(status),
                cause="cancelled_reminder",
            )
        return self._found(write, record)

    def _discard(self, write: WriteBack) -> Proof | None:
        try:
            record = self.drafts.own(write)
        except NotFound:
            return proof(write, self.push.now, provider_id=write.reminder_id, found_later=True, status="absent")
        except Refused as error:
            raise CannotTell(error.sentence, cause=error.cause) from error
        if (status := wire.text(record, "status")) != "DRAFT":
            raise CannotTell(
                "reminder {reminder_id} is {status} at Billomat and no draft any more",
                reminder_id=write.reminder_id,
                status=named(status),
                cause="no_draft",
            )
        return None

    # ------------------------------------------------------------------------------------------------------------ sending

    def _send_email(self, write: WriteBack) -> Proof:
        sent = self._newer_entries(write, *MAILED, FAILED)
        done = [row for row in sent if wire.text(row, "actionkey") != FAILED]
        if not done and sent:
            raise CannotTell(
                "Billomat reports that the mail of reminder {reminder_id} failed",
                reminder_id=write.reminder_id,
                cause="mail_failed",
            )
        return self._sent(write, done)

    def _send_post(self, write: WriteBack) -> Proof:
        return self._sent(write, self._newer_entries(write, *POSTED))

    def _sent(self, write: WriteBack, entries: list[Record]) -> Proof:
        if not entries:
            raise CannotTell(
                "the history shows no sending of reminder {reminder_id}; that proves nothing",
                reminder_id=write.reminder_id,
                cause="no_trace",
            )
        first = min(entries, key=wire.number)
        return proof(
            write,
            self.push.now,
            provider_id=write.reminder_id,
            found_later=True,
            level=write.expected_provider_level,
            history=wire.text(first, "id"),
            action=wire.text(first, "actionkey"),
            entries=len(entries),
        )

    def _newer_entries(self, write: WriteBack, *actions: str) -> list[Record]:
        if write.baseline is None or write.baseline.invoice is None:
            raise CannotTell(
                "without the newest history entry before the call its outcome cannot be told", cause="no_baseline"
            )
        head = write.baseline.history_head
        after = int(head) if head is not None and head.isdigit() else 0
        newer = [row for row in self.api.comments(invoice_of(write).id, *actions) if wire.number(row) > after]
        return [row for row in newer if wire.text(row, "user_id") == self._me()] if newer and self._me() else newer

    def _me(self) -> str | None:
        """Return the user of our key, whose name stands on all that we do; None where Billomat does not tell."""
        if self._user is None:
            try:
                self._user = wire.text(self.api.user(), "id") or ""
            except (ConfigError, Refused, BadAnswer):
                return None
        return self._user or None

    # ---------------------------------------------------------------------------------------------------------- the line

    def _note(self, write: WriteBack) -> Proof | None:
        for row in self.api.comments(invoice_of(write).id, "COMMENT"):
            if write.marker in (wire.text(row, "comment") or ""):
                return proof(write, self.push.now, provider_id=wire.text(row, "id"), found_later=True)
        return None

    def _tag(self, write: WriteBack) -> Proof | None:
        name = (write.content.tag or "").strip()
        if not tags.of_record(self.api, "invoice", invoice_of(write).id, [name]):
            return None
        return proof(write, self.push.now, found_later=True, tag=name)

    def _customer_note(self, write: WriteBack) -> Proof | None:
        if not self.push.place.holds(self.push.client_of(write), line_of(write)):
            return None
        return proof(write, self.push.now, found_later=True)
