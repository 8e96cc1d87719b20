"""GiroCode (EPC069-12, version 002): a transfer that a banking app fills in from a picture."""

from decimal import Decimal

from bridge.documents import qr
from bridge.model import PaymentDetails

LARGEST = Decimal("999999999.99")
LONGEST_PAYEE = 70
LONGEST_REFERENCE = 140


def payload(payment: PaymentDetails) -> bytes | None:
    """Return the lines of the code; None where there can be none: another currency than EUR, no account, no amount."""
    if payment.currency != "EUR" or not payment.iban or not Decimal("0.01") <= payment.amount <= LARGEST:
        return None
    payee = " ".join("".join(sign if sign.isprintable() else " " for sign in payment.payee).split())
    lines = (
        "BCD",
        "002",
        "1",  # UTF-8
        "SCT",
        payment.bic,
        payee[:LONGEST_PAYEE].strip(),
        payment.iban,
        f"EUR{payment.amount:.2f}",
        "",
        "",
        payment.reference[:LONGEST_REFERENCE],
    )
    data = "\n".join(lines).rstrip("\n").encode()
    return data if len(data) <= qr.CAPACITY else None


def code(payment: PaymentDetails) -> qr.Code | None:
    """Return the picture's modules, None where there can be no code."""
    data = payload(payment)
    return qr.encode(data) if data is not None else None
