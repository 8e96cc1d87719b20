"""What tests of the half-way share: the calls of the bundle under test, its judge, and what happens in the world meanwhile.

The calls, in the order of its steps: 1 create, 2 amend (invoice 1), 3 create, 4 amend (invoice 2), 5 the mail, 6 complete,
7 mark as sent (invoice 1), 8 complete, 9 mark as sent (invoice 2), 10 and 11 the notes. Invoice 3 only goes along.
"""

from decimal import Decimal

from sqlalchemy import update

from bridge.replay import Replay
from bridge.store.tables import claim
from tests.unit.dun.stage import reminder

MAIL = 5
AFTER = (6, 7, 8, 10)
ALL = [["RE-1", "RE-2", "RE-3"]]
SENT = [("1", "sent"), ("2", "sent")]


def statuses(bundle):
    """Of the provider's reminders: the invoice and the status of each."""
    return sorted((one.invoice_id, one.status.value) for one in bundle.provider.notices.values())


def whole(bundle):
    """Nothing is left to do: what was to happen did, one mail, every record finished, the due ones rose."""
    assert bundle.strikes == {}
    bundle.judge_all()
    assert bundle.asked() == ALL
    assert bundle.levels() == [1, 1, 0]
    assert statuses(bundle) == SENT
    assert bundle.waits() == []
    assert len(bundle.provider.notes) == 2


def replay(bundle):
    desk = bundle.worker()
    return Replay(desk.desk, desk.accounts)


def parked(bundle):
    [one] = [one for one in bundle.all_steps() if one.state == "parked"]
    return f"step-{one.id}"


def approve(bundle):
    with bundle.store.begin() as conn:
        for one in bundle.store.outbox.listing(conn, states=["proposed"]):
            bundle.store.outbox.approve(conn, one.id, shown_hash=one.hash, actor="anna", now=bundle.clock())


def pay(invoice_id, paid=None):
    return lambda bundle: bundle.pay(invoice_id, paid)


def block(target, reason, **more):
    def act(bundle):
        with bundle.store.begin() as conn:
            bundle.store.choices.block(conn, target, reason, bundle.stamp(bundle.day), **more)

    return act


def choose(target, **choice):
    def act(bundle):
        [(name, value)] = choice.items()
        with bundle.store.begin() as conn:
            bundle.store.choices.choose(conn, target, name, value, bundle.stamp(bundle.day))

    return act


def foreign(invoice_id, status):
    def act(bundle):
        made = reminder(99, invoice_id, 1, status, dated_on=bundle.day)
        bundle.provider.notices[made.id] = made

    return act


def gone(bundle):
    del bundle.provider.invoices["2"]


def moved(bundle):
    bundle.provider.debtor = bundle.provider.debtor.model_copy(update={"email": "neu@example.com"})


def credited(bundle):
    known = bundle.provider.invoices["2"]
    bundle.provider.invoices["2"] = known.model_copy(update={"open": Decimal("150.00"), "gross": Decimal("150.00")})


def named(bundle, invoice_id, deadline):
    """Let a term have been named to the debtor before."""
    with bundle.store.begin() as conn:
        conn.execute(update(claim).where(claim.c.invoice_id == invoice_id).values(deadline=deadline))
