"""Mutation testing: small mistakes are made in the modules that decide and deliver, and the unit tests must notice each.

`python -m tests.mutants [--count 400] [--seed 1] [--module bridge/deliver] [--all] [--map FILE]`

The sample depends on the seed alone. Each mistake is made in a process of its own, in memory; no file is changed. It is shown to the
unit tests that run its lines, the quickest first, until one fails. A test that hangs notices, too.
"""

import argparse
import contextlib
import importlib
import importlib.abc
import importlib.util
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.mutants.changes import Mutant, modules, mutants_of, mutated
from tests.mutants.covering import Covering

ROOT = Path(__file__).parents[2]
PLACES = ("bridge/policy", "bridge/deliver")
TESTS = tuple(
    f"tests/unit/{one}"
    for one in ("policy", "money", "deliver", "dun", "documents", "config", "cli", "replay", "store")
)
HEAVY = (
    "sqlalchemy", "sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql", "alembic.config", "alembic.command",
    "pydantic", "psycopg", "structlog", "jinja2", "babel.dates", "babel.numbers", "holidays", "lxml.etree",
    "requests", "authlib.integrations.requests_client", "tenacity", "cryptography.hazmat.primitives.ciphers.aead", "ruamel.yaml",
    "stdnum", "email.message", "responses", "aiosmtpd.smtp", "typst",
)  # fmt: skip
"""Imported once, before the processes part: none of them imports a module of ours."""

QUIET = ("-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "--no-header", "-k", "not postgres")
FIRST_SECONDS, ALL_SECONDS = 12.0, 40.0
"""Seconds of tests, by what they took when measured, that a mistake is shown to at first, and when it survives those."""


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
        code = compile(mutated(self._mutant, ROOT), str(ROOT / self._mutant.path), "exec", dont_inherit=True)
        exec(code, module.__dict__)


def _parted(work, seconds: float) -> int | None:
    """Do `work` in a process of its own; return its exit code, None where it took longer."""
    child = os.fork()
    if child == 0:
        os.setsid()
        nowhere = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nowhere, number)
        try:
            os._exit(int(work()))
        except BaseException:  # noqa: BLE001  a mistake may raise anything
            os._exit(1)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _measured(path: Path, watched: set[str]) -> dict:
    def measure() -> int:
        plugin = Covering(ROOT, watched)
        quiet = [one for one in QUIET if one != "-x"]
        pytest.main([*quiet, *TESTS], plugins=[plugin])
        plugin.write(path)
        return 0

    _parted(measure, 3600)
    found = json.loads(path.read_text("utf-8"))
    found["failed"] = set(found["failed"])
    return found


def _showing(mutant: Mutant, found: dict) -> list[str]:
    """Return the tests that run the lines of a mistake, the quickest first; what runs at import, those that use its module."""
    lines = found["lines"]
    if mutant.inside:
        wanted = [f"{mutant.path}:{line}" for line in range(mutant.first, mutant.last + 1)]
    else:
        wanted = [line for line in lines if line.startswith(mutant.path + ":")]
    tests = {test for line in wanted for test in lines.get(line, ())} - found["failed"]
    return sorted(tests, key=lambda one: (found["seconds"][one], one))


def _within(tests: list[str], seconds: dict, most: float) -> list[str]:
    chosen, spent = [], 0.0
    for one in tests:
        spent += seconds[one]
        if chosen and spent > most:
            break
        chosen.append(one)
    return chosen


def _judged(mutant: Mutant, found: dict) -> str:
    tests = _showing(mutant, found)
    if not tests:
        return "no test"
    first = _within(tests, found["seconds"], FIRST_SECONDS)
    for some in (first, _within(tests[len(first) :], found["seconds"], ALL_SECONDS)):
        if not some:
            continue

        def run(some=some) -> int:
            sys.meta_path.insert(0, _Mistaken(mutant))
            return int(pytest.main([*QUIET, *some])) != 0

        code = _parted(run, 60 + 10 * sum(found["seconds"][one] for one in some))
        if code is None:
            return "killed (hangs)"
        if code:
            return "killed"
    return "survived"


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    """Print each survivor, then the figures by module; return 1 where fewer than nine of ten were noticed."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("--count", type=int, default=400, help="how many mistakes are drawn")
    parser.add_argument("--seed", type=int, default=1, help="which are drawn")
    parser.add_argument("--all", action="store_true", help="every mistake, in place of a sample")
    parser.add_argument("--module", default="", help="only modules whose path begins so")
    parser.add_argument("--map", type=Path, help="file that keeps which test runs which line, for another start")
    asked = parser.parse_args()
    os.chdir(ROOT)
    for name in HEAVY:
        importlib.import_module(name)
    paths = list(modules(ROOT, PLACES))
    known = [one for path in paths for one in mutants_of(path, ROOT) if one.path.startswith(asked.module)]
    drawn = known if asked.all else random.Random(asked.seed).sample(known, min(asked.count, len(known)))
    with tempfile.TemporaryDirectory() as folder:
        path = asked.map or Path(folder) / "lines.json"
        began = time.monotonic()
        watched = {one.relative_to(ROOT).as_posix() for one in paths}
        if path.exists():
            found = json.loads(path.read_text("utf-8"))
            found["failed"] = set(found["failed"])
        else:
            found = _measured(path, watched)
        _say(
            f"{len(found['seconds'])} tests measured in {time.monotonic() - began:.0f} s; {len(drawn)} of {len(known)} mistakes, seed {asked.seed}"
        )
        return _all(drawn, found)


def _all(drawn: list[Mutant], found: dict) -> int:
    began, figures = time.monotonic(), Counter()
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    try:
        _each(drawn, found, figures, began)
    except KeyboardInterrupt:  # what is known by then is told
        _say("broken off")
    rows = sorted({path for path, _ in figures})
    for row in rows:
        _line(row, figures[row, True], figures[row, False])
    for place in (*PLACES, ""):
        good = sum(count for (path, killed), count in figures.items() if killed and path.startswith(place))
        bad = sum(count for (path, killed), count in figures.items() if not killed and path.startswith(place))
        _line(place or "all", good, bad)
    _say(f"{time.monotonic() - began:.0f} s")
    return 0 if good >= 9 * bad else 1


def _line(name: str, good: int, bad: int) -> None:
    if good + bad:
        _say(f"{name:45} killed {good:4}  survived {bad:4}  {100 * good / (good + bad):5.1f} %")


def _each(drawn: list[Mutant], found: dict, figures: Counter, began: float) -> None:
    for number, mutant in enumerate(drawn, 1):
        verdict = _judged(mutant, found)
        killed = verdict.startswith("killed")
        figures[mutant.path, killed] += 1
        if not killed:
            _say(f"{verdict}: {mutant.name}")
        if number % 50 == 0:
            _say(f"... {number} of {len(drawn)} in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
