"""`make fuzz`: a million inputs over all parsers; counts per parser, and for each that broke how to feed it again."""

import argparse
import signal
import sys
import time
import traceback
import warnings
from random import Random

from tests.fuzz.targets import Target, targets

LONGEST = 10.0
"""Seconds of computing after which an input counts as one that never ends."""


class Hang(BaseException):
    """An input took too long."""


def feed(target: Target, number: int) -> str | None:
    """Feed one parser its input of this number; return what went wrong, or None."""
    signal.setitimer(signal.ITIMER_VIRTUAL, LONGEST)
    try:
        target.parse(Random(f"{target.name} {number}"))
    except Hang:
        return "never ended"
    except Exception as error:  # noqa: BLE001  what is looked for
        place = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} in {place.filename.rpartition('/')[2]}:{place.lineno}: {str(error)[:120]}"
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return None


def run(every: list[Target], count: int, first: int = 0) -> dict[str, list[tuple[int, str]]]:
    """Feed `count` inputs, shared among the parsers; return what went wrong by parser, with the number of the input."""
    signal.signal(signal.SIGVTALRM, _struck)
    whole = sum(target.share for target in every)
    wrong: dict[str, list[tuple[int, str]]] = {}
    for target in every:
        mine = max(1, count * target.share // whole)
        began = time.monotonic()
        found = [(number, said) for number in range(first, first + mine) if (said := feed(target, number)) is not None]
        wrong[target.name] = found
        print(f"{target.name:14} {mine:9,} inputs {len(found):5} wrong {time.monotonic() - began:8.1f} s", flush=True)
        for number, said in found[:20]:
            print(f"    python -m tests.fuzz --parser {target.name} --first {number} --count 1    {said}", flush=True)
    return wrong


def _struck(*_: object) -> None:
    raise Hang


def main() -> int:
    """Run what the command line asks for; 1 where anything went wrong."""
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz")
    asked.add_argument("--count", type=int, default=1_000_000)
    asked.add_argument("--first", type=int, default=0)
    asked.add_argument("--parser")
    chosen = asked.parse_args()
    began = time.monotonic()
    warnings.simplefilter("ignore")
    with targets() as every:
        some = [one for one in every if chosen.parser in (None, one.name)]
        wrong = run(some, chosen.count, chosen.first)
    bad = sum(map(len, wrong.values()))
    print(
        f"{chosen.count:,} inputs over {len(some)} parsers, {bad} without a typed error, {time.monotonic() - began:.0f} s"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
