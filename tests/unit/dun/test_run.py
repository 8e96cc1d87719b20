"""Dunning runs on a real store: what is decided, stored, and left for the next day."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from bridge.model import (
    Act,
    Address,
    Flag,
    InvoiceStatus,
    NoticeStatus,
    Payment,
    PaymentKind,
    Reason,
)
from bridge.policy import Automation, Outcome
from bridge.policy.calendar import Calendar
from bridge.store.tables import decision, dunning_case, event
from tests.unit.dun.stage import (
    MONDAY,
    days_after,
    debtor,
    invoice,
    reminder,
)
from tests.unit.policy.helpers import WITH_FEES, days, level, plan, rules


@pytest.mark.feature("S-AMX-20")
@pytest.mark.feature("S-AMX-21")
def test_one_run_moves_every_due_case_and_no_other(stage):
    """Mixed run: level 1 to one, level 2 to the other, each with its own text; the third is not due and stays."""
    stage.tell(MONDAY - timedelta(days=14), debtor(1), invoice(1))
    stage.run(MONDAY - timedelta(days=14))
    stage.land(MONDAY - timedelta(days=14))
    stage.tell(
        MONDAY, debtor(2), debtor(3), invoice(2, debtor_id="d2"), invoice(3, debtor_id="d3", due_on=date(2026, 11, 2))
    )
    report = stage.run(MONDAY)
    assert report.counts == {"escalate": 2, "hold": 1, "notices": 2}
    made = {one.content.subject: one.level for one in stage.notices("queued")}
    assert made == {"Stufe 2 RE-1": 2, "Stufe 1 RE-2": 1}
    assert stage.standing("3") is None


@pytest.mark.feature("S-AMX-11")
@pytest.mark.feature("S-AMX-1")
def test_only_what_is_overdue_gets_a_case(stage):
    """Due yesterday: a case. Due today: none yet; tomorrow it has one."""
    yesterday, today = MONDAY - timedelta(days=3), MONDAY
    stage.tell(MONDAY, debtor(1), debtor(2), invoice(1, due_on=yesterday), invoice(2, debtor_id="d2", due_on=today))
    stage.run(MONDAY)
    assert stage.standing("1").case_number == "MA-000001"
    assert stage.standing("2") is None
    assert stage.next_on("2") == days_after(1)
    stage.run(days_after(1))
    assert stage.standing("2").case_number == "MA-000002"


@pytest.mark.feature("S-SEV-4")
def test_a_plan_is_walked_without_a_person(stage):
    """Run every day for nine weeks: levels 1, 2 and 3 go out once each, on their days."""
    stage.tell(MONDAY, debtor(), invoice(due_on=MONDAY))
    landed = []
    for number in range(63):
        day = days_after(number)
        stage.run(day)
        landed += [(number, one) for one in stage.land(day)]
    assert landed == [(3, 1), (14, 2), (28, 3)]
    assert stage.reason() == Reason.PLAN_COMPLETE


@pytest.mark.feature("P-3")
def test_missed_days_are_caught_up_once(stage):
    """The service stood still for three weeks: one notice, level 1; a second run on that day makes no other."""
    stage.tell(MONDAY, debtor(), invoice(due_on=MONDAY))
    stage.run(MONDAY)
    late = days_after(21)
    assert stage.run(late).counts["notices"] == 1
    assert stage.run(late).counts.get("notices", 0) == 0
    assert [one.level for one in stage.notices("queued")] == [1]


def test_an_unchanged_second_run_writes_nothing_new(stage):
    """A second run on the same day decides nothing and adds no decision."""
    stage.tell(MONDAY, debtor(), invoice())
    stage.run(MONDAY)
    with stage.store.reading() as conn:
        before = conn.scalar(select(func.count()).select_from(decision))
    report = stage.run(MONDAY)
    with stage.store.reading() as conn:
        assert conn.scalar(select(func.count()).select_from(decision)) == before
    assert report.counts == {}


@pytest.mark.feature("S-AMX-22")
@pytest.mark.feature("S-AMX-23")
@pytest.mark.feature("S-AMX-35")
def test_the_landing_records_level_and_new_due_date(stage):
    """Level with 10 days sent on 1 March (a Sunday holds it to Monday): the letter and the case show the same new date."""
    stage.rules = rules(plan(level(1, after_due=1, term_days=10)))
    monday = date(2027, 3, 1)
    stage.tell(monday, debtor(), invoice(issued_on=date(2027, 2, 1), due_on=date(2027, 2, 15)))
    stage.run(monday)
    one = stage.notices("queued")[0]
    assert (one.deadline, one.content.deadline) == (date(2027, 3, 11), date(2027, 3, 11))
    assert "11.03.2027" in one.content.text
    assert stage.standing().level == 0
    stage.land(monday)
    found = stage.standing()
    assert (found.level, found.level_name, found.level_on, found.deadline) == (1, "Stufe 1", monday, date(2027, 3, 11))


@pytest.mark.feature("S-AMX-49")
@pytest.mark.feature("S-AMX-12")
@pytest.mark.feature("S-AMX-13")
def test_a_booked_payment_closes_the_case_with_its_level(stage):
    """Paid after level 1: the case is closed, `paid`, at level 1, and nothing more goes out."""
    stage.tell(MONDAY, debtor(), invoice())
    stage.run(MONDAY)
    stage.land(MONDAY)
    stage.tell(days_after(1), invoice(status=InvoiceStatus.PAID, open=Decimal(0), paid=Decimal(100)))
    stage.run(days_after(1))
    with stage.store.reading() as conn:
        row = conn.execute(select(dunning_case)).mappings().one()
    assert (row["state"], row["close_reason"], row["closed_level"]) == ("closed", "paid", 1)
    assert stage.run(days_after(60)).counts.get("notices", 0) == 0


def test_a_changed_amount_makes_the_proposal_anew(stage):
    """A partial payment after the proposal: the old one is dropped, the new one asks for the rest."""
    stage.rules = rules(plan(level(1, after_due=3, automation="propose")))
    stage.tell(MONDAY, debtor(), invoice())
    stage.run(MONDAY)
    stage.tell(days_after(1), invoice(paid=Decimal(40), open=Decimal(60)))
    stage.run(days_after(1))
    assert [one.total for one in stage.notices("proposed")] == [Decimal("60.00")]
    assert [one.reason for one in stage.notices("dropped")] == ["changed"]


def test_an_old_proposal_gets_a_new_deadline(stage):
    """Nobody approves for more than half of the term: it is proposed anew, with a full term."""
    stage.rules = rules(plan(level(1, after_due=3, automation="propose", term_days=10)))
    stage.tell(MONDAY, debtor(), invoice())
    stage.run(MONDAY)
    assert stage.next_on() == days_after(6)
    stage.run(days_after(6))  # a Sunday: dropped, proposed again on Monday
    stage.run(days_after(7))
    assert [one.deadline for one in stage.notices("proposed")] == [days_after(17)]


@pytest.mark.feature("S-AMX-3")
def test_a_returned_debit_opens_a_new_round(stage):
    """Paid, then taken back: open again, listed, at level 1 in round 2, with the original due date; the old round is kept."""
    stage.tell(MONDAY, debtor(), invoice())
    stage.run(MONDAY)
    stage.land(MONDAY)
    stage.tell(days_after(2), invoice(status=InvoiceStatus.PAID, open=Decimal(0), paid=Decimal(100)))
    stage.run(days_after(2))
    back = Payment(id="p2", invoice_id="1", amount=Decimal(-100), value_on=days_after(9), kind=PaymentKind.DIRECT_DEBIT)
    stage.tell(days_after(9), invoice(payment_method="direct_debit"), back)
    stage.run(days_after(9))
    found = stage.standing()
    assert (found.is_open, found.round, found.level, found.returned) == (True, 2, 0, True)
    assert [(one.level, one.claims[0].round) for one in stage.notices("queued")] == [(1, 2)]
    with stage.store.reading() as conn:
        kinds = list(conn.scalars(select(event.c.kind).order_by(event.c.id)))
    assert {"case_closed", "case_reopened", "round_opened"} <= set(kinds)


@pytest.mark.feature("P-26")
@pytest.mark.feature("N-6")
def test_a_reminder_made_by_hand_is_adopted_and_not_repeated(stage):
    """Made by hand at the provider between two runs: level and date adopted, the next one waits for its deadline."""
    stage.tell(MONDAY, debtor(), invoice())
    stage.run(MONDAY)
    stage.land(MONDAY)
    by_hand = reminder(1, level=2, dated_on=days_after(3), deadline=days_after(17))
    stage.tell(days_after(4), by_hand)
    stage.run(days_after(4))
    found = stage.standing()
    assert (found.level, found.level_on, found.deadline, found.adopted) == (2, days_after(3), days_after(17), True)
    assert stage.next_on() == days_after(18)
    stage.run(days_after(18))
    assert [one.level for one in stage.notices("queued")] == [3]


def test_a_foreign_draft_holds_until_it_is_gone(stage):
    """A draft at the provider that is not ours: nothing beside it; deleted: it goes on."""
    stage.tell(MONDAY, debtor(), invoice(), reminder(1, status=NoticeStatus.DRAFT))
    stage.run(MONDAY)
    assert (stage.reason(), stage.notices()) == ("foreign_reminder_running", [])
    stage.tell(days_after(1), reminder(1, status=NoticeStatus.CANCELLED))
    stage.run(days_after(1))
    assert [one.level for one in stage.notices("queued")] == [1]


@pytest.mark.feature("S-BIL-19")
@pytest.mark.feature("P-23")
def test_every_held_invoice_is_listed_with_its_reason(stage):
    """An excluded customer: the plan lists all its invoices as excluded, and nothing goes out."""
    excluded = debtor(flags=(Flag(reason=Reason.CUSTOMER_EXCLUDED, source="dunning_run"),))
    stage.tell(MONDAY, excluded, invoice(1), invoice(2))
    planned = stage.plan(MONDAY, everything=True)
    assert [(one.number, one.decision.reason) for one in planned.lines] == [
        ("RE-1", Reason.CUSTOMER_EXCLUDED),
        ("RE-2", Reason.CUSTOMER_EXCLUDED),
    ]
    stage.run(MONDAY)
    assert stage.notices() == []
    assert stage.plan(MONDAY, everything=True).reasons == {"customer_excluded": 2}


@pytest.mark.feature("S-BIL-4")
def test_a_dry_run_stores_nothing_and_says_the_same(stage):
    """What the plan shows is what the run does; the plan itself leaves no trace."""
    stage.tell(MONDAY, debtor(), invoice())
    planned = stage.plan(MONDAY)
    assert stage.notices() == []
    assert stage.standing() is None
    done = stage.run(MONDAY)
    assert [one.draft.content for one in planned.notices] == [
        one.draft.content.model_copy(update={"text": one.draft.content.text}) for one in done.notices
    ]
    assert planned.counts == done.counts


@pytest.mark.feature("S-AMX-38")
def test_only_this_customer(stage):
    """A run for one customer leaves the others due."""
    stage.tell(MONDAY, debtor(1), debtor(2), invoice(1), invoice(2, debtor_id="d2"))
    stage.run(MONDAY, customers={"d2"})
    assert [one.debtor_id for one in stage.notices()] == ["d2"]
    assert stage.next_on("1") == MONDAY


@pytest.mark.feature("S-BIL-11")
def test_automation_is_a_matter_of_the_level(stage):
    """Level 1 sends, level 2 proposes: one run queues the first and proposes the second."""
    stage.rules = rules(plan(level(1, after_due=3), level(2, after_due=14, automation="propose")))
    stage.tell(MONDAY - timedelta(days=14), debtor(1), invoice(1))
    stage.run(MONDAY - timedelta(days=14))
    stage.land(MONDAY - timedelta(days=14))
    stage.tell(MONDAY, debtor(2), invoice(2, debtor_id="d2"))
    stage.run(MONDAY)
    assert [(one.level, one.state) for one in stage.notices("queued", "proposed")] == [(2, "proposed"), (1, "queued")]


@pytest.mark.feature("S-BIL-13")
def test_only_create_stops_at_the_draft(stage):
    """Automation create: the steps end with the checked draft, nothing reaches the debtor."""
    stage.rules = rules(plan(level(1, after_due=3, automation="create", channels=["provider_email"])))
    stage.tell(MONDAY, debtor(), invoice())
    stage.run(MONDAY)
    one = stage.notices("queued")[0]
    with stage.store.reading() as conn:
        assert [step.act for step in stage.store.outbox.steps.of_notice(conn, one.id)] == [Act.CREATE, Act.AMEND]
    assert one.automation == Automation.CREATE


def test_the_minimum_interval_counts_what_set_out(stage):
    """A second invoice of the same debtor comes due two days after a notice set out: it waits for the interval."""
    stage.tell(MONDAY, debtor(), invoice(1))
    stage.run(MONDAY)
    stage.tell(days_after(2), invoice(2))
    stage.run(days_after(2))
    assert (stage.reason("2"), stage.next_on("2")) == ("minimum_interval", days_after(7))


def test_outcomes_are_counted(lone):
    """The report adds up: every decision is counted once under its outcome and its reason."""
    lone.tell(MONDAY, debtor(1), debtor(2, email=None), invoice(1), invoice(2, debtor_id="d2"), invoice(3, sent=False))
    report = lone.run(MONDAY)
    assert report.counts[Outcome.ESCALATE] + report.counts[Outcome.HOLD] == sum(report.reasons.values()) == 3
    assert report.reasons == {"level_due": 1, "no_recipient": 1, "not_sent": 1}


@pytest.mark.feature("S-AMX-11")
@pytest.mark.feature("S-AMX-12")
@pytest.mark.feature("S-AMX-13")
@pytest.mark.feature("S-AMX-24")
@pytest.mark.feature("S-AMX-25")
def test_the_lists_of_cases(stage):
    """All, open and closed cases with customer name and number; a case lists every overdue invoice with claim, date and level."""
    stage.tell(
        MONDAY, debtor(1), debtor(2), invoice(1), invoice(2, due_on=date(2026, 9, 22)), invoice(3, debtor_id="d2")
    )
    stage.tell(MONDAY, invoice(4, due_on=date(2026, 12, 1)))
    stage.run(MONDAY)
    stage.land(MONDAY)
    stage.tell(days_after(1), invoice(3, debtor_id="d2", status=InvoiceStatus.PAID, open=Decimal(0)))
    stage.run(days_after(1))
    with stage.store.reading() as conn:
        views = {view: stage.store.overview.cases(conn, view) for view in ("all", "open", "closed")}
        claims = stage.store.overview.claims(conn, views["open"][0].id)
    assert {view: [(one.debtor_name, one.debtor_number) for one in rows] for view, rows in views.items()} == {
        "all": [("Kunde 2", "10002"), ("Kunde 1", "10001")],
        "open": [("Kunde 1", "10001")],
        "closed": [("Kunde 2", "10002")],
    }
    closed, left = views["closed"][0], views["open"][0]
    assert (closed.closed_level, closed.close_reason) == (1, "paid")
    assert (left.claims, left.open_claims) == (2, 2)
    assert [(one.number, one.due_on, one.open, one.status, one.level, one.level_name) for one in claims] == [
        ("RE-1", date(2026, 9, 15), Decimal("100.00"), "open", 1, "Stufe 1"),
        ("RE-2", date(2026, 9, 22), Decimal("100.00"), "open", 1, "Stufe 1"),
    ]


@pytest.mark.parametrize(
    "before",
    [
        rules(days(100)),
        rules(days(3), minimum=100_000),
        rules(days(3), excluded_customers=frozenset({"d1"})),
        rules(days(3), cutoff=date(2026, 9, 2)),
        replace(rules(days(3)), default_plan=None),
    ],
    ids=["later", "minimum", "excluded", "cutoff", "no plan"],
)
def test_changed_rules_reach_what_they_held(stage, before):
    """What was held by the configuration comes up at the next run after the configuration was changed, without a word of the provider."""
    stage.rules = before
    stage.tell(MONDAY, debtor(), invoice())
    stage.run(MONDAY)
    assert stage.notices("queued") == []
    stage.rules = rules(days(3))
    stage.run(days_after(1))
    assert [one.level for one in stage.notices("queued")] == [1]


def test_rules_are_the_same_in_every_process():
    """The fingerprint of rules depends on what they say alone, and every part of them that decides is in it."""
    one = rules(days(3, 14), excluded_customers=frozenset("abcdefgh"))
    assert one.version == rules(days(3, 14), excluded_customers=frozenset("hgfedcba")).version
    assert len({one.version, rules(days(3, 15)).version, replace(one, calendar=Calendar("DE", "BY")).version}) == 3


def test_a_fee_is_asked_for_once_on_two_channels(stage):
    """A level that goes out by mail and by letter charges its fee once; the next level's total counts it once."""
    stage.rules = rules(
        plan(level(1, after_due=3, fee="5.00", channels=["mail", "letter"]), level(2, after_due=14, fee="7.00")),
        money=WITH_FEES,
    )
    address = Address(lines=("Kunde 1",), street="Weg 1", postcode="12345", city="Ort")
    stage.tell(MONDAY, debtor(address=address), invoice())
    stage.run(MONDAY)
    assert stage.land(MONDAY) == [1, 1]
    stage.run(days_after(14))
    assert [one.total for one in stage.notices("queued")] == [Decimal("112.00")]
