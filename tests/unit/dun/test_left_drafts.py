"""A draft of ours at the provider that no notice here goes on from: seen, told to a person, over by itself."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from bridge.contract import Mapping
from bridge.http import Http, HttpSettings, TokenAuth
from bridge.model import NoticeStatus, Reason, WriteBack
from bridge.pull import pull
from bridge.store.tables import task
from connectors.billomat.connector import Billomat
from connectors.billomat.sandbox import Sandbox
from tests.unit.dun.stage import MONDAY, Stage, at, days_after, debtor, invoice, reminder, snapshot
from tests.unit.pull.fake import Port

DRAFT, SENT = NoticeStatus.DRAFT, NoticeStatus.SENT


@pytest.fixture
def stage(store):
    found = Stage(store)
    found.tell(MONDAY, debtor(), invoice())
    return found


def tasks(stage):
    with stage.store.reading() as conn:
        return [tuple(row) for row in conn.execute(select(task.c.kind, task.c.state).order_by(task.c.id))]


def lost(stage, today=MONDAY):
    """Run, and drop the notice whose call was looked for and not found; return the mark that this call left."""
    stage.run(today)
    [one] = stage.notices("queued")
    with stage.store.begin() as conn:
        step = stage.store.outbox.steps.of_notice(conn, one.id)[0]
        stage.store.outbox.drop(conn, one.id, reason="changed", text="", today=today, now=at(today))
    return WriteBack(key=step.key, account="main", act=step.act).marker


def test_a_draft_that_turns_up_after_its_notice_was_dropped_is_told_once_and_ends_with_it(stage):
    """It holds its invoice by name, one task says what to do however often one runs, and deleting it at the provider ends both."""
    mark = lost(stage)
    stage.tell(MONDAY, reminder(7, status=DRAFT, marker=mark))
    assert stage.plan(MONDAY).reasons == {Reason.OWN_DRAFT_LEFT.value: 1}
    stage.run(MONDAY)
    stage.run(MONDAY, everything=True)
    assert (stage.reason(), tasks(stage)) == (Reason.OWN_DRAFT_LEFT.value, [("own_draft", "open")])
    with stage.store.reading() as conn:
        [told] = stage.store.tasks.listing(conn)
    assert (told.invoice_id, told.title) == ("1", "A draft of ours at the provider belongs to no notice: RE-1")
    for part in ("account main", "invoice RE-1", "reminder m7", "level 1", "Delete it", "mark it as sent", "pull main"):
        assert part in told.note
    assert stage.notices("queued") == []
    stage.tell(days_after(1), reminder(7, status=NoticeStatus.CANCELLED, marker=mark))
    stage.run(days_after(1))
    assert tasks(stage) == [("own_draft", "done")]
    assert len(stage.notices("queued")) == 1


def test_a_draft_that_a_person_sends_counts_as_its_level(stage):
    """Nothing goes out beside it: its level is adopted, with its day, and the task ends."""
    mark = lost(stage)
    stage.tell(MONDAY, reminder(7, status=DRAFT, marker=mark, dated_on=MONDAY))
    stage.run(MONDAY)
    stage.tell(days_after(1), reminder(7, status=SENT, marker=mark, dated_on=MONDAY))
    stage.run(days_after(1))
    standing = stage.standing()
    assert (standing.level, standing.level_on) == (1, MONDAY)
    assert (tasks(stage), stage.notices("queued")) == ([("own_draft", "done")], [])


def test_a_mark_that_nobody_here_left_counts_like_a_reminder_made_elsewhere(stage):
    """After a restore: what was made since the backup is a draft to be told of, or a level that went out."""
    stage.tell(MONDAY, invoice(2), reminder(7, status=DRAFT, marker="mb:0123456789ab"))
    stage.tell(MONDAY, reminder(8, "2", 1, marker="mb:ba9876543210", dated_on=MONDAY))
    stage.run(MONDAY)
    assert (stage.reason("1"), stage.standing("2").level) == (Reason.OWN_DRAFT_LEFT.value, 1)


def test_a_draft_of_a_notice_that_goes_on_is_no_task(stage):
    """Between the call and its proof a pull sees it; afterwards it is noted; a draft that a step deletes is on its way out."""
    stage.run(MONDAY)
    [one] = stage.notices("queued")
    with stage.store.begin() as conn:
        step = stage.store.outbox.steps.of_notice(conn, one.id)[0]
    mark = WriteBack(key=step.key, account="main", act=step.act).marker
    stage.tell(MONDAY, reminder(7, status=DRAFT, marker=mark))
    stage.run(MONDAY)
    assert (stage.reason(), tasks(stage)) == (Reason.OWN_REMINDER_RUNNING.value, [])
    with stage.store.begin() as conn:
        stage.store.outbox.made(conn, one.id, one.claims[0].claim_id, "m7")
        stage.store.outbox.drop(conn, one.id, reason="changed", text="", today=MONDAY, now=at(MONDAY))
    stage.run(MONDAY)
    assert (stage.reason(), tasks(stage)) == (Reason.OWN_REMINDER_RUNNING.value, [])


def test_right_before_a_call_what_went_astray_is_no_reminder_of_this_notice(stage):
    """A second one with the same mark: as a draft it is named, sent by somebody it stops the call, and known it is history."""
    stage.run(MONDAY)
    [one] = stage.notices("queued")
    with stage.store.begin() as conn:
        step = stage.store.outbox.steps.of_notice(conn, one.id)[0]
        stage.store.outbox.made(conn, one.id, one.claims[0].claim_id, "m8")
    mark = WriteBack(key=step.key, account="main", act=step.act).marker
    mine = reminder(8, status=DRAFT, marker=mark)

    def found(*more):
        hold = stage.recheck(snapshot(invoice(), MONDAY, notices=(mine, *more)), MONDAY)
        return hold and hold.reason

    assert found() is None
    assert found(reminder(7, status=DRAFT, marker=mark)) is Reason.OWN_DRAFT_LEFT
    assert found(reminder(7, status=SENT, marker=mark)) is Reason.FOREIGN_REMINDER_RUNNING


def test_over_http_from_the_provider(sqlite_store):
    """The effect of a call shows at Billomat after it was given up: the next look opens the task, a look after it is deleted ends it."""
    with Sandbox(today=MONDAY) as sandbox:
        client = sandbox.add_client("Kunde 1 GmbH", email="k1@example.com")
        invoice_id = sandbox.add_invoice(client, "100.00", due_on=MONDAY - timedelta(days=20))
        stage = Stage(sqlite_store)

        def look(hours):
            now = at(MONDAY) + timedelta(hours=hours)
            settings = HttpSettings(
                base_url=sandbox.base_url, auth=TokenAuth(token=sandbox.key, header="X-BillomatApiKey"), pace=1000
            )
            http = Http(
                settings, account="main", rates=sqlite_store.rates, clock=lambda: now, technical=sqlite_store.now
            )
            mapping = Mapping.load("billomat")
            pull(sqlite_store, Port(Billomat("main", Billomat.Settings(), mapping, http), "main"), business_date=MONDAY)

        look(0)
        mark = lost(stage)
        late = sandbox.remind_by_hand(invoice_id, complete=False)
        sandbox.books.reminders.rows[int(late)]["label"] = mark
        look(1)
        stage.run(MONDAY)
        assert (stage.reason(invoice_id), tasks(stage)) == (Reason.OWN_DRAFT_LEFT.value, [("own_draft", "open")])
        sandbox.delete_reminder(late)
        look(2)
        stage.run(MONDAY)
        assert tasks(stage) == [("own_draft", "done")]
        assert len(stage.notices("queued")) == 1
