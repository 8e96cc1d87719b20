"""Installed connectors and channels, found by entry point; our own come through the same door as anybody's."""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from bridge.contract import Channel, Connector
from bridge.errors import ConfigError
from bridge.words import Sentence, learn

CONNECTORS = "mahnbridge.connectors"
CHANNELS = "mahnbridge.channels"


@cache
def names(group: str) -> Mapping[str, EntryPoint]:
    """Return the entry points of `group` by name, in alphabetical order."""
    found = {point.name: point for point in entry_points(group=group)}
    return dict(sorted(found.items()))


@cache
def connector(name: str) -> type[Connector]:
    """Return the class of connector `name`. Raises `ConfigError` where it cannot be loaded."""
    loaded = _load(CONNECTORS, name)
    if not (isinstance(loaded, type) and issubclass(loaded, Connector)):
        raise ConfigError("the plug-in {name} is no connector", name=name)
    learn(loaded.german)
    return loaded


@cache
def channel(name: str) -> type[Channel]:
    """Return the class of channel `name`. Raises `ConfigError` where it cannot be loaded."""
    loaded = _load(CHANNELS, name)
    if not (isinstance(loaded, type) and issubclass(loaded, Channel)):
        raise ConfigError("the plug-in {name} is no channel", name=name)
    learn(loaded.german)
    return loaded


def _load(group: str, name: str) -> object:
    point = names(group).get(name)
    if point is None:
        raise ConfigError(
            "there is no plug-in {name!r} in {group}; there are {known}",
            name=name,
            group=group,
            known=names(group) or Sentence("none"),
        )
    try:
        return point.load()
    except (ImportError, AttributeError) as error:
        raise ConfigError("the plug-in {name} cannot be loaded: {error}", name=name, error=error) from error
