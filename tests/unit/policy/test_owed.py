"""What is owed on a claim by what a notice asks for: its sums, and which remarks staff read about it."""

from dataclasses import replace
from datetime import date

import pytest

from bridge.model import DebtorKind
from bridge.policy.money import (
    Asks,
    FeeReason,
    FeeRules,
    FlatFeeReason,
    History,
    MoneyRules,
    NoteCode,
    Paid,
    parse_table,
)
from bridge.policy.owed import owed
from tests.unit.policy.helpers import AGREED, WITH_FEES, case, charged, claim, days, rules

TODAY = date(2026, 10, 21)
ALL = Asks(interest=True, flat_fee=True, fee=500, fee_text="Mahnung")
FEE_NOTES = {NoteCode.FEE_LOWERED, NoteCode.FEE_NOT_ASKED}


def account(one=None, asks=ALL, money=WITH_FEES, on=TODAY, **more):
    one = one or claim()
    return owed(case(one), one, rules(days(3), money=money), on, asks, **more)


def codes(found):
    return {one.code for one in found.notes}


def test_extras_are_what_is_asked_for_beside_principal_and_the_notices_own_fee():
    """An earlier charge and the interest; the fee of the notice itself stands apart."""
    found = account(claim(history=charged(300)), Asks(interest=True, fee=500, fee_text="Mahnung"))
    assert (found.fee, found.account.costs, found.account.interest) == (500, 800, 104)
    assert found.extras == 404


def test_open_credit_notes_of_both_kinds_are_taken_off():
    """Those for this very invoice, and its part of the debtor's free ones."""
    found = account(claim(linked_credits=300, shared_credits=200), Asks()).account
    assert (found.credits, found.total) == (500, 9500)


@pytest.mark.parametrize(("number", "named"), [("RE-7", "RE-7"), (None, "1"), ("", "1")])
def test_an_invoice_without_a_number_goes_by_its_id(number, named):
    """Never by nothing."""
    assert account(claim(number=number)).account.number == named


@pytest.mark.parametrize(
    ("sent", "issued_on", "begins"),
    [
        (True, date(2026, 9, 1), date(2026, 10, 16)),
        (None, date(2026, 9, 1), date(2026, 10, 16)),  # not known: as usual
        (False, date(2026, 9, 1), None),  # never sent: never received
        (True, None, None),
        (False, None, None),
    ],
)
def test_thirty_days_run_from_an_invoice_that_was_received(sent, issued_on, begins):
    """After due date and receipt (BGB 286(3)); an invoice that was not sent, or has no date, begins nothing."""
    money = MoneyRules(unknown_kind=DebtorKind.BUSINESS)
    found = account(claim(sent=sent, issued_on=issued_on), money=money).account.default
    assert (found.first_day if found else None) == begins


@pytest.mark.parametrize(
    ("asks", "told"),
    [
        (Asks(), False),
        (Asks(interest=True), True),
        (Asks(flat_fee=True), True),
        (Asks(fee=500), True),
    ],
)
def test_remarks_about_interest_and_fees_are_made_where_some_are_asked_for(asks, told):
    """That nobody is in default yet matters to no plain reminder; that too much was paid does always."""
    one = claim(open=0, history=History(payments=(Paid(10100, date(2026, 9, 10), "p"),)))
    found = codes(account(one, asks, on=date(2026, 9, 14)))
    assert (NoteCode.NOT_IN_DEFAULT in found) is told
    assert NoteCode.OVERPAID in found


@pytest.mark.parametrize(
    ("kind", "fees", "asks", "code", "facts"),
    [
        (DebtorKind.BUSINESS, FeeRules(), Asks(fee=500), None, None),
        (DebtorKind.BUSINESS, FeeRules(), Asks(), None, None),
        (DebtorKind.BUSINESS, FeeRules(), ALL, None, None),  # in the flat fee: as everybody expects
        (DebtorKind.CONSUMER, FeeRules(), Asks(fee=500), NoteCode.FEE_NOT_ASKED, (500, 0, FeeReason.CONSUMER_OFF)),
        (
            DebtorKind.CONSUMER,
            FeeRules(consumer_fees=True),
            Asks(fee=500),
            NoteCode.FEE_LOWERED,
            (500, 250, FeeReason.CONSUMER_CAP),
        ),
        (DebtorKind.CONSUMER, FeeRules(consumer_fees=True), Asks(fee=250), None, None),
    ],
)
def test_a_fee_that_is_not_asked_for_as_planned_is_remarked(kind, fees, asks, code, facts):
    """Lowered or left out, with what was planned and why; nothing where the flat fee covers it."""
    found = account(asks=asks, money=replace(AGREED, unknown_kind=kind, fees=fees))
    assert FEE_NOTES & codes(found) == ({code} if code else set())
    if code:
        (note,) = [one for one in found.notes if one.code is code]
        assert dict(note.facts) == dict(zip(("planned", "amount", "why"), facts, strict=True))


@pytest.mark.parametrize(("flat_fee", "reason"), [(True, FlatFeeReason.OWED), (False, None)])
def test_the_flat_fee_is_asked_for_where_the_notice_does(flat_fee, reason):
    """And is part of the account only then."""
    found = account(asks=Asks(flat_fee=flat_fee))
    assert found.account.flat_fee is reason
    assert found.extras == (4000 if flat_fee else 0)


@pytest.mark.parametrize(
    ("until", "gaps", "interest", "code"),
    [
        ("2026-12-31", False, 104, None),
        ("2026-12-31", True, 104, None),
        ("2026-06-30", False, 0, NoteCode.NO_INTEREST_ASKED),
        ("2026-06-30", True, 0, NoteCode.BASE_RATE_MISSING),
    ],
)
def test_without_a_base_rate_a_notice_asks_for_no_interest(until, gaps, interest, code):
    """And says so once, beside its other remarks; where gaps are shown, the missing days are."""
    text = f"country: DE\nknown_until: {until}\nrates:\n  2026-01-01: 1.52\n"
    money = replace(WITH_FEES, tables={"DE": parse_table(text, "own.yaml")})
    one = claim(history=History(payments=(Paid(-300, date(2026, 9, 10), "p"),)), open=10300)
    found = account(one, Asks(interest=True), money=money, gaps=gaps)
    about = {NoteCode.NO_INTEREST_ASKED, NoteCode.BASE_RATE_MISSING} & codes(found)
    assert found.account.interest == interest
    assert about == ({code} if code else set())
    assert NoteCode.RETURN_UNMATCHED in codes(found)
