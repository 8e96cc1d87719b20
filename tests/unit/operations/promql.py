"""As much of PromQL as the alerts use: read strictly, so that what Prometheus would refuse is refused here."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_TOKEN = re.compile(
    r'\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[a-zA-Z_:][\w:]*)|(?P<text>"(?:[^"\\\n]|\\.)*")|(?P<range>\[\d+[smhdwy]\])|(?P<sign>=~|!~|!=|==|>=|<=|[-+*/%(){},=<>]))'
)
_FUNCTIONS = {"abs": "i", "absent": "i", "time": "", "increase": "r", "rate": "r", "predict_linear": "rs"}
"""What they take: an instant vector, a range vector, a scalar."""
_AGGREGATES = {"sum", "min", "max", "count", "avg"}
_LEVELS = (("or",), ("and", "unless"), ("==", "!=", ">", "<", ">=", "<="), ("+", "-"), ("*", "/", "%"))


class Selector(NamedTuple):
    """A metric that an expression asks for, with the values that its labels are compared with."""

    metric: str
    labels: tuple[tuple[str, str, str], ...]


class Reader:
    """One expression; raises `ValueError` where it is none. `selectors` is what it asks for."""

    def __init__(self, text: str) -> None:
        self.selectors: list[Selector] = []
        self._tokens = [*_tokens(text), ("end", "")]
        self.kind = self._binary(0)
        self._take("end")

    def _take(self, *wanted: str) -> str:
        kind, text = self._tokens.pop(0)
        if kind not in wanted and text not in wanted:
            raise ValueError(f"{text or 'the end'!r} where {wanted} is expected")
        return text

    def _sees(self, *wanted: str) -> bool:
        return self._tokens[0][1] in wanted

    def _binary(self, level: int) -> str:
        if level == len(_LEVELS):
            return self._one()
        kind = self._binary(level + 1)
        while self._sees(*_LEVELS[level]):
            self._take(*_LEVELS[level])
            right = self._binary(level + 1)
            if "r" in (kind, right) or (level < 2 and "s" in (kind, right)):
                raise ValueError(f"{kind} and {right} cannot stand on the sides of an operator of {_LEVELS[level]}")
            kind = "s" if kind == right == "s" else "i"
        return kind

    def _one(self) -> str:
        if self._sees("("):
            self._take("(")
            kind = self._binary(0)
            self._take(")")
            return kind
        if self._tokens[0][0] == "number":
            self._take("number")
            return "s"
        name = self._take("name")
        if name in _AGGREGATES:
            self._arguments(name, "i")
            return "i"
        if name in _FUNCTIONS:
            self._arguments(name, _FUNCTIONS[name])
            return "s" if name == "time" else "i"
        return self._selector(name)

    def _arguments(self, name: str, kinds: str) -> None:
        self._take("(")
        for number, kind in enumerate(kinds):
            if number:
                self._take(",")
            if self._binary(0) != kind:
                raise ValueError(f"{name} wants {kind} as argument {number + 1}")
        self._take(")")

    def _selector(self, metric: str) -> str:
        labels = []
        if self._sees("{"):
            self._take("{")
            while not self._sees("}"):
                label, how = self._take("name"), self._take("=", "!=", "=~", "!~")
                labels.append((label, how, self._take("text")[1:-1]))
                if not self._sees("}"):
                    self._take(",")
            self._take("}")
        self.selectors.append(Selector(metric, tuple(labels)))
        if self._tokens[0][0] == "range":
            self._take("range")
            return "r"
        return "i"


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(text.rstrip()):
        found = _TOKEN.match(text, place)
        if found is None or found.lastgroup is None:
            raise ValueError(f"{text[place:]!r} is no PromQL")
        yield found.lastgroup, found[found.lastgroup]
        place = found.end()
