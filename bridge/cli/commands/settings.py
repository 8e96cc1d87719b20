"""The configuration itself: what is in force, and its JSON Schema."""

import json

import click

from bridge.cli.base import command
from bridge.cli.session import Session


@command("config schema")
def schema(_session: Session) -> int:
    """Print the JSON Schema of bridge.yaml for editors."""
    from bridge.config.schema import schema as make  # noqa: PLC0415

    click.echo(json.dumps(make(), ensure_ascii=False, indent=2))
    return 0


@command("config show")
def show(session: Session) -> int:
    """Print the configuration in force, without secrets."""
    from bridge.config import load  # noqa: PLC0415

    loaded = load(session.path)
    click.echo(json.dumps(loaded.config.model_dump(mode="json", serialize_as_any=True), ensure_ascii=False, indent=2))
    return 0
