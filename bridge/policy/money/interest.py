"""Default interest (Verzugszinsen, BGB 288, UGB 456, OR 104): terms, segments of constant rate and principal, exact to the cent."""

from calendar import isleap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from bridge.model import DebtorKind
from bridge.policy.money.base_rates import DAY, RateTable

NEW_LAW = date(2014, 7, 29)
"""Obligations created from this day carry 9 points and the flat fee (EGBGB Art. 229 s. 34)."""

OLD_CONTRACTS_UNTIL = date(2016, 6, 30)
"""Performance under older continuing contracts up to this day stays under the old law."""


class DayCount(StrEnum):
    """How days become years: `act/365` always divides by 365; `act/act` by 366 for days in leap years, and never gives more."""

    ACT_365 = "act/365"
    ACT_ACT = "act/act"


class Rounding(StrEnum):
    """Where half-up rounding to the cent happens: on each printed row, or once for each stretch between two payments."""

    SEGMENT = "segment"
    TOTAL = "total"


class Window(NamedTuple):
    """Days, both included. `last` None: for ever."""

    first: date
    last: date | None = None


@dataclass(frozen=True, slots=True)
class InterestTerms:
    """What a year costs: a base rate by `table` plus `points`, or `points` alone where there is no table; in per cent.

    `law` names the statute, or the contract where an operator set the points.
    """

    points: Decimal
    table: RateTable | None = None
    law: str = ""

    def rate_on(self, day: date) -> Decimal | None:
        """Return the whole rate of `day`, never below zero; None where the base rate is not known."""
        base = self.table.rate_on(day) if self.table else Decimal(0)
        return None if base is None else max(base + self.points, Decimal(0))


class Part(NamedTuple):
    """Days of a segment that are divided by the same number of days per year."""

    days: int
    year: int


@dataclass(frozen=True, slots=True)
class Segment:
    """One printed row (Zinsabschnitt): `first` to `last`, both included, at one rate on one principal. Amounts in cents."""

    first: date
    last: date
    principal: int
    base: Decimal | None
    points: Decimal
    rate: Decimal
    parts: tuple[Part, ...]
    interest: int

    @property
    def days(self) -> int:
        """Return the number of days, both ends included."""
        return sum(part.days for part in self.parts)

    @property
    def exact(self) -> Fraction:
        """Return the interest in cents before rounding."""
        return exact_interest(self.principal, self.rate, self.parts)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Interest on one principal from one payment to the next. `missing` are days without a known base rate; they bear nothing here."""

    segments: tuple[Segment, ...]
    interest: int
    missing: tuple[Window, ...] = ()


def old_law(obligation_on: date | None, performed_on: date | None = None) -> bool:
    """Return whether the law before 29 July 2014 holds: 8 points, no flat fee.

    `performed_on` is given for a continuing contract only: what it brought after 30 June 2016 is under the new law.
    """
    if obligation_on is None or obligation_on >= NEW_LAW:
        return False
    return performed_on is None or performed_on <= OLD_CONTRACTS_UNTIL


def terms_for(
    country: str,
    kind: DebtorKind,
    tables: Mapping[str, RateTable],
    *,
    obligation_on: date | None = None,
    performed_on: date | None = None,
    responsible: bool = True,
    for_consideration: bool = True,
    points: Decimal | None = None,
) -> InterestTerms:
    """Return the statutory terms of the creditor's law, or those with an operator's own `points`.

    A debtor of unknown kind is a consumer. `responsible` False: the debtor is not answerable for the delay (AT only, UGB 456 s. 3).
    Raises `KeyError` where there are no rules for the country, or no table.
    """
    business = kind is DebtorKind.BUSINESS
    if country == "CH":
        return InterestTerms(Decimal(5) if points is None else points, None, "OR 104")
    if country == "AT" and not (business and responsible):
        return InterestTerms(Decimal(4) if points is None else points, None, "ABGB 1000, UGB 456")
    if country == "AT":
        return InterestTerms(Decimal("9.2") if points is None else points, tables["AT"], "UGB 456")
    if country != "DE":
        raise KeyError(country)
    if not (business and for_consideration):
        statutory, law = Decimal(5), "BGB 288(1)"
    elif old_law(obligation_on, performed_on):
        statutory, law = Decimal(8), "BGB 288(2) a.F."
    else:
        statutory, law = Decimal(9), "BGB 288(2)"
    return InterestTerms(statutory if points is None else points, tables["DE"], law)


def half_up(exact: Fraction) -> int:
    """Return `exact` cents, rounded half away from zero."""
    whole = (2 * abs(exact.numerator) + exact.denominator) // (2 * exact.denominator)
    return whole if exact >= 0 else -whole


def exact_interest(principal: int, rate: Decimal, parts: Iterable[Part]) -> Fraction:
    """Return principal x rate / 100 x days / year, in cents, without rounding."""
    years = sum((Fraction(part.days, part.year) for part in parts), Fraction(0))
    return principal * Fraction(rate) / 100 * years


def stretch(
    principal: int,
    first: date,
    last: date,
    terms: InterestTerms,
    *,
    day_count: DayCount = DayCount.ACT_365,
    rounding: Rounding = Rounding.SEGMENT,
    suspended: Iterable[Window] = (),
) -> Stretch:
    """Return the interest on `principal` cents for the days from `first` to `last`, both included.

    `suspended` are days that bear none, such as a deferral. Nothing is computed where `last` lies before `first` or nothing is owed.
    """
    if principal <= 0 or last < first:
        return Stretch((), 0)
    segments: list[Segment] = []
    missing: list[Window] = []
    for window in free_days(first, last, suspended):
        for start, end, base in _constant(window.first, window.last or last, terms):
            if base is None and terms.table is not None:
                missing.append(Window(start, end))
                continue
            rate = max((base or Decimal(0)) + terms.points, Decimal(0))
            parts = _parts(start, end, day_count)
            interest = half_up(exact_interest(principal, rate, parts))
            segments.append(Segment(start, end, principal, base, terms.points, rate, parts, interest))
    if rounding is Rounding.TOTAL:
        total = half_up(sum((one.exact for one in segments), Fraction(0)))
    else:
        total = sum(one.interest for one in segments)
    return Stretch(tuple(segments), total, tuple(missing))


def free_days(first: date, last: date, suspended: Iterable[Window]) -> Iterator[Window]:
    """Return the days from `first` to `last` outside of all `suspended` windows, in order."""
    start = first
    for window in sorted(suspended, key=lambda one: one.first):
        if window.first > last:
            break
        if window.last is not None and window.last < start:
            continue
        if window.first > start:
            yield Window(start, window.first - DAY)
        if window.last is None:
            return
        start = window.last + DAY
    if start <= last:
        yield Window(start, last)


def _constant(first: date, last: date, terms: InterestTerms) -> Iterator[tuple[date, date, Decimal | None]]:
    """Return the days cut where the base rate changes; equal neighbours stay one piece."""
    if terms.table is None:
        yield first, last, None
        return
    start, pending = first, terms.table.rate_on(first)
    day = first
    while True:
        until = terms.table.until(day)
        end = last if until is None else min(until, last)
        if end == last:
            yield start, last, pending
            return
        day = end + DAY
        base = terms.table.rate_on(day)
        if base != pending:
            yield start, end, pending
            start, pending = day, base


def _parts(first: date, last: date, day_count: DayCount) -> tuple[Part, ...]:
    if day_count is DayCount.ACT_365:
        return (Part((last - first).days + 1, 365),)
    parts: list[Part] = []
    for year in range(first.year, last.year + 1):
        start, end = max(first, date(year, 1, 1)), min(last, date(year, 12, 31))
        length = 366 if isleap(year) else 365
        days = (end - start).days + 1
        if parts and parts[-1].year == length:
            parts[-1] = Part(parts[-1].days + days, length)
        else:
            parts.append(Part(days, length))
    return tuple(parts)
