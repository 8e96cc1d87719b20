"""Sending hours: whether a notice may leave right now, by the local clock, and else when. Asked by delivery before every message."""

from datetime import date, time
from typing import NamedTuple

from bridge.model import Reason
from bridge.policy.calendar import DAY, Calendar
from bridge.policy.places import sending_places
from bridge.policy.plan import DunningLevel
from bridge.policy.rules import AccountRules


class Opening(NamedTuple):
    """When a notice may leave: a local date, and the local time of day from which on it (None: from its beginning)."""

    reason: Reason
    on: date
    at: time | None


def waits(rules: AccountRules, level: DunningLevel | None, place: Calendar, today: date, now: time) -> Opening | None:
    """Return when a notice of `level` may leave, or None where it may right now.

    `today` and `now` are local; `level` None: one that its plan no longer has, for which the office's days and hours count. A level's own
    time of day and weekdays replace those of the office.
    """
    office = rules.office
    opens = level.time if level and level.time is not None else office.opens
    closes = level.until if level and level.until is not None else office.closes
    if opens is not None and closes is not None and closes <= opens:
        closes = None  # a level that begins after the office closes
    weekdays = level.weekday_numbers if level else None
    places = sending_places(rules, place)
    if not office.sends_on(today, weekdays, *places):
        return Opening(Reason.NOT_WORKING_DAY, office.sending_day(today + DAY, weekdays, *places), opens)
    if opens is not None and now < opens:
        return Opening(Reason.OUTSIDE_HOURS, today, opens)
    if closes is not None and now >= closes:
        return Opening(Reason.OUTSIDE_HOURS, office.sending_day(today + DAY, weekdays, *places), opens)
    return None
