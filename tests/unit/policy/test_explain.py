"""Why and why not, today and on any future date; who gets which plan; the calendar; the words."""

import string
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.model import Address, DebtorKind, Reason
from bridge.policy import AccountFacts, Assignment, Block, Outcome, Running, words
from bridge.policy.assign import assign
from bridge.policy.calendar import Calendar
from bridge.policy.explain import EVERYTHING, explain, forecast, with_claim
from bridge.policy.forecast import coming
from bridge.policy.holds import RULES
from bridge.policy.load import starter_plans
from bridge.policy.office import Closure, Office
from bridge.policy.plan import EscalationPlan
from tests.unit.policy.helpers import case, claim, days, level, plan, rules

TODAY = date(2026, 9, 17)
ITS = rules(days(3, 14, 28, term_days=7))


@pytest.mark.feature("N-3")
def test_explain_names_the_rule_the_next_date_and_what_would_change_it():
    """Today: not old enough, next on the 18th; every rule before was asked and let it pass."""
    found = explain(case(), claim(), ITS, TODAY)
    assert (found.decision.reason, found.rule, found.decision.next_on) == (
        Reason.LEVEL_AGE,
        "time_has_come",
        date(2026, 9, 18),
    )
    assert found.text("de") == "nächste Stufe noch nicht erreicht: Stufe 1 frühestens 18.09.2026"
    assert found.text("en") == "next level not reached yet: Level 1, earliest 18 September 2026"
    assert "case level" in found.remedy("de")
    assert [one.passed for one in found.asked] == [True] * (len(found.asked) - 1) + [False]
    assert (found.plan, found.assigned_by) == ("plan", "account")


@pytest.mark.feature("N-3")
def test_explain_on_a_future_date():
    """On Christmas Eve, assuming no payment: which levels will have gone out by then, and that the plan is complete."""
    found = explain(case(), claim(), ITS, TODAY, on=date(2026, 12, 24))
    assert [(one.on, one.level) for one in found.before] == [
        (date(2026, 9, 18), 1),
        (date(2026, 9, 29), 2),
        (date(2026, 10, 13), 3),
    ]
    assert (found.decision.reason, found.level, found.ahead) == (Reason.PLAN_COMPLETE, 3, ())


def test_explain_counts_what_is_under_way():
    """A proposal that waits counts as sent for the days ahead."""
    running = Running(1, "proposed", 1, demand=10000, since=date(2026, 9, 18), deadline=date(2026, 9, 25))
    found = explain(case(), claim(running=running), ITS, date(2026, 9, 18))
    assert found.decision.reason is Reason.OWN_REMINDER_RUNNING
    assert [(one.on, one.level) for one in found.ahead] == [(date(2026, 9, 29), 2), (date(2026, 10, 13), 3)]


def test_explain_of_a_block_with_an_end():
    """Deferred until the 30th: the way ahead begins on the day after."""
    one = claim(blocks=(Block(Reason.DEFERRED, date(2026, 9, 30), "anna", "Urlaub"),))
    found = explain(case(), one, ITS, TODAY)
    assert found.text("de") == "Zahlungsaufschub bis 30.09.2026: Urlaub"
    assert found.ahead[0].on == date(2026, 10, 1)


def test_explain_of_a_due_level_and_of_account_wide_holds():
    """A due level is explained as such; a hold of the whole account today is not carried into the next run."""
    due = date(2026, 9, 18)
    assert explain(case(), claim(), ITS, due).decision.outcome is Outcome.ESCALATE
    facts = AccountFacts(writing_suspended="x")
    held = explain(case(), claim(), ITS, due, facts=facts)
    assert held.decision.reason is Reason.WRITING_SUSPENDED
    monday = date(2026, 9, 21)
    assert explain(case(), claim(), ITS, due, on=monday, facts=facts).decision.outcome is Outcome.ESCALATE
    assert explain(case(), claim(), ITS, due, on=monday + timedelta(days=1), facts=facts).level == 1


def test_a_forecast_ends_at_its_horizon():
    """Only what lies before the day asked for."""
    assert [one.level for one in forecast(case(), claim(), ITS, TODAY, until=date(2026, 9, 29))] == [1]


def test_every_rule_says_what_it_lets_pass():
    """`explain` prints the rules in words; none is without."""
    for rule in RULES:
        assert (rule.__doc__ or "").startswith("Pass where "), rule.__name__


# ---------------------------------------------------------------------------------------------------------------- words


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_words_and_a_remedy(reason, language):
    """German and English, with and without facts, and never a bare code or a placeholder."""
    facts = dict.fromkeys(("level", "due", "note", "until", "source", "state", "earliest", "plan"), "x")
    for told in (words.reason(reason, language), words.reason(reason, language, facts), words.remedy(reason, language)):
        assert told
        assert not set("{}[]_") & set(told)


@given(st.dictionaries(st.sampled_from(["note", "until", "source", "amount"]), st.text(string.printable)))
def test_hostile_facts_stay_text(facts):
    """A note may contain anything; it is never read as a template."""
    told = words.reason(Reason.PAYMENT_UNMATCHED, "de", facts)
    note, without = facts.get("note"), "Zahlungseingang noch nicht zugeordnet"
    assert told == (f"{without}: {note}" if note else without)


def test_amounts_and_dates_in_the_readers_language():
    """German and English amounts and dates."""
    facts = {"amount": 123456, "limit": 500, "currency": "EUR"}
    assert words.reason(Reason.BELOW_MINIMUM, "de", facts).endswith("1.234,56\xa0EUR, Grenze 5,00\xa0EUR")
    assert words.reason(Reason.BELOW_MINIMUM, "en", facts).endswith("EUR\xa01,234.56, limit EUR\xa05.00")


# ----------------------------------------------------------------------------------------------------------- assignment


def named(name: str) -> EscalationPlan:
    return plan(level(1, after_due=3), name=name)


def which(whole, one, *lines):
    its = rules(*(named(name) for name in ("base", "public", "vip", "big", "own")), assignments=lines)
    found = assign(whole, one, its)
    return found.name, found.because


@pytest.mark.feature("P-7")
@pytest.mark.feature("S-AGI-26")
def test_the_most_specific_assignment_wins_and_says_why():
    """Invoice before customer before conditions before the account; more specific before less; `none` takes out of all plans."""
    lines = (
        Assignment("public", kinds=frozenset({"business"})),
        Assignment("vip", tags=frozenset({"vip"})),
        Assignment("big", gross_from=1_000_000),
        Assignment("own", customers=frozenset({"10017"})),
    )
    stranger = case(number="1", kind=DebtorKind.CONSUMER)
    assert which(stranger, claim(), *lines) == ("base", "account")
    assert which(case(number="1", kind=DebtorKind.BUSINESS), claim(), *lines) == ("public", "kinds")
    assert which(case(number="1", kind=DebtorKind.BUSINESS, tags=("vip",)), claim(), *lines) == ("vip", "tags")
    assert which(case(number="1"), claim(gross=2_000_000), *lines) == ("big", "amount")
    assert which(case(tags=("vip",)), claim(), *lines) == ("own", "customers")
    assert which(case(plan="base"), claim(), *lines) == ("base", "customer")
    assert which(case(plan="base"), claim(plan="none"), *lines) == ("none", "invoice")


@pytest.mark.parametrize(
    ("condition", "fits", "misses"),
    [
        (Assignment("vip", countries=frozenset({"AT"})), {"address": Address(country="AT")}, {"address": Address()}),
        (Assignment("vip", languages=frozenset({"en"})), {"language": "en"}, {"language": "de"}),
        (Assignment("vip", terms_days=frozenset({30})), {"payment_term_days": 30}, {"payment_term_days": 14}),
        (Assignment("vip", tags=frozenset({"a"})), {"tags": ("a", "b")}, {"tags": ("b",)}),
    ],
)
def test_conditions_of_an_assignment(condition, fits, misses):
    """Each condition on its own."""
    assert which(case(**fits), claim(), condition)[0] == "vip"
    assert which(case(**misses), claim(), condition)[0] == "base"


def test_amounts_are_half_open():
    """From 100.00 on, below 200.00."""
    line = Assignment("vip", gross_from=10000, gross_below=20000)
    assert [which(case(), claim(gross=gross), line)[0] for gross in (9999, 10000, 19999, 20000)] == [
        "base",
        "vip",
        "vip",
        "base",
    ]


# ------------------------------------------------------------------------------------------------------------- calendar


@pytest.mark.feature("N-5")
@pytest.mark.parametrize(
    ("state", "day", "working"),
    [
        ("BY", date(2026, 6, 4), False),  # Corpus Christi
        ("HH", date(2026, 6, 4), True),
        ("SN", date(2026, 11, 18), False),  # Buß- und Bettag
        ("NW", date(2026, 11, 18), True),
        ("BE", date(2026, 3, 8), False),  # a Sunday, and Women's Day
        ("NW", date(2026, 10, 3), False),
        (None, date(2026, 12, 24), True),
        (None, date(2026, 12, 25), False),
    ],
)
def test_working_days_of_a_state(state, day, working):
    """Public holidays state by state; Christmas Eve is none."""
    assert Calendar("DE", state).is_working_day(day) is working


def test_other_countries_and_unknown_states():
    """Austria and Switzerland have their own; an unknown state is refused."""
    assert not Calendar("AT").is_working_day(date(2026, 10, 26))
    assert not Calendar("CH", "ZH").is_working_day(date(2026, 5, 1))
    with pytest.raises(ValueError, match="DE-XX"):
        Calendar("DE", "XX")


@given(st.dates(date(2020, 1, 1), date(2035, 12, 31)))
def test_moving_to_a_working_day_finds_the_first_one(day):
    """Never earlier, never on a day off, and nothing was passed over."""
    calendar = Calendar("DE", "BY")
    found = calendar.working_day(day)
    assert found >= day
    assert calendar.is_working_day(found)
    between = [date.fromordinal(number) for number in range(day.toordinal(), found.toordinal())]
    assert not any(calendar.is_working_day(one) for one in between)


def test_days_on_which_the_agency_is_closed():
    """Closed between the years: nothing goes out, but deadlines may end there."""
    calendar, office = Calendar("DE", "NW"), Office(closures=(Closure(date(2026, 12, 28), date(2026, 12, 29)),))
    assert office.sending_day(date(2026, 12, 25), None, calendar) == date(2026, 12, 30)
    assert calendar.working_day(date(2026, 12, 25)) == date(2026, 12, 28)


def test_starter_plans_can_be_explained():
    """Each shipped plan runs from the first day to its end."""
    for name, shipped in starter_plans().items():
        home = Address(street="Weg 1", postcode="50667", city="Köln")
        found = forecast(case(address=home), claim(), rules(shipped), date(2026, 9, 2), until=date(2027, 9, 1))
        assert [one.level for one in found] == list(range(1, len(shipped.levels) + 1)), name


def test_the_remedy_of_a_foreign_currency_names_a_key_that_exists():
    """There is no list of allowed currencies: what helps names `dunning.currency`, in both languages."""
    assert "dunning.currency" in words.remedy(Reason.FOREIGN_CURRENCY, "de")
    assert "dunning.currency" in words.remedy(Reason.FOREIGN_CURRENCY, "en")


def test_the_days_ahead_are_those_of_the_whole_case():
    """What explain says of one invoice is what the forecast says of the case: the debtor's other invoices keep the interval."""
    young = claim(invoice_id="2", due_on=date(2026, 9, 25))
    whole = case(claim(invoice_id="1"), young)
    found = explain(whole, young, ITS, TODAY)
    everything = coming(whole, ITS, EVERYTHING, TODAY, date(2026, 12, 1))
    of_it = [(one.on, its.level) for one in everything for its in one.draft.claims if its.invoice_id == "2"]
    assert [(one.on, one.level) for one in found.ahead] == of_it
    alone = [(one.on, one.level) for one in explain(case(young), young, ITS, TODAY).ahead]
    assert alone != of_it
    [first] = found.upcoming
    assert (first.on, first.draft.recipient) == (of_it[0][0], "rechnung@example.com")


@pytest.mark.parametrize(("invoice_id", "known"), [("1", ["1", "2"]), ("2", ["1", "2"]), ("3", ["1", "2", "3"])])
def test_a_claim_takes_its_place_in_the_case(invoice_id, known):
    """In place of what the case holds of the same invoice, else behind the others, which stay as they are."""
    mine = claim(invoice_id=invoice_id, open=1)
    found = with_claim(case(claim(invoice_id="1"), claim(invoice_id="2")), mine).claims
    assert [one.invoice_id for one in found] == known
    assert [one.open == 1 for one in found] == [one == invoice_id for one in known]
