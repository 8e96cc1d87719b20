"""What holds for thousands of generated histories."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.model import DebtorKind
from bridge.policy.calendar import Calendar
from bridge.policy.money import (
    Ancillary,
    AncillaryKind,
    ClaimInputs,
    DayCount,
    Debt,
    DueFacts,
    DueSource,
    LegalDunning,
    MoneyRules,
    Paid,
    Rounding,
    Window,
    account_of,
    distribute,
    shipped_tables,
    stretch,
    terms_for,
)

THOUSANDS = settings(max_examples=300, deadline=None)  # of each of the seven: over two thousand histories a run
FIRST, LAST = date(2002, 1, 1), date(2026, 12, 31)
CALENDARS = {country: Calendar(country) for country in ("DE", "AT", "CH")}
days = st.dates(date(2016, 7, 1), LAST)
kinds = st.sampled_from(DebtorKind)
windows = st.lists(
    st.builds(lambda first, length: Window(first, first + timedelta(length)), days, st.integers(0, 90)), max_size=2
)


@st.composite
def terms_(draw):
    country = draw(st.sampled_from(["DE", "AT", "CH"]))
    points = draw(st.none() | st.decimals(0, 15, places=2))
    return terms_for(country, draw(kinds), shipped_tables(), points=points)


@st.composite
def inputs_(draw, *, returns=True, keep_simple=False):
    issued = draw(st.dates(date(2016, 7, 1), date(2026, 6, 30)))
    near = st.integers(-20, 900).map(lambda n: min(issued + timedelta(max(n, 0)), LAST))
    lowest = -400_000 if returns else 1
    amounts = st.integers(lowest, 400_000).filter(bool)
    payments = draw(st.lists(st.builds(Paid, amounts, near, st.uuids().map(str)), max_size=5))
    items = draw(
        st.lists(
            st.builds(
                Ancillary,
                st.sampled_from([AncillaryKind.REMINDER_FEE, AncillaryKind.RETURN_CHARGE, AncillaryKind.COST]),
                st.integers(0, 9000),
                near,
            ),
            max_size=0 if keep_simple else 4,
        )
    )
    due = DueFacts(
        kind=draw(kinds),
        due_source=draw(st.sampled_from(DueSource)),
        due_on=issued + timedelta(draw(st.integers(0, 60))),
        issued_on=issued,
        invoice_received_on=draw(st.none() | st.just(issued + timedelta(2))),
        dunned=tuple(draw(st.lists(st.builds(LegalDunning, near, st.none() | near), max_size=2))),
    )
    return ClaimInputs(
        draw(st.integers(1, 2_000_000)),
        due,
        payments=tuple(payments),
        ancillaries=tuple(items),
        flat_fee_on=None if keep_simple else draw(st.none() | near),
        suspended=tuple(draw(windows)),
    )


@st.composite
def rules_(draw):
    country = draw(st.sampled_from(["DE", "AT", "CH"]))
    return MoneyRules(
        country=country,
        calendar=CALENDARS[country],
        day_count=draw(st.sampled_from(DayCount)),
        rounding=draw(st.sampled_from(Rounding)),
        keep_ancillaries=True,
    )


@THOUSANDS
@given(st.integers(1, 10**9), days, days, terms_(), windows, st.sampled_from(DayCount), st.sampled_from(Rounding))
def test_rows_cover_every_day_once_and_add_up(principal, first, last, terms, suspended, day_count, rounding):
    """Rows are contiguous, skip suspended days alone, add up to the sum, are never negative, and neighbours differ."""
    made = stretch(principal, first, last, terms, day_count=day_count, rounding=rounding, suspended=suspended)
    covered = [row.first + timedelta(n) for row in made.segments for n in range((row.last - row.first).days + 1)]
    expected = [first + timedelta(n) for n in range(max((last - first).days + 1, 0))]
    free = [day for day in expected if not any(one.first <= day <= one.last for one in suspended)]
    assert covered == free
    assert sum(row.days for row in made.segments) == len(free)
    assert all(
        row.interest >= 0 and row.rate == terms.rate_on(row.first) == terms.rate_on(row.last) for row in made.segments
    )
    for one, other in pairwise(made.segments):
        assert one.last + timedelta(1) < other.first or one.base != other.base
    if rounding is Rounding.SEGMENT:
        assert made.interest == sum(row.interest for row in made.segments)
    assert abs(made.interest - sum(row.exact for row in made.segments)) <= Fraction(max(len(made.segments), 1), 2)


@THOUSANDS
@given(st.integers(1, 10**9), days, days, terms_(), st.sampled_from(Rounding))
def test_days_of_leap_years_never_cost_more(principal, first, last, terms, rounding):
    """act/act is at most act/365, to the cent; the days are the same."""
    plain = stretch(principal, first, last, terms, rounding=rounding)
    actual = stretch(principal, first, last, terms, rounding=rounding, day_count=DayCount.ACT_ACT)
    assert actual.interest <= plain.interest
    assert [row.days for row in actual.segments] == [row.days for row in plain.segments]


@THOUSANDS
@given(inputs_(), rules_(), days)
def test_no_cent_appears_or_vanishes(inputs, rules, today):
    """Principal, costs and interest are what was paid on them and what is open; every posting adds up by itself too."""
    account = account_of(inputs, today, rules)
    ledger = account.ledger
    for pot, whole, left in (
        ("costs", account.costs, ledger.open_costs),
        ("interest", account.interest, ledger.open_interest),
        ("principal", account.principal, ledger.open_principal),
    ):
        assert whole == sum(getattr(one, pot) for one in ledger.postings) + left
        assert 0 <= left <= whole
    paid = sum(one.amount for one in inputs.payments if one.value_on <= today)
    assert account.paid == paid
    assert account.principal + account.costs + account.interest == paid - ledger.surplus + ledger.open
    for one in ledger.postings:
        assert one.amount == one.costs + one.interest + one.principal + one.surplus
    assert account.interest == sum(one.interest for one in ledger.stretches) >= 0
    assert account.total == ledger.open - min(ledger.surplus, 0)


@THOUSANDS
@given(inputs_(), rules_(), days, st.randoms(use_true_random=False))
def test_the_order_of_import_does_not_matter(inputs, rules, today, random):
    """Payments and ancillary claims in any order make the same account."""
    payments, items = list(inputs.payments), list(inputs.ancillaries)
    random.shuffle(payments)
    random.shuffle(items)
    other = replace(inputs, payments=tuple(payments), ancillaries=tuple(items))
    assert account_of(other, today, rules) == account_of(inputs, today, rules)


@THOUSANDS
@given(inputs_(returns=False), rules_(), days, st.integers(1, 400_000), days)
def test_one_more_payment_never_raises_interest(inputs, rules, today, amount, on):
    """One more payment never raises interest: exactly, and to the cent but for the rounding of the rows that it cuts."""
    before = account_of(inputs, today, rules)
    after = account_of(replace(inputs, payments=(*inputs.payments, Paid(amount, on, "more"))), today, rules)
    slack = max(len(before.segments), len(after.segments))
    assert exact(after) <= exact(before) + Fraction(
        slack, 100
    )  # rounded interest settled earlier moves principal by cents
    assert after.interest <= before.interest + slack
    assert after.total <= before.total + slack


def exact(account):
    return sum((row.exact for row in account.segments), Fraction(0))


@THOUSANDS
@given(inputs_(returns=False, keep_simple=True), rules_(), days)
def test_interest_is_at_most_that_of_the_whole_principal(inputs, rules, today):
    """Each row's principal never grows by payments, and never is above the invoice."""
    rows = account_of(inputs, today, rules).segments
    assert all(one.principal >= other.principal for one, other in pairwise(rows))
    assert all(0 < row.principal <= inputs.principal for row in rows)


debts = st.lists(
    st.builds(
        Debt,
        id=st.uuids().map(str),
        open=st.integers(0, 100_000),
        due=st.booleans(),
        since=st.dates(date(2026, 1, 1), date(2026, 1, 4)),
        secured=st.booleans(),
        burden=st.sampled_from([Decimal(0), Decimal("6.52"), Decimal("10.52")]),
    ),
    max_size=6,
    unique_by=lambda one: one.id,
)


@THOUSANDS
@given(st.integers(0, 500_000), debts, st.randoms(use_true_random=False))
def test_a_payment_over_several_claims_keeps_every_cent(amount, claims, random):
    """What is distributed and what is left is what came in; no claim gets more than it is open; order does not matter."""
    purpose = [one.id for one in claims if random.random() < 0.3]
    given_, left = distribute(amount, claims, purpose)
    assert sum(given_.values()) + left == amount
    assert all(0 <= given_[one.id] <= one.open for one in claims)
    assert left == 0 or all(given_[one.id] == one.open for one in claims)
    mixed = list(claims)
    random.shuffle(mixed)
    assert distribute(amount, mixed, purpose) == (given_, left)
