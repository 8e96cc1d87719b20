"""A text that a person changed, and a notice that takes the place of it: it waits for a person, and says what is not in it."""

from decimal import Decimal

import pytest

from bridge.app.editing import Editing
from tests.unit.dun.stage import MONDAY, Stage, at, days_after, debtor, invoice
from tests.unit.policy.helpers import level, plan, rules


class Desk(Editing):
    """The part of the facade that changes a text, on a store alone."""

    def __init__(self, stage):
        self.stage, self.store, self.actor = stage, stage.store, "anna"

    def clock(self):
        return at(MONDAY)

    def today(self, account):
        return MONDAY

    def changes(self, notice):
        with self.store.begin() as conn:
            self._rewrite(conn, notice.id, "Mein Betreff", None)

    def lost(self, notice):
        with self.store.reading() as conn:
            ids = [one.claim_id for one in notice.claims]
            return self.store.outbox.rewritten(conn, notice.case_id, ids, notice.level, before=notice.id)


@pytest.fixture
def stage(sqlite_store):
    """A level that sends by itself, over two invoices in one mail."""
    mail = level(1, after_due=3, channels=["mail"], automation="send")
    stage = Stage(sqlite_store, rules(plan(mail, level(2, after_due=20, channels=["mail"], automation="send"), bundling={"when": "from_first"})))  # fmt: skip
    stage.tell(MONDAY, debtor(), invoice(1), invoice(2))
    return stage


def paid_in_part(stage, today, left):
    stage.tell(today, invoice(1, open=Decimal(left), paid=Decimal(100) - Decimal(left)))
    stage.run(today)


def test_what_takes_the_place_of_a_changed_text_waits_for_a_person(stage):
    """The amount changes after a person changed the text: the plan's text, sent by itself else, is proposed, and names the one before."""
    desk = Desk(stage)
    stage.run(MONDAY)
    [first] = stage.notices("queued")
    desk.changes(first)
    assert desk.lost(stage.notices("proposed")[0]) is None, "it is in this one"
    paid_in_part(stage, days_after(1), 60)
    [second] = stage.notices("proposed", "queued")
    assert (second.state, second.content.subject == "Mein Betreff", desk.lost(second)) == ("proposed", False, first.id)
    paid_in_part(stage, days_after(2), 50)
    [third] = stage.notices("proposed", "queued")
    assert (third.state, desk.lost(third)) == ("proposed", first.id), "nobody has entered it since"
    desk.changes(third)
    assert desk.lost(third) is None
    assert stage.land(days_after(2)) == [1]
    stage.run(days_after(25))
    [fourth] = stage.notices("proposed", "queued")
    assert (fourth.state, fourth.level, desk.lost(fourth)) == ("queued", 2, None)


def test_what_landed_about_another_invoice_is_no_end_of_it(sqlite_store):
    """Each invoice gets a mail of its own: one of the case lands meanwhile, and the changed text of the other is named all the same."""
    stage = Stage(sqlite_store, rules(plan(level(1, after_due=3, channels=["mail"], automation="send"))))
    stage.tell(MONDAY, debtor(), invoice(1), invoice(2))
    stage.run(MONDAY)
    first, other = stage.notices("queued")
    Desk(stage).changes(first)
    with stage.store.begin() as conn:
        stage.store.outbox.land(conn, other.id, on=MONDAY, at=at(MONDAY), now=at(MONDAY))
    stage.tell(days_after(8), invoice(1, open=Decimal(60), paid=Decimal(40)), invoice(3))
    stage.run(days_after(8))
    told = {one.claims[0].invoice_id: (one.state, Desk(stage).lost(one)) for one in stage.notices("proposed", "queued")}
    assert told["1"] == ("proposed", first.id)


def test_a_text_nobody_changed_goes_out_by_itself_as_before(stage):
    """The amount changes: the new notice is as free as the one before."""
    stage.run(MONDAY)
    paid_in_part(stage, days_after(1), 60)
    [second] = stage.notices("proposed", "queued")
    assert (second.state, Desk(stage).lost(second)) == ("queued", None)
