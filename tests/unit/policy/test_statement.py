"""The itemised table of a notice: what each row and each sum is made of, and how a text names the amounts."""

from datetime import date
from decimal import Decimal

import pytest

from bridge.policy.beside import Other, Part
from bridge.policy.money import UNDATED, Asks, History, Paid, Posting
from bridge.policy.owed import owed
from bridge.policy.statement import Asked, item_variables, payment_row, table_of, variables
from tests.unit.policy.helpers import WITH_FEES, case, charged, claim, days, rules

TODAY = date(2026, 10, 21)


def table(one=None, asks=None, on=TODAY, beside=()):
    one = one or claim()
    asks = asks or Asks(interest=True)
    found = owed(case(one), one, rules(days(3), money=WITH_FEES), on, asks)
    return table_of([Asked(one, found, "Mahnung", asks)], beside, on, "de", "EUR")


@pytest.mark.parametrize(("on", "law"), [(TODAY, "BGB 288(2)"), (date(2026, 9, 14), "")])
def test_the_statute_is_named_where_interest_is_asked_for(on, law):
    """Not before any accrued."""
    assert table(on=on).law == law


@pytest.mark.parametrize("part", Part)
def test_only_what_is_mentioned_stands_below_the_table(part):
    """What is asked for is in the table, what is left out nowhere."""
    other = Other(claim(invoice_id="2"), part, "not_yet_due")
    assert [one.number for one in table(beside=[other]).mentions] == (["RE-2"] if part is Part.MENTIONED else [])


def test_a_row_is_gross_less_credits_and_payments():
    """Reductions and open credit notes are both credited; interest and charges come on top."""
    history = History(payments=(Paid(2000, date(2026, 9, 10), "p"),), reductions=400)
    one = claim(open=7600, linked_credits=200, shared_credits=100, history=history)
    (row,) = table(one, Asks(flat_fee=True)).rows
    assert [row.gross, row.credited, row.paid, row.open, row.total] == [
        Decimal(text) for text in ("100.00", "7.00", "20.00", "73.00", "113.00")
    ]


@pytest.mark.parametrize(
    ("amount", "ids", "dated"),
    [
        (1, (UNDATED,), False),
        (500, (UNDATED,), False),
        (-500, (UNDATED,), True),  # counts as taken back that day
        (500, ("7",), True),
        (500, ("7", UNDATED), True),
    ],
)
def test_what_the_provider_took_off_without_a_day_has_none(amount, ids, dated):
    """From the first cent on; everything else is dated."""
    row = payment_row(Posting(TODAY, amount, 0, 0, amount, 0, 0, 0, 10000 - amount, ids))
    assert row.on == (TODAY if dated else None)


@pytest.mark.parametrize(
    ("earlier", "asks", "own", "expected"),
    [
        (0, Asks(), "0.00", ("", "", "")),
        (0, Asks(fee=500), "5.00", ("5,00\u00a0€", "", "")),
        (300, Asks(), "0.00", ("", "3,00\u00a0€", "")),
        (300, Asks(fee=500), "5.00", ("5,00\u00a0€", "3,00\u00a0€", "")),
        (300, Asks(flat_fee=True), "0.00", ("", "3,00\u00a0€", "40,00\u00a0€")),
    ],
)
def test_earlier_fees_are_those_beside_the_notices_own_and_the_flat_fee(earlier, asks, own, expected):
    """Each amount stands in one of the three; what is nothing is empty."""
    one = claim(history=charged(earlier)) if earlier else claim()
    found = variables(table(one, asks), Decimal(own), "de")
    assert (
        tuple(found[name].replace(" ", "\u00a0").replace("EUR", "€") for name in ("fee", "earlier_fees", "flat_fee"))
        == expected
    )


def test_the_amounts_of_one_invoice_are_empty_where_there_is_nothing():
    """And stand there where there is something; the total does always."""
    one = claim(open=8000, history=History(payments=(Paid(2000, date(2026, 9, 10), "p"),)))
    (row,) = table(one, Asks(flat_fee=True)).rows
    found = item_variables(row, "EUR", "de")
    assert (bool(found["paid"]), found["credited"], found["interest"]) == (True, "", "")
    assert found["paid"].startswith("20,00")
    assert found["total"].startswith("120,00")
