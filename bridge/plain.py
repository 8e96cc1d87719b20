"""Texts made plain for others: names that every file system takes, cells that no spreadsheet computes; and what is not plain."""

import re
import unicodedata
from collections.abc import Mapping

_UMLAUTS = {ord("ä"): "ae", ord("ö"): "oe", ord("ü"): "ue", ord("ß"): "ss"}
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_TELEPHONE = frozenset("+0123456789 ()/-.")
DEEPEST = 100
"""Brackets that may be open at the same place of a YAML text."""

MOST_PARTS = 300_000
"""Keys, values and items of a YAML file, written out: more than the largest one of ours could have without aliases."""


_OF_DOS = re.compile(rb"[A-Za-z][\x84\x94][A-Za-z]|\x81[A-Za-z]|[A-Za-z]\x81|tra\xe1e")


def of_dos(line: bytes) -> bool:
    """Return whether a line that is no UTF-8 has words with ä, ö, ü or Straße as cp850 (DOS) writes them.

    In Windows-1252 the same bytes are quotation marks and signs that it does not have, which stand in no word.
    """
    return _OF_DOS.search(line) is not None


def name_part(text: str) -> str:
    """Return `text` as part of a file name: a-z, 0-9 and hyphens, at most 40 characters; empty where nothing is left."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(_UMLAUTS)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].rstrip("-")


def file_stem(text: str) -> str:
    """Return `text` as the name of a file for people: letters of any script, digits, `-` and `_`, at most 80 characters."""
    kept = "".join(sign if sign.isalnum() or sign == "_" else "-" for sign in text)
    return re.sub("-{2,}", "-", kept).strip("-")[:80] or "document"


def free_name(name: str, taken: set[str]) -> str:
    """Return `name`, numbered before its suffix where it is taken, and note it in `taken`. Case does not tell names apart."""
    stem, dot, suffix = name.rpartition(".")
    found, number = name, 1
    while found.lower() in taken:
        number += 1
        found = f"{stem}-{number}{dot}{suffix}" if dot else f"{name}-{number}"
    taken.add(found.lower())
    return found


def cell(text: str, *, telephone: bool = False) -> str:
    """Return a cell of one line that no spreadsheet takes for a formula: an apostrophe stands before what starts like one.

    `telephone`: the column holds telephone numbers; `+49 30 1234` stays what it is.
    """
    line = "".join(" " if unicodedata.category(char) in {"Cc", "Zl", "Zp"} else char for char in text)
    if telephone and line.startswith("+") and _TELEPHONE.issuperset(line):
        return line
    return f"'{line}" if line.strip().startswith(_FORMULA) else line


def too_many(value: object) -> bool:
    """Return whether a YAML value, written out, has more parts than any file of ours: its aliases repeat each other without end."""
    left, waiting = MOST_PARTS, [value]
    while waiting and left > 0:
        one = waiting.pop()
        inner = list(one.values()) if isinstance(one, Mapping) else one if isinstance(one, list) else ()
        left -= 1 + len(inner)
        waiting.extend(inner)
    return bool(waiting)


def on_screen(text: str, *, lines: bool = True) -> str:
    """Return `text` with a space for each sign that steers a terminal or turns the reading direction; line ends stay where `lines`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(sign if sign.isprintable() or (lines and sign == "\n") else " " for sign in text)


def escaped(json: str) -> str:
    """Return written JSON with the signs that `on_screen` takes out as escapes, which mean the same to whoever reads it."""
    if json.isascii() and "\x7f" not in json:
        return json
    return "".join(sign if sign.isprintable() or sign == "\n" else _escape(sign) for sign in json)


def _escape(sign: str) -> str:
    units = sign.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def too_deep(yaml: str) -> bool:
    """Return whether a YAML text has more brackets within each other than any file of ours; readers take minutes for them."""
    level = 0
    for sign in re.findall(r"[\[\]{}]", yaml):
        level = level + 1 if sign in "[{" else max(0, level - 1)
        if level > DEEPEST:
            return True
    return False
