"""Failures: list by cause, look, replay, discard."""

from datetime import date
from typing import TYPE_CHECKING

import click

from bridge.cli.base import Argument, Option, command
from bridge.cli.commands.look import Day
from bridge.cli.locale import say
from bridge.cli.session import Session

if TYPE_CHECKING:
    from bridge.app.results import Replayed
    from bridge.cli.out import Out

OUTCOMES = ("retry", "went-out", "not-sent")


@command(
    "failures list",
    Option(["--account"], metavar="ACCOUNT", help="option.account"),
    Option(["--cause"], metavar="CAUSE", help="option.failures.cause"),
)
def list(session: Session, account: str | None, cause: str | None) -> int:  # noqa: A001  the command's name
    """List failures, grouped by cause."""
    from bridge.cli.show import failures  # noqa: PLC0415

    result = session.emit(session.bridge.failures(account=account, cause=cause), failures)
    return 1 if result else 0


@command("failures show", Argument(["failure"]))
def show(session: Session, failure: str) -> int:
    """Show one failure with everything that is known."""
    from bridge.cli.show import failure as show_failure  # noqa: PLC0415

    session.emit(session.bridge.failure(failure), show_failure)
    return 0


@command(
    "failures replay",
    Argument(["failures"], nargs=-1),
    Option(["--cause"], metavar="CAUSE", help="option.failures.cause"),
    Option(["--dry-run"], is_flag=True, help="option.failures.dry_run"),
    Option(["--outcome", "outcome"], type=click.Choice(OUTCOMES), default="retry", help="option.failures.outcome"),
    Option(["--evidence"], metavar="TEXT", default="", help="option.failures.evidence"),
    Option(["--on", "on"], type=Day(), metavar="DATE", help="option.failures.on"),
    changes=True,
)
def replay(
    session: Session,
    *,
    failures: tuple[str, ...],
    cause: str | None,
    dry_run: bool,
    outcome: str,
    evidence: str,
    on: date | None,
) -> int:
    """Try failures again, or record what a person found out."""
    result = session.bridge.replay(failures, cause=cause, dry_run=dry_run, outcome=outcome, evidence=evidence, on=on)
    session.emit(result, _show)
    return 0


@command(
    "failures discard",
    Argument(["failures"], nargs=-1, required=True),
    Option(["--reason"], required=True, metavar="TEXT", help="option.failures.reason"),
    Option(["--not-sent"], is_flag=True, help="option.failures.not_sent"),
    Option(["--yes", "-y", "yes"], is_flag=True, help="option.yes"),
    changes=True,
)
def discard(session: Session, failures: tuple[str, ...], reason: str, not_sent: bool, yes: bool) -> int:
    """Set failures aside for good, with a reason; they stay in the journal."""
    if (
        session.interactive
        and not yes
        and not click.confirm(say("failures.confirm", count=len(failures)), default=False)
    ):
        return 1
    session.done(session.bridge.discard(failures, reason=reason, not_sent=not_sent))
    return 0


def _show(out: "Out", result: "tuple[Replayed, ...]") -> None:
    if not result:
        out.line("failures.none", style="ok")
    for one in result:
        out.text(f"{one.id}  {say(f'replay.{one.outcome}', text=one.text)}")
    if any(one.dry_run for one in result):
        out.line("failures.dry", style="dim")
