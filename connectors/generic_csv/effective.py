"""An invoice as it stands today: what its list says, with what the bank account knows beyond it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from bridge.contract import Flag, Invoice, InvoiceStatus, Payment, Reason, Sentence
from connectors.generic_csv.state import State

ZERO = Decimal("0.00")
BOOKED = "booking:"
"""Payments whose entry begins so come from the list itself and are in its open amount already."""


@dataclass(frozen=True, slots=True)
class Standing:
    """`as_of`: the time of the file that the invoice's row came from (of the source's newest file where it tells changes only)."""

    invoice: Invoice
    as_of: datetime
    place: str
    payments: tuple[Payment, ...]


def effective(state: State, invoice_id: str, zone: ZoneInfo) -> Standing | None:
    """Return the invoice with bank payments taken off and every doubt as a flag; None where no list ever named it."""
    row = state.row(invoice_id)
    if row is None:
        return None
    invoice, as_of, place, doubt = row
    payments = state.payments(invoice_id)
    flags = list(invoice.flags)
    if doubt:
        flags.append(Flag(reason=Reason.STALE_DATA, source=doubt))
    if state.is_stale(invoice_id):
        flags.append(Flag(reason=Reason.STALE_DATA, source=place))
    for why, until in state.suspects(invoice_id):
        flags.append(Flag(reason=Reason.PAYMENT_UNMATCHED, source=why, until=until))
    bank = tuple(payment for payment in payments if not payment.id.startswith(BOOKED))
    if invoice.status is InvoiceStatus.OPEN and bank:
        invoice, unclear = _less(invoice, bank, as_of.astimezone(zone))
        flags += [Flag(reason=Reason.PAYMENT_UNMATCHED, source=unclear)] if unclear else []
    return Standing(invoice.model_copy(update={"flags": tuple(flags)}), as_of, place, payments)


def _less(invoice: Invoice, payments: tuple[Payment, ...], as_of: datetime) -> tuple[Invoice, Sentence]:
    """Take bank payments off what the list says is open, counting none twice.

    Booked after the list was made: the list cannot know it. Booked before: the list knows all of it, or nothing of it; where it knows
    another amount, the larger one counts and the rest is held, because nobody who has paid is to be reminded.
    """
    newer = sum((payment.amount for payment in payments if payment.value_on > as_of.date()), ZERO)
    older = sum((payment.amount for payment in payments), ZERO) - newer
    listed = max(invoice.gross - invoice.open, ZERO)
    unclear = Sentence("")
    if listed == ZERO:
        rest = invoice.open - older - newer
    elif listed == older:
        rest = invoice.open - newer
    else:
        rest = min(invoice.open, invoice.gross - older) - newer
        if older and rest > 0:
            unclear = Sentence("list says {listed} paid, bank says {older}", listed=listed, older=older)
    rest = max(rest, ZERO)
    status = InvoiceStatus.OPEN if rest else InvoiceStatus.PAID
    return invoice.model_copy(update={"open": rest, "paid": max(invoice.gross - rest, ZERO), "status": status}), unclear
