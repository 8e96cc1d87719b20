"""Mutation testing: small mistakes are made in the modules that decide and deliver, and the unit tests must notice each.

`python -m tests.mutants [--count 400] [--seed 1] [--jobs 2] [--seconds 4] [--tests tests/unit/policy] [bridge/policy/holds.py ...]`

All mistakes, or `--count` of them, drawn by the seed alone, each with the same chance. No file is changed: tests are collected once, and
each mistake is put into the loaded functions of a fork. It is shown to the unit tests that run its lines, the quickest first, until
one fails; a test that hangs notices, too. What survives those that take `--seconds` is shown to ten times as many. Mistakes in what runs
at import are tried by importing everything anew. Lines that `raise`, what is logged, decorators and defaults of arguments are not tried.
Mistakes that change nothing stand in `equal.yaml`, with the reason.
"""

import argparse
import importlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.mutants.changes import Mutant, modules, mutants_of
from tests.mutants.covering import Seen
from tests.mutants.judging import QUIET, ROOT, Collected, judged_anew
from tests.mutants.parted import lanes

PLACES = ("bridge/policy", "bridge/deliver")
TESTS = tuple(f"tests/unit/{one}" for one in ("policy", "money", "deliver", "dun", "documents", "config", "replay"))
PATIENCE = 10
"""How many times as long a mistake that survived the quickest tests is shown to more."""
HEAVY = (
    "sqlalchemy", "sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql", "alembic.config", "alembic.command",
    "pydantic", "psycopg", "structlog", "jinja2", "babel.dates", "babel.numbers", "holidays", "lxml.etree",
    "requests", "authlib.integrations.requests_client", "tenacity", "cryptography.hazmat.primitives.ciphers.aead", "ruamel.yaml",
    "stdnum", "email.message", "responses", "aiosmtpd.smtp", "typst",
)  # fmt: skip
"""Imported once, before the processes part: none of them imports a module of ours."""


def equal() -> dict[tuple[str, str], str]:
    """Return the mistakes that change nothing, by module and name, each with the reason."""
    listed = YAML(typ="safe").load(Path(__file__).with_name("equal.yaml")) or {}
    return {(path, name): reason for path, names in listed.items() for name, reason in names.items()}


def drawn(asked: argparse.Namespace) -> list[Mutant]:
    """Return the mistakes to make: all in the order of modules and lines, or so many by the seed, of which the first are a fair sample too."""
    listed = equal()
    known = [
        one
        for path in modules(ROOT, PLACES)
        for one in mutants_of(path, ROOT)
        if one.path.startswith(tuple(asked.modules)) and (one.path, one.name) not in listed
    ]
    if not asked.count or asked.count >= len(known):
        return known
    return random.Random(asked.seed).sample(known, asked.count)


class Run:
    """One run over the drawn mistakes; verdicts are written to files, one for each process that judges."""

    def __init__(self, mutants: list[Mutant], jobs: int, most: float, folder: Path) -> None:
        self._mutants, self._jobs, self._most, self._folder = mutants, jobs, most, folder
        self._seen = Seen()

    def collected(self, tests: Collected) -> None:
        """Measure the tests, then judge all mistakes inside functions."""
        began = time.monotonic()
        self._measure(tests)
        say(
            f"{len(self._seen.seconds)} tests measured in {time.monotonic() - began:.0f} s; {len(self._mutants)} mistakes"
        )
        if self._seen.failed:
            say(f"left out, for they fail without any mistake: {', '.join(sorted(self._seen.failed))}")
        right = {
            path: compile((ROOT / path).read_text("utf-8"), str(ROOT / path), "exec", dont_inherit=True)
            for path in {one.path for one in self._mutants}
        }
        inside = [number for number, one in enumerate(self._mutants) if one.inside]
        self._twice("1 loaded", inside, lambda one, most: tests.judged(one, right[one.path], self._seen, most))

    def _measure(self, tests: Collected) -> None:
        path = self._folder / "seen.json"

        def measure(_lane: int) -> None:
            seen = tests.measured({one.path for one in self._mutants})
            path.write_text(json.dumps([seen.lines, seen.seconds, sorted(seen.failed)]), "utf-8")

        lanes(1, measure, silent=True)
        lines, seconds, failed = json.loads(path.read_text("utf-8"))
        self._seen = Seen(lines, seconds, set(failed))

    def anew(self) -> None:
        """Judge the rest by importing everything anew."""
        lines, seconds, failed = json.loads((self._folder / "seen.json").read_text("utf-8"))
        self._seen = Seen(lines, seconds, set(failed))
        known = self.verdicts()
        rest = [number for number in range(len(self._mutants)) if known.get(number, "anew") == "anew"]
        self._twice("2 anew", rest, lambda one, most: judged_anew(one, self._seen, most))

    def _twice(self, name: str, numbers: list[int], judge: Callable[[Mutant, float], str]) -> None:
        """Judge by the quickest tests, and what survives them by more; name what survives."""
        self._lanes(f"{name} 1", numbers, lambda one: judge(one, self._most))
        known = self.verdicts()
        left = [number for number in numbers if known.get(number) == "survived"]
        say(f"{len(left)} of {len(numbers)} survived the quickest tests and are shown to more")
        self._lanes(f"{name} 2", left, lambda one: judge(one, PATIENCE * self._most))
        known = self.verdicts()
        for number in numbers:
            if known.get(number) in ("survived", "no test"):
                say(f"{known[number]}: {self._mutants[number]}")

    def _lanes(self, name: str, numbers: list[int], judge: Callable[[Mutant], str]) -> None:
        def work(lane: int) -> None:
            with (self._folder / f"{name} {lane}.txt").open("w", encoding="utf-8") as file:
                for number in numbers[lane :: self._jobs]:
                    file.write(f"{number} {judge(self._mutants[number])}\n")
                    file.flush()

        lanes(self._jobs, work)

    def verdicts(self) -> dict[int, str]:
        """Return what is known by now, by number of the mistake."""
        lines = [line for file in sorted(self._folder.glob("*.txt")) for line in file.read_text("utf-8").splitlines()]
        return {int(number): verdict for number, _, verdict in (line.partition(" ") for line in lines)}


def tell(mutants: list[Mutant], verdicts: dict[int, str]) -> int:
    """Print the figures by module and altogether; return 1 where a package has fewer than nine of ten noticed."""
    figures = Counter((mutants[number].path, verdict) for number, verdict in verdicts.items())
    code = 0
    for row in (*sorted({path for path, _ in figures}), *PLACES, "bridge"):
        killed, survived, untested = (
            sum(count for (path, one), count in figures.items() if one == verdict and path.startswith(row))
            for verdict in ("killed", "survived", "no test")
        )
        if every := killed + survived + untested:
            share = 100 * killed / every
            say(f"{row:40} killed {killed:4}  survived {survived:3}  run by no test {untested:3}  {share:5.1f} %")
            code = max(code, int(row in PLACES and share < 90))
    if left := len(mutants) - len([one for one in verdicts.values() if one != "anew"]):
        say(f"not tried: {left}")
    say(f"left out, for they change nothing: {len(equal())}, see tests/mutants/equal.yaml")
    return code


def say(text: str) -> None:
    """Print a line at once, also from a process that shares the output."""
    os.write(1, f"{text}\n".encode())


def _collected(tests: Sequence[str], run: Run) -> None:
    with Path(os.devnull).open("w", encoding="utf-8") as sys.stdout:  # what pytest says of its own
        pytest.main([*QUIET, *tests], plugins=[Collected(run.collected, say)])


def main() -> int:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants")
    parser.add_argument("modules", nargs="*", default=PLACES, help="paths of modules or packages, all by default")
    parser.add_argument("--count", type=int, default=0, help="how many mistakes are drawn; all by default")
    parser.add_argument("--seed", type=int, default=1, help="which are drawn")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="how many processes judge")
    parser.add_argument(
        "--seconds", type=float, default=4.0, help="of tests that a mistake is shown to first, the quickest"
    )
    parser.add_argument("--tests", action="append", help="only these tests; may be given several times")
    asked = parser.parse_args()
    os.chdir(ROOT)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for name in HEAVY:
        importlib.import_module(name)
    mutants, began = drawn(asked), time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        run = Run(mutants, asked.jobs, asked.seconds, Path(folder))
        try:
            lanes(1, lambda _: _collected(asked.tests or TESTS, run))
            run.anew()
        except KeyboardInterrupt:
            say("broken off; by then")
        code = tell(mutants, run.verdicts())
    say(f"{time.monotonic() - began:.0f} s, {asked.jobs} processes, seed {asked.seed}")
    return code


if __name__ == "__main__":
    sys.exit(main())
