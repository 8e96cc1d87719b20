"""Approving and refusing while somebody else does."""

import pytest

from bridge.app.waiting import as_shown
from bridge.errors import WrongState


def test_who_comes_second_is_told_what_happened() -> None:
    """Two people approve the same list: the second one reads a sentence, not the table of states."""
    with pytest.raises(WrongState, match="notice 12 was approved, refused or changed") as caught, as_shown(12):
        raise WrongState("notice 12 is not proposed, or not ours, as edge A to approved asks for")
    assert "hat inzwischen jemand anderes freigegeben" in caught.value.sentence.told("de")
