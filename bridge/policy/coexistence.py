"""Co-existence (Nebeneinander): when reminders made elsewhere look like another automation, which must not run beside ours. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from bridge.policy import texts
from bridge.policy.views import Adoption

IN_ONE_PULL = 2
"""New foreign reminders in one pull that look like an automation of the provider."""

SAME_HOUR_DAYS = 3
"""Days on which a foreign reminder was made at the same hour, within `WINDOW`."""

WINDOW = timedelta(days=21)
FRESH = timedelta(days=31)
"""Reminders older than this are history that was read late, not something that happens now."""

IN_PULL, SAME_HOUR = "foreign_in_pull", "foreign_same_hour"


@dataclass(frozen=True, slots=True)
class Foreign:
    """A reminder that was not made here: its local day and hour where the provider tells them, and whether this pull brought it."""

    id: str
    on: date | None
    hour: int | None
    new: bool


def repeated(found: Iterable[Foreign], today: date) -> str | None:
    """Return the code of why these reminders look like an automation, or None.

    `foreign_in_pull`: one pull brought several. `foreign_same_hour`: at the same hour on several days of the last weeks. Nothing
    is said where this pull brought none, so that a person who released the account is not overruled by what they knew.
    """
    fresh = [one for one in found if one.on is None or one.on >= today - FRESH]
    new = [one for one in fresh if one.new]
    if not new:
        return None
    if len(new) >= IN_ONE_PULL:
        return IN_PULL
    days: dict[int, set[date]] = {}
    for one in fresh:
        if one.hour is not None and one.on is not None and one.on >= today - WINDOW:
            days.setdefault(one.hour, set()).add(one.on)
    hours = {one.hour for one in new if one.hour is not None}
    return SAME_HOUR if any(len(days.get(hour, ())) >= SAME_HOUR_DAYS for hour in hours) else None


def told(adoption: Adoption, language: str) -> str:
    """Return, for staff, that a reminder from elsewhere counts, from when and as which level."""
    day = texts.day(adoption.on, language)
    if language == "de":
        return f"beim Anbieter gemahnt am {day}, nicht von hier: zählt als Stufe {adoption.level}, die nächste rechnet ab diesem Tag"
    return f"reminded at the provider on {day}, not from here: counts as level {adoption.level}, and the next one from that day"
