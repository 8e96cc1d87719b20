"""One call of the command line: opens the application when it is needed, prints the result for people or for scripts."""

import base64
import getpass
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar
from zoneinfo import ZoneInfo

import click

from bridge.cli.locale import language, located, speak, tell_time_in
from bridge.plain import escaped

if TYPE_CHECKING:
    from bridge.app import Bridge
    from bridge.app.results import Done
    from bridge.cli.out import Out

R = TypeVar("R")


def plain(value: Any) -> Any:
    """Return `value` as JSON values: amounts as decimal text, instants and dates in ISO form, files as base64."""
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if hasattr(type(value), "model_fields"):  # a noun of the model
        return {name: plain(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Decimal | Path):
        return str(value)
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    return value


class Session:
    """What a command is given: the application, who acts, and the way to print."""

    def __init__(
        self, *, config: str, as_json: bool = False, lang: str | None = None, actor: str | None = None
    ) -> None:
        self.path = Path(config)
        self.as_json = as_json
        self._lang = lang
        self._actor = actor
        self._bridge: Bridge | None = None
        if lang:
            speak(lang)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bridge is not None:
            self._bridge.close()

    @property
    def actor(self) -> str:
        """Return who acts: `--as`, else the user of the operating system."""
        if self._actor:
            return self._actor
        try:
            return getpass.getuser()
        except (KeyError, OSError):  # a container's user id without a name
            import os  # noqa: PLC0415

            return f"uid {os.getuid()}" if hasattr(os, "getuid") else "unknown"

    @property
    def bridge(self) -> "Bridge":
        """Return the application, opened at first use."""
        if self._bridge is None:
            from bridge import log  # noqa: PLC0415
            from bridge.app import Bridge  # noqa: PLC0415  opened only by commands that need it

            log.set_up(style="console", level="error")  # people see the result; the service sets up its own
            self._bridge = Bridge.open(self.path, actor=self.actor)
            tell_time_in(ZoneInfo(self._bridge.config.schedule.time_zone))
            if not self._lang and not located():
                speak(self._bridge.language)
            self._bridge.language = language()
        return self._bridge

    @property
    def interactive(self) -> bool:
        """Return whether a person sits at a terminal and can be asked."""
        return sys.stdin.isatty() and not self.as_json

    @cached_property
    def out(self) -> "Out":
        """Return the printer for people."""
        from bridge.cli.out import Out  # noqa: PLC0415  Rich is imported only when something is printed

        return Out()

    def emit(self, result: R, show: "Callable[[Out, R], None]") -> R:
        """Print `result`: as JSON for scripts, through `show` for people."""
        if self.as_json:
            click.echo(escaped(json.dumps(plain(result), ensure_ascii=False, indent=2)))
        else:
            show(self.out, result)
        return result

    def done(self, result: "Done") -> None:
        """Print a change that was recorded."""
        self.emit(result, lambda out, change: out.done(change))
