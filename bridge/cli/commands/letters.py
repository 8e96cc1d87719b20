"""Letters that wait for the post."""

from typing import TYPE_CHECKING

from bridge.cli.base import Argument, Option, command
from bridge.cli.session import Session

if TYPE_CHECKING:
    from bridge.app.results import Done
    from bridge.cli.out import Out


@command("letters list")
def list(session: Session) -> int:  # noqa: A001  the command's name
    """List letters that wait to be posted."""
    from bridge.cli.show import letters  # noqa: PLC0415

    session.emit(session.bridge.letters(), letters)
    return 0


@command(
    "letters posted",
    Argument(["notices"], nargs=-1, type=int, metavar="[NOTICE]..."),
    Option(["--all", "everything"], is_flag=True, help="option.letters.all"),
    changes=True,
)
def posted(session: Session, notices: tuple[int, ...], everything: bool) -> int:
    """Record that letters went to the post; their level counts from now on."""
    session.emit(session.bridge.letters_posted(notices, everything=everything), _done)
    return 0


@command("letters sent", Argument(["notices"], nargs=-1, type=int, required=True, metavar="NOTICE..."), changes=True)
def sent(session: Session, notices: tuple[int, ...]) -> int:
    """Record that reminders which were only created or completed at the provider were sent by hand."""
    session.emit(session.bridge.confirm_sent(notices), _done)
    return 0


@command(
    "letters withdraw",
    Argument(["notices"], nargs=-1, type=int, required=True, metavar="NOTICE..."),
    Option(["--reason"], required=True, metavar="TEXT", help="option.letters.reason"),
    changes=True,
)
def withdraw(session: Session, notices: tuple[int, ...], reason: str) -> int:
    """Take back letters that were certainly not posted; their invoices are decided anew."""
    session.emit(session.bridge.letters_withdrawn(notices, reason=reason), _done)
    return 0


def _done(out: "Out", done: "Done") -> None:
    out.line(f"done.{done.what}", style="ok", count=done.count, actor=done.actor)
