"""The days ahead and what waits meanwhile: turns of plans, notices taken as landed, plans that changed, hours of sending, what is left over."""

from dataclasses import replace
from datetime import date, time, timedelta

import pytest

from bridge.model import Act, Colleague, DebtorKind, Reason
from bridge.policy import Abilities, AccountFacts
from bridge.policy.calendar import Calendar
from bridge.policy.forecast import coming, play, settled
from bridge.policy.hours import waits
from bridge.policy.leftover import left_over, task_text
from bridge.policy.money import Ancillary, AncillaryKind, Asks, DueSource, History, MoneyRules, Paid, Reached, Sent
from bridge.policy.money.history import Waived
from bridge.policy.office import Closure, Office
from bridge.policy.owed import owed, retotalled, sent_how, wanted
from bridge.policy.replanned import taken_back, without_outdated
from bridge.policy.turns import due_turns, facts_on, next_turn
from bridge.policy.views import Running
from bridge.words import tell
from tests.unit.policy.helpers import case, claim, days, level, plan, rules

TODAY = date(2026, 10, 5)  # a Monday
MAIL = Abilities(channels={Act.MAIL: "smtp", Act.LETTER: "letter_outbox"})


def on(number):
    return TODAY + timedelta(days=number)


# ------------------------------------------------------------------------------------------------------------------ turns


def group(**values):
    return rules(plan(level(1, after_due=3), bundling={"when": "from_first", **values}))


@pytest.mark.parametrize(
    ("values", "last", "today", "turn"),
    [
        ({"every_days": 7}, None, 0, 0),
        ({"every_days": 7}, 0, 0, 7),
        ({"every_days": 7}, -7, 0, 0),
        ({"every_days": 7}, -6, 0, 1),
        ({"every_days": 7}, -5, 0, 2),
        ({"every_days": 5}, 0, 1, 7),  # Saturday: the next day of sending
        ({"start_on": on(2)}, None, 0, 2),
        ({"start_on": on(-2)}, None, 0, 0),
        ({"start_on": on(9), "every_days": 7}, -3, 0, 9),
        ({"start_on": on(2), "every_days": 7}, -1, 0, 7 - 1),  # Sunday the 11th, and so Monday
    ],
)
def test_the_next_turn_of_a_plan(values, last, today, turn):
    """Once it has begun, long enough after the last one, and on a day on which one of its levels goes out."""
    its = group(**values)
    wanted_on = on(turn) if on(turn).weekday() < 5 else on(turn + 7 - on(turn).weekday())
    found = next_turn(its.plans["plan"], its, None if last is None else on(last), on(today))
    assert found == wanted_on


def test_a_level_with_days_of_its_own_makes_them_turns():
    """A plan of Saturdays is checked on a Saturday; one whose levels go out on different days on each of them."""
    own = plan(level(1, after_due=3, weekdays=["sat"]), bundling={"when": "from_first", "every_days": 7})
    assert next_turn(own, rules(own), None, TODAY) == on(5)
    both = plan(level(1, after_due=3, weekdays=["sat"]), level(2, weekdays=["wed"]), bundling={"when": "from_first", "every_days": 7})  # fmt: skip
    assert next_turn(both, rules(both), None, TODAY) == on(2)
    usual = plan(level(1, after_due=3, weekdays=["sat"]), level(2), bundling={"when": "from_first", "every_days": 7})
    assert next_turn(usual, rules(usual), None, TODAY) == TODAY


def test_which_plans_have_their_turn():
    """Those with a frequency, on their day; a plan without one has no turns."""
    weekly = plan(level(1), bundling={"when": "from_first", "every_days": 7}, name="weekly")
    its = rules(weekly, days(3, name="daily"))
    assert due_turns(its, {}, TODAY) == ["weekly"]
    assert due_turns(its, {"weekly": on(-7)}, TODAY) == ["weekly"]
    assert due_turns(its, {"weekly": on(-3)}, TODAY) == []


def test_the_account_on_a_day_to_come():
    """Turns go on from the last one; what holds the whole account today is over by then; a jump counts as approved."""
    its = group(every_days=7)
    known = AccountFacts(checked={"plan": on(-4)}, held_jump={"en": "x"})
    assert facts_on(its, known, TODAY, TODAY) == replace(known, approved=True)
    assert facts_on(its, known, TODAY, on(3)).checked == {"plan": on(-4)}
    assert facts_on(its, known, TODAY, on(4)).checked == {"plan": on(3)}
    assert facts_on(its, known, TODAY, on(11)).checked == {"plan": on(10)}
    assert facts_on(its, known, TODAY, on(4)).held_jump is None
    assert facts_on(rules(days(3)), known, TODAY, on(4)) == AccountFacts()


# --------------------------------------------------------------------------------------------------------- taken as landed


def running(state="proposed", level_=2, **values):
    return Running(1, state, level_, level_name="Zweite", **values)


def test_what_is_under_way_counts_as_landed():
    """With its level, day and term; whatever came back before is forgotten with it."""
    one = claim(
        level=1,
        deadline=on(1),
        undelivered=True,
        resend="mail",
        running=running(since=on(-2), deadline=on(8), repetition=1),
    )
    (found,) = settled(case(one), TODAY).claims
    assert (found.level, found.level_name, found.level_on, found.repetition, found.deadline) == (
        2,
        "Zweite",
        on(-2),
        1,
        on(8),
    )
    assert (found.running, found.undelivered, found.resend) == (None, False, None)
    (undated,) = settled(case(replace(one, running=running())), TODAY).claims
    assert (undated.level_on, undated.deadline) == (TODAY, on(1))
    (lower,) = settled(case(replace(one, level=3)), TODAY).claims
    assert lower.level == 3
    assert settled(case(claim(level=1)), TODAY) == case(claim(level=1))


@pytest.mark.parametrize(
    ("known", "since", "channel", "last"),
    [
        (None, -2, "mail", -2),
        (-5, -2, "mail", -2),
        (-1, -2, "mail", -1),
        (-5, -2, "internal", -5),
        (-5, -2, "collection", -5),
        (-5, -2, "call", -2),
        (None, None, "mail", 0),
    ],
)
def test_the_last_contact_with_what_is_under_way(known, since, channel, last):
    """The later of both; word to colleagues and the agency is none, a call is."""
    waiting = running(since=None if since is None else on(since), channel=channel)
    whole = case(claim(running=waiting), last_contact_on=None if known is None else on(known))
    assert settled(whole, TODAY).last_contact_on == on(last)


@pytest.mark.parametrize(
    ("own", "told", "later"), [(5, 9, 9), (9, 5, 9), (None, 5, 5), (5, None, 5), (None, None, None)]
)
def test_what_goes_along_only_gets_a_later_term(own, told, later):
    """Its level stays, and so does the later of both terms."""
    waiting = running(level_=0, deadline=None if told is None else on(told))
    one = claim(level=1, deadline=None if own is None else on(own), running=waiting)
    (found,) = settled(case(one), TODAY).claims
    assert (found.level, found.running, found.deadline) == (1, None, None if later is None else on(later))


def test_a_forecast_lands_each_notice_on_its_day():
    """Level, name, day, term, fee and history as after the real one; what a person chose is used up."""
    its = rules(plan(level(1, after_due=3, term_days=7, fee=5), level(2, after_due=20)), money=MoneyRules(due_source=DueSource.CONTRACT, unknown_kind=DebtorKind.BUSINESS))  # fmt: skip
    one = claim(next_level=1, next_variant="standard", hand_over="last")
    after, found = play(case(one), its, MAIL, TODAY, on(1))
    assert [(one.on, one.draft.level) for one in found] == [(TODAY, 1)]
    (landed,) = after.claims
    assert (landed.level, landed.level_on, landed.deadline, landed.level_name) == (1, TODAY, on(7), "Stufe 1")
    assert (landed.next_level, landed.next_variant, landed.hand_over) == (None, None, None)
    assert [(one.amount, one.on) for one in landed.history.ancillaries] == [(500, TODAY)]
    assert [(one.on, one.how, one.deadline) for one in landed.history.reached] == [(TODAY, Sent.MAIL, on(7))]
    assert after.last_contact_on == TODAY
    quiet = rules(plan({"name": {"de": "A"}, "trigger": {"after_due": 3}, "internal_notice": True}))
    after, found = play(case(colleagues=(Colleague(email="l@example.com"),)), quiet, MAIL, TODAY, on(1))
    assert (len(found), after.last_contact_on) == (1, None)


def test_a_level_sent_once_more_is_counted_as_such():
    """Its repetitions do not use up what the plan allows."""
    its = rules(days(3, 30))
    one = claim(level=1, level_on=on(-9), undelivered=True, resend="mail", resent=1)
    (landed,) = play(case(one), its, MAIL, TODAY, on(1))[0].claims
    assert (landed.level, landed.repetition, landed.resent, landed.undelivered, landed.resend) == (1, 1, 2, False, None)
    (other,) = play(case(claim(level=1, level_on=on(-9), resent=1)), rules(days(3, 14)), MAIL, TODAY, on(1))[0].claims
    assert (other.level, other.resent) == (2, 0)


def test_a_repetition_after_one_sent_once_more():
    """The plan's limit counts without it, also in the days ahead."""
    its = rules(plan(level(1, after_due=3, term_days=1, repeat={"every_days": 7, "limit": 2})))
    one = claim(level=1, level_on=on(-9), repetition=1, resent=1)
    found = coming(case(one), its, MAIL, TODAY, on(60))
    assert [claim.repetition for one in found for claim in one.draft.claims] == [2, 3]


def test_a_forecast_begins_and_ends_on_its_days():
    """Both included; an invoice that a person put off is looked at on its day, and what holds the account today goes out tomorrow."""
    its, whole = rules(days(3)), case()
    assert [one.on for one in coming(whole, its, MAIL, TODAY, TODAY)] == [TODAY]
    assert coming(whole, its, MAIL, TODAY, on(-1)) == ()
    assert [one.on for one in coming(whole, its, MAIL, TODAY, on(9), asleep={"1": on(2)})] == [on(2)]
    assert [one.on for one in coming(whole, its, MAIL, TODAY, on(9), asleep={"1": on(-2)})] == [TODAY]
    assert [one.on for one in coming(whole, its, MAIL, TODAY, on(9), facts=AccountFacts(writing_suspended="x"))] == [
        on(1)
    ]


# ------------------------------------------------------------------------------------------------------------ replanned


ITS = rules(days(3, 14))
VERSION = ITS.plans["plan"].version


@pytest.mark.parametrize(
    ("values", "its", "back"),
    [
        ({"plan": "plan", "plan_version": VERSION}, ITS, None),
        ({"plan": "plan", "plan_version": "older"}, ITS, Reason.CHANGED),
        ({"plan": "plan", "plan_version": "older", "settled": True}, ITS, None),
        ({"plan": "plan", "plan_version": ""}, ITS, None),
        ({"plan": "other", "plan_version": VERSION, "settled": True}, ITS, Reason.CHANGED),
        ({"plan": ""}, ITS, None),  # it only goes along
        ({"plan": "plan", "plan_version": VERSION}, rules(), Reason.NO_PLAN),
        ({"plan": "plan", "plan_version": "older", "level": 0}, ITS, None),  # by the level's first channel
        ({"plan": "plan", "plan_version": "older", "level": 0, "repetition": 1}, ITS, Reason.CHANGED),
    ],
)
def test_a_notice_is_taken_back_with_its_plan(values, its, back):
    """Another plan or none: always; an edit: what nobody has looked at, and what did not go out by another channel."""
    waiting = Running(1, "proposed", **{"level": 1, **values})
    one = claim(running=waiting)
    found = taken_back(case(one), one, its, TODAY)
    assert (found and found.reason) == back
    assert (without_outdated(case(one), one, its, TODAY).running is None) is (back is not None)
    sent = claim(running=replace(waiting, state="waiting"))
    assert without_outdated(case(sent), sent, its, TODAY) is sent
    queued = claim(running=replace(waiting, state="queued"))
    assert (without_outdated(case(queued), queued, its, TODAY).running is None) is (back is not None)
    assert taken_back(case(), claim(), its, TODAY) is None


# ------------------------------------------------------------------------------------------------------------------ hours


@pytest.mark.parametrize(
    ("office", "own", "now", "opening"),
    [
        ({}, {}, time(0), None),
        ({"opens": time(8)}, {}, time(7, 59), (Reason.OUTSIDE_HOURS, 0, time(8))),
        ({"opens": time(8)}, {}, time(8), None),
        ({"closes": time(17)}, {}, time(16, 59), None),
        ({"closes": time(17)}, {}, time(17), (Reason.OUTSIDE_HOURS, 1, None)),
        ({"opens": time(8), "closes": time(17)}, {"time": time(9)}, time(8, 30), (Reason.OUTSIDE_HOURS, 0, time(9))),
        ({"opens": time(8), "closes": time(17)}, {"until": time(12)}, time(12), (Reason.OUTSIDE_HOURS, 1, time(8))),
        ({"opens": time(8), "closes": time(17)}, {"time": time(17)}, time(18), None),  # begins after the office closes
        ({"opens": time(8), "closes": time(17)}, {"time": time(18)}, time(17, 30), (Reason.OUTSIDE_HOURS, 0, time(18))),
        ({"opens": time(8)}, {"weekdays": ("tue",)}, time(9), (Reason.NOT_WORKING_DAY, 1, time(8))),
        ({"weekdays": frozenset({2})}, {}, time(9), (Reason.NOT_WORKING_DAY, 2, None)),
        ({"weekdays": frozenset({2})}, {"weekdays": ("mon",)}, time(9), None),
    ],
)
def test_when_a_notice_may_leave(office, own, now, opening):
    """From the hour of the level or the office, until that of either, on its days; else the day and the hour to come."""
    its = rules(days(3), office=Office(**office))
    one = plan(level(1, after_due=3)).levels[0].model_copy(update=own)
    found = waits(its, one, its.calendar, TODAY, now)
    assert found == (None if opening is None else (opening[0], on(opening[1]), opening[2]))
    if not own:
        assert waits(its, None, its.calendar, TODAY, now) == found


def test_hours_mind_the_holidays_of_the_debtor():
    """Closed at either place is closed."""
    its = rules(days(3), calendar=Calendar("DE", "HH"), office=Office(closures=(Closure(on(1), on(2)),)))
    assert waits(its, None, Calendar("DE", "HH"), on(1), time(9)).on == on(3)
    assert waits(its, None, Calendar("DE", "BY"), date(2026, 6, 4), time(9)).on == date(2026, 6, 5)


# ------------------------------------------------------------------------------------------------------------------- owed

MONEY = MoneyRules(due_source=DueSource.CONTRACT, keep_ancillaries=True)
FEE = Ancillary(AncillaryKind.REMINDER_FEE, 500, date(2026, 9, 20))


@pytest.mark.parametrize(
    ("history", "values", "left"),
    [
        (History(ancillaries=(FEE,)), {}, 519),
        (History(), {}, 0),
        (History(ancillaries=(FEE,)), {"tolerance": 519}, 0),
        (History(ancillaries=(FEE,)), {"tolerance": 518}, 519),
        (History(ancillaries=(FEE,)), {"minimum": 520}, 0),
        (History(ancillaries=(FEE,)), {"minimum": 519}, 519),
        (History(ancillaries=(FEE,)), {"money": replace(MONEY, keep_ancillaries=False)}, 0),
        (History(ancillaries=(FEE,), waived=Waived(TODAY, "anna")), {}, 0),
        (History(reached=(Reached(date(2026, 9, 20), Sent.MAIL, interest=True),)), {}, 18),
        (History(reached=(Reached(date(2026, 9, 20), Sent.MAIL),)), {}, 0),
    ],
)
def test_what_is_left_beside_a_paid_principal(history, values, left):
    """What was asked for and is kept, above tolerance and minimum; nothing that never was asked for."""
    history = replace(history, payments=(Paid(10000, date(2026, 9, 25), "p"),))
    one = claim(open=0, history=history)
    found = left_over(case(one, kind=DebtorKind.CONSUMER), one, rules(days(3), **{"money": MONEY, **values}), TODAY)
    assert (found.total if found else 0) == left  # ten days at 6.52 %, and as many on what the payment did not settle


def test_the_task_for_what_is_left_names_invoice_and_sum():
    """In both languages, with what can be done and what it is made of; by its id where the invoice has no number."""
    paid = History(ancillaries=(FEE,), payments=(Paid(10000, date(2026, 9, 25), "p"),))
    for one, language, title, way in (
        (claim(open=0, history=paid), "de", "Nebenforderungen offen: RE-1, 5,19\xa0EUR", "claim RE-1`"),
        (claim(open=0, history=paid, number=None), "en", "Ancillary claims open: 1, EUR\xa05.19", "waive 1 "),
    ):
        account = left_over(case(one, kind=DebtorKind.CONSUMER), one, rules(days(3), money=MONEY), TODAY)
        told, note = (tell(one, language) for one in task_text(account))
        assert told == title
        assert way in note
        assert ("davon bezahlt" in note, "of which" in note) == (False, False)


@pytest.mark.parametrize(
    ("values", "again"),
    [
        ({}, False),
        ({"total": 10001}, True),
        ({"total": 10001, "state": "approved"}, True),
        ({"total": 10001, "state": "queued"}, False),
        ({"total": None}, False),
        ({"total": 10001, "since": None}, False),
        ({"total": 10001, "level": 0}, False),  # the other channel of this level has landed
        ({"total": 10001, "level": 0, "repetition": 1}, True),
    ],
)
def test_a_proposal_whose_total_is_no_longer_right(values, again):
    """By what is known now, as of the day on which it was decided; while nobody has begun to send it."""
    waiting = Running(1, **{"state": "proposed", "level": 1, "since": on(-1), "total": 10000, **values})
    one = claim(running=waiting)
    assert retotalled(case(one), one, rules(days(3))) is again
    assert not retotalled(case(), claim(), rules(days(3)))


def test_ways_of_asking():
    """What is asked for only where possible is left out where less is asked for; letters take days, mails do not."""
    assert [wanted(one) for one in (True, False, "where_possible")] == [True, False, True]
    assert [wanted(one, less=True) for one in (True, False, "where_possible")] == [True, False, False]
    assert [sent_how(one).value for one in ("letter", "post", "provider_post", "mail", "email", "provider_email")] == [
        "letter", "letter", "letter", "mail", "mail", "mail",
    ]  # fmt: skip


def test_a_waiver_leaves_the_principal_and_says_what_it_cost():
    """Who waived what, when and why, and how much; remarks about interest are about nothing then."""
    history = History(ancillaries=(FEE,), waived=Waived(on(-1), "anna", "goodwill"))
    one = claim(history=history)
    found = owed(
        case(one, kind=DebtorKind.BUSINESS), one, rules(days(3), money=MONEY), TODAY, Asks(interest=True, fee=300)
    )
    assert (found.account.total, found.fee, found.extras) == (10000, 0, 0)
    (note,) = found.notes
    assert (note.facts["who"], note.facts["on"], note.facts["reason"]) == ("anna", on(-1), "goodwill")
    assert note.facts["amount"] == 500 + 58  # 20 days at 10.52 %
    unknown = owed(case(one), one, rules(days(3), money=MONEY), TODAY, Asks(interest=True))
    assert [one.code.value for one in unknown.notes] == ["waived_by"]
    full = owed(case(one, kind=DebtorKind.BUSINESS), replace(one, history=replace(history, waived=None)), rules(days(3), money=MONEY), TODAY, Asks(interest=True, fee=300, fee_text="Zweite"))  # fmt: skip
    assert (full.account.total, full.fee, full.extras) == (10000 + 500 + 58 + 300, 300, 558)
    assert [one.text for one in full.account.items] == ["", "Zweite"]


def test_a_payment_booked_ahead_counts_today():
    """Its value date lies after today, yet the provider has it: it lowers what is asked for now."""
    one = claim(open=4000, history=History(payments=(Paid(6000, on(3), "p"),)))
    assert owed(case(one), one, rules(days(3)), TODAY, Asks()).account.total == 4000
    assert owed(case(one), one, rules(days(3)), TODAY, Asks()).notes == ()
    later = owed(case(one), one, rules(days(3)), on(9), Asks(), today=TODAY)
    assert later.account.total == 4000
