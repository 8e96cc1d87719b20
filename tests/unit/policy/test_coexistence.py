"""Reminders made elsewhere: when they look like another automation."""

from datetime import date, timedelta

import pytest

from bridge.policy.coexistence import IN_PULL, SAME_HOUR, Foreign, repeated, told
from bridge.policy.views import Adoption

TODAY = date(2026, 9, 30)


def made(number, *, ago=0, hour=9, new=True):
    return Foreign(str(number), TODAY - timedelta(days=ago), hour, new)


@pytest.mark.feature("N-6")
def test_one_reminder_by_hand_is_no_automation():
    """A single new reminder, whatever was known before, suspends nothing; nor does history that is read late."""
    assert repeated([made(1)], TODAY) is None
    assert repeated([made(1), made(2, ago=3, hour=14, new=False)], TODAY) is None
    assert repeated([made(1, ago=40), made(2, ago=50)], TODAY) is None


@pytest.mark.feature("N-6")
def test_several_in_one_pull_are_an_automation():
    """Two new ones in one pull."""
    assert repeated([made(1), made(2, hour=14)], TODAY) == IN_PULL
    assert repeated([Foreign("1", None, None, True), Foreign("2", None, None, True)], TODAY) == IN_PULL


@pytest.mark.feature("N-6")
def test_the_same_hour_on_several_days_is_an_automation():
    """Three days at the same hour within three weeks; two days, other hours, or days longer ago are not."""
    before = [made(2, ago=1, new=False), made(3, ago=2, new=False)]
    assert repeated([made(1), *before], TODAY) == SAME_HOUR
    assert repeated([made(1, hour=10), *before], TODAY) is None
    assert repeated([made(1), before[0], made(3, ago=25, new=False)], TODAY) is None
    assert repeated(before, TODAY) is None, "nothing new: a person may have released the account"


@pytest.mark.feature("N-6")
def test_an_adopted_reminder_is_told_with_its_day_and_level():
    """Whoever asks why nothing goes out is told of the reminder from elsewhere, in German and English."""
    one = Adoption(2, TODAY, None, "m1")
    assert "30.09.2026" in told(one, "de")
    assert "Stufe 2" in told(one, "de")
    assert "level 2" in told(one, "en")
