"""The ledger of one claim row by row, and one payment between several claims, to the last cent."""

from datetime import date, timedelta

import pytest

from bridge.policy.money import Debt, Paid, distribute
from bridge.policy.money.allocation import keep_ledger
from bridge.policy.money.interest import Stretch

DAY = timedelta(days=1)
FIRST = date(2026, 9, 1)
UNTIL = date(2026, 10, 5)


def ledger(*payments, costs=(), **values):
    """The ledger of 100 EUR without interest; payments as (amount, day)."""
    paid = [Paid(amount, on, str(place)) for place, (amount, on) in enumerate(payments)]
    return keep_ledger(10000, paid, costs, lambda *_: Stretch((), 0), interest_from=None, until=UNTIL, **values)


@pytest.mark.parametrize(
    ("payments", "open_principal", "surplus"),
    [
        ([(-300,)], 10000, -300),
        ([(300,), (-300,)], 10000, 0),
        ([(300,), (-200,)], 9900, 0),
        ([(300,), (-500,)], 10000, -200),
        ([(10200,), (100,)], 0, 300),
        ([(10200,), (-100,)], 0, 100),
        ([(10200,), (-300,)], 100, 0),
    ],
)
def test_money_taken_back_undoes_what_it_settled_and_no_more(payments, open_principal, surplus):
    """What is paid equals what is allocated and the surplus, after each payment and in all."""
    found = ledger(*((amount, FIRST + place * DAY) for place, (amount,) in enumerate(payments)))
    assert (found.open_principal, found.surplus) == (open_principal, surplus)
    assert sum(one.surplus for one in found.postings) == surplus
    for one in found.postings:
        assert one.amount == one.costs + one.interest + one.principal + one.surplus


@pytest.mark.parametrize(("paid", "settled"), [(9999, None), (10000, None), (10001, 1), (10400, 400), (10600, 500)])
def test_a_surplus_settles_a_later_cost(paid, settled):
    """From the first cent on, in a row without a payment; without a surplus there is no such row."""
    found = ledger((paid, FIRST), costs=[(FIRST + DAY, 500)])
    assert [(one.amount, one.costs) for one in found.postings[1:]] == ([] if settled is None else [(0, settled)])
    assert found.open_costs == 500 - (settled or 0)


@pytest.mark.parametrize(
    ("interest_until", "last"), [(None, UNTIL), (UNTIL + DAY, UNTIL), (UNTIL - DAY, UNTIL - DAY), (FIRST, FIRST)]
)
def test_interest_runs_to_the_earlier_of_both_ends(interest_until, last):
    """The day of the account, or the day before insolvency proceedings opened."""
    asked = []
    keep_ledger(
        10000, (), (), lambda *days: asked.append(days) or Stretch((), 0),
        interest_from=FIRST, until=UNTIL, interest_until=interest_until,
    )  # fmt: skip
    assert asked == [(10000, FIRST, last)]


def debts(**opens):
    return [Debt(name, size, True, FIRST) for name, size in opens.items()]


@pytest.mark.parametrize(
    ("amount", "opens", "parts", "left"),
    [
        (1, {"a": 1}, {"a": 1}, 0),
        (2, {"a": 1}, {"a": 1}, 1),
        (4, {"a": 5, "b": 1}, {"a": 3, "b": 1}, 0),  # the larger fraction is the smaller claim's
        (100, {"a": 100, "b": 200}, {"a": 33, "b": 67}, 0),
        (1, {"b": 100, "a": 100}, {"b": 0, "a": 1}, 0),
        (0, {"a": 100, "b": 200}, {"a": 0, "b": 0}, 0),
        (5, {"a": 0}, {"a": 0}, 5),
        (-5, {"a": 100, "b": 200}, {"a": 0, "b": 0}, -5),  # nothing came in: nothing is allocated
    ],
)
def test_equal_claims_share_in_proportion_to_the_cent(amount, opens, parts, left):
    """No cent is lost: what does not divide goes to the largest fractions (BGB 366(2))."""
    assert distribute(amount, debts(**opens)) == (parts, left)


def test_the_stated_purpose_comes_first_and_the_rest_is_shared():
    """What is left after the purpose goes to the others alone, in proportion (BGB 366(1))."""
    assert distribute(130, debts(a=100, b=20, c=40), ["a"]) == ({"a": 100, "b": 10, "c": 20}, 0)
    assert distribute(30, debts(a=100, b=20), ["a"]) == ({"a": 30, "b": 0}, 0)
