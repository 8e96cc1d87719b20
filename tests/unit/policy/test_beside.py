"""What becomes of the debtor's other invoices beside a bundle: on the last day of a term, ahead of a due date, before the agency."""

from datetime import date

import pytest

from bridge.model import Address, Reason
from bridge.policy import Block, decide
from bridge.policy.beside import _for_the_agency, _held, company, term_until
from bridge.policy.compose import compose
from bridge.policy.situation import Situation
from bridge.policy.views import Decision, Outcome
from tests.unit.policy.helpers import case, claim, days, level, plan, rules
from tests.unit.policy.together import GROUP, OWN, TODAY, YOUNG, ago, bundling


def parts(whole, its):
    decided = decide(whole, its, TODAY)
    notices = compose(whole, [*decided, *company(whole, decided, its, TODAY)], its, OWN, TODAY)
    return {one.claim.invoice_id: (one.part.value, one.why) for one in notices[0].others}


def test_the_term_of_a_bundle_ends_on_a_working_day_for_everyone():
    """Its last day is a holiday in Munich and none in Cologne: the day after, whichever invoice is read first."""
    munich, cologne = (claim(address=Address(country="DE", postcode=code)) for code in ("80331", "50667"))
    step, today = level(1, term_days=7), date(2025, 12, 30)
    its = rules(plan(step))
    for claims in ((munich, cologne), (cologne, munich)):
        found = term_until(case(*claims), claims, its.plans["plan"].levels[0], its, today)
        assert found == date(2026, 1, 7)
    assert term_until(case(), (cologne,), its.plans["plan"].levels[0], its, today) == date(2026, 1, 6)


@pytest.mark.parametrize(
    ("runs", "part"),
    [
        (7, ("mentioned", "deadline_running")),
        (25, ("mentioned", "deadline_running")),
        (26, ("included", "")),
        (27, ("included", "")),
        (None, ("included", "")),
    ],
)
def test_a_term_that_ends_with_the_bundle_is_asked_for_with_it(runs, part):
    """Its own next step would come on the day after its term: not before the end of the bundle's, on the 26th of October."""
    its = rules(plan(level(1, after_due=3, term_days=20), level(2, after_due=5, term_days=20), bundling=GROUP))
    deadline = None if runs is None else date(2026, 10, runs)
    other = claim(invoice_id="2", level=1, level_on=ago(4), due_on=ago(30), deadline=deadline)
    assert parts(case(claim(invoice_id="1"), other), its) == {"2": part}


@pytest.mark.parametrize(
    ("values", "listed", "part"),
    [
        ({}, {}, ("left_out", "not_due")),
        ({}, {"include_not_due": True}, ("mentioned", "not_due")),
        ({"closed": Reason.CLOSED_BY_HAND}, {"include_not_due": True}, ("left_out", "closed_by_hand")),
        ({"due_on": ago(9), "closed": Reason.CLOSED_BY_HAND}, {"include_not_due": True}, ("left_out", "closed_by_hand")),
        ({"blocks": (Block(Reason.DISPUTE),)}, {"include_not_due": True}, ("left_out", "dispute")),
    ],
)  # fmt: skip
def test_what_waits_ahead_of_its_due_date_is_not_due(values, listed, part):
    """A notice ahead of the due date that waits for the interval makes no invoice overdue; what is held for another reason says so."""
    levels = level(1, before_due=10), level(2, before_due=3), level(3, after_due=3)
    its = rules(plan(*levels, bundling={**GROUP, **listed}))
    first = claim(invoice_id="1", level=2, level_on=ago(20))
    other = claim(**{**YOUNG, "due_on": ago(-2), "level": 1, "level_on": ago(2), **values})
    assert parts(case(first, other), its) == {"2": part}


@pytest.mark.parametrize(
    ("outcome", "reason", "at", "only"),
    [
        (Outcome.HOLD, Reason.COLLECTION_NOT_READY, 3, True),
        (Outcome.HOLD, Reason.OWN_REMINDER_RUNNING, 3, True),
        (Outcome.HOLD, Reason.DEADLINE_RUNNING, 3, True),
        (Outcome.HOLD, Reason.DISPUTE, 3, False),
        (Outcome.ESCALATE, Reason.LEVEL_DUE, 3, True),
        (Outcome.ESCALATE, Reason.LEVEL_DUE, 2, False),
        (Outcome.HOLD, Reason.OWN_REMINDER_RUNNING, 2, False),
        (Outcome.HOLD, Reason.DEADLINE_RUNNING, None, False),
    ],
)
def test_what_waits_for_nothing_but_the_agency(outcome, reason, at, only):
    """Its hand-over is due, waits for its day or was proposed; what is held for another reason or is to be reminded again does not."""
    its = rules(days(3, 14))
    assert _for_the_agency(Decision("1", outcome, reason, level=at, plan="plan"), its) is only
    assert not _for_the_agency(Decision("1", outcome, reason, level=at), its)


PARKED, DISPUTE = Block(Reason.PARKED), Block(Reason.DISPUTE)


@pytest.mark.parametrize(
    ("own", "of_customer", "parked", "held"),
    [
        ((), (), True, None),
        ((PARKED,), (), True, None),
        ((), (PARKED,), True, None),
        ((PARKED,), (), False, "parked"),
        ((), (PARKED,), False, "parked"),
        ((PARKED, DISPUTE), (), True, "dispute"),
        ((PARKED,), (DISPUTE,), True, "dispute"),
        ((DISPUTE,), (PARKED,), True, "dispute"),
    ],
)
def test_what_is_parked_may_be_named_unless_more_speaks_against_it(own, of_customer, parked, held):
    """Set on the invoice or on the customer; a dispute on either keeps it out."""
    one = claim(blocks=own)
    found = _held(Situation(case(one, blocks=of_customer), one, bundling(), TODAY), parked=parked)
    assert (found and (found.part.value, found.why)) == (held and ("left_out", held))
