"""The house keeps its floors: imports point down, never sideways or up."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

FLOORS: list[set[str]] = [
    {"model", "errors", "plain", "files"},
    {"policy", "mapping", "http"},
    {"store", "contract", "documents", "channels"},
    {"pull", "dun", "deliver", "replay"},
    {"app"},
    {"cli", "schedule", "demo", "page"},
]
SIDE = {"config", "secrets", "log", "metrics", "words"}
"""Rooms beside the stairs: used by the facade and the doors only, except `words` (texts for people), which everyone may use."""

WITHIN_A_FLOOR = {
    ("contract", "http"),
    ("model", "errors"),
    ("replay", "deliver"),
    ("channels", "contract"),
    ("channels", "documents"),
    ("cli", "demo"),
    ("cli", "schedule"),
    ("schedule", "page"),
    ("demo", "testing"),
}
"""Imports between rooms of one floor that the house allows (contract -> http points down anyway)."""


def floor(room: str) -> int | None:
    return next((number for number, rooms in enumerate(FLOORS) if room in rooms), None)


def modules(folder: str) -> list[Path]:
    return sorted(path for path in (ROOT / folder).rglob("*.py") if "migrations" not in path.parts)


def imported(path: Path) -> set[str]:
    """Return every dotted module that `path` imports, also inside functions."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide the floor"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def rooms_of(names: set[str]) -> set[str]:
    return {name.split(".")[1] for name in names if name.startswith("bridge.") and name.count(".") >= 1}


@pytest.mark.parametrize("path", modules("bridge"), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_down(path: Path) -> None:
    """No module imports from its own floor's other rooms or from a floor above."""
    parts = path.relative_to(ROOT / "bridge").with_suffix("").parts
    room = parts[0]
    if room in {"__init__", "testing"}:
        return
    own = floor(room)
    assert own is not None or room in SIDE, (
        f"{room} stands on no floor; give it one in this test and in docs/architecture.md"
    )
    for other in rooms_of(imported(path)) - {room, "__version__"}:
        if own is None:
            assert other in SIDE | FLOORS[0] | FLOORS[1] | FLOORS[2], f"{path.name} imports {other}"
            continue
        if other in SIDE:
            assert other == "words" or own >= 4, f"{room} (floor {own}) imports {other}"
            continue
        if (room, other) in WITHIN_A_FLOOR:
            continue
        target = floor(other)
        assert target is not None, f"{path.name} imports {other}, which stands on no floor"
        assert target < own, f"{room} (floor {own}) imports {other} (floor {target})"


@pytest.mark.parametrize("path", modules("bridge/policy"), ids=lambda path: path.name)
def test_policy_is_pure(path: Path) -> None:
    """The rules know the nouns and the errors alone: no clock, no database, no network."""
    names = imported(path)
    assert rooms_of(names) <= {"policy", "model", "errors", "plain", "words"}
    assert not {name.split(".")[0] for name in names} & {"time", "sqlalchemy", "requests", "socket", "os", "random"}
    assert "datetime.now" not in path.read_text("utf-8")
    assert "date.today" not in path.read_text("utf-8")


@pytest.mark.parametrize("path", modules("connectors"), ids=lambda path: str(path.relative_to(ROOT)))
def test_connectors_import_the_contract_only(path: Path) -> None:
    """A connector uses what a third party's would: the contract; its sandbox also the testing kit."""
    parts = path.relative_to(ROOT / "connectors").with_suffix("").parts
    allowed = {"contract", "testing"} if "sandbox" in parts else {"contract"}
    names = imported(path)
    assert rooms_of(names) <= allowed
    for name in names:
        if name.startswith("connectors."):
            assert name.split(".")[1] == parts[0], f"{path} imports another connector"


@pytest.mark.parametrize("path", modules("bridge"), ids=lambda path: str(path.relative_to(ROOT)))
def test_only_demo_imports_a_sandbox(path: Path) -> None:
    """Product code never imports a connector by name, and a sandbox only in the demo."""
    named = {name for name in imported(path) if name.startswith("connectors.")}
    assert not named or "demo" in path.parts, f"{path} imports {sorted(named)}"


def test_only_the_store_speaks_sql() -> None:
    """SQLAlchemy is imported in the store and, for the type of a transaction, nowhere that builds statements."""
    for path in modules("bridge"):
        if "store" in path.parts:
            continue
        names = {name for name in imported(path) if name.startswith("sqlalchemy")}
        assert names <= {"sqlalchemy.Connection", "sqlalchemy.engine.Connection"}, f"{path} imports {sorted(names)}"
