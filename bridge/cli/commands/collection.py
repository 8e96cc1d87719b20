"""Collection: hand-overs that wait, their export, and their recall."""

from pathlib import Path

import click

from bridge.cli.base import Argument, Option, Words, command
from bridge.cli.session import Session


@command("collection list")
def list(session: Session) -> int:  # noqa: A001  the command's name
    """List hand-overs that wait for an approval or for the export."""
    from bridge.cli.show_tasks import handovers  # noqa: PLC0415

    session.emit(session.bridge.handovers(), handovers)
    return 0


@command(
    "collection export",
    Argument(["cases"], nargs=-1, metavar="[CASE]..."),
    Option(["--to", "folder"], type=click.Path(file_okay=False), metavar="FOLDER", help="option.collection.to"),
    changes=True,
)
def export(session: Session, cases: tuple[str, ...], folder: str | None) -> int:
    """Write the approved hand-overs for the agency; their claims are at collection from then on."""
    from bridge.cli.show_tasks import exported  # noqa: PLC0415

    result = session.bridge.export_collection(cases, folder=Path(folder) if folder else None)
    session.emit(result, exported)
    return 1 if result.problems else 0


@command(
    "collection recall",
    Argument(["case"], metavar="CASE"),
    Option(["--invoice"], metavar="NUMBER", help="option.case.invoice"),
    Option(["--note"], type=Words(), metavar="TEXT", default="", help="option.case.note"),
    changes=True,
)
def recall(session: Session, case: str, invoice: str | None, note: str) -> int:
    """Take a case or an invoice back from the agency."""
    session.done(session.bridge.call_back(case, invoice=invoice, note=note))
    return 0
