"""What an account of one claim remarks, and the edges of its computation that no example of the statutes stands on."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from bridge.model import DebtorKind
from bridge.policy.calendar import Calendar
from bridge.policy.money import (
    Asks,
    ClaimInputs,
    DayCount,
    DueFacts,
    DueSource,
    FlatFeeReason,
    InterestTerms,
    MoneyRules,
    NoteCode,
    Paid,
    Window,
    account_of,
    shipped_tables,
)  # fmt: skip
from bridge.policy.money.interest import free_days
from bridge.policy.money.words import computation
from bridge.policy.owed import owed
from tests.unit.policy.helpers import case, claim, days, rules

TODAY = date(2026, 10, 5)
DUE = DueFacts(
    kind=DebtorKind.BUSINESS, due_source=DueSource.CONTRACT, due_on=date(2026, 8, 31), issued_on=date(2026, 8, 1)
)
RULES = MoneyRules(calendar=Calendar("DE", "NW"))


def codes(account):
    return {one.code for one in account.notes}


def test_a_debtor_of_unknown_kind_is_remarked():
    """As it is computed like a consumer; of a known one nothing is said."""
    assert NoteCode.KIND_UNKNOWN in codes(
        account_of(ClaimInputs(10000, replace(DUE, kind=DebtorKind.UNKNOWN)), TODAY, RULES)
    )
    assert NoteCode.KIND_UNKNOWN not in codes(account_of(ClaimInputs(10000, DUE), TODAY, RULES))


def test_a_flat_fee_that_is_not_owed_is_remarked_where_that_is_a_surprise():
    """A business that is not in default yet: asked for and not owed, and why; from a consumer nobody expects it."""
    one = claim(due_on=TODAY - timedelta(days=1))
    its = rules(days(3))  # no date agreed: not in default
    (note,) = [one for one in owed(case(one, kind=DebtorKind.BUSINESS), one, its, TODAY, Asks(flat_fee=True)).notes if one.code is NoteCode.FLAT_FEE_NOT_ASKED]  # fmt: skip
    assert note.facts == {"why": FlatFeeReason.NOT_IN_DEFAULT}
    for kind, asks in ((DebtorKind.CONSUMER, Asks(flat_fee=True)), (DebtorKind.BUSINESS, Asks())):
        found = owed(case(one, kind=kind), one, its, TODAY, asks)
        assert NoteCode.FLAT_FEE_NOT_ASKED not in {one.code for one in found.notes}


def test_what_the_provider_took_off_without_a_day_counts_from_the_beginning():
    """Before the invoice, every payment and charge: nobody pays interest on money that may have come in time."""
    inputs = ClaimInputs(10000, DUE, open_at_provider=6000)
    account = account_of(inputs, TODAY, RULES)
    assert [(one.on, one.amount) for one in account.ledger.postings] == [(date(2026, 7, 31), 4000)]
    early = replace(inputs, payments=(Paid(1000, date(2026, 7, 15), "p"),))
    assert account_of(early, TODAY, RULES).ledger.postings[0].on == date(2026, 7, 14)
    exact = account_of(replace(inputs, open_at_provider=10000), TODAY, RULES)
    assert (exact.ledger.postings, NoteCode.PROVIDER_OPEN_HIGHER in codes(exact)) == ((), False)
    undated = replace(inputs, due=replace(DUE, issued_on=None, due_on=None))
    assert account_of(undated, TODAY, RULES).ledger.postings[0].on == TODAY - timedelta(days=1)


def test_an_old_invoice_stays_under_the_old_law():
    """Issued before 29 July 2014 it bears eight points, where nothing else says when the obligation began."""
    old = replace(DUE, issued_on=date(2014, 7, 1), due_on=date(2014, 8, 1))
    assert account_of(ClaimInputs(10000, old), TODAY, RULES).terms.points == Decimal(8)
    newer = ClaimInputs(10000, old, obligation_on=date(2014, 8, 1))
    assert account_of(newer, TODAY, RULES).terms.points == Decimal(9)


@pytest.mark.parametrize(
    ("suspended", "left"),
    [
        ([], [(0, 9)]),
        ([(0, 2)], [(3, 9)]),
        ([(1, 2)], [(0, 0), (3, 9)]),
        ([(-5, -1)], [(0, 9)]),
        ([(-5, 0)], [(1, 9)]),
        ([(9, 12)], [(0, 8)]),
        ([(10, 12)], [(0, 9)]),
        ([(4, None)], [(0, 3)]),
        ([(0, None)], []),
        ([(0, 9)], []),
        ([(2, 3), (5, 6)], [(0, 1), (4, 4), (7, 9)]),
        ([(5, 6), (2, 5)], [(0, 1), (7, 9)]),
        ([(2, 8), (3, 4)], [(0, 1), (9, 9)]),
    ],
)
def test_days_without_interest_are_cut_out(suspended, left):
    """Both ends included, in any order, overlapping or open at their end."""

    def day(number):
        return None if number is None else TODAY + timedelta(days=number)

    found = free_days(day(0), day(9), [Window(day(first), day(last)) for first, last in suspended])
    assert [(one.first, one.last) for one in found] == [(day(first), day(last)) for first, last in left]


def test_interest_of_a_single_day_and_of_a_single_cent():
    """The first day that bears interest counts; a cent below the limit is left out and said."""
    first = account_of(ClaimInputs(1000000, DUE), date(2026, 9, 1), RULES)
    assert [(one.days, one.interest) for one in first.segments] == [(1, 288)]
    small = account_of(ClaimInputs(100, DUE), TODAY, replace(RULES, interest_minimum=2))
    assert (small.total, NoteCode.INTEREST_BELOW_MINIMUM in codes(small)) == (100, True)
    assert account_of(ClaimInputs(100, DUE), TODAY, replace(RULES, interest_minimum=1)).total == 101


def test_a_rate_is_never_below_zero():
    """Whatever an operator takes off."""
    table = shipped_tables()["DE"]
    assert InterestTerms(Decimal(-1), table).rate_on(TODAY) == Decimal("0.52")
    assert InterestTerms(Decimal(-2), table).rate_on(TODAY) == 0
    assert InterestTerms(Decimal(5)).rate_on(TODAY) == 5


def test_a_computation_over_a_leap_year_shows_both_parts():
    """In brackets where there are two, so that everybody can do it again."""
    due = replace(DUE, due_on=date(2023, 12, 20), issued_on=date(2023, 12, 1))
    rules_ = replace(RULES, day_count=DayCount.ACT_ACT)
    rows = account_of(ClaimInputs(10000, due), date(2024, 1, 10), rules_).segments
    told = [computation(one, "EUR", "de").replace("\xa0", " ") for one in rows]
    assert told == ["100,00 EUR x (3,12 % + 9,00 %) x 11/365", "100,00 EUR x (3,62 % + 9,00 %) x 10/366"]
    single = account_of(
        ClaimInputs(10000, replace(due, country="CH")), date(2024, 1, 10), replace(rules_, country="CH")
    ).segments
    assert [computation(one, "EUR", "de").replace("\xa0", " ") for one in single] == [
        "100,00 EUR x 5,00 % x (11/365 + 10/366)"
    ]
