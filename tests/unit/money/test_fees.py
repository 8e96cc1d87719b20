"""Fees, the flat fee, allocation between claims, and what becomes of ancillary claims once the principal is paid."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from bridge.model import DebtorKind
from bridge.policy.calendar import Calendar
from bridge.policy.money import (
    Ancillary,
    AncillaryKind,
    ClaimInputs,
    Debt,
    DueFacts,
    DueSource,
    FeeReason,
    FeeRules,
    FlatFeeReason,
    MoneyRules,
    NoteCode,
    Paid,
    Window,
    account_of,
    distribute,
    flat_fee_reason,
    reminder_fee,
    shipped_tables,
    terms_for,
)

BUSINESS, CONSUMER, UNKNOWN = DebtorKind.BUSINESS, DebtorKind.CONSUMER, DebtorKind.UNKNOWN
RULES = MoneyRules(calendar=Calendar("DE", "NW"))
DUE = DueFacts(kind=BUSINESS, due_source=DueSource.CONTRACT, due_on=date(2026, 8, 31), issued_on=date(2026, 8, 1))
FEE = Ancillary(AncillaryKind.REMINDER_FEE, 500, date(2026, 9, 15))


@pytest.mark.parametrize(
    ("kind", "country", "rules", "more", "expected"),
    [
        (BUSINESS, "DE", FeeRules(), {}, (500, FeeReason.AS_PLANNED)),
        (BUSINESS, "DE", FeeRules(), {"creates_default": True}, (0, FeeReason.CREATES_DEFAULT)),
        (BUSINESS, "DE", FeeRules(), {"flat_fee": True}, (0, FeeReason.IN_FLAT_FEE)),
        (CONSUMER, "DE", FeeRules(), {}, (0, FeeReason.CONSUMER_OFF)),
        (UNKNOWN, "DE", FeeRules(), {}, (0, FeeReason.CONSUMER_OFF)),
        (CONSUMER, "DE", FeeRules(consumer_fees=True), {}, (250, FeeReason.CONSUMER_CAP)),
        (CONSUMER, "DE", FeeRules(consumer_fees=True, consumer_cap=500), {}, (500, FeeReason.AS_PLANNED)),
        (BUSINESS, "CH", FeeRules(), {}, (0, FeeReason.NOT_AGREED)),
        (BUSINESS, "CH", FeeRules(agreed=500), {}, (500, FeeReason.AS_PLANNED)),
    ],
)
def test_reminder_fees(kind, country, rules, more, expected):
    """No fee for the letter that creates default, none for consumers unless switched on and capped, none on top of the flat fee."""
    assert reminder_fee(500, kind, country, rules, **more) == expected


def test_a_fee_carries_no_vat():
    """Fees, charges and interest are outside VAT: no item has any, and interest is on the gross amount alone."""
    account = account_of(ClaimInputs(11900, DUE, ancillaries=(FEE,)), date(2026, 9, 30), RULES)
    assert [item.vat for item in account.items] == [None]
    assert account.total == 11900 + 500 + account.interest
    assert {row.principal for row in account.segments} == {11900}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({}, FlatFeeReason.OWED),
        ({"kind": CONSUMER}, FlatFeeReason.CONSUMER),
        ({"kind": UNKNOWN}, FlatFeeReason.CONSUMER),
        ({"country": "AT"}, FlatFeeReason.OWED),
        ({"country": "CH"}, FlatFeeReason.COUNTRY),
        ({"currency": "CHF"}, FlatFeeReason.CURRENCY),
        ({"in_default": False}, FlatFeeReason.NOT_IN_DEFAULT),
        ({"for_consideration": False}, FlatFeeReason.NO_CONSIDERATION),
        ({"obligation_on": date(2014, 7, 28)}, FlatFeeReason.OLD_LAW),
        ({"obligation_on": date(2014, 7, 29)}, FlatFeeReason.OWED),
        ({"obligation_on": date(2010, 1, 1), "performed_on": date(2016, 7, 1)}, FlatFeeReason.OWED),
        ({"obligation_on": date(2010, 1, 1), "performed_on": date(2016, 6, 30)}, FlatFeeReason.OLD_LAW),
    ],
)
def test_who_owes_the_flat_fee(values, reason):
    """Businesses in default for new obligations in euros; nobody else."""
    assert flat_fee_reason(**{"kind": BUSINESS, **values}) is reason


@pytest.mark.parametrize(
    ("kind", "obligation_on", "rate"),
    [
        (BUSINESS, date(2014, 7, 28), "9.52"),
        (BUSINESS, date(2014, 7, 29), "10.52"),
        (CONSUMER, date(2014, 7, 28), "6.52"),
    ],
)
def test_points_by_debtor_and_age(kind, obligation_on, rate):
    """5 points for consumers, 9 for businesses, 8 for obligations before 29 July 2014."""
    terms = terms_for("DE", kind, shipped_tables(), obligation_on=obligation_on)
    assert terms.rate_on(date(2026, 7, 1)) == Decimal(rate)


def test_points_of_ones_own():
    """A higher contractual margin replaces the statutory one; other countries than three have no rules."""
    terms = terms_for("DE", CONSUMER, shipped_tables(), points=Decimal(12))
    assert terms.rate_on(date(2026, 7, 1)) == Decimal("13.52")
    with pytest.raises(KeyError):
        terms_for("FR", BUSINESS, shipped_tables())
    account = account_of(ClaimInputs(10000, DUE), date(2026, 9, 30), replace(RULES, country="FR"))
    assert account.total == 10000
    assert NoteCode.NO_RULES in codes(account)


def codes(account):
    return [one.code for one in account.notes]


def test_the_flat_fee_comes_with_default_and_only_while_something_was_open():
    """Who paid in time owes no flat fee; before default it is not added; a fee asked for already is covered by it."""
    inputs = ClaimInputs(10000, DUE, ancillaries=(FEE,), flat_fee_on=date(2026, 9, 20))
    early = account_of(inputs, date(2026, 9, 19), RULES)
    assert (early.costs, early.flat_fee) == (500, None)
    later = account_of(inputs, date(2026, 9, 20), RULES)
    assert [(item.kind.value, item.amount, item.absorbed) for item in later.items] == [
        ("reminder_fee", 0, 500),
        ("flat_fee", 4000, 0),
    ]
    punctual = replace(inputs, payments=(Paid(10000, date(2026, 8, 31)),), ancillaries=())
    assert account_of(punctual, date(2026, 9, 30), RULES).items == ()
    soon = account_of(replace(inputs, flat_fee_on=date(2026, 8, 1)), date(2026, 9, 30), RULES)
    assert [item.on for item in soon.items if item.kind is AncillaryKind.FLAT_FEE] == [date(2026, 9, 1)]
    assert account_of(replace(inputs, flat_fee_on=date(2026, 8, 1)), date(2026, 8, 31), RULES).costs == 0


def test_ancillary_claims_are_waived_or_kept_once_the_principal_is_paid():
    """Once the provider shows nothing open, the rest is waived, or stays a claim where that is set."""
    inputs = ClaimInputs(10000, DUE, ancillaries=(FEE,), payments=(Paid(10000, date(2026, 9, 20)),), open_at_provider=0)
    waived = account_of(inputs, date(2026, 9, 30), RULES)
    assert (waived.total, NoteCode.WAIVED in codes(waived)) == (0, True)
    kept = account_of(inputs, date(2026, 9, 30), replace(RULES, keep_ancillaries=True))
    assert kept.total == kept.ledger.open == 500 + kept.interest > 500
    part = replace(inputs, payments=(Paid(9000, date(2026, 9, 20)),), open_at_provider=1000)
    assert account_of(part, date(2026, 9, 30), RULES).waived == 0


def test_money_off_without_a_date_bears_no_interest():
    """Where the provider took off more than the payments known, that counts from the beginning, and is said."""
    account = account_of(ClaimInputs(100000, DUE, open_at_provider=40000), date(2026, 9, 30), RULES)
    assert (account.total - account.interest, account.paid) == (40000, 60000)
    assert {row.principal for row in account.segments} == {40000}
    assert NoteCode.UNDATED_REDUCTION in codes(account)
    higher = account_of(ClaimInputs(100000, DUE, open_at_provider=100500), date(2026, 9, 30), RULES)
    assert NoteCode.PROVIDER_OPEN_HIGHER in codes(higher)
    assert (higher.total - higher.interest, {row.principal for row in higher.segments}) == (100500, {100000})


def test_a_returned_debit_opens_what_it_had_paid():
    """Money that is taken back undoes its allocation; a return without its payment, and too much money, are said."""
    inputs = ClaimInputs(
        100000, DUE, payments=(Paid(100000, date(2026, 8, 20), "a"), Paid(-100000, date(2026, 9, 10), "b"))
    )
    account = account_of(inputs, date(2026, 9, 30), RULES)
    assert account.ledger.open_principal == 100000
    assert account.segments[0].first == date(2026, 9, 11)
    lone = account_of(replace(inputs, payments=inputs.payments[1:]), date(2026, 9, 30), RULES)
    assert NoteCode.RETURN_UNMATCHED in codes(lone)
    rich = account_of(replace(inputs, payments=(Paid(150000, date(2026, 8, 20)),)), date(2026, 9, 30), RULES)
    assert (rich.total, rich.ledger.surplus, NoteCode.OVERPAID in codes(rich)) == (0, 50000, True)


def test_what_is_taken_back_is_undone_in_reverse_order():
    """A part of a payment that is taken back opens principal first, then interest, then costs."""
    paid = Paid(10000, date(2026, 9, 30), "a")
    inputs = ClaimInputs(100000, DUE, ancillaries=(FEE,), payments=(paid, Paid(-9200, date(2026, 10, 1), "b")))
    first, second = account_of(inputs, date(2026, 10, 1), RULES).ledger.postings
    assert (first.costs, first.interest, first.principal) == (500, 865, 8635)
    assert (second.costs, second.interest, second.principal) == (0, -565, -8635)


def test_a_surplus_settles_a_later_cost():
    """Money paid too much on this invoice settles a charge that comes later, instead of asking for it."""
    inputs = ClaimInputs(
        10000, DUE, payments=(Paid(11000, date(2026, 8, 20)),), ancillaries=(replace(FEE, amount=400),)
    )
    account = account_of(inputs, date(2026, 9, 30), RULES)
    assert (account.total, account.ledger.surplus) == (0, 600)


def test_small_interest_is_not_asked_for():
    """Interest below the limit in all is left out and said; from the limit on it is asked for in full."""
    rules = replace(RULES, interest_minimum=100)
    small = account_of(ClaimInputs(10000, DUE), date(2026, 9, 30), rules)
    assert (small.total, small.interest, NoteCode.INTEREST_BELOW_MINIMUM in codes(small)) == (10000, 0, True)
    large = account_of(ClaimInputs(100000, DUE), date(2026, 9, 30), rules)
    assert large.total == 100000 + 865


def test_no_interest_in_a_deferral_nor_after_insolvency():
    """Days of an agreed deferral bear none; with the opening of insolvency proceedings interest stops."""
    inputs = ClaimInputs(1000000, DUE, suspended=(Window(date(2026, 9, 6), date(2026, 9, 15)),))
    deferred = account_of(inputs, date(2026, 9, 30), RULES)
    assert [row.days for row in deferred.segments] == [5, 15]
    stopped = account_of(replace(inputs, interest_until=date(2026, 9, 20)), date(2026, 9, 30), RULES)
    assert [row.days for row in stopped.segments] == [5, 5]


def test_open_credit_notes_lower_the_total_at_once():
    """An open credit note lowers what is asked for, not the interest base."""
    account = account_of(ClaimInputs(100000, DUE, credits=30000), date(2026, 9, 30), RULES)
    assert account.total == 70000 + 865


def test_a_payment_over_several_claims():
    """The debtor's purpose first; then due, less secured, more burdensome, older claims; equal ones in proportion."""
    old, new = date(2026, 1, 1), date(2026, 2, 1)
    claims = [
        Debt("not due", 1000, due=False, since=old),
        Debt("secured", 1000, due=True, since=old, secured=True),
        Debt("cheap", 1000, due=True, since=old),
        Debt("young", 1000, due=True, since=new, burden=Decimal("10.52")),
        Debt("old", 1000, due=True, since=old, burden=Decimal("10.52")),
    ]
    assert order(claims) == ["old", "young", "cheap", "secured", "not due"]
    given, left = distribute(1500, claims, ["not due"])
    assert ({name: part for name, part in given.items() if part}, left) == ({"not due": 1000, "old": 500}, 0)
    equal = [Debt("a", 100, due=True, since=old), Debt("b", 200, due=True, since=old)]
    assert distribute(100, equal) == ({"a": 33, "b": 67}, 0)
    assert distribute(400, equal) == ({"a": 100, "b": 200}, 100)


def order(claims):
    """The claims in the order in which growing payments reach them."""
    reached = []
    for amount in range(1000, 6000, 1000):
        given, _ = distribute(amount, claims)
        reached += [name for name, part in given.items() if part and name not in reached]
    return reached


@pytest.mark.parametrize(
    ("amount", "absorbed", "taken"), [(0, 0, True), (-1, 0, False), (0, -1, False), (-1, -1, False)]
)
def test_an_ancillary_claim_is_never_negative(amount, absorbed, taken):
    """Neither what is asked for nor what the flat fee covers of it."""
    if taken:
        assert replace(FEE, amount=amount, absorbed=absorbed).amount == amount
    else:
        with pytest.raises(ValueError, match="not negative"):
            replace(FEE, amount=amount, absorbed=absorbed)
