"""Fonts of letters: typst's own, and the agency's for writing that those lack."""

from functools import cache
from pathlib import Path

from bridge.errors import Wrong

OWN = "Libertinus Serif"
"""Latin, Greek, Cyrillic and Hebrew: the font of every letter."""

_PLAIN = ("New Computer Modern", "DejaVu Sans Mono")
"""For Armenian, Georgian, Arabic and symbols. Typst's fonts for formulas are left out: they have letters that they cannot join."""


def check(folder: Path) -> None:
    """Raise `ValueError` saying what is wrong where `folder` holds no font that a letter can use."""
    if not folder.is_dir():
        raise Wrong("is no folder; put fonts into one and write its name")
    if not _families(folder):
        raise Wrong("holds no font; right are .ttf, .otf and .ttc files")


@cache
def names(folder: Path | None) -> tuple[str, ...]:
    """Return the fonts of a letter, each for what the ones before it lack; those in `folder` come before the plain ones."""
    return (OWN, *(_families(folder) if folder else ()), *_PLAIN)


def _families(folder: Path) -> list[str]:
    import typst  # noqa: PLC0415  only where fonts are needed

    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder]).families()
