"""Agreements on instalments in a real database: who, when, how they end, and what a run makes of them."""

from datetime import date
from decimal import Decimal

import pytest

from bridge.model import Reason
from bridge.policy.instalments import Rate
from tests.unit.dun.stage import MONDAY, Stage, about, debtor, invoice, snapshot

RATES = (Rate(date(2026, 10, 12), 6000), Rate(date(2026, 11, 12), 9000))


@pytest.fixture
def agreed(store):
    """Two overdue invoices of 100.00 and 50.00 of one customer, and an agreement over both."""
    stage = Stage(store)
    stage.tell(MONDAY, debtor(), invoice(1), invoice(2, gross=Decimal("50.00"), open=Decimal("50.00")))
    stage.run(MONDAY)
    with store.begin() as conn:
        covers = {"1": 10000, "2": 5000}
        stage.id = store.agreements.agree(conn, "main", "d1", covers, "EUR", RATES, stage.stamp(MONDAY), "am Telefon")
    return stage


def live(stage):
    with stage.store.reading() as conn:
        return stage.store.agreements.live(conn, "main")


def told(stage, kind):
    with stage.store.reading() as conn:
        found = stage.store.overview.timeline(conn, stage.standing().case_id)
    return [event["invoice_id"] for event in found if event["kind"] == kind]


@pytest.mark.feature("S-PAY-16")
def test_what_waited_is_withdrawn_and_nothing_new_is_made(agreed):
    """The run after the agreement drops what was proposed or queued; each invoice says why."""
    agreed.run(MONDAY)
    assert agreed.notices("proposed", "queued") == []
    assert [agreed.reason(one) for one in ("1", "2")] == [Reason.PAYMENT_PLAN] * 2
    assert told(agreed, "instalments_agreed") == ["1", "2"]


@pytest.mark.feature("S-PAY-16")
def test_payments_on_any_covered_invoice_go_to_the_oldest_rate(agreed):
    """60.00 on the first invoice pay the first rate: both stay out beyond its day, and each is looked at again in time."""
    agreed.run(MONDAY)
    agreed.tell(date(2026, 10, 12), invoice(1, paid=Decimal("60.00"), open=Decimal("40.00")))
    agreed.run(date(2026, 10, 16))
    [known] = live(agreed)
    assert (known.terms.paid, known.terms.total) == (6000, 15000)
    assert [agreed.reason(one) for one in ("1", "2")] == [Reason.PAYMENT_PLAN] * 2
    assert agreed.next_on("2") == date(2026, 11, 16)  # Thursday, 12 November, and three days


@pytest.mark.feature("S-PAY-16")
def test_a_missed_rate_ends_it_and_marks_the_case(agreed):
    """One cent short on the last day of grace: over on the day after, in the case of each invoice, and dunned again."""
    agreed.run(MONDAY)
    agreed.tell(date(2026, 10, 12), invoice(1, paid=Decimal("59.99"), open=Decimal("40.01")))
    agreed.run(date(2026, 10, 15))
    assert len(live(agreed)) == 1
    agreed.run(date(2026, 10, 16))
    assert live(agreed) == []
    assert told(agreed, "instalments_missed") == ["1", "2"]
    assert len(agreed.notices("proposed", "queued")) == 2


def test_the_last_look_before_a_call_knows_the_agreement(agreed):
    """Made after the notice was queued: the re-check stops it."""
    assert agreed.recheck(snapshot(invoice(1), MONDAY), MONDAY).reason is Reason.PAYMENT_PLAN


def test_kept_rates_end_it_quietly(agreed):
    """Everything paid: kept, no hold is left."""
    paid = (
        invoice(n, status="paid", paid=sum_, open=Decimal(0), gross=sum_)
        for n, sum_ in ((1, Decimal("100.00")), (2, Decimal("50.00")))
    )
    agreed.tell(date(2026, 10, 9), *paid)
    agreed.run(date(2026, 10, 9))
    assert live(agreed) == []
    assert told(agreed, "instalments_missed") == []
    with agreed.store.reading() as conn:
        assert agreed.store.agreements.by_id(conn, {agreed.id})[agreed.id].ended_as == "kept"


@pytest.mark.parametrize("how", ["replaced", "lifted"])
def test_it_is_replaced_or_lifted_by_a_person(agreed, how):
    """A new agreement takes the place of the old one; lifting the last hold ends it, and dunning goes on."""
    with agreed.store.begin() as conn:
        stamp = agreed.stamp(MONDAY)
        if how == "replaced":
            agreed.store.agreements.agree(conn, "main", "d1", {"1": 10000}, "EUR", RATES, stamp)
        else:
            agreed.store.choices.unblock(conn, about("1"), stamp)
            assert len(agreed.store.agreements.live(conn, "main")) == 1
            agreed.store.choices.unblock(conn, about("2"), stamp)
        assert agreed.store.agreements.by_id(conn, {agreed.id})[agreed.id].ended_as == how
    assert told(agreed, "unblocked") == (["2"] if how == "replaced" else ["1", "2"])
    agreed.run(MONDAY)
    assert agreed.reason("1") == (Reason.PAYMENT_PLAN if how == "replaced" else Reason.OWN_REMINDER_RUNNING)
