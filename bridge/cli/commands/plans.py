"""Plans: list, show as a timeline, lint; and a rehearsal of what a changed file would do."""

from pathlib import Path

import click

from bridge.cli.base import Argument, Option, command
from bridge.cli.session import Session

DAYS = click.IntRange(1, 366)


@command("plans list")
def list(session: Session) -> int:  # noqa: A001  the command's name
    """List all plans."""
    from bridge.cli.show_plans import plans  # noqa: PLC0415

    session.emit(session.bridge.plans_shown(), plans)
    return 0


@command("plans show", Argument(["name"]))
def show(session: Session, name: str) -> int:
    """Draw a plan as a timeline, with every level's details."""
    from bridge.cli.show_plans import plan  # noqa: PLC0415

    session.emit(session.bridge.plans_shown(name)[0], plan)
    return 0


@command("plans lint", Argument(["file"], required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path)))
def lint(session: Session, file: Path | None) -> int:
    """Find what a plan says and will hardly do."""
    from bridge.cli.show_plans import weaknesses  # noqa: PLC0415

    found = session.emit(session.bridge.lint(file), weaknesses)
    return 1 if any(one.severity == "error" for one in found) else 0


@command(
    "rehearse",
    Argument(["file"], type=click.Path(exists=True, dir_okay=False, path_type=Path)),
    Option(["--days"], type=DAYS, default=30, show_default=True, metavar="DAYS", help="option.plan.days"),
)
def rehearse(session: Session, file: Path, days: int) -> int:
    """Show what a changed plan or bridge.yaml would send to whom and when, against what is in force."""
    from bridge.cli.show_plans import rehearsal  # noqa: PLC0415

    session.emit(session.bridge.rehearse(file, days=days), rehearsal)
    return 0
