"""Model to row and back: amounts as integer cents, the document as JSON, a hash that tells whether anything changed.

Documents leave out what equals the model's default, so a field added to the model later changes no stored hash. `updated_at` is kept
but not hashed: a record that the provider touched without changing anything we know is not a change.
"""

from collections.abc import Sequence
from decimal import Decimal
from hashlib import blake2b
from typing import Any, TypeVar

from bridge.model import Debtor, Invoice, Payment, ProviderNotice, Reject

Record = TypeVar("Record", Debtor, Invoice, Payment, ProviderNotice)
Row = dict[str, Any]

_UNHASHED = {"updated_at"}


def cents(amount: Decimal) -> int:
    """Return an amount of money with two places as integer cents."""
    return int(amount * 100)


def amount(value: int) -> Decimal:
    """Return integer cents as an amount with two places."""
    return Decimal(value).scaleb(-2)


def digest(text: str) -> str:
    """Return 32 hex digits that tell texts apart."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def plain(text: str) -> str:
    """Return `text` as every database can hold it: PostgreSQL knows no NUL."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


def short(text: str | None, length: int = 128) -> str | None:
    """Return `text` for a column of limited length that is only searched; the document keeps the whole."""
    return None if text is None else plain(text[:length])


def content(record: Debtor | Invoice | Payment | ProviderNotice) -> str:
    """Return what of a record counts as its content, as JSON."""
    return record.__pydantic_serializer__.to_json(record, exclude_defaults=True, exclude=_UNHASHED).decode()


def document(record: Debtor | Invoice | Payment | ProviderNotice, text: str) -> str:
    """Return the whole record as JSON, given its content; `type.model_validate_json` reads it back."""
    updated_at = record.updated_at if isinstance(record, Debtor | Invoice) else None
    return text if updated_at is None else f'{text[:-1]},"updated_at":"{updated_at.isoformat()}"}}'


def by_id(records: Sequence[Record]) -> dict[str, Record]:
    """Return the records by id; of two with the same id the later one counts."""
    return {record.id: record for record in records}


def debtor_row(account: str, debtor: Debtor, text: str, hashed: str) -> Row:
    """Return the row of a debtor."""
    return {
        "account": account,
        "id": debtor.id,
        "number": short(debtor.number),
        "name": plain(debtor.name),
        "document": document(debtor, text),
        "hash": hashed,
    }


def invoice_row(account: str, invoice: Invoice, text: str, hashed: str) -> Row:
    """Return the row of an invoice, without its next date."""
    return {
        "account": account,
        "id": invoice.id,
        "number": short(invoice.number),
        "debtor_id": invoice.debtor_id,
        "kind": invoice.kind.value,
        "status": invoice.status.value,
        "origin_id": invoice.origin_id,
        "issued_on": invoice.issued_on,
        "due_on": invoice.due_on,
        "currency": invoice.currency,
        "gross_cents": cents(invoice.gross),
        "paid_cents": cents(invoice.paid),
        "open_cents": cents(invoice.open),
        "document": document(invoice, text),
        "hash": hashed,
    }


def payment_row(account: str, payment: Payment, text: str, hashed: str) -> Row:
    """Return the row of a payment."""
    return {
        "account": account,
        "id": payment.id,
        "invoice_id": payment.invoice_id,
        "cents": cents(payment.amount),
        "currency": payment.currency,
        "value_on": payment.value_on,
        "document": document(payment, text),
        "hash": hashed,
    }


def notice_row(account: str, notice: ProviderNotice, text: str, hashed: str) -> Row:
    """Return the row of a reminder that the provider holds, without whose it is."""
    return {
        "account": account,
        "id": notice.id,
        "invoice_id": notice.invoice_id,
        "level": notice.level,
        "status": notice.status.value,
        "document": document(notice, text),
        "hash": hashed,
    }


def reject_key(kind: str, provider_id: str | None, raw: str) -> str:
    """Return what makes two rejects the same bad record: its kind and provider's id, or its raw form where it has none."""
    return digest(f"{kind}\0{provider_id}" if provider_id is not None else f"{kind}\0\0{raw}")


def reject_row(account: str, reject: Reject, key: str) -> Row:
    """Return the row of a record that did not fit, without state and times."""
    return {
        "account": account,
        "kind": short(reject.kind, 32),
        "provider_id": short(reject.provider_id),
        "field": short(reject.field),
        "value": plain(reject.value),
        "reason": reject.reason,
        "source": plain(reject.source),
        "raw": plain(reject.raw),
        "hash": key,
    }
