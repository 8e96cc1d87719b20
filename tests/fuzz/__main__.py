"""`make fuzz`: a million inputs over all parsers; counts per parser, and for each that broke how to feed it again."""

import argparse
import json
import logging
import resource
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import structlog

from tests.fuzz.target import Target
from tests.fuzz.targets import targets

LONGEST = 3.0
"""Seconds of computing (user and system time of this process, however busy the machine is) after which an input is one that never ends."""

MEMORY = 4 << 30
"""Bytes of address space of the whole run; an input that wants more fails as one that broke its parser."""

PIECE = 500
"""Inputs of one parser in a row; what is kept is kept after each piece."""


class Hang(BaseException):
    """An input took too long."""


@dataclass
class Fed:
    """What came of some inputs: how many, how many were refused with a type, what went wrong, and computing time in seconds."""

    inputs: int = 0
    refused: int = 0
    seconds: float = 0.0
    slowest: tuple[float, int] = (0.0, 0)
    wrong: list[tuple[int, str]] = field(default_factory=list)

    def add(self, other: "Fed") -> None:
        """Add what came of others."""
        self.inputs += other.inputs
        self.refused += other.refused
        self.seconds += other.seconds
        self.slowest = max(self.slowest, tuple(other.slowest))  # type: ignore[type-var]
        self.wrong += [(number, said) for number, said in other.wrong]


def feed(target: Target, number: int, fed: Fed) -> None:
    """Feed one parser its input of this number."""
    said = None
    began = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, LONGEST)
    try:
        target.parse(Random(f"{target.name} {number}"))
    except target.typed:
        fed.refused += 1
    except Hang:
        said = "never ended"
    except Exception as error:  # noqa: BLE001  what is looked for
        place = traceback.extract_tb(error.__traceback__)[-1]
        said = f"{type(error).__name__} in {place.filename.rpartition('/')[2]}:{place.lineno}: {str(error)[:120]}"
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    took = time.process_time() - began
    if said is None and took > LONGEST:
        said = f"took {took:.1f} s"
    fed.inputs += 1
    fed.seconds += took
    fed.slowest = max(fed.slowest, (took, number))
    if said is not None:
        fed.wrong.append((number, said))


@contextmanager
def watched() -> Iterator[None]:
    """Interrupt what never ends, within."""
    before = signal.signal(signal.SIGPROF, _struck)
    try:
        yield
    finally:
        signal.signal(signal.SIGPROF, before)


def _struck(*_: object) -> None:
    raise Hang


def pieces(every: Sequence[Target], count: int, first: int) -> Iterator[tuple[Target, int, int]]:
    """Yield which parser gets which inputs: `count` in all, shared by weight, in turns of `PIECE`."""
    whole = sum(one.share for one in every)
    left = {one.name: max(1, round(count * one.share / whole)) for one in every}
    begin = dict.fromkeys(left, first)
    while any(left.values()):
        for one in every:
            size = min(PIECE, left[one.name])
            if size:
                yield one, begin[one.name], size
                begin[one.name] += size
                left[one.name] -= size


def run(every: Sequence[Target], count: int, first: int = 0, keep: Path | None = None) -> dict[str, Fed]:
    """Feed `count` inputs, shared among the parsers; return what came of it by parser.

    In the folder `keep` each piece is noted as it is done; what is noted there already is not fed again.
    """
    found = {one.name: Fed() for one in every}
    known = _known(keep)
    with watched():
        for target, begin, size in pieces(every, count, first):
            fed = known.get((target.name, begin, size))
            if fed is None:
                fed = Fed()
                for number in range(begin, begin + size):
                    feed(target, number, fed)
                _note(keep, target.name, begin, fed)
            found[target.name].add(fed)
    return found


def _known(keep: Path | None) -> dict[tuple[str, int, int], Fed]:
    found = {}
    for path in keep.glob("*.jsonl") if keep else ():
        for line in path.read_text("utf-8").splitlines():
            name, begin, fed = json.loads(line)
            found[name, begin, fed["inputs"]] = Fed(**fed)
    return found


def _note(keep: Path | None, name: str, begin: int, fed: Fed) -> None:
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        with (keep / f"{name}.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps([name, begin, vars(fed)]) + "\n")


def tell(name: str, fed: Fed) -> None:
    """Print what came of one parser's inputs."""
    slowest, number = fed.slowest
    print(
        f"{name:16} {fed.inputs:9,} inputs {fed.refused:9,} refused {len(fed.wrong):5} wrong {fed.seconds:8.1f} s,"
        f" the slowest {slowest * 1000:6.0f} ms (number {number})"
    )
    for at, said in fed.wrong[:20]:
        print(f"    python -m tests.fuzz --parser {name} --first {at} --count 1    {said}", flush=True)


def main() -> int:
    """Run what the command line asks for; 1 where anything went wrong."""
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz")
    asked.add_argument("--count", type=int, default=1_000_000)
    asked.add_argument("--first", type=int, default=0)
    asked.add_argument("--parser", action="append")
    asked.add_argument("--keep", type=Path)
    chosen = asked.parse_args()
    warnings.simplefilter("ignore")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with targets() as every:
        some = [one for one in every if not chosen.parser or one.name in chosen.parser]
        found = run(some, chosen.count, chosen.first, chosen.keep)
    for name, fed in found.items():
        tell(name, fed)
    whole = Fed()
    for fed in found.values():
        whole.add(fed)
    print(
        f"{whole.inputs:,} inputs over {len(found)} parsers, {len(whole.wrong)} without a typed error, {whole.seconds:.0f} s of computing"
    )
    return 1 if whole.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
