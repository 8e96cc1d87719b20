"""The letter prints what the notice asks for: every row of interest with its computation, and the sum, to the cent."""

from datetime import date

import pytest

from bridge.model import DebtorKind
from bridge.policy.money import History, Paid, Reached, Sent
from tests.unit.documents.samples import a_letter
from tests.unit.documents.test_letter import text_of
from tests.unit.policy.test_claims import ALL, invoice, its_rules, notice

PART_PAID = History(
    payments=(Paid(100000, date(2026, 5, 15)),),
    reached=(Reached(date(2026, 2, 27), Sent.MAIL, flat_fee=True),),
)


@pytest.mark.feature("N-8")
@pytest.mark.parametrize(
    ("on", "one", "kind", "asks", "printed"),
    [
        (date(2026, 9, 30), invoice(119000, date(2026, 7, 15)), "business", ALL, ("26,41", "40,00", "1.256,41")),
        (date(2025, 8, 31), invoice(1000000, date(2025, 5, 30)), "business", {}, ("95,72", "174,45", "270,17")),
        (
            date(2024, 3, 31),
            invoice(500000, date(2022, 11, 15)),
            "consumer",
            {},
            ("25,96", "164,14", "204,67", "107,45", "502,22"),
        ),
        (
            date(2026, 7, 31),
            invoice(500000, date(2026, 2, 27), open=400000, history=PART_PAID),
            "business",
            {},
            ("40,00", "108,33", "53,69", "37,06", "1.000,00", "4.239,08"),
        ),
        (date(2026, 5, 31), invoice(238000, date(2026, 5, 1)), "business", {}, ("18,08", "2.398,08")),
    ],
    ids=["one rate", "two rates", "four rates", "part payment", "due on a holiday"],
)
def test_the_worked_examples_in_the_letter(on, one, kind, asks, printed):
    """Each worked example as a letter: its rows, its flat fee, what was paid, and the sum."""
    found = notice(its_rules(**(asks or {"interest": True})), on, one, kind=DebtorKind(kind))
    page = " ".join(text_of(a_letter(claims=found.content.table)).split()).replace("\u00a0", " ")
    for words in printed:
        assert words in page, page
    for row in found.content.table.rows[0].interest_rows:
        assert row.formula.replace("\u00a0", " ").replace(" ", "") in page.replace(" ", "")
