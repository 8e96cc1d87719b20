"""Payment in instalments: what came in goes to the oldest rate, and a rate that stays open lets dunning go on."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model import Reason
from bridge.policy import Block, Outcome
from bridge.policy.calendar import Calendar
from bridge.policy.explain import explain
from bridge.policy.instalments import Agreement, Rate, RateState, allot, first_open, in_months
from tests.unit.policy.helpers import case, claim, days, decided, rules

NW = Calendar("DE", "NW")
RATES = (Rate(date(2026, 10, 15), 3000), Rate(date(2026, 11, 15), 3000), Rate(date(2026, 12, 15), 4000))
ITS = rules(days(3))


def held(paid, **values):
    """An invoice of 100.00 under these rates, of which so much has come in."""
    block = Block(Reason.PAYMENT_PLAN, by="Erika", since=date(2026, 10, 1), agreement=Agreement(RATES, 10000, paid))
    return claim(open=10000 - paid, paid=paid, blocks=(block,), **values)


@pytest.mark.feature("S-PAY-16")
@pytest.mark.parametrize(
    ("paid", "last"),
    [
        (0, date(2026, 10, 18)),
        (2999, date(2026, 10, 18)),
        (3000, date(2026, 11, 19)),  # the 15th is a Sunday: in time on Monday, and three days later
        (6000, date(2026, 12, 18)),
    ],
)
def test_an_invoice_is_left_out_until_a_rate_is_missed(paid, last):
    """Held up to and including the last day on which the oldest open rate is in time; then it is dunned again."""
    found = decided(held(paid), ITS, last)
    assert (found.reason, found.next_on) == (Reason.PAYMENT_PLAN, last + timedelta(days=1))
    assert decided(held(paid), ITS, last + timedelta(days=1)).reason is not Reason.PAYMENT_PLAN


@pytest.mark.feature("S-PAY-16")
def test_explain_says_who_agreed_on_what_and_sees_dunning_resume():
    """Who and when, until when, what is paid and what comes next; with nothing more paid it goes on after the missed rate."""
    one = held(3000)
    found = explain(case(one), one, ITS, date(2026, 10, 20))
    assert found.text("de") == (
        "Ratenzahlung vereinbart bis 15.12.2026, bezahlte Raten: 1 von 3, nächste Rate 30,00\xa0EUR am 15.11.2026 (von Erika, 01.10.2026)"
    )
    assert found.text("en") == (
        "payment plan agreed until 15 December 2026, rates paid: 1 of 3, next rate EUR\xa030.00 on 15 November 2026"
        " (by Erika, 1 October 2026)"
    )
    assert found.ahead[0].on == date(2026, 11, 20)
    assert (
        explain(case(one), one, ITS, date(2026, 10, 20), on=date(2026, 11, 19)).decision.reason is Reason.PAYMENT_PLAN
    )


def test_rates_beyond_what_is_open_are_not_waited_for():
    """Interest agreed beside the principal: no provider shows it as paid, so the last rate is kept with the principal."""
    agreed = Agreement((*RATES, Rate(date(2027, 1, 15), 500)), 10000, 10000)
    assert first_open(allot(agreed, NW, 3)) is None


def test_a_rate_has_days_of_grace():
    """Due on Thursday, the 15th, booked on Sunday: open until then, missed on Monday; paid whatever the day is."""
    first = allot(Agreement(RATES, 10000, 0), NW, 3)[0]
    assert first.state(date(2026, 10, 18)) is RateState.OPEN
    assert first.state(date(2026, 10, 19)) is RateState.MISSED
    assert allot(Agreement(RATES, 10000, 3000), NW, 3)[0].state(date(2027, 1, 1)) is RateState.PAID


@given(st.lists(st.integers(1, 100_000), min_size=1, max_size=12), st.integers(0, 1_500_000), st.integers(0, 1_000_000))
def test_what_came_in_is_allotted_to_the_cent(amounts, paid, total):
    """Oldest first, never more than a rate asks for, and nothing appears or vanishes below the total."""
    rates = tuple(Rate(date(2026, 1, 1) + timedelta(days=30 * at), one) for at, one in enumerate(amounts))
    found = allot(Agreement(rates, total, paid), NW, 3)
    assert sum(one.due for one in found) == min(total, sum(amounts))
    assert sum(one.paid for one in found) == min(paid, total, sum(amounts))
    assert all(0 <= one.paid <= one.due <= one.rate.amount for one in found)
    unpaid = [one.paid < one.due for one in found if one.due]
    assert unpaid == sorted(unpaid)


@given(st.integers(1, 10_000_000), st.integers(1, 36), st.dates(date(2026, 1, 1), date(2027, 12, 31)))
def test_equal_monthly_rates_add_up(total, count, first):
    """To the cent, one in each month, on the same day or the month's last."""
    found = in_months(total, count, first)
    assert sum(one.amount for one in found) == total
    assert [one.on.year * 12 + one.on.month - first.year * 12 - first.month for one in found] == list(range(count))
    assert all(one.on.day == first.day or (one.on + timedelta(days=1)).day == 1 for one in found)


def test_a_payment_plan_without_rates_holds_until_it_is_lifted():
    """Agreed elsewhere: only the hold is recorded, and no end."""
    found = decided(claim(blocks=(Block(Reason.PAYMENT_PLAN),)), ITS, date(2027, 12, 1))
    assert (found.reason, found.outcome, found.next_on) == (Reason.PAYMENT_PLAN, Outcome.HOLD, None)
