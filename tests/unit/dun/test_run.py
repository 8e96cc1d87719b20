"""Dunning runs on a real store: what is decided, stored, and left for the next day."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from pydantic import ValidationError
from sqlalchemy import func, select

from bridge.dun import DunAccount, Order, dun
from bridge.dun import run as running
from bridge.errors import AlreadyRunning, UsageError
from bridge.model import (
    Act,
    Address,
    Batch,
    Cursor,
    Flag,
    InvoiceKind,
    InvoiceStatus,
    NoticeStatus,
    Payment,
    PaymentKind,
    Reason,
    Relation,
)
from bridge.policy import Automation, Outcome, words
from bridge.policy.calendar import Calendar
from bridge.store.tables import decision, dunning_case, event
from tests.unit.dun.stage import ABILITIES, MONDAY, Stage, about, at, customer, debtor, invoice, reminder, snapshot
from tests.unit.policy.helpers import WITH_FEES, days, level, plan, rules


@pytest.fixture
def stage(store):
    return Stage(store)


@pytest.fixture
def lone(sqlite_store):
    return Stage(sqlite_store)


def days_after(number):
    return MONDAY + timedelta(days=number)


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


def test_a_payment_withdraws_what_was_only_queued(stage):
    """Paid while the notice waits for delivery: it is dropped with its reason and the case closes."""
    stage.tell(MONDAY, debtor(), invoice())
    stage.run(MONDAY)
    stage.tell(days_after(1), invoice(status=InvoiceStatus.PAID, open=Decimal(0)))
    stage.run(days_after(1))
    dropped = stage.notices("dropped")
    assert [(one.reason, one.reason_text.told("de")) for one in dropped] == [("paid", "bezahlt")]
    assert not stage.standing().is_open


def test_a_block_withdraws_a_proposal_and_its_end_brings_it_back(stage):
    """Disputed after it was proposed: dropped and held; lifted: proposed anew."""
    stage.rules = rules(plan(level(1, after_due=3, automation="propose")))
    stage.tell(MONDAY, debtor(), invoice())
    stage.run(MONDAY)
    assert len(stage.notices("proposed")) == 1
    with stage.store.begin() as conn:
        stage.store.choices.block(conn, about(), Reason.DISPUTE, stage.stamp(MONDAY), note="Ware defekt")
    stage.run(days_after(1))
    assert (stage.notices("proposed"), stage.reason(), stage.next_on()) == ([], "dispute", None)
    with stage.store.begin() as conn:
        assert stage.store.choices.unblock(conn, about(), stage.stamp(days_after(2))) == 1
    stage.run(days_after(2))
    assert len(stage.notices("proposed")) == 1


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


@pytest.mark.feature("S-AMX-39")
@pytest.mark.feature("S-AMX-41")
def test_a_deferral_pauses_and_resumes_at_the_same_level(stage):
    """21 days: silent until then, on day 22 the case goes on with the level it had."""
    stage.tell(MONDAY, debtor(), invoice())
    with stage.store.begin() as conn:
        stage.store.choices.block(conn, customer(), Reason.DEFERRED, stage.stamp(MONDAY), until=days_after(21))
    stage.run(MONDAY)
    assert (stage.reason(), stage.next_on()) == ("deferred", days_after(22))
    assert stage.run(days_after(21)).counts.get("notices", 0) == 0
    stage.run(days_after(22))
    assert [one.level for one in stage.notices("queued")] == [1]


@pytest.mark.feature("S-AMX-50")
@pytest.mark.feature("S-AMX-51")
def test_closing_by_hand_books_nothing_and_does_not_restart(stage):
    """Closed by hand: the invoice stays open, a change at the provider does not bring it back; a person can."""
    stage.tell(MONDAY, debtor(), invoice())
    stage.run(MONDAY)
    stage.land(MONDAY)
    with stage.store.begin() as conn:
        assert stage.store.cases.close_by_hand(conn, "MA-000001", "Kulanz", stage.stamp(MONDAY)) == ["1"]
    stage.tell(days_after(30), invoice(gross=Decimal(101), open=Decimal(101)))
    stage.run(days_after(30))
    assert (stage.reason(), stage.standing().is_open) == ("closed_by_hand", False)
    with stage.store.begin() as conn:
        stage.store.cases.reopen_by_hand(conn, "MA-000001", "doch nicht", stage.stamp(days_after(31)))
    stage.run(days_after(31))
    found = stage.standing()
    assert (found.is_open, found.round, found.level) == (True, 2, 0)
    assert [(one.level, one.claims[0].round) for one in stage.notices("queued")] == [(1, 2)]


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


@pytest.mark.feature("P-27")
def test_two_runs_at_once(stage):
    """The second run is refused as long as the first one is under way, and nothing is doubled."""
    stage.tell(MONDAY, debtor(), invoice())
    with stage.store.leases.holding("dun", seconds=60), pytest.raises(AlreadyRunning, match="already running"):
        stage.run(MONDAY)
    assert stage.notices() == []
    stage.run(MONDAY)
    assert len(stage.notices()) == 1


def test_a_run_never_goes_back_in_time(stage):
    """A run dated before the last one is refused."""
    stage.run(MONDAY)
    with pytest.raises(UsageError, match="back in time"):
        stage.run(MONDAY - timedelta(days=1))


def test_the_cap_asks_for_one_approval(stage):
    """Three notices with a cap of two: two go out, the third waits with a reason; approved, it follows, and no proposal counts."""
    for number in (1, 2, 3):
        stage.tell(MONDAY, debtor(number), invoice(number, debtor_id=f"d{number}"))
    report = stage.run(MONDAY, max_notices=2)
    assert (report.state, report.waiting_for, len(stage.notices("queued"))) == ("waiting", {"cap"}, 2)
    assert stage.reason("3") == "approval_pending"
    assert stage.next_on("3") == MONDAY
    again = stage.run(MONDAY, max_notices=2)
    assert (again.state, len(stage.notices("queued"))) == ("waiting", 2)  # the next run has room, but nobody approved
    with stage.store.begin() as conn:
        stage.store.runs.approved(conn, report.run_id)
    assert stage.run(MONDAY, max_notices=2, approved=True).state == "done"
    assert len(stage.notices("queued")) == 3


def test_the_cap_counts_over_all_accounts_of_a_run(stage):
    """Two notices in each of two accounts under a cap of three: three go out, one waits."""
    second = replace(stage.rules, account="second")
    with stage.store.begin() as conn:
        stage.store.mirror.accounts.ensure(conn, "second", "test")
    for name in ("main", "second"):
        records = {"debtors": (debtor(1), debtor(2)), "invoices": (invoice(1), invoice(2, debtor_id="d2"))}
        with stage.store.begin() as conn:
            batch = Batch(**records, cursor=Cursor(data={"n": name}))
            stage.store.mirror.write(conn, name, batch, business_date=MONDAY, now=at(MONDAY))
    both = [stage.account, DunAccount(second, ABILITIES)]
    report = dun(stage.store, both, Order(today=MONDAY, at=at(MONDAY), max_notices=3))
    assert (report.state, report.waiting_for, len(stage.notices("queued"))) == ("waiting", {"cap"}, 3)


def test_a_jump_in_the_data_asks_first(stage):
    """After a jump between two pulls nothing goes out until a person has approved."""
    stage.tell(MONDAY, debtor(), invoice())
    with stage.store.begin() as conn:
        stage.store.mirror.accounts.pulled(conn, "main", at=at(MONDAY), full=False, totals=None, jump={"count": "80 %"})
    report = stage.run(MONDAY)
    assert (report.state, report.waiting_for, stage.notices()) == ("waiting", {"jump"}, [])
    assert stage.run(MONDAY, approved=True).counts["notices"] == 1


@pytest.mark.feature("S-PAY-14")
def test_open_credit_notes_lower_what_is_asked_for(stage):
    """Invoice 100, open credit note 30 of the same customer: 70 is asked for."""
    credit = invoice(9, kind=InvoiceKind.CREDIT_NOTE, gross=Decimal(30), open=Decimal(30))
    stage.tell(MONDAY, debtor(), invoice(), credit)
    stage.run(MONDAY)
    one = stage.notices("queued")[0]
    assert (one.total, one.claims[0].open) == (Decimal("70.00"), Decimal("70.00"))


def test_a_credit_note_that_the_providers_document_hides_holds(stage):
    """Only the provider can send, and its reminder would ask for too much: held, in plain words, not parked at delivery."""
    stage.rules = rules(plan(level(1, after_due=3, channels=["provider_email"])))
    stage.abilities = replace(ABILITIES, channels={})
    credit = invoice(9, kind=InvoiceKind.CREDIT_NOTE, gross=Decimal(30), open=Decimal(30), origin_id="1")
    stage.tell(MONDAY, debtor(), invoice(), credit)
    stage.run(MONDAY)
    assert (stage.notices(), stage.reason()) == ([], "amount_unclear")
    line = next(one for one in stage.plan(MONDAY, everything=True).lines if one.invoice_id == "1")
    assert "offene Gutschrift" in words.reason(line.decision.reason, "de", line.decision.facts)


def test_a_free_credit_note_is_used_once_and_oldest_first(stage):
    """Two invoices of 100, a credit note of 130: nothing left of the older one, 70 of the other; never across currencies."""
    credit = invoice(9, kind=InvoiceKind.CREDIT_NOTE, gross=Decimal(130), open=Decimal(130))
    foreign = invoice(8, kind=InvoiceKind.CREDIT_NOTE, gross=Decimal(500), open=Decimal(500), currency="CHF")
    stage.tell(MONDAY, debtor(), invoice(1, due_on=date(2026, 9, 10)), invoice(2), credit, foreign)
    stage.run(MONDAY)
    assert stage.reason("1") == "balance_not_positive"
    assert [one.total for one in stage.notices("queued")] == [Decimal("70.00")]


@pytest.mark.parametrize(
    ("kind", "relation", "reason"),
    [
        (InvoiceKind.CANCELLATION, Relation.CANCELS, "cancelled"),
        (InvoiceKind.FINAL, Relation.COVERS, "covered"),
        (InvoiceKind.CREDIT_NOTE, Relation.CREDITS, "credited"),
    ],
)
def test_a_document_that_replaces_another_closes_its_claim(stage, kind, relation, reason):
    """Cancelled, contained in a final invoice, or credited in full by another document: closed, though the provider shows it open."""
    stage.tell(MONDAY, debtor(), invoice())
    stage.run(MONDAY)
    other = invoice(5, kind=kind, relation=relation, origin_id="1", due_on=date(2026, 12, 1))
    stage.tell(days_after(1), other)
    stage.run(days_after(1))
    found = stage.standing()
    assert (found.is_open, found.close_reason) == (False, reason)


def test_a_cancellation_without_debtor_reaches_its_invoice(lone):
    """A cancelling document for which the provider names no customer still stops its origin."""
    lone.tell(MONDAY, debtor(), invoice())
    lone.run(MONDAY)
    other = invoice(5, kind=InvoiceKind.CANCELLATION, relation=Relation.CANCELS, origin_id="1", debtor_id=None)
    lone.tell(days_after(1), other)
    lone.run(days_after(1))
    assert lone.standing().close_reason == "cancelled"


def test_an_invoice_without_customer_is_dunned_at_its_own_address(stage):
    """The provider names no customer but an address: it has a case of its own."""
    stage.tell(MONDAY, invoice(debtor_id=None, email="x@example.com"), invoice(2, debtor_id=None))
    stage.run(MONDAY)
    assert [one.recipient for one in stage.notices("queued")] == ["x@example.com"]
    assert (stage.reason("2"), stage.standing("2").case_id) == ("no_recipient", stage.standing("1").case_id + 1)


@pytest.mark.feature("S-AMX-2")
def test_drafts_and_paid_invoices_are_not_listed(stage):
    """Overdue, but a draft or paid: no case, no decision is kept."""
    stage.tell(MONDAY, debtor(), invoice(1, status=InvoiceStatus.DRAFT), invoice(2, status=InvoiceStatus.PAID))
    stage.run(MONDAY)
    assert (stage.standing("1"), stage.standing("2"), stage.reason("1"), stage.reason("2")) == (None, None, None, None)


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


@pytest.mark.feature("S-BIL-6")
def test_a_level_chosen_by_a_person(stage):
    """Level 3 chosen for a never-dunned invoice: it goes out, the journal says who passed over 1 and 2, the choice is used up."""
    stage.tell(MONDAY, debtor(), invoice(due_on=date(2026, 9, 29)))
    with stage.store.begin() as conn:
        stage.store.choices.choose(conn, about(), "next_level", "3", stage.stamp(MONDAY))
    stage.run(MONDAY)
    assert [one.level for one in stage.notices("queued")] == [3]
    with stage.store.reading() as conn:
        data = conn.scalar(select(event.c.data).where(event.c.kind == "levels_skipped"))
        assert stage.store.choices.chosen(conn, "main", invoice_ids=["1"])[1] == {}
    assert (data["skipped"], data["by"]) == ([1, 2], "anna")


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


def test_a_crash_leaves_the_rest_due(stage, monkeypatch):
    """A run that dies keeps what its transactions stored; it is shown as failed, and the next one goes on."""
    for number in (1, 2, 3):
        stage.tell(MONDAY, debtor(number), invoice(number, debtor_id=f"d{number}"))
    monkeypatch.setattr("bridge.dun.run.CHUNK", 1)
    insert, calls = stage.store.outbox.insert, []

    def dying(*args, **kwargs):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return insert(*args, **kwargs)

    monkeypatch.setattr(stage.store.outbox, "insert", dying)
    with pytest.raises(KeyboardInterrupt):
        stage.run(MONDAY)
    with stage.store.reading() as conn:
        assert [one.state for one in stage.store.runs.listing(conn, kind="dun")] == ["failed"]
    assert len(stage.notices()) == 1
    monkeypatch.undo()
    stage.run(MONDAY)
    assert sorted(one.debtor_id for one in stage.notices()) == ["d1", "d2", "d3"]


@pytest.mark.feature("S-BIL-20")
@pytest.mark.feature("S-AGI-26")
def test_choices_for_a_customer(stage):
    """Excluded by choice, included again, taken out of the plan: each takes effect with the next run and is in the journal."""
    stage.tell(MONDAY, debtor(), invoice())
    for value, setting, reason in (
        ("exclude", "include", "customer_excluded"),
        ("none", "plan", "customer_excluded"),
        ("default", "include", "no_plan"),
    ):
        with stage.store.begin() as conn:
            stage.store.choices.choose(conn, customer(), setting, value, stage.stamp(MONDAY))
        stage.run(MONDAY)
        assert stage.reason() == reason
    with stage.store.reading() as conn:
        assert conn.scalar(select(func.count()).where(event.c.kind == "chosen", event.c.actor == "anna")) == 3


def test_the_minimum_interval_counts_what_set_out(stage):
    """A second invoice of the same debtor comes due two days after a notice set out: it waits for the interval."""
    stage.tell(MONDAY, debtor(), invoice(1))
    stage.run(MONDAY)
    stage.tell(days_after(2), invoice(2))
    stage.run(days_after(2))
    assert (stage.reason("2"), stage.next_on("2")) == ("minimum_interval", days_after(7))


def test_cost_follows_what_is_due(lone):
    """Of many open invoices only those that are due are decided on."""
    far = [invoice(number, debtor_id=f"d{number}", due_on=date(2026, 12, 1)) for number in range(2, 200)]
    lone.tell(MONDAY, *(debtor(number) for number in range(1, 200)), invoice(1), *far)
    lone.run(MONDAY)
    report = lone.run(days_after(1))
    assert report.counts == {}


# -------------------------------------------------------------------------------------------------- right before the call


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


def test_outcomes_are_counted(lone):
    """The report adds up: every decision is counted once under its outcome and its reason."""
    lone.tell(MONDAY, debtor(1), debtor(2, email=None), invoice(1), invoice(2, debtor_id="d2"), invoice(3, sent=False))
    report = lone.run(MONDAY)
    assert report.counts[Outcome.ESCALATE] + report.counts[Outcome.HOLD] == sum(report.reasons.values()) == 3
    assert report.reasons == {"level_due": 1, "no_recipient": 1, "not_sent": 1}


@pytest.mark.feature("P-8")
def test_a_next_level_below_the_last_one_is_refused(stage):
    """A person can pass over levels, but not go back."""
    stage.tell(MONDAY, debtor(), invoice())
    stage.run(MONDAY)
    stage.land(MONDAY)
    with stage.store.begin() as conn, pytest.raises(UsageError, match="stands at level 1 already"):
        stage.store.choices.choose(conn, about(), "next_level", "1", stage.stamp(MONDAY))


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("plam", "x", "is no choice"),
        ("include", "maybe", "include, exclude or default"),
        ("next_level", "-1", "is no level"),
    ],
)
def test_choices_that_make_no_sense_are_refused(lone, setting, value, words):
    """Each mistake says what would be right, and nothing is recorded."""
    with lone.store.begin() as conn, pytest.raises(UsageError, match=words):
        lone.store.choices.choose(conn, customer(), setting, value, lone.stamp(MONDAY))


def test_blocks_that_make_no_sense_are_refused(lone):
    """No block for a reason that is none, and none that has ended before it begins."""
    with lone.store.begin() as conn:
        with pytest.raises(UsageError, match="no reason for a block"):
            lone.store.choices.block(conn, customer(), Reason.PAID, lone.stamp(MONDAY))
        with pytest.raises(UsageError, match="lies before today"):
            lone.store.choices.block(conn, customer(), Reason.DISPUTE, lone.stamp(MONDAY), until=days_after(-1))


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


@pytest.mark.parametrize("first", ["d1", None], ids=["another customer", "none at first"])
def test_a_claim_follows_its_invoice_to_another_customer(stage, first):
    """The provider names another customer than before: the claim goes on in that one's case, at its level; an empty case is closed."""
    stage.tell(MONDAY, debtor(1), invoice(debtor_id=first, email="k1@example.com"))
    stage.run(MONDAY)
    stage.land(MONDAY)
    old = stage.standing().case_number
    later = days_after(14)
    stage.tell(later, debtor(2), invoice(debtor_id="d2", email="k1@example.com"))
    stage.run(later)
    [one] = stage.notices("queued")
    assert (one.level, one.debtor_id, stage.standing().debtor_id) == (2, "d2", "d2")
    with stage.store.reading() as conn:
        assert stage.store.cases.by_number(conn, old)["state"] == "closed"
        assert one.case_id == stage.standing().case_id


def test_the_judge_asks_for_blocks_of_the_customer_whom_the_look_names(stage):
    """Between decision and call the invoice became that of a blocked customer with the same address: nothing goes out."""
    stage.tell(MONDAY, debtor(1), debtor(2, email="k1@example.com"), invoice())
    stage.run(MONDAY)
    with stage.store.begin() as conn:
        stage.store.choices.block(conn, customer("d2"), Reason.DISPUTE, stage.stamp(MONDAY))
    now = snapshot(invoice(debtor_id="d2"), MONDAY, its_debtor=debtor(2, email="k1@example.com"))
    assert stage.recheck(now, MONDAY).reason is Reason.DISPUTE


@pytest.mark.parametrize("by", ["provider", "person"])
def test_a_block_until_the_end_of_time_holds_for_ever(stage, by):
    """A block whose end is the last day of the calendar is held like one without an end, and stops no run."""
    flags = (Flag(reason=Reason.DISPUTE, source="tag", until=date.max),) if by == "provider" else ()
    stage.tell(MONDAY, debtor(), invoice(flags=flags))
    if by == "person":
        with stage.store.begin() as conn:
            stage.store.choices.block(conn, about(), Reason.DISPUTE, stage.stamp(MONDAY), until=date.max)
    stage.run(MONDAY)
    assert (stage.reason(), stage.next_on()) == (Reason.DISPUTE, None)


@pytest.mark.parametrize(
    "values",
    [{"due_on": date.max}, {"due_on": date.min}, {"issued_on": date.max}, {"payment_term_days": 10**9}],
    ids=str,
)
def test_an_impossible_date_makes_no_invoice(values):
    """Dates beyond every calendar, and terms that lead there, are refused where the record is read: no run can stumble over them."""
    with pytest.raises(ValidationError, match=r"(less|greater) than or equal"):
        invoice(**values)


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


def test_a_debtor_over_whom_the_rules_stumble_stops_no_other(stage, monkeypatch):
    """The others are decided; the run is listed as failed with the customer's name, and the next one takes that customer up again."""
    stage.tell(MONDAY, *(debtor(one) for one in (1, 2, 3)), *(invoice(one, debtor_id=f"d{one}") for one in (1, 2, 3)))
    composed = running.compose

    def stumbles(case, *more):
        if case.debtor_id == "d2":
            raise KeyError("plan")
        return composed(case, *more)

    monkeypatch.setattr(running, "compose", stumbles)
    assert stage.run(MONDAY).counts == {"escalate": 2, "notices": 2, "undecided": 1}
    assert [one.debtor_id for one in stage.notices()] == ["d1", "d3"]
    with stage.store.reading() as conn:
        [run] = stage.store.runs.listing(conn, kind="dun")
    assert (run.state, run.cause) == ("failed", "undecided")
    assert "main, d2: KeyError" in run.error
    monkeypatch.undo()
    stage.run(MONDAY)
    assert [one.debtor_id for one in stage.notices()] == ["d1", "d3", "d2"]
