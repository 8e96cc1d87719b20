"""Keys that seal tokens at rest: shown, changed, forgotten."""

from typing import TYPE_CHECKING

from bridge.cli.base import command
from bridge.cli.locale import say
from bridge.cli.session import Session

if TYPE_CHECKING:
    from bridge.app.keeping_keys import KeysShown
    from bridge.cli.out import Out


@command("keys show")
def show(session: Session) -> int:
    """Show which keys there are, by their ids."""
    session.emit(session.bridge.keys(), _shown)
    return 0


@command("keys rotate", changes=True)
def rotate(session: Session) -> int:
    """Make a new key and seal every token anew."""
    session.done(session.bridge.rotate_key())
    return 0


@command("keys forget", changes=True)
def forget(session: Session) -> int:
    """Forget the earlier keys."""
    session.done(session.bridge.forget_keys())
    return 0


def _shown(out: "Out", found: "KeysShown") -> None:
    out.line("keys.current", key=found.key, source=say(f"keys.{found.source}"))
    if found.earlier:
        out.line("keys.earlier", keys=", ".join(found.earlier))
