"""Notices that wait, and are taken back with their plan."""

from datetime import date

import pytest

from bridge.model import Reason
from bridge.policy import Running
from bridge.policy.replanned import taken_back, without_outdated
from tests.unit.policy.helpers import case, claim, days, rules

TODAY = date(2026, 10, 5)
ITS = rules(days(3, 14))
NOW = ITS.plans["plan"].version


@pytest.mark.parametrize("state", ["proposed", "approved", "queued"])
@pytest.mark.parametrize(
    ("values", "reached", "its", "back"),
    [
        ({}, (0, 0), ITS, None),
        ({"plan_version": "older"}, (0, 0), ITS, Reason.CHANGED),
        ({"plan_version": "older"}, (1, 0), ITS, None),  # its other channel has gone out
        ({"plan_version": "older"}, (1, 1), ITS, Reason.CHANGED),
        ({"plan_version": "older", "settled": True}, (0, 0), ITS, None),
        ({"plan": "other"}, (0, 0), ITS, Reason.CHANGED),
        ({"plan": "other", "settled": True}, (1, 0), ITS, Reason.CHANGED),
        ({}, (0, 0), rules(), Reason.NO_PLAN),
        ({"settled": True}, (0, 0), rules(), Reason.NO_PLAN),
    ],
)
def test_what_waits_goes_with_its_plan(values, reached, its, back, state):
    """Another plan or none takes back everything that waits; an edit what nobody settled and of which nothing has gone out."""
    waiting = Running(1, state, 1, **{"plan": "plan", "plan_version": NOW, **values})
    one = claim(running=waiting, level=reached[0], repetition=reached[1])
    found = taken_back(case(one), one, its, TODAY)
    assert (found and found.reason) == back
    assert without_outdated(case(one), one, its, TODAY).running == (None if back else waiting)


@pytest.mark.parametrize("state", ["waiting", "parked"])
def test_what_is_on_its_way_stays(state):
    """A letter that has been handed on is not taken back by an edit."""
    one = claim(running=Running(1, state, 1, plan="other"))
    assert without_outdated(case(one), one, ITS, TODAY) is one
    assert without_outdated(case(), claim(), ITS, TODAY).running is None
