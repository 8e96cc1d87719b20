"""The itemised claim table of a notice (Forderungsaufstellung), and its amounts in the words of the text that goes with it."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

from bridge.model import AncillaryRow, ClaimedInvoice, ClaimTable, CreditRow, InterestRow, Mentioned, PaymentRow
from bridge.policy import texts, words
from bridge.policy.beside import Other, Part
from bridge.policy.build import amount, cents
from bridge.policy.money import UNDATED, AncillaryKind, Asks, ClaimAccount, Posting, Segment
from bridge.policy.money import words as money_words
from bridge.policy.owed import Owed
from bridge.policy.views import ClaimView


class Asked(NamedTuple):
    """One claim of a notice with what is owed on it; `level_name` in the language of the notice."""

    claim: ClaimView
    owed: Owed
    level_name: str
    asks: Asks


def table_of(asked: Iterable[Asked], beside: Iterable[Other], on: date, language: str, currency: str) -> ClaimTable:
    """Return the table of a notice as of `on`, in its language as the creditor's country writes it (`texts.tag`)."""
    asked = tuple(asked)
    rows = tuple(_row(one, language) for one in asked)
    laws = {one.owed.account.terms.law for one in asked if one.owed.account.interest and one.owed.account.terms}
    interest = sum((row.interest for row in rows), amount(0))
    principal = sum((row.open for row in rows), amount(0))
    total = sum((row.total for row in rows), amount(0))
    return ClaimTable(
        on=on,
        currency=currency,
        rows=rows,
        mentions=tuple(_mentioned(one, language) for one in beside if one.part is Part.MENTIONED),
        principal=principal,
        ancillary=total - principal - interest,
        interest=interest,
        total=total,
        law=", ".join(sorted(laws)),
    )


def _row(one: Asked, language: str) -> ClaimedInvoice:
    claim, account = one.claim, one.owed.account
    credited = claim.history.reductions + account.credits
    left = claim.gross - credited - account.paid
    return ClaimedInvoice(
        invoice_id=claim.invoice_id,
        number=claim.number or claim.invoice_id,
        issued_on=claim.issued_on,
        due_on=claim.due_on,
        level_name=one.level_name,
        gross=amount(claim.gross),
        credited=amount(credited),
        paid=amount(account.paid),
        open=amount(left),
        credit_notes=tuple(CreditRow(number=number, amount=amount(part)) for number, part in claim.credit_notes),
        payments=tuple(payment_row(posting) for posting in account.ledger.postings if posting.amount),
        ancillaries=ancillary_rows(account, language),
        interest_rows=interest_rows(account, language),
        interest=amount(account.interest),
        total=amount(left + account.costs + account.interest),
    )


def interest_rows(account: ClaimAccount, language: str) -> tuple[InterestRow, ...]:
    """Return the computation of the interest, row by row."""
    return tuple(_interest(segment, account.currency, language) for segment in account.segments)


def _interest(one: Segment, currency: str, language: str) -> InterestRow:
    return InterestRow(
        first=one.first,
        last=one.last,
        days=one.days,
        base=one.base,
        points=one.points,
        rate=one.rate,
        principal=amount(one.principal),
        formula=money_words.computation(one, currency, language),
        interest=amount(one.interest),
    )


def ancillary_rows(account: ClaimAccount, language: str) -> tuple[AncillaryRow, ...]:
    """Return the ancillary claims other than interest, oldest first, each with what it is for."""
    return tuple(
        AncillaryRow(
            on=one.on,
            kind=one.kind.value,
            text=money_words.ancillary(one, account.currency, language),
            amount=amount(one.amount),
            absorbed=amount(one.absorbed),
        )
        for one in account.items
    )


def payment_row(one: Posting) -> PaymentRow:
    """Return what the payments of one day settled."""
    return PaymentRow(
        on=None if one.payments == (UNDATED,) and one.amount > 0 else one.on,
        amount=amount(one.amount),
        costs=amount(one.costs),
        interest=amount(one.interest),
        principal=amount(one.principal),
        surplus=amount(one.surplus),
    )


def _mentioned(other: Other, language: str) -> Mentioned:
    claim = other.claim
    return Mentioned(
        number=claim.number or claim.invoice_id,
        issued_on=claim.issued_on,
        due_on=claim.due_on,
        open=amount(claim.demand),
        why=words.to_debtor(other.why, language, other.facts),
    )


# ------------------------------------------------------------------------------------------------------------- in texts


def variables(table: ClaimTable, fee: Decimal, language: str) -> dict[str, Any]:
    """Return the amounts of the table as a text names them: sums, empty where there is nothing, and rows for its loops."""

    def money(value: Decimal) -> str:
        return texts.money(cents(value), table.currency, language) if value else ""

    flat = sum((one.amount for _, one in _ancillaries(table) if one.kind == AncillaryKind.FLAT_FEE), amount(0))
    return {
        "paid": money(table.paid),
        "fee": money(fee),
        "earlier_fees": money(table.ancillary - fee - flat),
        "flat_fee": money(flat),
        "interest": money(table.interest),
        "interest_until": texts.day(table.on, language),
        "payments": [
            {"number": number, "date": texts.day(one.on, language), "amount": money(one.amount)}
            for number, one in _payments(table)
        ],
        "ancillaries": [
            {"number": number, "text": one.text, "amount": money(one.amount)}
            for number, one in _ancillaries(table)
            if one.amount
        ],
        "interest_rows": [
            {
                "number": row.number,
                "first": texts.day(one.first, language),
                "last": texts.day(one.last, language),
                "days": str(one.days),
                "rate": money_words.percent(one.rate, language),
                "formula": one.formula,
                "amount": texts.money(cents(one.interest), table.currency, language),
            }
            for row in table.rows
            for one in row.interest_rows
        ],
    }


def item_variables(row: ClaimedInvoice, currency: str, language: str) -> dict[str, str]:
    """Return the amounts of one invoice for the loop over them; what is nothing is empty."""
    known = {"paid": row.paid, "credited": row.credited, "interest": row.interest}
    found = {name: texts.money(cents(value), currency, language) if value else "" for name, value in known.items()}
    return found | {"total": texts.money(cents(row.total), currency, language)}


def names_all(template: str, values: Mapping[str, Any]) -> bool:
    """Return whether a text of a plan names every amount that there is: what was paid, fees and charges, flat fees, interest."""
    if "claims" in template:
        return True
    fees = "ancillaries" in template or all(
        not values[name] or name in template for name in ("fee", "earlier_fees", "flat_fee")
    )
    return fees and all(not values[name] or name in template for name in ("paid", "interest"))


def _payments(table: ClaimTable) -> Iterator[tuple[str, PaymentRow]]:
    return ((row.number, one) for row in table.rows for one in row.payments)


def _ancillaries(table: ClaimTable) -> Iterator[tuple[str, AncillaryRow]]:
    return ((row.number, one) for row in table.rows for one in row.ancillaries)
