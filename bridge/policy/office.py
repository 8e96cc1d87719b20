"""When the agency works (Bürozeiten): days and hours of sending, company holidays, and how days are counted over them."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, time, timedelta

from bridge.errors import Wrong
from bridge.policy.calendar import DAY, Calendar

WORKING_WEEK = frozenset(range(5))
YEAR_END = frozenset({(12, 24), (12, 31)})
"""Christmas Eve and New Year's Eve: no public holidays, yet nobody sends reminders."""

_HORIZON = 370


@dataclass(frozen=True, slots=True)
class Closure:
    """Company holidays (Betriebsferien), both days included. `counts` False: its days do not count between two steps of a plan."""

    first: date
    last: date
    counts: bool = True

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise Wrong("a closure ends ({last}) before it begins ({first})", last=self.last, first=self.first)


@dataclass(frozen=True, slots=True)
class Office:
    """Days and hours on which notices go out. `weekdays`: Monday is 0; `quiet`: month and day of every year.

    `opens` and `closes` bound the local time of day, `closes` excluded; None: no bound. `debtor_holidays`: neither on public holidays at
    the debtor's place.
    """

    weekdays: frozenset[int] = WORKING_WEEK
    opens: time | None = None
    closes: time | None = None
    quiet: frozenset[tuple[int, int]] = YEAR_END
    closures: tuple[Closure, ...] = ()
    debtor_holidays: bool = True
    _uncounted: tuple[Closure, ...] = field(default=(), init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_uncounted", _merged(one for one in self.closures if not one.counts))

    def is_closed(self, day: date) -> bool:
        """Return whether `day` lies in company holidays."""
        return any(one.first <= day <= one.last for one in self.closures)

    def sends_on(self, day: date, weekdays: frozenset[int] | None, *places: Calendar) -> bool:
        """Return whether notices go out on `day`: on one of `weekdays` (None: the office's), no public holiday at any of `places`.

        Where the weekdays name Saturday or Sunday, that day counts as one of sending.
        """
        if day.weekday() not in (self.weekdays if weekdays is None else weekdays):
            return False
        for place in places:
            if place.is_holiday(day):
                return False
        return (day.month, day.day) not in self.quiet and not (self.closures and self.is_closed(day))

    def sending_day(self, day: date, weekdays: frozenset[int] | None, *places: Calendar) -> date:
        """Return the first day from `day` on which notices go out; see `sends_on`."""
        for _ in range(_HORIZON):
            if self.sends_on(day, weekdays, *places):
                break
            day += DAY
        return day

    def later(self, base: date, span: timedelta) -> date:
        """Return the date `span` after `base`; days of company holidays that do not count are passed over."""
        end = base + span
        for one in self._uncounted:
            first = max(one.first, base + DAY)
            if one.last < first:
                continue
            if first > end:
                break
            end += one.last - first + DAY
        return end


def _merged(closures: Iterable[Closure]) -> tuple[Closure, ...]:
    """Return closures in their order, those that overlap as one."""
    found: list[Closure] = []
    for one in sorted(closures, key=lambda one: one.first):
        if found and one.first <= found[-1].last:
            found[-1] = replace(found[-1], last=max(found[-1].last, one.last))
        else:
            found.append(one)
    return tuple(found)
