"""Triggers and levels as tables by day."""

from datetime import date, time, timedelta
from itertools import pairwise

import pytest

from bridge.model import NoticeStatus, Reason
from bridge.policy import NoticeView, Outcome, Running, words
from bridge.policy.calendar import Calendar
from bridge.policy.hours import waits
from bridge.policy.load import starter_plans
from tests.unit.policy.helpers import case, claim, days, decided, landed, level, plan, rules, walk

DUE = date(2026, 9, 15)  # a Tuesday


def after(number: int) -> date:
    return DUE + timedelta(days=number)


@pytest.mark.feature("S-AMX-1")
@pytest.mark.feature("S-BIL-5")
@pytest.mark.parametrize(
    ("day", "reason"),
    [(-1, Reason.NOT_DUE), (0, Reason.NOT_DUE), (1, Reason.LEVEL_DUE)],
)
def test_first_level_is_proposed_from_one_day_overdue(day, reason):
    """Due yesterday: level 1. Due today: not overdue."""
    found = decided(claim(), rules(days(1)), after(day))
    assert found.reason is reason
    assert found.enters is (day == 1)
    assert (found.outcome is Outcome.ESCALATE) is (day == 1)


@pytest.mark.feature("S-BIL-17")
@pytest.mark.parametrize(
    ("day", "reason"),
    [
        (0, Reason.NOT_DUE),
        (1, Reason.WITHIN_GRACE),
        (4, Reason.WITHIN_GRACE),
        (6, Reason.LEVEL_DUE),
    ],
)
def test_grace_days_hold_a_level_back(day, reason):
    """Day 4: within grace. Day 6: level 1."""
    found = decided(claim(), rules(plan(level(1, after_due=1, grace_days=5))), after(day))
    assert found.reason is reason
    if reason is Reason.WITHIN_GRACE:
        assert found.next_on == after(6)


@pytest.mark.feature("S-AGI-4")
def test_a_step_after_due_fires_on_its_day():
    """+14 fires on day 14, not on day 13."""
    its = rules(days(14))
    assert decided(claim(), its, after(13)).reason is Reason.LEVEL_AGE
    assert decided(claim(), its, after(13)).next_on == after(14)
    assert decided(claim(), its, after(14)).outcome is Outcome.ESCALATE


@pytest.mark.feature("S-AGI-5")
def test_a_step_after_issue_fires_before_the_due_date():
    """+7 after issue on a 30-day invoice goes out three weeks before it is due."""
    one = claim(issued_on=date(2026, 9, 1), due_on=date(2026, 10, 1))
    its = rules(plan(level(1, after_issue=7)))
    assert decided(one, its, date(2026, 9, 7)).reason is Reason.NOT_DUE
    assert decided(one, its, date(2026, 9, 8)).outcome is Outcome.ESCALATE


@pytest.mark.feature("S-AGI-6")
def test_a_friendly_notice_goes_out_once_ahead_of_the_due_date():
    """Three days before due it goes out, once; the next level follows after the due date."""
    one = claim(due_on=date(2026, 9, 17))
    its = rules(plan(level(1, before_due=3, term_days=3), level(2, after_due=7)))
    assert walk(one, its, date(2026, 9, 1), date(2026, 10, 20)) == [("2026-09-14", 1, 0), ("2026-09-24", 2, 0)]


@pytest.mark.feature("S-AGI-6")
def test_a_friendly_notice_is_never_late():
    """When the due date has come, the notice ahead of it is passed over and level 2 is the first one."""
    its = rules(plan(level(1, before_due=3), level(2, after_due=7)))
    assert walk(claim(), its, after(1), after(20)) == [("2026-09-22", 2, 0)]


@pytest.mark.feature("S-SEV-10")
@pytest.mark.parametrize(("day", "sent"), [(13, []), (15, [1]), (29, [1, 2])])
def test_the_two_week_plan_reminds_after_14_and_28_days(day, sent):
    """15 days late: text 1. 29 days late: text 2."""
    found = walk(claim(), rules(starter_plans()["two-weeks"]), DUE, after(day))
    assert [number for _, number, _ in found] == sent


@pytest.mark.feature("S-SEV-9")
def test_days_and_number_of_levels_are_free():
    """Twelve levels, each on its day; another plan, other days, no change of code."""
    one = claim()
    weekly = rules(days(*range(7, 91, 7), term_days=5), minimum_interval_days=1)
    assert [number for _, number, _ in walk(one, weekly, DUE, after(120))] == list(range(1, 13))
    assert walk(one, rules(days(2, 20)), DUE, after(40)) == [("2026-09-17", 1, 0), ("2026-10-05", 2, 0)]


@pytest.mark.feature("P-3")
@pytest.mark.parametrize("missed", [1, 2, 3, 6])
def test_a_missed_day_is_caught_up_once_at_the_right_level(missed):
    """The service stood still over the due day: one notice, the next level, then nothing until its term has passed."""
    found = walk(claim(), rules(days(7, 21)), after(7 + missed), after(20))
    assert [number for _, number, _ in found] == [1]


@pytest.mark.feature("P-8")
def test_age_alone_never_skips_a_level():
    """An invoice first seen after 60 days starts at level 1 and goes on one by one, each after the term before."""
    found = walk(claim(), rules(days(3, 14, 28, 42)), after(60), after(120))
    assert [number for _, number, _ in found] == [1, 2, 3, 4]
    dates = [date.fromisoformat(day) for day, _, _ in found]
    assert all((later - sooner).days >= 8 for sooner, later in pairwise(dates))


@pytest.mark.feature("P-8")
def test_a_partial_payment_and_an_edited_plan_keep_the_level():
    """After a partial payment and other days in the plan the next level is still the last plus one."""
    one = claim(level=2, level_on=after(20), deadline=after(27), open=4000, paid=6000)
    found = decided(one, rules(days(1, 2, 10, 11)), after(30))
    assert (found.outcome, found.level) == (Outcome.ESCALATE, 3)


def test_worked_example_9_level_choice():
    """28 days overdue qualifies for level 3; after level 1 comes level 2, with skip_levels level 3."""
    one = claim(due_on=date(2026, 9, 10), level=1, level_on=date(2026, 9, 21), deadline=date(2026, 9, 28))
    today = date(2026, 10, 8)
    assert decided(one, rules(days(3, 14, 28, 42)), today).level == 2
    found = decided(one, rules(days(3, 14, 28, 42, skip_levels=True)), today)
    assert (found.level, found.skipped) == (3, (2,))


def test_worked_example_8_due_date_on_a_holiday():
    """Due on 1 May, a Friday: the due date is Monday, 4 May; overdue from the 5th."""
    one = claim(issued_on=date(2026, 4, 1), due_on=date(2026, 5, 1))
    its = rules(days(1))
    assert decided(one, its, date(2026, 5, 4)).reason is Reason.NOT_DUE
    assert decided(one, its, date(2026, 5, 5)).reason is Reason.LEVEL_DUE


@pytest.mark.feature("S-PAY-9")
@pytest.mark.feature("S-PAY-10")
def test_worked_example_10_minimum_interval():
    """Nothing configured: 7 days. Last letter on 18 December: the next one on Monday, 28 December, over the holidays."""
    its = rules(days(1))
    whole = case(last_contact_on=date(2026, 12, 18))
    found = decided(claim(), its, date(2026, 12, 24), case=whole)
    assert (found.reason, found.next_on) == (Reason.MINIMUM_INTERVAL, date(2026, 12, 28))
    told = words.reason(found.reason, "de", found.facts)
    assert "Mindestabstand" in told
    assert "28.12.2026" in told
    assert decided(claim(), its, date(2026, 12, 28), case=whole).outcome is Outcome.ESCALATE


def test_the_deadline_set_by_the_last_notice_must_have_passed():
    """On the deadline's own day nothing goes out; on the day after it does."""
    one = claim(level=1, level_on=after(3), deadline=after(20))
    its = rules(days(3, 14))
    assert decided(one, its, after(20)).reason is Reason.DEADLINE_RUNNING
    assert decided(one, its, after(21)).level == 2


@pytest.mark.feature("S-BIL-18")
def test_time_of_day():
    """At 09:00 nothing leaves, at 09:30 it does; it is decided all the same, so that one run a day is enough."""
    its = rules(plan(level(1, after_due=1, time="09:30")))
    assert decided(claim(), its, after(1)).outcome is Outcome.ESCALATE
    of_plan = its.plans["plan"].level(1)
    assert waits(its, of_plan, its.calendar, after(1), time(9, 0)) == (Reason.OUTSIDE_HOURS, after(1), time(9, 30))
    assert waits(its, of_plan, its.calendar, after(1), time(9, 30)) is None


@pytest.mark.feature("P-1")
def test_a_weekend_moves_to_monday_once():
    """Reminder day Saturday: Monday, once."""
    found = walk(claim(), rules(days(4)), DUE, after(20))
    assert found == [("2026-09-21", 1, 0)]


@pytest.mark.feature("P-2")
@pytest.mark.parametrize(("state", "day"), [("BY", "2026-06-05"), ("HH", "2026-06-04")])
def test_a_public_holiday_of_the_state_moves_to_the_next_sending_day(state, day):
    """Corpus Christi 2026 (4 June): nothing goes out in Bavaria, in Hamburg it does."""
    one = claim(issued_on=date(2026, 5, 1), due_on=date(2026, 5, 28))
    its = rules(days(7), calendar=Calendar("DE", state))
    assert walk(one, its, date(2026, 5, 28), date(2026, 6, 10))[0][0] == day


@pytest.mark.feature("P-2")
def test_german_unity_day():
    """3 October 2025, a Friday: it goes out on Monday, 6 October."""
    one = claim(issued_on=date(2025, 9, 1), due_on=date(2025, 9, 26))
    assert walk(one, rules(days(7)), date(2025, 9, 26), date(2025, 10, 15))[0][0] == "2025-10-06"


@pytest.mark.feature("P-6")
def test_the_last_step_repeats_with_a_limit():
    """Repeat weekly, at most 3: after that nothing, and it says so."""
    its = rules(plan(level(1, after_due=7, term_days=5, repeat={"every_days": 7, "limit": 3})))
    found = walk(claim(), its, DUE, after(90))
    assert [repetition for _, _, repetition in found] == [0, 1, 2, 3]
    done = claim(level=1, repetition=3, level_on=after(28), deadline=after(35))
    assert decided(done, its, after(60)).reason is Reason.PLAN_COMPLETE


def test_counting_from_the_previous_level():
    """`after_previous` counts from the day on which the level before went out."""
    its = rules(plan(level(1, after_due=3), level(2, after_previous=14)))
    assert walk(claim(), its, after(10), after(40)) == [("2026-09-25", 1, 0), ("2026-10-09", 2, 0)]


@pytest.mark.feature("S-BIL-6")
def test_a_level_chosen_by_a_person_comes_at_once():
    """Level 3 for a never-dunned invoice: level 3, and who passed over 1 and 2."""
    found = decided(claim(next_level=3, next_level_by="anna"), rules(days(3, 14, 28)), after(6))
    assert (found.level, found.skipped, found.chosen_by) == (3, (1, 2), "anna")


def test_a_chosen_level_never_goes_back():
    """Level 1 chosen after level 2 went out: the next one is still level 3."""
    one = claim(level=2, level_on=after(20), deadline=after(27), next_level=1)
    assert decided(one, rules(days(3, 14, 28)), after(30)).level == 3


# ------------------------------------------------------------------------------------------------------- co-existence


def made_by_hand(number=1, status=NoticeStatus.SENT, on=None, **more):
    return NoticeView(f"x{number}", number, status, on or after(5), **more)


@pytest.mark.feature("P-26")
def test_a_reminder_made_by_hand_is_adopted_with_level_and_date():
    """Made by hand on day 5: the claim stands at level 1 and waits from that day; level 1 is not repeated."""
    one = claim(notices=(made_by_hand(deadline=after(15)),))
    found = decided(one, rules(days(3, 14)), after(6))
    assert found.outcome is Outcome.HOLD
    assert (found.adoption.level, found.adoption.on, found.adoption.deadline) == (1, after(5), after(15))
    assert found.next_on == after(16)
    assert decided(one, rules(days(3, 14)), after(16)).level == 2


@pytest.mark.feature("P-26")
def test_a_case_never_starts_below_reality():
    """A reminder of level 3 at the provider: the claim stands at 3, the next one is 4; a higher counter ends at the plan's last."""
    one = claim(notices=(made_by_hand(3),))
    assert decided(one, rules(days(3, 14, 28, 42)), after(60)).level == 4
    assert decided(claim(notices=(made_by_hand(9),)), rules(days(3, 14)), after(60)).reason is Reason.PLAN_COMPLETE


def test_the_providers_counter_skips_notices_ahead_of_the_due_date():
    """A friendly notice is no level for the provider: its level 1 is the plan's second one."""
    its = rules(plan(level(1, before_due=3), level(2, after_due=3), level(3, after_due=20)))
    assert decided(claim(notices=(made_by_hand(1),)), its, after(40)).level == 3


def test_a_foreign_draft_holds():
    """Somebody prepares a reminder at the provider: nothing is made beside it."""
    found = decided(claim(notices=(made_by_hand(1, NoticeStatus.DRAFT),)), rules(days(3)), after(30))
    assert (found.reason, found.next_on) == (Reason.FOREIGN_REMINDER_RUNNING, None)


def test_a_foreign_final_reminder_counts_like_a_sent_one():
    """Not every provider shows in its lists what was sent: a finished reminder is adopted, and its term runs."""
    one = claim(notices=(made_by_hand(1, NoticeStatus.FINAL, deadline=after(15)),))
    found = decided(one, rules(days(3, 14)), after(14))
    assert (found.adoption.level, found.reason) == (1, Reason.DEADLINE_RUNNING)
    assert decided(one, rules(days(3, 14)), after(16)).level == 2


def test_cancelled_and_superseded_reminders_do_not_hold():
    """What was cancelled or replaced at the provider counts for nothing."""
    notices = (made_by_hand(1, NoticeStatus.CANCELLED), made_by_hand(2, NoticeStatus.FINAL, superseded=True))
    assert decided(claim(notices=notices), rules(days(3)), after(30)).level == 1


def test_our_own_records_are_not_adopted():
    """A reminder that we made raises the level when it lands, not when it is read back."""
    found = decided(claim(notices=(made_by_hand(1, ours=True),)), rules(days(3)), after(30))
    assert (found.adoption, found.level) == (None, 1)


@pytest.mark.parametrize("state", ["proposed", "approved", "queued", "waiting", "parked"])
def test_a_notice_of_ours_that_has_not_landed_holds(state):
    """As long as one is on its way there is no second one."""
    running = Running(7, state, 1, demand=10000, since=after(4), deadline=after(14))
    assert decided(claim(running=running), rules(days(3)), after(5)).reason is Reason.OWN_REMINDER_RUNNING


def test_reminders_of_an_earlier_round_do_not_count_in_a_new_one():
    """After a returned debit the old reminders stay history: the new round begins at level 1, with the old due date."""
    one = claim(notices=(made_by_hand(2, on=after(10)),), round=2, round_on=after(40), returned=True)
    found = decided(one, rules(days(3, 14)), after(41))
    assert (found.level, found.round) == (1, 2)


def test_the_order_of_reminders_makes_no_difference():
    """However they were read, the same decision."""
    notices = (made_by_hand(1, on=after(5)), made_by_hand(2, on=after(20), deadline=after(28)))
    its = rules(days(3, 14, 28))
    forth = decided(claim(notices=notices), its, after(25))
    back = decided(claim(notices=notices[::-1]), its, after(25))
    assert forth == back
    assert forth.adoption.level == 2


def test_a_bounced_notice_holds_the_next_level():
    """Undelivered: no further level until it was sent again or accepted."""
    one = claim(level=1, level_on=after(3), deadline=after(10), undelivered=True)
    assert decided(one, rules(days(3, 14)), after(30)).reason is Reason.UNDELIVERED


def lateness(its, day, start=0):
    """The level that is proposed next, `day` days after the due date, where the service has run daily since `start` days after it."""
    one, last = claim(), None
    whole = case(one)
    for number in range(start, day + 1):
        decision = decided(one, its, after(number), case=whole)
        if decision.outcome is Outcome.ESCALATE:
            last = decision.level
            whole, one = landed(whole, one, decision, its, after(number))
    return last


@pytest.mark.feature("S-BIL-3")
@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize(("late", "level"), [(3, 1), (17, 2), (35, 3)])
def test_the_level_depends_on_how_late_the_invoice_is(late, level, skip):
    """One policy, a service that ran daily: 3, 17 and 35 days late stand at levels 1, 2 and 3, with `skip_levels` and without."""
    assert lateness(rules(days(3, 14, 28, term_days=7, skip_levels=skip)), late) == level


@pytest.mark.feature("S-BIL-3")
@pytest.mark.parametrize(("late", "skipped", "by_age"), [(3, 1, 1), (17, 1, 2), (35, 1, 3)])
def test_an_invoice_first_seen_late_starts_at_its_age_only_where_the_plan_says_so(late, skipped, by_age):
    """Without `skip_levels` age makes a level possible, and the next one is the first; with it the level of its age comes at once."""
    plain, skipping = (rules(days(3, 14, 28, skip_levels=skip)) for skip in (False, True))
    assert decided(claim(), plain, after(late)).level == skipped
    found = decided(claim(), skipping, after(late))
    assert (found.level, found.skipped) == (by_age, tuple(range(1, by_age)))


@pytest.mark.feature("S-SEV-10")
@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize(("late", "text"), [(13, None), (15, 1), (29, 2)])
def test_two_and_four_weeks_on_a_service_that_ran_daily(late, text, skip):
    """The starter plan: text 1 after two weeks, text 2 after four, with `skip_levels` and without."""
    starter = starter_plans()["two-weeks"].model_copy(update={"skip_levels": skip})
    assert lateness(rules(starter), late) == text


@pytest.mark.feature("S-SEV-10")
def test_four_weeks_first_seen_late_with_skip_levels():
    """First seen 29 days late: text 2 where levels may be skipped, else text 1."""
    starter = starter_plans()["two-weeks"]
    assert decided(claim(), rules(starter.model_copy(update={"skip_levels": True})), after(29)).level == 2
    assert decided(claim(), rules(starter), after(29)).level == 1


@pytest.mark.feature("S-BIL-2")
def test_an_invoice_walks_through_twelve_levels():
    """Twelve levels, one after the other, none left out, and then nothing more."""
    its = rules(days(*range(7, 91, 7), term_days=5), minimum_interval_days=1)
    found = walk(claim(), its, DUE, after(300))
    assert [number for _, number, _ in found] == list(range(1, 13))
