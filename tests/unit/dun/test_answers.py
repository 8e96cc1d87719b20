"""What debtors answer through the link, on a store alone: what it pauses, the task it becomes, and the same answer again."""

from types import SimpleNamespace

import pytest
from sqlalchemy import select, update

from bridge.app.answering import Answering, Given, Kind
from bridge.app.tasks import Tasks
from bridge.errors import UsageError
from bridge.model import Reason
from bridge.policy.links import Links
from bridge.store.tables import event, notice
from tests.unit.dun.stage import MONDAY, ZONE, Stage, about, at, days_after, debtor, invoice
from tests.unit.policy.helpers import level, plan, rules

PAGE = SimpleNamespace(promise_days=14, paid_wait_days=5, copy_wait_days=7)


class Desk(Tasks, Answering):
    """The part of the facade that takes answers, on a store alone, after one reminder over three invoices."""

    def __init__(self, stage):
        self.stage, self.store, self.accounts, self.actor = (
            stage,
            stage.store,
            {"main": SimpleNamespace(zone=ZONE)},
            "anna",
        )
        self.rules, self.config, self.day = {"main": stage.rules}, SimpleNamespace(debtor_page=PAGE), MONDAY
        self.links, self.language = Links("https://x.example", [b"secret"], days=60), "en"
        link = self.links.of("one", MONDAY)
        self.token = link.url.rpartition("/")[2]
        with stage.store.begin() as conn:
            conn.execute(update(notice).values(link=link.ref))

    def today(self, account):
        return self.day

    def clock(self):
        return at(self.day)

    def stamp(self, account=None):
        return self.stage.stamp(self.day)

    def port(self, account):
        return SimpleNamespace(zone=ZONE)

    def says(self, kind, *invoices, **more):
        return self.answer(self.token, Given(kind=kind, invoices=invoices, **more))

    def promised(self):
        with self.store.reading() as conn:
            found = self.store.choices.blocks(conn, "main", invoice_ids=["1"], active_on=self.day)
        return [one.until for one in found if one.reason is Reason.PROMISE_TO_PAY]

    def open_tasks(self):
        with self.store.reading() as conn:
            return self.store.tasks.listing(conn)


@pytest.fixture
def desk(sqlite_store):
    """One customer whom one mail reminded of three invoices."""
    stage = Stage(sqlite_store, rules(plan(level(1, after_due=3, channels=["mail"]), bundling={"when": "from_first"})))
    stage.tell(MONDAY, debtor(), invoice(1), invoice(2), invoice(3))
    stage.run(MONDAY)
    assert stage.land(MONDAY) == [1]
    return Desk(stage)


def test_another_day_takes_the_place_of_the_one_promised_before(desk):
    """Will pay on Wednesday, then on Friday: Thursday no promise is broken; and the first day named last counts again."""
    for day in (2, 4, 2, 4):
        assert desk.says(Kind.PROMISE, "1", day=days_after(day))
        assert desk.promised() == [days_after(day)]
    desk.day = days_after(3)
    with desk.store.begin() as conn:
        assert desk.store.choices.break_promises(conn, "main", desk.stamp()) == 0
        assert "promise_broken" not in conn.scalars(select(event.c.kind)).all()
    assert desk.promised() == [days_after(4)]
    desk.end_task(desk.open_tasks()[-1].id, outcome="promise", until=days_after(8))
    assert desk.promised() == [days_after(8)], "what a person hears on the telephone counts as the last word, too"


def test_an_objection_comes_again_once_the_first_is_settled(desk):
    """The same words twice are one objection while its task waits; after a person settled it they stop reminders anew."""
    for _ in range(2):
        assert desk.says(Kind.DISPUTE, "1", reason="Mangel")
        assert desk.says(Kind.COPY, "2"), "another answer in between, as by two browsers"
    task, _ = desk.open_tasks()
    desk.end_task(task.id, outcome="done")
    with desk.store.begin() as conn:
        desk.store.choices.unblock(conn, about(), desk.stamp())
    assert desk.says(Kind.DISPUTE, "1", reason="Mangel")
    desk.stage.run(days_after(1))
    assert (desk.stage.reason(), len(desk.open_tasks())) == (Reason.DISPUTE.value, 2)


@pytest.mark.parametrize(
    ("kind", "named", "told"),
    [
        (Kind.DISPUTE, ("1", "3"), ("1", "3")),
        (Kind.DISPUTE, ("3",), ("3",)),
        (Kind.COPY, ("1", "2", "3"), ("1", "2", "3")),
        (Kind.CONTACT, (), ("1", "2", "3", "4")),
    ],
)
def test_the_task_is_about_the_invoices_that_were_named(desk, kind, named, told):
    """Two of three: the task shows and asks for these, not the rest of the case; a wrong contact concerns all that is open."""
    desk.stage.tell(MONDAY, invoice(4))
    desk.stage.run(MONDAY)
    assert desk.says(kind, *named, reason="Mangel" if kind is Kind.DISPUTE else "")
    [task] = desk.open_tasks()
    with desk.store.reading() as conn:
        assert tuple(claim.invoice_id for claim, _ in desk._claims_of(conn, task)) == told


def test_a_promise_names_its_day(desk):
    """Without a day it could never be broken, and would hold its invoices for ever: refused, with what is missing."""
    with pytest.raises(UsageError, match="needs --until DATE"):
        desk.block("RE-1", reason="promise_to_pay")
    assert desk.promised() == []
    desk.block("RE-1", reason="promise_to_pay", until=days_after(3))
    assert desk.promised() == [days_after(3)]


def test_an_answer_about_what_is_with_the_agency_says_that_it_must_hear_of_it(desk):
    """The claim is at collection: whoever does the task reads that the agency, which goes on meanwhile, must be told."""
    case = desk.stage.standing().case_id
    with desk.store.begin() as conn:
        desk.store.handovers.hand_over(conn, "main", case, {"1": "100.00"}, desk.stamp(), agency="Muster")
    assert desk.says(Kind.DISPUTE, "1", "2", reason="Mangel")
    assert desk.says(Kind.DISPUTE, "2", reason="Mangel")
    there, here = (one.title for one in desk.open_tasks())
    assert there == "the customer answered: objection: Mangel (RE-1, RE-2); the collection agency must hear of it"
    assert there.told("de").endswith("(RE-1, RE-2); das muss das Inkasso erfahren")
    assert here == "the customer answered: objection: Mangel (RE-2)"
