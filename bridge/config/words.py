"""Pydantic's findings in our words."""

from typing import Any

from pydantic import BaseModel, ValidationError

from bridge.config.problems import Problem, suggestion
from bridge.config.reading import Document, Path_, dotted
from bridge.config.shape import Shape

_TEXTS = {
    "bool_parsing": "expected true or false",
    "bool_type": "expected true or false",
    "int_parsing": "expected a whole number",
    "int_type": "expected a whole number",
    "int_from_float": "expected a whole number",
    "decimal_parsing": "expected an amount such as 12.50",
    "decimal_type": "expected an amount such as 12.50",
    "float_parsing": "expected a number",
    "float_type": "expected a number",
    "string_type": "expected text",
    "tuple_type": "expected a list such as [a, b]",
    "list_type": "expected a list such as [a, b]",
    "frozen_set_type": "expected a list such as [a, b]",
    "set_type": "expected a list such as [a, b]",
    "dict_type": "expected keys and values below it",
    "model_type": "expected keys and values below it",
    "model_attributes_type": "expected keys and values below it",
    "date_parsing": "expected a date such as 2026-09-01",
    "date_type": "expected a date such as 2026-09-01",
    "date_from_datetime_parsing": "expected a date such as 2026-09-01",
    "date_from_datetime_inexact": "expected a date without a time",
    "path_type": "expected a file or folder name",
    "url_parsing": "expected a URL such as https://example.com",
    "url_scheme": "expected a URL such as https://example.com",
}


def explain(error: ValidationError, data: Any, path: Path_, document: Document, shape: Shape) -> list[Problem]:
    """Return one problem per finding of `error`, raised for `data` at `path`."""
    found: list[Problem] = []
    seen: set[tuple[Path_, str]] = set()
    for item in error.errors(include_url=False):
        where = (*path, *_real(item["loc"], data))
        kind, context = item["type"], item.get("ctx", {})
        if kind.startswith("union_tag"):
            tag = str(context.get("discriminator", "")).strip("'")
            where = (*where, tag)
        text, hint = _text(kind, context, item["msg"]), ""
        if kind == "extra_forbidden":
            hint = suggestion(str(where[-1]), shape.known(where[:-1]))
        elif kind in {"missing", "union_tag_not_found"}:
            info = shape.field(where)
            hint = info.description or "" if info else ""
        value = _value(document.data, where)
        hidden = (
            shape.is_secret(where)
            or isinstance(value, dict | list | BaseModel)
            or kind in {"missing", "extra_forbidden"}
        )
        if (where, text) in seen:
            continue
        seen.add((where, text))
        found.append(Problem(document.place(where), dotted(where), text, value=None if hidden else value, hint=hint))
    return found


def _real(location: tuple[int | str, ...], data: Any) -> Path_:
    """Drop the names of union members that pydantic puts between the keys."""
    path: list[int | str] = []
    node: Any = data
    for index, step in enumerate(location):
        if (isinstance(node, dict) and step in node) or (
            isinstance(node, list | tuple) and isinstance(step, int) and step < len(node)
        ):
            path.append(step)
            node = _value(node, (step,))
        elif index == len(location) - 1 and isinstance(node, dict) and isinstance(step, str) and step.isidentifier():
            path.append(step)
    return tuple(path)


def _value(data: Any, path: Path_) -> Any:
    for step in path:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _text(kind: str, context: dict[str, Any], message: str) -> str:
    if kind == "extra_forbidden":
        return "unknown key"
    if kind in {"missing", "union_tag_not_found"}:
        return "this key is missing"
    if kind == "union_tag_invalid":
        return f"expected one of {context.get('expected_tags')}"
    if kind in {"enum", "literal_error"}:
        return f"expected one of {context.get('expected')}"
    if kind in {"greater_than_equal", "greater_than"}:
        limit = context.get("ge", context.get("gt"))
        return f"must be {'at least' if kind == 'greater_than_equal' else 'more than'} {limit}"
    if kind in {"less_than_equal", "less_than"}:
        limit = context.get("le", context.get("lt"))
        return f"must be {'at most' if kind == 'less_than_equal' else 'less than'} {limit}"
    if kind == "string_pattern_mismatch":
        return f"does not fit the pattern {context.get('pattern')}"
    if kind == "value_error":
        return str(context.get("error", message)).removeprefix("Value error, ")
    return _TEXTS.get(kind, message[:1].lower() + message[1:])
