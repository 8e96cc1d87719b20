"""Where each hold begins and ends: the first and the last day, the first and the last cent."""

from datetime import date

import pytest

from bridge.model import InvoiceKind, InvoiceStatus, NoticeStatus, Reason
from bridge.policy import AccountFacts, Block
from bridge.policy.calendar import DAY
from bridge.policy.holds import (
    after_cutoff,
    balance_fits,
    draft_left,
    group_turn,
    has_recipient,
    is_due,
    outdated_on,
    plain,
    time_has_come,
    too_near,
)
from bridge.policy.situation import NO_FACTS, Situation
from bridge.policy.views import NoticeView, Running, SendTo
from tests.unit.policy.helpers import case, claim, days, level, plan, rules
from tests.unit.policy.together import HOME

TODAY = date(2026, 10, 5)  # a Monday, 20 days overdue
ITS = rules(days(3))


def stands(one, its=ITS, today=TODAY, facts=NO_FACTS, **whole):
    return Situation(case(one, **whole), one, its, today, facts)


MINIMUM, AGE, GRACE, RUNS = Reason.MINIMUM_INTERVAL, Reason.LEVEL_AGE, Reason.WITHIN_GRACE, Reason.DEADLINE_RUNNING


@pytest.mark.parametrize(
    ("level_on", "deadline", "contact", "reason", "on", "told"),
    [  # the second level may go out on the 29th, today is the 24th
        (18, None, None, AGE, 29, {}),
        (18, 25, None, AGE, 29, {}),
        (18, 28, None, AGE, 29, {}),
        (18, 29, None, RUNS, 30, {"deadline": 29}),
        (18, None, 22, AGE, 29, {}),
        (18, None, 23, MINIMUM, 30, {"last": 23}),
        (23, None, 18, MINIMUM, 30, {"last": 23}),
        (23, None, None, MINIMUM, 30, {"last": 23}),
        (None, None, 23, MINIMUM, 30, {"last": 23}),
        (23, 29, None, RUNS, 30, {"deadline": 29}),
        (23, 28, None, MINIMUM, 30, {"last": 23}),
    ],
)
def test_what_a_level_waits_for_is_the_latest_of_its_days(level_on, deadline, contact, reason, on, told):
    """Its age, the day after the last deadline, the interval since the last contact: the first named of those on one day, with its date alone."""

    def day(number):
        return None if number is None else date(2026, 9, number)

    one = claim(level=1, level_on=day(level_on), deadline=day(deadline))
    found = time_has_come(stands(one, rules(days(3, 14)), day(24), last_contact_on=day(contact)))
    assert (found.reason, found.next_on, found.facts["earliest"]) == (reason, day(on), day(on))
    assert {name: found.facts[name] for name in ("last", "deadline") if name in found.facts} == {
        name: day(number) for name, number in told.items()
    }


@pytest.mark.parametrize(("day", "reason"), [(21, AGE), (22, GRACE), (24, GRACE), (25, None)])
def test_a_level_is_in_its_grace_from_its_day_on(day, reason):
    """Seven days after the due date and three of grace: too young before the one, and due on the other."""
    its = rules(plan(level(1, after_due=7, grace_days=3)))
    found = time_has_come(stands(claim(), its, date(2026, 9, day)))
    assert (found and found.reason) == reason


@pytest.mark.parametrize(
    ("bundling", "checked", "waits"),
    [
        ({}, 0, None),
        ({"start_on": TODAY}, None, None),
        ({"start_on": TODAY + DAY}, None, 1),
        ({"every_days": 7}, None, None),
        ({"every_days": 7}, 0, None),
        ({"every_days": 7}, -7, None),
        ({"every_days": 7}, -6, 1),
        ({"every_days": 7, "start_on": TODAY + 3 * DAY}, -6, 3),
        ({"every_days": 9, "start_on": TODAY + DAY}, -6, 3),
    ],
)
def test_the_turn_of_a_plan_for_bundles(bundling, checked, waits):
    """From its first day on, so many days after its last turn; the later of both. What is sent once more waits for neither."""
    its = rules(plan(level(1, after_due=3), bundling={"when": "from_first", **bundling}))
    facts = AccountFacts(checked={} if checked is None else {"plan": TODAY + checked * DAY})
    found = group_turn(stands(claim(), its, TODAY, facts))
    assert (found and found.next_on) == (None if waits is None else TODAY + waits * DAY)
    back = claim(level=1, level_on=TODAY - 9 * DAY, undelivered=True, resend="mail")
    assert group_turn(stands(back, its, TODAY, facts)) is None


@pytest.mark.parametrize(
    ("cents", "limits", "reason"),
    [
        (0, {}, Reason.BALANCE_NOT_POSITIVE),
        (1, {}, None),
        (1, {"minimum": 1}, None),
        (1, {"tolerance": 1}, Reason.BELOW_MINIMUM),
        (2, {"tolerance": 1}, None),
        (499, {"minimum": 500}, Reason.BELOW_MINIMUM),
        (500, {"minimum": 500}, None),
    ],
)
def test_the_least_that_is_asked_for(cents, limits, reason):
    """One cent, more than the tolerance, the minimum itself; and the usual claim is told from others by the same limits."""
    s = stands(claim(open=cents), rules(days(3), **limits))
    found = balance_fits(s)
    assert (found and found.reason) == reason
    assert plain(s) is (reason is None)


@pytest.mark.parametrize(("issued", "passes"), [(31, False), (1, True), (2, True), (None, False)])
def test_the_cut_off_itself_is_in(issued, passes):
    """Issued on the day of the cut-off: dunned, and the usual case."""
    day = None if issued is None else date(2026, 8 if issued > 30 else 9, issued)
    s = stands(claim(issued_on=day), rules(days(3), cutoff=date(2026, 9, 1)))
    assert ((after_cutoff(s) is None), plain(s)) == (passes, passes)


@pytest.mark.parametrize(
    ("today", "target", "next_on"),
    [(15, 3, 16), (16, 3, None), (9, -5, 10), (10, -5, None), (15, -20, None)],
)
def test_due_is_overdue_from_the_next_day_on(today, target, next_on):
    """The due date itself is in time, unless a notice ahead of it is due; then the first of both days counts."""
    its = rules(plan(level(1, after_due=target) if target > 0 else level(1, before_due=-target)))
    found = is_due(stands(claim(), its, date(2026, 9, today)))
    assert (found and found.next_on) == (next_on and date(2026, 9, next_on))


WAITS = Running(1, "proposed", 1, demand=10000)


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ({}, True),
        ({"ours": False}, False),
        ({"leaving": True}, False),
        ({"status": NoticeStatus.FINAL}, False),
        ({"superseded": True}, False),
    ],
)
def test_a_draft_of_ours_that_was_left_behind(values, found):
    """Ours, a draft, on no step of ours: a person looks after it; while a notice of ours runs it belongs to that."""
    left = NoticeView(**{"id": "9", "level": 1, "status": NoticeStatus.DRAFT, "ours": True, **values})
    assert draft_left(claim(notices=(left,))) == (left if found else None)
    assert draft_left(claim(notices=(left,), running=WAITS)) is None
    assert draft_left(claim()) is None


@pytest.mark.parametrize(("term", "passed", "near"), [(14, 7, False), (14, 8, True), (7, 3, False), (7, 4, True), (0, 1, True)])  # fmt: skip
def test_a_term_is_too_near_when_more_than_half_of_it_has_passed(term, passed, near):
    """That is the day from which a proposal is made anew; tomorrow at the earliest."""
    today = TODAY + passed * DAY
    assert too_near(TODAY + term * DAY, TODAY, today) is near
    again = outdated_on(TODAY + term * DAY, TODAY, TODAY - 9 * DAY)
    assert (again <= today) is near
    assert outdated_on(TODAY + term * DAY, TODAY, again) == again + DAY
    assert outdated_on(TODAY + term * DAY, TODAY, again - DAY) == again


@pytest.mark.parametrize(
    ("claimed", "whole", "reached"),
    [
        ({}, {}, True),
        ({"email": "a@example.com"}, {"email": None}, True),
        ({}, {"email": None}, False),
        ({"next_variant": "post"}, {}, False),
        ({"next_variant": "gone"}, {}, True),
        ({"next_variant": "post"}, {"address": HOME}, True),
        ({"send_to": (SendTo(emails=("b@example.com",)),)}, {"email": None}, True),
        ({"send_to": (SendTo(1, emails=("b@example.com",)),)}, {"email": None}, True),
        ({"send_to": (SendTo(2, emails=("b@example.com",)),)}, {"email": None}, False),
    ],
)
def test_whom_a_level_reaches(claimed, whole, reached):
    """An address of the invoice or the customer, or what a person chose; a letter that a person chose asks for a postal one."""
    post = {"name": "post", "channels": ["letter"]}
    its = rules(plan(level(1, after_due=3, variants=[{"channels": ["mail"], "standard": True}, post])))
    assert (has_recipient(stands(claim(**claimed), its, **whole)) is None) is reached


@pytest.mark.parametrize(
    "values",
    [
        {"running": WAITS}, {"status": InvoiceStatus.PAID}, {"kind": InvoiceKind.OTHER}, {"sent": False}, {"gone": True},
        {"payment_method": "cash"}, {"currency": "CHF"}, {"amounts_clear": False}, {"include": "include"},
        {"closed": Reason.CLOSED_BY_HAND}, {"undelivered": True}, {"blocks": (Block(Reason.DISPUTE),)},
    ],
)  # fmt: skip
def test_the_usual_claim_is_told_with_one_look(values):
    """Nothing is special about it; one thing that is, and every rule is asked."""
    assert plain(stands(claim()))
    assert not plain(stands(claim(**values)))
