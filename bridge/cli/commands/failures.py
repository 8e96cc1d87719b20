"""Failures: list by cause, look, replay, discard."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bridge.cli.base import Argument, Option, Words, command
from bridge.cli.commands.look import PERIOD, Day
from bridge.cli.locale import say, told
from bridge.cli.session import Session

if TYPE_CHECKING:
    from bridge.app.bundling import Made
    from bridge.app.offline import Offline
    from bridge.app.results import Replayed
    from bridge.cli.out import Out

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
OUTCOMES = ("retry", "went-out", "not-sent")


@command(
    "failures list",
    Option(["--account"], metavar="ACCOUNT", help="option.account"),
    Option(["--cause"], metavar="CAUSE", help="option.failures.cause"),
    PERIOD,
)
def list(session: Session, account: str | None, cause: str | None, period: str | None) -> int:  # noqa: A001  the command's name
    """List failures, grouped by cause."""
    from bridge.cli.show import failures  # noqa: PLC0415

    bridge = session.bridge
    found = bridge.failures(account=account, cause=cause, period=bridge.period(period))
    result = session.emit(found, failures)
    return 1 if result else 0


@command("failures show", Argument(["failure"]))
def show(session: Session, failure: str) -> int:
    """Show one failure with everything that is known."""
    from bridge.cli.show import failure as show_failure  # noqa: PLC0415

    session.emit(session.bridge.failure(failure), show_failure)
    return 0


@command(
    "replay",
    Argument(["failures"], nargs=-1),
    Option(["--cause"], metavar="CAUSE", help="option.failures.cause"),
    Option(["--account"], metavar="ACCOUNT", help="option.account"),
    Option(["--record"], metavar="RECORD", help="option.replay.record"),
    Option(["--run"], type=click.IntRange(1), metavar="RUN", help="option.replay.run"),
    Option(["--dry-run"], is_flag=True, help="option.failures.dry_run"),
    Option(["--outcome", "outcome"], type=click.Choice(OUTCOMES), default="retry", help="option.failures.outcome"),
    Option(["--evidence"], type=Words(), metavar="TEXT", default="", help="option.failures.evidence"),
    Option(["--on", "on"], type=Day(), metavar="DATE", help="option.failures.on"),
    Option(["--offline"], type=_FILE, metavar="BUNDLE", help="option.replay.offline"),
    Option(["--mappings"], type=_FOLDER, metavar="FOLDER", help="option.replay.mappings"),
    changes=True,
)
def replay(
    session: Session,
    *,
    failures: tuple[str, ...],
    dry_run: bool,
    offline: Path | None,
    mappings: Path | None,
    **chosen: Any,
) -> int:
    """Try failures again, or record what a person found out; with `--offline` run a support bundle again."""
    if offline is not None:
        from bridge.app.offline import replay_bundle  # noqa: PLC0415  needs no configuration

        return 0 if session.emit(replay_bundle(offline, mappings), _compared).now.cause != "not_recorded" else 1
    done = session.emit(session.bridge.replay(failures, dry_run=dry_run, **chosen), _show)
    return 1 if any(one.outcome in ("ask", "failed") and not one.dry_run for one in done) else 0


@command(
    "bundle",
    Argument(["run"], type=click.IntRange(1), metavar="RUN"),
    Option(["--out"], type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="option.files.out"),
    changes=True,
)
def bundle(session: Session, run: int, out: Path | None) -> int:
    """Write a support bundle of a run, without secrets and without names."""
    made = session.emit(session.bridge.bundle(run, out or Path(f"run-{run}.zip")), _bundled)
    return 0 if made.exchanges or made.files else 1


@command(
    "failures discard",
    Argument(["failures"], nargs=-1, required=True),
    Option(["--reason"], type=Words(needed=True), required=True, metavar="TEXT", help="option.failures.reason"),
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


def _compared(out: "Out", found: "Offline") -> None:
    for key, one in (("offline.then", found.then), ("offline.now", found.now)):
        aside = f"({', '.join(one.misfits)})" if one.misfits else ""
        out.text(" ".join(filter(None, (say(key, state=say(f"offline.{one.state}")), one.cause, aside))))
        if one.text:
            out.text(f"  {told(one.text)}", "dim")
    out.line("offline.same" if found.same else "offline.changed", style="warning" if found.same else "ok")
    for remark in found.newer:
        out.text(f"! {told(remark)}", "dim")


def _bundled(out: "Out", made: "Made") -> None:
    out.line("bundle.made", style="ok", path=made.path, exchanges=made.exchanges, replaced=made.replaced)
    if made.files:
        out.line("bundle.files", style="ok", count=made.files)
    for lack in made.lacks:
        out.text(f"! {told(lack)}", "warning")
    if not made.whole:
        out.line("bundle.partly", style="warning")
    out.line("bundle.sha256", sha256=made.sha256)
    if not made.exchanges and not made.files:
        out.line("bundle.empty", style="warning")
