"""Writing: one act at a time, and looking for an act whose answer was lost.

sevDesk has no key of ours on a reminder. A lost creation is found by comparing the reminders of the invoice with those of the baseline;
what is only read and set again (deadline, tag, field, mark) is found by reading.
"""

import html
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from bridge.contract import (
    Act,
    BadRecord,
    CannotTell,
    Content,
    NotFound,
    NoticeStatus,
    NotSupported,
    Proof,
    ProviderNotice,
    Refused,
    Sentence,
    Unclear,
    WriteBack,
    listed,
)
from connectors.sevdesk.api import Api
from connectors.sevdesk.places import Places
from connectors.sevdesk.reading import Reader
from connectors.sevdesk.reminders import Reminder

WAY_OF = {"mail": "VM", "post": "VP"}


class Writer:
    """Does and finds the acts of one account."""

    def __init__(self, reader: Reader, version: Callable[[], str]) -> None:
        self._api: Api = reader.api
        self._version = version
        self._reader = reader
        self._places = Places(reader)
        self._pushes: Mapping[Act, Callable[[WriteBack], Proof]] = {
            Act.CREATE: self._create,
            Act.AMEND: self._amend,
            Act.SEND_EMAIL: self._send_email,
            Act.MARK_SENT: self._mark_sent,
            Act.DISCARD: self._discard,
            Act.TAG: self._places.tag,
            Act.NOTE: self._places.note,
            Act.CUSTOMER_NOTE: self._places.customer_note,
        }
        self._finds: Mapping[Act, Callable[[WriteBack], Proof | None]] = {
            Act.CREATE: self._find_created,
            Act.AMEND: self._find_amended,
            Act.SEND_EMAIL: self._find_sent,
            Act.MARK_SENT: self._find_marked,
            Act.DISCARD: self._find_discarded,
            Act.TAG: self._places.find_tag,
            Act.NOTE: self._places.find_note,
            Act.CUSTOMER_NOTE: self._places.find_customer_note,
        }

    def push(self, write: WriteBack) -> Proof:
        """Do the act. Errors as the contract says."""
        act = self._pushes.get(write.act)
        if act is None:
            raise NotSupported("sevDesk cannot {act}", act=write.act)
        try:
            return act(write)
        except CannotTell as error:
            raise Refused(error.sentence, cause="sevdesk_reminder_unreadable") from error

    def find(self, write: WriteBack) -> Proof | None:
        """Return the proof of the act, None if it is certainly absent. Raises `CannotTell`."""
        find = self._finds.get(write.act)
        if find is None:
            raise CannotTell("sevDesk cannot tell whether {key} happened", key=write.key)
        try:
            return find(write)
        except Refused as error:
            raise CannotTell("{key}: {error}", key=write.key, error=error, cause=error.cause) from error

    # ------------------------------------------------------------------------------------------------------- create

    def _create(self, write: WriteBack) -> Proof:
        invoice = _invoice_of(write)
        for notice in write.baseline.notices if write.baseline else ():
            if notice.status is NoticeStatus.DRAFT:
                raise Refused(
                    "sevDesk already holds a reminder draft ({notice_id}) for invoice {invoice}; send or delete it there first",
                    notice_id=notice.id,
                    invoice=invoice,
                    cause="sevdesk_foreign_draft",
                )
        if write.content.fee > 0 and self._version() != "1.0":
            raise Refused(
                "sevDesk makes no reminders with a fee ({fee}) in system version 2.0; use our own letter or mail",
                fee=write.content.fee,
                cause="sevdesk_fee",
            )
        raw = self._api.create_reminder(invoice)
        try:
            reminder = self._reader.reminders.reminder(raw)
        except BadRecord as error:
            raise Unclear("the created reminder cannot be read: {error}", error=error, cause="bad_answer") from error
        if reminder is None or reminder.notice.invoice_id != invoice:
            raise Unclear(
                "sevDesk answered another document than a reminder for {invoice}", invoice=invoice, cause="bad_answer"
            )
        return self._proof(write, reminder)

    def _find_created(self, write: WriteBack) -> Proof | None:
        """Return the one reminder that is there now and was not in the baseline."""
        if write.baseline is None or write.started_at is None:
            raise CannotTell("{key}: without baseline and start nothing can be compared", key=write.key)
        known = {notice.id for notice in write.baseline.notices}
        new = [reminder for reminder in self._reminders_of(_invoice_of(write)) if reminder.notice.id not in known]
        if not new:
            return None
        ours = [reminder for reminder in new if self._not_before(write, reminder.notice.created_at)]
        if len(new) > 1 or not ours:
            ids = ", ".join(sorted(reminder.notice.id for reminder in new))
            raise CannotTell(
                "{key}: sevDesk holds new reminders ({ids}); which one is ours cannot be told", key=write.key, ids=ids
            )
        return self._proof(write, ours[0], later=True)

    def _reminders_of(self, invoice: str) -> list[Reminder]:
        """Read all reminders and keep those of this invoice; a row of it that cannot be read leaves the question open."""
        found: dict[str, Reminder] = {}
        for raw in self._api.whole(self._api.documents_of_type("MA")):
            origin = raw.get("origin") if isinstance(raw, dict) and raw.get("invoiceType") == "MA" else None
            if isinstance(origin, dict) and str(origin.get("id")) == invoice:
                try:
                    reminder = self._reader.reminders.reminder(raw)
                except BadRecord as error:
                    raise CannotTell(
                        "a reminder of invoice {invoice} cannot be read: {error}", invoice=invoice, error=error
                    ) from error
                if reminder is not None:
                    found[reminder.notice.id] = reminder
        return list(found.values())

    # -------------------------------------------------------------------------------------------------------- amend

    def _amend(self, write: WriteBack) -> Proof:
        """Set the deadline if it differs, and compare all that sevDesk decided with what was decided here."""
        reminder = self._our_draft(write)
        if write.content.deadline is not None and reminder.notice.deadline != write.content.deadline:
            self._api.update_invoice(reminder.notice.id, {"reminderDeadline": write.content.deadline.isoformat()})
            reminder = self._our_draft(write)
        _must_be_as_decided(write, reminder.notice)
        return self._proof(write, reminder)

    def _find_amended(self, write: WriteBack) -> Proof | None:
        reminder = self._reminder(_reminder_of(write))
        return None if _differences(write, reminder.notice) else self._proof(write, reminder, later=True)

    # ------------------------------------------------------------------------------------------------ send and mark

    def _send_email(self, write: WriteBack) -> Proof:
        reminder = self._our_draft(write)
        _must_be_as_decided(write, reminder.notice, termed=False)  # somebody may have edited it since it was amended
        mail = self._api.send_via_email(reminder.notice.id, mail_of(write.content))
        facts = {"mail": str(mail.get("id") or ""), "to": ", ".join(write.content.recipients.to)}
        return self._proof(write, reminder, facts=facts)

    def _find_sent(self, write: WriteBack) -> Proof:
        """Return the proof of sending: the draft of the baseline now shows a mail, not older than our attempt."""
        reminder = self._reminder(_reminder_of(write))
        before = (
            next((n for n in write.baseline.notices if n.id == write.reminder_id), None) if write.baseline else None
        )
        was_draft = before is None or before.status is NoticeStatus.DRAFT
        sent = reminder.notice.status is NoticeStatus.SENT and reminder.sent_by == "VM"
        if sent and was_draft and reminder.sent_at is not None and self._not_before(write, reminder.sent_at):
            return self._proof(write, reminder, later=True)
        raise CannotTell(
            "{key}: sevDesk does not show that the reminder {reminder_id} was mailed",
            key=write.key,
            reminder_id=write.reminder_id,
        )

    def _mark_sent(self, write: WriteBack) -> Proof:
        """Record how our own letter or mail went out; a reminder that is marked already stays as it is."""
        reminder = self._reminder(_reminder_of(write))
        if reminder.notice.status is not NoticeStatus.SENT:
            self._api.send_by(reminder.notice.id, WAY_OF.get(write.content.sent_by or "", "VPDF"))
            reminder = self._reminder(reminder.notice.id)
            if reminder.notice.status is not NoticeStatus.SENT:
                raise Unclear(
                    "the reminder {notice_id} is not shown as sent",
                    notice_id=reminder.notice.id,
                    cause="sevdesk_not_marked",
                )
        return self._proof(write, reminder)

    def _find_marked(self, write: WriteBack) -> Proof | None:
        reminder = self._reminder(_reminder_of(write))
        return self._proof(write, reminder, later=True) if reminder.notice.status is NoticeStatus.SENT else None

    # ------------------------------------------------------------------------------------------------------ discard

    def _discard(self, write: WriteBack) -> Proof:
        """Delete our draft; one that is gone already is done, one that was sent stays."""
        try:
            reminder = self._our_draft(write)
            self._api.delete_invoice(reminder.notice.id)
        except NotFound:
            return Proof(key=write.key, at=self._now(), provider_id=write.reminder_id, found_later=True)
        return Proof(key=write.key, at=self._now(), provider_id=reminder.notice.id)

    def _find_discarded(self, write: WriteBack) -> Proof | None:
        try:
            self._reminder(_reminder_of(write))
        except NotFound:
            return Proof(key=write.key, at=self._now(), provider_id=write.reminder_id, found_later=True)
        return None

    # ------------------------------------------------------------------------------------------------------ helpers

    def _reminder(self, id_: str) -> Reminder:
        """Read a reminder. Raises `NotFound`; `CannotTell` where the record is no reminder or cannot be read."""
        try:
            reminder = self._reader.reminders.reminder(self._api.invoice(id_))
        except BadRecord as error:
            raise CannotTell("the reminder {id} cannot be read: {error}", id=id_, error=error) from error
        if reminder is None:
            raise CannotTell("{id} is no reminder at sevDesk", id=id_)
        return reminder

    def _our_draft(self, write: WriteBack) -> Reminder:
        """Read the reminder of this notice. Raises `Refused` where it is no draft for this invoice (any more)."""
        reminder = self._reminder(_reminder_of(write))
        if write.invoice is not None and reminder.notice.invoice_id != write.invoice.id:
            raise Refused(
                "the reminder {notice_id} is for another invoice",
                notice_id=reminder.notice.id,
                cause="sevdesk_other_invoice",
            )
        if reminder.notice.status is not NoticeStatus.DRAFT:
            raise Refused(
                "the reminder {notice_id} is no draft any more: somebody sent it at sevDesk",
                notice_id=reminder.notice.id,
                cause="sevdesk_no_draft",
            )
        return reminder

    def _not_before(self, write: WriteBack, moment: datetime | None) -> bool:
        """Tell whether `moment` at sevDesk is not before our attempt, as far as two clocks can be compared."""
        if moment is None:
            return False
        starts = [write.started_at, write.baseline.taken_at if write.baseline else None]
        known = [start for start in starts if start is not None]
        skew = timedelta(seconds=self._reader.settings.clock_skew_seconds)
        return bool(known) and moment >= min(known) - skew

    def _now(self) -> datetime:
        return self._api.http.now()

    def _proof(
        self, write: WriteBack, reminder: Reminder, *, later: bool = False, facts: Mapping[str, str] | None = None
    ) -> Proof:
        notice = reminder.notice
        return Proof(
            key=write.key,
            at=self._now(),
            provider_id=notice.id,
            level=notice.level,
            deadline=notice.deadline,
            principal=notice.principal,
            fee=notice.fee,
            found_later=later,
            facts={key: value for key, value in (facts or {"sent_by": reminder.sent_by}).items() if value},
        )


def mail_of(content: Content) -> dict[str, Any]:
    """Return the body of `sendViaEmail`. Its text may be HTML: plain text is escaped first."""
    text = content.html or html.escape(content.text).replace("\r\n", "\n").replace("\n", "<br>\n")
    mail = {"toEmail": ",".join(content.recipients.to), "subject": content.subject, "text": text, "copy": False}
    if not content.recipients.to:
        raise Refused("there is no recipient for the e-mail", cause="no_recipient")
    for key, addresses in (("ccEmail", content.recipients.cc), ("bccEmail", content.recipients.bcc)):
        if addresses:
            mail[key] = ",".join(addresses)
    return mail


def _differences(write: WriteBack, notice: ProviderNotice, *, termed: bool = True) -> list[Sentence]:
    """Return in words where a reminder at sevDesk differs from what was decided."""
    content = write.content
    sum_there = None if notice.total is None else content.principal + content.fee
    pairs: tuple[tuple[Sentence, object, object], ...] = (
        (Sentence("level"), write.expected_provider_level, notice.level),
        (Sentence("deadline"), content.deadline if termed else None, notice.deadline),
        (Sentence("open amount"), content.principal, notice.principal),
        (Sentence("fee"), content.fee, notice.fee),
        (Sentence("sum"), sum_there, notice.total),
    )
    return [
        Sentence(
            "{name} there {there}, here {here}",
            name=name,
            there=Sentence("none") if there is None else there,
            here=here,
        )
        for name, here, there in pairs
        if here is not None and here != there
    ]


def _must_be_as_decided(write: WriteBack, notice: ProviderNotice, *, termed: bool = True) -> None:
    """Raise `Refused` where a reminder at sevDesk differs from what was decided; in its level and amounts, and `termed`."""
    if wrong := _differences(write, notice, termed=termed):
        raise Refused(
            "the reminder {notice_id} at sevDesk is not what was decided: {wrong}",
            notice_id=notice.id,
            wrong=listed(wrong),
            cause="sevdesk_reminder_differs",
        )


def _invoice_of(write: WriteBack) -> str:
    if write.invoice is None:
        raise Refused("{key}: the write-back names no invoice", key=write.key, cause="no_invoice")
    return write.invoice.id


def _reminder_of(write: WriteBack) -> str:
    if write.reminder_id is None:
        raise Refused("{key}: the write-back names no reminder", key=write.key, cause="no_reminder")
    return write.reminder_id
