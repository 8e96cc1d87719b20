"""Mistakes put into functions that are already loaded, so that nothing has to be imported again."""

import sys
from collections import defaultdict
from collections.abc import Iterator
from functools import cached_property, lru_cache
from types import CodeType, FunctionType
from typing import Any


class Loaded:
    """The functions and remembered results of some packages, among all things that are alive."""

    def __init__(self, things: list[object], *packages: str) -> None:
        self._functions: dict[str, list[FunctionType]] = defaultdict(list)
        self._caches: list[Any] = []
        lasting: dict[type, list[str]] = {}
        for one in things:
            if not str(getattr(one, "__module__", "")).startswith(packages):
                continue
            if isinstance(one, FunctionType):
                self._functions[one.__code__.co_filename].append(one)
            elif hasattr(type(one), "cache_clear"):
                self._caches.append(one)
            elif isinstance(one, type):
                lasting[one] = [name for name, it in vars(one).items() if isinstance(it, cached_property)]
        self._remembering = [(vars(one), type(one), names) for one in things if (names := lasting.get(type(one)))]

    def forget(self, users: frozenset[str] | None = None) -> None:
        """Drop what was remembered, in these modules or everywhere: computed before, it says nothing about a mistake made since."""
        for one in self._caches:
            if users is None or one.__module__ in users:
                one.cache_clear()
        for held, kind, names in self._remembering:
            if users is None or kind.__module__ in users:
                for name in names:
                    held.pop(name, None)

    def change(self, right: CodeType, wrong: CodeType) -> bool:
        """Put the functions of a module compiled with a mistake in place of the right ones; say whether all could be.

        They cannot where the mistake is in what runs at import, or where a function that is alive closes over other names by it.
        """
        changed = [pair for pair in _pairs(right, wrong) if pair[0] != pair[1]]
        done = False
        for old, new in changed:
            for function in self._functions[right.co_filename]:
                if function.__code__ == old:
                    if len(old.co_freevars) != len(new.co_freevars):
                        return False
                    function.__code__ = new
                    done = True
        return done


def _pairs(right: CodeType, wrong: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """Yield each function of a module with its counterpart, from the outermost inwards."""
    ours, theirs = ([one for one in code.co_consts if isinstance(one, CodeType)] for code in (right, wrong))
    named = defaultdict(list)
    for one in theirs:
        named[one.co_qualname, one.co_firstlineno].append(one)
    for one in ours:
        if others := named[one.co_qualname, one.co_firstlineno]:
            other = others.pop(0)
            yield one, other
            yield from _pairs(one, other)


@lru_cache
def users(path: str) -> frozenset[str]:
    """Return the loaded modules that use the one at `path`, directly or through others, and itself."""
    name = path.removesuffix(".py").replace("/", ".")
    used = {
        module: {str(getattr(one, "__module__", None) or getattr(one, "__name__", "")) for one in vars(loaded).values()}
        for module, loaded in list(sys.modules.items())
        if hasattr(loaded, "__dict__")
    }
    found, fresh = {name}, {name}
    while fresh:
        fresh = {module for module, names in used.items() if module not in found and names & fresh}
        found |= fresh
    return frozenset(found)
