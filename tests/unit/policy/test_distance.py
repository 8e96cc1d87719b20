"""Distance on one day, and terms that hold: bundles beside single notices, and what is asked for along with others."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

import pytest

from bridge.model import Act, Reason
from bridge.policy import Abilities, Outcome, Running, compose, decide
from bridge.policy.beside import Part
from bridge.policy.distance import keep_apart
from bridge.policy.explain import explain
from bridge.policy.forecast import coming
from tests.unit.policy.helpers import case, claim, days, level, plan, rules

TODAY = date(2026, 10, 5)  # a Monday
ABILITIES = Abilities(channels={Act.MAIL: "smtp", Act.LETTER: "letter_outbox"})


def late(number, ago, at=0, on=None, **values):
    """An invoice that was due so many days ago, at this level since then."""
    due = TODAY - timedelta(days=ago)
    return claim(
        invoice_id=str(number), due_on=due, level=at, level_on=on, deadline=on and on + timedelta(days=7), **values
    )


def last_bundled(**values):
    """Levels on day 3 and 14, the last one bundled."""
    levels = (level(1, after_due=3, term_days=7), level(2, after_due=14, term_days=7, type="last"))
    return rules(plan(*levels, bundling={"when": "from_last"}, **values))


OLD = TODAY - timedelta(days=10)


def apart(whole, its):
    found = keep_apart(whole, decide(whole, its, TODAY), its, TODAY)
    return {one.invoice_id: (one.outcome.value, one.facts.get("first")) for one in found}


@pytest.mark.feature("S-PAY-9")
@pytest.mark.parametrize(
    ("single", "bundle", "first"),
    [(4, 16, "single"), (3, 16, "bundle"), (3, 20, "bundle")],
)
def test_what_waited_longer_goes_first_of_equals_the_bundle(single, bundle, first):
    """A first reminder and a last bundle due on one day: one of them, the other a minimum interval later."""
    its = last_bundled()
    whole = case(late(1, single), late(2, bundle, 1, OLD))
    found = keep_apart(whole, decide(whole, its, TODAY), its, TODAY)
    assert {one.invoice_id for one in found if one.outcome is Outcome.ESCALATE} == {"1" if first == "single" else "2"}
    (held,) = [one for one in found if one.outcome is Outcome.HOLD]
    assert (held.reason, held.next_on) == (Reason.MINIMUM_INTERVAL, TODAY + timedelta(days=7))
    assert (held.facts["first"], held.facts["invoices"]) == (first, "RE-1" if first == "single" else "RE-2")


def test_a_bundle_lists_what_waits_for_it():
    """The held single invoice goes along in the bundle, asked for, its level as it was."""
    its = last_bundled()
    whole = case(late(1, 3), late(2, 20, 1, OLD))
    (draft,) = compose(whole, keep_apart(whole, decide(whole, its, TODAY), its, TODAY), its, ABILITIES, TODAY)
    assert [(one.invoice_id, one.level) for one in draft.claims] == [("2", 2), ("1", 0)]


def test_what_is_left_out_of_bundles_waits_too():
    """A payment term that is never bundled: its notice comes a week after the bundle, not beside it."""
    its = rules(plan(level(1, after_due=3), bundling={"when": "from_first", "except_terms": [14]}))
    whole = case(late(1, 5), late(2, 3, payment_term_days=14))
    assert apart(whole, its) == {"1": ("escalate", None), "2": ("hold", "bundle")}


@pytest.mark.parametrize(
    ("its", "claims"),
    [
        (last_bundled(minimum_interval_days=0), (late(1, 3), late(2, 16, 1, OLD))),
        (last_bundled(), (late(1, 3), late(2, 4))),
        (rules(days(3, bundling={"when": "from_first"}), currencies=frozenset({"EUR", "CHF"})), (late(1, 3), late(2, 3, currency="CHF"))),
    ],
    ids=["no distance wanted", "two single notices", "two currencies"],
)  # fmt: skip
def test_what_may_go_out_on_one_day(its, claims):
    """Independent notices about single invoices, bundles that must not be mixed, and a plan without a distance."""
    assert {one[0] for one in apart(case(*claims), its).values()} == {"escalate"}


def test_a_level_that_a_person_chose_goes_before_a_bundle():
    """Whoever chooses a level wants it now: the bundle waits for the interval."""
    whole = case(late(1, 1, next_level=1, next_level_by="Erika"), late(2, 30, 1, OLD))
    assert apart(whole, last_bundled()) == {"1": ("escalate", None), "2": ("hold", "single")}


@pytest.mark.parametrize(
    ("running", "single", "bundle"),
    [
        (Running(1, "proposed", 2, channel="mail"), ("hold", "bundle_proposed"), ("escalate", None)),
        (Running(1, "proposed", 1, channel="mail"), ("escalate", None), ("hold", "single_proposed")),
        (Running(1, "proposed", 2, channel="collection"), ("escalate", None), ("hold", "single")),
    ],
)
def test_what_waits_for_approval_keeps_the_distance_as_well(running, single, bundle):
    """Approved together, they would go out on one day; what is done in the house says nothing to the debtor."""
    waits = late(3, 40, 1, OLD, running=running)
    found = apart(case(waits, late(1, 4), late(2, 16, 1, OLD)), last_bundled())
    assert (found["1"], found["2"]) == (single, bundle)


@pytest.mark.feature("N-3")
@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("de", "Mindestabstand: am selben Tag geht eine Sammelmahnung an den Kunden (RE-2), frühestens 12.10.2026"),
        ("en", "minimum interval: a bundle goes to the customer on the same day (RE-2), earliest 12 October 2026"),
    ],
)
def test_explain_says_what_goes_first_and_what_comes_next(language, told):
    """Why today nothing goes out about this invoice, and when it does: after the term that the bundle names."""
    one = late(1, 3)
    found = explain(case(one, late(2, 20, 1, OLD)), one, last_bundled(), TODAY)
    assert (found.text(language), found.rule) == (told, "keep_apart")
    assert [(each.on, each.level) for each in found.ahead[:1]] == [(date(2026, 10, 13), 1)]


# ---------------------------------------------------------------------------------------------------------------- terms


def test_a_running_term_is_not_put_off_by_a_bundle():
    """Its own next step would come before the bundle's term has passed: it is listed with the term that it has, not asked for anew."""
    its = rules(days(3, 14, 28, bundling={"when": "from_first"}))
    reminded = late(1, 12, 1, TODAY - timedelta(days=7))
    whole = replace(case(reminded, late(2, 3)), last_contact_on=TODAY - timedelta(days=7))
    (draft,) = compose(whole, decide(whole, its, TODAY), its, ABILITIES, TODAY)
    assert [one.invoice_id for one in draft.claims] == ["2"]
    (other,) = draft.others
    assert (other.part, other.why, other.facts) == (Part.MENTIONED, "deadline_running", {"deadline": TODAY})
    assert "bereits angemahnt, Frist bis 05.10.2026" in draft.content.text
    assert draft.total == 10000


def test_a_term_may_be_named_anew_where_no_step_is_put_off():
    """Its own next level is far away: it goes along in the bundle, and both terms have passed by then."""
    its = rules(days(3, 60, bundling={"when": "from_first"}))
    whole = case(late(1, 12, 1, TODAY - timedelta(days=7)), late(2, 3))
    (draft,) = compose(whole, decide(whole, its, TODAY), its, ABILITIES, TODAY)
    assert [(one.invoice_id, one.level) for one in draft.claims] == [("2", 1), ("1", 0)]


@pytest.mark.parametrize("when", ["from_first", "from_last"])
@pytest.mark.parametrize("every", [3, 7, 10])
@pytest.mark.parametrize("term", [5, 7, 14])
def test_with_ever_new_invoices_every_step_comes_and_none_too_soon(when, every, term):
    """A new invoice every few days: no step before a term that was named for it has passed, none put off for ever, one kind a day."""
    levels = [level(n, after_due=day, term_days=term) for n, day in enumerate((3, 14, 28), 1)]
    levels[-1]["type"] = "last"
    its = rules(plan(*levels, bundling={"when": when}))
    claims = [late(number, -every * number) for number in range(16)]
    found = coming(case(*claims), its, ABILITIES, TODAY, TODAY + timedelta(days=500))
    named, steps = {}, {one.invoice_id: [] for one in claims}
    for one in found:
        for its_part in one.draft.claims:
            if its_part.level:
                assert one.on > named.get(its_part.invoice_id, date.min)
                steps[its_part.invoice_id].append((its_part.level, one.on))
        for its_part in one.draft.claims:
            named[its_part.invoice_id] = max(one.draft.deadline, named.get(its_part.invoice_id, date.min))
    for one in claims:
        assert [height for height, _ in steps[one.invoice_id]] == [1, 2, 3]
        assert steps[one.invoice_id][-1][1] <= one.due_on + timedelta(days=28 + 4 * (term + 7))
    on = sorted({one.on for one in found})
    assert all(later - sooner >= timedelta(days=7) for sooner, later in pairwise(on))
    for day in on:
        bundled = [one.draft.level == 3 or when == "from_first" for one in found if one.on == day]
        assert bundled == [True] or not any(bundled)


def test_what_waits_for_an_approval_says_so_and_names_the_day_that_follows_from_it():
    """A single notice is proposed: the bundle's next day is the one after its approval, and a person can bring it about."""
    waits = late(3, 40, 1, OLD, running=Running(1, "proposed", 1, demand=10000, channel="mail", since=TODAY))
    one = late(2, 16, 1, OLD)
    found = explain(case(waits, late(1, 4), one), one, last_bundled(), TODAY)
    assert (found.rule, found.decision.waits) == ("keep_apart", "single_proposed")
    assert found.next_on == found.upcoming[0].on == TODAY + timedelta(days=7)
    assert "approve" in found.remedy("en")


@pytest.mark.parametrize(
    ("level_", "claims", "held"),
    [(2, (late(1, 4),), True), (1, (late(1, 4),), False), (1, (late(2, 16, 1, OLD),), True), (2, (late(2, 16, 1, OLD),), False)],
)  # fmt: skip
def test_one_alone_waits_for_what_is_proposed(level_, claims, held):
    """A single notice beside a proposed bundle, or a bundle beside a proposed notice, waits until tomorrow at least."""
    its = last_bundled()
    whole = case(late(3, 40, 1, OLD, running=Running(1, "proposed", level_, channel="mail")), *claims)
    found = {one.invoice_id: one for one in keep_apart(whole, decide(whole, its, TODAY), its, TODAY)}
    one = found[claims[0].invoice_id]
    assert (one.outcome is Outcome.HOLD, one.next_on) == (held, TODAY + timedelta(days=1) if held else None)
