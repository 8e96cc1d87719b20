"""How to pay (Zahlungsangaben): the account, and a reference that finds the invoice again in the characters that every bank takes."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date

from bridge.model import PaymentDetails
from bridge.policy.build import amount
from bridge.policy.rules import Creditor
from bridge.policy.views import CaseView, ClaimView

LONGEST = 140
_ASCII = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "ß": "ss"})


def how_to_pay(
    case: CaseView, claims: Sequence[ClaimView], creditor: Creditor, total: int, deadline: date
) -> PaymentDetails | None:
    """Return how to pay `total` (cents) for these claims; None where the creditor named no account."""
    if not creditor.iban:
        return None
    numbers = [claim.number or claim.invoice_id for claim in claims]
    return PaymentDetails(
        payee=creditor.payee or creditor.name,
        iban=creditor.iban,
        bic=creditor.bic,
        bank=creditor.bank,
        reference=reference(numbers, case.number or "", case.case_number or ""),
        amount=amount(total),
        currency=claims[0].currency,
        deadline=deadline,
    )


def reference(numbers: Sequence[str], customer: str = "", case: str = "") -> str:
    """Return the reference for these invoices: up to three numbers, of more the case; then the customer number.

    Only the characters of SEPA transfers, at most 140 of them, never beginning with a slash.
    """
    names = list(numbers) if len(numbers) <= 3 else [case] if case else [*numbers[:3], f"+{len(numbers) - 3}"]
    text = " ".join(filter(None, (sepa(one) for one in (*names, customer))))
    return text[:LONGEST].strip()


def sepa(text: str) -> str:
    """Return `text` in the characters of SEPA transfers: letters, digits, space and `/ - ? : ( ) . , ' +`."""
    plain = unicodedata.normalize("NFKD", text.translate(_ASCII)).encode("ascii", "ignore").decode()
    kept = " ".join(re.sub(r"[^A-Za-z0-9/\-?:().,'+ ]", " ", plain).split())
    return re.sub(r"/{2,}", "/", kept).lstrip("/ ")
