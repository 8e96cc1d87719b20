"""Timetable: the days of a plan's levels at one place, worked out once for all claims that are due on the same day."""

from datetime import date, timedelta
from typing import NamedTuple

from bridge.policy.calendar import DAY, Calendar
from bridge.policy.office import Office
from bridge.policy.plan import DunningLevel, EscalationPlan
from bridge.policy.trigger import Start

_ENOUGH = 10_000
"""Due dates after which a timetable begins anew: no account has as many open at once, and memory stays small for ever."""


class Target(NamedTuple):
    """The level that would be next, when its trigger day comes, and when it may go out by age (trigger day plus grace)."""

    position: int
    repetition: int
    level: DunningLevel
    trigger_on: date
    possible_on: date
    chosen: bool
    skipped: tuple[int, ...]


class Days(NamedTuple):
    """What follows from a due date alone: that date moved to a working day, and by the last level (0: none yet) the next one.

    None where the next level depends on more: on another date, on today, on what a person chose.
    """

    due: date | None
    targets: tuple[Target | None, ...]


class Timetable(dict[date, Days]):
    """By due date, what follows from it for claims under one plan whose debtor is at one place."""

    def __init__(
        self, plan: EscalationPlan | None, place: Calendar, office: Office, places: tuple[Calendar, ...], interval: int
    ) -> None:
        """Take the calendars on whose holidays nothing is sent, and the interval in days where the plan says nothing."""
        super().__init__()
        self.place = place
        self._plan, self._office, self.places = plan, office, places
        own = plan.minimum_interval_days if plan is not None else None
        self.interval = timedelta(days=interval if own is None else own)
        """The least time between two contacts of a debtor."""
        self._earliest: dict[date, date] = {}
        self._sending: dict[tuple[date, frozenset[int] | None], date] = {}

    def __missing__(self, printed: date) -> Days:
        if len(self) >= _ENOUGH:
            self.clear()
        due = self.place.working_day(printed)
        levels = self._plan.levels if self._plan is not None and not self._plan.skip_levels else ()
        found = self[printed] = Days(due, tuple([self._target(due, *one) for one in enumerate(levels, start=1)]))
        return found

    def _target(self, due: date, position: int, level: DunningLevel) -> Target | None:
        start, to_trigger, to_possible = level.timing
        if start is not Start.AFTER_DUE:
            return None
        if not to_possible:
            to_trigger = to_possible = DAY  # overdue begins on the day after
        later = self._office.later
        return Target(position, 0, level, later(due, to_trigger), later(due, to_possible), chosen=False, skipped=())

    def earliest(self, contact: date) -> date:
        """Return the first day on which the minimum interval since `contact` is over."""
        found = self._earliest.get(contact)
        if found is None:
            if len(self._earliest) >= _ENOUGH:
                self._earliest.clear()
            found = self._earliest[contact] = self._office.later(contact, self.interval)
        return found

    def sending_day(self, day: date, weekdays: frozenset[int] | None) -> date:
        """Return the first day from `day` on which a level with these weekdays (None: the office's) goes out here."""
        found = self._sending.get((day, weekdays))
        if found is None:
            if len(self._sending) >= _ENOUGH:
                self._sending.clear()
            found = self._sending[day, weekdays] = self._office.sending_day(day, weekdays, *self.places)
        return found
