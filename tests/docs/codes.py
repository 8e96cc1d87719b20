"""Finds every cause of an error and every code of a finding in the source."""

import ast
import itertools
from collections.abc import Iterator
from pathlib import Path

from bridge.model import Reason

ROOT = Path(__file__).parents[2]
SKIPPED = ("sandbox", "testing", "demo", "migrations/versions")
PLACES = {"_park": 0, "_lose": 0, "_give_up": 2, "_broken_off": 3}
"""Functions of our own that take a cause without naming it, and at which place."""


def sources() -> Iterator[Path]:
    """Yield the files of the program, without sandboxes and tests of providers."""
    for room in ("bridge", "connectors"):
        for path in sorted((ROOT / room).rglob("*.py")):
            if not any(word in path.relative_to(ROOT).as_posix() for word in SKIPPED):
                yield path


def codes() -> dict[str, str]:
    """Return every code with the file that uses it; a family such as `http_503` as `http_<...>`."""
    found: dict[str, str] = {}
    for path in sources():
        name = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            for code in _codes(node):
                found.setdefault(code, name)
    outcome = ast.parse((ROOT / "bridge/http/outcome.py").read_text(encoding="utf-8"))
    for node in ast.walk(outcome):
        if isinstance(node, ast.FunctionDef) and node.name == "why":
            for inner in ast.walk(node):
                if isinstance(inner, ast.Return) and inner.value is not None:
                    found |= dict.fromkeys(_texts(inner.value), "bridge/http/outcome.py")
    return found


def _codes(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.keyword) and node.arg in ("cause", "code"):
        yield from _texts(node.value)
    elif isinstance(node, ast.Call):
        yield from _of_call(node)
    elif isinstance(node, ast.Tuple):
        yield from _after_severity(node.elts)
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and key.value in ("cause", "code"):
                yield from _texts(value)
    elif isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "cause" and node.value is not None:
        yield from _texts(node.value)
    elif isinstance(node, ast.Assign):
        yield from _of_assignment(node)


def _of_call(node: ast.Call) -> Iterator[str]:
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    place = 0 if name == "Fault" and node.args and isinstance(node.args[0], ast.Constant) else PLACES.get(name)
    if place is not None and len(node.args) > place:
        yield from _texts(node.args[place])
    yield from _after_severity(node.args)


def _after_severity(values: list[ast.expr]) -> Iterator[str]:
    for value, following in itertools.pairwise(values):
        if (isinstance(value, ast.Attribute) and getattr(value.value, "id", "") == "Severity") or (
            isinstance(value, ast.Name) and value.id == "severity"
        ):
            yield from _texts(following)


def _of_assignment(node: ast.Assign) -> Iterator[str]:
    target = node.targets[0]
    if isinstance(target, ast.Name) and target.id == "cause":
        yield from _texts(node.value)
    elif isinstance(target, ast.Tuple) and getattr(target.elts[0], "id", "") == "cause":
        values = [node.value.body, node.value.orelse] if isinstance(node.value, ast.IfExp) else [node.value]
        for value in values:
            if isinstance(value, ast.Tuple):
                yield from _texts(value.elts[0])


def _texts(value: ast.expr) -> Iterator[str]:
    """Yield the texts that an expression can be: both branches of a condition, the beginning of a composed text."""
    if isinstance(value, ast.Constant):
        if isinstance(value.value, str) and value.value:
            yield value.value
    elif isinstance(value, ast.JoinedStr):
        first = value.values[0]
        if isinstance(first, ast.Constant):
            yield f"{first.value}<...>"
    elif isinstance(value, ast.Attribute) and value.attr == "value":
        name = value.value
        if isinstance(name, ast.Attribute) and getattr(name.value, "id", "") == "Reason":
            yield Reason[name.attr].value
    elif isinstance(value, ast.IfExp):
        yield from _texts(value.body)
        yield from _texts(value.orelse)
    elif isinstance(value, ast.BoolOp):
        for one in value.values:
            yield from _texts(one)
