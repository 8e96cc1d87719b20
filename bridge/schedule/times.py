"""When daily work is due, in local time, safe across the change of the clocks."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger  # type: ignore[import-untyped]


def instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """Return when it is `at` on `day`: the first time where the hour repeats, the moment after where it is skipped."""
    return datetime.combine(day, at, tzinfo=zone).astimezone(UTC)


def due_after(times: Iterable[time], zone: ZoneInfo, after: datetime) -> datetime:
    """Return the first instant strictly after `after` at which one of the local `times` comes, each once per local date."""
    ordered: Sequence[time] = sorted(times)
    day = after.astimezone(zone).date() - timedelta(days=1)
    while True:
        for at in ordered:
            moment = instant(day, at, zone)
            if moment > after:
                return moment
        day += timedelta(days=1)


def due_before(times: Iterable[time], zone: ZoneInfo, now: datetime) -> datetime:
    """Return the last instant up to `now` at which one of the local `times` came."""
    ordered = sorted(times, reverse=True)
    day = now.astimezone(zone).date() + timedelta(days=1)
    while True:
        for at in ordered:
            moment = instant(day, at, zone)
            if moment <= now:
                return moment
        day -= timedelta(days=1)


class Daily(BaseTrigger):  # type: ignore[misc]
    """Fires at local times of day, once per local date, whatever the clocks do."""

    def __init__(self, times: Sequence[time], zone: ZoneInfo) -> None:
        self.times = tuple(times)
        self.zone = zone

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> Any:
        """Return the next instant after the last one."""
        return due_after(self.times, self.zone, previous_fire_time or now)
