"""Letters for the tests, with amounts that add up."""

from datetime import date
from decimal import Decimal

from bridge.documents.letter import Letter, Sender
from bridge.model import (
    Address,
    AncillaryRow,
    ClaimedInvoice,
    ClaimTable,
    InterestRow,
    Mentioned,
    PaymentDetails,
)

ZERO = Decimal("0.00")
SENDER = Sender(
    name="Muster Agentur GmbH",
    address=Address(street="Hafenweg 3", postcode="20457", city="Hamburg"),
    footer=(("Sitz Hamburg", "Amtsgericht Hamburg HRB 12345"), ("Geschäftsführung: Erika Muster",)),
)
KUNDE = Address(lines=("Kunde GmbH", "Buchhaltung"), street="Weg 1", postcode="50667", city="Köln")
TEXT = "Guten Tag,\n\nfolgende Rechnungen sind offen:\n\n[[claims]]\n\nBitte zahlen Sie.\n\n[[payment]]\n\nMit freundlichen Grüßen"
FEE = AncillaryRow(
    on=date(2026, 8, 1), kind="reminder_fee", text="Mahngebühr (ohne Umsatzsteuer)", amount=Decimal("2.50")
)
INTEREST = InterestRow(
    first=date(2026, 7, 16),
    last=date(2026, 9, 1),
    days=48,
    base=Decimal("1.52"),
    points=Decimal(9),
    rate=Decimal("10.52"),
    principal=Decimal("1000.00"),
    formula="1.000,00\u00a0EUR x (1,52 % + 9,00 %) x 48/365",
    interest=Decimal("13.83"),
)


def a_row(key=1, *, gross="1190.00", paid="190.00", credited="0.00", ancillaries=(), interest_rows=(), **changes):
    amounts = {"gross": Decimal(gross), "paid": Decimal(paid), "credited": Decimal(credited)}
    rest = amounts["gross"] - amounts["paid"] - amounts["credited"]
    interest = sum((one.interest for one in interest_rows), ZERO)
    facts = {
        "invoice_id": str(key),
        "number": f"RE-{key}",
        "issued_on": date(2026, 7, 1),
        "due_on": date(2026, 7, 15),
        "level_name": "1. Mahnung",
        "open": rest,
        "ancillaries": tuple(ancillaries),
        "interest_rows": tuple(interest_rows),
        "interest": interest,
        "total": rest + interest + sum((one.amount for one in ancillaries), ZERO),
    }
    return ClaimedInvoice(**(amounts | facts | changes))


def a_table(*rows, currency="EUR", law="", mentions=()):
    rows = rows or (a_row(1), a_row(2))
    principal, interest = sum((one.open for one in rows), ZERO), sum((one.interest for one in rows), ZERO)
    total = sum((one.total for one in rows), ZERO)
    return ClaimTable(
        on=date(2026, 9, 1),
        currency=currency,
        rows=rows,
        mentions=tuple(mentions),
        principal=principal,
        ancillary=total - principal - interest,
        interest=interest,
        total=total,
        law=law,
    )


NOT_DUE = Mentioned(
    number="RE-99", issued_on=date(2026, 8, 20), due_on=date(2026, 9, 20), open=Decimal(300), why="noch nicht fällig"
)


def to_pay(table, **changes):
    facts = {
        "payee": "Muster Agentur GmbH",
        "iban": "DE02120300000000202051",
        "bic": "BYLADEM1001",
        "bank": "Deutsche Kreditbank",
        "reference": "RE-1 RE-2 KD-10017",
        "amount": table.total,
        "currency": table.currency,
        "deadline": date(2026, 9, 11),
    }
    return PaymentDetails(**(facts | changes))


def a_letter(table=None, **changes):
    table = table or a_table()
    facts = {
        "dated_on": date(2026, 9, 1),
        "sender": SENDER,
        "name": "Kunde GmbH",
        "address": KUNDE,
        "subject": "Zahlungserinnerung",
        "text": TEXT,
        "info": (("Kundennummer", "10017"),),
        "claims": table,
        "payment": to_pay(table),
    }
    return Letter(**(facts | changes))
