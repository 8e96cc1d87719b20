"""An operator's mapping beside the shipped one of the same name, which knows what the provider's records have.

A field that is written wrong would read as "empty", and an empty one as its default: an invoice in francs would be dunned in euros.
So an own file says where everything comes from that the shipped one reads, and reads nothing that records are not known to have. What
the shipped file does not know stands under `also:` of the own table; then a record without it is set aside.
"""

from collections.abc import Mapping
from typing import Any

from bridge.errors import ConfigError
from bridge.mapping.fields import Field, Table, near


def compare(source: str, own: Mapping[str, Table], shipped: Mapping[str, Table]) -> None:
    """Raise `ConfigError` naming file, line and field where the tables of `own` cannot stand in for those that are shipped."""
    _complete(source, own, shipped)
    for name, table in own.items():
        if name not in shipped:
            raise ConfigError(
                "{where}: there is no table {name}{near}",
                where=table.where,
                name=name,
                near=near(name, sorted(shipped)),
            )
        there = shipped[name]
        _complete(table.where, {one.target: one for one in table.fields}, {one.target: one for one in there.fields})
        _complete(table.where, dict.fromkeys(table.conditions), dict.fromkeys(there.conditions))
        for field in table.fields:
            _line(field, table, there)


def _line(field: Field, table: Table, there: Table) -> None:
    if field.source not in there.paths and field.source not in table.also:
        raise ConfigError(
            "{where} reads {source}, which no record of the provider is known to have{near} (a field that every record has is listed "
            "under `also:` of this table)",
            where=field.where,
            source=field.source,
            near=near(field.source, sorted(there.paths)),
        )
    known = next((one for one in there.fields if one.target == field.target), None)
    if field.optional and known is not None and known.must:
        raise ConfigError("{where}: must not be optional: what is sent depends on it", where=field.where)


def complete_options(source: str, own: Mapping[str, Any], shipped: Mapping[str, Any]) -> None:
    """Raise `ConfigError` where an option, or a name within one, is missing or unknown: a list without its currency column reads euros."""
    _complete(source, own, shipped)
    _none_beyond(source, own, shipped)
    for name, value in shipped.items():
        if isinstance(value, Mapping) and isinstance(own[name], Mapping):
            _complete(f"{source}: {name}", own[name], value)
            _none_beyond(f"{source}: {name}", own[name], value)


def _complete(where: str, own: Mapping[str, Any], shipped: Mapping[str, Any]) -> None:
    missing = next((name for name in shipped if name not in own), None)
    if missing is not None:
        beyond = [name for name in own if name not in shipped]
        raise ConfigError(
            "{where}: {name} is missing, which the shipped file has{near}",
            where=where,
            name=missing,
            near=near(missing, beyond),
        )


def _none_beyond(where: str, own: Mapping[str, Any], shipped: Mapping[str, Any]) -> None:
    unknown = next((name for name in own if name not in shipped), None)
    if unknown is not None:
        raise ConfigError(
            "{where}: there is no {name}{near}", where=where, name=unknown, near=near(unknown, sorted(shipped))
        )
