"""Which unbooked payments belong to a claim."""

from datetime import date
from decimal import Decimal

import pytest

from bridge.contract import Debtor, Invoice, InvoiceStatus, Reason
from connectors.sevdesk.bank import Bank, Incoming, iban_key, name_key, names, unmatched


@pytest.mark.parametrize(
    ("purpose", "number"),
    [
        ("RE-2041", "RE-2041"),
        ("Rechnung re 2041 vom 3.8.", "RE-2041"),
        ("RE2041/KD10007", "RE-2041"),
        ("RNr.RE-2041", "RE-2041"),
        ("SVWZ+Rg 2026-00417 danke", "2026-00417"),
        ("Zahlung RE-2026-0\n0123", "RE-2026-00123"),
        ("Kunde 10007 Rechnung 20410", "RE-20410"),
    ],
)
def test_number_in_the_purpose(purpose, number):
    """A number is found with other separators, in other case, over line breaks, and by its digits if they are many."""
    assert names(purpose, number)


@pytest.mark.parametrize(
    ("purpose", "number"),
    [
        ("RE-20411", "RE-2041"),
        ("XRE-2041", "RE-2041"),
        ("Spende 2026", "RE-2026"),
        ("Rechnung 12", "12"),
        ("RE-2041", ""),
        ("RE-2041", "RE"),
        ("1020410", "RE-20410"),
        ("Miete 10/2026", "RE-10"),
    ],
)
def test_other_numbers(purpose, number):
    """A longer number, a part of one, a year or a short number alone names no invoice."""
    assert not names(purpose, number)


def test_short_number_with_the_exact_amount():
    """A short number counts when the amount is the open one too."""
    assert names("Rechnung 12 danke", "12", exact=True)
    assert not names("Rechnung 112 danke", "12", exact=True)


def incoming(**fields):
    given = {"id": "7", "amount": Decimal(50), "value_on": date(2026, 8, 20), "purpose": "", "payer": "", "iban": ""}
    given |= fields
    return Incoming(
        given["id"],
        given["amount"],
        given["value_on"],
        given["purpose"],
        name_key(given["payer"]),
        iban_key(given["iban"]),
    )


@pytest.mark.parametrize(
    ("payer", "iban", "same"),
    [
        ("MUSTER GMBH", "", True),
        ("Muster GmbH & Co. KG", "", True),
        ("Beispiel AG", "DE89 3704 0044 0532 0130 00", True),
        ("Muster Handel GmbH", "", False),
        ("", "", False),
    ],
)
def test_payer(payer, iban, same):
    """A payer is the debtor by IBAN, or by the same words of the name without its legal form."""
    debtor = Debtor(id="1", name="Muster GmbH", iban="DE89370400440532013000")
    assert bool(Bank(True, None, (incoming(payer=payer, iban=iban),)).from_payer(debtor)) is same


def test_persons_pay_in_any_order_and_with_additions():
    """First and family name may be turned round, and a second payer may be named too."""
    bank = Bank(True, None, (incoming(payer="Beispiel, Erika und Max Beispiel"),))
    assert bank.from_payer(Debtor(id="1", name="Erika Beispiel"))
    assert not bank.from_payer(Debtor(id="2", name="Beispiel"))


def test_money_from_before_the_invoice_does_not_hold_it():
    """A payment that came before the invoice was issued cannot be for it."""
    invoice = Invoice(
        id="1",
        status=InvoiceStatus.OPEN,
        gross=Decimal(50),
        open=Decimal(50),
        issued_on=date(2026, 8, 21),
        number="RE-2041",
    )
    assert unmatched(invoice, [incoming()]) == ()
    (flag,) = unmatched(invoice, [incoming(), incoming(id="8", value_on=date(2026, 8, 21))])
    assert flag.reason is Reason.PAYMENT_UNMATCHED
    assert "8" in flag.source
