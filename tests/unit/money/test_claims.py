"""The account of one claim at its edges: what its sums are made of, what the provider's open amount changes, and when it is settled."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bridge.model import DebtorKind
from bridge.policy.calendar import Calendar
from bridge.policy.money import (
    Ancillary,
    AncillaryKind,
    ClaimInputs,
    DueFacts,
    DueSource,
    FlatFeeReason,
    MoneyRules,
    NoteCode,
    Paid,
    account_of,
)

TODAY = date(2026, 10, 5)
DEFAULT = date(2026, 9, 1)
DUE = DueFacts(
    kind=DebtorKind.BUSINESS, due_source=DueSource.CONTRACT, due_on=date(2026, 8, 31), issued_on=date(2026, 8, 1)
)
RULES = MoneyRules(calendar=Calendar("DE", "NW"))
PLAIN = replace(RULES, interest=False)
FEE = Ancillary(AncillaryKind.REMINDER_FEE, 500, date(2026, 9, 15))
DAY = timedelta(days=1)


def inputs(**values):
    return ClaimInputs(**{"principal": 10000, "due": DUE, **values})


def paid(amount, on=date(2026, 9, 20)):
    return Paid(amount, on, f"{on}:{amount}")


def told(account):
    return {one.code: dict(one.facts) for one in account.notes}


def test_costs_and_interest_are_the_ancillary_claims():
    """35 days at 10.52 per cent on 100 EUR are 1.01 EUR, and the fee of 5 EUR: both are open beside the principal."""
    account = account_of(inputs(ancillaries=(FEE,)), TODAY, RULES)
    assert (account.costs, account.interest, account.ancillary, account.total) == (500, 101, 601, 10601)


@pytest.mark.parametrize(
    ("values", "total", "left"),
    [
        ({}, 10000, 10000),
        ({"credits": 300}, 9700, 9700),
        ({"reductions": 1000}, 9000, 9000),
        ({"payments": (paid(4000),), "credits": 300}, 5700, 5700),
        ({"payments": (paid(-300),)}, 10300, 10300),  # taken back without a payment: owed too
        ({"payments": (paid(-300),), "credits": 200}, 10100, 10100),
        ({"payments": (paid(12000),)}, 0, 0),
        ({"payments": (paid(12000),), "credits": 300}, -300, -300),
        ({"ancillaries": (FEE,), "payments": (paid(4000),)}, 6500, 6000),
        ({"ancillaries": (FEE,), "payments": (paid(10000),)}, 0, 0),  # what is left is waived
        ({"ancillaries": (FEE,), "payments": (paid(10000),), "credits": 300}, -300, -300),
    ],
)
def test_the_total_is_what_is_open_less_credits_and_what_is_waived(values, total, left):
    """To the cent, and what the invoicing tool counts beside it: the principal less payments and open credit notes, never below nothing."""
    account = account_of(inputs(**values), TODAY, PLAIN)
    assert (account.total, account.left, account.more) == (total, left, total - left)


@pytest.mark.parametrize(
    ("values", "waived"),
    [
        ({"payments": (paid(9999),)}, 0),
        ({"payments": (paid(10000),)}, 500),
        ({"payments": (paid(10000, TODAY),)}, 500),
        ({"payments": (paid(10000, TODAY + DAY),)}, 0),  # not here yet
        ({"open_at_provider": 0}, 500),
        ({"open_at_provider": -100}, 500),
        ({"open_at_provider": 1}, 0),
        ({"open_at_provider": 1, "payments": (paid(10000),)}, 0),  # the provider has the word
    ],
)
def test_ancillary_claims_are_waived_once_the_principal_is_paid(values, waived):
    """By the provider's word, else by the payments that are here: from the last cent on, and not a day before."""
    account = account_of(inputs(ancillaries=(FEE,), **values), TODAY, PLAIN)
    assert account.waived == waived
    assert told(account).get(NoteCode.WAIVED) == ({"amount": waived} if waived else None)


@pytest.mark.parametrize(
    ("values", "note", "amount"),
    [
        ({"open_at_provider": 10000}, None, None),
        ({"open_at_provider": 9000, "reductions": 1000}, None, None),
        ({"open_at_provider": 6000, "payments": (paid(4000),)}, None, None),
        ({"open_at_provider": 9999}, NoteCode.UNDATED_REDUCTION, 1),
        ({"open_at_provider": 1}, NoteCode.UNDATED_REDUCTION, 9999),
        ({"open_at_provider": 8000, "reductions": 1000}, NoteCode.UNDATED_REDUCTION, 1000),
        ({"open_at_provider": 0, "payments": (paid(4000),)}, NoteCode.UNDATED_REDUCTION, 6000),
        ({"open_at_provider": 0, "payments": (paid(10500),)}, None, None),  # overpaid: there is nothing to take back
        ({"open_at_provider": 10001}, NoteCode.PROVIDER_OPEN_HIGHER, 1),
        ({"open_at_provider": 9000, "payments": (paid(4000),)}, NoteCode.PROVIDER_OPEN_HIGHER, 3000),
    ],
)
def test_what_the_provider_shows_as_open_otherwise_is_remarked(values, note, amount):
    """With the amount by which it differs; nothing is said where payments and reductions explain it."""
    found = told(account_of(inputs(**values), TODAY, PLAIN))
    codes = {NoteCode.UNDATED_REDUCTION, NoteCode.PROVIDER_OPEN_HIGHER} & found.keys()
    assert codes == ({note} if note else set())
    assert note is None or found[note] == {"amount": amount}


@pytest.mark.parametrize(
    ("due", "today", "facts"),
    [
        (DUE, DEFAULT, None),
        (DUE, DEFAULT - DAY, {"on": DEFAULT}),
        (replace(DUE, kind=DebtorKind.CONSUMER, due_source=DueSource.STATUTORY), TODAY, {}),
    ],
)
def test_that_nobody_is_in_default_yet_is_remarked(due, today, facts):
    """With the day on which default begins, where that is known."""
    assert told(account_of(inputs(due=due), today, PLAIN)).get(NoteCode.NOT_IN_DEFAULT) == facts


@pytest.mark.parametrize(
    ("payments", "today", "reason"),
    [
        ((), DEFAULT, FlatFeeReason.OWED),
        ((), DEFAULT - DAY, FlatFeeReason.NOT_IN_DEFAULT),
        ((paid(10000, DEFAULT - DAY),), TODAY, FlatFeeReason.NOT_IN_DEFAULT),
        ((paid(9999, DEFAULT - DAY),), TODAY, FlatFeeReason.OWED),
        ((paid(10000, DEFAULT),), TODAY, FlatFeeReason.OWED),
    ],
)
def test_the_flat_fee_is_owed_from_the_first_day_of_default_with_a_cent_open(payments, today, reason):
    """What was paid in full the day before never was late; what came on that day was."""
    account = account_of(inputs(payments=payments, flat_fee_on=date(2026, 8, 1)), today, PLAIN)
    assert account.flat_fee is reason


@pytest.mark.parametrize(
    ("asked_on", "dated"), [(date(2026, 8, 1), DEFAULT), (DEFAULT, DEFAULT), (TODAY, TODAY), (TODAY + DAY, None)]
)
def test_the_flat_fee_is_dated_when_it_is_asked_for_in_default(asked_on, dated):
    """Not before default began, and not before a notice asks for it; a fee of the same day counts from that day on."""
    fee = replace(FEE, on=TODAY)
    account = account_of(inputs(flat_fee_on=asked_on, ancillaries=(fee, replace(fee, on=TODAY + DAY))), TODAY, PLAIN)
    assert [one.on for one in account.items if one.kind is AncillaryKind.FLAT_FEE] == ([dated] if dated else [])
    assert [one.on for one in account.items if one.kind is AncillaryKind.REMINDER_FEE] == [TODAY]
    assert account.total == (14000 if dated else 10500)


@pytest.mark.parametrize(
    ("obligation_on", "issued_on", "old"),
    [
        (None, date(2014, 7, 28), True),
        (None, date(2014, 7, 29), False),
        (date(2014, 7, 28), date(2014, 8, 1), True),
        (date(2014, 7, 29), date(2014, 7, 1), False),
        (None, None, False),
    ],
)
def test_an_obligation_is_as_old_as_its_invoice_unless_said_otherwise(obligation_on, issued_on, old):
    """The law before 29 July 2014 gives 8 points and no flat fee (EGBGB Art. 229 s. 34)."""
    its = inputs(due=replace(DUE, issued_on=issued_on), obligation_on=obligation_on, flat_fee_on=TODAY)
    account = account_of(its, TODAY, RULES)
    assert account.terms.law == ("BGB 288(2) a.F." if old else "BGB 288(2)")
    assert account.flat_fee is (FlatFeeReason.OLD_LAW if old else FlatFeeReason.OWED)


@pytest.mark.parametrize(
    ("principal", "minimum", "today", "interest", "amount"),
    [
        (10000, 101, TODAY, 101, None),
        (10000, 102, TODAY, 0, 101),
        (100, 102, TODAY, 0, 1),
        (10000, 102, DEFAULT - DAY, 0, None),  # none accrued: nothing to tell
    ],
)
def test_interest_below_the_minimum_is_not_asked_for(principal, minimum, today, interest, amount):
    """At the minimum it is; what was left out is remarked with its amount."""
    account = account_of(inputs(principal=principal), today, replace(RULES, interest_minimum=minimum))
    assert account.interest == interest
    assert told(account).get(NoteCode.INTEREST_BELOW_MINIMUM) == (None if amount is None else {"amount": amount})


@pytest.mark.parametrize(
    ("payments", "note", "amount"),
    [
        ((paid(10000),), None, None),
        ((paid(10001),), NoteCode.OVERPAID, 1),
        ((paid(10100),), NoteCode.OVERPAID, 100),
        ((paid(-300),), NoteCode.RETURN_UNMATCHED, 300),
        ((paid(200), paid(-201, TODAY)), NoteCode.RETURN_UNMATCHED, 1),
    ],
)
def test_money_that_belongs_to_no_claim_is_remarked(payments, note, amount):
    """Paid too much, or taken back without a payment known for it, from the first cent on."""
    found = told(account_of(inputs(payments=payments), TODAY, PLAIN))
    assert {NoteCode.OVERPAID, NoteCode.RETURN_UNMATCHED} & found.keys() == ({note} if note else set())
    assert note is None or found[note] == {"amount": amount}
