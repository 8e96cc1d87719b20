"""Mappings: YAML field tables, compiled into functions from a provider's raw record to model fields.

A mapping is a table, not a program: target field, source path, a named reader, a value table, a default, and `only_if` on equal
values. There are no expressions; what a table cannot say is Python in the connector.

```yaml
invoice:
  only_if: {invoiceType: [RE, AR, TR, ER]}
  fields:
    number: invoiceNumber
    issued_on: {from: invoiceDate, read: date}
    status: {from: status, values: {"100": draft, "200": open}, default: unknown}
```
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from collections.abc import Mapping as MappingType
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bridge.errors import BadRecord, ConfigError, Wrong
from bridge.plain import too_deep, too_many
from bridge.words import Sentence, sentence_of

Reader = Callable[[Any, ZoneInfo], Any]

D = TypeVar("D", date, datetime)
FIRST_YEAR, LAST_YEAR = 1900, 2999
DIGITS = 15
"""Places before or after the point beyond which a number is no amount; computing with it overflows, or takes for ever."""

LARGEST = 200_000
"""Characters of a mapping; it may come with a bundle, from anybody."""

ABSENT: tuple[Any, ...] = (None, "", {}, [])
"""What providers send for "nothing"."""


def _text(value: Any, _zone: ZoneInfo) -> str:
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
    return tuple(word for item in items if (word := _text(item, zone)))


READERS: dict[str, Reader] = {
    "text": _text,
    "integer": _integer,
    "decimal": _decimal,
    "decimal_comma": _decimal_comma,
    "cents": _cents,
    "date": _date,
    "datetime": _datetime,
    "boolean": _boolean,
    "words": _words,
}


def dig(raw: Any, path: Sequence[str]) -> Any:
    """Follow `path` through nested objects; a missing step is None (providers omit null references)."""
    for step in path:
        if not isinstance(raw, MappingType):
            return None
        raw = raw.get(step)
    return raw


class _Field:
    __slots__ = ("default", "path", "read", "source", "target", "values")

    def __init__(self, target: str, source: str, read: Reader, values: dict[str, Any] | None, default: Any) -> None:
        self.target, self.source, self.path = target, source, tuple(source.split("."))
        self.read, self.values, self.default = read, values, default

    def apply(self, raw: Any, zone: ZoneInfo) -> Any:
        value = raw.get(self.path[0]) if len(self.path) == 1 else dig(raw, self.path)
        if not value if type(value) is str else value in ABSENT:
            return self.default
        try:
            if self.values is None:
                return self.read(value, zone)
            return self.values.get(_text(value, zone), self.default)
        except (ValueError, TypeError) as error:
            raise BadRecord(sentence_of(error), field=self.source, value=value) from error


class Table:
    """One record kind of a mapping. `read` gives the model fields of a raw record; None means `only_if` leaves it out."""

    def __init__(self, name: str, fields: Sequence[_Field], only_if: dict[str, frozenset[str]]) -> None:
        self.name = name
        self._fields = tuple(fields)
        self._only_if = tuple((tuple(path.split(".")), values) for path, values in only_if.items())

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(field.target for field in self._fields)

    def matches(self, raw: Any) -> bool:
        """Return whether `only_if` takes this record."""
        return all(str(dig(raw, path)) in values for path, values in self._only_if)

    def read(self, raw: Any, zone: ZoneInfo) -> dict[str, Any] | None:
        """Return target fields of `raw`; absent values without a default are left out. Raises `BadRecord`."""
        if not isinstance(raw, MappingType):
            raise BadRecord("expected an object for {name}", name=self.name, value=raw)
        if not self.matches(raw):
            return None
        result: dict[str, Any] = {}
        for field in self._fields:
            value = field.apply(raw, zone)
            if value is not None:
                result[field.target] = value
        return result


class Mapping:
    """The field tables of one connector, and its other settings (`options`), from `mappings/<name>.yaml`."""

    def __init__(self, name: str, tables: dict[str, Table], options: dict[str, Any], text: str = "") -> None:
        self.name = name
        self._tables = tables
        self.options = options
        self.text = text

    def __getitem__(self, name: str) -> Table:
        return self._tables[name]

    def __contains__(self, name: object) -> bool:
        return name in self._tables

    @classmethod
    def load(cls, name: str, folder: Path | None = None) -> "Mapping":
        """Load the mapping `name`: the operator's file in `folder` if there is one, else the shipped file.

        Raises `ConfigError` naming file, line, key and what would be right.
        """
        own = folder / f"{name}.yaml" if folder else None
        if own is not None and own.is_file():
            return cls.parse(name, own.read_text("utf-8"), str(own))
        shipped = resources.files("mappings") / f"{name}.yaml"
        if not shipped.is_file():
            raise ConfigError(
                "there is no mapping {file} in {folder}", file=f"{name}.yaml", folder=folder or "mappings"
            )
        return cls.parse(name, shipped.read_text("utf-8"), f"mappings/{name}.yaml")

    @classmethod
    @lru_cache(maxsize=20)
    def parse(cls, name: str, text: str, source: str) -> "Mapping":
        """Compile the YAML `text`, once for all who ask; `source` is the file name for messages."""
        if len(text) > LARGEST:
            raise ConfigError(
                "{source}: longer than {largest} characters; no mapping is that long", source=source, largest=LARGEST
            )
        if too_deep(text):
            raise ConfigError("{source}: too many brackets within each other", source=source)
        try:
            document = YAML(typ="rt", pure=True).load(text)
        except (YAMLError, KeyError, TypeError, ValueError, RecursionError) as error:
            mark, reason = getattr(error, "problem_mark", None), getattr(error, "problem", None)
            where = Sentence("{source}:{line}", source=source, line=mark.line + 1) if mark else source
            said = reason or " ".join(str(error).split())[:200]
            raise ConfigError("{where}: not valid YAML: {error}", where=where, error=said) from error
        if too_many(document):
            raise ConfigError("{source}: its aliases repeat each other without end", source=source)
        if not isinstance(document, dict):
            raise ConfigError("{source}: expected tables such as `invoice:` with `fields:`", source=source)
        options = document.pop("options", None) or {}
        try:
            tables = {str(key): _table(source, document, str(key)) for key in document}
            return cls(name, tables, _plain(options), text)
        except (KeyError, TypeError, ValueError, RecursionError) as error:  # keys and values that are no text
            raise ConfigError("{source}: {error}", source=source, error=" ".join(str(error).split())) from error

    @property
    def words(self) -> frozenset[str]:
        """Return every word of the file: paths, values, defaults."""
        return frozenset(re.split(r"[\s,:{}\[\]\"']+", self.text))

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the file, by which two installations see whether they read alike."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _line(node: Any, key: str) -> int:
    try:
        return int(node.lc.key(key)[0]) + 1
    except (AttributeError, KeyError, TypeError):
        return 1


def _table(source: str, document: Any, name: str) -> Table:
    node, where = document[name], f"{source}:{_line(document, name)}: {name}"
    if not isinstance(node, dict) or not isinstance(node.get("fields"), dict):
        raise ConfigError("{where}: expected `fields:` with one line per field", where=where)
    unknown = set(node) - {"fields", "only_if"}
    if unknown:
        raise ConfigError(
            "{where}: unknown key {unknown!r}; allowed are fields, only_if", where=where, unknown=sorted(unknown)[0]
        )
    only_if: dict[str, frozenset[str]] = {}
    for path, values in (node.get("only_if") or {}).items():
        only_if[str(path)] = frozenset(str(value) for value in (values if isinstance(values, list) else [values]))
    fields = node["fields"]
    return Table(name, [_field(source, fields, str(key)) for key in fields], only_if)


def _field(source: str, fields: Any, target: str) -> _Field:
    node, where = fields[target], f"{source}:{_line(fields, target)}: {target}"
    if isinstance(node, str):
        return _Field(target, node, _text, None, None)
    if not isinstance(node, dict) or not isinstance(node.get("from"), str):
        raise ConfigError("{where}: expected a source path, or {{from: path, read: reader}}", where=where)
    unknown = set(node) - {"from", "read", "values", "default"}
    if unknown:
        raise ConfigError(
            "{where}: unknown key {unknown!r}; allowed are from, read, values, default",
            where=where,
            unknown=sorted(unknown)[0],
        )
    reader, values = node.get("read", "text"), node.get("values")
    if reader not in READERS:
        raise ConfigError(
            "{where}: unknown reader {reader!r}; there are {readers}",
            where=where,
            reader=reader,
            readers=", ".join(READERS),
        )
    if values is not None and not isinstance(values, dict):
        raise ConfigError("{where}: `values` must be a table from the provider's value to ours", where=where)
    plain = {str(key): value for key, value in values.items()} if values is not None else None
    return _Field(target, str(node["from"]), READERS[reader], plain, node.get("default"))
