"""The status list (Statusliste): what went out, as a CSV file for the invoicing tool or a person. One row per notice.

The rows are kept in the state; the file is made from them as a whole and put in place by one rename, so a reader sees the old list or
the new one. Cells that a spreadsheet would take for a formula are written as text.
"""

import csv
import io
import os
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path

from bridge.contract import RetryLater

COLUMNS = (
    "Rechnungsnummer",
    "Kundennummer",
    "Mahnstufe",
    "Datum",
    "Versandweg",
    "Zahlungsfrist",
    "Betrag",
    "Währung",
    "Text",
    "Kennung",
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def harmless(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula: one line, with an apostrophe in front where it starts like one."""
    line = "".join(" " if unicodedata.category(char) in {"Cc", "Zl", "Zp"} else char for char in text)
    return f"'{line}" if text.startswith(_FORMULA) or line.strip().startswith(_FORMULA) else line


def write(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    """Replace the list at `path`. Raises `RetryLater` where the disk does not take it; the old list is untouched then."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([harmless(row.get(column, "")) for column in COLUMNS] for row in rows)
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as file:
            file.write(text.getvalue().encode("utf-8-sig"))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    except OSError as error:
        raise RetryLater("{path}: {strerror}", path=path, strerror=error.strerror, cause="csv_status") from error
