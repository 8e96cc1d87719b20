"""The links by which debtors answer: listed, revoked."""

from bridge.cli.base import Argument, command
from bridge.cli.session import Session

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
    session.done(session.bridge.revoke_links(case))
    return 0
