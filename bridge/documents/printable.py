"""Text from outside as it may be printed: one line, without what has no glyph, with places to break inside very long words."""

import re
import unicodedata

_ANY_BREAK = "\u200b"
_SPACES = re.compile(" {2,}")
_LONG = re.compile(r"\S{24,}")
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


def breakable(text: str) -> str:
    """Return `text` with places to break inside very long words, so that none leaves the page."""

    def split(word: re.Match[str]) -> str:
        whole = word.group()
        return _ANY_BREAK.join(whole[at : at + _PART] for at in range(0, len(whole), _PART))

    return _LONG.sub(split, text)
