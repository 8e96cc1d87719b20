"""Every small mistake that could be made in a module: one changed operator, constant, condition, return or dropped statement each."""

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

_COMPARED = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_COUNTED = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult, ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip
_NAMED = {"min": "max", "max": "min", "any": "all", "all": "any"}
_SILENT = ("log.", "logger.", "self._log", "warnings.")
"""Calls whose loss no promise forbids."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One mistake: the `number`-th of its module, on the lines `first` to `last`; `inside` a function, or run at import.

    `name` stays the same when lines above it are changed: it holds where, what and the source that is changed.
    """

    path: str
    number: int
    first: int
    last: int
    inside: bool
    name: str

    def __str__(self) -> str:
        """Return how people find it again."""
        return f"{self.path}:{self.first} {self.name}"


class _Visit(ast.NodeTransformer):
    """Count every place for a mistake, and make the one with number `wanted`."""

    def __init__(self, path: str, wanted: int | None = None) -> None:
        self.path, self.wanted, self.found = path, wanted, []
        self._number, self._depth, self._where, self._names = 0, 0, [], Counter()

    def _here(self, node: ast.expr | ast.stmt, what: str) -> bool:
        number, self._number = self._number, self._number + 1
        if self.wanted is None:
            last = node.end_lineno or node.lineno
            name = f"{'.'.join(self._where) or 'module'}: {what}: {' '.join(ast.unparse(node).split())}"
            self._names[name] += 1
            if self._names[name] > 1:
                name = f"{name} ({self._names[name]})"
            self.found.append(Mutant(self.path, number, node.lineno, last, self._depth > 0, name))
        return number == self.wanted

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        self._depth += 1
        self._where.append(node.name)
        node.body = self._body(node.body)
        self._where.pop()
        self._depth -= 1
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        self._depth += 1
        node.body = self.visit(node.body)
        self._depth -= 1
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self._where.append(node.name)
        node.body = self._body(node.body)
        self._where.pop()
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        return node  # for the type checker

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        return node  # what is said is looked at in the texts' own tests

    def visit_If(self, node: ast.If) -> ast.AST:
        if "TYPE_CHECKING" in ast.unparse(node.test):
            return node
        return self.generic_visit(node)

    def _body(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        rest = statements
        if rest and isinstance(rest[0], ast.Expr) and isinstance(rest[0].value, ast.Constant):
            return [rest[0], *(self.visit(one) for one in rest[1:])]  # the docstring
        return [self.visit(one) for one in rest]

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        if isinstance(node.value, ast.Constant):
            return node
        told = ast.unparse(node.value)
        if isinstance(node.value, ast.Call) and not told.startswith(_SILENT) and self._here(node, "call dropped"):
            return ast.copy_location(ast.Pass(), node)
        return node if told.startswith(_SILENT) else self.generic_visit(node)

    def visit_Return(self, node: ast.Return) -> ast.AST:
        plain = node.value is None or (
            isinstance(node.value, ast.Constant) and not node.value.value
        )  # as false as None
        if not plain and self._here(node, "returns None"):
            node.value = ast.copy_location(ast.Constant(None), node)
            return node
        return self.generic_visit(node)

    def visit_Continue(self, node: ast.Continue) -> ast.AST:
        return ast.copy_location(ast.Break(), node) if self._here(node, "continue -> break") else node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        for index, one in enumerate(node.ops):
            other = _COMPARED[type(one)]
            if self._here(node, f"{type(one).__name__} -> {other.__name__}"):
                node.ops[index] = other()
        return self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        other = ast.Or if isinstance(node.op, ast.And) else ast.And
        if self._here(node, f"{type(node.op).__name__} -> {other.__name__}"):
            node.op = other()
        return self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        if isinstance(node.op, ast.Not) and self._here(node, "not dropped"):
            return self.visit(node.operand)
        return self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        other = _COUNTED.get(type(node.op))
        text = any(isinstance(side, ast.JoinedStr) for side in (node.left, node.right))
        if other is not None and not text and self._here(node, f"{type(node.op).__name__} -> {other.__name__}"):
            node.op = other()
        return self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, bool):
            if self._here(node, f"{node.value} -> {not node.value}"):
                return ast.copy_location(ast.Constant(not node.value), node)
        elif isinstance(node.value, int) and self._here(node, f"{node.value} -> {node.value + 1}"):
            return ast.copy_location(ast.Constant(node.value + 1), node)
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        if self._here(node, "branches swapped"):
            node.body, node.orelse = node.orelse, node.body
        return self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        return (
            node if node.arg == "strict" else self.generic_visit(node)
        )  # a guard against mistakes, as an assertion is

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Name) and node.func.id in _NAMED:
            other = _NAMED[node.func.id]
            if self._here(node, f"{node.func.id} -> {other}"):
                node.func = ast.copy_location(ast.Name(other, ast.Load()), node.func)
        if isinstance(node.func, ast.Name) and node.func.id in ("Sentence", "Field", "field"):
            return node
        return self.generic_visit(node)


def mutants_of(path: Path, root: Path) -> list[Mutant]:
    """Return every mistake for one module, in the order of its source."""
    visit = _Visit(path.relative_to(root).as_posix())
    visit.visit(ast.parse(path.read_text("utf-8")))
    return visit.found


def mutated(mutant: Mutant, root: Path) -> CodeType:
    """Return the module with this mistake in it, compiled."""
    file = root / mutant.path
    changed = _Visit(mutant.path, mutant.number).visit(ast.parse(file.read_text("utf-8")))
    return compile(ast.fix_missing_locations(changed), str(file), "exec", dont_inherit=True)


def modules(root: Path, places: tuple[str, ...]) -> Iterator[Path]:
    """Yield the modules of these packages."""
    for place in places:
        yield from sorted(one for one in (root / place).rglob("*.py") if one.name != "__init__.py")
