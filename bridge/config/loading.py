"""From `bridge.yaml` to a validated `Config`; every mistake is found in one go and named with its place."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from bridge.config import plugins
from bridge.config.model import Config
from bridge.config.problems import BadConfig, Place, Problem, suggestion
from bridge.config.reading import Document, Path_, dotted, read, read_secret_files
from bridge.config.shape import Shape
from bridge.config.words import explain
from bridge.errors import ConfigError
from bridge.http import HttpSettings
from bridge.words import Sentence

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that holds together, with what a person should know about it."""

    config: Config
    path: Path
    warnings: tuple[Problem, ...]
    files: tuple[Path, ...]
    places: Mapping[Path_, Place] = field(default_factory=dict)

    def place(self, *path: str | int) -> Place:
        """Return where a key, or the nearest one above it, was written."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path) or Place(str(self.path), None)

    @property
    def folder(self) -> Path:
        """Return the folder that relative paths start from."""
        return self.path.resolve().parent

    @property
    def data(self) -> Path:
        """Return the data folder (absolute)."""
        return self.folder / self.config.data  # the default is relative, a written one already absolute

    @property
    def database_url(self) -> str:
        """Return the SQLAlchemy URL; it may contain a password."""
        url = self.config.database.url
        return url.get_secret_value() if url else f"sqlite:///{self.data / 'mahnbridge.db'}"


def load(path: Path, env: Mapping[str, str] | None = None) -> Loaded:
    """Load and validate `path` with everything that it includes.

    Raises `BadConfig` (a `ConfigError`) with one line per mistake: file, line, key, value, and what would be right.
    """
    if not path.is_file():
        raise ConfigError(
            "{path}: there is no such file; `mahnbridge init` writes one, --config or MAHNBRIDGE_CONFIG name another",
            path=path,
        )
    document = read(path, os.environ if env is None else env)
    shape = _shape(document.data)
    read_secret_files(document, shape.is_secret)
    _from_here(document, shape)
    plain = _plain_secrets(document, shape)
    _plugins(document, shape)
    config = _validate(Config, document.data, (), document, shape)
    if config is None or document.problems:
        raise BadConfig(document.problems)
    _together(document, config)
    if document.problems:
        raise BadConfig(document.problems)
    return Loaded(config, path, tuple(plain), tuple(document.files), document.places)


def _parts(data: dict[str, Any]) -> list[tuple[Path_, str, str]]:
    """Return `(path, plug-in group, plug-in name)` of each block that a plug-in validates."""
    found: list[tuple[Path_, str, str]] = []
    accounts, channels = data.get("accounts"), data.get("channels")
    if isinstance(accounts, dict):
        for name, account in accounts.items():
            if isinstance(account, dict) and isinstance(account.get("connector"), str):
                found.append((("accounts", name, "settings"), plugins.CONNECTORS, account["connector"]))
    if isinstance(channels, dict):
        found.extend((("channels", name), plugins.CHANNELS, name) for name in channels)
    return found


def settings_model(group: str, name: str) -> type[BaseModel]:
    """Return the settings model of plug-in `name`. Raises `ConfigError`."""
    return plugins.connector(name).Settings if group == plugins.CONNECTORS else plugins.channel(name).Settings


def _shape(data: dict[str, Any]) -> Shape:
    shape = Shape()
    for path, group, name in _parts(data):
        if name not in plugins.names(group):
            continue
        try:
            model = settings_model(group, name)
        except ConfigError:
            continue  # said when the block is validated
        block = _at(data, path)
        shape.add(model, {} if block is None else block, path)
    accounts = data.get("accounts")
    for name, account in accounts.items() if isinstance(accounts, dict) else ():
        if isinstance(account, dict):
            shape.add(HttpSettings, account.get("http"), ("accounts", name, "http"))
    shape.add(Config, data, ())
    return shape


def _at(data: Any, path: Path_) -> Any:
    for step in path:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _plugins(document: Document, shape: Shape) -> None:
    """Validate each block that belongs to a plug-in or to the HTTP session, and put the result in its place."""
    data = document.data
    for path, group, name in _parts(data):
        if name not in plugins.names(group):
            where = (*path[:-1], "connector") if group == plugins.CONNECTORS else path
            what = (
                Sentence("there is no such connector")
                if group == plugins.CONNECTORS
                else Sentence("there is no such channel")
            )
            document.complain(where, what, value=name, hint=suggestion(name, list(plugins.names(group))))
            continue
        try:
            model = settings_model(group, name)
        except ConfigError as error:
            document.complain(path[:-1], error.sentence)
            continue
        block = _at(data, path)
        node = _at(data, path[:-1])
        node[path[-1]] = (
            _validate(model, {} if block is None else block, path, document, shape) or model.model_construct()
        )
    accounts = data.get("accounts")
    for name, account in accounts.items() if isinstance(accounts, dict) else ():
        if isinstance(account, dict) and account.get("http") is not None:
            account["http"] = _validate(HttpSettings, account["http"], ("accounts", name, "http"), document, shape)


def _validate(model: type[M], data: Any, path: Path_, document: Document, shape: Shape) -> M | None:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        document.problems.extend(explain(error, data, path, document, shape))
        return None


def _from_here(document: Document, shape: Shape) -> None:
    """Let relative file names start at the folder of the file in which they stand; those of the environment at the working folder."""
    for path in document.places:
        value = _at(document.data, path)
        if isinstance(value, str) and value and shape.is_path(path):
            _at(document.data, path[:-1])[path[-1]] = str(document.folder(path) / value)


def _plain_secrets(document: Document, shape: Shape) -> list[Problem]:
    found = []
    for path in document.places:
        value = _at(document.data, path)
        if isinstance(value, str) and value and shape.is_secret(path) and path not in document.outside:
            name = str(next(step for step in reversed(path) if isinstance(step, str)))
            hint = Sentence("write ${{NAME}} and set NAME, or {name}_file: /run/secrets/...", name=name)
            found.append(
                Problem(document.place(path), dotted(path), Sentence("a secret stands here in plain text"), hint=hint)
            )
    return found


def refuse_clock(loaded: Loaded) -> None:
    """Raise `BadConfig` where the date is set from outside although an account speaks to its provider's real host."""
    problems = [
        Problem(Place(str(loaded.path), None), f"accounts.{name}", _clock(name, host))
        for name, host in _real_hosts(loaded.config)
    ]
    if problems:
        raise BadConfig(problems)


def _clock(name: str, host: str) -> Sentence:
    return Sentence("the date cannot be set from outside while account {name} speaks to {host}", name=name, host=host)


def _real_hosts(config: Config) -> list[tuple[str, str]]:
    found = []
    for name, account in config.accounts.items():
        host = (urlsplit(account.http.base_url if account.http else "").hostname or "").lower()
        real = plugins.connector(account.connector).hosts
        if any(host == suffix.lstrip(".") or host.endswith("." + suffix.lstrip(".")) for suffix in real):
            found.append((name, host))
    return found


def _together(document: Document, config: Config) -> None:
    """Check what no single block can know."""
    for name, host in _real_hosts(config) if config.clock is not None else ():
        hint = Sentence("remove `clock`, or point the account at a sandbox")
        document.complain(("clock",), _clock(name, host), value=str(config.clock), hint=hint)
    _assignments(document, config)
    _patience(document, config)
    named: list[tuple[Path_, tuple[str, ...]]]
    named = [(("plans", "assign", at, "accounts"), line.accounts) for at, line in enumerate(config.plans.assign)]
    named += [(("colleagues", at, "accounts"), line.accounts) for at, line in enumerate(config.colleagues)]
    for place, accounts in named:
        for account_name in accounts:
            if account_name not in config.accounts:
                document.complain(
                    place,
                    Sentence("there is no such account"),
                    value=account_name,
                    hint=suggestion(account_name, list(config.accounts)),
                )


def _patience(document: Document, config: Config) -> None:
    """Refuse calls that may still run when their outcome is asked for: what is not seen then would be taken as not done."""
    for name, account in config.accounts.items():
        settling = account.delivery.settling_seconds
        long: list[tuple[Path_, float]] = []
        if account.http is not None:
            long.append((("accounts", name, "http", "write_deadline"), account.http.write_deadline))
        for channel, settings in config.channels.items():
            if isinstance(deadline := getattr(settings, "deadline", None), float):
                long.append((("channels", channel, "deadline"), deadline))
        for place, seconds in long:
            if seconds >= settling:
                text = Sentence(
                    "must be shorter than accounts.{name}.delivery.settling_seconds ({settling}), else what is not seen then may still be under way",
                    name=name,
                    settling=settling,
                )
                document.complain(place, text, value=f"{seconds:g}")


_CONDITIONS = (
    "accounts", "customers", "tags", "terms_days", "kinds", "countries", "languages", "gross_from", "gross_below",
)  # fmt: skip


def _assignments(document: Document, config: Config) -> None:
    """Refuse assignments that nobody can ever have: no value, no amount between, or the same conditions as a line before."""
    seen: dict[tuple[object, ...], int] = {}
    for index, line in enumerate(config.plans.assign):
        here: Path_ = ("plans", "assign", index)
        for name in line.model_fields_set & set(_CONDITIONS):
            if getattr(line, name) == ():
                hint = Sentence("take the key out for everybody, or name at least one")
                document.complain((*here, name), Sentence("matches nobody: the list is empty"), hint=hint)
        low, high = line.gross_from, line.gross_below
        if low is not None and high is not None and low >= high:
            hint = Sentence("gross_from is included, gross_below is not; write a larger gross_below")
            text = Sentence("matches nobody: no amount is at least {low} and below {high}", low=low, high=high)
            document.complain((*here, "gross_below"), text, value=str(high), hint=hint)
        key = tuple(
            frozenset(value) if isinstance(value := getattr(line, name), tuple) else value for name in _CONDITIONS
        )
        if key in seen:
            first = document.place(("plans", "assign", seen[key]))
            text = Sentence("matches nobody: {first} has the same conditions and comes first", first=first)
            document.complain(here, text, hint=Sentence("remove one of them"))
        seen.setdefault(key, index)
