"""Where a claim stands on a day: what came back, what was handed over, what was sent by somebody else, what comes next."""

from datetime import date, timedelta

import pytest

from bridge.model import Address, NoticeStatus, Reason
from bridge.policy import Outcome, Via
from bridge.policy.office import Closure, Office
from bridge.policy.situation import Situation, contacts
from bridge.policy.views import Adoption, NoticeView
from tests.unit.policy.helpers import case, claim, days, decided, level, plan, rules

TODAY = date(2026, 10, 5)
SENT, FINAL = NoticeStatus.SENT, NoticeStatus.FINAL
HOME = Address(street="Weg 1", postcode="50667", city="Köln")
NOT_READY = Reason.COLLECTION_NOT_READY


def ago(number):
    return TODAY - timedelta(days=number)


LAST_WEEK = ago(8)


def seen(number=1, level=2, on=LAST_WEEK, **values):
    return NoticeView(str(number), level, values.pop("status", SENT), on, **values)


def standing(its=None, whole=None, **values):
    one = claim(**values)
    return Situation(whole or case(one, address=HOME), one, its or rules(days(3, 14)), TODAY)


# ------------------------------------------------------------------------------------------------------------ once more


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({}, (1, 1, True)),
        ({"repetition": 2}, (1, 3, True)),
        ({"undelivered": False}, (2, 0, False)),
        ({"resend": None}, (2, 0, False)),
        ({"level": 2}, (2, 1, True)),
        ({"level": 3}, None),  # the plan has become shorter since
        ({"level": 0, "level_on": None}, (1, 0, False)),
        ({"notices": (seen(),)}, None),  # somebody else has sent the last one meanwhile
        ({"notices": (seen(level=1, on=ago(1)),)}, (1, 1, True)),
        ({"plan": "none"}, None),
    ],
)
def test_a_level_that_came_back_goes_out_once_more(values, expected):
    """As a repetition of itself at once, by the channel that a person named, where it did come back and is still the last one."""
    found = standing(**{"level": 1, "level_on": ago(14), "undelivered": True, "resend": "letter", **values})
    target = found.target
    assert (target and (target.position, target.repetition, target.chosen)) == expected
    again = bool(expected and expected[2])
    assert found.sends_again is again
    if again:
        assert (target.trigger_on, target.possible_on, target.skipped) == (TODAY, TODAY, ())
        assert target.level.standard.channels == (Via.LETTER,)


# ---------------------------------------------------------------------------------------------------------- hand-over

ENDING = rules(
    plan(
        level(1, term_days=7),
        level(2, type="last", term_days=7),
        {"name": {"de": "Abgabe"}, "trigger": {"after_due": 20}, "collection": True},
    )
)


@pytest.mark.parametrize(
    ("values", "why", "on"),
    [
        ({"hand_over": None}, None, None),
        ({"deadline": ago(1)}, None, None),
        ({"deadline": TODAY}, "deadline", TODAY + timedelta(days=1)),  # paid on its last day is in time
        ({"deadline": None, "level_on": ago(8)}, None, None),  # a reminder made elsewhere: the plan's term
        ({"deadline": None, "level_on": ago(7)}, "deadline", TODAY + timedelta(days=1)),
        ({"deadline": None, "level_on": None}, "deadline", None),  # nobody knows when it went out
        ({"level": 1, "next_level": 3, "next_level_by": "anna"}, "last_reminder", None),
        ({"level": 1, "hand_over": "last", "next_level": 3}, "last_reminder", None),
        ({"level": 1, "hand_over": "early"}, None, None),
        ({"level": 3, "hand_over": "last"}, None, None),  # given back by the agency: no term runs
        ({"level": 3, "hand_over": "last", "deadline": None, "level_on": None}, None, None),
        ({"level": 3, "hand_over": "last", "deadline": None, "level_on": ago(2)}, None, None),
    ],
)
def test_the_gate_before_collection(values, why, on):
    """The last reminder has gone out (early: any), and its term is over; a reminder that told none has the term of its level."""
    one = claim(**{"level": 2, "level_on": ago(20), "deadline": ago(10), "hand_over": "last", **values})
    found = decided(one, ENDING, TODAY, case=case(one, address=HOME))
    if why is None:
        assert (found.outcome, found.level) == (Outcome.ESCALATE, 3)
    else:
        assert (found.reason, found.facts, found.next_on) == (NOT_READY, {"why": why}, on)


def test_early_means_after_any_reminder_and_not_before():
    """Before the first one nothing is handed over, whoever decided so."""
    assert standing(ENDING, level=0, hand_over="early").target.position == 1
    assert standing(ENDING, level=1, level_on=ago(14), hand_over="early").target.skipped == (2,)
    assert standing(ENDING, level=0, hand_over="last").target.position == 1
    assert not standing(ENDING, level=3, level_on=ago(14), hand_over="last").sends_again


# ------------------------------------------------------------------------------------------------------------ elsewhere


@pytest.mark.parametrize(
    ("notice", "counts"),
    [
        (seen(), True),
        (seen(status=FINAL), True),
        (seen(status=NoticeStatus.DRAFT), False),
        (seen(status=NoticeStatus.CANCELLED), False),
        (seen(ours=True), False),
        (seen(on=None), False),
        (seen(superseded=True), True),  # it went out before it was replaced
        (seen(status=FINAL, superseded=True), False),
        (seen(on=ago(11)), False),  # before the round began
        (seen(on=ago(10)), True),
    ],
)
def test_which_reminders_made_elsewhere_count(notice, counts):
    """Sent or final, dated, of this round, not ours, and not replaced before it went out: it moves the claim and is a contact."""
    one = claim(round_on=ago(10), notices=(notice,))
    assert contacts(one) == ((notice.on,) if counts else ())
    assert standing(round_on=ago(10), notices=(notice,)).level == (2 if counts else 0)


@pytest.mark.parametrize(
    ("values", "notices", "expected"),
    [
        ({}, [seen()], Adoption(2, ago(8), None, "1")),
        ({}, [seen(deadline=TODAY)], Adoption(2, ago(8), TODAY, "1")),
        ({"level": 1, "level_on": ago(9)}, [seen(level=1)], Adoption(1, ago(8), None, "1")),  # a contact of its own
        ({"level": 1, "level_on": ago(8)}, [seen(level=1)], None),  # known by then
        ({"level": 1, "level_on": ago(7)}, [seen(level=1)], None),
        ({"level": 1, "level_on": None}, [seen(level=1)], Adoption(1, ago(8), None, "1")),
        ({"level": 2, "level_on": ago(9)}, [seen(level=1)], Adoption(2, ago(8), None, "1")),  # never lower
        ({"level": 1, "level_on": ago(7), "deadline": TODAY}, [seen(2)], Adoption(2, ago(7), TODAY, "2")),
        ({}, [seen(1, 1, ago(9)), seen(2, 2, ago(8))], Adoption(2, ago(8), None, "2")),
        ({}, [seen(1, 2, ago(9)), seen(2, 1, ago(8))], Adoption(2, ago(8), None, "2")),
        ({}, [seen(1, 1), seen(2, 2)], Adoption(2, ago(8), None, "2")),
        ({}, [seen(1), seen(2)], Adoption(2, ago(8), None, "2")),
    ],
)
def test_the_newest_reminder_counts_and_the_highest_level(values, notices, expected):
    """Of several the newest tells day and deadline, of one day the higher; the level is the highest, and none of it goes back."""
    for order in (notices, notices[::-1]):
        assert standing(**values, notices=tuple(order)).adoption == expected


def test_a_reminder_made_elsewhere_is_a_contact_whatever_the_level_does():
    """A level that only tells colleagues is none; what somebody else sent reached the debtor."""
    quiet = rules(plan({"name": {"de": "A"}, "trigger": {"after_due": 3}, "internal_notice": True}, level(2)))
    assert not standing(quiet, level=1, level_on=ago(3)).heard_of_us
    assert standing(quiet, level=1, level_on=ago(9), notices=(seen(level=1),)).heard_of_us
    assert standing(quiet, level=2, level_on=ago(3)).heard_of_us
    assert standing(quiet, level=3, level_on=ago(3)).heard_of_us
    assert standing(quiet, level=0).heard_of_us
    silent_end = rules(plan(level(1), {"name": {"de": "A"}, "trigger": {"after_due": 30}, "internal_notice": True}))
    assert standing(silent_end, level=0).heard_of_us
    assert standing(quiet, level=1, level_on=ago(3), plan="none").heard_of_us


# ----------------------------------------------------------------------------------------------------------- what is next


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"level": 1, "level_on": ago(7)}, (2, 0, TODAY + timedelta(days=3))),
        ({"level": 2, "level_on": ago(7)}, (2, 1, TODAY + timedelta(days=3))),
        ({"level": 2, "level_on": ago(7), "repetition": 1}, (2, 2, TODAY + timedelta(days=3))),
        ({"level": 2, "level_on": ago(7), "repetition": 2}, None),
        ({"level": 2, "level_on": ago(7), "repetition": 2, "resent": 1}, (2, 3, TODAY + timedelta(days=3))),
        ({"level": 2, "level_on": None}, None),
        ({"level": 3, "level_on": ago(7)}, None),
    ],
)
def test_the_last_level_is_repeated_as_often_as_the_plan_says(values, expected):
    """Its limit counts without what was only sent once more, and its days from the last time."""
    its = rules(plan(level(1), level(2, after_previous=10, repeat={"every_days": 10, "limit": 2})))
    target = standing(its, **values).target
    assert (target and (target.position, target.repetition, target.possible_on)) == expected
    if target is not None:
        assert (target.trigger_on, target.chosen, target.skipped) == (target.possible_on, False, ())


FRIENDLY = rules(plan(level(1, before_due=3), level(2, after_due=3)))


@pytest.mark.parametrize(
    ("due", "position", "skipped"), [(TODAY, 1, ()), (TODAY + timedelta(days=1), 1, ()), (ago(1), 2, (1,))]
)
def test_a_friendly_notice_ahead_comes_until_the_due_date(due, position, skipped):
    """On the due date it still may, afterwards it is passed over; by the printed date, though the working day be later."""
    target = standing(FRIENDLY, due_on=due).target
    assert (target.position, target.skipped) == (position, skipped)


def test_a_plan_may_consist_of_notices_ahead_alone():
    """Once the due date has passed nothing is left of it."""
    assert standing(rules(plan(level(1, before_due=3))), due_on=ago(1)).target is None


@pytest.mark.parametrize(
    ("trigger", "grace", "trigger_on", "possible_on"),
    [
        ({"before_due": 3}, 0, date(2026, 10, 7), date(2026, 10, 7)),  # of the printed date, a Saturday
        ({"after_due": 0}, 0, date(2026, 10, 13), date(2026, 10, 13)),
        ({"after_due": 0}, 2, date(2026, 10, 12), date(2026, 10, 14)),
        ({"after_due": 3}, 0, date(2026, 10, 15), date(2026, 10, 15)),
        ({"after_due": 3}, 2, date(2026, 10, 15), date(2026, 10, 17)),
        ({"after_issue": 20}, 1, date(2026, 9, 21), date(2026, 9, 22)),
    ],
)
@pytest.mark.parametrize("skips", [False, True])
def test_days_are_counted_from_where_the_plan_says(trigger, grace, trigger_on, possible_on, skips):
    """From the due date moved to a working day, from the printed one ahead of it, from the invoice's own; grace is added."""
    its = rules(plan(level(1, grace_days=grace, **trigger), skip_levels=skips))
    target = standing(its, due_on=date(2026, 10, 10)).target
    assert (target.trigger_on, target.possible_on) == (trigger_on, possible_on)


def test_days_after_the_level_before_count_from_it():
    """And days of company holidays that do not count are passed over, for the trigger and for the grace."""
    office = Office(closures=(Closure(ago(3), ago(2), counts=False),))
    its = rules(plan(level(1), level(2, after_previous=10, grace_days=2)), office=office)
    target = standing(its, level=1, level_on=ago(5)).target
    assert (target.trigger_on, target.possible_on) == (TODAY + timedelta(days=7), TODAY + timedelta(days=9))


@pytest.mark.parametrize(
    ("values", "skips", "position", "skipped"),
    [
        ({}, True, 3, (1, 2)),
        ({}, False, 1, ()),
        ({"due_on": ago(14)}, True, 3, (1, 2)),
        ({"due_on": ago(13)}, True, 2, (1,)),
        ({"due_on": ago(2)}, True, 1, ()),
        ({"level": 1, "level_on": ago(5)}, True, 3, (2,)),
        ({"level": 3, "level_on": ago(5)}, True, 4, ()),
    ],
)
def test_a_plan_that_skips_goes_to_the_highest_level_whose_day_has_come(values, skips, position, skipped):
    """One counted from the level before it is never skipped to."""
    its = rules(plan(level(1, after_due=3), level(2, after_due=7), level(3, after_due=14), level(4, after_previous=1), skip_levels=skips))  # fmt: skip
    target = standing(its, **values).target
    assert (target.position, target.skipped) == (position, skipped)


@pytest.mark.parametrize(
    ("values", "due"),
    [
        ({}, date(2026, 9, 15)),
        ({"due_on": None}, None),
        ({"due_on": None, "payment_term_days": 14}, date(2026, 9, 15)),
        ({"due_on": None, "payment_term_days": 14, "issued_on": None}, None),
        ({"payment_term_days": 3}, date(2026, 9, 15)),
        ({"due_on": date(2026, 9, 12)}, date(2026, 9, 14)),
    ],
)
def test_the_due_date(values, due):
    """As printed, else by the term; moved to a working day; late is the day after."""
    found = standing(**values)
    assert found.due == due
    assert (found.target is None) is (due is None)
    if due is not None:
        one = claim(**values)
        for day, late in ((due, False), (due + timedelta(days=1), True)):
            assert Situation(case(one), one, rules(days(3)), day).overdue is late


def test_each_place_and_plan_has_its_own_timetable():
    """Two debtors at places with other holidays, or under other plans, do not share their days; two at one place do."""
    its = rules(days(3, name="a"), days(7, name="b"))
    munich, cologne = Address(postcode="80331", city="München"), Address(postcode="50667", city="Köln")
    other = cologne.model_copy(update={"postcode": "50668"})

    def table(home, **values):
        one = claim(**values)
        return Situation(case(one, address=home), one, its, TODAY).table

    assert table(cologne) is table(other) is table(cologne, address=other)
    assert table(munich) is not table(cologne)
    assert table(cologne, plan="b") is not table(cologne)
    assert table(munich).place.state == "BY"
