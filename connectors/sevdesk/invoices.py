"""Invoices, cancellations and credit notes: from sevDesk's rows to the model."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from bridge.contract import Address, BadRecord, Flag, Invoice, InvoiceKind, InvoiceStatus, Reason, Relation, Sentence
from connectors.sevdesk.records import ZERO, build, cents
from connectors.sevdesk.settings import SevDeskSettings

CREDIT = "cn:"
"""Credit notes have ids of their own in sevDesk, which may equal those of invoices."""

PROVISIONS = frozenset({"PROVISION", "ROYALTY_ASSIGNED", "ROYALTY_UNASSIGNED"})
"""Credit notes over what we owe the contact; they lower no claim by themselves."""

NO_DOCUMENT = frozenset({"MA", "WKR"})
"""Rows of `/Invoice` that are no receivables: reminders and templates of recurring invoices."""


class InvoiceReader:
    """Reads rows of `/Invoice` and `/CreditNote`.

    `paid_on_reminders` says how much was booked on the reminders of an invoice instead of on itself, by invoice id.
    """

    def __init__(self, mapping: Any, settings: SevDeskSettings, countries: Mapping[str, str]) -> None:
        self._tables = mapping
        self._settings = settings
        self._zone = ZoneInfo(settings.time_zone)
        self._countries = countries
        self._methods = tuple(word.casefold() for word in settings.direct_debit_methods)

    def invoice(
        self,
        raw: Any,
        *,
        tags: tuple[str, ...] = (),
        flags: Iterable[Flag] = (),
        method: str | None = "",
        paid_on_reminders: Decimal = ZERO,
    ) -> Invoice | None:
        """Return the invoice of a row; None where the row is a reminder or a template. Raises `BadRecord`.

        `method` is the name of its payment method, None where the names could not be read: then any may mean direct debit.
        """
        if isinstance(raw, Mapping) and str(raw.get("invoiceType")) in NO_DOCUMENT:
            return None
        fields = self._tables["invoice"].read(raw, self._zone) or {}
        facts = self._tables["invoice_facts"].read(raw, self._zone) or {}
        if "id" not in fields:
            raise BadRecord("an invoice needs an id", field="id", value=raw.get("id"))
        term = fields.get("payment_term_days")
        if term is not None and not 0 <= term <= 3650:
            raise BadRecord("expected days between 0 and 3650", field="timeToPay", value=raw.get("timeToPay"))
        gross, paid = _gross(facts), cents(facts.get("paid", ZERO), "paidAmount")
        cancels = fields["kind"] == InvoiceKind.CANCELLATION
        status = InvoiceStatus(fields["status"]) if cancels else _status(fields["status"], facts, gross, paid)
        if cancels:
            gross, paid = abs(gross), abs(paid)
        fields |= _origin(fields["kind"], facts)
        fields |= {
            "status": status,
            "gross": gross,
            "paid": paid + paid_on_reminders,
            "open": ZERO if cancels else _open(status, gross, paid, paid_on_reminders),
            "amounts_clear": fields["currency"] == self._settings.home_currency,
            "due_on": _due(fields),
            "sent": True if "sent_at" in facts else (False if status == InvoiceStatus.DRAFT else None),
            "provider_level": max(fields["provider_level"], 0),
            "payment_method": method or facts.get("method_name") or fields.get("payment_method"),
            "tags": tags,
            "address": self._address(raw),
        }
        fields["flags"] = tuple(flags) + self._direct_debit(fields, facts, method)
        return build(Invoice, fields)

    def credit_note(self, raw: Any) -> Invoice:
        """Return the credit note of a row; its amounts are positive. Raises `BadRecord`."""
        fields = self._tables["credit_note"].read(raw, self._zone) or {}
        facts = self._tables["credit_note_facts"].read(raw, self._zone) or {}
        if "id" not in fields:
            raise BadRecord("a credit note needs an id", field="id", value=raw.get("id"))
        if "gross" not in facts:
            raise BadRecord("a credit note needs an amount", field="sumGross", value=raw.get("sumGross"))
        gross, paid = abs(cents(facts["gross"], "sumGross")), abs(cents(facts.get("paid", ZERO), "paidAmount"))
        reduces = facts.get("reduces") or (facts.get("origin_id") if facts.get("origin_kind") == "Invoice" else None)
        lowers = reduces is not None and facts.get("category") not in PROVISIONS
        still_open = fields["status"] in (InvoiceStatus.OPEN, InvoiceStatus.UNKNOWN)
        fields |= {
            "id": CREDIT + fields["id"],
            "kind": InvoiceKind.CREDIT_NOTE,
            "gross": gross,
            "paid": paid,
            "open": max(gross - paid, ZERO) if still_open else ZERO,
            "amounts_clear": fields["currency"] == self._settings.home_currency,
            "origin_id": reduces if lowers else None,
            "relation": Relation.CREDITS if lowers else None,
        }
        return build(Invoice, fields)

    def paid_on(self, raw: Any) -> date | None:
        """Return the local date on which an invoice was paid. Raises `BadRecord`."""
        return (self._tables["invoice_facts"].read(raw, self._zone) or {}).get("paid_on")

    def _address(self, raw: Any) -> Address | None:
        fields = self._tables["document_address"].read(raw, self._zone) or {}
        name, country = fields.pop("name", ""), fields.pop("country_id", "1")
        if not fields and not name:
            return None
        return build(
            Address, fields | {"lines": (name,) if name else (), "country": self._countries.get(country, "DE")}
        )

    def _direct_debit(
        self, fields: Mapping[str, Any], facts: Mapping[str, Any], method: str | None
    ) -> tuple[Flag, ...]:
        """Return the flag of an invoice that is to be collected, until the debit should have been seen."""
        name = str(method or facts.get("method_name") or "").casefold()
        sign = next((key for key in ("mandate", "creditor", "payer_iban") if facts.get(key)), None)
        unsure = method is None and not name and bool(self._methods) and fields.get("payment_method") is not None
        if sign is None and not unsure and not any(word in name for word in self._methods):
            return ()
        due = fields.get("due_on")
        days = self._settings.direct_debit_days
        until = due + timedelta(days=days) if due and days is not None else None
        if sign is not None:
            source = Sentence("sevDesk: SEPA {sign}", sign=sign)
        elif name:
            source = Sentence("sevDesk: payment method {name}", name=name)
        else:
            source = Sentence("sevDesk: payment method unreadable")
        return (Flag(reason=Reason.DIRECT_DEBIT_PENDING, source=source, until=until),)


def _gross(facts: Mapping[str, Any]) -> Decimal:
    for field in ("gross", "gross_accounting", "gross_foreign"):
        if field in facts:
            return cents(facts[field], "sumGross")
    raise BadRecord("an invoice needs an amount", field="sumGross", value=None)


def _status(status: str, facts: Mapping[str, Any], gross: Decimal, paid: Decimal) -> InvoiceStatus:
    """Return the status; 1000 without a payment and its date is what a cancelled original shows."""
    if status == InvoiceStatus.PAID and not paid and "paid_on" not in facts and gross > 0:
        return InvoiceStatus.CANCELLED
    return InvoiceStatus(status)


def _open(status: InvoiceStatus, gross: Decimal, paid: Decimal, on_reminders: Decimal) -> Decimal:
    """Return what is open: the status wins over arithmetic (cash discount closes an invoice that is not fully paid)."""
    if status in (InvoiceStatus.PAID, InvoiceStatus.CANCELLED):
        return ZERO
    rest = gross - paid
    return rest - min(on_reminders, rest) if rest > 0 else rest


def _due(fields: Mapping[str, Any]) -> Any:
    issued = fields.get("issued_on")
    return None if issued is None else issued + timedelta(days=fields.get("payment_term_days", 0))


def _origin(kind: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what this document does to its origin. Orders and other records are no origin of a claim."""
    if facts.get("origin_kind") != "Invoice" or "origin_id" not in facts:
        return {}
    relation = {InvoiceKind.CANCELLATION: Relation.CANCELS, InvoiceKind.FINAL: Relation.COVERS}.get(InvoiceKind(kind))
    return {"origin_id": facts["origin_id"], "relation": relation}
