"""Turns of plans for bundles (Häufigkeit): when each was checked last, so that it is checked again only when its turn comes."""

from collections.abc import Iterable, Mapping
from datetime import date

from sqlalchemy.engine import Connection

from bridge.policy import AccountRules
from bridge.policy.turns import due_turns
from bridge.store import Store
from bridge.store.cases import Stamp

CHECKS = "group_checks"


def checked(store: Store, conn: Connection, account: str) -> Mapping[str, date]:
    """Return, by plan, the last day on which it was checked for this account."""
    known = store.settings.get(conn, CHECKS, {}).get(account, {})
    return {plan: date.fromisoformat(day) for plan, day in known.items()}


def note_turns(store: Store, conn: Connection, rules: Iterable[AccountRules], stamp: Stamp) -> None:
    """Remember which plans were checked today. A run that waits for a person, or over part of the customers, is no turn."""
    known = dict(store.settings.get(conn, CHECKS, {}))
    changed = False
    for one in rules:
        turns = due_turns(one, checked(store, conn, one.account), stamp.on)
        if turns:
            known[one.account] = {**known.get(one.account, {}), **dict.fromkeys(turns, stamp.on.isoformat())}
            changed = True
    if changed:
        store.settings.set(conn, CHECKS, known, stamp)
