"""Which test runs which line: measured once, so that a mistake is only shown to the tests that can see it."""

import json
import sys
import threading
import time
from collections import defaultdict
from pathlib import Path

import pytest


class Covering:
    """A pytest plug-in that notes for each test the lines that it ran in the watched modules, and how long it took."""

    def __init__(self, root: Path, watched: set[str]) -> None:
        self._names = {str(root / one): one for one in watched}
        self._now: set[tuple[str, int]] = set()
        self.lines: dict[str, list[str]] = defaultdict(list)
        self.seconds: dict[str, float] = {}
        self.failed: list[str] = []

    def _called(self, frame, _event, _arg):
        name = self._names.get(frame.f_code.co_filename)
        if name is None:
            return None
        now, seen = self._now.add, frame.f_code.co_name != "<module>"

        def ran(frame, event, _arg):
            if event == "line" and seen:
                now((name, frame.f_lineno))
            return ran

        return ran

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item):
        self._now = set()
        threading.settrace(self._called)
        sys.settrace(self._called)
        began = time.perf_counter()
        try:
            return (yield)
        finally:
            sys.settrace(None)
            threading.settrace(None)
            self.seconds[item.nodeid] = round(time.perf_counter() - began, 4)
            for name, line in self._now:
                self.lines[f"{name}:{line}"].append(item.nodeid)

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.failed.append(report.nodeid)

    def write(self, path: Path) -> None:
        path.write_text(json.dumps({"lines": self.lines, "seconds": self.seconds, "failed": self.failed}), "utf-8")
