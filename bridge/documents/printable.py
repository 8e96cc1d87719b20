"""Text from outside as it may be printed: one line, without what has no glyph, with places to break inside very long words."""

import re
import unicodedata

_ANY_BREAK = "\u200b"
_SPACES = re.compile(" {2,}")
_PLACES = re.compile(rf"{_ANY_BREAK}|(?<=[ -])")
_LONG = 24
_JOINT = re.compile(r"(?<=[@/_?&=-])(?=\w)|(?=\.\w)")
_WHOLE = 21
_PART = 12


def plain(text: str) -> str:
    """Return one line of text without what has no glyph or turns the reading direction: control, format and private characters."""
    kept = unicodedata.normalize("NFC", text)
    if not kept.isprintable():
        kept = "".join(map(_shown, kept))
    return (_SPACES.sub(" ", kept) if "  " in kept else kept).strip(" ")


def _shown(sign: str) -> str:
    if sign.isprintable() or sign == "\u00a0":
        return sign
    return " " if unicodedata.category(sign) in ("Cc", "Zl", "Zp", "Zs") else ""


def breakable(text: str, shortest: int = _LONG) -> str:
    """Return `text` with places to break inside words of `shortest` signs and more, so that none leaves the page.

    Where the word has joints, as addresses of mail and web have, it breaks there; elsewhere only inside what is long without any.
    """
    return re.sub(rf"\S{{{shortest},}}", lambda word: _split(word.group()), text)


def _split(word: str) -> str:
    joined = _JOINT.split(word)
    whole = _WHOLE if len(joined) > 1 else 0
    parts = []
    for part in joined:
        capitals = sum(map(str.isupper, part))  # are about twice as wide
        size = len(part) if len(part) + capitals <= whole else _PART
        parts += [part[at : at + size] for at in range(0, len(part), size)]
    return _ANY_BREAK.join(parts)


def lines_of(text: str, signs: int) -> int:
    """Return how many lines `text`, as `breakable` gives it, takes where so many signs stand in one."""
    lines, used = 1, 0
    for part in _PLACES.split(text):
        wide = len(part.rstrip())
        if used and used + wide > signs:
            lines, used = lines + 1, 0
        lines += max(0, wide - 1) // signs
        used += len(part)
    return lines
