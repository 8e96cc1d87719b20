"""The business calendar: holidays at both places, company holidays and how days count over them, days and hours of sending."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model import Act, Address, Reason
from bridge.policy import Abilities, AccountFacts, Outcome, compose, words
from bridge.policy.calendar import Calendar
from bridge.policy.explain import explain
from bridge.policy.forecast import coming
from bridge.policy.hours import waits
from bridge.policy.office import Closure, Office
from bridge.policy.places import calendar_at, state_of
from bridge.policy.rest import why_rested
from tests.unit.policy.helpers import case, claim, days, decided, level, plan, rules, walk

CORPUS_CHRISTI = date(2026, 6, 4)
MUNICH, HAMBURG = Address(postcode="80331", city="München"), Address(postcode="20095", city="Hamburg")
MAIL = Abilities(acts=frozenset(), channels={Act.MAIL: "smtp"})
MAY = claim(issued_on=date(2026, 5, 4), due_on=date(2026, 5, 28))  # a Thursday, a week before Corpus Christi


def told(its, whole, day):
    """The deadline that a notice made on `day` sets."""
    decision = decided(whole.claims[0], its, day, case=whole)
    return compose(whole, [decision], its, MAIL, day)[0].deadline


@pytest.mark.feature("N-5")
@pytest.mark.parametrize(
    ("state", "address", "day"),
    [
        ("BY", None, "2026-06-05"),
        ("HH", None, "2026-06-04"),
        ("HH", MUNICH, "2026-06-05"),  # the debtor's holiday
        ("BY", HAMBURG, "2026-06-05"),  # the agency's
        ("HH", HAMBURG, "2026-06-04"),
        ("HH", Address(country="AT", postcode="1010", city="Wien"), "2026-06-05"),
        ("HH", Address(country="CH", postcode="8001", city="Zürich"), "2026-06-04"),
    ],
)
def test_nothing_goes_out_on_corpus_christi_where_it_is_a_holiday(state, address, day):
    """In Bavaria nothing, in Hamburg it goes out, unless the debtor sits in Munich or Vienna."""
    its = rules(days(7), calendar=Calendar("DE", state))
    assert walk(MAY, its, date(2026, 5, 28), date(2026, 6, 10), address=address)[0][0] == day


@pytest.mark.parametrize(
    ("day", "office", "weekdays", "place", "said"),
    [
        ("2026-06-04", Office(), None, Calendar("DE", "BY"), ("Fronleichnam (BY)", "Corpus Christi (BY)")),
        ("2026-10-26", Office(), None, Calendar("AT"), ("Nationalfeiertag (AT)", "National Day (AT)")),
        ("2026-07-14", Office(), None, Calendar("FR"), ("Fête nationale (FR)", "National Day (FR)")),
        ("2026-06-06", Office(), None, Calendar("DE", "BY"), ("Samstag", "Saturday")),
        ("2026-06-02", Office(), frozenset({0}), Calendar("DE", "BY"), ("Dienstag", "Tuesday")),
        ("2026-12-24", Office(), None, Calendar("DE", "BY"), ("versandfreier Tag", "a day without sending")),
        (
            "2026-12-28", Office(closures=(Closure(date(2026, 12, 27), date(2027, 1, 3)),)), None, Calendar("DE", "BY"),
            ("Betriebsferien", "company holidays"),
        ),
    ],
)  # fmt: skip
def test_a_day_off_is_told_by_its_name(day, office, weekdays, place, said):
    """`explain` names the holiday with its place, the weekday, or the company's holidays, in German and English; a day of sending has none."""
    on = date.fromisoformat(day)
    found = why_rested(office, on, weekdays, Calendar("DE", "HH"), place)
    for language, name in zip(("de", "en"), said, strict=True):
        assert found[language].startswith(name)
        assert name in words.reason(Reason.NOT_WORKING_DAY, language, {"rest": found, "earliest": on})
    assert why_rested(office, date(2026, 6, 8), None, place) == {}


def test_the_holiday_of_the_debtor_is_in_the_decision():
    """Held on Corpus Christi in Munich by an agency in Hamburg: the decision says whose holiday it is."""
    its = rules(days(7), calendar=Calendar("DE", "HH"))
    found = decided(MAY, its, CORPUS_CHRISTI, case=case(MAY, address=MUNICH))
    assert found.reason is Reason.NOT_WORKING_DAY
    assert words.reason(found.reason, "de", found.facts) == "kein Versandtag: Fronleichnam (BY), frühestens 05.06.2026"


@pytest.mark.feature("N-5")
@pytest.mark.parametrize(
    ("state", "address", "deadline"),
    [
        ("BY", None, "2026-06-05"),
        ("HH", None, "2026-06-04"),
        ("HH", MUNICH, "2026-06-05"),
        ("BY", HAMBURG, "2026-06-05"),
        ("HH", HAMBURG, "2026-06-04"),
    ],
)
def test_no_letter_sets_a_deadline_on_corpus_christi_where_it_is_a_holiday(state, address, deadline):
    """Nine days from 26 May end on the holiday: the deadline is the day after, be it one at the agency's place or at the debtor's."""
    its = rules(plan(level(1, after_due=3, term_days=9)), calendar=Calendar("DE", state))
    whole = case(claim(issued_on=date(2026, 5, 4), due_on=date(2026, 5, 20)), address=address)
    assert told(its, whole, date(2026, 5, 26)).isoformat() == deadline


@pytest.mark.parametrize(
    ("address", "due"),
    [(None, "2026-06-04"), (MUNICH, "2026-06-05"), (HAMBURG, "2026-06-04"), (Address(country="AT"), "2026-06-05")],
)
def test_the_due_date_moves_by_the_holidays_of_the_debtors_place(address, due):
    """BGB 193 at the place of performance: due on Corpus Christi, a debtor in Munich has one day more than one in Hamburg."""
    its = rules(days(1), calendar=Calendar("DE", "HH"))
    whole = case(claim(due_on=CORPUS_CHRISTI, issued_on=date(2026, 5, 4)), address=address)
    assert decided(whole.claims[0], its, CORPUS_CHRISTI, case=whole).facts["due"].isoformat() == due


def test_where_the_place_is_unknown_the_agencys_holidays_count():
    """No postal code, a code of two states, a country without calendar: as if the debtor sat where the agency does."""
    its = rules(days(1), calendar=Calendar("DE", "BY"))
    for address in (
        None,
        Address(),
        Address(postcode="21039"),
        Address(postcode="x"),
        Address(country="ZZ"),
        Address(country=""),
    ):
        assert calendar_at(address, its) == Calendar("DE", "BY")
    assert calendar_at(Address(country="AT"), its) == Calendar("AT")


@pytest.mark.parametrize(
    ("postcode", "state"),
    [
        ("01067", "SN"), ("03046", "BB"), ("06108", "ST"), ("07545", "TH"), ("10115", "BE"), ("12529", "BB"),
        ("17489", "MV"), ("19348", "BB"), ("20095", "HH"), ("24103", "SH"), ("27568", "HB"), ("30159", "NI"),
        ("34117", "HE"), ("40213", "NW"), ("50667", "NW"), ("55116", "RP"), ("60311", "HE"), ("66111", "SL"),
        ("68159", "BW"), ("80331", "BY"), ("89073", "BW"), ("97070", "BY"), ("99084", "TH"),
        ("21039", None), ("00000", None), ("2009", None), ("", None), ("²⁰⁰⁹⁵", None),
    ],
)  # fmt: skip
def test_postal_codes_tell_the_state(postcode, state):
    """A town of every state; a code of two states and what is no code have none."""
    assert state_of(postcode) == state


def test_the_debtors_holidays_can_be_ignored_for_sending_but_not_for_deadlines():
    """Switched off, a notice to Munich leaves Hamburg on Corpus Christi; the deadline still is no holiday there."""
    its = rules(days(7, term_days=7), calendar=Calendar("DE", "HH"), office=Office(debtor_holidays=False))
    assert walk(MAY, its, date(2026, 5, 28), date(2026, 6, 10), address=MUNICH)[0][0] == "2026-06-04"
    early = claim(issued_on=date(2026, 5, 4), due_on=date(2026, 5, 21))
    assert told(its, case(early, address=MUNICH), date(2026, 5, 28)) == date(2026, 6, 5)


# ------------------------------------------------------------------------------------------------- days of sending


@pytest.mark.feature("P-1")
@pytest.mark.parametrize(
    ("weekdays", "own", "day"),
    [
        ({0, 1, 2, 3, 4}, None, "2026-09-21"),
        ({1}, None, "2026-09-22"),
        ({5}, None, "2026-09-19"),
        ({1}, ["wed"], "2026-09-23"),
    ],
)
def test_the_offices_weekdays_count_unless_a_level_has_its_own(weekdays, own, day):
    """Due on a Saturday: Monday; only Tuesdays: Tuesday; a level of its own: Wednesday; each once."""
    one = level(1, after_due=4) | ({"weekdays": own} if own else {})
    its = rules(plan(one), office=Office(weekdays=frozenset(weekdays)))
    assert walk(claim(), its, date(2026, 9, 15), date(2026, 10, 20)) == [(day, 1, 0)]


@pytest.mark.parametrize(("quiet", "day"), [(((12, 24), (12, 31)), "2026-12-28"), ((), "2026-12-24")])
def test_christmas_eve_is_no_day_of_sending_unless_the_office_says_so(quiet, day):
    """Due for a reminder on 24 December: it goes out on the 28th; without that rule on the 24th, which is no holiday."""
    its = rules(days(9), office=Office(quiet=frozenset(quiet)))
    one = claim(issued_on=date(2026, 12, 1), due_on=date(2026, 12, 15))
    assert walk(one, its, date(2026, 12, 15), date(2027, 1, 10))[0][0] == day


# --------------------------------------------------------------------------------------------------- company holidays

CHRISTMAS = date(2026, 12, 21), date(2027, 1, 3)


@pytest.mark.parametrize(
    ("counts", "found"),
    [
        (True, [("2026-12-17", 1), ("2027-01-04", 2), ("2027-01-11", 3)]),
        (False, [("2026-12-17", 1), ("2027-01-11", 2), ("2027-01-25", 3)]),
    ],
)
def test_days_between_steps_over_company_holidays(counts, found):
    """Two weeks closed: nothing goes out then; by setting the days between two steps run on, or stand still for two weeks."""
    its = rules(
        days(2, 13, 27, term_days=4),
        office=Office(closures=(Closure(*CHRISTMAS, counts=counts),)),
        minimum_interval_days=4,
    )
    one = claim(issued_on=date(2026, 12, 1), due_on=date(2026, 12, 15))
    assert [(day, number) for day, number, _ in walk(one, its, date(2026, 12, 15), date(2027, 2, 15))] == found


def test_the_minimum_interval_and_repetitions_stand_still_too():
    """Written to on the 18th, an interval of 7 days and two weeks that do not count: 8 January."""
    its = rules(days(1), office=Office(closures=(Closure(*CHRISTMAS, counts=False),)))
    found = decided(claim(), its, date(2027, 1, 4), case=case(last_contact_on=date(2026, 12, 18)))
    assert (found.reason, found.next_on) == (Reason.MINIMUM_INTERVAL, date(2027, 1, 8))


SPANS = st.tuples(st.dates(date(2026, 1, 1), date(2026, 12, 31)), st.integers(0, 20)).map(
    lambda one: Closure(one[0], one[0] + timedelta(days=one[1]), counts=False)
)


@given(st.lists(SPANS, max_size=4), st.dates(date(2025, 12, 1), date(2026, 12, 31)), st.integers(1, 60))
def test_counted_days_are_as_many_as_asked_for(closures, base, number):
    """Whatever overlaps: exactly so many days that count lie after the first day up to the result, which itself counts."""
    found = Office(closures=tuple(closures)).later(base, timedelta(days=number))
    span = [base + timedelta(days=one) for one in range(1, (found - base).days + 1)]
    counted = [day for day in span if not any(one.first <= day <= one.last for one in closures)]
    assert len(counted) == number
    assert counted[-1] == found


def test_a_closure_that_ends_before_it_begins_is_refused():
    """The wrong way round: said at once."""
    with pytest.raises(ValueError, match="before it begins"):
        Closure(date(2027, 1, 3), date(2026, 12, 21))


# ------------------------------------------------------------------------------------------------------------- hours

OFFICE = Office(opens=time(8), closes=time(18))


@pytest.mark.parametrize(
    ("own", "now", "found"),
    [
        ({}, time(7, 59), (Reason.OUTSIDE_HOURS, date(2026, 10, 2), time(8))),
        ({}, time(8), None),
        ({}, time(17, 59, 59), None),
        ({}, time(18), (Reason.OUTSIDE_HOURS, date(2026, 10, 5), time(8))),  # over the holiday and the weekend
        ({"time": "09:30"}, time(9), (Reason.OUTSIDE_HOURS, date(2026, 10, 2), time(9, 30))),
        ({"until": "12:00"}, time(12), (Reason.OUTSIDE_HOURS, date(2026, 10, 5), time(8))),
        ({"time": "19:00"}, time(19, 30), None),  # begins after the office has closed: the level's word counts
    ],
)
def test_notices_leave_within_hours(own, now, found):
    """Friday, 2 October 2026: from eight to six, or as the level says; after that on Monday."""
    its = rules(plan({**level(1, after_due=3), **own}), office=OFFICE)
    assert waits(its, its.plans["plan"].level(1), its.calendar, date(2026, 10, 2), now) == found


@pytest.mark.parametrize("day", [date(2026, 10, 3), date(2026, 10, 4), date(2026, 12, 24)])
def test_what_was_approved_on_a_day_off_leaves_on_the_next_day_of_sending(day):
    """A person approves on Saturday or on Christmas Eve: it leaves on the next working day, also where the level is gone."""
    found = waits(rules(days(3)), None, Calendar("DE", "NW"), day, time(10))
    assert found.reason is Reason.NOT_WORKING_DAY
    assert Calendar("DE", "NW").is_working_day(found.on)
    assert found.on > day


@pytest.mark.parametrize(
    ("utc", "local"),
    [
        ("2026-03-28T23:30+00:00", "2026-03-29"),
        ("2026-10-24T22:30+00:00", "2026-10-25"),
        ("2026-03-29T22:30+00:00", "2026-03-30"),
    ],
)
def test_half_past_midnight_in_berlin_belongs_to_the_berlin_date(utc, local):
    """In both nights of the clock change: the local date, and a notice waits for Monday, eight o'clock summer or winter time."""
    now = datetime.fromisoformat(utc).astimezone(ZoneInfo("Europe/Berlin"))
    assert now.date().isoformat() == local
    found = waits(rules(days(3), office=OFFICE), None, Calendar("DE", "NW"), now.date(), now.time())
    assert (found.on.weekday(), found.at) == (0, time(8))


# ---------------------------------------------------------------------------------------------------------- bank days


@pytest.mark.parametrize(
    ("start", "end", "number"),
    [
        (date(2026, 10, 2), date(2026, 10, 5), 1),  # over a weekend
        (date(2026, 4, 2), date(2026, 4, 7), 1),  # over Easter
        (date(2026, 12, 23), date(2027, 1, 4), 4),  # neither Christmas Eve nor New Year's Eve
        (date(2026, 6, 3), date(2026, 6, 5), 1),  # Corpus Christi in NW
        (date(2026, 10, 5), date(2026, 10, 5), 0),
    ],
)
def test_bank_working_days(start, end, number):
    """Days on which a payment can be booked."""
    assert Calendar("DE", "NW").bank_days_between(start, end) == number


def test_swiss_banks_rest_when_the_euro_does():
    """Good Friday is no holiday of the whole of Switzerland, yet no euro is booked."""
    assert Calendar("CH").bank_days_between(date(2026, 4, 2), date(2026, 4, 3)) == 0


@pytest.mark.feature("P-38")
def test_payment_data_over_the_holidays_is_not_stale():
    """Booked last on 23 December, limit three: fresh on 30 December, stale on 5 January."""
    its = rules(days(3), payments_limit_days=3)
    facts = AccountFacts(payments_as_of=date(2026, 12, 23))
    one = claim(issued_on=date(2026, 11, 2), due_on=date(2026, 12, 1))
    assert decided(one, its, date(2026, 12, 30), facts=facts).outcome is Outcome.ESCALATE
    assert decided(one, its, date(2027, 1, 5), facts=facts).reason is Reason.STALE_DATA


# ------------------------------------------------------------------------------------------------------ plans by turns


def test_explain_and_forecast_know_the_turns_of_a_group_plan():
    """Checked weekly, last on Monday: the level due on Wednesday goes out on the Monday after, and so says every view ahead."""
    bundling = {"when": "from_first", "every_days": 7}
    its = rules(plan(level(1, after_due=3), bundling=bundling))
    monday, wednesday = date(2026, 9, 14), date(2026, 9, 16)
    facts = AccountFacts(checked={"plan": monday})
    whole = case(claim(due_on=date(2026, 9, 11), issued_on=date(2026, 9, 1)))
    one = whole.claims[0]
    found = explain(whole, one, its, wednesday, on=date(2026, 9, 18), facts=facts)
    assert (found.decision.reason, found.decision.next_on) == (Reason.GROUP_WAITING, date(2026, 9, 21))
    assert [event.on for event in found.ahead] == [date(2026, 9, 21)]
    assert [one.on for one in coming(whole, its, MAIL, wednesday, date(2026, 10, 5), facts=facts)] == [
        date(2026, 9, 21)
    ]
    assert explain(whole, one, its, wednesday, on=date(2026, 9, 21), facts=facts).decision.outcome is Outcome.ESCALATE


def test_nobody_is_reminded_on_the_last_day_of_the_year():
    """Neither on Christmas Eve nor on New Year's Eve, though both are no public holidays; the days between are as any other."""
    for day, out in ((24, False), (28, True), (30, True), (31, False)):
        assert Office().sends_on(date(2026, 12, day), None) is out


@pytest.mark.parametrize(
    ("country", "state", "said"),
    [
        ("DE", "XX", r"for DE-XX; of DE there are BB, .*BY"),
        ("ZZ", None, r"for ZZ$"),
        ("ZZ", "A", r"for ZZ-A$"),
    ],
)
def test_a_place_without_calendar_is_named_with_what_there_is(country, state, said):
    """Country and state stand in the message, and the states of a country that is known."""
    with pytest.raises(ValueError, match=said):
        Calendar(country, state)


@pytest.mark.parametrize(
    ("day", "working"),
    [
        ("2026-10-01", True),
        ("2026-10-02", True),  # a Friday
        ("2026-10-03", False),  # a Saturday and a holiday
        ("2026-10-04", False),
        ("2026-10-05", True),
        ("2026-10-10", False),  # a Saturday
        ("2026-10-11", False),  # a Sunday
        ("2026-05-14", False),  # Ascension, a Thursday
    ],
)
def test_a_working_day_is_neither_weekend_nor_holiday(day, working):
    """Monday to Friday, and no public holiday (BGB 193)."""
    day = date.fromisoformat(day)
    assert Calendar("DE", "NW").is_working_day(day) is working
    assert (Calendar("DE", "NW").working_day(day) == day) is working


@pytest.mark.parametrize(
    ("start", "end", "count"),
    [
        ("2026-10-05", "2026-10-05", 0),
        ("2026-10-06", "2026-10-05", 0),
        ("2026-10-05", "2026-10-06", 1),
        ("2026-10-02", "2026-10-04", 0),
        ("2026-10-02", "2026-10-05", 1),
        ("2026-12-23", "2026-12-28", 1),  # neither the 24th nor Christmas
        ("2026-12-30", "2027-01-04", 1),
    ],
)
def test_bank_days_are_counted_after_the_first_up_to_the_last(start, end, count):
    """Only days on which banks and the payment system of the euro work."""
    found = Calendar("DE", "NW").bank_days_between(date.fromisoformat(start), date.fromisoformat(end))
    assert found == count


@pytest.mark.parametrize(("country", "state"), [("XX", None), ("DE", "XX"), ("AT", "BY")])
def test_a_place_without_a_calendar_is_refused_at_once(country, state):
    """When it is named, and not on the first day that is asked for."""
    with pytest.raises(ValueError, match="no calendar of public holidays"):
        Calendar(country, state)
