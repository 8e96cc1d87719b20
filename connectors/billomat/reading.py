"""From Billomat's records to the shared model. No calls; every failure is a `BadRecord`."""

import re
from collections.abc import Callable, Iterable
from datetime import timedelta
from decimal import Decimal
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ValidationError

from bridge.contract import (
    Address,
    BadRecord,
    Contact,
    Debtor,
    DebtorKind,
    Flag,
    Invoice,
    InvoiceKind,
    InvoiceStatus,
    Mapping,
    Payment,
    Person,
    ProviderNotice,
    Reason,
    Reject,
    Relation,
    Sentence,
    misfit,
)
from connectors.billomat import wire
from connectors.billomat.settings import Settings

Record = dict[str, Any]
Model = TypeVar("Model", bound=BaseModel)
CREDIT_NOTE_PREFIX = "cn-"
"""Credit notes have ids of their own, which may equal those of invoices."""

SENT_ACTIONS = ("REMINDER_MAIL", "REMINDER_SIGN_MAIL", "REMINDER_LETTER", "REMINDER_FAX")
ZERO = Decimal("0.00")
_MARK = re.compile(r"mb:[0-9a-f]{12}")
_MAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>]+")
_LONGEST_MAIL = 254
"""Signs of an address (RFC 5321); asked first, as a longer one would take the square of its length to read."""
_PLACE = re.compile(r"(?:D[- ])?([0-9]{5})\s+(\S.*)")


def is_live(record: Record) -> bool:
    """Return whether a reminder is ours, completed, unpaid and the newest of its invoice, so that its sending matters."""
    current = wire.text(record, "status") in ("OPEN", "OVERDUE") and not wire.flag(record, "is_old")
    return current and marker_of(record) is not None


def shows_sending(notice: ProviderNotice, history: Iterable[Record]) -> bool:
    """Return whether an invoice's history has a sending after the reminder was made; an entry does not name its reminder."""
    if notice.created_at is None:
        return False
    entries = (entry for entry in history if wire.text(entry, "actionkey") in SENT_ACTIONS)
    moments = [moment for entry in entries if (moment := wire.instant(wire.text(entry, "created"))) is not None]
    return any(moment >= notice.created_at for moment in moments)


def is_correction(record: Record) -> bool:
    """Return whether an invoice is a correction: it names the corrected invoice, or its total is negative."""
    return wire.reference(record, "invoice_id") is not None or (wire.text(record, "total_gross") or "").startswith("-")


def mail_address(text: str | None) -> str | None:
    """Return an e-mail address, None where the text is none, or more than one."""
    return text if text and len(text) <= _LONGEST_MAIL and _MAIL.fullmatch(text) else None


def marker_of(record: Record) -> str | None:
    """Return our mark on a reminder, wherever it was put."""
    for field in ("label", "customfield"):
        if found := _MARK.search(wire.text(record, field) or ""):
            return found.group()
    return None


class Reading:
    """Reads records of one account with its settings and mapping."""

    def __init__(self, settings: Settings, mapping: Mapping) -> None:
        self.settings = settings
        self.mapping = mapping
        self.zone = ZoneInfo(settings.time_zone)
        self.level_positions: dict[str, int] = {}
        """Position of each dunning level by its id, counted from 1 in the order of `sorting`."""

    def set_levels(self, levels: list[Record]) -> None:
        """Take over the account's dunning levels (`reminder-texts`)."""
        ordered = sorted(levels, key=lambda row: (wire.number(row, "sorting"), wire.number(row)))
        self.level_positions = {str(wire.number(row)): place for place, row in enumerate(ordered, 1)}

    # ---------------------------------------------------------------------------------------------------------- documents

    def invoice(self, raw: Record, *, tags: tuple[str, ...] = (), email: str | None = None) -> Invoice:
        """Return an invoice, or a correction (Korrekturrechnung) as a credit note."""
        fields = self._read("invoice", raw)
        origin = wire.reference(raw, "invoice_id")
        if "gross" not in fields:
            raise BadRecord("expected an amount", field="total_gross", value=raw.get("total_gross"))
        correction = is_correction(raw)
        self._settle(fields, raw)
        if correction:
            fields.update(_positive(fields))
        return _build(
            Invoice,
            id=wire.record_id(raw),
            kind=InvoiceKind.CREDIT_NOTE if correction else InvoiceKind.INVOICE,
            debtor_id=wire.reference(raw, "client_id"),
            origin_id=origin,
            relation=Relation.CREDITS if origin is not None else None,
            address=_frozen_address(wire.text(raw, "address")),
            tags=tags,
            flags=()
            if correction
            else (
                *self._direct_debit(raw, fields),
                *self._tag_flags(tags, self.settings.invoice_tags, _invoice_tag),
            ),
            email=email,
            **fields,
        )

    def credit_note(self, raw: Record) -> Invoice:
        """Return a credit note (Gutschrift)."""
        fields = self._read("credit_note", raw)
        if "number" not in fields and (shown := wire.text(raw, "credit-note_number")):
            fields["number"] = shown
        if "gross" not in fields:
            raise BadRecord("expected an amount", field="total_gross", value=raw.get("total_gross"))
        self._settle(fields, raw)
        fields.update(_positive(fields))
        origin = wire.reference(raw, "invoice_id")
        return _build(
            Invoice,
            id=CREDIT_NOTE_PREFIX + wire.record_id(raw),
            kind=InvoiceKind.CREDIT_NOTE,
            debtor_id=wire.reference(raw, "client_id"),
            origin_id=origin,
            relation=Relation.CREDITS if origin is not None else None,
            **fields,
        )

    def _settle(self, fields: Record, raw: Record) -> None:
        """Fill in what the account implies. The status PAID wins over amounts: a cash discount leaves a gap between them."""
        fields.setdefault("currency", self.settings.currency)
        fields["amounts_clear"] = (
            self.settings.foreign_amounts == "invoice" or fields["currency"] == self.settings.currency
        )
        fields.setdefault("paid", ZERO)
        if fields["status"] in (InvoiceStatus.PAID, InvoiceStatus.CANCELLED):
            fields["open"] = ZERO
        elif "open" not in fields:
            raise BadRecord("expected the open amount", field="open_amount", value=raw.get("open_amount"))

    def _direct_debit(self, raw: Record, fields: Record) -> tuple[Flag, ...]:
        types = wire.words(wire.text(raw, "payment_types"))
        wanted = self.settings.direct_debit
        if "DEBIT" not in types or wanted == "off" or (wanted == "alone" and len(set(types)) > 1):
            return ()
        days, due = self.settings.direct_debit_days, fields.get("due_on")
        until = None if days is None or due is None else due + timedelta(days=days)
        return (Flag(reason=Reason.DIRECT_DEBIT_PENDING, source="invoice.payment_types", until=until),)

    @staticmethod
    def _tag_flags(
        tags: tuple[str, ...], meaning: dict[str, Reason], told: Callable[[str], Sentence]
    ) -> tuple[Flag, ...]:
        reasons = {name.casefold(): reason for name, reason in meaning.items()}
        return tuple(
            Flag(reason=reasons[tag.casefold()], source=told(tag)) for tag in tags if tag.casefold() in reasons
        )

    # ------------------------------------------------------------------------------------------------------------- people

    def debtor(self, raw: Record, *, tags: tuple[str, ...] = ()) -> Debtor:
        """Return a client (Kunde)."""
        fields = self._read("debtor", raw)
        written = fields.get("email")
        fields["email"] = mail_address(written)
        person = " ".join(part for field in ("first_name", "last_name") if (part := wire.text(raw, field)))
        company = wire.text(raw, "name")
        key = wire.record_id(raw)
        contacts = (
            (Contact(name=person, role="main", email=fields.get("email"), phone=wire.text(raw, "phone")),)
            if person
            else ()
        )
        named = {field: wire.text(raw, field) for field in ("salutation", "first_name", "last_name")}
        locale = wire.text(raw, "locale")
        term = wire.text(raw, "due_days") if wire.text(raw, "due_days_type") == "ABSOLUTE" else None
        mandate = wire.text(raw, "sepa_mandate") is not None
        return _build(
            Debtor,
            id=key,
            unusable=(written,) if written and not fields["email"] else (),
            name=company or person or fields.get("number") or key,
            kind=DebtorKind.BUSINESS if wire.text(raw, "vat_number") else DebtorKind.UNKNOWN,
            contacts=contacts,
            person=Person(**named) if person else None,
            address=self._address(raw, company, person),
            language=re.split(r"[-_]", locale)[0].lower() if locale else None,
            tags=tags,
            flags=(
                *self._client_flags(raw, mandate=mandate),
                *self._tag_flags(tags, self.settings.client_tags, _client_tag),
            ),
            payment_term_days=int(term) if term and term.isascii() and term.isdigit() and len(term) < 5 else None,
            has_mandate=mandate,
            **fields,
        )

    def _client_flags(self, raw: Record, *, mandate: bool) -> tuple[Flag, ...]:
        flags = []
        if self.settings.respect_dunning_run and not wire.flag(raw, "dunning_run", default=True):
            flags.append(Flag(reason=Reason.CUSTOMER_EXCLUDED, source="client.dunning_run"))
        if self.settings.hold_archived and wire.flag(raw, "archived"):
            flags.append(Flag(reason=Reason.CUSTOMER_EXCLUDED, source="client.archived"))
        if self.settings.direct_debit == "mandate" and mandate:
            flags.append(Flag(reason=Reason.DIRECT_DEBIT_PENDING, source="client.sepa_mandate"))
        return tuple(flags)

    def _address(self, raw: Record, company: str | None, person: str) -> Address | None:
        fields = self._read("address", raw)
        fields["country"] = str(fields.get("country", "DE")).upper()
        if not any(fields.get(name) for name in ("street", "postcode", "city")):
            return None
        return _build(Address, lines=tuple(line for line in (company, person) if line), **fields)

    # --------------------------------------------------------------------------------------------- payments and reminders

    def payment(self, raw: Record) -> Payment:
        """Return a payment (Zahlung); a negative amount took money back."""
        fields = self._read("payment", raw)
        fields.setdefault("currency", self.settings.currency)
        for needed, field in (("amount", "amount"), ("value_on", "date")):
            if needed not in fields:
                raise BadRecord("expected a value", field=field, value=raw.get(field))
        invoice_id = wire.reference(raw, "invoice_id")
        if invoice_id is None:
            raise BadRecord("expected an invoice", field="invoice_id", value=raw.get("invoice_id"))
        return _build(Payment, id=wire.record_id(raw), invoice_id=invoice_id, **fields)

    def notice(self, raw: Record) -> ProviderNotice:
        """Return a reminder (Mahnung), whoever made it."""
        invoice_id = wire.reference(raw, "invoice_id")
        if invoice_id is None:
            raise BadRecord("expected an invoice", field="invoice_id", value=raw.get("invoice_id"))
        return _build(
            ProviderNotice,
            id=wire.record_id(raw),
            invoice_id=invoice_id,
            level=self.level(raw),
            marker=marker_of(raw),
            **self._read("notice", raw),
        )

    def level(self, raw: Record) -> int:
        """Return the level of a reminder: the position of its dunning level, else the number that Billomat shows."""
        place = self.level_positions.get(str(wire.number(raw, "reminder_text_id")))
        return place if place is not None else wire.number(raw, "reminder_level")

    def _read(self, table: str, raw: Record) -> Record:
        fields = self.mapping[table].read(wire.without_unset_dates(raw), self.zone)
        return fields or {}


def _invoice_tag(tag: str) -> Sentence:
    return Sentence("invoice tag {tag}", tag=tag)


def _client_tag(tag: str) -> Sentence:
    return Sentence("client tag {tag}", tag=tag)


def _build(model: type[Model], **fields: Any) -> Model:
    try:
        return model(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise BadRecord(misfit(first), field=field, value=first["input"]) from error


def _positive(fields: Record) -> Record:
    """Return the amounts of a credit note or correction without Billomat's sign, which is negative on corrections."""
    return {field: abs(fields[field]) for field in ("gross", "paid", "open")}


def _frozen_address(block: str | None) -> Address | None:
    """Return the recipient block of an invoice; what cannot be told apart stays in its lines."""
    lines = [line.strip() for line in (block or "").splitlines() if line.strip()]
    if not lines:
        return None
    if len(lines) >= 3 and (place := _PLACE.fullmatch(lines[-1])):
        return Address(lines=tuple(lines[:-2]), street=lines[-2], postcode=place[1], city=place[2], country="DE")
    return Address(lines=tuple(lines), country="")


def reject(kind: str, raw: Any, error: BadRecord, *, prefix: str = "") -> Reject:
    """Return the record that did not fit, with the reason; `prefix` belongs to our id of it."""
    key = wire.text(raw, "id") if isinstance(raw, dict) else None
    return Reject(
        kind=kind,
        provider_id=None if key is None else prefix + key,
        field=error.field,
        value=error.value,
        reason=error.reason,
        raw=wire.raw(raw),
    )
