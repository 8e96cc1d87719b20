"""What came back, on a real store: the next level waits, the same level goes out once more as itself, and asks for its fee once."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from bridge.errors import WrongState
from bridge.model import Act, InvoiceStatus, Reason
from bridge.policy import Via
from tests.unit.dun.stage import MONDAY, Stage, debtor, invoice, snapshot
from tests.unit.policy.helpers import level, plan, rules

DAY = timedelta(days=1)
TUESDAY = MONDAY + DAY
TWO = (level(1, after_due=3, is_legal_dunning=True), level(2, after_previous=14, fee="5.00"))
HOME = {"street": "Weg 1", "postcode": "20095", "city": "Hamburg"}


@pytest.fixture
def returned(store):
    """The first level went out on Monday, and came back on Tuesday."""

    def make(*levels, invoices=(1,), **values):
        stage = Stage(store, rules(plan(*(levels or TWO), **values)))
        stage.tell(MONDAY, debtor(address=HOME, kind="business"), *(invoice(one) for one in invoices))
        stage.run(MONDAY)
        stage.land(MONDAY)
        mark(stage, TUESDAY)
        return stage

    return make


def newest(stage):
    return stage.notices()[-1]


def mark(stage, day, report="<report-1@mx.example>"):
    with stage.store.begin() as conn:
        return stage.store.returns.mark(conn, newest(stage), stage.stamp(day), reason="unknown mailbox", report=report)


def ask_again(stage, day, channel="mail"):
    with stage.store.begin() as conn:
        return stage.store.returns.ask_again(conn, newest(stage), channel, stage.stamp(day))


def test_a_level_sent_once_more_is_the_same_level(returned):
    """Same level, new term, and nothing of it before a person approves; then the next level counts from it."""
    stage = returned()
    first = newest(stage)
    ask_again(stage, TUESDAY)
    assert ask_again(stage, TUESDAY)  # asked twice, it is one request
    stage.run(TUESDAY)
    stage.run(TUESDAY)
    [again] = stage.notices("proposed")
    assert (again.level, again.claims[0].repetition, again.total) == (1, 1, first.total)
    assert again.deadline > first.deadline
    assert stage.recheck(snapshot(invoice(), TUESDAY), TUESDAY) is None
    assert stage.land(TUESDAY) == [1]
    standing = stage.standing()
    assert (standing.level, standing.level_on, standing.undelivered) == (1, TUESDAY, False)
    assert (standing.resend, standing.resent) == (None, 1)
    stage.run(TUESDAY + DAY)
    assert stage.notices("proposed", "queued") == []
    stage.run(TUESDAY + 14 * DAY)
    assert [one.level for one in stage.notices("queued")] == [2]


def test_its_fee_is_asked_for_once(returned):
    """The fee of a level that came back is not owed; sent once more it is asked for, and stands once."""
    stage = returned()
    with stage.store.begin() as conn:
        stage.store.returns.accept(conn, newest(stage), stage.stamp(TUESDAY))
    second = MONDAY + 14 * DAY
    stage.run(second)
    stage.land(second)
    first = newest(stage)
    mark(stage, second + DAY)
    with stage.store.reading() as conn:
        assert [one.level for one in stage.store.questions.landed(conn, "main", ["1"])["1"]] == [1]
    ask_again(stage, second + DAY)
    stage.run(second + DAY)
    again = newest(stage)
    assert (first.claims[0].fee, again.claims[0].fee) == (Decimal("5.00"), Decimal("5.00"))
    assert (again.id, again.total) == (first.id + 1, first.total)
    stage.land(second + DAY)
    with stage.store.reading() as conn:
        assert [one.fee for one in stage.store.questions.landed(conn, "main", ["1"])["1"]] == [0, 500]


def test_it_is_not_sent_once_more_where_it_was_paid_meanwhile(returned):
    """Paid after the request: the proposal goes, nothing goes out."""
    stage = returned()
    ask_again(stage, TUESDAY)
    stage.run(TUESDAY)
    paid = invoice(status=InvoiceStatus.PAID, open=Decimal("0.00"))
    assert stage.recheck(snapshot(paid, TUESDAY), TUESDAY).reason is Reason.PAID
    stage.tell(TUESDAY, paid)
    stage.run(TUESDAY)
    assert stage.notices("proposed", "approved", "queued") == []


def test_a_dropped_proposal_comes_again_with_fresh_amounts(returned):
    """Part of it is paid while the proposal waits: one new proposal over the rest, by one request."""
    stage = returned()
    ask_again(stage, TUESDAY)
    stage.run(TUESDAY)
    stage.tell(TUESDAY, invoice(open=Decimal("60.00"), paid=Decimal("40.00")))
    stage.run(TUESDAY)
    [again] = stage.notices("proposed")
    assert again.claims[0].open == Decimal("60.00")
    stage.land(TUESDAY)
    stage.run(TUESDAY)
    assert stage.notices("proposed", "queued") == []


def test_by_letter_instead(returned):
    """A mail that came back goes out as a letter to the postal address; that is all that this level does then."""
    stage = returned(level(1, after_due=3, channels=["mail", "letter"]), level(2, after_previous=14))
    ask_again(stage, TUESDAY, "letter")
    stage.run(TUESDAY)
    [again] = stage.notices("proposed")
    assert (again.channel, again.level) == (Via.LETTER.value, 1)
    with stage.store.reading() as conn:
        assert [one.act for one in stage.store.outbox.steps.of_notice(conn, again.id)][:1] == [Act.LETTER]


def test_it_does_not_use_up_a_repetition(returned):
    """The last level is repeated once: sent once more because it came back, it is still repeated."""
    stage = returned(level(1, after_due=3, repeat={"every_days": 14, "limit": 1}))
    ask_again(stage, TUESDAY)
    stage.run(TUESDAY)
    stage.land(TUESDAY)
    stage.run(TUESDAY + 14 * DAY)
    assert [one.claims[0].repetition for one in stage.notices("queued")] == [2]
    stage.land(TUESDAY + 14 * DAY)
    stage.run(TUESDAY + 40 * DAY)
    assert stage.reason() == Reason.PLAN_COMPLETE.value


def test_what_came_back_together_goes_out_together(returned):
    """A bundle of two goes out once more as one notice; a third invoice that is due meanwhile has its own."""
    stage = returned(
        level(1, after_due=3), level(2, after_previous=14), invoices=(1, 2), bundling={"when": "from_first"}
    )
    assert len(newest(stage).claims) == 2
    ask_again(stage, TUESDAY)
    stage.tell(TUESDAY, invoice(3))
    later = MONDAY + 7 * DAY
    stage.run(later)
    found = {
        tuple(claim.invoice_id for claim in one.claims if claim.level) for one in stage.notices("proposed", "queued")
    }
    assert found == {("1", "2"), ("3",)}


def test_a_report_is_taken_once(returned):
    """The same report read again changes nothing, also after a person accepted the notice as it is; another one does."""
    stage = returned()
    assert not mark(stage, TUESDAY)
    with stage.store.begin() as conn:
        stage.store.returns.accept(conn, newest(stage), stage.stamp(TUESDAY), note="rief an, hat sie")
    assert not stage.standing().undelivered
    assert not mark(stage, TUESDAY)
    assert mark(stage, TUESDAY, report="<report-2@mx.example>")
    assert stage.standing().undelivered


def test_an_old_notice_holds_nothing_any_more(returned):
    """Sent once more and landed, the first one neither waits nor can be accepted or sent again."""
    stage = returned()
    first = newest(stage)
    ask_again(stage, TUESDAY)
    stage.run(TUESDAY)
    stage.land(TUESDAY)
    with stage.store.begin() as conn, pytest.raises(WrongState, match="moved on"):
        stage.store.returns.accept(conn, first, stage.stamp(TUESDAY))
    with stage.store.begin() as conn:
        first = stage.store.outbox.get(conn, first.id)
        with pytest.raises(WrongState, match="moved on"):
            stage.store.returns.ask_again(conn, first, "mail", stage.stamp(TUESDAY))


def test_it_came_back_before_its_landing_was_known(store):
    """The report is read while the answer of the mail server is still looked for: the level lands, and waits at once."""
    stage = Stage(store)
    stage.tell(MONDAY, debtor(), invoice())
    stage.run(MONDAY)
    assert mark(stage, MONDAY)
    assert not stage.standing().undelivered
    stage.land(MONDAY)
    assert stage.standing().undelivered
    stage.run(date(2026, 11, 30))
    assert stage.reason() == Reason.UNDELIVERED.value
