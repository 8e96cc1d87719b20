"""Cells: amounts, dates and yes/no as people and programs write them. What is ambiguous is decided by its column, or refused."""

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from bridge.contract import BadRecord, Wrong, sentence_of

LONGEST_CELL = 4000
"""Characters of one cell that are looked at; no number, date or name is longer."""

_NO_LETTER = re.compile("[^a-z0-9]+")
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})
_CURRENCIES = {"€": "EUR", "$": "USD", "£": "GBP", "fr.": "CHF", "sfr.": "CHF", "eur": "EUR", "euro": "EUR"}
_AFFIX = re.compile(r"^([A-Za-z€$£.]*)\s*(.*?)\s*([A-Za-z€$£][A-Za-z€$£.]*)?$", re.DOTALL)
_LONGEST_AMOUNT = 60
"""Signs of an amount with its currency; asked first, as more would take the square of their number to read."""
_BODY = re.compile(r"[0-9][0-9.,']*")
_TWO_DIGIT_YEAR = 70
_FIRST_YEAR, _LAST_YEAR = 1970, 2100


def fold(text: str) -> str:
    """Return `text` for comparison: lower case, umlauts written out, accents dropped, letters and digits only."""
    return _folded(text[:LONGEST_CELL])


@lru_cache(maxsize=8192)
def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.lower().translate(_UMLAUTS))
    return _NO_LETTER.sub("", plain)


class Decimals(StrEnum):
    """How a column writes amounts."""

    COMMA = "comma"  # 1.234,56
    DOT = "dot"  # 1,234.56
    CENTS = "cents"  # 123456
    UNKNOWN = "unknown"  # nothing in the column tells


@dataclass(frozen=True, slots=True)
class Amount:
    value: Decimal
    currency: str | None = None


def _strip(text: str) -> tuple[int, str, str | None]:
    """Return sign, digits with separators, and currency of an amount. Raises `ValueError`."""
    body = "".join(text[:LONGEST_CELL].replace("\u2212", "-").replace("\u2019", "'").split())
    if len(body) > _LONGEST_AMOUNT:
        raise ValueError(text)
    before, body, after = _AFFIX.fullmatch(body).groups()  # type: ignore[union-attr]  # matches any text
    sign = 1
    if body.startswith("(") and body.endswith(")"):
        sign, body = -1, body[1:-1]
    if body[:1] in ("-", "+"):
        sign, body = (-sign if body[0] == "-" else sign), body[1:]
    elif body[-1:] == "-":
        sign, body = -sign, body[:-1]
    name = before or after or ""
    if not _BODY.fullmatch(body) or (before and after) or len(body) > 30:
        raise ValueError(text)
    currency = _CURRENCIES.get(name.lower(), name.upper()) if name else None
    if currency is not None and not re.fullmatch("[A-Z]{3}", currency):
        raise ValueError(text)
    return sign, body, currency


def shows(text: str) -> Decimals | None:
    """Return which decimals one cell proves, None where it proves nothing; `UNKNOWN` where it needs a proof."""
    try:
        _, body, _ = _strip(text)
    except ValueError:
        return None
    comma, dot = body.rfind(","), body.rfind(".")
    if "'" in body:
        return Decimals.DOT if comma < 0 else Decimals.COMMA
    if comma >= 0 and dot >= 0:
        return Decimals.COMMA if comma > dot else Decimals.DOT
    if comma < 0 and dot < 0:
        return None
    mark, own, other = (",", Decimals.COMMA, Decimals.DOT) if comma >= 0 else (".", Decimals.DOT, Decimals.COMMA)
    parts = body.split(mark)
    if len(parts) > 2:
        return other
    return own if len(parts[1]) != 3 or len(parts[0]) > 3 or parts[0] in ("", "0") else Decimals.UNKNOWN


def amount(text: str, decimals: Decimals) -> Amount:
    """Return the amount in a cell of a column that writes `decimals`. Raises `ValueError` saying what would be right."""
    try:
        sign, body, currency = _strip(text)
    except ValueError as error:
        raise Wrong("expected an amount such as 1.234,56") from error
    if decimals is Decimals.CENTS:
        if not body.isdigit():
            raise Wrong("expected whole cents such as 123456")
        return Amount(sign * Decimal(body).scaleb(-2), currency)
    proven = shows(text)
    if decimals is Decimals.UNKNOWN:
        if proven is Decimals.UNKNOWN:
            raise Wrong(
                "{text} may be {body} thousand or a fraction; no amount of this column tells which",
                text=text.strip(),
                body=body[0],
            )
        decimals = proven or Decimals.COMMA
    mark, group = (",", ".") if decimals is Decimals.COMMA else (".", ",")
    whole, _, cents = body.partition(mark)
    groups = re.split(f"[{re.escape(group)}']", whole)
    if mark in cents or group in cents or "'" in cents or not all(groups):
        raise Wrong("expected an amount with decimal {decimals}", decimals=decimals)
    if len(groups) > 1 and (len(groups[0]) > 3 or any(len(part) != 3 for part in groups[1:])):
        raise Wrong("expected an amount with decimal {decimals} and groups of three digits", decimals=decimals)
    if len(cents.rstrip("0")) > 2:
        raise Wrong("expected at most two decimal places")
    value = Decimal("".join(groups) + "." + (cents.rstrip("0") or "0").ljust(2, "0"))
    if value > Decimal("99999999999.99"):
        raise Wrong("the amount is too large")
    return Amount(sign * value, currency)


_DATE = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{2}|\d{4})")
_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")


def month_first(text: str) -> bool:
    """Return whether a date with slashes can only be month first, which tells on its whole column."""
    found = _DATE.fullmatch(text.strip())
    return bool(found and found[2] == "/" and int(found[3]) > 12 and int(found[1]) <= 12)


def day(text: str, zone: ZoneInfo) -> date:
    """Return the date in a cell; never month first. Raises `ValueError` saying what would be right."""
    cell = text.strip()
    try:
        if found := _DATE.fullmatch(cell):
            year = int(found[4])
            if len(found[4]) == 2:
                year += 1900 if year >= _TWO_DIGIT_YEAR else 2000
            return _plausible(date(year, int(found[3]), int(found[1])))
        if found := _ISO.fullmatch(cell):
            return _plausible(date(int(found[1]), int(found[2]), int(found[3])))
        if len(cell) == 8 and cell.isascii() and cell.isdigit():
            return _eight_digits(cell)
        moment = datetime.fromisoformat(cell) if len(cell) <= 40 else None
    except ValueError as error:
        raise Wrong("expected a date such as 01.09.2026 or 2026-09-01") from error
    if moment is None:
        raise Wrong("expected a date such as 01.09.2026 or 2026-09-01")
    try:
        return _plausible(moment.date() if moment.tzinfo is None else moment.astimezone(zone).date())
    except (ValueError, OverflowError) as error:
        raise Wrong(
            "expected a date from {first_year} to {last_year}", first_year=_FIRST_YEAR, last_year=_LAST_YEAR
        ) from error


def _eight_digits(cell: str) -> date:
    """Read ddmmyyyy, else yyyymmdd; within the plausible years no text is both."""
    try:
        return _plausible(date(int(cell[4:]), int(cell[2:4]), int(cell[:2])))
    except ValueError:
        return _plausible(date(int(cell[:4]), int(cell[4:6]), int(cell[6:])))


def _plausible(value: date) -> date:
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        raise Wrong("expected a date from {first_year} to {last_year}", first_year=_FIRST_YEAR, last_year=_LAST_YEAR)
    return value


_TERM = re.compile(r"([0-9]{1,3})(?:\s*[A-Za-z].*)?", re.DOTALL)


def term_days(text: str) -> int | None:
    """Return the days of a payment term such as `14` or `30 Tage netto`; None where it is no number of days."""
    found = _TERM.fullmatch(text.strip()[:100])
    return int(found[1]) if found and int(found[1]) <= 365 else None


class PaidAs(StrEnum):
    """What a column named *bezahlt* holds."""

    AMOUNT = "amount"
    DATE = "date"
    FLAG = "flag"


@dataclass(slots=True)
class Column:
    """What the cells of one column have shown so far; decides for all of them."""

    yes_no: frozenset[str] = frozenset()
    decimals: set[Decimals] = field(default_factory=set)
    month_first: bool = False
    dates: int = 0
    flags: int = 0
    amounts: int = 0

    def see_day(self, text: str) -> None:
        """Learn from a cell of a column of dates."""
        if "/" in text:
            self.month_first = self.month_first or month_first(text)

    def see_amount(self, text: str) -> None:
        """Learn from a cell of a column of amounts."""
        if text and not text.isdigit() and (proof := shows(text)) is not None:
            self.decimals.add(proof)

    def see(self, text: str) -> None:
        """Learn from a cell of a column that may hold amounts, dates, or yes and no."""
        if not (cell := text.strip()[:200]):
            return
        self.see_day(cell)
        if (proof := shows(cell)) is not None:
            self.decimals.add(proof)
        if fold(cell) in self.yes_no or cell in self.yes_no:
            self.flags += 1
        elif _is_date(cell):
            self.dates += 1
        elif proof is not None or _BODY.search(cell):
            self.amounts += 1

    def writes(self) -> Decimals:
        """Return the decimals of the column; `UNKNOWN` where none, or both, are proven."""
        proven = self.decimals - {Decimals.UNKNOWN}
        return next(iter(proven)) if len(proven) == 1 else Decimals.UNKNOWN

    def paid_as(self) -> PaidAs:
        if self.amounts:
            return PaidAs.AMOUNT
        return PaidAs.DATE if self.dates else PaidAs.FLAG if self.flags else PaidAs.AMOUNT


def _is_date(cell: str) -> bool:
    if cell.isdigit() and len(cell) != 8:
        return False
    try:
        day(cell, ZoneInfo("UTC"))
    except ValueError:
        return False
    return True


def read_day(text: str, column: Column, header: str, zone: ZoneInfo) -> date:
    """Return the date of a cell, naming its header in `BadRecord`; a column of month-first dates is refused as a whole."""
    if column.month_first and "/" in text:
        raise BadRecord(
            "this column has dates with the month first; export them as 2026-09-01", field=header, value=text
        )
    try:
        return day(text, zone)
    except ValueError as error:
        raise BadRecord(sentence_of(error), field=header, value=text[:200]) from error


def read_amount(text: str, decimals: Decimals, header: str) -> Amount:
    """Return the amount of a cell, naming its header in `BadRecord`."""
    try:
        return amount(text, decimals)
    except ValueError as error:
        raise BadRecord(sentence_of(error), field=header, value=text[:200]) from error
