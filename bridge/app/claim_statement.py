"""The account of one claim as people and scripts read it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from bridge.model import Debtor
from bridge.policy.build import amount
from bridge.policy.money import ClaimAccount, ClaimInputs, words
from bridge.store.mirror import Known


@dataclass(frozen=True, slots=True)
class InterestRow:
    """One row of interest: `first` to `last`, both included; rates in per cent per year."""

    first: date
    last: date
    days: int
    base: Decimal | None
    points: Decimal
    rate: Decimal
    principal: Decimal
    formula: str
    interest: Decimal


@dataclass(frozen=True, slots=True)
class AncillaryRow:
    """One ancillary claim other than interest. `vat` is always None: they are outside VAT."""

    on: date
    kind: str
    text: str
    amount: Decimal
    absorbed: Decimal
    vat: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PaymentRow:
    """What the payments of one day settled: costs, then interest, then principal (BGB 367)."""

    on: date
    amount: Decimal
    costs: Decimal
    interest: Decimal
    principal: Decimal
    surplus: Decimal


@dataclass(frozen=True, slots=True)
class ClaimStatement:
    """The account of one claim. `principal` is the invoice less what reduced it; what is `*_open` is left after the payments.

    `total` is what is owed on that day; `open_at_provider` is what the invoicing tool shows, today.
    """

    account: str
    invoice: str
    number: str
    customer: str
    kind: str
    on: date
    currency: str
    gross: Decimal
    principal: Decimal
    paid: Decimal
    credits: Decimal
    default_from: date | None
    default_text: str
    interest_rows: tuple[InterestRow, ...]
    interest: Decimal
    ancillaries: tuple[AncillaryRow, ...]
    payments: tuple[PaymentRow, ...]
    principal_open: Decimal
    ancillary_open: Decimal
    waived: Decimal
    total: Decimal
    open_at_provider: Decimal
    flat_fee: str
    law: str
    notes: tuple[str, ...]


def statement(
    known: Known, debtor: Debtor | None, inputs: ClaimInputs, account: ClaimAccount, language: str
) -> ClaimStatement:
    """Return `account` with its computation in words of `language`."""
    invoice, ledger, currency = known.invoice, account.ledger, account.currency
    return ClaimStatement(
        account=known.account,
        invoice=invoice.id,
        number=invoice.number or "",
        customer=debtor.name if debtor else (invoice.debtor_id or ""),
        kind=inputs.due.kind.value,
        on=account.on,
        currency=currency,
        gross=invoice.gross,
        principal=amount(account.principal),
        paid=amount(account.paid),
        credits=amount(account.credits),
        default_from=account.default.first_day if account.default else None,
        default_text=words.default_start(account.default, language) if account.default else "",
        interest_rows=_interest(account, language),
        interest=amount(account.interest),
        ancillaries=tuple(
            AncillaryRow(
                one.on,
                one.kind.value,
                words.ancillary(one, currency, language),
                amount(one.amount),
                amount(one.absorbed),
                one.vat,
            )
            for one in account.items
        ),
        payments=tuple(
            PaymentRow(
                one.on,
                amount(one.amount),
                amount(one.costs),
                amount(one.interest),
                amount(one.principal),
                amount(one.surplus),
            )
            for one in ledger.postings
        ),
        principal_open=amount(ledger.open_principal),
        ancillary_open=amount(account.ancillary),
        waived=amount(account.waived),
        total=amount(account.total),
        open_at_provider=invoice.open,
        flat_fee=words.flat_fee(account.flat_fee, language),
        law=account.terms.law if account.terms else "",
        notes=tuple(words.note(one, currency, language) for one in account.notes),
    )


def _interest(account: ClaimAccount, language: str) -> tuple[InterestRow, ...]:
    return tuple(
        InterestRow(
            first=one.first,
            last=one.last,
            days=one.days,
            base=one.base,
            points=one.points,
            rate=one.rate,
            principal=amount(one.principal),
            formula=words.computation(one, account.currency, language),
            interest=amount(one.interest),
        )
        for one in account.segments
    )
