"""The process dies at every single transaction border of a day's work; afterwards everything has happened exactly once."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from bridge.contract import Act
from tests.faults.history import History, Incident
from tests.faults.killing import Killed
from tests.faults.stage import Stage

WAYS = [
    ("billomat", "provider"),
    ("billomat", "letter"),
    ("sevdesk", "provider"),
    ("sevdesk", "letter"),
    ("billomat", "mail"),
]


def quiet(provider, way, *incidents, debtors=(0,), **more):
    amounts = ("119.00", "238.00", "357.00")[: len(debtors)]
    return History(0, provider, way, debtors, amounts, incidents, **{"levels": 1, "gaps": (1,), **more})


@pytest.mark.feature("N-2")
@pytest.mark.parametrize(("provider", "way"), WAYS)
def test_killed_at_every_border(live, provider, way):
    """Whichever transaction the process dies in, before or after its commit, each reminder goes out once or waits for a person."""
    more = {
        "debtors": (0, 0),
        "bundle": way != "provider",
        "gaps": (1, 1, 1),
    }  # time to settle what a death left unclear
    passed, killed = set(live(quiet(provider, way, **more)).borders), set()
    assert len(passed) >= 10
    for after in (False, True):
        world = live(quiet(provider, way, Incident("each border", 1, "die", after), **more))
        assert world.wrong == [], f"killed {'after' if after else 'before'} the commit"
        killed |= set(world.killed)
    for name, after in sorted({(name, after) for name in passed for after in (False, True)} - killed):
        world = live(quiet(provider, way, Incident(name, 1, "die", after), **more))
        assert world.wrong == [], f"killed at {name}"
        assert world.killed == {(name, after): 1}


@pytest.mark.feature("N-2")
@pytest.mark.parametrize("act", [Act.CREATE, Act.COMPLETE, Act.SEND_EMAIL, Act.NOTE])
@pytest.mark.parametrize("after", [False, True], ids=["before_effect", "after_effect"])
def test_killed_during_the_call(live, act, after):
    """The process dies while the provider works: before or after its effect, nothing happens twice."""
    world = live(quiet("billomat", "provider", Incident(act, 1, "die", after), notes=True))
    assert world.deaths == 1
    assert world.wrong == []
    sent = len(world.sendings())
    assert sent == (1 if act is not Act.SEND_EMAIL or after else 0)


def killed_everywhere(history):
    """Live through a history in this process, which must be a fresh one: threads that set a letter here would be missing in a fork."""
    stage = Stage()
    try:
        world = Killed(history, stage, stage.clear())
        world.run()
        return [one.text for one in world.wrong], world.deaths, world.died
    finally:
        stage.close()


@pytest.mark.feature("N-2")
@pytest.mark.parametrize(("provider", "way"), [("billomat", "provider"), ("generic_csv", "letter")])
def test_sigkill_at_every_border(provider, way):
    """Real processes, each really killed at another transaction border: what they leave is finished, each reminder once."""
    notes = {"record": False} if provider == "generic_csv" else {}
    with ProcessPoolExecutor(1, get_context("spawn")) as fresh:
        wrong, deaths, died = fresh.submit(killed_everywhere, quiet(provider, way, debtors=(0, 1), **notes)).result()
    assert wrong == []
    names = {name for name, _ in died}
    assert {"deliver.attempt._claim", "deliver.attempt._begin", "pull._write_group"} <= names
    assert deaths == died.total() == len(died)  # at each border once
    assert len(died) >= 2 * len(names) - 2
