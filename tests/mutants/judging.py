"""Tests are collected once; each mistake is made in a fork of that process, and shown to the tests that run its lines."""

import gc
import importlib.abc
import importlib.util
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import CodeType

import pytest
from hypothesis import Phase, settings

from tests.mutants.changes import Mutant, mutated
from tests.mutants.covering import Covering, Seen
from tests.mutants.loaded import Loaded, users
from tests.mutants.parted import parted

ROOT = Path(__file__).parents[2]
QUIET = ("-q", "-s", "--tb=no", "--assert=plain", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header", "-m", "not postgres")  # fmt: skip
_ANEW = 77


class Collected:
    """A pytest plug-in that hands its collected tests to `work`, in place of running them."""

    def __init__(self, work: Callable[["Collected"], None], say: Callable[[str], None]) -> None:
        self._work, self._say = work, say

    def pytest_collectreport(self, report):
        if report.failed:
            self._say(f"{report.nodeid} cannot be read: {report.longrepr}")

    def pytest_collection(self, session):
        """Let a property that fails say so, without looking for its smallest example."""
        quick = settings(settings.get_profile("everywhere"), phases=(Phase.explicit, Phase.generate))
        settings.register_profile("quick", quick)
        settings.load_profile("quick")

    def pytest_internalerror(self, excrepr):
        self._say(str(excrepr))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session):
        if session.testsfailed:
            raise session.Interrupted("not all tests could be read")
        self._session, self._items = session, {one.nodeid: one for one in session.items}
        gc.unfreeze()
        self._loaded = Loaded(gc.get_objects(), "bridge.", "tests.")
        self._warm()
        gc.collect()
        gc.freeze()
        self._work(self)
        return True

    def _warm(self) -> None:
        """Make what all tests of a database share before the processes part."""
        items = self._session.items
        stored = [one for one in items if "sqlite_template" in one.fixturenames]
        if stored and len(items) > 1:
            one = min(stored, key=lambda one: len(one.fixturenames))
            one.runtest = lambda: None
            following = next(other for other in items if other is not one)
            one.config.hook.pytest_runtest_protocol(item=one, nextitem=following)
            del one.runtest

    def measured(self, watched: set[str]) -> Seen:
        """Run all tests once and return which of them run which lines of these modules."""
        covering = Covering(ROOT, watched, self._loaded.forget)
        self._session.config.pluginmanager.register(covering)
        self._run(self._items.values())
        return covering.seen

    def judged(self, mutant: Mutant, right: CodeType, seen: Seen, most: float) -> str:
        """Return `killed`, `survived`, `no test`, or `anew` where the functions that are loaded cannot be changed so."""
        tests = within(seen.showing(mutant.path, range(mutant.first, mutant.last + 1)), seen.seconds, most)
        if not tests:
            return "no test"

        using = users(mutant.path)

        def work() -> int:
            if not self._loaded.change(right, mutated(mutant, ROOT)):
                return _ANEW
            self._loaded.forget(using)
            return self._run((self._items[one] for one in tests), first=True)

        return _verdict(parted(work, _allowed(tests, seen)))

    def _run(self, items: Iterable[pytest.Item], *, first: bool = False) -> int:
        session, items = self._session, list(items)
        session.testsfailed = 0
        session._setupstate.teardown_exact(items[0])
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if first and session.testsfailed:
                return 1
        return 0


class _Mistaken(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant
        self._name = mutant.path.removesuffix(".py").replace("/", ".")

    def find_spec(self, fullname, path=None, target=None):
        if fullname != self._name:
            return None
        return importlib.util.spec_from_file_location(fullname, ROOT / self._mutant.path, loader=self)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        exec(mutated(self._mutant, ROOT), module.__dict__)


def judged_anew(mutant: Mutant, seen: Seen, most: float) -> str:
    """Judge a mistake in what runs at import, by importing everything anew; slower by seconds."""
    wanted = (
        seen.showing(mutant.path, range(mutant.first, mutant.last + 1)) if mutant.inside else seen.using(mutant.path)
    )
    tests = within(wanted, seen.seconds, most)
    if not tests:
        return "no test"

    def work() -> int:
        sys.meta_path.insert(0, _Mistaken(mutant))
        return int(pytest.main(["-x", *QUIET, *tests])) != 0

    return _verdict(parted(work, 30 + _allowed(tests, seen)))


def within(tests: list[str], seconds: dict[str, float], most: float) -> list[str]:
    """Return the first of these tests that take `most` seconds together, and one at least."""
    chosen, spent = [], 0.0
    for one in tests:
        spent += seconds[one]
        if chosen and spent > most:
            break
        chosen.append(one)
    return chosen


def _allowed(tests: list[str], seen: Seen) -> float:
    return 5 + 5 * sum(seen.seconds[one] for one in tests)


def _verdict(code: int | None) -> str:
    return {0: "survived", _ANEW: "anew"}.get(code, "killed")
