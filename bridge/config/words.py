"""Pydantic's findings in our words."""

from typing import Any

from pydantic import BaseModel, ValidationError

from bridge.config.problems import Problem, suggestion
from bridge.config.reading import Document, Path_, dotted
from bridge.config.shape import Shape
from bridge.words import Sentence
from bridge.words.misfits import misfit


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
        text, hint = misfit(item), Sentence("")
        if kind == "extra_forbidden":
            hint = suggestion(str(where[-1]), shape.known(where[:-1]))
        elif kind in {"missing", "union_tag_not_found"}:
            info = shape.field(where)
            hint = Sentence(info.description or "") if info else hint
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
