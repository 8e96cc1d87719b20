"""Files that an account reads, for a support bundle: nobody is named in them, and whatever is wrong with them still is.

What a cell may keep is decided by its heading. Under one that the program reads, numbers, dates and codes stay; under one for names, addresses
or free texts nothing does; under one that nobody knows amounts and dates stay, so that a mapping can be mended by them. Encodings, line ends,
quotes and signs between stay byte by byte. Bank statements in XML go by the names of their elements, ZIPs file by file.
"""

import io
import re
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress

from bridge.plain import of_dos
from bridge.replay.markup import pseudonymised_xml
from bridge.replay.pseudonyms import Pseudonyms, named

LARGEST = 20_000_000
"""Bytes of a file that are gone through; of a larger table only the top and what surrounds the lines that were set aside."""

_TOP = 60
_AROUND = 3
_MOST_FILES = 2000
_MOST_CONTINUED = 60
_DELIMITERS = (";", ",", "\t", "|")
_EPOCH = (1980, 1, 1, 0, 0, 0)

_NOT_WORDS = re.compile(r"[\W_]+")
_FIGURES = re.compile(
    r"datum|date|fällig|faellig|valuta|wertstellung|buchungstag|zahlbar|stand|betrag|brutto|netto|summe|offen|saldo|umsatz|bezahlt|gezahlt|rest|"
    r"amount|gross|total|open|paid|due|debit|credit",
    re.IGNORECASE,
)
"""Headings under which every digit stays, also of an amount or a date that cannot be read."""

_LIKE_A_HEADING = re.compile(r"[^\d@;\t|]*(?:\d{1,2}[^\d@;\t|]*){0,2}")
_FIGURE = re.compile(r"[+-]?(?:\d{1,3}(?:[.,' ]\d{3})*|\d{1,12})[.,]\d{1,4}(?:\s?(?:EUR|€))?")
_SOME_DAY = re.compile(r"\d\d?\.\d\d?\.(?:\d\d|\d{4})|\d{4}-\d\d-\d\d|\d\d?/\d\d?/\d{4}")
_NUMBER = re.compile(r"(?:[A-Za-z]{1,8}[-/ ]?)?\d[\dA-Za-z/-]{1,20}")
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_KINDS = frozenset({"csv", "txt", "tsv", "asc", "dat", "xml", "zip"})


Coding = Callable[[str], bytes]
"""Makes bytes of a text again, in the encoding that its file had."""

_EXTF_WHOSE = range(7, 12)
"""Fields of the first line of an EXTF file: where from, who exported and imported, adviser, client."""


class Table:
    """One table file. `headings` are what the program calls columns, folded (`fold`)."""

    def __init__(self, text: str, names: Pseudonyms, headings: Collection[str]) -> None:
        self._names, self._headings = names, headings
        self._records = list(_records(_LINE.findall(text)))
        self._delimiter = self._find_delimiter()
        self._at, self._header = self._find_header()
        self._extf = text[:8].lstrip('\ufeff"').startswith("EXTF")

    def learn(self) -> None:
        """Let the numbers under headings that the program reads stay in other texts too; to be called on all files first."""
        for record in self._records[self._at + 1 :]:
            for at, cell in enumerate(self._cells(record)):
                number = cell.strip().strip('"')
                if self._reads(at) and _NUMBER.fullmatch(number):
                    self._names.keep(number)

    def pseudonymised(self) -> str:
        return "".join(self._record(number, record) for number, record in enumerate(self._records))

    def _record(self, number: int, record: str) -> str:
        cells = self._cells(record)
        if number == self._at:
            told = [cell if _LIKE_A_HEADING.fullmatch(cell.strip()) else self._names.text(cell) for cell in cells]
        elif number < self._at:
            told = [self._above(cell, at if self._extf and number == 0 else None) for at, cell in enumerate(cells)]
        else:
            shifted = len(cells) > len(self._header)
            told = [self._cell(cell, None if shifted else at) for at, cell in enumerate(cells)]
        return self._delimiter.join(told)

    def _above(self, cell: str, at: int | None) -> str:
        """Return a cell above the headings; the first line of an EXTF file (`at` is the place in it) decides, but for whose it is."""
        if at is None or at in _EXTF_WHOSE:
            return self._names.text(cell, personal=True)
        if at == 0:
            return cell
        return _inside(cell, self._names.value)

    def _cell(self, cell: str, at: int | None) -> str:
        return _inside(cell, self._keeping(at))

    def _keeping(self, at: int | None) -> Callable[[str], str]:
        """Return what is done with the cells of a column; None stands for cells that may have slipped into another one."""
        heading = self._header[at] if at is not None and at < len(self._header) else ""
        if self._hides(heading):
            return lambda cell: self._names.text(cell, personal=True)
        if heading and _FIGURES.search(heading):
            return self._names.figures
        if at is not None and self._reads(at):
            return self._names.value
        return lambda cell: cell if _decides(cell) else self._names.text(cell, personal=True)

    def _hides(self, heading: str) -> bool:
        return named(heading) and not (self._extf and fold(heading).startswith(("konto", "gegenkonto")))

    def _reads(self, at: int) -> bool:
        heading = self._header[at] if at < len(self._header) else ""
        return fold(heading) in self._headings and not self._hides(heading)

    # ------------------------------------------------------------------------------------------------------- structure

    def _cells(self, record: str, delimiter: str = "") -> list[str]:
        """Return the cells as they are written, quotes and all; joined by the delimiter they are the record."""
        cells, quoted = [""], False
        for part in re.split(rf"([\"{re.escape(delimiter or self._delimiter)}])", record):
            if part == '"':
                quoted = not quoted
            if part == (delimiter or self._delimiter) and not quoted:
                cells.append("")
            else:
                cells[-1] += part
        return cells

    def _find_delimiter(self) -> str:
        top = self._records[:_TOP]

        def known(delimiter: str) -> tuple[int, int]:
            best = max((self._known(self._cells(record, delimiter)) for record in top), default=0)
            return best, sum(record.count(delimiter) for record in top) if delimiter != "," else 0

        return max(_DELIMITERS, key=known)

    def _known(self, cells: Sequence[str]) -> int:
        return sum(fold(cell) in self._headings for cell in cells if cell.strip())

    def _find_header(self) -> tuple[int, list[str]]:
        """Return the place and the cells of the row of headings: the one with most that are known, else the widest one without figures."""
        best, at, header = (1, 0), -1, list[str]()
        for number, record in enumerate(self._records[:_TOP]):
            cells = [cell.strip().strip('"').strip() for cell in self._cells(record)]
            filled = [cell for cell in cells if cell]
            plain = len(filled) >= 3 and all(_LIKE_A_HEADING.fullmatch(cell) for cell in filled)
            score = self._known(cells), len(filled) if plain and len(filled) == self._width() else 0
            if score > best and (score[0] >= 2 or score[1]):
                best, at, header = score, number, cells
        return at, header

    def _width(self) -> int:
        widths = [len(self._cells(record)) for record in self._records[:_TOP] if record.strip()]
        return max(set(widths), key=widths.count, default=0)


def fold(text: str) -> str:
    """Return a heading for comparison."""
    return _NOT_WORDS.sub("", text.casefold())


def _decides(cell: str) -> bool:
    text = cell.strip()
    return bool(_FIGURE.fullmatch(text) or _SOME_DAY.fullmatch(text))


def _inside(cell: str, change: Callable[[str], str]) -> str:
    """Change what stands between the blanks and quotes of a cell, its line end left alone."""
    core = cell.strip().strip('"').strip()
    if not core:
        return cell
    before, _, after = cell.partition(core)
    return f"{before}{change(core)}{after}"


def _records(lines: Sequence[str]) -> Iterator[str]:
    """Yield records as the reader of tables sees them: a quoted cell may span lines; a quote that is never closed costs its own line."""
    at = 0
    while at < len(lines):
        quotes, end = lines[at].count('"'), at + 1
        while quotes % 2 and end < len(lines) and end - at <= _MOST_CONTINUED:
            quotes += lines[end].count('"')
            end += 1
        end = at + 1 if quotes % 2 else end
        yield "".join(lines[at:end])
        at = end


# ----------------------------------------------------------------------------------------------------------------- bytes


def pseudonymised_file(
    data: bytes, names: Pseudonyms, headings: Collection[str], lines: Iterable[int] = ()
) -> bytes | None:
    """Return a file with nobody's name in it; `lines` were set aside. None where it is too large and no table."""
    if data[:2] == b"PK":
        return _zipped(data, names, headings)
    markup = _is_markup(data)
    if len(data) > LARGEST:
        data = data if markup else thinned(data, lines)
    if len(data) > LARGEST:
        return None
    text, coding = _decoded(data)
    return coding(pseudonymised_xml(text, names) if markup else Table(text, names, headings).pseudonymised())


def is_cut(data: bytes | None) -> bool:
    """Return whether `pseudonymised_file` takes only a part of this table."""
    return data is not None and len(data) > LARGEST and data[:2] != b"PK" and not _is_markup(data)


def learn_file(data: bytes, names: Pseudonyms, headings: Collection[str]) -> None:
    """Let the numbers of invoices in a table stay wherever else they stand."""
    if data[:2] != b"PK" and not _is_markup(data) and len(data) <= LARGEST:
        Table(_decoded(data)[0], names, headings).learn()


_WIDE = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


def _wide(data: bytes, mark: bytes, name: str) -> tuple[str, Coding]:
    whole = data[2 : len(data) - len(data) % 2]
    try:
        text, rest = whole.decode(name), data[2 + len(whole) :]
    except UnicodeDecodeError as error:  # nothing after it is read
        text, rest = whole[: error.start].decode(name), whole[error.start : error.start + 2] + "?".encode(name)
    return text, lambda told: mark + told.encode(name, "surrogatepass") + rest


def _is_markup(data: bytes) -> bool:
    return data[:1000].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")[:1] == b"<"


def thinned(data: bytes, lines: Iterable[int]) -> bytes:
    """Empty all lines but the top and those around `lines` (from 1); the others keep their numbers."""
    wanted = {near for number in lines for near in range(number - _AROUND, number + _AROUND + 1)}
    return b"".join(
        line if number <= _TOP or number in wanted else b"\n"
        for number, line in enumerate(re.findall(rb"[^\n]*\n|[^\n]+", data), 1)
    )


def _decoded(data: bytes) -> tuple[str, Coding]:
    """Return a file as text, and what makes bytes of it again, each line in its own encoding; what is no text at all stays none."""
    for mark, name in _WIDE:
        if data.startswith(mark):
            return _wide(data, mark, name)
    lines, codecs = [], []
    for line in data.split(b"\n"):  # some may be UTF-8 and others not
        for name in ("utf-8", *(("cp850",) if of_dos(line) else ()), "cp1252", "latin-1"):
            with suppress(UnicodeDecodeError):
                lines.append(line.decode(name))
                codecs.append(name)
                break
    return "\n".join(lines), lambda told: b"\n".join(
        line.encode(name, "xmlcharrefreplace") for line, name in zip(told.split("\n"), codecs, strict=True)
    )


def _zipped(data: bytes, names: Pseudonyms, headings: Collection[str]) -> bytes:
    packed = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as target:
            members = source.infolist()[: _MOST_FILES + 1]
            left = LARGEST
            for member in members:
                left -= member.file_size
                content = source.read(member) if left >= 0 else b""
                found = None if content[:2] == b"PK" else pseudonymised_file(content, names, headings)
                entry = zipfile.ZipInfo(file_name(member.filename, names), _EPOCH)
                target.writestr(entry, found or b"")
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError, OSError, ValueError):
        return data[:4] + bytes(min(len(data), 100))  # as broken as it was, and empty
    return packed.getvalue()


def file_name(name: str, names: Pseudonyms) -> str:
    """Return the name of a file with nobody's name in it; what tells its kind stays."""
    stem, dot, suffix = name.rpartition(".")
    kept = dot and suffix.lower() in _KINDS
    return f"{names.text(stem, personal=True)}.{suffix}" if kept else names.text(name, personal=True)
