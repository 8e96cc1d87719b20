"""Working days: weekends and public holidays of a country and its federal state, and days on which the agency is closed."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

import holidays

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Calendar of working days (Werktage in the sense of BGB 193: neither Saturday, Sunday nor public holiday).

    `country` is an ISO code, `state` a subdivision of it such as `BY`; unknown ones are refused with `ValueError`. `closed` are further
    days without sending. Years are looked up once.
    """

    country: str = "DE"
    state: str | None = None
    closed: frozenset[date] = frozenset()
    _years: dict[int, frozenset[date]] = field(default_factory=dict, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        try:
            self._of(2026)
        except NotImplementedError as error:
            msg = f"there is no calendar of public holidays for {self.country}{'-' + self.state if self.state else ''}"
            raise ValueError(msg) from error

    def _of(self, year: int) -> frozenset[date]:
        days = self._years.get(year)
        if days is None:
            found: Iterable[date] = holidays.country_holidays(self.country, subdiv=self.state, years=year)
            days = self._years[year] = frozenset(found)
        return days

    def is_holiday(self, day: date) -> bool:
        """Return whether `day` is a public holiday there."""
        return day in self._of(day.year)

    def is_working_day(self, day: date) -> bool:
        """Return whether `day` is neither Saturday, Sunday nor public holiday."""
        return day.weekday() < 5 and day not in self._of(day.year)

    def working_day(self, day: date) -> date:
        """Return `day`, moved forward to a working day (BGB 193)."""
        while day.weekday() > 4 or day in self._of(day.year):
            day += DAY
        return day

    def sending_day(self, day: date, weekdays: frozenset[int]) -> date:
        """Return the first day from `day` on which notices go out: an allowed weekday, no public holiday, not closed.

        Where `weekdays` names Saturday or Sunday, that day counts as one of sending.
        """
        for _ in range(370):
            if day.weekday() in weekdays and day not in self.closed and day not in self._of(day.year):
                break
            day += DAY
        return day

    def working_days_between(self, start: date, end: date) -> int:
        """Return how many working days lie after `start` up to and including `end`; 0 where `end` is not later."""
        days, day = 0, start
        while day < end:
            day += DAY
            days += self.is_working_day(day)
        return days
