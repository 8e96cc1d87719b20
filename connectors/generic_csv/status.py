"""The status list (Statusliste): what went out, as a CSV file for the invoicing tool or a person. One row per notice.

The rows are kept in the state; the file is made from them as a whole and put in place by one rename, so a reader sees the old list or
the new one. Cells that a spreadsheet would take for a formula are written as text.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path

from bridge.contract import RetryLater, cell, replace

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


def write(path: Path, rows: Iterable[Mapping[str, str]]) -> None:
    """Replace the list at `path`. Raises `RetryLater` where the disk does not take it; the old list is untouched then."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([cell(row.get(column, "")) for column in COLUMNS] for row in rows)
    try:
        replace(path, text.getvalue().encode("utf-8-sig"))
    except OSError as error:
        raise RetryLater("{path}: {strerror}", path=path, strerror=error.strerror, cause="csv_status") from error
