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


@command("plans show", Argument(["name"]), Option(["--version"], metavar="VERSION", help="option.plans.version"))
def show(session: Session, name: str, version: str | None) -> int:
    """Draw a plan as a timeline, with every level's details."""
    from bridge.cli.show_plans import plan  # noqa: PLC0415

    session.emit(session.bridge.plans_shown(name, version=version)[0], plan)
    return 0


@command(
    "plans new",
    Argument(["name"]),
    Option(["--from", "source"], metavar="PLAN", default="standard", show_default=True, help="option.plans.from"),
    Option(["--title"], metavar="TEXT", default="", help="option.plans.title"),
    Option(["--group"], is_flag=True, help="option.plans.group"),
    changes=True,
)
def new(session: Session, name: str, source: str, title: str, group: bool) -> int:
    """Write a new plan file as a copy of another plan."""
    from bridge.cli.show_plans import made  # noqa: PLC0415

    session.emit(session.bridge.new_plan(name, source=source, title=title, group=group), made)
    return 0


@command("plans versions", Argument(["name"]))
def versions(session: Session, name: str) -> int:
    """List every version of a plan that was in use."""
    from bridge.cli.show_plans import versions as show_versions  # noqa: PLC0415

    session.emit(session.bridge.plan_versions(name), show_versions)
    return 0


@command("plans variables")
def variables(session: Session) -> int:
    """List what texts may use."""
    from bridge.cli.locale import language  # noqa: PLC0415
    from bridge.cli.show_plans import variables as show_variables  # noqa: PLC0415
    from bridge.policy.variables import variables as known  # noqa: PLC0415

    session.emit([one._asdict() for one in known(language())], show_variables)
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
