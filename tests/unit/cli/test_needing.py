"""What `status` counts as needing a person."""

import pytest

from bridge.app.failures import _passing
from bridge.app.results import Delivered
from bridge.model import Reason
from bridge.replay import Failure, Kind
from bridge.store.accounts import OK, RECONNECT, STOPPED, UNREACHABLE
from bridge.words import Sentence


def failure(kind, *, what="create", state="parked", cause="refused"):
    return Failure(
        kind=kind, number=1, account="main", what=what, state=state, cause=cause, text=Sentence("it is done")
    )


@pytest.mark.parametrize(
    ("one", "account", "passing"),
    [
        (failure(Kind.STEP, state="unclear"), OK, True),
        (failure(Kind.STEP, state="queued", cause="http_503"), OK, True),
        (failure(Kind.STEP, state="queued", cause="smtp_login"), STOPPED, False),
        (failure(Kind.STEP, state="parked"), OK, False),
        (failure(Kind.REJECT, what="invoice", state="open"), OK, False),
        (failure(Kind.RUN, what="pull", state="failed", cause="connection"), UNREACHABLE, True),
        (failure(Kind.RUN, what="pull", state="failed", cause="http_401"), STOPPED, False),
        (failure(Kind.RUN, what="pull", state="failed", cause="reconnect"), RECONNECT, False),
        (failure(Kind.RUN, what="pull", state="failed", cause="crash"), OK, False),
        (failure(Kind.RUN, what="dun", state="failed", cause="undecided"), OK, False),
    ],
)
def test_only_what_the_program_does_not_go_on_with_needs_a_person(one, account, passing):
    """Unclear outcomes, calls tried again and outages pass by themselves; what stopped, crashed or was parked waits for somebody."""
    assert _passing(one, account) is passing


@pytest.mark.parametrize(
    ("told", "needed"),
    [
        ({}, False),
        ({"unclear": 2, "later": 1, "paused": True}, False),
        ({"parked": 1}, True),
        ({"stopped": 1}, True),
        ({"reasons": {Reason.SENDING_OFF: 1}}, False),
        ({"reasons": {Reason.DISK_FULL.value: 1}}, True),
    ],
)
def test_a_delivery_says_when_a_person_is_needed(told, needed):
    """Something parked, an account that is stopped, a disk without room: not what goes on by itself, nor what people chose."""
    assert Delivered(counts={}, **told).needs_person is needed
