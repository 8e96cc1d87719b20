"""Writes the generated parts of the documentation: `make docs`, or `python -m tests.docs.reference`.

What is generated stands between `<!-- generated: NAME -->` and `<!-- end -->`; the text around it is written by people and stays.
"""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from bridge.cli import cli
from bridge.cli.locale import catalogue, speak
from bridge.config.schema import schema
from bridge.metrics import documented
from bridge.policy.texts import VARIABLES
from bridge.policy.words import REASONS, REMEDIES
from tests.docs.tables import Schema, cell, plan_schema, text

TEXTS = catalogue("en")

DOCS = Path(__file__).parents[2] / "docs"
COMMON = {"config", "as_json", "lang", "help", "actor"}
_BLOCK = re.compile(r"(<!-- generated: ([\w-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def tree(group: click.Group = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command that does something, with its words."""
    context = click.Context(group, info_name="mahnbridge")
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        if isinstance(found, click.Group):
            yield from tree(found, (*path, name))
        elif found is not None:
            yield (*path, name), found


def commands() -> str:
    """Return usage, purpose, arguments and options of every command."""
    speak("en")
    return "\n".join(_command(path, found) for path, found in tree())


def _command(path: tuple[str, ...], found: click.Command) -> str:
    context = click.Context(found, info_name=" ".join(("mahnbridge", *path)))
    usage = " ".join((context.command_path, *found.collect_usage_pieces(context)))
    changes = " It changes something and takes `--as`." if getattr(found, "changes", False) else ""
    lines = [f"### `{' '.join(path)}`\n", f"```\n{usage}\n```\n", f"{TEXTS[found.help or '']}{changes}\n"]
    own = [one for one in found.params if isinstance(one, click.Option) and one.name not in COMMON]
    if own:
        lines += ["| option | meaning |", "|---|---|", *(_option(one, context) for one in own), ""]
    return "\n".join(lines)


def _option(option: click.Option, context: click.Context) -> str:
    names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    value = option.make_metavar(context)
    shown = f" `{value}`" if not option.is_flag and value else ""
    meaning = TEXTS[option.help or ""]
    if option.required:
        meaning += " **Needed.**"
    elif option.default not in (None, "") and isinstance(option.default, str | int | float) and not option.is_flag:
        meaning += f" Default: `{option.default}`."
    if option.multiple:
        meaning += " Can be given several times."
    return f"| {names}{cell(shown)} | {cell(meaning)} |"


def common_options() -> str:
    """Return the options that every command has."""
    rows = {"`--config FILE`": "option.config", "`--json`": "option.json", "`--lang de` or `--lang en`": "option.lang"}
    rows |= {"`--as NAME`": "option.as", "`-h`, `--help`": "option.help"}
    return "\n".join(
        ["| option | meaning |", "|---|---|", *(f"| {name} | {TEXTS[key]} |" for name, key in rows.items())]
    )


def configuration() -> str:
    """Return every key of bridge.yaml."""
    return text(Schema(schema()).sections(), top="Top level")


def plans() -> str:
    """Return every key of a plan file."""
    return text(plan_schema().sections(), top="A plan file", level=4)


def variables() -> str:
    """Return the variables of texts."""
    rows = (f"| `{name}` | {cell(meaning)} | {cell(sample)} |" for name, (meaning, sample) in VARIABLES.items())
    return "\n".join(["| variable | meaning | example |", "|---|---|---|", *rows])


def metrics() -> str:
    """Return every metric."""
    rows = (
        f"| `{name}` | {', '.join(f'`{label}`' for label in labels)} | {meaning} |"
        for name, (meaning, labels) in documented().items()
    )
    return "\n".join(["| metric | labels | meaning |", "|---|---|---|", *rows])


def reasons() -> str:
    """Return every reason code of a decision."""

    def plain(words: str) -> str:
        return cell(re.sub(r"\[[^\]]*\]", "", words))

    rows = (
        f"| `{code.value}` | {plain(words[1])} ({plain(words[0])}) | {plain(REMEDIES[code][1])} |"
        for code, words in REASONS.items()
    )
    return "\n".join(["| reason | meaning | what changes it |", "|---|---|---|", *rows])


PARTS: dict[str, Callable[[], str]] = {
    "commands": commands,
    "common-options": common_options,
    "configuration": configuration,
    "plans": plans,
    "variables": variables,
    "metrics": metrics,
    "reasons": reasons,
}


def filled(words: str) -> str:
    """Return a document with its generated parts renewed. Raises `KeyError` for a part of which nobody knows."""
    return _BLOCK.sub(lambda found: found[1] + PARTS[found[2]]().strip() + "\n" + found[3], words)


def parts_of(words: str) -> list[str]:
    """Return the names of the generated parts of a document."""
    return [found[2] for found in _BLOCK.finditer(words)]


def main() -> int:
    """Renew all documents and say which changed."""
    for path in sorted(DOCS.glob("*.md")):
        words = path.read_text(encoding="utf-8")
        renewed = filled(words)
        if renewed != words:
            path.write_text(renewed, encoding="utf-8")
            print(f"renewed {path.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
