"""What stops an account as a whole, and lets it go on: its state and jumps between two pulls, each with its event."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import Connection

from bridge.store.accounts import RECONNECT, STOPPED
from bridge.words import NOTHING, Sentence

if TYPE_CHECKING:
    from bridge.store import Store

HALTED = frozenset({STOPPED, RECONNECT})
"""States in which nothing is done for an account until a person acts."""


def change_state(
    store: "Store",
    conn: Connection,
    account: str,
    state: str,
    text: Sentence = NOTHING,
    *,
    at: datetime,
    on: date,
    run_id: int | None = None,
    step_id: int | None = None,
) -> str:
    """Set an account's state and return the one before. An account that stops or goes on is an event; one that does not answer is none."""
    before = store.mirror.accounts.set_state(conn, account, state, text)
    if before != state and HALTED & {before, state}:
        kind = "account_stopped" if state in HALTED else "account_resumed"
        data = {"state": state, "error": text} if state in HALTED else {}
        store.journal.record(
            conn, kind, at=at, on=on, account=account, run_id=run_id, step_id=step_id, data=data
        )  # fmt: skip
    return before


def note_jump(
    store: "Store",
    conn: Connection,
    account: str,
    before: Mapping[str, Any] | None,
    now: Mapping[str, Any] | None,
    *,
    at: datetime,
    on: date,
    run_id: int,
) -> None:
    """Put a jump that holds an account from now on into the journal, and that it is over; one that was there before is told already."""
    if bool(before) == bool(now):
        return
    kind, data = ("jump_held", {"jump": dict(now)}) if now else ("jump_over", {})
    store.journal.record(conn, kind, at=at, on=on, account=account, run_id=run_id, data=data)
