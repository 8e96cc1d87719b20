"""Right before the call: what changed since the decision, and what is under way."""

from datetime import timedelta
from decimal import Decimal

import pytest

from bridge.model import (
    Flag,
    InvoiceStatus,
    NoticeStatus,
    Reason,
)
from tests.unit.dun.stage import (
    MONDAY,
    at,
    customer,
    days_after,
    debtor,
    invoice,
    reminder,
    snapshot,
)


def test_a_payment_withdraws_what_was_only_queued(stage):
    """Paid while the notice waits for delivery: it is dropped with its reason and the case closes."""
    stage.tell(MONDAY, debtor(), invoice())
    stage.run(MONDAY)
    stage.tell(days_after(1), invoice(status=InvoiceStatus.PAID, open=Decimal(0)))
    stage.run(days_after(1))
    dropped = stage.notices("dropped")
    assert [(one.reason, one.reason_text.told("de")) for one in dropped] == [("paid", "bezahlt")]
    assert not stage.standing().is_open


@pytest.mark.feature("N-1")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, None),
        ({"status": InvoiceStatus.PAID}, Reason.PAID),
        ({"open": Decimal(60)}, Reason.CHANGED),
        ({"status": InvoiceStatus.CANCELLED}, Reason.CANCELLED),
        ({"flags": (Flag(reason=Reason.DISPUTE, source="tag"),)}, Reason.DISPUTE),
        ({"payment_method": "direct_debit"}, Reason.DIRECT_DEBIT_PENDING),
    ],
)
def test_the_judge_drops_what_changed_since(stage, change, reason):
    """Judged by the fresh answer of the provider, not by what was planned."""
    stage.tell(MONDAY, debtor(), invoice())
    stage.run(MONDAY)
    hold = stage.recheck(snapshot(invoice(**change), MONDAY), MONDAY)
    assert (hold.reason if hold else None) is reason


def test_the_judge_knows_what_people_did_meanwhile(stage):
    """Blocked or closed here after it was queued: held, with the note."""
    stage.tell(MONDAY, debtor(), invoice())
    stage.run(MONDAY)
    with stage.store.begin() as conn:
        stage.store.choices.block(conn, customer(), Reason.PROMISE_TO_PAY, stage.stamp(MONDAY), note="zahlt Freitag")
    hold = stage.recheck(snapshot(invoice(), MONDAY), MONDAY)
    assert hold.reason is Reason.PROMISE_TO_PAY
    assert "zahlt Freitag" in hold.text
    with stage.store.begin() as conn:
        stage.store.choices.unblock(conn, customer(), stage.stamp(MONDAY))
        stage.store.cases.close_by_hand(conn, "MA-000001", "", stage.stamp(MONDAY))
    assert stage.recheck(snapshot(invoice(), MONDAY), MONDAY).reason is Reason.CLOSED_BY_HAND


def test_the_judge_knows_our_own_draft_from_a_foreign_one(stage):
    """The record that this notice made is no obstacle, another one is."""
    stage.tell(MONDAY, debtor(), invoice())
    stage.run(MONDAY)
    one = stage.notices("queued")[0]
    ours = reminder(1, status=NoticeStatus.DRAFT)
    look = snapshot(invoice(), MONDAY, notices=(ours,))
    assert stage.recheck(look, MONDAY).reason is Reason.FOREIGN_REMINDER_RUNNING
    with stage.store.begin() as conn:
        stage.store.outbox.made(conn, one.id, one.claims[0].claim_id, ours.id)
    assert stage.recheck(look, MONDAY) is None


@pytest.mark.parametrize("state", ["queued", "sending"])
def test_a_call_under_way_is_not_dropped(stage, state):
    """Paid while the call runs: its outcome comes first; the notice stays as it is, the case closes."""
    stage.tell(MONDAY, debtor(), invoice())
    stage.run(MONDAY)
    one = stage.notices("queued")[0]
    with stage.store.begin() as conn:
        step = stage.store.outbox.steps.of_notice(conn, one.id)[0]
        if state == "sending":
            now = stage.store.now()
            until = now + timedelta(minutes=5)
            stage.store.outbox.steps.claim(conn, step.id, "w", now=now, until=until)
            stage.store.outbox.steps.start(
                conn, step.id, "w", now=now, acted_at=at(MONDAY), lasts_until=now, baseline=[]
            )
    stage.tell(days_after(1), invoice(status=InvoiceStatus.PAID, open=Decimal(0)))
    stage.run(days_after(1))
    assert len(stage.notices("dropped")) == (1 if state == "queued" else 0)
    assert not stage.standing().is_open


def test_a_bounce_holds_what_was_queued_before_it(stage):
    """The next level is queued already when the last notice comes back: right before the call it is held."""
    stage.tell(MONDAY, debtor(), invoice())
    stage.run(MONDAY)
    stage.land(MONDAY)
    later = days_after(14)
    stage.run(later)
    assert stage.recheck(snapshot(invoice(), later), later) is None
    with stage.store.begin() as conn:
        stage.store.cases.undelivered(conn, [stage.standing().claim_id], stage.stamp(later))
    hold = stage.recheck(snapshot(invoice(), later), later)
    assert hold.reason is Reason.UNDELIVERED


def test_an_undelivered_notice_holds_until_it_is_accepted(stage):
    """Bounced: the next level waits; accepted by a person: it goes on."""
    stage.tell(MONDAY, debtor(), invoice())
    stage.run(MONDAY)
    stage.land(MONDAY)
    claim_id = stage.standing().claim_id
    with stage.store.begin() as conn:
        stage.store.cases.undelivered(conn, [claim_id], stage.stamp(days_after(1)))
    stage.run(days_after(14))
    assert stage.reason() == "undelivered"
    with stage.store.begin() as conn:
        stage.store.cases.undelivered(conn, [claim_id], stage.stamp(days_after(14)), back=False)
    stage.run(days_after(14))
    assert [one.level for one in stage.notices("queued")] == [2]


def test_the_judge_asks_for_blocks_of_the_customer_whom_the_look_names(stage):
    """Between decision and call the invoice became that of a blocked customer with the same address: nothing goes out."""
    stage.tell(MONDAY, debtor(1), debtor(2, email="k1@example.com"), invoice())
    stage.run(MONDAY)
    with stage.store.begin() as conn:
        stage.store.choices.block(conn, customer("d2"), Reason.DISPUTE, stage.stamp(MONDAY))
    now = snapshot(invoice(debtor_id="d2"), MONDAY, its_debtor=debtor(2, email="k1@example.com"))
    assert stage.recheck(now, MONDAY).reason is Reason.DISPUTE
