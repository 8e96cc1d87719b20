"""The lines and tables of a mapping, as they are applied to records."""

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any
from zoneinfo import ZoneInfo

from bridge.errors import BadRecord
from bridge.mapping.readers import Reader, plain_text
from bridge.words import Sentence, sentence_of

ABSENT: tuple[Any, ...] = (None, "", {}, [])
"""What providers send for "nothing"."""

NEVER_ASSUMED = frozenset(
    [
        "amount",
        "currency",
        "due_on",
        "email",
        "issued_on",
        "kind",
        "level",
        "open",
        "paid",
        "payment_term_days",
        "provider_level",
        "status",
        "superseded",
        "value",
        "value_on",
    ]
)
"""Fields of ours on which amounts, currency, dates, the next step or a recipient depend: their source may be empty, but it must be there."""

_KEY = re.compile(r"[\w.-]{1,60}")


def dig(raw: Any, path: Sequence[str]) -> Any:
    """Follow `path` through nested objects; a missing step is None (providers omit null references)."""
    for step in path:
        if not isinstance(raw, Mapping):
            return None
        raw = raw.get(step)
    return raw


def near(word: str, known: Sequence[str]) -> Sentence:
    """Return `; did you mean ...?` where a known name is close, else nothing."""
    found = get_close_matches(word, known, n=1, cutoff=0.6)
    return Sentence("; did you mean {name}?", name=found[0]) if found else Sentence("")


class Field:
    """One line of a table. `where` names file, line and target; with `must` a record without the source is set aside.

    `optional`: the table says that records may lack it.
    """

    __slots__ = ("default", "must", "optional", "path", "read", "source", "target", "values", "where")

    def __init__(
        self,
        target: str,
        source: str,
        read: Reader,
        *,
        where: str,
        values: dict[str, Any] | None = None,
        default: Any = None,
        must: bool = False,
        optional: bool = False,
    ) -> None:
        self.target, self.source, self.path = target, source, tuple(source.split("."))
        self.read, self.values, self.default = read, values, default
        self.where, self.must, self.optional = where, must, optional

    def apply(self, raw: Any, zone: ZoneInfo) -> Any:
        """Return the value of a record, None where it has none and there is no default. Raises `BadRecord`."""
        value = raw.get(self.path[0]) if len(self.path) == 1 else dig(raw, self.path)
        if not value if type(value) is str else value in ABSENT:
            if self.must:
                self._demand(raw)
            return self.default
        try:
            return self.read(value, zone) if self.values is None else self._listed(plain_text(value, zone))
        except (ValueError, TypeError) as error:
            raise BadRecord(sentence_of(error), field=self.source, value=value) from error

    def _listed(self, value: str) -> Any:
        """Return what the value table makes of a value; what it does not list is the default, but no currency is taken for another."""
        assert self.values is not None
        if value not in self.values and (self.default is None or self.target == "currency"):
            raise BadRecord("{where}: `values` does not list it", where=self.where, field=self.source, value=value)
        return self.values.get(value, self.default)

    def _demand(self, raw: Mapping[str, Any]) -> None:
        """Raise `BadRecord` where the source is not in the record at all: a name that is written wrong must not read as "empty"."""
        box: Any = raw
        for at, step in enumerate(self.path):
            if isinstance(box, Mapping) and step in box:
                box = box[step]
                continue
            names = (
                [name for name in box if type(name) is str and _KEY.fullmatch(name)] if isinstance(box, Mapping) else []
            )
            if at and box in ABSENT:
                names = []
            raise BadRecord(
                "{where} reads {source}, which this record does not have{near}",
                where=self.where,
                source=self.source,
                near=near(step, names),
                field=self.source,
            )


class Table:
    """One record kind of a mapping. `read` gives the model fields of a raw record; None means `only_if` leaves it out.

    `also`: paths beside the fields' own that every record of this kind has.
    """

    def __init__(
        self,
        name: str,
        fields: Sequence[Field],
        only_if: dict[str, frozenset[str]],
        *,
        also: Sequence[str] = (),
        where: str = "",
    ) -> None:
        self.name, self.where, self.also = name, where, tuple(also)
        self.fields = tuple(fields)
        self.conditions = tuple(only_if)
        self._only_if = tuple((tuple(path.split(".")), values) for path, values in only_if.items())

    @property
    def targets(self) -> tuple[str, ...]:
        return tuple(field.target for field in self.fields)

    @property
    def paths(self) -> frozenset[str]:
        """Return every path into a record that the table names."""
        return frozenset((*(field.source for field in self.fields), *self.conditions, *self.also))

    def matches(self, raw: Any) -> bool:
        """Return whether `only_if` takes this record."""
        return all(str(dig(raw, path)) in values for path, values in self._only_if)

    def read(self, raw: Any, zone: ZoneInfo) -> dict[str, Any] | None:
        """Return target fields of `raw`; absent values without a default are left out. Raises `BadRecord`."""
        if not isinstance(raw, Mapping):
            raise BadRecord("expected an object for {name}", name=self.name, value=raw)
        if not self.matches(raw):
            return None
        result: dict[str, Any] = {}
        for field in self.fields:
            value = field.apply(raw, zone)
            if value is not None:
                result[field.target] = value
        return result
