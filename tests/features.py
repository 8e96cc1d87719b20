"""Print which rows of the feature list are proven by a marked test, and which are not: `python -m tests.features`.

A row is proven for the command line by `@pytest.mark.feature("S-AMX-1")`, for the console by `feature("S-AMX-1", on="console")`.
Whether the tests pass is what `make test` says; this only counts what they claim. Exit code 1 where a test names an unknown row.
"""

import contextlib
import io
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from ruamel.yaml import YAML

LIST = Path(__file__).with_name("features.yaml")


class Collector:
    """Collects (row, column) -> names of tests, without running them."""

    def __init__(self) -> None:
        self.tests: dict[tuple[str, str], set[str]] = defaultdict(set)
        self.errors: list[str] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            for marker in item.iter_markers("feature"):
                for row in marker.args:
                    self.tests[row, marker.kwargs.get("on", "cli")].add(item.nodeid.split("[")[0])

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.errors.append(str(report.longrepr))


def main() -> int:
    """Print the table and return the exit code."""
    groups: dict[str, dict[str, str]] = YAML(typ="safe", pure=True).load(LIST.read_text("utf-8"))
    known = {row for rows in groups.values() for row in rows}
    collector = Collector()
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main(
            [
                "--collect-only",
                "-q",
                "-p",
                "no:cacheprovider",
                "-p",
                "no:xdist",
                "-o",
                "addopts=--import-mode=importlib",
            ],
            plugins=[collector],
        )
    if collector.errors:
        print("\n".join(collector.errors))
        return 1
    done = 0
    unproven: list[str] = []
    for group, rows in groups.items():
        print(f"\n{group}")
        for row, title in rows.items():
            cli, console = collector.tests.get((row, "cli"), set()), collector.tests.get((row, "console"), set())
            done += bool(cli)
            if not cli:
                unproven.append(row)
            print(f"  {row:<22} {'command line' if cli else '-':<13} {'console' if console else '-':<8} {title}")
    print(f"\nproven for the command line: {done} of {len(known)}")
    print(f"not proven ({len(unproven)}): {', '.join(unproven)}")
    unknown = sorted({row for row, _ in collector.tests} - known)
    if unknown:
        print(f"tests name rows that are not in the list: {', '.join(unknown)}")
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
