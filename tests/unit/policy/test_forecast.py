"""What comes in the next days, and plans that will hardly do what they say."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bridge.app.planning import _ahead
from bridge.model import Act, InvoiceStatus, Reason, Severity
from bridge.policy import Abilities, Block, compose, decide
from bridge.policy.forecast import coming
from bridge.policy.lint import days_of, lint
from bridge.policy.load import starter_plans
from bridge.policy.views import Running
from tests.unit.policy.helpers import TEXTS, case, claim, days, level, plan, rules

TODAY = date(2026, 10, 5)
MAIL = Abilities(channels={Act.MAIL: "smtp"})


def told(whole, its, until=40, abilities=MAIL):
    found = coming(whole, its, abilities, TODAY, TODAY + timedelta(days=until))
    return [
        (f"{one.on:%m-%d}", tuple(claim.invoice_id for claim in one.draft.claims), one.draft.level) for one in found
    ]


def test_the_first_day_of_a_forecast_is_what_a_run_would_do():
    """Today's part of the forecast is composed by the same rules as the run itself, to the letter."""
    its, whole = rules(days(3, 14)), case(claim(invoice_id="1"), claim(invoice_id="2"))
    today = compose(whole, decide(whole, its, TODAY), its, MAIL, TODAY)
    assert tuple(one.draft for one in coming(whole, its, MAIL, TODAY, TODAY)) == today
    assert len(today) == 2


def test_levels_follow_each_other_on_their_days():
    """Three levels with a term of 7 days: each goes out on the first working day after the deadline of the one before."""
    assert told(case(), rules(days(3, 14, 28))) == [("10-05", ("1",), 1), ("10-13", ("1",), 2), ("10-21", ("1",), 3)]


def test_invoices_of_one_debtor_keep_the_minimum_interval_between_them():
    """A younger invoice waits for the interval since the notice about the older one, as in a run."""
    young = claim(invoice_id="2", due_on=date(2026, 10, 4))
    assert told(case(claim(invoice_id="1"), young), rules(days(3)))[:2] == [("10-05", ("1",), 1), ("10-12", ("2",), 1)]


def test_a_bundle_is_one_notice_in_the_forecast_too():
    """Two invoices, one mail a level."""
    its = rules(plan(level(1, after_due=3, term_days=7), level(2, after_due=14), bundling={"when": "from_first"}))
    assert told(case(claim(invoice_id="1"), claim(invoice_id="2")), its) == [
        ("10-05", ("1", "2"), 1),
        ("10-13", ("1", "2"), 2),
    ]


def test_what_is_held_does_not_come():
    """Paid, without a way, or beyond the last day: nothing."""
    its = rules(days(3))
    assert told(case(claim(open=0)), its) == []
    assert told(case(), rules(plan(level(1, after_due=3, channels=["email"]))), abilities=Abilities()) == []
    assert told(case(claim(due_on=date(2026, 12, 1))), its) == []


BY_MAIL = {**TEXTS, "de": TEXTS["de"] | {"email": {"subject": "Mail"}}}


@pytest.mark.parametrize(
    ("made", "codes"),
    [
        (days(3, 14, 28), []),
        (plan(level(1, before_due=10, term_days=10), level(2, before_due=5, term_days=10)), [("never", (2,))]),
        (days(3, 6, 28), [("together", (1, 2))]),
        (plan(level(1, after_due=14), level(2, after_issue=10)), [("together", (1, 2))]),
        (plan(level(1, after_due=3, term_days=30), level(2, after_due=20)), [("later", (2,))]),
        (plan(level(1, after_due=3), level(2, after_due=20, texts={"de": TEXTS["de"]})), [("no_text", (2,))]),
        (plan(level(1, after_due=3, fee=5)), [("fee_not_named", (1,))]),
        (plan(level(1, after_due=3, channels=["letter"], texts=BY_MAIL)), [("no_mail", (1,))]),
        (plan(level(1, after_due=3, channels=["mail"], texts=BY_MAIL)), []),
    ],
)
def test_lint_finds_what_a_plan_will_hardly_do(made, codes):
    """Levels that never come, fall due together or come later than written; texts and fees that are missing."""
    assert [(one.code, one.levels) for one in lint(made)] == codes
    assert {one.severity for one in lint(made) if one.code == "never"} <= {Severity.ERROR}


@pytest.mark.parametrize("name", ["gentle", "standard", "two-weeks"])
def test_the_shipped_plans_have_no_weakness(name):
    """What ships is what lint would let pass, and every level comes."""
    shipped = starter_plans()[name]
    assert lint(shipped) == ()
    assert set(days_of(shipped, 14)) == set(range(len(shipped.levels) + 1))


def test_a_running_notice_counts_as_landed():
    """What is under way is not forecast a second time; the next level follows its deadline."""
    from bridge.policy import Running  # noqa: PLC0415

    running = Running(1, "queued", 1, demand=10000, since=TODAY, deadline=TODAY + timedelta(days=7))
    one = replace(claim(), running=running)
    assert told(case(one), rules(days(3, 14))) == [("10-13", ("1",), 2)]


def test_levels_without_a_letter_have_their_days_too():
    """A call between two letters is drawn and linted like any other level; it needs no text of its own."""
    call = {"name": "Anruf", "trigger": {"after_previous": 7}, "call_task": True}
    made = plan(level(1, after_due=3, term_days=7), call, level(3, after_previous=14))
    found = days_of(made, 14)
    assert sorted(found) == [0, 1, 2, 3]
    assert found[1] < found[2] < found[3]
    assert lint(made) == ()


def test_a_copied_plan_has_a_version_of_its_own():
    """What was worked out from a plan before it was copied does not stick to the copy."""
    made = days(3, 14)
    assert made.version != made.model_copy(update={"skip_levels": True}).version
    first = made.levels[0]
    assert first.standard.channels != first.model_copy(update={"variants": (first.standard.model_copy(update={"channels": ()}),)}).standard.channels  # fmt: skip


def test_what_goes_along_in_a_bundle_is_no_repetition():
    """An invoice that is only asked for along has a key for its day; the bundle is told, and compared, as the first of its level."""
    its = rules(days(3, 60, bundling={"when": "from_first"}))
    whole = case(
        claim(invoice_id="1", due_on=TODAY - timedelta(days=12), level=1, level_on=TODAY - timedelta(days=9)),
        claim(invoice_id="2"),
    )
    found = coming(whole, its, MAIL, TODAY, TODAY)
    assert [[one.level for one in its_part.draft.claims] for its_part in found] == [[1, 0]]
    assert [one.repetition for one in _ahead(found, whole)] == [0]


def on(day):
    return TODAY + timedelta(days=day)


DEFERRED = Block(Reason.DEFERRED, on(14), "", "", "Erika", on(-1), None)


@pytest.mark.parametrize(
    ("state", "more", "comes"),
    [
        ("proposed", {}, [("10-13", ("1",), 2)]),
        ("proposed", {"blocks": (DEFERRED,)}, [("10-20", ("1",), 1), ("10-28", ("1",), 2)]),
        ("queued", {"blocks": (DEFERRED,)}, [("10-20", ("1",), 1), ("10-28", ("1",), 2)]),
        ("parked", {"blocks": (DEFERRED,)}, [("10-20", ("1",), 2)]),
        ("proposed", {"open": 0, "status": InvoiceStatus.PAID}, []),
        ("proposed", {"open": 5000}, [("10-05", ("1",), 1), ("10-13", ("1",), 2)]),
    ],
)
def test_a_proposal_that_the_next_run_takes_back_does_not_count_as_sent(state, more, comes):
    """What waits counts as gone out, unless its invoice was blocked or paid since: then its level is still to come, if at all."""
    its = rules(days(3, 14))
    waiting = Running(1, state, 1, demand=10000, since=on(0), deadline=on(7), channel="mail", total=10000)
    assert told(case(claim(running=waiting, **more)), its, until=30) == comes


def test_a_bundle_is_taken_back_as_a_whole():
    """One of two invoices of a waiting bundle is blocked: neither counts as sent, and the other one comes by itself."""
    its = rules(plan(level(1, after_due=3, term_days=7), level(2, after_due=14), bundling={"when": "from_first"}))
    waiting = Running(1, "proposed", 1, demand=10000, since=on(0), deadline=on(7), channel="mail", total=10000)
    both = (claim(invoice_id="1", running=waiting, blocks=(DEFERRED,)), claim(invoice_id="2", running=waiting))
    assert told(case(*both), its, until=10)[0] == ("10-05", ("2",), 1)
