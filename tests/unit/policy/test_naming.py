"""The name of a level in every language of its plan."""

import pytest

from bridge.policy.naming import named
from bridge.words import Name
from tests.unit.policy.helpers import days

PLAN = days(3, 14, 28)


@pytest.mark.parametrize(
    ("position", "stored", "found"),
    [
        (1, "Stufe 1", True),
        (3, "Level 3", True),
        (3, "Stufe 2", False),  # renamed since
        (4, "Stufe 4", False),
        (4, "Übergabe an das Inkasso", True),
        (0, "Stufe 1", False),
        (-1, "Stufe 3", False),
        (None, "Stufe 1", False),
    ],
)
def test_a_stored_name_is_told_in_every_language(position, stored, found):
    """From the first level to the hand-over behind the last; what the plan does not write there, and what is not in it, stays as it was stored."""
    name = named(PLAN, position, stored)
    assert (name, isinstance(name, Name)) == (stored, found)
    assert not isinstance(named(None, position, stored), Name)
