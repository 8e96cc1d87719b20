"""From bytes to records, one after the other in flat memory: encodings, over-long lines, NUL bytes, quotes that never end.

A line that cannot be read is one `Fault` with its number; the lines after it are read all the same.
"""

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from bridge.contract import BadRecord, Sentence, of_dos

LONGEST_LINE = 200_000
"""Bytes of one line; longer ones are set aside unread."""

MOST_CONTINUED = 60
"""Lines that one quoted cell may span."""

_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Fault:
    """A line that could not be read: number (from 1), reason, and its beginning."""

    line: int
    reason: Sentence
    raw: str


@dataclass(frozen=True, slots=True)
class Record:
    """The cells of one record and the number of its first line."""

    line: int
    cells: tuple[str, ...]


_OF_WINDOWS = re.compile(rb"[\xe4\xf6\xfc\xc4\xd6\xdc][a-z]|[A-Za-z]\xdf")
"""Umlauts and ß of Windows-1252 in words; in cp850 lines, blocks and signs of arithmetic, which stand in no word."""
UNSURE = "unsure"
"""Lines of both kinds: those of cp850 are set aside, the others read as UTF-8 or Windows-1252."""
_NOT_ONE_ENCODING = Sentence(
    "some lines look like text in cp850, others like cp1252; save the file in one encoding, or name it under `encoding`"
)


def detect_encoding(path: Path) -> str:
    """Return what the bytes show: utf-16 by its byte order mark, utf-8 where every line is, cp850 where words say so and none against it.

    Else cp1252; `mixed` where some lines are UTF-8 and others not, `unsure` where words of cp850 and of another encoding are in it.
    """
    with path.open("rb") as file:
        start = file.read(4)
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return "utf-16"
        file.seek(0)
        utf8 = other = dos = windows = False
        for line, _ in _raw_lines(file):
            if line is None or line.isascii():
                continue
            if _is_utf8(line):
                utf8 = True
            else:
                other = True
                dos, windows = dos or of_dos(line), windows or bool(_OF_WINDOWS.search(line))
    if dos:
        return UNSURE if utf8 or windows else "cp850"
    return "mixed" if utf8 and other else "cp1252" if other else "utf-8"


def lines(path: Path, encoding: str) -> Iterator[tuple[int, str] | Fault]:
    """Yield every line with its number, decoded; `mixed` takes each line for UTF-8 first and Windows-1252 second."""
    source = _wide_lines(path) if encoding.replace("_", "-") == "utf-16" else _byte_lines(path, encoding)
    for number, text in enumerate(source, 1):
        if isinstance(text, str):
            if "\0" in text:
                yield Fault(number, Sentence("the line contains NUL bytes"), text[:200])
            else:
                yield number, text
        else:
            yield Fault(number, text[0], text[1])


def records(path: Path, encoding: str, delimiter: str, start: int = 1) -> Iterator[Record | Fault]:
    """Yield the records from line `start` on. A quote that is never closed costs its own line, not the rest of the file."""
    source = lines(path, encoding)
    pending: list[tuple[int, str]] = []
    while True:
        item = pending.pop(0) if pending else next(source, None)
        if item is None:
            return
        if isinstance(item, Fault):
            if item.line >= start:
                yield item
            continue
        number, text = item
        if number < start:
            continue
        taken, fault = [text], None
        quotes = text.count('"')
        while quotes % 2 and len(taken) <= MOST_CONTINUED and sum(map(len, taken)) < LONGEST_LINE:
            following = pending.pop(0) if pending else next(source, None)
            if following is None:
                break
            if isinstance(following, Fault):
                fault = following
                break
            taken.append(following[1])
            quotes += following[1].count('"')
        if quotes % 2:
            pending[:0] = [(number + at, line) for at, line in enumerate(taken[1:], 1)]
            yield Fault(number, Sentence("a quoted cell is never closed"), text[:200])
        else:
            yield _parse(number, "".join(taken), delimiter)
        if fault is not None and fault.line >= start:
            yield fault


def _parse(number: int, text: str, delimiter: str) -> Record | Fault:
    try:
        cells = next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        return Fault(number, Sentence("the line is no CSV: {error}", error=error), text[:200])
    return Record(number, tuple(cells))


def _byte_lines(path: Path, encoding: str) -> Iterator[str | tuple[Sentence, str]]:
    tries = ("utf-8", "cp1252") if encoding in ("mixed", UNSURE) else (encoding,)
    with path.open("rb") as file:
        if file.read(3) != codecs.BOM_UTF8:
            file.seek(0)
        for line, beginning in _raw_lines(file):
            if line is None:
                yield (
                    Sentence("the line is longer than {limit} bytes", limit=LONGEST_LINE),
                    beginning.decode("ascii", "replace"),
                )
                continue
            if encoding == UNSURE and of_dos(line) and not _is_utf8(line):
                yield _NOT_ONE_ENCODING, line[:200].decode("ascii", "replace")
                continue
            for name in tries:
                try:
                    yield line.decode(name)
                    break
                except UnicodeDecodeError:
                    continue
            else:
                yield (
                    Sentence("the line is no text in {encodings}", encodings=tries),
                    line[:200].decode("ascii", "replace"),
                )


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _raw_lines(file: BinaryIO) -> Iterator[tuple[bytes | None, bytes]]:
    """Yield each line, or None with its beginning where it is too long; lone CR counts as line end of old spreadsheets' exports."""
    while line := file.readline(LONGEST_LINE + 1):
        if len(line) <= LONGEST_LINE:
            yield line, line[:200]
            continue
        if line.count(b"\r") > 1 and b"\n" not in line:
            raise BadRecord("lines end with CR alone; save the file with Windows line ends", cause="csv_line_ends")
        beginning = line[:200]
        while line and not line.endswith(b"\n"):
            line = file.readline(_CHUNK)
        yield None, beginning


def _wide_lines(path: Path) -> Iterator[str | tuple[Sentence, str]]:
    """Yield the lines of a UTF-16 file; a broken sequence ends the file, since nothing after it can be trusted."""
    decoder = codecs.getincrementaldecoder("utf-16")("strict")
    rest, skipping = "", False
    with path.open("rb") as file:
        while True:
            chunk = file.read(_CHUNK)
            try:
                rest += decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                yield Sentence("the file is no UTF-16 text from here on: {error}", error=error.reason), rest[:200]
                return
            *whole, rest = rest.split("\n")
            for text in whole:
                if skipping or len(text) > LONGEST_LINE:
                    yield Sentence("the line is longer than {limit} characters", limit=LONGEST_LINE), text[:200]
                else:
                    yield text + "\n"
                skipping = False
            if len(rest) > LONGEST_LINE:
                rest, skipping = rest[:200], True
            if not chunk:
                break
    if rest and not skipping:
        yield rest
    elif skipping:
        yield Sentence("the line is longer than {limit} characters", limit=LONGEST_LINE), rest[:200]
