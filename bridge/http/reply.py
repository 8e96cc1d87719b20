"""What a provider answered, and how its JSON is read: exactly, and safely for hostile input."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from bridge.errors import BadAnswer

T = TypeVar("T")
_LARGEST_EXPONENT = 400
_LONGEST_INTEGER = 400
_HALF = re.compile(rb"\\u[dD][89a-fA-F]|\xed[\xa0-\xbf]")
_SURROGATE = re.compile("[\ud800-\udfff]")
DEEPEST = 64
"""Levels of lists and objects in an answer; no provider nests further, and what does is not read."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer: `data` is the parsed JSON (numbers as int or Decimal) or None where the body is no JSON."""

    status: int
    headers: Mapping[str, str]
    content: bytes = field(repr=False)
    data: Any = field(repr=False)

    def expect(self, kind: type[T]) -> T:
        """Return `data` if it is of this type (`dict`, `list`), else raise `BadAnswer`."""
        if not isinstance(self.data, kind):
            raise BadAnswer(
                "expected {wanted} as answer, got {found}",
                wanted=kind.__name__,
                found=type(self.data).__name__,
                cause="bad_answer:type",
            )
        return self.data


def _number(text: str) -> Decimal | str:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    exponent = number.as_tuple().exponent
    return number if isinstance(exponent, int) and abs(exponent) <= _LARGEST_EXPONENT else text


def _integer(text: str) -> int | str:
    return int(text) if len(text) <= _LONGEST_INTEGER else text


def parse_json(content: bytes) -> Any:
    """Return the JSON of `content` with numbers as int or Decimal, None where it is none, or deeper than `DEEPEST`.

    A number that is none (NaN, Infinity), or that nobody can compute with (1e999), is the text that stands there: it fits no field for
    numbers, so the one record is set aside that holds it, and not the whole answer.
    """
    try:
        data = json.loads(content, parse_float=_number, parse_int=_integer, parse_constant=str)
    except (ValueError, RecursionError):
        return None
    if nested_too_deep(data):
        return None
    return _whole(data) if _HALF.search(content) or b"\0" in content[:4] else data


def _whole(data: Any) -> Any:
    """Return `data` with a replacement sign for each half of a sign, which no database and no file takes."""
    if isinstance(data, str):
        return _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", data)
    if isinstance(data, list):
        return [_whole(one) for one in data]
    if isinstance(data, dict):
        return {_whole(name): _whole(value) for name, value in data.items()}
    return data


def nested_too_deep(data: Any) -> bool:
    """Return whether `data` is nested so far that code which follows its levels could run out of stack."""
    level = [data]
    for _ in range(DEEPEST):
        inner: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                inner.extend(one.values())
            elif isinstance(one, list):
                inner.extend(one)
        if not inner:
            return False
        level = inner
    return any(isinstance(one, dict | list) for one in level)


def is_html(reply_headers: Mapping[str, str], content: bytes) -> bool:
    """Tell whether the answer is a page for people: a login wall, a load balancer's error page."""
    start = content[:200].lstrip().lower()
    return "text/html" in reply_headers.get("Content-Type", "").lower() or start.startswith(
        (b"<!doctype html", b"<html")
    )
