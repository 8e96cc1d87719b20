"""Letters that wait for the post, and letters and mails that came back."""

from typing import TYPE_CHECKING

import click

from bridge.cli.base import Argument, Option, Words, command
from bridge.cli.commands.look import PERIOD
from bridge.cli.session import Session

if TYPE_CHECKING:
    from bridge.app.resending import Resent
    from bridge.app.results import ReturnsRead
    from bridge.cli.out import Out


@command("letters list", PERIOD)
def list(session: Session, period: str | None) -> int:  # noqa: A001  the command's name
    """List letters that wait to be posted."""
    from bridge.cli.show import letters  # noqa: PLC0415

    session.emit(session.bridge.letters(session.bridge.period(period)), letters)
    return 0


@command(
    "letters posted",
    Argument(["notices"], nargs=-1, type=int, metavar="[NOTICE]..."),
    Option(["--all", "everything"], is_flag=True, help="option.letters.all"),
    changes=True,
)
def posted(session: Session, notices: tuple[int, ...], everything: bool) -> int:
    """Record that letters went to the post; their level counts from now on."""
    session.done(session.bridge.letters_posted(notices, everything=everything))
    return 0


@command("letters sent", Argument(["notices"], nargs=-1, type=int, required=True, metavar="NOTICE..."), changes=True)
def sent(session: Session, notices: tuple[int, ...]) -> int:
    """Record that reminders which were only created or completed at the provider were sent by hand."""
    session.done(session.bridge.confirm_sent(notices))
    return 0


@command(
    "letters withdraw",
    Argument(["notices"], nargs=-1, type=int, required=True, metavar="NOTICE..."),
    Option(["--reason"], type=Words(needed=True), required=True, metavar="TEXT", help="option.letters.reason"),
    changes=True,
)
def withdraw(session: Session, notices: tuple[int, ...], reason: str) -> int:
    """Take back letters that were certainly not posted; their invoices are decided anew."""
    session.done(session.bridge.letters_withdrawn(notices, reason=reason))
    return 0


@command(
    "letters returned",
    Argument(["notice"], type=click.IntRange(1), metavar="NOTICE"),
    Option(["--reason"], type=Words(needed=True), required=True, metavar="TEXT", help="option.letters.reason"),
    changes=True,
)
def returned(session: Session, notice: int, reason: str) -> int:
    """Record that a letter or mail came back; the next level waits until it is sent once more or accepted."""
    session.done(session.bridge.letters_returned(notice, reason=reason))
    return 0


@command(
    "letters accepted",
    Argument(["notice"], type=click.IntRange(1), metavar="NOTICE"),
    Option(["--note"], type=Words(), default="", metavar="TEXT", help="option.letters.reason"),
    changes=True,
)
def accepted(session: Session, notice: int, note: str) -> int:
    """Let a letter or mail that came back count as delivered."""
    session.done(session.bridge.letters_accepted(notice, note=note))
    return 0


@command(
    "letters resend",
    Argument(["notice"], type=click.IntRange(1), metavar="NOTICE"),
    Option(["--to", "emails"], metavar="ADDRESS", multiple=True, help="option.letters.to"),
    Option(["--unknown"], is_flag=True, help="option.edit.unknown"),
    Option(["--post"], is_flag=True, help="option.letters.post"),
    Option(["--address"], metavar="ADDRESS", help="option.letters.address"),
    changes=True,
)
def resend(
    session: Session, *, notice: int, emails: tuple[str, ...], unknown: bool, post: bool, address: str | None
) -> int:
    """Propose the level of a notice that came back once more, with fresh amounts and a new term."""
    found = session.bridge.resend(notice, emails=emails, unknown=unknown, post=post, address=address)
    session.emit(found, _resent)
    return 0


@command("letters bounces", changes=True)
def bounces(session: Session) -> int:
    """Read which mails came back, in the mailboxes for it."""
    session.bridge.by_hand("letters bounces")
    found = session.bridge.read_returns()
    session.emit(found, _read)
    return 1 if found.problems else 0


def _read(out: "Out", found: "ReturnsRead") -> None:
    for name, _, text in found.problems:
        out.line("pull.failed", style="error", account=name, error=text)
    listed = ", ".join(map(str, found.notices))
    if found.notices:
        out.line("letters.bounces", style="warning", count=len(found.notices), notices=listed)
    else:
        out.line("letters.no_bounces")
    if found.others:
        out.line("letters.other_reports", others=found.others)


def _resent(out: "Out", found: "Resent") -> None:
    from bridge.cli.show import proposals  # noqa: PLC0415

    out.line("done.resend", style="ok", subject=found.notice, actor=found.actor)
    if found.proposals:
        proposals(out, found.proposals)
    else:
        out.line("letters.waits", reason=found.waits)
