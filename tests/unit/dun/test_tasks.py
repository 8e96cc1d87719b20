"""Calls and other work on a real store: made once, taken back with their reason gone, ended once."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from bridge.dun.ahead import cases
from bridge.errors import WrongState
from bridge.model import Address, Colleague, Contact, InvoiceStatus, Reason
from bridge.policy.forecast import coming as forecast
from bridge.store.tables import event, task
from tests.unit.dun.stage import MONDAY, ZONE, Stage, about, at, debtor, invoice
from tests.unit.policy.helpers import level, plan, rules

DAY = timedelta(days=1)
CALL = {"name": {"de": "Anruf"}, "trigger": {"after_due": 10}, "call_task": {"note": "fragen"}}
MAIL_AND_CALL = level(1, after_due=10, call_task=True, internal_notice={"due_days": 4})


def on_stage(store, *levels, **values):
    return Stage(store, rules(plan(*levels, bundling={"when": "from_first"}, **values)))


def tasks(stage):
    with stage.store.reading() as conn:
        query = select(task.c.kind, task.c.state, task.c.due_on).order_by(task.c.id)
        return [(row.kind, row.state, row.due_on) for row in conn.execute(query)]


def open_tasks(stage):
    with stage.store.reading() as conn:
        return stage.store.tasks.listing(conn)


@pytest.mark.feature("S-AGI-18")
def test_a_grouped_call_is_one_task_and_stays_one(store):
    """Three invoices of a debtor: one task with the sum; a second run adds none; the next level waits for its outcome."""
    stage = on_stage(store, CALL, level(2, after_due=40))
    stage.tell(MONDAY, debtor(contacts=(Contact(name="Kurz", phone="040 2"),)), *(invoice(one) for one in (1, 2, 3)))
    stage.run(MONDAY)
    assert tasks(stage) == [("call", "open", MONDAY)]
    [notice] = stage.notices("waiting")
    assert (notice.total, [one.invoice_id for one in notice.claims]) == (Decimal("300.00"), ["1", "2", "3"])
    later = MONDAY + 40 * DAY
    stage.run(later)
    assert tasks(stage) == [("call", "open", MONDAY)]
    assert stage.plan(later, everything=True).reasons == {Reason.OWN_REMINDER_RUNNING.value: 3}


def test_letters_that_no_font_prints_are_told_with_the_proposal(sqlite_store):
    """Notice, fields and signs are a task the moment the letter is proposed, in both languages; a mail has no such trouble."""
    address = Address(street="Weg 1", postcode="12345", city="東京")
    for channel, told in (("mail", []), ("letter", ["characters"])):
        stage = Stage(sqlite_store, rules(plan(level(1, after_due=3, channels=[channel], automation="propose"))))
        stage.tell(MONDAY, debtor(name="王小明 GmbH", address=address), invoice(number="RE-①7"))
        stage.run(MONDAY)
        assert [one.kind for one in open_tasks(stage)] == told
    [found], [notice] = open_tasks(stage), stage.notices("proposed")
    assert found.notice_id == notice.id
    assert found.title.told("de") == f"Mahnung {notice.id} an 王小明 GmbH enthält Zeichen, die keine Schrift druckt"
    assert found.note.told("de").startswith("Name: 王 小 明; Anschrift: 東 京; ")
    assert "name: 王 小 明; postal address: 東 京; correct them" in found.note
    with sqlite_store.begin() as conn:
        sqlite_store.outbox.drop(conn, notice.id, reason="changed", text="", today=MONDAY, now=at(MONDAY))
    assert open_tasks(stage) == []


@pytest.mark.parametrize("change", ["paid", "disputed"])
def test_a_call_without_reason_goes_and_the_others_stay(store, change):
    """One of two invoices is paid, or disputed, before anybody called: that task is dropped, one for the other takes its place."""
    stage = on_stage(store, CALL)
    stage.tell(MONDAY, debtor(), invoice(1), invoice(2))
    stage.run(MONDAY)
    if change == "paid":
        stage.tell(MONDAY + DAY, invoice(1, status=InvoiceStatus.PAID, open=Decimal("0.00"), paid=Decimal("100.00")))
    else:
        with store.begin() as conn:
            store.choices.block(conn, about("1"), Reason.DISPUTE, stage.stamp(MONDAY + DAY), note="defekt")
    stage.run(MONDAY + DAY)
    assert tasks(stage) == [("call", "dropped", MONDAY), ("call", "open", MONDAY + DAY)]
    [notice] = stage.notices("waiting")
    assert [one.invoice_id for one in notice.claims] == ["2"]
    with pytest.raises(WrongState, match="no longer open"), store.begin() as conn:
        store.tasks.end(conn, 1, stage.stamp(MONDAY + DAY), outcome="reached")


def test_a_task_that_waits_for_its_notice_comes_up_with_it(store):
    """Colleagues get their task when the mail has landed, due so many days later; a dropped mail takes it along."""
    stage = on_stage(store, MAIL_AND_CALL)
    stage.tell(MONDAY, debtor(colleagues=(Colleague(email="lena@example.com"),)), invoice())
    stage.run(MONDAY)
    assert tasks(stage) == [("internal", "later", None), ("call", "open", MONDAY)]
    assert [one.kind for one in open_tasks(stage)] == ["call"]
    stage.land(MONDAY + DAY)
    assert tasks(stage)[0] == ("internal", "open", MONDAY + 5 * DAY)
    assert open_tasks(stage)[1].owner == "lena@example.com"


def test_the_cap_holds_a_level_as_a_whole_and_counts_no_calls(store):
    """A call that nobody approves is no message; beyond the cap the call beside a held mail waits with it."""
    calls = on_stage(store, CALL)
    calls.tell(MONDAY, debtor(), invoice())
    assert calls.run(MONDAY, max_notices=0).state == "done"
    assert [one.kind for one in open_tasks(calls)] == ["call"]


def test_a_mail_beyond_the_cap_keeps_its_call_back(store):
    """What waits for an approval of the run waits with everything on its level."""
    stage = on_stage(store, MAIL_AND_CALL)
    stage.tell(MONDAY, debtor(), invoice())
    assert stage.run(MONDAY, max_notices=0).state == "waiting"
    assert tasks(stage) == []


def test_a_call_counts_when_it_was_made_and_keeps_the_term_of_the_letter_before(store):
    """The level rises on the day of the call, not of the run; a deadline that was set stays; no fee is added."""
    stage = on_stage(store, level(1, after_due=3, term_days=7), {**CALL, "trigger": {"after_previous": 8}})
    stage.tell(MONDAY, debtor(), invoice())
    stage.run(MONDAY)
    stage.land(MONDAY)
    deadline = stage.standing().deadline
    day = date(2026, 10, 19)
    stage.run(day)
    [notice] = stage.notices("waiting")
    with store.begin() as conn:
        store.outbox.land(conn, notice.id, on=day + 2 * DAY, at=at(day), now=at(day))
    known = stage.standing()
    assert (known.level, known.level_on, known.deadline) == (2, day + 2 * DAY, deadline)


@pytest.mark.feature("S-AGI-30")
def test_a_task_ends_once_and_enters_the_history(store):
    """Tasks are listed by due day; of two people who end one the second is told; ended ones leave the list and stand in the journal."""
    stage = on_stage(store, CALL)
    stage.tell(MONDAY, debtor(), debtor(2), invoice(1), invoice(2, debtor_id="d2"))
    stage.run(MONDAY)
    first, second = open_tasks(stage)
    with store.begin() as conn:
        store.tasks.assign(conn, first.id, stage.stamp(MONDAY), owner="Anna", due_on=MONDAY + 3 * DAY)
    assert [(one.id, one.owner) for one in open_tasks(stage)] == [(second.id, ""), (first.id, "Anna")]
    with store.begin() as conn:
        store.tasks.end(conn, first.id, stage.stamp(MONDAY, "Anna"), outcome="reached", note="zahlt morgen")
    with pytest.raises(WrongState, match="ended by Anna"), store.begin() as conn:
        store.tasks.end(conn, first.id, stage.stamp(MONDAY, "Ben"), outcome="not_reached")
    assert [one.id for one in open_tasks(stage)] == [second.id]
    with store.reading() as conn:
        told = [(row.kind, row.actor) for row in conn.execute(select(event).where(event.c.kind.like("task_%")))]
    assert told == [("task_opened", "test")] * 2 + [("task_assigned", "anna"), ("task_done", "Anna")]


def test_claims_at_collection_make_the_case_and_come_back(store):
    """A case is at collection while all its open claims are; a new claim opens it again; called back, it is open and nothing is held."""
    stage = Stage(store)
    stage.tell(MONDAY, debtor(), invoice(1), invoice(2))
    stage.run(MONDAY)
    standing = stage.standing("1")

    def state():
        with store.reading() as conn:
            listed = [one.number for one in store.overview.cases(conn, "collection")]
            return store.overview.case(conn, standing.case_id).state, len(listed)

    def hand_over(*ids):
        with store.begin() as conn:
            amounts = dict.fromkeys(ids, "100.00")
            store.handovers.hand_over(conn, "main", standing.case_id, amounts, stage.stamp(MONDAY), agency="Muster")

    assert state() == ("open", 0)
    hand_over("1")
    assert state() == ("open", 1), "the other one goes on here"
    hand_over("2")
    assert state() == ("collection", 1)
    stage.run(MONDAY + DAY)
    assert (stage.reason("1"), stage.notices("proposed", "queued")) == (Reason.COLLECTION.value, [])
    stage.tell(MONDAY + DAY, invoice(3))
    stage.run(MONDAY + DAY)
    assert state() == ("open", 1)
    with store.begin() as conn:
        found = store.handovers.call_back(conn, "main", standing.case_id, (), stage.stamp(MONDAY + DAY), note="x")
    assert (found, state()) == (["1", "2"], ("open", 0))
    with pytest.raises(WrongState, match="nothing of this"), store.begin() as conn:
        store.handovers.call_back(conn, "main", standing.case_id, (), stage.stamp(MONDAY + DAY), note="x")


def test_a_word_to_colleagues_is_no_contact_with_the_debtor(store):
    """An internal level keeps no minimum interval: the mail of the next level goes out on its own day, here and in the forecast."""
    inner = {"name": {"de": "Hinweis"}, "trigger": {"after_due": 20}, "internal_notice": True, "automation": "send"}
    stage = on_stage(store, inner, level(2, after_due=21, channels=["mail"]), minimum_interval_days=7)
    stage.tell(MONDAY, debtor(colleagues=(Colleague(email="lena@example.com"),)), invoice())
    ahead = forecast(next(cases(store, "main", ZONE, MONDAY)), stage.rules, stage.abilities, MONDAY, MONDAY + 3 * DAY)
    assert [(one.on, one.draft.channel) for one in ahead] == [(MONDAY, "internal"), (MONDAY + DAY, "mail")]
    stage.run(MONDAY)
    under_way = next(cases(store, "main", ZONE, MONDAY))
    assert under_way.last_contact_on is None
    assert [one.on for one in forecast(under_way, stage.rules, stage.abilities, MONDAY, MONDAY + 3 * DAY)] == [
        MONDAY + DAY
    ]
    assert stage.land(MONDAY) == [1]
    stage.run(MONDAY + DAY)
    assert stage.land(MONDAY + DAY) == [2]
    assert next(cases(store, "main", ZONE, MONDAY + DAY)).last_contact_on == MONDAY + DAY
