"""Turns of plans for bundles (Häufigkeit): when each was checked last, so that it is checked again only when its turn comes."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from sqlalchemy.engine import Connection

from bridge.policy import AccountRules
from bridge.store import Store
from bridge.store.cases import Stamp

CHECKS = "group_checks"


def checked(store: Store, conn: Connection, account: str) -> Mapping[str, date]:
    """Return, by plan, the last day on which it was checked for this account."""
    known = store.settings.get(conn, CHECKS, {}).get(account, {})
    return {plan: date.fromisoformat(day) for plan, day in known.items()}


def due_turns(rules: AccountRules, known: Mapping[str, date], today: date) -> list[str]:
    """Return the plans with a frequency whose turn is today: begun, long enough after the last one, on one of their sending days."""
    found = []
    for name, plan in rules.plans.items():
        bundling = plan.bundling
        if bundling.every_days is None or (bundling.start_on is not None and today < bundling.start_on):
            continue
        last = known.get(name)
        if last is not None and today < last + timedelta(days=bundling.every_days):
            continue
        weekdays = frozenset(day for level in plan.levels for day in level.weekday_numbers)
        if rules.calendar.sending_day(today, weekdays) == today:
            found.append(name)
    return found


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
