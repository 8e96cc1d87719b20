"""What happens beside a run while it decides: on PostgreSQL others write at the same time, and nothing of theirs is written over."""

from datetime import timedelta

import pytest

from bridge.dun import run as running
from bridge.model import Batch, Cursor, InvoiceStatus, Reason
from tests.unit.dun.stage import MONDAY, Stage, about, at, customer, debtor, invoice

pytestmark = pytest.mark.postgres


@pytest.fixture
def stage(postgres_store):
    return Stage(postgres_store)


def beside(monkeypatch, act):
    """Let `act` happen once, and be committed, after the run has read and before it stores."""
    see, left = running.Viewer.see, [act]

    def during(*told, **more):
        seen = see(*told, **more)
        if left:
            left.pop()()
        return seen

    monkeypatch.setattr(running.Viewer, "see", during)


def lift(stage, target):
    with stage.store.begin() as conn:
        stage.store.choices.unblock(conn, target, stage.stamp(MONDAY))


@pytest.mark.parametrize("target", [about(), customer()], ids=["invoice", "customer"])
def test_a_block_lifted_meanwhile(stage, monkeypatch, target):
    """The block that the run has just read is lifted: the invoice is decided without it, not held until something else changes."""
    stage.tell(MONDAY, debtor(), invoice())
    with stage.store.begin() as conn:
        stage.store.choices.block(conn, target, Reason.DISPUTE, stage.stamp(MONDAY))
    beside(monkeypatch, lambda: lift(stage, target))
    report = stage.run(MONDAY)
    assert [one.level for one in stage.notices("queued")] == [1]
    assert report.counts == {"escalate": 1, "notices": 1}


def test_a_block_set_meanwhile(stage, monkeypatch):
    """A block that comes while the run decides still stops it."""
    stage.tell(MONDAY, debtor(), invoice())

    def block():
        with stage.store.begin() as conn:
            stage.store.choices.block(conn, about(), Reason.DISPUTE, stage.stamp(MONDAY))

    beside(monkeypatch, block)
    stage.run(MONDAY)
    assert stage.notices() == []
    assert stage.reason() == Reason.DISPUTE


def test_a_landing_meanwhile(stage, monkeypatch):
    """A notice lands while the run holds its claim because of it: the next level comes up on its day all the same."""
    stage.tell(MONDAY, debtor(), invoice())
    stage.run(MONDAY)
    stage.tell(MONDAY, invoice(tags=("changed",)))
    beside(monkeypatch, lambda: stage.land(MONDAY))
    stage.run(MONDAY)
    assert stage.next_on() is not None
    stage.run(MONDAY + timedelta(days=14))
    assert [one.level for one in stage.notices("queued")] == [2]


def test_a_payment_taken_back_meanwhile(stage, monkeypatch):
    """A pull that reopens an invoice while the run closes it is not forgotten."""
    stage.tell(MONDAY, debtor(), invoice())
    stage.run(MONDAY)
    stage.tell(MONDAY, invoice(status=InvoiceStatus.PAID, open="0.00"))

    def back():
        batch = Batch(invoices=(invoice(),), cursor=Cursor(data={"n": 99}))
        with stage.store.begin() as conn:
            stage.store.mirror.write(conn, "main", batch, business_date=MONDAY, now=at(MONDAY))

    beside(monkeypatch, back)
    stage.run(MONDAY)
    assert stage.standing().is_open
    assert stage.next_on() is not None or stage.standing().running is not None
