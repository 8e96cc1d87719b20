"""The table of claims as plain text: when its sums are told, and what they are made of."""

from datetime import date
from decimal import Decimal

import pytest

from bridge.model import AncillaryRow, ClaimedInvoice, ClaimTable
from bridge.policy.claim_text import Form, claim_lines

ON = date(2026, 10, 5)


def table(rows=1, ancillary="0.00", interest="0.00"):
    """A table of invoices over 100 EUR each; the first has the ancillary claim and the interest."""
    found = []
    for number in range(rows):
        more, accrued = (Decimal("0.00"), Decimal("0.00")) if number else (Decimal(ancillary), Decimal(interest))
        fee = AncillaryRow(on=ON, kind="cost", text="Auskunft", amount=more)
        found.append(
            ClaimedInvoice(
                invoice_id=str(number),
                number=f"RE-{number}",
                issued_on=None,
                due_on=None,
                level_name="Mahnung",
                gross=Decimal(100),
                credited=Decimal(0),
                paid=Decimal(0),
                open=Decimal(100),
                ancillaries=(fee,) if more else (),
                interest=accrued,
                total=100 + more + accrued,
            )
        )
    principal = Decimal(100 * rows)
    return ClaimTable(
        on=ON, currency="EUR", rows=tuple(found), principal=principal, ancillary=Decimal(ancillary),
        interest=Decimal(interest), total=principal + Decimal(ancillary) + Decimal(interest),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("values", "sums"),
    [
        ({}, []),  # one invoice alone: its line says it all
        ({"rows": 2}, ["Gesamtbetrag"]),
        ({"ancillary": "5.00"}, ["Hauptforderung", "Nebenforderungen", "Gesamtbetrag"]),
        ({"interest": "1.01"}, ["Hauptforderung", "Verzugszinsen bis 05.10.2026", "Gesamtbetrag"]),
        (
            {"rows": 2, "ancillary": "5.00", "interest": "1.01"},
            ["Hauptforderung", "Nebenforderungen", "Verzugszinsen bis 05.10.2026", "Gesamtbetrag"],
        ),
    ],
)
def test_sums_are_told_where_there_is_something_to_add(values, sums):
    """Of several invoices the total; with ancillary claims or interest what it is made of, too."""
    its, form = table(**values), Form("de")
    lines = claim_lines(its, form).split("\n")
    told = lines[lines.index("") + 1 :] if "" in lines else []
    assert [line.partition(":")[0] for line in told] == sums
    parts = dict(form.sums(its))
    assert parts.pop("Gesamtbetrag") == its.total
    assert not parts or sum(parts.values()) == its.total
