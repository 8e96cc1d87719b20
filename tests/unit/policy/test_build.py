"""From records to views: credit notes up to the whole amount, and direct debits that came back."""

from decimal import Decimal

import pytest

from bridge.model import Invoice, InvoiceKind, InvoiceStatus, Payment, PaymentKind
from bridge.policy.build import claim_view, effect_of


def bill(gross, kind=InvoiceKind.INVOICE):
    return Invoice(id="1", kind=kind, status=InvoiceStatus.OPEN, debtor_id="d", gross=gross, open=gross)


@pytest.mark.parametrize(("gross", "note", "credited"), [(1, "0.01", True), (2, "0.01", False), (2, "0.02", True), (0, "0.01", False), (100, "1.01", True)])  # fmt: skip
def test_an_invoice_is_credited_from_its_whole_amount_on(gross, note, credited):
    """Also one of a single cent; of one over nothing nothing is credited."""
    assert effect_of([bill(note, InvoiceKind.CREDIT_NOTE)], gross)["credited"] is credited


@pytest.mark.parametrize(
    ("amount", "returned"), [("-10.00", True), ("-0.01", True), ("0.00", False), ("0.50", False), ("10.00", False)]
)
def test_a_direct_debit_came_back_where_it_was_taken_off(amount, returned):
    """What is below nothing, to the cent."""
    paid = Payment(id="p", invoice_id="1", kind=PaymentKind.DIRECT_DEBIT, amount=Decimal(amount), value_on="2026-09-20")
    assert claim_view(bill("100.00"), payments=[paid]).returned is returned
