"""Where a claim stands: its level after what was sent elsewhere, and the level that comes next."""

from datetime import date

import pytest

from bridge.model import Address, NoticeStatus
from bridge.policy.calendar import DAY
from bridge.policy.channel import Via
from bridge.policy.situation import EARLY, Situation, adoption, contacts, hands_over
from bridge.policy.views import NoticeView
from tests.unit.policy.helpers import case, claim, days, level, plan, rules
from tests.unit.policy.together import CALL

TODAY = date(2026, 10, 5)
ITS = rules(days(3, 14, 28))


def ago(number):
    return TODAY - number * DAY


def stands(one, its=ITS, today=TODAY, **whole):
    return Situation(case(one, **whole), one, its, today)


def sent(level=2, on=5, id="9", **values):  # noqa: A002  the field's name
    return NoticeView(id, level, NoticeStatus.SENT, None if on is None else ago(on), **values)


def next_of(one, its=ITS, today=TODAY):
    target = stands(one, its, today).target
    return target and (target.position, target.skipped, target.chosen)


@pytest.mark.parametrize(("claimed", "whole"), [({"plan": "none"}, {}), ({}, {"plan": "none"})])
def test_a_person_may_take_an_invoice_or_a_customer_out_of_the_only_plan(claimed, whole):
    """Where nobody did, the account's plan holds."""
    assert stands(claim(**claimed), **whole).plan is None
    assert stands(claim()).plan.name == "plan"


def test_two_debtors_of_one_account_have_the_holidays_of_their_own_place():
    """Due on 6 January: a holiday in Munich, none in Cologne; by the address of the invoice or of the customer, whoever is asked first."""
    munich, cologne = Address(country="DE", postcode="80331"), Address(country="DE", postcode="50667")
    for order in ((munich, cologne), (cologne, munich)):
        its = rules(days(3))
        for at in order:
            due = date(2026, 1, 7 if at is munich else 6)
            for claimed, whole in (
                ({}, {"address": at}),
                ({"address": at}, {}),
                ({"address": at}, {"address": order[0]}),
            ):
                assert stands(claim(due_on=date(2026, 1, 6), **claimed), its, **whole).due == due


@pytest.mark.parametrize(
    ("claimed", "notices", "expected"),
    [
        ({}, [], None),
        ({}, [sent()], (2, 5, None)),
        ({}, [sent(deadline=ago(1))], (2, 5, 1)),
        ({}, [sent(on=None)], None),
        ({}, [sent(on=None), sent(on=6)], (2, 6, None)),
        ({}, [sent(1, 6, "a"), sent(2, 5, "b")], (2, 5, None)),
        ({}, [sent(2, 6, "a"), sent(1, 5, "b")], (2, 5, None)),
        ({"level": 2, "level_on": None}, [sent()], (2, 5, None)),
        ({"level": 2, "level_on": ago(6), "deadline": ago(2)}, [sent(deadline=ago(1))], (2, 5, 1)),
        ({"level": 2, "level_on": ago(5), "deadline": ago(2)}, [sent(deadline=ago(1))], None),
        ({"level": 2, "level_on": ago(4), "deadline": ago(2)}, [sent(deadline=ago(1))], None),
        ({"level": 1, "level_on": ago(6), "deadline": ago(2)}, [sent(deadline=ago(1))], (2, 5, 1)),
        ({"level": 1, "level_on": ago(5), "deadline": ago(2)}, [sent(deadline=ago(1))], (2, 5, 1)),
        ({"level": 1, "level_on": ago(4), "deadline": ago(2)}, [sent(deadline=ago(1))], (2, 4, 2)),
        ({"level": 3, "level_on": ago(6)}, [sent()], (3, 5, None)),
        ({"round_on": ago(5)}, [sent()], (2, 5, None)),
        ({"round_on": ago(4)}, [sent()], None),
    ],
)
def test_what_was_sent_elsewhere_moves_a_claim_forward_only(claimed, notices, expected):
    """The higher level, the later day and that day's deadline; on one day that of the other's letter. What is older than the round is over."""
    told = expected and (expected[0], ago(expected[1]), None if expected[2] is None else ago(expected[2]))
    for order in (notices, notices[::-1]):
        found = adoption(claim(notices=tuple(order), **claimed), ITS.plans["plan"])
        assert (found and (found.level, found.on, found.deadline)) == told


def test_each_letter_from_elsewhere_is_a_contact():
    """In this round, whatever else stands before it."""
    seen = (sent(on=None), sent(on=9), sent(on=5), sent(on=4, ours=True))
    assert contacts(claim(notices=seen, round_on=ago(5))) == (ago(5),)
    assert contacts(claim(notices=seen)) == (ago(9), ago(5))


@pytest.mark.parametrize(("at", "repetition"), [(1, 0), (2, 3)])
def test_a_level_from_elsewhere_has_no_repetitions_yet(at, repetition):
    """One that only repeats the level at hand leaves those that were made."""
    s = stands(claim(level=at, level_on=ago(9), repetition=3, notices=(sent(),)))
    assert (s.level, s.level_on, s.repetition) == (2, ago(5), repetition)


@pytest.mark.parametrize(
    ("claimed", "again"),
    [
        ({}, True),
        ({"level": 3}, True),
        ({"level": 0}, False),
        ({"level": 4}, False),
        ({"undelivered": False}, False),
        ({"resend": None}, False),
        ({"notices": (sent(),)}, False),
    ],
)
def test_what_came_back_goes_out_once_more(claimed, again):
    """A level of the plan whose notice came back, where a person says by which way, and nothing was sent elsewhere since."""
    back = {"level": 1, "level_on": ago(9), "repetition": 2, "undelivered": True, "resend": "letter"}
    s = stands(claim(**back | claimed))
    assert s.sends_again is again
    if again:
        assert (s.target.repetition, s.target.level.standard.channels) == (3, (Via.LETTER,))


@pytest.mark.parametrize(("at", "notices", "heard"), [(0, (), True), (1, (), False), (2, (), True), (3, (), True), (1, (sent(1),), True)])  # fmt: skip
def test_who_heard_of_us(at, notices, heard):
    """A word to colleagues alone tells the debtor nothing; a letter does, from wherever, and a level that the plan does not have any more."""
    quiet = {**CALL, "call_task": None, "internal_notice": True}
    assert stands(claim(level=at, notices=notices), rules(plan(quiet, level(2)))).heard_of_us is heard
    turned = rules(plan(level(1), {**quiet, "trigger": {"after_due": 14}}))
    assert [stands(claim(level=one), turned).heard_of_us for one in (0, 1, 2, 3)] == [True, True, False, True]


@pytest.mark.parametrize(
    ("at", "early", "last"), [(0, False, False), (1, True, False), (2, True, True), (3, True, True), (4, False, False)]
)
def test_when_a_decision_to_hand_over_comes_next(at, early, last):
    """Early: after any reminder; else after the last of two. Once more, where the agency gave it back; before any reminder never."""
    two = days(3, 14)
    assert hands_over(claim(hand_over=EARLY), at, two) is early
    assert hands_over(claim(hand_over="last"), at, two) is last


@pytest.mark.parametrize(
    ("chosen", "found"),
    [(1, (2, (), False)), (2, (2, (), True)), (3, (3, (2,), True)), (4, (2, (), False)), (None, (2, (), False))],
)
def test_a_person_chooses_a_level_above_the_last(chosen, found):
    """Up to the plan's last; what is passed over is told. One that was reached already, or that the plan does not have, is no choice."""
    assert next_of(claim(level=1, level_on=ago(9), next_level=chosen)) == found


FRIENDLY = {"before_due": 10}, {"before_due": 5}, {"after_due": 3}


@pytest.mark.parametrize(
    ("triggers", "day", "found"),
    [
        (FRIENDLY, 15, (1, (), False)),
        (FRIENDLY, 16, (3, (1, 2), False)),
        (FRIENDLY[1:], 16, (2, (1,), False)),
        (FRIENDLY[:1], 15, (1, (), False)),
        (FRIENDLY[:1], 16, None),
        (FRIENDLY[:2], 16, None),
    ],
)
def test_a_notice_ahead_of_the_due_date_is_passed_over_once_that_has_come(triggers, day, found):
    """On the due date it may still go out; a plan that has nothing else is complete on the day after."""
    its = rules(plan(*(level(number, **one) for number, one in enumerate(triggers, 1))))
    assert next_of(claim(), its, date(2026, 9, day)) == found


@pytest.mark.parametrize(
    ("day", "found"),
    [(17, (1, ())), (28, (1, ())), (29, (2, (1,))), (30, (2, (1,))), (31, (3, (1, 2))), (40, (3, (1, 2)))],
)
def test_levels_whose_day_has_passed_are_skipped_where_the_plan_says_so(day, found):
    """The highest whose day has come, the last one at most; each of the others is told."""
    its = rules(plan(level(1, after_due=3), level(2, after_due=14), level(3, after_due=16), skip_levels=True))
    assert next_of(claim(), its, date(2026, 9, 1) + (day - 1) * DAY) == (*found, False)


@pytest.mark.parametrize(
    ("trigger", "issued", "begins"),
    [("after_issue", date(2026, 9, 1), 1), ("after_issue", None, 15), ("after_due", date(2026, 9, 1), 15)],
)
def test_grace_follows_the_day_of_a_level(trigger, issued, begins):
    """Ten days from the invoice's date, or from the due date where nobody knows that; three days of grace after it."""
    its = rules(plan(level(1, **{trigger: 10}, grace_days=3)))
    target = stands(claim(issued_on=issued), its).target
    assert (target.trigger_on, target.possible_on) == (date(2026, 9, begins + 10), date(2026, 9, begins + 13))
