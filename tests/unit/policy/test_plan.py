"""What a plan may say: short forms, channels that belong together, texts of a country."""

import pytest
from pydantic import ValidationError

from bridge.policy.plan import EscalationPlan
from tests.unit.policy.helpers import TEXTS, level, plan

MIXED = ["provider_email", "letter"]
AUSTRIAN = {"name": "b", "channels": ["mail"], "texts": {"de-AT": TEXTS["de"]}}
OWN = {"name": "a", "channels": ["mail"], "standard": True}


def test_channels_on_a_level_are_its_standard_variant():
    """Written without a variant there is one, and it is the standard."""
    (one,) = plan(level(1)).levels
    assert [variant.standard for variant in one.variants] == [True]
    assert one.standard is one.variants[0]


def test_a_level_that_was_read_before_is_taken_as_it_is():
    """Levels of another plan can be put into a new one."""
    made = plan(level(1)).levels[0]
    assert EscalationPlan(name="b", levels=(made,)).levels == (made,)
    with pytest.raises(ValidationError):
        plan("no level")


@pytest.mark.parametrize("document", ["silent", "none"])
def test_a_provider_among_the_channels_sends_its_own_document(document):
    """One of two channels is enough."""
    with pytest.raises(ValidationError, match="a provider sends its own document only"):
        plan(level(1, channels=MIXED, document=document))
    assert plan(level(1, channels=["mail", "letter"], document=document))


def test_a_provider_among_the_channels_bundles_nothing():
    """One of two channels is enough; before the last level a plan that bundles the last reminders may have it."""
    with pytest.raises(ValidationError, match="belongs to one invoice"):
        plan(level(1, channels=MIXED), bundling={"when": "from_first"})
    with pytest.raises(ValidationError, match="belongs to one invoice"):
        plan(level(1, channels=MIXED, type="last"), bundling={"when": "from_last"})
    assert plan(level(1, channels=MIXED), level(2, type="last"), bundling={"when": "from_last"})


def test_a_variant_may_have_the_text_of_a_country():
    """Where its level has that language; of another language the level needs a text first."""
    assert plan(level(1, variants=[OWN, AUSTRIAN]))
    with pytest.raises(ValidationError, match="the level has none"):
        plan(level(1, variants=[OWN, AUSTRIAN | {"texts": {"fr": TEXTS["de"]}}]))
