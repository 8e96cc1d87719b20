"""What pydantic finds wrong with a value, in our words."""

import re
from collections.abc import Mapping
from typing import Any

from bridge.words import Sentence, quoted

_BOOL = Sentence("expected true or false")
_WHOLE = Sentence("expected a whole number")
_AMOUNT = Sentence("expected an amount such as 12.50")
_NUMBER = Sentence("expected a number")
_LIST = Sentence("expected a list such as [a, b]")
_KEYS = Sentence("expected keys and values below it")
_DATE = Sentence("expected a date such as 2026-09-01")
_INSTANT = Sentence("expected an instant such as 2026-09-01T08:00:10+02:00")
_TIME = Sentence("expected a time of day such as 07:30")
_URL = Sentence("expected a URL such as https://example.com")
_TEXT = Sentence("expected text")
_MISSING = Sentence("this key is missing")

MISFITS: Mapping[str, Sentence] = {
    "bool_parsing": _BOOL,
    "bool_type": _BOOL,
    "date_from_datetime_inexact": Sentence("expected a date without a time"),
    "date_from_datetime_parsing": _DATE,
    "date_parsing": _DATE,
    "date_type": _DATE,
    "datetime_from_date_parsing": _INSTANT,
    "datetime_parsing": _INSTANT,
    "datetime_type": _INSTANT,
    "decimal_parsing": _AMOUNT,
    "decimal_type": _AMOUNT,
    "dict_type": _KEYS,
    "extra_forbidden": Sentence("there is no such key"),
    "finite_number": _NUMBER,
    "float_parsing": _NUMBER,
    "float_type": _NUMBER,
    "frozen_set_type": _LIST,
    "int_from_float": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_type": _WHOLE,
    "list_type": _LIST,
    "mapping_type": _KEYS,
    "missing": _MISSING,
    "model_attributes_type": _KEYS,
    "model_type": _KEYS,
    "path_type": Sentence("expected a file or folder name"),
    "set_type": _LIST,
    "string_type": _TEXT,
    "string_sub_type": _TEXT,
    "time_parsing": _TIME,
    "time_type": _TIME,
    "timezone_aware": _INSTANT,
    "tuple_type": _LIST,
    "union_tag_not_found": _MISSING,
    "url_parsing": _URL,
    "url_scheme": _URL,
}
"""Kinds of findings whose words need no facts."""


def misfit(found: Mapping[str, Any]) -> Sentence:
    """Return one item of `ValidationError.errors()` as a sentence; a kind that is not known here keeps pydantic's English."""
    kind, facts = found["type"], dict(found.get("ctx") or {})
    if kind in MISFITS:
        return MISFITS[kind]
    if kind == "value_error":
        return _raised(facts.get("error"), found["msg"])
    return _measured(kind, facts) or Sentence(str(found["msg"]))


def _raised(error: Any, message: str) -> Sentence:
    said = getattr(error, "sentence", None)
    return said if isinstance(said, Sentence) else Sentence(str(message).removeprefix("Value error, "))


def _measured(kind: str, facts: Mapping[str, Any]) -> Sentence | None:
    """Return the sentence of a finding that names what would be right, None where the kind is not known."""
    if kind in {"enum", "literal_error", "union_tag_invalid"}:
        *most, last = re.split(r", | or ", str(facts.get("expected") or facts.get("expected_tags")))
        named = Sentence("{most} or {last}", most=most, last=last) if most else quoted(last)
        return Sentence("expected one of {known}", known=named)
    if kind == "greater_than_equal":
        return Sentence("must be at least {limit}", limit=facts["ge"])
    if kind == "greater_than":
        return Sentence("must be more than {limit}", limit=facts["gt"])
    if kind == "less_than_equal":
        return Sentence("must be at most {limit}", limit=facts["le"])
    if kind == "less_than":
        return Sentence("must be less than {limit}", limit=facts["lt"])
    if kind == "string_pattern_mismatch":
        return Sentence("does not fit the pattern {pattern}", pattern=facts["pattern"])
    if kind == "string_too_short":
        return Sentence("must have at least {limit} {limit|character|characters}", limit=facts["min_length"])
    if kind == "string_too_long":
        return Sentence("must have at most {limit} {limit|character|characters}", limit=facts["max_length"])
    if kind == "too_short":
        return Sentence("needs at least {limit}", limit=facts["min_length"])
    if kind == "too_long":
        return Sentence("has more than {limit}", limit=facts["max_length"])
    if kind == "decimal_max_places":
        return Sentence("has more than {limit} decimal places", limit=facts["decimal_places"])
    return None
