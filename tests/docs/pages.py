"""Reads the Markdown pages: fenced blocks, inline code, headings, links."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "connectors").glob("*/README.md")),
)

_FENCE = re.compile(r"^```(\S*)[ ]?([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, what stands behind it (`no-check`, `plan`), its text, and where it is."""

    language: str
    note: str
    text: str
    where: str


def words(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks(path: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a page."""
    text = words(path)
    for found in _FENCE.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield Block(found[1], found[2].strip(), found[3], f"{name(path)}:{line}")


def prose(path: Path) -> str:
    """Return a page without its fenced blocks."""
    return _FENCE.sub("", words(path))


def inline(path: Path) -> list[str]:
    """Return everything that stands in single backticks."""
    return _INLINE.findall(prose(path))


def links(path: Path) -> list[str]:
    """Return the targets of all links."""
    return _LINK.findall(_INLINE.sub("", prose(path)))


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    found = set()
    for heading in _HEADING.findall(prose(path)):
        text = re.sub(r"[^\w\- ]", "", heading.strip().lower())
        found.add(text.replace(" ", "-"))
    return found


def command_lines(path: Path) -> Iterator[tuple[str, str]]:
    """Yield every call of mahnbridge in a block for the shell, without the word itself, and where it stands."""
    for block in blocks(path):
        if block.language == "sh":
            for line in block.text.splitlines():
                found = _call(line.partition(" #")[0].strip())
                if found is not None:
                    yield found, f"{block.where}: {line.strip()}"


def mentions(path: Path, commands: set[str]) -> Iterator[tuple[str, str]]:
    """Yield every call in running text, with `mahnbridge` before it or only one of the `commands` with more words."""
    for code in inline(path):
        found = _call(code)
        first, _, rest = code.partition(" ")
        if found is None and rest and first in commands:
            found = code
        if found is not None:
            yield found, f"{name(path)}: {code}"


def _call(line: str) -> str | None:
    for start in (
        "docker compose run --rm mahnbridge ",
        "docker compose exec mahnbridge mahnbridge ",
        ".venv/bin/mahnbridge ",
        "mahnbridge ",
    ):
        if line.startswith(start):
            return line.removeprefix(start)
    return None
