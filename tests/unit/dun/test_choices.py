"""What people choose, block and defer, and what the next run makes of it."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from bridge.errors import UsageError
from bridge.model import (
    Flag,
    Reason,
)
from bridge.store.tables import event
from tests.unit.dun.stage import MONDAY, about, customer, days_after, debtor, invoice
from tests.unit.policy.helpers import level, plan, rules


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


def test_all_recipients_that_were_chosen_are_known(stage):
    """Leaving the recipients to the plan again finds those of all levels and those of one, of this kind and customer alone."""
    chosen = {"mail_to": "a@example.com", "mail_to:2": "b@example.com", "post_to": "A; Weg 1; 20095 Hamburg"}
    with stage.store.begin() as conn:
        for setting, value in chosen.items():
            stage.store.choices.choose(conn, customer(), setting, value, stage.stamp(MONDAY))
        levels_of = stage.store.choices.levels_of
        assert levels_of(conn, customer(), "mail_to") == ["mail_to", "mail_to:2"]
        assert levels_of(conn, about(), "mail_to") == []
        for setting in levels_of(conn, customer(), "mail_to"):
            stage.store.choices.take_back(conn, customer(), setting, stage.stamp(MONDAY))
        assert levels_of(conn, customer(), "mail_to") == []
        assert levels_of(conn, customer(), "post_to") == ["post_to"]
