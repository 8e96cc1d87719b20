"""Fonts of the agency's own, for writing that the built-in ones lack."""

from pathlib import Path

from bridge.errors import Wrong


def check(folder: Path) -> None:
    """Raise `ValueError` saying what is wrong where `folder` holds no font that a letter can use."""
    import typst  # noqa: PLC0415  only where fonts are set

    if not folder.is_dir():
        raise Wrong("is no folder; put fonts into one and write its name")
    if not typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder]).families():
        raise Wrong("holds no font; right are .ttf, .otf and .ttc files")
