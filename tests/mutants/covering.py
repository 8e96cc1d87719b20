"""Which test runs which line: measured once, so that a mistake is only shown to the tests that can see it."""

import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType

import pytest

_CALLS = 200
"""So many calls of a function in one test that run no new line are taken for all: properties call the same some ten thousand times."""


@dataclass(slots=True)
class Seen:
    """For each line (`path:number`) the tests that run it, for each test its seconds of computing, and the tests that fail without any mistake."""

    lines: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    seconds: dict[str, float] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)

    def showing(self, path: str, lines: range) -> list[str]:
        """Return the tests that run any of these lines: those in a file named for the module, then the quickest of each file."""
        tests = {test for line in lines for test in self.lines.get(f"{path}:{line}", ())}
        own = f"/test_{Path(path).stem}"
        return sorted(self._sorted(tests), key=lambda one: own not in one.partition("::")[0])

    def using(self, path: str) -> list[str]:
        """Return the tests that run anything of this module; all, where none does (it is declarations only)."""
        tests = {test for line, some in self.lines.items() if line.startswith(f"{path}:") for test in some}
        return self._sorted(tests or set(self.seconds))

    def _sorted(self, tests: set[str]) -> list[str]:
        """Return these tests, the quickest of each file first, then the second of each: files look at different things."""
        turns, ranked = Counter[str](), []
        for one in sorted(tests - self.failed, key=lambda one: (self.seconds[one], one)):
            file = one.partition("::")[0]
            ranked.append((turns[file], one))
            turns[file] += 1
        return [one for _, one in sorted(ranked, key=lambda each: (each[0], self.seconds[each[1]], each[1]))]


class Covering:
    """A pytest plug-in that notes for each test the lines that it and its fixtures run in the watched modules."""

    def __init__(self, root: Path, watched: set[str], forget: Callable[[], None]) -> None:
        self._names = {str(root / one): one for one in watched}
        self._now: set[tuple[str, int]] = set()
        self._calls: Counter[CodeType] = Counter()
        self._forget, self._file = forget, None
        self.seen = Seen()

    def _called(self, frame, _event, _arg):
        code = frame.f_code
        name = self._names.get(code.co_filename)
        if name is None or code.co_name == "<module>":
            return None
        calls = self._calls[code]
        if calls >= _CALLS:
            return None
        self._calls[code] = calls + 1
        now = self._now

        def ran(frame, event, _arg):
            if event == "line" and (line := (name, frame.f_lineno)) not in now:
                now.add(line)
                self._calls[code] = 0
            return ran

        return ran

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        if item.path != self._file:  # the first test of each file computes anew what the others may have remembered
            self._file = item.path
            self._forget()
        self._now, self._calls = set(), Counter()
        threading.settrace(self._called)
        sys.settrace(self._called)
        began = time.process_time()
        try:
            return (yield)
        finally:
            sys.settrace(None)
            threading.settrace(None)
            self.seen.seconds[item.nodeid] = round(time.process_time() - began, 4)
            for name, line in self._now:
                self.seen.lines[f"{name}:{line}"].append(item.nodeid)

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.seen.failed.add(report.nodeid)
