"""What a parser under test is."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from bridge.errors import BridgeError
from tests.fuzz.mutate import mutated

Parse = Callable[[Random], object]


@dataclass(frozen=True)
class Target:
    """A parser. `share` of all inputs that it gets, in proportion to the others; `typed` are the errors that it may answer with."""

    name: str
    share: int
    parse: Parse
    typed: tuple[type[Exception], ...] = (BridgeError,)


def text(seeds: list[str], parse: Callable[[str], object]) -> Parse:
    """Return what feeds `parse` with changed text."""
    data = [seed.encode() for seed in seeds]
    return lambda random: parse(mutated(random, data).decode("utf-8", "replace"))
