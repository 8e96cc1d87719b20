"""The process dies at every single transaction border of delivery; afterwards everything has happened exactly once."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.contract import Act
from bridge.store import Store
from tests.faults.history import History, Incident
from tests.faults.world import World

WAYS = [
    ("billomat", "provider"),
    ("billomat", "letter"),
    ("sevdesk", "provider"),
    ("sevdesk", "letter"),
    ("billomat", "mail"),
]
SEND_BEGINS = 9
"""Transaction of the child in which the sending is recorded as begun: one that opens, then claim, start and proof of each step."""

ROOT = Path(__file__).parents[2]


def quiet(provider, way, *incidents):
    return History(0, provider, way, (0,), ("119.00",), incidents, levels=1)


@pytest.mark.feature("N-2")
@pytest.mark.parametrize("after", [False, True], ids=["before_commit", "after_commit"])
@pytest.mark.parametrize(("provider", "way"), WAYS)
def test_killed_at_every_border(live, provider, way, after):
    """Whichever transaction the process dies in, the reminder goes out once or waits for a person."""
    borders = live(quiet(provider, way)).begins
    assert borders >= 5
    for number in range(1, borders + 1):
        world = live(quiet(provider, way, Incident("begin", number, "die", after)))
        assert world.wrong == [], f"killed at transaction {number} of {borders}"
        assert len(world.sendings()) <= 1
        died_outside = number > world.alive
        assert world.deaths == 1 or died_outside


@pytest.mark.feature("N-2")
@pytest.mark.parametrize("act", [Act.CREATE, Act.COMPLETE, Act.SEND_EMAIL, Act.NOTE])
@pytest.mark.parametrize("after", [False, True], ids=["before_effect", "after_effect"])
def test_killed_during_the_call(live, act, after):
    """The process dies while the provider works: before or after its effect, nothing happens twice."""
    world = live(quiet("billomat", "provider", Incident(act, 1, "die", after)))
    assert world.deaths == 1
    assert world.wrong == []
    sent = len(world.sendings())
    assert sent == (1 if act is not Act.SEND_EMAIL or after else 0)


CHILD = "import sys; from tests.faults.process import deliver; deliver(*sys.argv[1:])"


@pytest.mark.feature("N-2")
@pytest.mark.parametrize("after", ["before", "after"])
@pytest.mark.parametrize("half", [0, 1], ids=["even", "odd"])
def test_sigkill_at_every_border(sqlite_path, tmp_path, after, half):
    """A real process, really killed, at every transaction border: a new process finishes what it left, once."""
    for number in range(1 + half, 40, 2):
        folder = tmp_path / f"{number}"
        folder.mkdir()
        path = folder / "bridge.db"
        path.write_bytes(sqlite_path.read_bytes())
        with Store.open(path) as store:
            world = World(quiet("billomat", "provider"), store, folder, acts=(Act.CREATE, Act.COMPLETE, Act.SEND_EMAIL))
            with world.living():
                world.decide_once()
                code = _child(world, path, number, after)
                world.finish()
                assert world.wrong == [], f"killed {after} commit {number}"
                begun = (number, after) == (SEND_BEGINS, "after")  # nobody can tell whether the mail went out
                assert len(world.sendings()) == (0 if begun else 1), f"killed {after} commit {number}"
        if code == 0:
            assert number > SEND_BEGINS  # the process came to its end before this border
            return
        assert code == -signal.SIGKILL
    pytest.fail("delivery never came to its end")


def _child(world, path, number, after):
    told = [sys.executable, "-c", CHILD, str(path), world.provider.sandbox.base_url, world.provider.sandbox.key]
    env = {**os.environ, "PYTHONPATH": str(ROOT), "NOW": world.provider.now().isoformat()}
    return subprocess.run([*told, str(number), after], env=env, cwd=ROOT, check=False, capture_output=True).returncode
