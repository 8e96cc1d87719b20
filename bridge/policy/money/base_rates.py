"""Base rates (Basiszinssätze) as dated data: shipped for Germany and Austria, or an operator's own file. Never extrapolated."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from importlib import resources
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode

from bridge.errors import ConfigError
from bridge.model import Finding, Severity
from bridge.plain import too_deep
from bridge.words import Sentence

DAY = timedelta(days=1)
LARGEST = 100_000
"""Characters of a table file."""


@dataclass(frozen=True, slots=True)
class RateTable:
    """Base rates of one country, in per cent per year; `rates` are (valid from, rate) in order.

    Rates are known up to and including `known_until`. Days before the first entry or after that day have no rate.
    """

    country: str
    rates: tuple[tuple[date, Decimal], ...]
    known_until: date
    source: str = ""
    _starts: tuple[date, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_starts", tuple(start for start, _ in self.rates))

    def rate_on(self, day: date) -> Decimal | None:
        """Return the base rate of `day`, or None where the table does not know it."""
        place = bisect_right(self._starts, day)
        return self.rates[place - 1][1] if place and day <= self.known_until else None

    def until(self, day: date) -> date | None:
        """Return the last day on which what holds on `day` (a rate, or none) still holds; None: for ever."""
        if day > self.known_until:
            return None
        place = bisect_right(self._starts, day)
        return self.known_until if place == len(self._starts) else min(self._starts[place] - DAY, self.known_until)

    def finding(self, today: date) -> Finding | None:
        """Return the warning that the half-year of `today` has no base rate, or None."""
        if self.rate_on(today) is not None:
            return None
        text = Sentence(
            "the base rate of {country} is known until {known_until} only; interest stops there instead of being guessed. Add the half-year to a table of your own and name it in claims.base_rates",
            country=self.country,
            known_until=self.known_until,
        )
        return Finding(severity=Severity.WARNING, code="base_rate_missing", text=text)


@lru_cache(maxsize=1)
def shipped_tables() -> Mapping[str, RateTable]:
    """Return the tables that ship with the program, by country."""
    tables = {}
    for entry in sorted(resources.files("bridge.policy").joinpath("data").iterdir(), key=lambda one: one.name):
        if entry.name.startswith("base_rates_"):
            table = parse_table(entry.read_text(encoding="utf-8"), entry.name)
            tables[table.country] = table
    return tables


def load_tables(paths: Iterable[Path]) -> Mapping[str, RateTable]:
    """Return the shipped tables, each replaced by the operator's file of its country. Raises `ConfigError`."""
    tables, files = dict(shipped_tables()), dict[str, Path]()
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise ConfigError("{path}: is no UTF-8 text", path=path) from error
        except OSError as error:
            raise ConfigError("{path}: cannot be read: {strerror}", path=path, strerror=error.strerror) from error
        table = parse_table(text, str(path))
        if table.country in files:
            raise ConfigError(
                "{path}: base rates of {country} already stand in {files}",
                path=path,
                country=table.country,
                files=files[table.country],
            )
        files[table.country] = path
        tables[table.country] = table
    return tables


def parse_table(text: str, source: str) -> RateTable:
    """Return the table that `text` describes; `source` names the file in errors. Raises `ConfigError` with file and line."""
    if len(text) > LARGEST:
        raise ConfigError(
            "{source}: longer than {largest} characters; no table of base rates is that long",
            source=source,
            largest=LARGEST,
        )
    if too_deep(text):
        raise ConfigError("{source}: too many brackets within each other", source=source)
    try:
        node = YAML(typ="rt", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ConfigError(
            "{source}:{line}: not valid YAML: {error}",
            source=source,
            line=mark.line + 1 if mark else 1,
            error=error.problem or error.context,
        ) from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(
            "{source}: not valid YAML: {error}", source=source, error=" ".join(str(error).split())[:200]
        ) from error
    return _Reader(source).table(node)


class _Reader:
    """Reads one file; every mistake names its line."""

    def __init__(self, source: str) -> None:
        self.source = source

    def wrong(self, node: Node | None, text: str, **facts: object) -> ConfigError:
        line = node.start_mark.line + 1 if node is not None else 1
        return ConfigError("{source}:{line}: {text}", source=self.source, line=line, text=Sentence(text, **facts))

    def table(self, root: Node | None) -> RateTable:
        known = {"country", "source", "known_until", "rates"}
        keys = self.mapping(root, Sentence("a table of base rates has the keys country, source, known_until and rates"))
        for name, (key, _) in keys.items():
            if name not in known:
                raise self.wrong(key, "{name}: there is no such key; known are {known}", name=name, known=sorted(known))
        for name in sorted(known - {"source"} - keys.keys()):
            raise self.wrong(root, "{name} is missing", name=name)
        country = self.scalar(keys["country"][1], "country")
        if len(country) != 2 or not country.isalpha() or not country.isupper():
            raise self.wrong(
                keys["country"][1], "country = {country!r}: write two capital letters such as DE", country=country
            )
        rates = self.rates(keys["rates"][1])
        until = self.day(keys["known_until"][1], "known_until")
        if (until + DAY).day != 1 or (until + DAY).month not in (1, 7) or until < rates[-1][0]:
            raise self.wrong(
                keys["known_until"][1],
                "known_until = {until}: write the last day of the newest half-year, 30 June or 31 December",
                until=until,
            )
        about = self.scalar(keys["source"][1], "source") if "source" in keys else self.source
        return RateTable(country, rates, until, about)

    def rates(self, node: Node) -> tuple[tuple[date, Decimal], ...]:
        found: list[tuple[date, Decimal]] = []
        for key, value in self.mapping(node, Sentence("rates: lines such as 2026-07-01: 1.52")).values():
            start = self.day(key, "rates")
            if start.day != 1 or start.month not in (1, 7):
                raise self.wrong(key, "rates: {start}: base rates change on 1 January and 1 July only", start=start)
            if found and start <= found[-1][0]:
                raise self.wrong(
                    key,
                    "rates: {start} stands after {before}; write the oldest first",
                    start=start,
                    before=found[-1][0],
                )
            found.append((start, self.rate(value)))
        if not found:
            raise self.wrong(node, "rates: needs at least one line such as 2026-07-01: 1.52")
        return tuple(found)

    def mapping(self, node: Node | None, right: Sentence) -> dict[str, tuple[Node, Node]]:
        if not isinstance(node, MappingNode):
            raise self.wrong(node, right)
        found: dict[str, tuple[Node, Node]] = {}
        for key, value in node.value:
            name = self.scalar(key, "key")
            if name in found:
                raise self.wrong(key, "{name} stands here twice; remove one of them", name=name)
            found[name] = (key, value)
        return found

    def scalar(self, node: Node, name: str) -> str:
        if not isinstance(node, ScalarNode):
            raise self.wrong(node, "{name}: write one value, not a list", name=name)
        return str(node.value).strip()

    def day(self, node: Node, name: str) -> date:
        text = self.scalar(node, name)
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise self.wrong(
                node, "{name} = {written!r}: write a date such as 2026-07-01", name=name, written=text
            ) from None

    def rate(self, node: Node) -> Decimal:
        text = self.scalar(node, "rate")
        try:
            rate = Decimal(text)
        except InvalidOperation:
            raise self.wrong(
                node, "rates: {written!r}: write per cent with a point, such as 1.52", written=text
            ) from None
        if not rate.is_finite() or not -20 <= rate <= 50 or rate != round(rate, 4):
            raise self.wrong(
                node,
                "rates: {written}: write per cent per year between -20 and 50, with at most four places",
                written=text,
            )
        return rate
