"""Names that every file system takes."""

import pytest

from bridge.plain import file_stem, free_name, name_part


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("1. Mahnung", "1-mahnung"),
        ("Größe Ärger", "groesse-aerger"),
        ("../../etc", "etc"),
        ("案件", ""),
        ("é" * 60, "e" * 40),
    ],
)
def test_a_part_of_a_name_is_plain(text, part):
    """What people wrote becomes a-z, 0-9 and hyphens; nothing of it can leave its folder."""
    assert name_part(text) == part


@pytest.mark.parametrize(
    ("text", "stem"),
    [("RE/2026\\1", "RE-2026-1"), ("案件 1", "案件-1"), ("1. Mahnung", "1-Mahnung"), ("..", "document")],
)
def test_a_name_for_people_keeps_its_letters(text, stem):
    """An invoice's number stays readable in any script; separators of folders do not stay."""
    assert file_stem(text) == stem


def test_no_name_is_given_twice():
    """The second of one name is numbered, also where names differ by case alone: some file systems take them for one."""
    taken: set[str] = set()
    given = [free_name(name, taken) for name in ("a.pdf", "A.pdf", "a.pdf", "a-2.pdf", "sums")]
    assert given == ["a.pdf", "A-2.pdf", "a-3.pdf", "a-2-2.pdf", "sums"]
    assert len({name.lower() for name in given}) == len(given)
