"""The judge of the tests (`make mutants`): it makes the mistake it names, and believes no test that cannot see it."""

from types import FunctionType

import pytest

from tests.mutants.__main__ import equal
from tests.mutants.changes import mutants_of, mutated
from tests.mutants.covering import Seen
from tests.mutants.judging import ROOT, within
from tests.mutants.loaded import Loaded
from tests.mutants.parted import parted

SOURCE = '''
from functools import cached_property, lru_cache
MOST = 3

def late(days):
    """Whether it is late."""
    return days > MOST and (lambda one: one != 5)(days)

@lru_cache
def remembered(days):
    return late(days)

class Invoice:
    def __init__(self, days):
        self.days = days

    @cached_property
    def late(self):
        return late(self.days)
'''


def _sample(folder):
    (folder / "sample.py").write_text(SOURCE, "utf-8")
    code = compile(SOURCE, str(folder / "sample.py"), "exec")
    space = {"__name__": "sample"}
    exec(code, space)
    return code, space, {one.name: one for one in mutants_of(folder / "sample.py", folder)}


def test_each_mistake_is_named_by_where_what_and_its_source(tmp_path):
    """One operator, constant, condition, return or call each; what runs at import is known as such."""
    _, _, mutants = _sample(tmp_path)
    assert sorted(mutants) == [
        "Invoice.late: returns None: return late(self.days)",
        "late: 5 -> 6: 5",
        "late: And -> Or: days > MOST and (lambda one: one != 5)(days)",
        "late: Gt -> GtE: days > MOST",
        "late: NotEq -> Eq: one != 5",
        "late: returns None: return days > MOST and (lambda one: one != 5)(days)",
        "module: 3 -> 4: 3",
        "remembered: returns None: return late(days)",
    ]
    assert [name for name, one in mutants.items() if not one.inside] == ["module: 3 -> 4: 3"]


def test_a_loaded_function_makes_the_mistake_wherever_it_is_held(tmp_path):
    """A name imported elsewhere calls the mistaken one too, and what was remembered before is forgotten."""
    code, space, mutants = _sample(tmp_path)
    held, invoice = space["late"], space["Invoice"](3)
    things = [one for one in space.values() if isinstance(one, FunctionType)]
    loaded = Loaded([*things, space["remembered"], space["Invoice"], invoice], "sample")
    assert (held(3), space["remembered"](3), invoice.late) == (False, False, False)
    assert loaded.change(code, mutated(mutants["late: Gt -> GtE: days > MOST"], tmp_path))
    loaded.forget()
    assert (held(3), space["remembered"](3), invoice.late) == (True, True, True)


def test_a_mistake_at_import_is_not_taken_for_made(tmp_path):
    """What no loaded function holds has to be imported anew."""
    code, space, mutants = _sample(tmp_path)
    loaded = Loaded([space["late"]], "sample")
    assert not loaded.change(code, mutated(mutants["module: 3 -> 4: 3"], tmp_path))


def test_a_mistake_is_shown_to_the_quickest_tests_that_run_its_line():
    """Never to one that fails anyhow; of what only declares, to the tests of its module, or to all."""
    seen = Seen(
        {"a.py:1": ["slow", "broken"], "a.py:2": ["quick"]}, {"slow": 2.0, "quick": 0.1, "broken": 0.0}, {"broken"}
    )
    assert seen.showing("a.py", range(1, 3)) == ["quick", "slow"]
    assert seen.showing("a.py", range(3, 4)) == []
    named = Seen(
        {"a.py:1": ["x/test_b.py::quick", "x/test_a.py::slow"]}, {"x/test_b.py::quick": 1, "x/test_a.py::slow": 2}
    )
    assert named.showing("a.py", range(1, 2)) == ["x/test_a.py::slow", "x/test_b.py::quick"]
    assert seen.using("a.py") == seen.using("b.py") == ["quick", "slow"]
    assert within(["quick", "slow"], seen.seconds, most=1.0) == ["quick"]
    assert within(["slow"], seen.seconds, most=1.0) == ["slow"]


@pytest.mark.filterwarnings("ignore")  # newer Pythons warn of a fork in a process with threads
def test_what_happens_in_a_fork_is_known_by_its_code_alone():
    """A mistake may end its process in any way without ending ours."""
    assert parted(lambda: 0, 1) == 0
    assert parted(lambda: 1 // 0, 1) == 1


def test_what_is_left_out_as_equal_still_exists():
    """A mistake that is listed as changing nothing is one that would be made."""
    listed = equal()
    known = {(path, one.name) for path in {path for path, _ in listed} for one in mutants_of(ROOT / path, ROOT)}
    assert set(listed) - known == set()
    assert all(len(reason) > 20 for reason in listed.values())
