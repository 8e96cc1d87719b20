"""Mapping files: YAML compiled into tables."""

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bridge.errors import ConfigError
from bridge.mapping.fields import NEVER_ASSUMED, Field, Table
from bridge.mapping.own import compare, complete_options
from bridge.mapping.readers import READERS
from bridge.plain import too_deep, too_many
from bridge.words import Sentence

LARGEST = 200_000
"""Characters of a mapping; it may come with a bundle, from anybody."""


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

        An own file is held against the shipped one (`bridge.mapping.own`).

        Raises `ConfigError` naming file, line, key and what would be right.
        """
        own = folder / f"{name}.yaml" if folder else None
        shipped = resources.files("mappings") / f"{name}.yaml"
        if own is not None and own.is_file():
            found = cls.parse(name, own.read_text("utf-8"), str(own))
            if shipped.is_file():
                found.stands_in_for(cls.parse(name, shipped.read_text("utf-8"), f"mappings/{name}.yaml"), str(own))
            return found
        if not shipped.is_file():
            raise ConfigError(
                "there is no mapping {file} in {folder}", file=f"{name}.yaml", folder=folder or "mappings"
            )
        return cls.parse(name, shipped.read_text("utf-8"), f"mappings/{name}.yaml")

    def stands_in_for(self, shipped: "Mapping", source: str) -> None:
        """Raise `ConfigError` where this file `source` lacks what the shipped one has, or reads what no record is known to have."""
        compare(source, self._tables, shipped._tables)  # noqa: SLF001  of one class
        complete_options(f"{source}: options", self.options, shipped.options)

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
    unknown = set(node) - {"also", "fields", "only_if"}
    if unknown:
        raise ConfigError(
            "{where}: unknown key {unknown!r}; allowed are fields, only_if, also",
            where=where,
            unknown=sorted(unknown)[0],
        )
    only_if: dict[str, frozenset[str]] = {}
    for path, values in (node.get("only_if") or {}).items():
        only_if[str(path)] = frozenset(str(value) for value in (values if isinstance(values, list) else [values]))
    also = node.get("also") or []
    if not isinstance(also, list) or not all(isinstance(path, str) for path in also):
        raise ConfigError("{where}: expected `also:` with a list of source paths", where=where)
    fields = node["fields"]
    return Table(name, [_field(source, fields, str(key), also) for key in fields], only_if, also=also, where=where)


def _field(source: str, fields: Any, target: str, also: Sequence[str]) -> Field:
    node, where = fields[target], f"{source}:{_line(fields, target)}: {target}"
    if isinstance(node, str):
        node = {"from": node}
    if not isinstance(node, dict) or not isinstance(node.get("from"), str):
        raise ConfigError("{where}: expected a source path, or {{from: path, read: reader}}", where=where)
    unknown = set(node) - {"from", "read", "values", "default", "optional"}
    if unknown:
        raise ConfigError(
            "{where}: unknown key {unknown!r}; allowed are from, read, values, default, optional",
            where=where,
            unknown=sorted(unknown)[0],
        )
    reader, values, optional = node.get("read", "text"), node.get("values"), node.get("optional", False)
    if reader not in READERS:
        raise ConfigError(
            "{where}: unknown reader {reader!r}; there are {readers}",
            where=where,
            reader=reader,
            readers=", ".join(READERS),
        )
    if values is not None and not isinstance(values, dict):
        raise ConfigError("{where}: `values` must be a table from the provider's value to ours", where=where)
    if not isinstance(optional, bool):
        raise ConfigError("{where}: `optional` is true or false", where=where)
    return Field(
        target,
        str(node["from"]),
        READERS[reader],
        where=where,
        values={str(key): value for key, value in values.items()} if values is not None else None,
        default=node.get("default"),
        must=not optional and (target in NEVER_ASSUMED or node["from"] in also),
        optional=optional,
    )
