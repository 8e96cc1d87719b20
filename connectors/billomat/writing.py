"""Writing back: each act is at most one call that is not harmless to repeat, after reads that make sure of what it acts on."""

import base64
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from bridge.contract import (
    Act,
    Attachment,
    BadAnswer,
    Content,
    NotFound,
    NotSupported,
    Proof,
    Ref,
    RefKind,
    Refused,
    RetryLater,
    Unclear,
    WriteBack,
)
from connectors.billomat import wire
from connectors.billomat.api import Api, Record
from connectors.billomat.drafts import COMPLETED, Checked, Drafts, named
from connectors.billomat.levels import Quota
from connectors.billomat.places import CustomerPlace
from connectors.billomat.reading import Reading, marker_of
from connectors.billomat.settings import Settings

QUOTA_WAIT = timedelta(hours=12)


def line_of(write: WriteBack) -> str:
    """Return the line for people, the same on the invoice and in the client's record. Raises `Refused` where there is none."""
    line = " ".join(write.content.linked_line.split())
    if not line:
        raise Refused("a note needs a line", cause="no_line")
    return line


def marked_line_of(write: WriteBack) -> str:
    """Return the line with our mark, by which it is found again among people's comments."""
    return f"{line_of(write)} [{write.marker}]"


def proof(
    write: WriteBack, now: datetime, *, provider_id: str | None = None, found_later: bool = False, **facts: Any
) -> Proof:
    """Return a proof; `level`, `deadline`, `principal` and `fee` are read from `facts`, the rest stays text."""
    known = {name: facts.pop(name) for name in ("level", "deadline", "principal", "fee") if name in facts}
    told = {name: str(value) for name, value in facts.items() if value is not None}
    return Proof(key=write.key, at=now, provider_id=provider_id, found_later=found_later, facts=told, **known)


def invoice_of(write: WriteBack) -> Ref:
    """Return the invoice of a write-back. Raises `Refused` where there is none."""
    if write.invoice is None or write.invoice.kind is not RefKind.INVOICE or not write.invoice.id.isdigit():
        raise Refused("{act} at Billomat needs one invoice", act=write.act, cause="no_invoice")
    return write.invoice


class Push:
    """The acts, one method each."""

    def __init__(self, drafts: Drafts, quota: Quota, place: CustomerPlace, document: Callable[[Ref], bytes]) -> None:
        self.drafts = drafts
        self.api: Api = drafts.api
        self.settings: Settings = drafts.settings
        self.reading: Reading = drafts.reading
        self.quota = quota
        self.place = place
        self.document = document
        self._acts: dict[Act, Callable[[WriteBack], Proof]] = {
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

    def __call__(self, write: WriteBack) -> Proof:
        act = self._acts.get(write.act)
        if act is None:
            raise NotSupported("Billomat cannot {act}", act=write.act)
        return act(write)

    @property
    def now(self) -> datetime:
        return self.api.http.now()

    # ------------------------------------------------------------------------------------------------------ the reminder

    def _create(self, write: WriteBack) -> Proof:
        invoice = invoice_of(write)
        if self.quota.left() == 0:
            raise _quota_is_used_up()
        fields: Record = {
            "invoice_id": int(invoice.id),
            "date": self.now.astimezone(self.reading.zone).date().isoformat(),
            self.settings.write_key: write.marker,
            **_texts(write.content),
        }
        try:
            record = self.api.create_reminder(fields)
        except Refused as error:
            if self.quota.left_now() == 0:
                raise _quota_is_used_up() from error
            raise
        self.quota.used_one()
        key = str(wire.number(record))
        if key == "0":
            raise Unclear(
                "the answer to creating a reminder of invoice {invoice_id} names no reminder",
                invoice_id=invoice.id,
                cause="bad_answer",
            )
        if self.settings.write_key == "customfield" and marker_of(record) != write.marker:
            self._mark(key, write)
        return proof(
            write,
            self.now,
            provider_id=key,
            level=self.drafts.reading.level(record) if self.drafts.levels.rows() else None,
            deadline=self.reading.notice(record).deadline if wire.text(record, "invoice_id") else None,
            status=wire.text(record, "status"),
            reminder_text_id=wire.text(record, "reminder_text_id"),
        )

    def _mark(self, key: str, write: WriteBack) -> None:
        try:
            self.api.mark_reminder(key, write.marker)
        except (Refused, RetryLater, Unclear) as error:
            raise Unclear(
                "reminder {key} was created, but our mark could not be put on it: {error}",
                key=key,
                error=error,
                cause="unmarked",
            ) from error

    def _amend(self, write: WriteBack) -> Proof:
        return self.proof_of_draft(write, self.drafts.amend(write))

    def proof_of_draft(self, write: WriteBack, checked: Checked, *, found_later: bool = False) -> Proof:
        """Return the proof that a draft agrees with ours."""
        return proof(
            write,
            self.now,
            provider_id=write.reminder_id,
            found_later=found_later,
            level=checked.level,
            fee=checked.fee,
            principal=write.content.principal,
            deadline=self.reading.notice(checked.record).deadline,
            status=wire.text(checked.record, "status"),
        )

    def _complete(self, write: WriteBack) -> Proof:
        record = self.drafts.own(write)
        status = wire.text(record, "status")
        if status == "DRAFT":
            self.drafts.unedited(record, write)
            self.api.complete_reminder(str(write.reminder_id), self.settings.template_id)
        elif status not in COMPLETED:
            raise Refused(
                "reminder {reminder_id} is {status} at Billomat and cannot be completed",
                reminder_id=write.reminder_id,
                status=named(status),
                cause="no_draft",
            )
        return proof(
            write,
            self.now,
            provider_id=write.reminder_id,
            level=self.reading.level(record),
            deadline=self.reading.notice(record).deadline,
            status="OPEN" if status == "DRAFT" else status,
        )

    def _discard(self, write: WriteBack) -> Proof:
        try:
            record = self.drafts.own(write)
            if (status := wire.text(record, "status")) != "DRAFT":
                raise Refused(
                    "reminder {reminder_id} is {status} at Billomat; only drafts are deleted",
                    reminder_id=write.reminder_id,
                    status=named(status),
                    cause="no_draft",
                )
            self.api.delete_reminder(str(write.reminder_id))
        except NotFound:
            return proof(write, self.now, provider_id=write.reminder_id, status="absent")
        return proof(write, self.now, provider_id=write.reminder_id, status="deleted")

    # ------------------------------------------------------------------------------------------------------------ sending

    def _completed(self, write: WriteBack) -> Record:
        record = self.drafts.own(write)
        if (status := wire.text(record, "status")) not in ("OPEN", "OVERDUE"):
            raise Refused(
                "reminder {reminder_id} is {status} at Billomat and is not sent",
                reminder_id=write.reminder_id,
                status=named(status),
                cause="not_sendable",
            )
        return record

    def _send_email(self, write: WriteBack) -> Proof:
        content, recipients = write.content, write.content.recipients
        if not recipients.to:
            raise Refused(
                "reminder {reminder_id} has no recipient", reminder_id=write.reminder_id, cause="no_recipient"
            )
        lists = {name: list(people) for name in ("to", "cc", "bcc") if (people := getattr(recipients, name))}
        fields: Record = {
            "recipients": lists,
            **({"subject": content.subject} if content.subject else {}),
            **({"body": content.text} if content.text else {}),
            **({"from": self.settings.email_from} if self.settings.email_from else {}),
            **({"email_template_id": self.settings.email_template_id} if self.settings.email_template_id else {}),
        }
        if content.attachments:
            fields["attachments"] = {"attachment": [self._attachment(file) for file in content.attachments]}
        record = self._completed(write)
        self.api.email_reminder(str(write.reminder_id), fields)
        return proof(
            write,
            self.now,
            provider_id=write.reminder_id,
            level=self.reading.level(record),
            recipients=len(recipients.to),
        )

    def _attachment(self, file: Attachment) -> Record:
        if file.document is None:
            raise Refused(
                "Billomat's mail cannot carry {filename!r}; only documents of Billomat",
                filename=file.filename,
                cause="attachment",
            )
        try:
            content = self.document(file.document)
        except BadAnswer as error:
            raise RetryLater(
                "{filename!r} could not be read: {error}", filename=file.filename, error=error, cause="bad_answer"
            ) from error
        return {"filename": file.filename, "mimetype": file.mimetype, "base64file": base64.b64encode(content).decode()}

    def _send_post(self, write: WriteBack) -> Proof:
        if not self.settings.post:
            raise NotSupported("letters by Billomat are off; set `post: true` once the letter add-on has a balance")
        record = self._completed(write)
        fields = {
            "color": int(self.settings.post_color),
            "duplex": int(self.settings.post_duplex),
            "paper_weight": self.settings.post_paper_weight,
        }
        self.api.post_reminder(str(write.reminder_id), fields)
        return proof(write, self.now, provider_id=write.reminder_id, level=self.reading.level(record))

    # ---------------------------------------------------------------------------------------------------------- the line

    def _note(self, write: WriteBack) -> Proof:
        invoice = invoice_of(write)
        record = self.api.add_comment(invoice.id, marked_line_of(write))
        return proof(write, self.now, provider_id=wire.text(record, "id"))

    def _tag(self, write: WriteBack) -> Proof:
        invoice, name = invoice_of(write), (write.content.tag or "").strip()
        if not name or "," in name:
            raise Refused("{tag!r} is no tag for Billomat", tag=write.content.tag, cause="no_tag")
        if name.casefold() in self.tag_stops():
            raise Refused(
                "the tag {name!r} stops dunning on this account; it is not set by us", name=name, cause="no_tag"
            )
        if name.casefold() not in (tag.casefold() for tag in self.api.tag_names("invoice", invoice.id)):
            self.api.add_invoice_tag(invoice.id, name)
        return proof(write, self.now, tag=name)

    def tag_stops(self) -> frozenset[str]:
        """Return the tags that hold an invoice, in lower case."""
        return frozenset(name.casefold() for name in self.settings.invoice_tags)

    def _customer_note(self, write: WriteBack) -> Proof:
        client_id = self.client_of(write)
        return proof(write, self.now, provider_id=self.place.put(client_id, line_of(write)))

    @staticmethod
    def client_of(write: WriteBack) -> str:
        """Return the client of a write-back. Raises `Refused` where none is known."""
        client_id = write.debtor_id
        if client_id is None and write.baseline is not None and write.baseline.invoice is not None:
            client_id = write.baseline.invoice.debtor_id
        if client_id is None or not client_id.isdigit():
            raise Refused("the line needs a client to go to", cause="no_client")
        return client_id


def _texts(content: Content) -> Record:
    fields = {
        "due_date": content.deadline.isoformat() if content.deadline else "",
        "subject": content.subject,
        "intro": content.text,
    }
    return {field: value for field, value in fields.items() if value}


def _quota_is_used_up() -> RetryLater:
    return RetryLater(
        "Billomat's monthly document quota is used up; reminders count as documents. It renews with the month, or take a larger plan",
        after=QUOTA_WAIT,
        cause="document_quota",
    )
