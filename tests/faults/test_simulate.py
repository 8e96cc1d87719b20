"""The simulation itself: its borders exist, its results can be kept, and what goes wrong becomes a short story."""

import re
from collections import Counter
from importlib import import_module
from inspect import getsource

import pytest

from tests.faults import simulate
from tests.faults.borders import USUAL
from tests.faults.history import PROVIDERS, History, Incident
from tests.faults.killing import LEADS, Hunt, led
from tests.faults.simulate import Tally, lines, shrunk


@pytest.mark.parametrize("name", USUAL)
def test_borders_exist(name):
    """Every border that has its turn to kill is a function of the program by that name."""
    module, _, function = name.rpartition(".")
    assert re.search(rf"^ *def {function}\(", getsource(import_module(f"bridge.{module}")), re.MULTILINE)


def test_the_same_seed_is_the_same_history():
    """A seed names one history, whoever draws it."""
    assert History.draw(4711) == History.draw(4711)
    assert len({History.draw(seed) for seed in range(200)}) == 200


def test_what_goes_wrong_becomes_a_short_story(monkeypatch):
    """Of all that happens in a failing history only what it needs to fail is left."""
    cut = Incident("mail", 1, "cut", after=True)
    history = History(
        7, "billomat", "mail", (0, 1, 0), ("1.00", "2.00", "3.00"), (Incident("day", 1, "pay"), cut, Incident("look", 2, "hang")),
        workers=3, levels=3, approval=True, notes=True, helped=True,
    )  # fmt: skip
    monkeypatch.setattr(simulate, "_goes_wrong", lambda one: cut in one.incidents)
    assert shrunk(history) == History(7, "billomat", "mail", (0,), ("1.00",), (cut,), levels=1)


def test_borders_that_seldom_come_are_hunted():
    """Half of the next histories lead to the borders that seldom come and still lack real kills, then all; with enough it ends."""
    seldom = next(iter(LEADS))
    hunt, total = Hunt({"often", seldom}, 2, 500), Tally()
    first = list(hunt.next(hunt.wanted(total)))
    assert [seed for seed, _, _ in first] == list(range(500, 510))
    assert [border for _, border, _ in first] == [None, seldom] * 5
    assert {wanted for _, border, wanted in first if border} == {frozenset({(seldom, side)}) for side in (False, True)}
    total.add(Tally(before=Counter({"often": 2, seldom: 1}), after=Counter({"often": 2, seldom: 2})))
    assert {told[1:] for told in hunt.next(hunt.wanted(total))} == {(seldom, frozenset({(seldom, False)}))}
    total.add(Tally(before=Counter({seldom: 1})))
    assert not hunt.wanted(total)


@pytest.mark.parametrize("name", LEADS)
def test_leads_name_borders(name):
    """What a fault leads to is a function of the program by that name, and the fault one that strikes at its provider."""
    module, _, function = name.rpartition(".")
    assert re.search(rf"^ *def {function}\(", getsource(import_module(f"bridge.{module}")), re.MULTILINE)
    history = led(7, name)
    assert all(one.at in ("mail", *PROVIDERS[history.provider].paths) for one in history.incidents)


def test_parts_are_kept(tmp_path):
    """What a hundred histories came to is kept in a file and taken from there, to the last figure."""
    made = Tally(
        histories=2,
        longest=100.0,
        wrong=Counter(duplicates=1),
        before=Counter({"pull.pull": 3}),
        failed={"5": ["twice"]},
    )
    made.save(tmp_path / "part.json")
    again = Tally.load(tmp_path / "part.json")
    assert again == made
    again.add(made)
    assert (again.histories, again.longest, again.before["pull.pull"]) == (4, 100.0, 6)
    assert any("replay: python -m tests.faults --first 5 --count 1 --story" in line for line in lines(again, 1, 2))
