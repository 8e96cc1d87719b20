"""From the provider's records to views: the same for a dunning run over the store and for a look right before a call."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from bridge.model import (
    Debtor,
    Flag,
    Invoice,
    InvoiceKind,
    InvoiceStatus,
    Payment,
    PaymentKind,
    ProviderNotice,
    Reason,
    Relation,
)
from bridge.policy.views import Block, CaseView, ClaimView, NoticeView

OUR_MARKER = "mb:"
_VALID = frozenset({InvoiceStatus.OPEN, InvoiceStatus.PAID})


def cents(amount: Decimal) -> int:
    """Return an exact amount in cents."""
    return int(amount.scaleb(2))


def amount(value: int) -> Decimal:
    """Return cents as an amount with two places."""
    return Decimal(value).scaleb(-2)


def blocks_of(flags: Iterable[Flag]) -> tuple[Block, ...]:
    """Return the provider's flags as blocks."""
    return tuple([Block(flag.reason, flag.until, flag.source) for flag in flags])


def effect_of(documents: Iterable[Invoice], gross: int) -> Mapping[str, Any]:
    """Return what other documents with this origin do to it: cancel it, cover it, or credit it by how much.

    Only issued documents count. A credit note that is still open lowers what is asked for; one that is settled already lowered the
    provider's open amount.
    """
    cancelled = covered = False
    open_credits = all_credits = 0
    credit_notes: tuple[tuple[str, int], ...] = ()
    for one in documents:
        if one.status not in _VALID:
            continue
        relation = one.relation or _relation_by_kind(one.kind)
        if relation is Relation.CANCELS:
            cancelled = True
        elif relation is Relation.COVERS:
            covered = True
        elif relation is Relation.CREDITS:
            all_credits += abs(cents(one.gross))
            left = abs(cents(one.open)) if one.status is InvoiceStatus.OPEN else 0
            open_credits += left
            credit_notes += ((one.number or "", left),) if left else ()
    return {
        "cancelled": cancelled,
        "covered": covered,
        "linked_credits": open_credits,
        "credit_notes": credit_notes,
        "credited": bool(all_credits) and gross > 0 and all_credits >= gross,
    }


def _relation_by_kind(kind: InvoiceKind) -> Relation | None:
    if kind is InvoiceKind.CANCELLATION:
        return Relation.CANCELS
    return Relation.CREDITS if kind is InvoiceKind.CREDIT_NOTE else None


def claim_view(
    invoice: Invoice,
    *,
    related: Iterable[Invoice] = (),
    payments: Iterable[Payment] = (),
    notices: Iterable[NoticeView] = (),
    blocks: tuple[Block, ...] = (),
    shared_notes: tuple[tuple[str, int], ...] = (),
    **state: Any,
) -> ClaimView:
    """Return the view of one invoice; `state` is what is known here about its claim, `shared_notes` its part of free credit notes by number."""
    gross = cents(invoice.gross)
    values: dict[str, Any] = {
        **effect_of(related, gross),
        "gone": any(flag.reason is Reason.GONE for flag in invoice.flags),
        "returned": any(one.kind is PaymentKind.DIRECT_DEBIT and one.amount < 0 for one in payments),
        **state,
    }
    if shared_notes:
        values |= {
            "shared_credits": sum(part for _, part in shared_notes),
            "credit_notes": (*values["credit_notes"], *shared_notes),
        }
    return ClaimView(
        invoice_id=invoice.id,
        number=invoice.number,
        kind=invoice.kind,
        status=invoice.status,
        issued_on=invoice.issued_on,
        due_on=invoice.due_on,
        payment_term_days=invoice.payment_term_days,
        currency=invoice.currency,
        gross=gross,
        paid=cents(invoice.paid),
        open=cents(invoice.open),
        amounts_clear=invoice.amounts_clear,
        sent=invoice.sent,
        payment_method=invoice.payment_method,
        provider_level=invoice.provider_level,
        tags=invoice.tags,
        email=invoice.email,
        address=invoice.address,
        language=invoice.language,
        blocks=blocks_of(invoice.flags) + blocks,
        notices=tuple(notices),
        **values,
    )


def case_view(account: str, debtor: Debtor | None, debtor_id: str, **more: Any) -> CaseView:
    """Return the view of one debtor; `more` are its claims, blocks and what is known here."""
    blocks: tuple[Block, ...] = more.pop("blocks", ())
    if debtor is None:
        return CaseView(account=account, debtor_id=debtor_id, blocks=blocks, **more)
    return CaseView(
        account=account,
        debtor_id=debtor_id,
        name=debtor.name,
        number=debtor.number,
        kind=debtor.kind,
        email=debtor.email,
        unusable=debtor.unusable,
        contacts=debtor.contacts,
        person=debtor.person,
        address=debtor.address,
        language=debtor.language,
        tags=debtor.tags,
        payment_term_days=debtor.payment_term_days,
        has_mandate=debtor.has_mandate,
        blocks=blocks_of(debtor.flags) + blocks,
        **more,
    )


def notice_view(
    notice: ProviderNotice,
    *,
    ours: bool = False,
    astray: bool = False,
    leaving: bool = False,
    first_seen: date | None = None,
    local: Callable[[datetime], date] = datetime.date,
) -> NoticeView:
    """Return the view of one reminder at the provider; without a date of its own, the day on which it was first seen counts."""
    on = notice.dated_on or (local(notice.created_at) if notice.created_at else None) or first_seen
    return NoticeView(
        notice.id,
        notice.level,
        notice.status,
        on,
        notice.deadline,
        ours or marked(notice),
        notice.superseded,
        astray=astray,
        leaving=leaving,
    )


def marked(notice: ProviderNotice) -> bool:
    """Return whether a reminder carries a mark such as write-backs of ours leave."""
    return bool(notice.marker and notice.marker.startswith(OUR_MARKER))


def is_ours(notice: ProviderNotice, own: Collection[str]) -> bool:
    """Return whether a write-back of ours made this reminder: by its id, or by the marker that it carries."""
    return notice.id in own or marked(notice)
