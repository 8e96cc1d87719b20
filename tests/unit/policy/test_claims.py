"""What a notice asks for: the worked examples through compose to the cent, what is owed and what is not, and the re-check of the total."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.model import Act, DebtorKind, Invoice, InvoiceStatus, Reason, Snapshot
from bridge.policy import Abilities, Decision, LocalView, Outcome, Running, compose, recheck
from bridge.policy.calendar import Calendar
from bridge.policy.claim_text import plain
from bridge.policy.money import (
    Ancillary,
    AncillaryKind,
    DueSource,
    FeeRules,
    History,
    MoneyRules,
    Paid,
    RateTable,
    Reached,
    Sent,
)
from bridge.policy.owed import retotalled
from tests.unit.policy.helpers import AGREED, case, claim, level, plan, rules

A = Act
ABLE = Abilities(
    acts=frozenset({A.CREATE, A.AMEND, A.COMPLETE, A.SEND_EMAIL, A.MARK_SENT}),
    channels={A.MAIL: "smtp", A.LETTER: "letter_outbox"},
)
BUSINESS, CONSUMER = DebtorKind.BUSINESS, DebtorKind.CONSUMER
ALL = {"interest": True, "flat_fee": True, "is_legal_dunning": True}


def its_rules(money=AGREED, **values):
    bundling = {"when": "never" if "channels" in values else "from_first"}
    return rules(plan(level(1, after_due=1, **values), bundling=bundling), money=money, calendar=Calendar("DE"))


def notices(its, on, *claims, kind=BUSINESS, abilities=ABLE):
    """The notices over these claims on that day, whatever weekday it is."""
    decisions = [
        Decision(one.invoice_id, Outcome.ESCALATE, Reason.LEVEL_DUE, level=1, plan="plan", enters=True)
        for one in claims
    ]
    return compose(case(*claims, kind=kind), decisions, its, abilities, on)


def notice(its, on, *claims, **more):
    (found,) = notices(its, on, *claims, **more)
    return found


def invoice(gross, due, **values):
    base = {"gross": gross, "open": gross, "due_on": due, "issued_on": due - timedelta(14)}
    return claim(**{**base, **values})


def rows(found):
    return [(one.days, str(one.interest)) for row in found.content.table.rows for one in row.interest_rows]


def text(found):
    return plain(found.content).replace("\u00a0", " ")


def test_one_rate():
    """Example 1: 77 days make 26.41, the flat fee 40.00, together 1,256.41; the flat fee itself needs no letter before."""
    found = notice(its_rules(**ALL), date(2026, 9, 30), invoice(119000, date(2026, 7, 15)))
    assert (rows(found), found.total) == ([(77, "26.41")], 125641)
    assert [(one.kind, str(one.amount)) for one in found.content.table.rows[0].ancillaries] == [("flat_fee", "40.00")]
    assert "1.190,00 EUR x (1,52 % + 9,00 %) x 77/365: 26,41 EUR" in text(found)
    assert "30.09.2026" in text(found)


def test_a_letter_that_made_default_to_a_consumer():
    """Example 2: a letter received on 3 August 2026 makes 58 days of interest, 12.33; no flat fee."""
    past = History(reached=(Reached(date(2026, 8, 2), Sent.MAIL, legal=True),))
    its = its_rules(MoneyRules(due_source=DueSource.STATUTORY), **ALL)
    found = notice(its, date(2026, 9, 30), invoice(119000, date(2026, 7, 15), history=past), kind=CONSUMER)
    assert (rows(found), found.total) == ([(58, "12.33")], 120233)


@pytest.mark.feature("P-17")
def test_a_change_of_the_base_rate():
    """Example 3: a period across 1 July has two lines with two rates, 95.72 and 174.45."""
    found = notice(its_rules(interest=True), date(2025, 8, 31), invoice(1000000, date(2025, 5, 30)))
    assert (rows(found), found.total) == ([(31, "95.72"), (62, "174.45")], 1027017)
    assert "(2,27 % + 9,00 %)" in text(found)
    assert "(1,27 % + 9,00 %)" in text(found)


def test_four_rates():
    """Example 4: 502.22 in four rows from a consumer."""
    found = notice(its_rules(interest=True), date(2024, 3, 31), invoice(500000, date(2022, 11, 15)), kind=CONSUMER)
    assert rows(found) == [(46, "25.96"), (181, "164.14"), (184, "204.67"), (91, "107.45")]
    assert found.content.table.interest == Decimal("502.22")


def test_a_part_payment_by_the_law():
    """Example 5: 1,000.00 settle costs, interest and principal; 4,239.08 stay open, while the provider shows 4,000.00."""
    past = History(
        payments=(Paid(100000, date(2026, 5, 15)),),
        reached=(Reached(date(2026, 2, 27), Sent.MAIL, flat_fee=True),),
    )
    one = invoice(500000, date(2026, 2, 27), open=400000, history=past)
    found = notice(its_rules(interest=True), date(2026, 7, 31), one)
    assert (rows(found), found.total) == ([(77, "108.33"), (46, "53.69"), (31, "37.06")], 423908)
    (row,) = found.content.table.rows
    assert (row.gross, row.paid, row.open) == (Decimal("5000.00"), Decimal("1000.00"), Decimal("4000.00"))
    (paid,) = row.payments
    assert (paid.costs, paid.interest, paid.principal) == (Decimal("40.00"), Decimal("108.33"), Decimal("851.67"))


def test_the_flat_fee_once_for_each_invoice():
    """Example 6: three invoices 120.00, own letters absorbed; with a lawyer's 72.00 for one 152.00; nothing from consumers."""
    its, on = its_rules(flat_fee=True), date(2026, 9, 30)

    def three(*past):
        return [
            invoice(100000, date(2026, 8, 3), invoice_id=str(number), history=History(ancillaries=its_past))
            for number, its_past in enumerate(past)
        ]

    fee = (Ancillary(AncillaryKind.REMINDER_FEE, 500, date(2026, 9, 1), "Mahnung"),)
    lawyer = (Ancillary(AncillaryKind.COST, 7200, date(2026, 9, 1), "Anwalt"),)
    assert notice(its, on, *three(fee, (), ())).total == 300000 + 12000
    assert notice(its, on, *three(lawyer, (), ())).total == 300000 + 15200
    assert notice(its, on, *three((), (), ()), kind=CONSUMER).total == 300000


def test_a_bundle_with_a_credit_note():
    """Example 7: 1,200.00 and 800.00 less an open credit note of 350.00 ask for 1,650.00."""
    claims = [
        invoice(120000, date(2026, 9, 10), invoice_id="1", shared_credits=35000),
        invoice(80000, date(2026, 9, 25), invoice_id="2"),
    ]
    found = notice(its_rules(), date(2026, 9, 30), *claims)
    assert (found.total, [str(row.credited) for row in found.content.table.rows]) == (165000, ["350.00", "0.00"])


def test_a_due_date_on_a_holiday():
    """Example 8: due on 1 May counts as 4 May; 27 days make 18.08."""
    found = notice(its_rules(interest=True), date(2026, 5, 31), invoice(238000, date(2026, 5, 1)))
    assert rows(found) == [(27, "18.08")]


@pytest.mark.feature("P-14")
@pytest.mark.parametrize("known", [True, False], ids=["payment known", "only the sum known"])
def test_only_the_rest_is_claimed(known):
    """Pay 40 of 100: the mail asks for 60 and shows the payment."""
    past = History(payments=(Paid(4000, date(2026, 9, 20)),)) if known else History()
    found = notice(its_rules(), date(2026, 9, 30), invoice(10000, date(2026, 9, 15), open=6000, history=past))
    assert found.total == 6000
    assert "100,00 EUR, bezahlt 40,00 EUR, offen 60,00 EUR" in text(found)
    (paid,) = found.content.table.rows[0].payments
    assert (paid.on, paid.amount) == (date(2026, 9, 20) if known else None, Decimal("40.00"))


@pytest.mark.feature("P-16")
@pytest.mark.parametrize("channel", ["mail", "letter"])
def test_a_month_of_interest_in_the_letter(channel):
    """100 EUR, 30 days, 11.27 %: the letter shows 0.93 and the formula."""
    its = its_rules(interest=True, channels=[channel])
    found = notice(its, date(2025, 4, 2), invoice(10000, date(2025, 3, 3)))
    assert (rows(found), found.total) == ([(30, "0.93")], 10093)
    assert "100,00 EUR x (2,27 % + 9,00 %) x 30/365: 0,93 EUR" in text(found)
    assert found.content.table.law == "BGB 288(2)"


@pytest.mark.parametrize(
    ("country", "kind", "interest", "fee", "flat"),
    [
        ("DE", BUSINESS, "8.65", "0.00", "40.00"),
        ("AT", BUSINESS, "8.82", "0.00", "40.00"),
        ("AT", CONSUMER, "3.29", "0.00", None),
        ("CH", BUSINESS, "4.11", "0.00", None),
    ],
)
def test_austrian_and_swiss_rules(country, kind, interest, fee, flat):
    """Austria: 9.2 points over its own rate and 40 EUR from businesses, 4 % from consumers; Switzerland: 5 %, nothing else."""
    its = its_rules(replace(AGREED, country=country), interest=True, flat_fee=True, fee=5)
    found = notice(its, date(2026, 9, 30), invoice(100000, date(2026, 8, 31)), kind=kind)
    assert found.content.table.interest == Decimal(interest)
    assert found.content.fee == Decimal(fee)
    flats = [str(one.amount) for one in found.content.table.rows[0].ancillaries if one.kind == "flat_fee"]
    assert flats == ([flat] if flat else [])


@pytest.mark.parametrize(
    ("money", "kind", "fee", "said"),
    [
        (AGREED, BUSINESS, 500, ""),
        (AGREED, CONSUMER, 0, "keine Mahngebühren für Verbraucher"),
        (replace(AGREED, fees=FeeRules(consumer_fees=True)), CONSUMER, 250, "Höchstbetrag für Verbraucher"),
        (MoneyRules(), BUSINESS, 0, "die Mahnung, die den Verzug begründet, ist kostenfrei"),
        (replace(AGREED, country="CH"), BUSINESS, 0, "Betrag nicht vereinbart"),
        (replace(AGREED, country="CH", fees=FeeRules(agreed=500)), BUSINESS, 500, ""),
    ],
)
def test_a_fee_is_asked_for_where_it_is_owed(money, kind, fee, said):
    """The planned fee of 5.00, what the law leaves of it, and why it is less, for staff."""
    found = notice(its_rules(money, fee=5), date(2026, 9, 16), invoice(10000, date(2026, 9, 14)), kind=kind)
    assert (found.claims[0].fee, found.total) == (fee, 10000 + fee)
    assert said in " ".join(one.told("de") for one in found.claims[0].basis.notes)


@pytest.mark.feature("P-18")
def test_a_fee_bears_no_vat():
    """The line of the fee says that it is outside VAT and carries none."""
    found = notice(its_rules(fee=5), date(2026, 9, 16), invoice(11900, date(2026, 9, 14)))
    (fee,) = found.content.table.rows[0].ancillaries
    assert (fee.amount, fee.vat) == (Decimal("5.00"), None)
    assert "Mahngebühr Stufe 1 (ohne Umsatzsteuer): 5,00 EUR" in text(found)


def test_no_interest_while_a_base_rate_is_missing():
    """In a half-year without a base rate the letter asks for none at all and says so to staff; the flat fee stays."""
    table = RateTable("DE", ((date(2026, 1, 1), Decimal("1.27")),), date(2026, 6, 30))
    its = its_rules(replace(AGREED, tables={"DE": table}), **ALL)
    found = notice(its, date(2026, 9, 30), invoice(100000, date(2026, 5, 4)))
    assert (rows(found), found.total) == ([], 104000)
    assert any("dieses Schreiben fordert keine Zinsen" in one.told("de") for one in found.claims[0].basis.notes)


@pytest.mark.parametrize(
    ("automation", "acts"),
    [
        ("send", [A.CREATE, A.AMEND, A.MAIL, A.COMPLETE, A.MARK_SENT]),
        ("create", None),
    ],
)
def test_what_a_provider_cannot_itemise_goes_out_as_our_own(automation, acts):
    """With interest our mail goes out beside a silent record of principal alone; a draft that a person sends there is not made."""
    its = its_rules(interest=True, channels=["provider_email"], automation=automation)
    found = notices(its, date(2026, 9, 30), invoice(100000, date(2026, 8, 31)))
    assert [[step.act for step in one.steps] for one in found] == ([acts] if acts else [])
    if acts:
        record = found[0].steps[0].content
        assert (record.principal, record.fee, record.total) == (Decimal("1000.00"), Decimal("0.00"), Decimal("1000.00"))
        assert found[0].content.total == Decimal("1008.65")


def look(one, **values):
    """What the provider answers right before the call, and what is known here."""
    record = Invoice(
        id=one.invoice_id,
        number=one.number,
        status=InvoiceStatus.OPEN,
        debtor_id="d",
        issued_on=one.issued_on,
        due_on=one.due_on,
        gross=Decimal(one.gross).scaleb(-2),
        paid=Decimal(one.gross - one.open).scaleb(-2),
        open=Decimal(one.open).scaleb(-2),
        sent=True,
        email="rechnung@example.com",
    )
    return Snapshot(invoice_id=one.invoice_id, taken_at=datetime(2026, 10, 2, tzinfo=UTC), invoice=record, **values)


def test_the_total_is_compared_right_before_the_call():
    """Interest that ran on for two days changes nothing, it is stated up to a day; a charge or a payment dated anew does."""
    its, on = its_rules(MoneyRules(due_source=DueSource.CONTRACT, unknown_kind=BUSINESS), **ALL), date(2026, 9, 30)
    past = History(payments=(Paid(5000, date(2026, 9, 20), "p"),))
    one = invoice(100000, date(2026, 8, 31), open=95000, history=past)
    basis = notice(its, on, one).claims[0].basis
    later = on + timedelta(2)
    assert recheck(basis, look(one), LocalView(history=past), its, later) is None
    charge = Ancillary(AncillaryKind.RETURN_CHARGE, 480, on)
    for changed in (
        replace(past, ancillaries=(charge,)),
        replace(past, payments=(Paid(5000, date(2026, 9, 10), "p"),)),
    ):
        held = recheck(basis, look(one), LocalView(history=changed), its, later)
        assert held is not None
        assert held.reason is Reason.CHANGED


def test_a_proposal_with_another_total_is_made_anew():
    """A charge that comes up while a proposal waits changes its total; time alone does not."""
    its, on = its_rules(**ALL), date(2026, 9, 30)
    one = invoice(100000, date(2026, 8, 31))
    made = notice(its, on, one).claims[0]
    waits = Running(1, "proposed", 1, demand=made.demand, since=on, asks=made.basis.asks, total=made.basis.total)
    one = replace(one, running=waits)
    assert not retotalled(case(one, kind=BUSINESS), one, its)
    charged = replace(one, history=History(ancillaries=(Ancillary(AncillaryKind.RETURN_CHARGE, 480, on),)))
    assert retotalled(case(charged, kind=BUSINESS), charged, its)


EVERYTHING = its_rules(fee=5, **ALL)
near = st.dates(date(2025, 1, 1), date(2026, 9, 30))
amounts = st.integers(1, 200_000)


@st.composite
def histories(draw):
    kinds = st.sampled_from([AncillaryKind.REMINDER_FEE, AncillaryKind.RETURN_CHARGE, AncillaryKind.COST])
    return History(
        payments=tuple(draw(st.lists(st.builds(Paid, amounts, near, st.uuids().map(str)), max_size=4))),
        ancillaries=tuple(draw(st.lists(st.builds(Ancillary, kinds, st.integers(0, 9000), near), max_size=4))),
        reached=tuple(
            draw(
                st.lists(
                    st.builds(Reached, near, st.sampled_from(Sent), near, st.booleans(), st.booleans()), max_size=3
                )
            )
        ),
    )


@settings(max_examples=60, deadline=None)
@given(
    histories(),
    near,
    st.integers(1, 500_000),
    st.integers(0, 500_000),
    st.sampled_from(DebtorKind),
    st.sampled_from(["DE", "AT", "CH"]),
    st.randoms(use_true_random=False),
)
def test_no_cent_of_a_notice_appears_or_vanishes(past, due, gross, left, kind, country, random):
    """What is asked for is what the provider shows open, each fee once and each row of interest; the order of import does not matter."""
    its = replace(EVERYTHING, money=replace(AGREED, country=country))
    one = invoice(gross, due, open=min(left, gross) or gross, history=past)
    found = notice(its, date(2026, 9, 30), one, kind=kind)
    table = found.content.table
    (row,) = table.rows
    assert found.total == found.claims[0].total == found.claims[0].basis.total
    assert row.open == Decimal(one.open).scaleb(-2)
    assert row.interest == sum((part.interest for part in row.interest_rows), Decimal(0))
    assert table.total == row.open + row.interest + sum((part.amount for part in row.ancillaries), Decimal(0))
    flats = [part for part in row.ancillaries if part.kind == "flat_fee"]
    assert len(flats) == (1 if kind is BUSINESS and country != "CH" and date(2026, 9, 30) > due and flats else 0)
    mixed = History(
        payments=tuple(random.sample(past.payments, len(past.payments))),
        ancillaries=tuple(random.sample(past.ancillaries, len(past.ancillaries))),
        reached=tuple(random.sample(past.reached, len(past.reached))),
    )
    again = notice(its, date(2026, 9, 30), replace(one, history=mixed), kind=kind)
    assert again.content.table == table
