"""Profiles: what a kind of file means, as YAML tables in `mappings/csv/`; the operator's folder overrides by the same name."""

import json
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cache
from hashlib import sha256
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from bridge.contract import ConfigError, Wrong, misfit, too_deep, too_many
from connectors.generic_csv.cells import fold


class Profile(BaseModel):
    """One kind of file.

    `meaning`: snapshot (complete; what is missing is settled), delta (what is missing is unchanged), list (what is missing is
    unknown). `rows`: unique or add_up. `headers`: sets of header names, each of which alone proves this profile.
    `columns`: where our fields stand; a file that lacks one of them is refused, unless `optional` names it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    kind: Literal["invoices", "bookings", "bank", "statement"]
    meaning: Literal["snapshot", "delta", "list"] = "list"
    rows: Literal["unique", "add_up"] = "unique"
    key: tuple[Literal["invoice_no", "customer_no"], ...] = ("invoice_no",)
    source: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]{1,32}$")
    fresh_days: int = Field(7, ge=1, le=366)
    open_by_default: bool = False
    priority: int = Field(10, ge=0, le=100)
    encoding: tuple[str, ...] = ()
    delimiter: str | None = Field(None, min_length=1, max_length=1)
    decimals: Literal["auto", "comma", "dot", "cents"] = "auto"
    headers: tuple[tuple[str, ...], ...] = ()
    columns: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    optional: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _key_names_the_invoice(self) -> Self:
        if "invoice_no" not in self.key:
            raise Wrong("key needs invoice_no")
        return self

    @property
    def origin(self) -> str:
        """Return the first part of every id that comes from such files."""
        return self.source or self.name

    def proves(self, header: Sequence[str]) -> int:
        """Return how many header names of this profile's best set are there, 0 where no set is complete."""
        return self.proves_folded({fold(cell) for cell in header})

    def proves_folded(self, present: AbstractSet[str]) -> int:
        """Return the same of header names that are folded already."""
        return max((len(wanted) for wanted in self.headers if all(fold(name) in present for name in wanted)), default=0)

    def digest(self) -> str:
        """Return a short hash of all its settings: a file is read anew when its profile has changed."""
        return sha256(self.model_dump_json().encode()).hexdigest()[:8]


class Words:
    """The word lists of `generic_csv.yaml`, folded for comparison."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.digest = sha256(json.dumps(options, sort_keys=True, default=str).encode()).hexdigest()[:8]
        try:
            self.columns = {name: tuple(names) for name, names in options["columns"].items()}
            self.bank_columns = {name: tuple(names) for name, names in options["bank_columns"].items()}
            self.status = _inverse(options["status"])
            self.kinds = _inverse(options["kinds"])
            self.yes, self.no = _folded(options["yes"]), _folded(options["no"])
            self.totals, self.pending = _folded(options["totals"]), _folded(options["pending"])
            self.partly = _folded(options["partly"])
            self.collects = _folded(options["collects"])
        except (KeyError, AttributeError, TypeError) as error:
            raise ConfigError(
                "mappings/generic_csv.yaml: the option {error} is missing or no table", error=error
            ) from error

    @property
    def all(self) -> Iterator[str]:
        """Yield every name and word as the file has it, and as it is compared."""
        for names in (*self.columns.values(), *self.bank_columns.values()):
            yield from map(str, names)
        for words in (
            self.status,
            self.kinds,
            self.yes,
            self.no,
            self.totals,
            self.pending,
            self.partly,
            self.collects,
        ):
            yield from words

    def locate(self, header: Sequence[str], own: Mapping[str, Sequence[str]], *, bank: bool = False) -> dict[str, int]:
        """Return for each of our fields the column that holds it: the profile's names first, each column once."""
        known = self.bank_columns if bank else self.columns
        places: dict[str, int] = {}
        for at, cell in enumerate(header):
            places.setdefault(fold(cell), at)
        found: dict[str, int] = {}
        for table in (own, known):
            for field, names in table.items():
                named = [places[key] for name in names if (key := fold(name)) in places] if field not in found else []
                free = next((at for at in named if at not in found.values()), None)
                if free is not None:
                    found[field] = free
        return found

    def score(self, header: Sequence[str]) -> int:
        """Return how many cells of a row are header names of ours; a header names an amount and a number or a day."""
        if not 2 <= len(header) <= 400 or any(len(cell) > 100 for cell in header):
            return 0
        invoices, bank = self.locate(header, {}), self.locate(header, {}, bank=True)
        listed = len(invoices) if "invoice_no" in invoices and {"gross", "open"} & set(invoices) else 0
        booked = len(bank) if {"amount", "booked_on"} <= set(bank) else 0
        return max(listed, booked)


def _folded(words: Sequence[str]) -> frozenset[str]:
    return frozenset(fold(str(word)) or str(word) for word in words)


def _inverse(table: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {fold(str(word)): meaning for meaning, words in table.items() for word in words}


def check_columns(profiles: Mapping[str, Profile], words: Words) -> None:
    """Raise `ConfigError` where a profile has columns for a field that there is not: `curency` would be read by nobody."""
    for profile in profiles.values():
        known = words.bank_columns if profile.kind == "bank" else words.columns
        unknown = next((name for name in profile.columns if name not in known), None)
        if unknown is not None:
            raise ConfigError(
                "profile {profile}: there is no field {name} for `columns`; there are {known}",
                profile=profile.name,
                name=unknown,
                known=", ".join(known),
            )


def load_profiles(folder: Path | None) -> dict[str, Profile]:
    """Load the shipped profiles and those in `folder`, which win. Raises `ConfigError` naming file and key."""
    if folder is not None and not folder.is_dir():
        raise ConfigError("the folder of profiles {folder} does not exist", folder=folder)
    return _shipped() | (_read(folder) if folder is not None else {})


@cache
def _shipped() -> dict[str, Profile]:
    return _read(resources.files("mappings") / "csv")


def _read(folder: Traversable | Path) -> dict[str, Profile]:
    files = sorted(_files(folder), key=lambda file: file.name)
    return {(name := file.name.removesuffix(".yaml")): _profile(name, file) for file in files}


def _files(folder: Traversable | Path) -> Iterator[Traversable | Path]:
    return (file for file in folder.iterdir() if file.name.endswith(".yaml") and not file.name.startswith("."))


def _profile(name: str, file: Traversable | Path) -> Profile:
    where = f"mappings/csv/{file.name}" if not isinstance(file, Path) else str(file)
    try:
        text = file.read_text("utf-8")
        if too_deep(text):
            raise ConfigError("{where}: too many brackets within each other", where=where)
        data = YAML(typ="safe", pure=True).load(text)
        if too_many(data):
            raise ConfigError("{where}: its aliases repeat each other without end", where=where)
        return Profile.model_validate({**data, "name": name})
    except YAMLError as error:
        raise ConfigError("{where}: {error}", where=where, error=" ".join(str(error).split())) from error
    except (TypeError, KeyError, OSError, UnicodeDecodeError, RecursionError) as error:
        raise ConfigError("{where}: expected a table such as `kind: invoices`", where=where) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise ConfigError(
            "{where}: {place}: {why} (value {value!r})",
            where=where,
            place=place,
            why=misfit(first),
            value=str(first["input"])[:100],
        ) from error
