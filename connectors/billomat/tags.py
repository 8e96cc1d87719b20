"""Tags as dunning stops (Mahnstopp): which invoices and clients carry one of the configured tags.

Records do not show their tags. The tag cloud tells in one call whether a tag is in use at all, the list filter names its records,
and each record found for the first time is checked once by its own tag list, for the filter may match more than was asked.
"""

from collections.abc import Collection, Mapping
from typing import Any

from bridge.contract import Reason
from connectors.billomat import wire
from connectors.billomat.api import OPEN_STATES, Api

_CHECKS = 50
Tagged = dict[str, list[str]]
"""Record id -> its tags that mean something to us."""


def tagged(api: Api, kind: str, meaning: Mapping[str, Reason], known: Tagged) -> Tagged:
    """Return the `kind`s (invoice, client) with a configured tag; those in `known` are not checked again.

    At most `_CHECKS` new ones of a tag are checked at a time. The others count as tagged while the filter proves right, else not:
    a look reads a record's own tags in any case.
    """
    if not meaning:
        return {}
    cloud = in_use(api, kind)
    filters: dict[str, Any] = {"status": ",".join(OPEN_STATES)} if kind == "invoice" else {}
    result: Tagged = {}
    for name in meaning:
        if name.casefold() not in cloud:
            continue
        found = [str(wire.number(row)) for row in api.tagged(kind, name, **filters)]
        new = [key for key in found if name not in known.get(key, ())]
        wrong = {key for key in new[:_CHECKS] if not _carries(api, kind, key, name)}
        limit = cloud[name.casefold()]
        if wrong or (limit and len(found) > limit):
            wrong.update(new[_CHECKS:])
        for key in found:
            if key not in wrong:
                result.setdefault(key, []).append(name)
    return result


def in_use(api: Api, kind: str) -> dict[str, int]:
    """Return the tags in use on invoices or clients, in lower case, with their counts (0 where Billomat does not say)."""
    return {(wire.text(row, "name") or "").casefold(): wire.number(row, "count") for row in api.tag_cloud(kind)}


def _carries(api: Api, kind: str, record_id: str, name: str) -> bool:
    return name.casefold() in (tag.casefold() for tag in api.tag_names(kind, record_id))


def of_record(api: Api, kind: str, record_id: str, wanted: Collection[str]) -> tuple[str, ...]:
    """Return those of `wanted` that one record carries, in the spelling of `wanted`, read now."""
    if not wanted:
        return ()
    present = {tag.casefold() for tag in api.tag_names(kind, record_id)}
    return tuple(name for name in wanted if name.casefold() in present)
