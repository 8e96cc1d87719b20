"""A period of local dates (Zeitraum), as people name it: last-month, 2026-10, 2026-10-01..2026-10-15. Pure: today is an argument."""

import calendar
import re
from datetime import date, timedelta
from typing import NamedTuple

from bridge.errors import Wrong


class Period(NamedTuple):
    """Days from `first` to `last`, both included; None: without a beginning, or without an end."""

    first: date | None = None
    last: date | None = None

    def holds(self, day: date | None) -> bool:
        """Return whether a day lies in it; what has no day lies in no period that has a bound."""
        if day is None:
            return self == ALWAYS
        return (self.first is None or self.first <= day) and (self.last is None or day <= self.last)


ALWAYS = Period()

NAMED = ("today", "yesterday", "this-week", "last-week", "this-month", "last-month", "this-year", "last-year")
"""Periods that are named from today; weeks begin on Monday."""

_DAY = timedelta(days=1)


def period(text: str, today: date) -> Period:
    """Return the period that `text` names: one of `NAMED`, a year, a month, a day, or two of these with `..` between or at one side.

    Raises `ValueError` where it names none, or ends before it begins.
    """
    first, dots, last = text.strip().partition("..")
    if dots:
        begins = _one(first, text, today).first if first else None
        ends = _one(last, text, today).last if last else None
        if begins is not None and ends is not None and ends < begins:
            raise Wrong("{text!r} ends before it begins", text=text)
        return Period(begins, ends)
    return _one(first, text, today)


def _one(word: str, text: str, today: date) -> Period:
    word = word.strip().lower()
    try:
        if word in NAMED:
            return _named(word, today)
        if re.fullmatch(r"\d{4}", word, re.ASCII):
            return Period(date(int(word), 1, 1), date(int(word), 12, 31))
        if found := re.fullmatch(r"(\d{4})-(\d\d)", word, re.ASCII) or re.fullmatch(r"(\d\d)\.(\d{4})", word, re.ASCII):
            year, month = (int(one) for one in (found.groups() if "-" in word else found.groups()[::-1]))
            return _month(year, month)
        if found := re.fullmatch(r"(\d\d)\.(\d\d)\.(\d{4})", word, re.ASCII):
            day = date(int(found.group(3)), int(found.group(2)), int(found.group(1)))
        else:
            day = date.fromisoformat(word)
    except (ValueError, OverflowError) as error:
        raise Wrong("{text!r} is no period; write last-month, 2026-10 or 2026-10-01..2026-10-15", text=text) from error
    return Period(day, day)


def _named(word: str, today: date) -> Period:
    which, _, what = word.partition("-")
    if not what:
        day = today if which == "today" else today - _DAY
        return Period(day, day)
    if what == "week":
        monday = today - today.weekday() * _DAY - (7 * _DAY if which == "last" else timedelta())
        return Period(monday, monday + 6 * _DAY)
    if what == "month":
        day = today if which == "this" else today.replace(day=1) - _DAY
        return _month(day.year, day.month)
    year = today.year - (which == "last")
    return Period(date(year, 1, 1), date(year, 12, 31))


def _month(year: int, month: int) -> Period:
    return Period(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]))
