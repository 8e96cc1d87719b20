"""Readers of mappings: one value of a provider to one of the model, by a name that tables use."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from bridge.errors import Wrong

Reader = Callable[[Any, ZoneInfo], Any]

D = TypeVar("D", date, datetime)
FIRST_YEAR, LAST_YEAR = 1900, 2999
DIGITS = 15
"""Places before or after the point beyond which a number is no amount; computing with it overflows, or takes for ever."""


def plain_text(value: Any, _zone: ZoneInfo) -> str:
    """Read text, or a number as text, without the space around it. Raises `Wrong`."""
    if type(value) is str:  # nearly always; a first pull comes through here millions of times
        return value.strip()
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise Wrong("expected text")
    return str(value).strip()


def _integer(value: Any, _zone: ZoneInfo) -> int:
    if isinstance(value, bool):
        return int(value)
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation as error:
        raise Wrong("expected a whole number") from error
    if not number.is_finite() or number.adjusted() > 12 or number != number.to_integral_value() or abs(number) > 10**12:
        raise Wrong("expected a whole number")
    return int(number)


def _decimal(value: Any, _zone: ZoneInfo) -> Decimal:
    """Read `238`, `"238.00"` or a JSON number that was parsed as Decimal."""
    if isinstance(value, bool | float):
        raise Wrong("expected an amount such as 238.00")
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation as error:
        raise Wrong("expected an amount such as 238.00") from error
    if not number.is_finite() or (number and abs(number.adjusted()) > DIGITS):
        raise Wrong("expected an amount such as 238.00")
    return number


def _decimal_comma(value: Any, zone: ZoneInfo) -> Decimal:
    """Read German amounts: `1.234,56`, `-12,00`, `12,00-`."""
    text = str(value).strip().replace("\u00a0", "").replace(" ", "")
    if text.endswith("-"):
        text = "-" + text[:-1]
    whole, _, cents = text.partition(",")
    groups = whole.lstrip("+-").split(".")
    if len(groups) > 1 and (not 1 <= len(groups[0]) <= 3 or any(len(group) != 3 for group in groups[1:])):
        raise Wrong("expected an amount such as 1.234,56")
    return _decimal(whole.replace(".", "") + ("." + cents if cents else ""), zone)


def _cents(value: Any, zone: ZoneInfo) -> Decimal:
    return Decimal(_integer(value, zone)).scaleb(-2)


def _date(value: Any, zone: ZoneInfo) -> date:
    """Read a date, or the local date of an instant with an offset; `01.09.2026` is a date too. Never month first."""
    text = str(value).strip()
    try:
        if len(text) == 10 and text[2] == "." and text[5] == ".":
            return _possible(date(int(text[6:]), int(text[3:5]), int(text[:2])))
        if len(text) == 10:
            return _possible(date.fromisoformat(text))
        moment = _possible(datetime.fromisoformat(text))
    except ValueError as error:
        raise Wrong("expected a date such as 2026-09-01 or 01.09.2026") from error
    return moment.date() if moment.tzinfo is None else moment.astimezone(zone).date()


def _datetime(value: Any, zone: ZoneInfo) -> datetime:
    """Read an instant; one without an offset is local time of the account. The result is in UTC."""
    try:
        moment = _possible(datetime.fromisoformat(str(value).strip()))
    except ValueError as error:
        raise Wrong("expected an instant such as 2026-09-01T08:00:10+02:00") from error
    return (moment.replace(tzinfo=zone) if moment.tzinfo is None else moment).astimezone(UTC)


def _possible(day: D) -> D:
    """Return a date with which can be computed: near the ends of the calendar a term of some days has no end."""
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Wrong("no year of a document")
    return day


_TRUE, _FALSE = {"1", "true", "yes", "ja", "j", "y"}, {"0", "false", "no", "nein", "n"}


def _boolean(value: Any, _zone: ZoneInfo) -> bool:
    text = str(value).strip().lower()
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise Wrong("expected yes or no (1 or 0)")


def _words(value: Any, zone: ZoneInfo) -> tuple[str, ...]:
    """Read a list, or text with commas, as a tuple of words."""
    items: Iterable[Any] = value.split(",") if isinstance(value, str) else value
    if isinstance(items, dict) or not isinstance(items, Iterable):
        raise Wrong("expected a list or words separated by commas")
    return tuple(word for item in items if (word := plain_text(item, zone)))


READERS: dict[str, Reader] = {
    "text": plain_text,
    "integer": _integer,
    "decimal": _decimal,
    "decimal_comma": _decimal_comma,
    "cents": _cents,
    "date": _date,
    "datetime": _datetime,
    "boolean": _boolean,
    "words": _words,
}
