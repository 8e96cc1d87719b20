"""The account of one claim as people and scripts read it."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from bridge.model import AncillaryRow, InterestRow, PaymentRow
from bridge.policy import AccountRules, CaseView
from bridge.policy.build import amount
from bridge.policy.money import ClaimAccount, words
from bridge.policy.owed import debtor_kind
from bridge.policy.statement import ancillary_rows, interest_rows, payment_row
from bridge.store.mirror import Known


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
    asked_principal: Decimal  # the open invoice as the invoicing tool counts it, less open credit notes
    asked_ancillary: Decimal  # the rest of `total`: `parts`, whatever payments settled of them
    parts: dict[str, Decimal]


def statement(
    known: Known, case: CaseView, rules: AccountRules, account: ClaimAccount, language: str
) -> ClaimStatement:
    """Return `account` with its computation in words of `language`."""
    invoice, ledger, currency = known.invoice, account.ledger, account.currency
    return ClaimStatement(
        account=known.account,
        invoice=invoice.id,
        number=invoice.number or "",
        customer=case.name or (invoice.debtor_id or ""),
        kind=debtor_kind(case, rules).value,
        on=account.on,
        currency=currency,
        gross=invoice.gross,
        principal=amount(account.principal),
        paid=amount(account.paid),
        credits=amount(account.credits),
        default_from=account.default.first_day if account.default else None,
        default_text=words.default_start(account.default, language) if account.default else "",
        interest_rows=interest_rows(account, language),
        interest=amount(account.interest),
        ancillaries=ancillary_rows(account, language),
        payments=tuple(payment_row(one) for one in ledger.postings),
        principal_open=amount(ledger.open_principal),
        ancillary_open=amount(account.ancillary),
        waived=amount(account.waived),
        total=amount(account.total),
        open_at_provider=invoice.open,
        flat_fee=words.flat_fee(account.flat_fee, language),
        law=account.terms.law if account.terms else "",
        notes=tuple(words.note(one, currency, language) for one in account.notes),
        asked_principal=amount(account.left),
        asked_ancillary=amount(account.more),
        parts={} if account.waived else {name: amount(one) for name, one in words.parts(account, language).items()},
    )
