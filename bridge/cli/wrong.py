"""What is said when something is wrong: one clear message, never a traceback; exit code 1 a person is needed, 2 called wrongly."""

import os
import sys

import click

from bridge.cli.locale import knows, say, told


def explain_usage(error: click.ClickException) -> str:
    """Return the message for a wrong call, in the language of the moment."""
    lines = [f"{say('wrong.usage')} {_usage(error)}"]
    context = getattr(error, "ctx", None)
    if context is not None:
        lines.append(say("wrong.help", command=context.command_path))
    return "\n".join(lines)


def _usage(error: click.ClickException) -> str:
    if isinstance(error, click.NoSuchOption):
        text = say("wrong.option", name=error.option_name)
        near = ", ".join(sorted(error.possibilities or ()))
        return text + (" " + say("wrong.near", names=near) if near else "")
    name = error.param.opts[0] if isinstance(error, click.BadParameter) and error.param and error.param.opts else ""
    if isinstance(error, click.MissingParameter):
        argument = isinstance(error.param, click.Argument)
        return say("wrong.missing_argument" if argument else "wrong.missing", name=name.upper() if argument else name)
    if isinstance(error, click.BadParameter) and error.param is not None and _kind(error.param) is not None:
        return say("wrong.value", name=name, text=_kind(error.param))
    if isinstance(error, click.BadOptionUsage):
        return say("wrong.needs_value", name=error.option_name)
    if isinstance(error, click.UsageError) and error.message.startswith("Got unexpected extra argument"):
        return say("wrong.extra", words=error.message.partition("(")[2].rstrip(")"))
    if isinstance(error, click.BadParameter):
        return say("wrong.value", name=name, text=error.message)
    if isinstance(error, click.UsageError) and error.message.startswith("No such command"):
        context = error.ctx
        known = context.command.list_commands(context) if context and isinstance(context.command, click.Group) else []
        word = error.message.partition("'")[2].partition("'")[0]
        from difflib import get_close_matches  # noqa: PLC0415  only when something is wrong

        near = ", ".join(get_close_matches(word, known, n=2))
        return say("wrong.command", name=word) + (" " + say("wrong.near", names=near) if near else "")
    return error.format_message()


def _kind(param: click.Parameter) -> str | None:
    """Return what a value must be, for the kinds of click's own."""
    if isinstance(param.type, click.Choice):
        return say("wrong.choice", known=", ".join(map(str, param.type.choices)))
    if isinstance(param.type, click.File) or (isinstance(param.type, click.Path) and param.type.exists):
        return say("wrong.path")
    if isinstance(param.type, click.Path):
        return say("wrong.is_folder" if param.type.file_okay else "wrong.is_file")
    if isinstance(param.type, click.IntRange) and param.type.min is not None:
        least, most = param.type.min, param.type.max
        return say("wrong.at_least", least=least) if most is None else say("wrong.range", least=least, most=most)
    return say("wrong.integer") if isinstance(param.type, click.types.IntParamType) else None


def _system(error: OSError) -> str:
    from bridge.words import quoted  # noqa: PLC0415  only when something is wrong

    return quoted(error.strerror or error)


def explain_error(error: BaseException) -> int:
    """Print what stopped the command and return the exit code."""
    from bridge.errors import BridgeError, UsageError  # noqa: PLC0415  only when something is wrong
    from bridge.http import redact  # noqa: PLC0415
    from bridge.plain import on_screen  # noqa: PLC0415
    from bridge.store.engine import explained  # noqa: PLC0415

    def tell(text: str) -> None:
        click.echo(on_screen(text), err=True)

    if os.environ.get("MAHNBRIDGE_TRACEBACK") == "1":  # for people who look for a bug
        import traceback  # noqa: PLC0415

        click.echo(redact("".join(traceback.format_exception(error))), err=True)
    error = explained(error) or error
    if isinstance(error, UsageError):
        tell(f"{say('wrong.usage')} {redact(told(error.sentence))}")
        return 2
    if isinstance(error, BridgeError):
        kind = type(error).__name__
        lead = (
            say(f"error.{kind}")
            if knows(f"error.{kind}")
            else say("error.ConfigError")
            if isinstance(error, BridgeError)
            else ""
        )
        text = redact(told(error.sentence))
        tell(f"{lead}\n{text}" if "\n" in text else f"{lead} {text}")
        return 1
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        tell(redact(f"{say('error.system')} {told(_system(error))}{where}"))
        return 1
    shown = redact(f"{type(error).__name__}: {error}")
    command = " ".join(["MAHNBRIDGE_TRACEBACK=1", "mahnbridge", *sys.argv[1:2]])
    tell(say("error.bug", error=shown, command=command))
    return 1
