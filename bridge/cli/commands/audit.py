"""The audit trail: verified, exported, emptied of personal data."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge.cli.base import Argument, Option, command
from bridge.cli.commands.look import Day
from bridge.cli.session import Session

if TYPE_CHECKING:
    from bridge.app.auditing import Audited
    from bridge.cli.out import Out


@command("audit verify", Option(["--head"], metavar="LINK", help="option.audit.head"))
def verify(session: Session, head: str | None) -> int:
    """Check the audit trail."""
    return 1 if session.emit(session.bridge.audit(head), _audited).flaws else 0


@command(
    "audit export",
    Argument(["file"], type=click.Path(dir_okay=False, path_type=Path), metavar="FILE"),
    changes=True,
)
def export(session: Session, file: Path) -> int:
    """Write the audit trail as JSON lines."""
    session.done(session.bridge.export_trail(file))
    return 0


@command(
    "audit erase",
    Option(["--before"], type=Day(), required=True, metavar="DATE", help="option.audit.before"),
    changes=True,
)
def erase(session: Session, before: date) -> int:
    """Erase personal data whose retention is over; the chain holds."""
    session.done(session.bridge.erase_data(before))
    return 0


def _audited(out: "Out", found: "Audited") -> None:
    from bridge.cli.out import shown  # noqa: PLC0415

    for one in found.flaws:
        at = shown(one.at)
        key = f"audit.{one.what}" + ("_unread" if one.what == "changed" and not one.kind else "")
        out.line(key, style="error", number=one.number, kind=one.kind, at=at)
    if not found.flaws:
        out.line("audit.whole", style="ok", count=found.sealed)
    for one in found.restores:
        out.line("audit.restored", number=one.number, at=shown(one.at), style="warning")
    if not found.noted:
        out.line("audit.unnoted", style="warning")
    out.line("audit.head", head=found.head)
