"""Thousands of histories made from seeds: never two notices for one key, no level skipped but by a person, and what else must hold."""

from datetime import date

import pytest

from bridge.policy import Outcome
from tests.unit.policy.helpers import claim, days, decided, rules
from tests.unit.policy.histories import faults, sent_in

MANY = 400


@pytest.mark.parametrize("first", range(0, 2000, MANY))
def test_whatever_happens_nothing_goes_out_twice_or_skips_a_level(first):
    """Keys, levels, silence, sending days, distance and terms hold; a fault names its seed and how to play it again."""
    found = [told for seed in range(first, first + MANY) if (told := faults(seed))]
    assert not found, found[0]


def test_the_histories_are_worth_playing():
    """Enough goes out in them, at every level, repeated, in later rounds and by people's choice."""
    told = [one for seed in range(100) for one in sent_in(seed)]
    assert len(told) > 400
    assert {one.level for one in told} >= {1, 2, 3, 4}
    assert all(
        any(found)
        for found in ([one.repetition for one in told], [one.round > 1 for one in told], [one.chosen for one in told])
    )


def test_a_level_chosen_by_a_person_outlasts_one_that_is_sent_once_more():
    """What came back goes out again as the level that it was; the choice for the next one is not used up by it."""
    chosen = {"next_level": 2, "next_level_by": "Erika", "next_variant": "brief"}
    back = claim(level=1, level_on=date(2026, 9, 21), undelivered=True, resend="mail", **chosen)
    found = decided(back, rules(days(3, 14)), date(2026, 10, 5))
    assert (found.outcome, found.level, found.repetition) == (Outcome.ESCALATE, 1, 1)
    assert (found.chosen_by, found.variant) == ("", None)
