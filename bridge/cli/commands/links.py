"""The links by which debtors answer: listed, revoked."""

from typing import TYPE_CHECKING

from bridge.cli.base import Argument, command
from bridge.cli.session import Session

if TYPE_CHECKING:
    from bridge.app.results import Done
    from bridge.cli.out import Out

_CASE = Argument(["case"], metavar="CASE")


@command("links list", _CASE)
def list(session: Session, case: str) -> int:  # noqa: A001  the command's name
    """List the links of a case."""
    from bridge.cli.show_links import links  # noqa: PLC0415

    session.emit(session.bridge.links_of(case), links)
    return 0


@command("links revoke", _CASE, changes=True)
def revoke(session: Session, case: str) -> int:
    """Revoke all links of a case."""
    session.emit(session.bridge.revoke_links(case), _done)
    return 0


def _done(out: "Out", done: "Done") -> None:
    out.line(f"done.{done.what}", style="ok", subject=done.subject, count=done.count, actor=done.actor)
