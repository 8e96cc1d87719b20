"""The command line: German and English, tables for people, `--json` for scripts.

Exit codes: 0 fine, 1 a person is needed, 2 called wrongly.
"""

import sys
from typing import Any

import click

from bridge import __version__
from bridge.cli.base import Group, Option, common
from bridge.cli.locale import say, speak
from bridge.plain import on_screen

_C = "bridge.cli.commands."

COMMANDS = {
    "init": _C + "setup:init",
    "check": _C + "setup:check",
    "connect": _C + "setup:connect",
    "pull": _C + "work:pull",
    "plan": _C + "work:plan",
    "rehearse": _C + "plans:rehearse",
    "plans": _C + "groups:plans",
    "run": _C + "work:run",
    "approve": _C + "work:approve",
    "edit": _C + "work:edit",
    "forewarn": _C + "work:forewarn",
    "deliver": _C + "work:deliver",
    "go-live": _C + "setup:go_live",
    "pause": _C + "setup:pause",
    "release": _C + "setup:release",
    "status": _C + "look:status",
    "explain": _C + "look:explain",
    "claim": _C + "look:claim",
    "preview": _C + "preview:preview",
    "search": _C + "look:search",
    "cases": _C + "look:cases",
    "case": _C + "groups:case",
    "agreements": _C + "look:agreements",
    "failures": _C + "groups:failures",
    "replay": _C + "failures:replay",
    "bundle": _C + "failures:bundle",
    "letters": _C + "groups:letters",
    "links": _C + "groups:links",
    "runs": _C + "groups:runs",
    "files": _C + "groups:files",
    "evidence": _C + "groups:evidence",
    "audit": _C + "groups:audit",
    "keys": _C + "groups:keys",
    "tasks": _C + "groups:tasks",
    "collection": _C + "groups:collection",
    "doctor": _C + "diagnosis:doctor",
    "retention": _C + "diagnosis:retention",
    "backup": _C + "backups:backup",
    "restore": _C + "groups:restore",
    "serve": _C + "service:serve",
    "health": _C + "service:health",
    "demo": _C + "service:demo",
    "config": _C + "groups:config",
}


def _version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"mahnbridge {__version__}")
        ctx.exit()


cli = Group(
    "mahnbridge",
    modules=COMMANDS,
    help="command.mahnbridge",
    params=common(),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100, "auto_envvar_prefix": None},
    no_args_is_help=True,
)
cli.params.append(
    Option(
        ["--version"],
        is_flag=True,
        help="option.version",
        is_eager=True,
        expose_value=False,
        callback=_version,
    )
)


def main(argv: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    arguments = sys.argv[1:] if argv is None else argv
    for index, word in enumerate(arguments):  # help is written before options are read
        if word == "--lang" and index + 1 < len(arguments) and arguments[index + 1] in ("de", "en"):
            speak(arguments[index + 1])
        elif word in ("--lang=de", "--lang=en"):
            speak(word[-2:])
    sys.exit(_run(arguments))


def _run(arguments: list[str]) -> int:
    broken = next((word for word in arguments if not _whole(word)), None)
    if broken is not None:
        click.echo(f"{say('wrong.usage')} {say('wrong.text', value=on_screen(broken))}", err=True)
        return 2
    try:
        result: Any = cli.main(args=arguments, prog_name="mahnbridge", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 2
    except click.ClickException as error:
        from bridge.cli.wrong import explain_usage  # noqa: PLC0415  only when something is wrong

        click.echo(on_screen(explain_usage(error)), err=True)
        return 2
    except (click.Abort, KeyboardInterrupt):
        click.echo(say("aborted"), err=True)
        return 1
    except BrokenPipeError:
        return 0
    except Exception as error:  # noqa: BLE001  sorted into known errors and bugs there
        from bridge.cli.wrong import explain_error  # noqa: PLC0415  only when something is wrong

        return explain_error(error)
    return result if isinstance(result, int) else 0


def _whole(word: str) -> bool:
    """Return whether a word of the command line is text: a terminal of another encoding sends bytes that are none."""
    try:
        word.encode()
    except UnicodeEncodeError:
        return False
    return True
