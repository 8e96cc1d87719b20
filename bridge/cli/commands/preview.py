"""What a level would say."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge.cli.base import Argument, Option, command
from bridge.cli.session import Session

if TYPE_CHECKING:
    from bridge.app.previewing import Shown
    from bridge.cli.out import Out


@command(
    "preview",
    Argument(["invoice"]),
    Option(["--level"], type=click.IntRange(1), metavar="N", help="option.preview.level"),
    Option(["--variant"], metavar="NAME", help="option.preview.variant"),
    Option(
        ["--format", "form"],
        type=click.Choice(["text", "html", "pdf", "eml"]),
        default="text",
        help="option.preview.format",
    ),
    Option(
        ["--out"],
        type=click.Path(dir_okay=False, writable=True, path_type=Path),
        metavar="FILE",
        help="option.preview.out",
    ),
    Option(["--account"], metavar="ACCOUNT", help="option.account"),
)
def preview(  # noqa: PLR0917  the options
    session: Session,
    invoice: str,
    level: int | None,
    variant: str | None,
    form: str,
    out: Path | None,
    account: str | None,
) -> int:
    """Show what a level would say about an invoice; nothing is written or sent."""
    from bridge.errors import UsageError  # noqa: PLC0415

    if out is None and form == "pdf" and not session.as_json and sys.stdout.isatty():
        raise UsageError("a PDF does not fit on a terminal; name a file with --out")
    found = session.bridge.show_level(invoice, level=level, variant=variant, form=form, account=account)
    if out is not None:
        try:
            out.write_bytes(found.document)
        except OSError as error:
            raise UsageError("{out} cannot be written: {strerror}", out=out, strerror=error.strerror) from error
    elif form != "text" and not session.as_json:
        sys.stdout.buffer.write(found.document)
        return 0
    session.emit(found, lambda printer, shown: _shown(printer, shown, out))
    return 0


def _shown(out: "Out", shown: "Shown", file: Path | None) -> None:
    from bridge.cli.naming import word  # noqa: PLC0415  it brings the rules with it

    facts = {
        "level": shown.level,
        "name": shown.level_name,
        "plan": shown.plan,
        "channel": word("channel", shown.channel),
    }
    out.line("preview.title", style="dim", **facts, recipient=shown.recipient or "-")
    if file is not None:
        out.line("preview.written", style="ok", file=file)
        return
    out.text(shown.subject, "bold")
    out.line()
    out.text(shown.text)
