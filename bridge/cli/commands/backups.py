"""Backup and restore."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from bridge.cli.base import Argument, Option, Words, command
from bridge.cli.session import Session

if TYPE_CHECKING:
    from bridge.app.backup_file import BackedUp
    from bridge.app.backups import PutBack
    from bridge.app.restoring import Adopted
    from bridge.cli.out import Out

_FILE = click.Path(dir_okay=False, path_type=Path)


@command(
    "backup",
    Argument(["file"], type=_FILE, metavar="FILE", required=False),
    Option(["--no-files", "no_files"], is_flag=True, help="option.backup.no_files"),
    Option(["--verify"], is_flag=True, help="option.backup.verify"),
    changes=True,
)
def backup(session: Session, file: Path | None, no_files: bool, verify: bool) -> int:
    """Write one file with everything that the store knows, or check one."""
    if verify:
        from bridge.app.backup_file import verify as check  # noqa: PLC0415

        if file is None:
            raise click.UsageError("--verify FILE")
        session.emit(check(file), _whole)
        return 0
    session.emit(session.bridge.back_up(file, files=not no_files), _made)
    return 0


@command("restore load", Argument(["file"], type=_FILE, metavar="FILE"), changes=True)
def load(session: Session, file: Path) -> int:
    """Make the store from a backup; sending is held."""
    from bridge import config  # noqa: PLC0415
    from bridge.app.backups import put_back  # noqa: PLC0415

    session.emit(put_back(config.load(session.path), file, actor=session.actor), _put_back)
    return 1


@command(
    "restore declare",
    Option(
        ["--since"],
        type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]),
        required=True,
        metavar="DATE",
        help="option.restore.since",
    ),
    changes=True,
)
def declare(session: Session, since: datetime) -> int:
    """Hold a store that was put back by other means."""
    zone = ZoneInfo(session.bridge.config.schedule.time_zone)
    begun = session.bridge.declare_restored(since.replace(tzinfo=zone))
    session.emit(begun, lambda out, told: out.line("restore.held", style="warning", **told))
    return 1


@command("restore adopt", changes=True)
def adopt(session: Session) -> int:
    """Adopt what went out since the backup."""
    session.bridge.by_hand("restore adopt")
    return 0 if session.emit(session.bridge.adopt_sent(), _adopted).whole else 1


@command(
    "restore release",
    Option(["--note"], type=Words(), metavar="TEXT", default="", help="option.case.note"),
    Option(["--despite-unknown", "unknown"], is_flag=True, help="option.restore.unknown"),
    changes=True,
)
def release(session: Session, note: str, unknown: bool) -> int:
    """Let a restored store send again."""
    session.done(session.bridge.release_restored(note=note, unknown=unknown))
    return 0


def _whole(out: "Out", made: "BackedUp") -> None:
    out.line("backup.whole", style="ok", path=made.path, files=made.files)
    _facts(out, made)


def _made(out: "Out", made: "BackedUp") -> None:
    out.line("backup.made", style="ok", path=made.path, files=made.files)
    _facts(out, made)
    for place in made.left_out:
        out.line("backup.left_out", place=place, style="warning")


def _facts(out: "Out", made: "BackedUp") -> None:
    rows = sum(made.database.rows.values())
    out.line(
        "backup.facts",
        kind=made.database.kind,
        revision=made.database.revision,
        rows=rows,
        megabytes=round(made.size / 1e6, 1),
    )
    out.line("backup.sum", sha256=made.sha256)


def _put_back(out: "Out", done: "PutBack") -> None:
    out.line("restore.loaded", style="ok", path=done.backup.path, files=done.files)
    if done.aside:
        out.line("restore.aside", aside=done.aside)
    out.line("restore.held", dropped=done.dropped, doubted=done.doubted, style="warning")


def _adopted(out: "Out", done: "Adopted") -> None:
    for read in done.pulled:
        style = "ok" if read.state == "done" else "error"
        out.line(
            f"restore.read_{'done' if read.state == 'done' else 'failed'}",
            account=read.account,
            text=read.error,
            style=style,
        )
    for one in done.channels:
        if one.problem is not None:
            out.line("restore.channel_failed", channel=one.channel, text=one.problem, style="error")
        elif not one.known:
            out.line("restore.channel_blind", channel=one.channel, style="warning")
        else:
            out.line("restore.channel", channel=one.channel, messages=one.messages, raised=one.raised, style="ok")
    if done.unclear:
        out.line("restore.unclear", count=done.unclear, style="warning")
    out.line("restore.next")
