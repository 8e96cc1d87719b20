"""Filling: the values of the variables that the texts of a level may use, for one notice."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from bridge.model import ClaimTable
from bridge.policy import texts
from bridge.policy.build import cents
from bridge.policy.colleagues import account_owner
from bridge.policy.greeting import greeting
from bridge.policy.plan import DunningLevel
from bridge.policy.rules import AccountRules
from bridge.policy.statement import Asked, item_variables, variables
from bridge.policy.views import CaseView, ClaimView


class Filling(NamedTuple):
    """What a text is filled with besides the claims themselves; `lead` is the claim at the highest level."""

    case: CaseView
    lead: ClaimView
    level: DunningLevel
    rules: AccountRules
    language: str
    deadline: date
    today: date
    fee: Decimal


def values_of(filling: Filling, table: ClaimTable, asked: Sequence[Asked]) -> dict[str, object]:
    """Return the values of all variables but `mentions`."""
    case, language, today, maker = filling.case, filling.language, filling.today, filling.rules.creditor
    claims = [one.claim for one in asked]
    oldest = min((claim.due_on for claim in claims if claim.due_on), default=None)
    issued = min((claim.issued_on for claim in claims if claim.issued_on), default=None)

    owner = account_owner(case, filling.rules)
    written = texts.tag(language, maker.country)

    def money(value: int) -> str:
        return texts.money(value, table.currency, written)

    return {
        **variables(table, filling.fee, written),
        "debtor_name": case.name,
        "customer_number": case.number or "",
        "greeting": greeting(case, filling.lead, language),
        "level_name": filling.level.name_in(language),
        "invoice_number": texts.numbers([claim.number or claim.invoice_id for claim in claims], language),
        "invoice_date": texts.day(issued, language),
        "due_date": texts.day(oldest, language),
        "days_overdue": str(max(0, (today - oldest).days)) if oldest else "",
        "open_amount": money(cents(table.principal)),
        "total": money(cents(table.total)),
        "deadline": texts.day(filling.deadline, language),
        "term_days": str(filling.level.term_days),
        "today": texts.day(today, language),
        "case_number": case.case_number or "",
        "creditor": maker.name,
        "creditor_email": maker.email,
        "creditor_phone": maker.phone,
        "account_owner": (owner.name or owner.email) if owner else "",
        "account_owner_email": owner.email if owner else "",
        "iban": " ".join(maker.iban[start : start + 4] for start in range(0, len(maker.iban), 4)),
        "claims": texts.CLAIMS,
        "payment": texts.PAYMENT,
        "several": len(claims) > 1,
        "items": [
            {
                "number": row.number,
                "date": texts.day(row.issued_on, language),
                "due_date": texts.day(row.due_on, language),
                "days_overdue": str(max(0, (today - row.due_on).days)) if row.due_on else "",
                "open": money(cents(row.open)),
                "gross": money(cents(row.gross)),
                "level_name": one.level_name,
                **item_variables(row, table.currency, written),
            }
            for one, row in zip(asked, table.rows, strict=True)
        ],
        "credits": [
            {"number": one.number, "amount": texts.money(cents(one.amount), table.currency, written)}
            for row in table.rows
            for one in row.credit_notes
        ],
    }
