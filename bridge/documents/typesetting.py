"""Setting of letters by typst: the template, the data as text that can never be markup, and what to do with signs that no font has."""

import json
import re
import unicodedata
from datetime import UTC, date, datetime
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import typst

from bridge.documents import typeface
from bridge.documents.form import Style
from bridge.errors import ConfigError, Refused
from bridge.words import Sentence

_PAGES = re.compile(rb"/Count (\d{1,9})\b")
_NUMBER = re.compile(r"\\u\{([0-9a-f]+)\}")
_EMPTY = re.compile(r'(?<!\\)"\s*"')
_UNSEEN = re.compile(r'the text `"(.*?)"` could not be displayed', re.DOTALL)
_MOST_UNSEEN = 50
"""Different texts that cannot be printed, after which no more are looked for."""


class Sheet(NamedTuple):
    """What is set: `house`, all that letters of one sender have in common, and `own`, both as JSON; `long` where it may well take several pages."""

    house: str
    own: str
    name: str
    style: Style
    dated_on: date
    long: bool


_LOCK = Lock()


@cache
def _compiler(fonts: Path | None) -> typst.Compiler:
    return typst.Compiler(root="/", ignore_system_fonts=True, font_paths=[fonts] if fonts else [])


@cache
def _template() -> str:
    source = resources.files("bridge.documents") / "letter.typ"
    assert isinstance(source, Path)
    return f"#import {_quoted(str(source))}: letter\n"


def _quoted(text: str) -> str:
    """Return `text` as a string of typst: nothing in it can end the string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def compose(sheet: Sheet, **options: Any) -> bytes | list[bytes] | None:
    """Return the letter; symbols that no font has are left out.

    Most letters have one page, and page numbers make typst set everything twice: only a letter that turns out longer gets them.
    Raises `Refused` naming all letters that no font has, or the symbols where one of its texts would be nothing without them;
    `ConfigError` where the logo cannot be read.
    """
    given, gone = [sheet.house, sheet.own], ""
    for _ in range(_MOST_UNSEEN):
        try:
            made = _set(sheet, given, numbered=sheet.long, **options)
        except typst.TypstError as error:
            signs = _unseen(sheet, error)
            given, gone = [_without(part, signs) for part in given], gone + signs
        else:
            if gone and (_letters(gone) or _empty(given) > _empty([sheet.house, sheet.own])):
                raise _unprintable(sheet, _letters(gone) or gone)
            return made if sheet.long or _one_page(made) else _set(sheet, given, numbered=True, **options)
    if _letters(gone):
        raise _unprintable(sheet, _letters(gone))
    raise Refused("the letter has too many characters that cannot be printed", cause="letter_characters")


@lru_cache(maxsize=4096)
def lacking(line: str, fonts: Path | None) -> str:
    """Return the signs for which `compose` refuses a letter with this line: letters that no font has, or all that it consists of."""
    families = ", ".join(map(_quoted, typeface.names(fonts)))
    left, gone = line, ""
    for _ in range(_MOST_UNSEEN):
        source = f"#set text(font: ({families},), fallback: false)\n#{_quoted(left)} #strong({_quoted(left)})"
        try:
            with _LOCK:
                _compiler(fonts).compile(input=source.encode(), format="pdf", pdf_standards=["a-3a"])
        except typst.TypstError as error:
            signs = _named(error)
            if not signs:
                return ""
            left, gone = left.replace(signs, ""), gone + signs
        else:
            break
    letters = _letters(gone) or ("" if left.strip() else gone)
    return "".join(sign for sign in dict.fromkeys(letters) if not sign.isspace())


def undrawable(picture: Path) -> str:
    """Return why typst cannot set this picture in a letter, in its own words; empty: it can."""
    source = f'#set document(title: "-")\n#image({_quoted(str(picture.absolute()))}, alt: "-")'
    try:
        with _LOCK:
            _compiler(None).compile(input=source.encode(), format="pdf", pdf_standards=["a-3a", "ua-1"])
    except typst.TypstError as error:
        return error.message
    return ""


def _unseen(sheet: Sheet, error: typst.TypstError) -> str:
    """Return the text that no font has. Raises where it is something else that typst cannot do."""
    signs = _named(error)
    if not signs:
        said = Sentence("the letter cannot be set: {error}", error=error.message)
        raise (ConfigError if sheet.style.logo else Refused)(said, cause="letter_set") from error
    return signs


def _named(error: typst.TypstError) -> str:
    """Return the text that no font has; in the message, signs that join others or are not printed stand by their number."""
    unseen = _UNSEEN.search(error.message)
    return _NUMBER.sub(lambda sign: chr(int(sign.group(1), 16)), unseen.group(1)) if unseen else ""


def _letters(signs: str) -> str:
    """Return the signs that a word cannot do without: letters, the marks on them, digits."""
    return "".join(sign for sign in signs if unicodedata.category(sign)[0] in "LNM")


def _empty(parts: list[str]) -> int:
    """Return how many texts in this JSON say nothing."""
    return sum(len(_EMPTY.findall(part)) for part in parts)


def _unprintable(sheet: Sheet, signs: str) -> Refused:
    return Refused(
        "the letter to {letter} contains {missing}, which none of its fonts can print; a font that can belongs into the folder of letters.fonts",
        letter=sheet.name,
        missing=" ".join(sign for sign in dict.fromkeys(signs) if not sign.isspace()),
        cause="letter_characters",
    )


def _without(data: str, signs: str) -> str:
    """Return the JSON in `data` without these signs, and without one of the two spaces that were around them."""
    written = json.dumps(signs, ensure_ascii=False)[1:-1]
    return data.replace(f" {written} ", " ").replace(written, "")


def _set(sheet: Sheet, given: list[str], *, numbered: bool, **options: Any) -> bytes | list[bytes] | None:
    """Have typst set it. The data stands in the text that is compiled: with other `sys.inputs` typst would set everything anew."""
    dated = datetime(sheet.dated_on.year, sheet.dated_on.month, sheet.dated_on.day, tzinfo=UTC)
    parts = ", ".join(f"json(bytes({_quoted(part)}))" for part in given)
    source = f"{_template()}#letter({parts}, numbered: {json.dumps(numbered)})"
    with _LOCK:
        return _compiler(sheet.style.fonts).compile(input=source.encode(), timestamp=dated, **options)


def _one_page(made: bytes | list[bytes] | None) -> bool:
    """Return whether this is certainly one page. In a PDF the tree of pages says it; what its strings contain can raise the number only."""
    if not isinstance(made, bytes) or not made.startswith(b"%PDF"):
        return isinstance(made, bytes)
    return max(map(int, _PAGES.findall(made)), default=0) == 1
