"""How commands are made: loaded when they are called, explained in German and English, with the same options everywhere."""

import importlib
import os
from collections.abc import Callable, Sequence
from typing import Any
from unicodedata import category

import click

from bridge.cli.locale import say, speak


class Option(click.Option):
    """An option whose help is a key of the catalogue (`option.NAME`)."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the option and its help in the language of the moment."""
        record = super().get_help_record(ctx)
        return (record[0], say(self.help or "")) if record else None


class Argument(click.Argument):
    """An argument, named in capitals in the usage line and nowhere else."""


class Words(click.ParamType[str]):
    """What a person writes in a line: a note, a reason, their name. Spaces around it are dropped, line breaks become spaces.

    With `needed` something must stand there: an empty reason is a slip, never an answer.
    """

    name = "text"
    LONGEST = 2000

    def __init__(self, *, needed: bool = False) -> None:
        self._needed = needed

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the line that `value` is."""
        text = " ".join(str(value).split())
        odd = next((sign for sign in text if category(sign) in ("Cc", "Cs") or sign in _TURNING), None)
        if odd is not None:
            self.fail(say("wrong.control", sign=f"U+{ord(odd):04X}"), param, ctx)
        if len(text) > self.LONGEST:
            self.fail(say("wrong.long", length=len(text), most=self.LONGEST), param, ctx)
        if self._needed and not text:
            self.fail(say("wrong.empty"), param, ctx)
        return text


_TURNING = frozenset(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
"""Signs that turn the direction of writing, and so the meaning of the line around them."""


class Command(click.Command):
    """A command whose help is a key of the catalogue (`command.NAME`)."""

    changes: bool = False

    def get_short_help_str(self, limit: int = 60) -> str:
        """Return the first sentence of the help."""
        return say(self.help or "").split("\n")[0]

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the usage line."""
        formatter.write_usage(
            ctx.command_path, " ".join(self.collect_usage_pieces(ctx)), prefix=say("help.usage") + " "
        )

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what the command does."""
        formatter.write_paragraph()
        with formatter.indentation():
            for paragraph in say(self.help or "").split("\n"):
                formatter.write_text(paragraph)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options."""
        options = [param for param in self.get_params(ctx) if isinstance(param, click.Option)]
        records = [record for option in options if (record := option.get_help_record(ctx)) is not None]
        if records:
            with formatter.section(say("help.options")):
                formatter.write_dl(records)

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Return `--help`, explained in the language of the moment."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = say("option.help")
        return option


class Group(Command, click.Group):
    """Commands by name, each in its module, imported when it is called; the overview needs none of them."""

    def __init__(self, *args: Any, modules: dict[str, str], prefix: str = "", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._modules = modules
        self._prefix = prefix

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of daily use."""
        return list(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in self._modules:
            return None
        module, _, name = self._modules[cmd_name].partition(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, then one line per command."""
        super().format_options(ctx, formatter)
        rows = [(name, say(f"command.{self._prefix}{name}").split("\n")[0]) for name in self._modules]
        with formatter.section(say("help.commands")):
            formatter.write_dl(rows)


def _language(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    if value:
        speak(value)
    return value


def common(*, changes: bool = False) -> list[click.Parameter]:
    """Return the options that every command has; `--as` where something is changed."""
    options: list[click.Parameter] = [
        Option(["--config", "config"], type=click.Path(dir_okay=False), help="option.config"),
        Option(["--json", "as_json"], is_flag=True, help="option.json"),
        Option(
            ["--lang", "lang"],
            type=click.Choice(["de", "en"]),
            help="option.lang",
            is_eager=True,
            callback=_language,
            expose_value=True,
        ),
    ]
    if changes:
        options.insert(0, Option(["--as", "actor"], type=Words(), metavar="NAME", help="option.as"))
    return options


def command(name: str, *params: click.Parameter, changes: bool = False) -> Callable[[Callable[..., Any]], Command]:
    """Make a command of a function `(session, **options)`; its help is `command.NAME` of the catalogue."""

    def wrap(function: Callable[..., Any]) -> Command:
        def call(**options: Any) -> Any:
            from bridge.cli.session import Session  # noqa: PLC0415  only when a command really runs

            context = click.get_current_context()
            root = context.find_root().params
            chosen = {key: options.pop(key, None) or root.get(key) for key in ("config", "as_json", "lang", "actor")}
            config = chosen["config"] or os.environ.get("MAHNBRIDGE_CONFIG") or "bridge.yaml"
            with Session(
                config=config, as_json=bool(chosen["as_json"]), lang=chosen["lang"], actor=chosen["actor"]
            ) as session:
                return function(session, **options)

        made = Command(
            name.rsplit(" ", 1)[-1], params=[*params, *common(changes=changes)], callback=call, help=f"command.{name}"
        )
        made.changes = changes
        return made

    return wrap


def arguments(*names: str) -> Sequence[click.Parameter]:
    """Return required arguments of these names."""
    return [Argument([name]) for name in names]
