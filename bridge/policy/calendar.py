"""Working days: weekends and the public holidays of a country and its federal state."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

import holidays

from bridge.errors import Wrong
from bridge.words import Sentence

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Calendar of working days at one place (Werktage in the sense of BGB 193: neither Saturday, Sunday nor public holiday).

    `country` is an ISO code, `state` a subdivision of it such as `BY`; unknown ones are refused with `ValueError`. Years are looked up
    once.
    """

    country: str = "DE"
    state: str | None = None
    _years: dict[int, frozenset[date]] = field(default_factory=dict, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        try:
            self._of(2026)
        except NotImplementedError as error:
            place = f"{self.country}-{self.state}" if self.state else self.country
            known = holidays.list_supported_countries().get(self.country, ())
            more = Sentence("; of {country} there are {known}", country=self.country, known=known) if known else ""
            raise Wrong("there is no calendar of public holidays for {place}{more}", place=place, more=more) from error

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

    def bank_days_between(self, start: date, end: date) -> int:
        """Return how many bank working days lie after `start` up to and including `end`; 0 where `end` is not later.

        On a bank working day the banks of this place and the payment system of the euro (TARGET) both work: no weekend, no public
        holiday, neither 24 nor 31 December.
        """
        days, day = 0, start
        while day < end:
            day += DAY
            days += self.is_working_day(day) and (day.month, day.day) not in _BANKS_CLOSED and not _target_rests(day)
        return days


_BANKS_CLOSED = frozenset({(12, 24), (12, 31)})
_target: dict[int, frozenset[date]] = {}


def _target_rests(day: date) -> bool:
    days = _target.get(day.year)
    if days is None:
        found: Iterable[date] = holidays.financial_holidays("ECB", years=day.year)
        days = _target[day.year] = frozenset(found)
    return day in days
