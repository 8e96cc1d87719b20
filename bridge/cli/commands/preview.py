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
    Argument(["invoice"], required=False),
    Option(["--notice"], type=click.IntRange(1), metavar="NOTICE", help="option.preview.notice"),
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
def preview(
    session: Session,
    *,
    invoice: str | None,
    notice: int | None,
    level: int | None,
    variant: str | None,
    form: str,
    out: Path | None,
    account: str | None,
) -> int:
    """Show what a level would say about an invoice, or what a notice says; nothing is written or sent."""
    from bridge.errors import UsageError  # noqa: PLC0415

    if out is None and form == "pdf" and not session.as_json and sys.stdout.isatty():
        raise UsageError("a PDF does not fit on a terminal; name a file with --out")
    if (invoice is None) is (notice is None):
        raise UsageError("name an invoice, or a notice with --notice")
    if notice is not None and (level is not None or variant is not None or account is not None):
        raise UsageError("--notice shows a notice as it is; --level, --variant and --account are for an invoice")
    found = (
        session.bridge.show_notice(notice, form=form)
        if invoice is None and notice is not None
        else session.bridge.show_level(invoice or "", level=level, variant=variant, form=form, account=account)
    )
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
    from bridge.cli.out import shown as said  # noqa: PLC0415

    facts = {
        "level": shown.level,
        "name": shown.level_name,
        "plan": shown.plan,
        "channel": word("channel", shown.channel),
    }
    if shown.notice is not None:
        out.line("preview.notice", style="dim", notice=shown.notice, state=word("state", shown.state))
    out.line("preview.title", style="dim", **facts, recipient=shown.recipient or "-")
    if shown.held:
        out.line("preview.held", style="warning", why=shown.held)
    for text in shown.notes:
        out.text(said(text), "warning")
    if file is not None:
        out.line("preview.written", style="ok", file=file)
        return
    out.text(shown.subject, "bold")
    out.line()
    out.text(shown.text)
