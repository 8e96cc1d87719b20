"""What one wrong sign in the rules would change, found by making such mistakes on purpose (`make mutants`)."""

from datetime import date, datetime, time, timedelta

import pytest
from pydantic import ValidationError

from bridge.model import DebtorKind, NoticeStatus, ProviderNotice, Reason
from bridge.policy import AccountFacts, Block, Creditor, Outcome
from bridge.policy.build import notice_view
from bridge.policy.calendar import Calendar
from bridge.policy.holds import outdated, outdated_on, too_near
from bridge.policy.money import LegalDunning, Sent, assumed_receipt, default_of
from bridge.policy.money.default import DueFacts, DueSource, _due
from bridge.policy.office import Closure, Office
from bridge.policy.paying import how_to_pay
from bridge.policy.statement import names_all
from bridge.policy.texts import numbers
from bridge.policy.trigger import Trigger
from bridge.policy.views import Running
from tests.unit.policy.helpers import case, claim, days, decided, level, plan, rules

TODAY = date(2026, 10, 5)


def test_four_numbers_are_three_and_one_more():
    """Up to three invoice numbers are named; from the fourth on they are counted."""
    assert numbers(["1", "2", "3"], "de") == "1, 2, 3"
    assert numbers(["1", "2", "3", "4"], "de") == "1, 2, 3 und einer weiteren"
    assert numbers(["1", "2", "3", "4", "5"], "en") == "1, 2, 3 and 2 more"


def test_a_level_without_any_time_left_is_refused():
    """Until is later than the time: at the same minute nothing could ever go out."""
    with pytest.raises(ValidationError, match="not later than"):
        plan(level(time=time(10, 0), until=time(10, 0)))
    assert plan(level(time=time(10, 0), until=time(10, 1)))


def test_a_text_names_every_amount_that_there_is():
    """The table names all; else each amount that is asked for stands in the text by itself."""
    nothing = dict.fromkeys(("fee", "earlier_fees", "flat_fee", "paid", "interest"), "")
    assert names_all("{{ claims }}", {**nothing, "fee": "5,00", "interest": "1,00", "paid": "9,00"})
    assert names_all("", nothing)
    for name in nothing:
        assert not names_all("{{ total }}", {**nothing, name: "5,00"})
        assert names_all("{{ " + name + " }}", {**nothing, name: "5,00"})
    assert names_all("{{ ancillaries }}", {**nothing, "fee": "5,00"})


@pytest.mark.parametrize(
    ("source", "due_on", "expected"),
    [
        (DueSource.STATUTORY, date(2026, 9, 15), date(2026, 9, 1)),
        (DueSource.CONTRACT, None, date(2026, 9, 1)),
        (DueSource.CONTRACT, date(2026, 9, 15), date(2026, 9, 15)),
        (DueSource.INVOICE_ONLY, date(2026, 9, 15), date(2026, 9, 15)),
    ],
)
def test_due_at_once_where_nothing_was_agreed(source, due_on, expected):
    """A printed or agreed date defers the claim; without one, or by statute alone, it is due at once (BGB 271(1))."""
    assert _due(DueFacts(due_source=source, due_on=due_on, issued_on=date(2026, 9, 1))) == expected


def test_a_reminder_made_by_hand_begins_its_level_anew():
    """An adopted higher level has no repetitions yet; one of the same level leaves those that were made."""
    own = rules(plan(level(1), level(2, repeat={"every_days": 7, "limit": 1})))
    seen = ProviderNotice(id="9", invoice_id="1", level=2, status=NoticeStatus.SENT, dated_on=TODAY - timedelta(days=8))
    raised = claim(level=1, repetition=1, level_on=date(2026, 9, 20), notices=(notice_view(seen),))
    found = decided(raised, own, TODAY)
    assert (found.level, found.repetition) == (2, 1)
    assert found.adoption.level == 2


def test_the_payee_is_the_holder_of_the_account():
    """Where the holder is named they are paid, else the creditor; the reference names the claim by its number, else its id."""
    paid = how_to_pay(case(), [claim()], Creditor(name="A", iban="DE02", payee="B"), 100, TODAY)
    assert (paid.payee, "RE-1" in paid.reference) == ("B", True)
    paid = how_to_pay(case(), [claim(number=None)], Creditor(name="A", iban="DE02"), 100, TODAY)
    assert (paid.payee, paid.reference.startswith("1")) == ("A", True)
    assert how_to_pay(case(), [claim()], Creditor(name="A"), 100, TODAY) is None


SINCE = date(2026, 10, 5)


@pytest.mark.parametrize(
    ("term", "passed", "near"),
    [(14, 7, False), (14, 8, True), (7, 3, False), (7, 4, True), (0, 0, False), (0, 1, True)],
)
def test_half_of_the_term_must_be_left(term, passed, near):
    """A notice leaves while at least half of the term it gives is still to come; the day it is made anew is the first after that."""
    deadline, today = SINCE + timedelta(days=term), SINCE + timedelta(days=passed)
    assert too_near(deadline, SINCE, today) is near
    if near:
        assert outdated_on(deadline, SINCE, SINCE - timedelta(days=9)) == today
    assert outdated_on(deadline, SINCE, today + timedelta(days=90)) == today + timedelta(days=91)


@pytest.mark.parametrize(
    ("values", "anew"),
    [
        ({}, False),
        ({"state": "approved"}, False),
        ({"demand": 9999}, True),
        ({"demand": 9999, "state": "approved"}, True),
        ({"demand": 9999, "state": "queued"}, False),
        ({"deadline": TODAY + timedelta(days=2)}, True),
        ({"deadline": TODAY + timedelta(days=2), "state": "waiting"}, False),
        ({"deadline": None}, False),
        ({"since": None, "deadline": TODAY}, False),
    ],
)
def test_a_proposal_is_made_anew_when_it_no_longer_says_what_is_right(values, anew):
    """Another amount or a deadline too near, while nobody has begun to send it; what is on its way is left alone."""
    given = {
        "state": "proposed",
        "demand": 10000,
        "since": TODAY - timedelta(days=7),
        "deadline": TODAY + timedelta(days=7),
    }
    waiting = claim(running=Running(1, level=1, **given | values))
    assert outdated(waiting, TODAY) is anew
    assert not outdated(claim(), TODAY)


@pytest.mark.parametrize(
    ("values", "next_on"),
    [
        ({"state": "proposed"}, TODAY + timedelta(days=4)),
        ({"state": "approved"}, TODAY + timedelta(days=4)),
        ({"state": "queued"}, None),
        ({"state": "proposed", "deadline": None}, None),
        ({"state": "proposed", "since": None}, None),
    ],
)
def test_a_claim_with_a_proposal_is_looked_at_again_when_it_is_outdated(values, next_on):
    """It is asked about again on the day its deadline comes too near; with what is on its way there is nothing to wait for."""
    given = {"since": TODAY, "deadline": TODAY + timedelta(days=7)}
    found = decided(claim(running=Running(1, level=1, **given | values)), rules(days(3)), TODAY)
    assert (found.outcome, found.reason, found.next_on) == (Outcome.HOLD, Reason.OWN_REMINDER_RUNNING, next_on)


@pytest.mark.parametrize(
    ("bundling", "checked", "on"),
    [
        ({}, TODAY, None),
        ({"start_on": TODAY}, None, None),
        ({"start_on": TODAY + timedelta(days=1)}, None, TODAY + timedelta(days=1)),
        ({"every_days": 7}, None, None),
        ({"every_days": 7}, TODAY, None),  # its turn is today
        ({"every_days": 7}, TODAY - timedelta(days=7), None),
        ({"every_days": 7}, TODAY - timedelta(days=6), TODAY + timedelta(days=1)),
        (
            {"every_days": 7, "start_on": TODAY + timedelta(days=3)},
            TODAY - timedelta(days=6),
            TODAY + timedelta(days=3),
        ),
    ],
)
def test_a_plan_for_bundles_waits_for_its_turn(bundling, checked, on):
    """Not before its first day, and then every so many days since its last turn."""
    its = rules(plan(level(1, after_due=3), bundling={"when": "from_first", **bundling}))
    facts = AccountFacts(checked={"plan": checked} if checked else {})
    found = decided(claim(), its, TODAY, facts=facts)
    assert (found.reason, found.next_on) == ((Reason.GROUP_WAITING, on) if on else (Reason.LEVEL_DUE, None))


@pytest.mark.parametrize(
    ("last", "on"),
    [
        ({"deadline": TODAY}, TODAY + timedelta(days=1)),  # payment on the last day is in time
        ({"deadline": TODAY - timedelta(days=3)}, None),
        ({"deadline": None}, None),
        ({"deadline": None, "level_on": TODAY - timedelta(days=6)}, TODAY + timedelta(days=1)),
        ({"deadline": None, "level_on": TODAY - timedelta(days=7)}, None),
    ],
)
def test_the_next_level_waits_for_the_deadline_and_the_interval(last, on):
    """The day after the deadline that the last letter gave, and seven days after the last contact; not a day sooner or later."""
    one = claim(level=1, **{"level_on": date(2026, 9, 20)} | last)
    found = decided(one, rules(days(3, 14)), TODAY)
    assert found.next_on == on
    assert (found.outcome is Outcome.ESCALATE) is (on is None)


@pytest.mark.parametrize(("contact", "own", "waits"), [(6, None, True), (7, None, False), (6, 3, False), (2, 3, True)])
def test_another_letter_to_the_same_debtor_counts_as_a_contact(contact, own, waits):
    """Whatever was written to the debtor last keeps the interval, the plan's own before the account's."""
    values = {} if own is None else {"minimum_interval_days": own}
    whole = case(last_contact_on=TODAY - timedelta(days=contact))
    found = decided(claim(), rules(days(3, **values)), TODAY, case=whole)
    assert (found.reason is Reason.MINIMUM_INTERVAL) is waits


def test_a_jump_in_the_data_is_looked_at_the_same_day():
    """Held for a person and asked about again today, as an approval may come at any time; suspended writing and stale data tomorrow."""
    its = rules(days(3), payments_limit_days=2)
    for facts, on in (
        (AccountFacts(held_jump={"en": "half of it gone"}), TODAY),
        (AccountFacts(writing_suspended="seen elsewhere"), TODAY + timedelta(days=1)),
        (AccountFacts(payments_as_of=TODAY - timedelta(days=9)), TODAY + timedelta(days=1)),
    ):
        found = decided(claim(), its, TODAY, facts=facts)
        assert (found.outcome, found.next_on) == (Outcome.HOLD, on)


@pytest.mark.parametrize(
    ("blocks", "until"),
    [
        ([(Reason.DEFERRED, 5), (Reason.DEFERRED, 9)], 9),
        ([(Reason.DEFERRED, 5), (Reason.DEFERRED, None)], None),
        ([(Reason.DEFERRED, 5), (Reason.DISPUTE, 2)], 2),
        ([(Reason.DEFERRED, -1), (Reason.DEFERRED, 0)], 0),
    ],
)
def test_of_equal_blocks_the_longest_holds(blocks, until):
    """One without an end outlasts all others, a graver reason comes first; the claim goes on the day after the last one's end."""
    made = tuple(Block(why, None if end is None else TODAY + timedelta(days=end)) for why, end in blocks)
    for order in (made, made[::-1]):
        found = decided(claim(blocks=order), rules(days(3)), TODAY)
        assert found.outcome is Outcome.HOLD
        assert found.next_on == (None if until is None else TODAY + timedelta(days=until + 1))


def test_the_smallest_amounts():
    """Nothing or less is no claim, what equals the tolerance is let go, what equals the minimum is asked for; both limits at once: the higher."""
    for cents, limits, reason in (
        (0, {}, Reason.BALANCE_NOT_POSITIVE),
        (1, {}, Reason.LEVEL_DUE),
        (100, {"tolerance": 100}, Reason.BELOW_MINIMUM),
        (101, {"tolerance": 100}, Reason.LEVEL_DUE),
        (499, {"minimum": 500, "tolerance": 100}, Reason.BELOW_MINIMUM),
        (500, {"minimum": 500, "tolerance": 100}, Reason.LEVEL_DUE),
    ):
        found = decided(claim(open=cents), rules(days(3), **limits), TODAY)
        assert found.reason is reason
        assert found.facts.get("limit") == (max(limits.values()) if reason is Reason.BELOW_MINIMUM else None)


@pytest.mark.parametrize(
    ("given", "start", "number"),
    [
        ({"after_due": 0}, "after_due", 0),
        ({"before_due": 1}, "before_due", 1),
        ({"after_issue": 30}, "after_issue", 30),
    ],
)
def test_a_trigger_counts_from_one_place(given, start, number):
    """Exactly one of the four; none or two are refused, and so is a notice before the invoice exists."""
    assert (Trigger(**given).start.value, Trigger(**given).days) == (start, number)
    for wrong in ({}, {**given, "after_previous": 7}, {"before_issue": 1}):
        with pytest.raises(ValidationError):
            Trigger(**wrong)


NW = Calendar("DE", "NW")


@pytest.mark.parametrize(
    ("sent", "how", "kind", "received"),
    [
        (datetime(2026, 10, 5, 9, 0), Sent.MAIL, DebtorKind.BUSINESS, date(2026, 10, 5)),
        (datetime(2026, 10, 5, 17, 0), Sent.MAIL, DebtorKind.BUSINESS, date(2026, 10, 5)),
        (datetime(2026, 10, 5, 8, 59), Sent.MAIL, DebtorKind.BUSINESS, date(2026, 10, 6)),
        (datetime(2026, 10, 9, 17, 1), Sent.MAIL, DebtorKind.BUSINESS, date(2026, 10, 12)),
        (date(2026, 10, 10), Sent.MAIL, DebtorKind.BUSINESS, date(2026, 10, 12)),
        (date(2026, 10, 9), Sent.MAIL, DebtorKind.CONSUMER, date(2026, 10, 10)),
        (date(2026, 10, 5), Sent.LETTER, DebtorKind.BUSINESS, date(2026, 10, 9)),
        (date(2026, 10, 7), Sent.LETTER, DebtorKind.UNKNOWN, date(2026, 10, 13)),
    ],
)
def test_when_something_counts_as_received(sent, how, kind, received):
    """Businesses read mail in office hours of working days, others the next day; letters take four working days."""
    assert assumed_receipt(sent, how, kind, NW) == received


def test_default_begins_by_the_rule_that_comes_first():
    """A date agreed, a letter and a refusal: the earliest day that bears interest decides, and a letter on the due date is too early."""
    facts = DueFacts(due_source=DueSource.CONTRACT, due_on=date(2026, 9, 15), issued_on=date(2026, 9, 1))
    assert default_of(facts, NW).rule == "a"
    early = DueFacts(
        due_on=date(2026, 9, 15), dunned=(LegalDunning(date(2026, 9, 15)), LegalDunning(date(2026, 9, 16)))
    )
    assert (default_of(early, NW).rule, default_of(early, NW).first_day) == ("b", date(2026, 9, 16))
    refused = DueFacts(due_on=date(2026, 9, 15), refused_on=date(2026, 9, 10))
    assert (default_of(refused, NW).first_day, default_of(refused, NW).interest_from) == (
        date(2026, 9, 10),
        date(2026, 9, 11),
    )
    late = DueFacts(due_on=date(2026, 9, 15), dunned=(LegalDunning(date(2026, 9, 30), date(2026, 9, 20)),))
    assert (default_of(late, NW).rule, default_of(late, NW).first_day) == ("c", date(2026, 10, 1))


@pytest.mark.parametrize(("day", "deadline"), [(0, 30), (1, 30), (-1, 20)])
def test_a_reminder_made_by_hand_never_moves_a_claim_back_in_time(day, deadline):
    """Of ours and one made elsewhere the later counts, with its deadline; of two on one day that of the higher level, which is theirs."""
    ours, mine = date(2026, 9, 20), date(2026, 9, 20) + timedelta(days=20)
    on = ours + timedelta(days=day)
    seen = ProviderNotice(
        id="9", invoice_id="1", level=2, status=NoticeStatus.SENT, dated_on=on, deadline=ours + timedelta(days=30)
    )
    one = claim(level=1, level_on=ours, deadline=mine, notices=(notice_view(seen),))
    found = decided(one, rules(days(3, 14, 28)), TODAY).adoption
    assert (found.level, found.on) == (2, max(ours, on))
    assert found.deadline == ours + timedelta(days=deadline)


@pytest.mark.parametrize("chosen", [2, 3])
def test_a_person_may_choose_every_level_up_to_the_last(chosen):
    """The last one too; a level that the plan does not have is as if nothing were chosen."""
    its = rules(days(3, 14, 28))
    assert decided(claim(next_level=chosen, next_level_by="anna"), its, TODAY).level == chosen
    assert decided(claim(next_level=4, next_level_by="anna"), its, TODAY).level == 1


@pytest.mark.parametrize(
    ("closures", "end"),
    [
        ([(1, 2), (3, 4)], 9),  # they touch: four days
        ([(1, 3), (2, 4)], 9),  # they overlap: the same four
        ([(1, 2), (2, 4)], 9),  # on one day
        ([(1, 2), (4, 5)], 9),
        ([(1, 4), (2, 3)], 9),  # one within the other
        ([(6, 7)], 5),  # after the end
        ([(5, 6)], 7),  # on the last day
        ([(0, 1)], 6),  # the day itself is none of those that are counted
    ],
)
def test_days_of_company_holidays_are_passed_over_once(closures, end):
    """However they were entered: five days from Monday end so many days later."""
    monday = date(2026, 10, 5)
    made = tuple(
        Closure(monday + timedelta(days=first), monday + timedelta(days=last), counts=False) for first, last in closures
    )
    for order in (made, made[::-1]):
        assert Office(closures=order).later(monday, timedelta(days=5)) == monday + timedelta(days=end)
    assert all(Office(closures=made).is_closed(day) for one in made for day in (one.first, one.last))
    assert Office(closures=tuple(Closure(one.first, one.last) for one in made)).later(monday, timedelta(days=5)) == (
        monday + timedelta(days=5)
    )


def test_one_day_of_company_holidays():
    """A closure may begin and end on the same day, and nothing leaves on it."""
    day = date(2026, 10, 5)
    assert Office(closures=(Closure(day, day),)).sending_day(day, None) == day + timedelta(days=1)
