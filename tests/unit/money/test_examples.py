"""The worked examples about money, to the cent."""

from datetime import date
from decimal import Decimal

import pytest

from bridge.model import DebtorKind
from bridge.policy.calendar import Calendar
from bridge.policy.money import (
    Ancillary,
    AncillaryKind,
    ClaimInputs,
    DayCount,
    DueFacts,
    DueSource,
    FlatFeeReason,
    LegalDunning,
    MoneyRules,
    Paid,
    Rounding,
    account_of,
    flat_fee,
    flat_fee_reason,
    stretch,
    terms_for,
)
from bridge.policy.money.base_rates import shipped_tables

BUSINESS, CONSUMER = DebtorKind.BUSINESS, DebtorKind.CONSUMER
RULES = MoneyRules(calendar=Calendar("DE", "NW"))


def agreed(due_on, kind=BUSINESS):
    """A due date that stands in the contract."""
    return DueFacts(kind=kind, due_source=DueSource.CONTRACT, due_on=due_on, issued_on=due_on)


def rows(account):
    return [(row.days, str(row.rate), row.interest) for row in account.segments]


def test_one_rate_business():
    """Example 1: 1,190.00 due on 15 July 2026 is 26.41 interest and 40.00 flat fee on 30 September, 1,256.41 in all."""
    inputs = ClaimInputs(119000, agreed(date(2026, 7, 15)), flat_fee_on=date(2026, 7, 15))
    account = account_of(inputs, date(2026, 9, 30), RULES)
    assert account.default.interest_from == date(2026, 7, 16)
    assert rows(account) == [(77, "10.52", 2641)]
    assert account.total == 125641


def test_a_letter_puts_a_consumer_into_default():
    """Example 2: without a date agreed the letter of 3 August creates default; 12.33 interest, no flat fee, 1,202.33."""
    due = DueFacts(
        kind=CONSUMER,
        due_source=DueSource.STATUTORY,
        issued_on=date(2026, 7, 1),
        dunned=(LegalDunning(date(2026, 8, 3)),),
    )
    account = account_of(ClaimInputs(119000, due, flat_fee_on=date(2026, 8, 1)), date(2026, 9, 30), RULES)
    assert (account.default.rule, account.default.first_day) == ("b", date(2026, 8, 3))
    assert rows(account) == [(58, "6.52", 1233)]
    assert account.flat_fee is FlatFeeReason.CONSUMER
    assert account.total == 120233


def test_a_change_of_the_base_rate_makes_two_rows():
    """Example 3: 10,000.00 from 31 May to 31 August 2025 is 95.72 and 174.45, together 270.17."""
    account = account_of(ClaimInputs(1000000, agreed(date(2025, 5, 30))), date(2025, 8, 31), RULES)
    assert rows(account) == [(31, "11.27", 9572), (62, "10.27", 17445)]
    assert account.interest == 27017


def test_four_rates_and_a_leap_year():
    """Example 4: 502.22 in four rows; with days of leap years by 366 the last row is 107.16 and the sum 501.93."""
    terms = terms_for("DE", CONSUMER, shipped_tables())
    first, last = date(2022, 11, 16), date(2024, 3, 31)
    plain = stretch(500000, first, last, terms)
    assert [(one.days, str(one.rate), one.interest) for one in plain.segments] == [
        (46, "4.12", 2596),
        (181, "6.62", 16414),
        (184, "8.12", 20467),
        (91, "8.62", 10745),
    ]
    assert plain.interest == 50222
    actual = stretch(500000, first, last, terms, day_count=DayCount.ACT_ACT)
    assert [one.interest for one in actual.segments] == [2596, 16414, 20467, 10716]
    assert actual.interest == 50193


def test_a_part_payment_settles_costs_then_interest_then_principal():
    """Example 5: 1,000.00 pays 40.00, 108.33 and 851.67; 4,239.08 stay open, while the provider shows 4,000.00."""
    inputs = ClaimInputs(
        500000,
        agreed(date(2026, 2, 27)),
        payments=(Paid(100000, date(2026, 5, 15)),),
        flat_fee_on=date(2026, 2, 27),
        open_at_provider=400000,
    )
    account = account_of(inputs, date(2026, 7, 31), RULES)
    (posting,) = account.ledger.postings
    assert (posting.costs, posting.interest, posting.principal) == (4000, 10833, 85167)
    assert account.ledger.open_principal == 414833
    assert rows(account) == [(77, "10.27", 10833), (46, "10.27", 5369), (31, "10.52", 3706)]
    assert account.ledger.open_interest == 9075
    assert account.total == 423908
    assert account.open_at_provider == 400000
    once = account_of(inputs, date(2026, 7, 31), MoneyRules(calendar=RULES.calendar, rounding=Rounding.TOTAL))
    assert once.ledger.open_interest == 9076


def test_the_flat_fee_is_owed_per_invoice_and_set_off_against_costs():
    """Example 6: 120.00 for three invoices, own letters absorbed; 152.00 with a lawyer's 72.00 for one; nothing from consumers."""
    owed = flat_fee_reason(BUSINESS)
    assert sum(flat_fee(owed, costs).owed for costs in (500, 0, 0)) == 12000
    assert sum(flat_fee(owed, costs).owed for costs in (7200, 0, 0)) == 15200
    assert flat_fee(flat_fee_reason(CONSUMER)).owed == 0


@pytest.mark.parametrize(
    ("costs", "kind", "owed"),
    [
        (500, AncillaryKind.REMINDER_FEE, 4000),
        (7200, AncillaryKind.COST, 7200),
        (480, AncillaryKind.RETURN_CHARGE, 4480),
    ],
)
def test_the_account_itemises_the_set_off(costs, kind, owed):
    """Example 6 in an account: letters and lawyers are set off against the flat fee, the bank's charge is not; the rows add up."""
    inputs = ClaimInputs(
        100000,
        agreed(date(2026, 8, 31)),
        ancillaries=(Ancillary(kind, costs, date(2026, 9, 20)),),
        flat_fee_on=date(2026, 9, 1),
    )
    account = account_of(inputs, date(2026, 9, 30), MoneyRules(calendar=RULES.calendar, interest=False))
    assert account.costs == owed
    assert account.total == 100000 + owed
    assert sum(item.amount + item.absorbed for item in account.items) == 4000 + costs


def test_a_due_date_on_a_holiday_moves_to_the_next_working_day():
    """Example 8: due on 1 May 2026 counts as 4 May; 2,380.00 bear 18.08 until 31 May, not 20.09."""
    account = account_of(ClaimInputs(238000, agreed(date(2026, 5, 1))), date(2026, 5, 31), RULES)
    assert account.default.effective_on == date(2026, 5, 4)
    assert account.default.first_day == date(2026, 5, 5)
    assert rows(account) == [(27, "10.27", 1808)]


def test_principal_and_return_charge_make_the_total():
    """4,512.48 and a return charge of 15.00 are 4,527.48, itemised."""
    charge = Ancillary(AncillaryKind.RETURN_CHARGE, 1500, date(2026, 9, 10))
    inputs = ClaimInputs(451248, agreed(date(2026, 9, 1)), ancillaries=(charge,))
    account = account_of(inputs, date(2026, 9, 10), MoneyRules(calendar=RULES.calendar, interest=False))
    assert (account.ledger.open_principal, account.ancillary, account.total) == (451248, 1500, 452748)
    assert account.items == (charge,)


def test_no_day_is_lost_where_periods_meet():
    """10,000.00 due 15 January 2023 to 2 October 2025: the rows' days add up to 991, with 3,170.18 interest."""
    terms = terms_for("DE", BUSINESS, shipped_tables())
    made = stretch(1000000, date(2023, 1, 16), date(2025, 10, 2), terms)
    assert [row.days for row in made.segments] == [166, 184, 182, 184, 181, 94]
    assert sum(row.days for row in made.segments) == (date(2025, 10, 2) - date(2023, 1, 15)).days == 991
    assert made.interest == 317018


def test_interest_of_a_month():
    """100.00 for 30 days at 11.27 % is 0.93."""
    terms = terms_for("DE", BUSINESS, shipped_tables())
    made = stretch(10000, date(2025, 3, 1), date(2025, 3, 30), terms)
    assert (str(made.segments[0].rate), made.interest) == ("11.27", 93)


@pytest.mark.parametrize(
    ("country", "kind", "first", "rate", "interest"),
    [
        ("AT", BUSINESS, date(2026, 1, 1), "10.73", 10730),
        ("AT", CONSUMER, date(2026, 1, 1), "4", 4000),
        ("AT", BUSINESS, date(2022, 7, 1), "8.58", None),
        ("CH", BUSINESS, date(2026, 1, 1), "5", 5000),
        ("CH", CONSUMER, date(2026, 1, 1), "5", 5000),
    ],
)
def test_austria_and_switzerland(country, kind, first, rate, interest):
    """Austria: 9.2 points over its own base rate, 4 % from consumers; Switzerland: 5 %."""
    terms = terms_for(country, kind, shipped_tables())
    assert terms.rate_on(first) == Decimal(rate)
    if interest is not None:
        assert stretch(100000, first, date(2026, 12, 31), terms).interest == interest
