"""Payment in instalments (Ratenzahlung): what came in goes to the oldest rate first; a rate that stays open ends the agreement."""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

from bridge.policy.calendar import Calendar


@dataclass(frozen=True, slots=True, order=True)
class Rate:
    """One rate: due on this local date, in cents."""

    on: date
    amount: int


@dataclass(frozen=True, slots=True)
class Agreement:
    """What was agreed, and what came in on its invoices since, in cents. `total`: what was open on them when it was made."""

    rates: tuple[Rate, ...]
    total: int
    paid: int = 0


class RateState(StrEnum):
    """How a rate stands on a day."""

    PAID = "paid"
    OPEN = "open"  # its day has not come, or its days of grace run
    MISSED = "missed"


class Allotted(NamedTuple):
    """A rate with its part of the payments, in cents, and the last day on which it is in time."""

    rate: Rate
    due: int
    paid: int
    last_day: date

    def state(self, today: date) -> RateState:
        """Return how it stands on `today`."""
        if self.paid >= self.due:
            return RateState.PAID
        return RateState.MISSED if today > self.last_day else RateState.OPEN


def allot(agreement: Agreement, place: Calendar, grace_days: int) -> tuple[Allotted, ...]:
    """Return each rate with its part of what was paid, oldest first.

    A rate due on a day off is in time on the next working day at the debtor's place (BGB 193), and `grace_days` later, so that the bank
    can book it. What rates ask for beyond the total (interest, fees) is not waited for: no provider shows it as paid.
    """
    left, owed, found = agreement.paid, agreement.total, []
    for rate in agreement.rates:
        due = min(rate.amount, owed)
        part = min(left, due)
        owed, left = owed - due, left - part
        found.append(Allotted(rate, due, part, place.working_day(rate.on) + timedelta(days=grace_days)))
    return tuple(found)


def first_open(allotted: Sequence[Allotted]) -> Allotted | None:
    """Return the oldest rate that is not paid in full, or None."""
    return next((one for one in allotted if one.paid < one.due), None)


def in_months(total: int, count: int, first: date) -> tuple[Rate, ...]:
    """Return `total` cents in `count` equal monthly rates from `first` on; the last one takes the odd cents.

    A month without that day has it on its last one (BGB 188(3)).
    """
    rates = []
    for number in range(count):
        year, month = divmod(first.year * 12 + first.month - 1 + number, 12)
        on = date(year, month + 1, min(first.day, monthrange(year, month + 1)[1]))
        amount = total // count if number < count - 1 else total - total // count * (count - 1)
        rates.append(Rate(on, amount))
    return tuple(rates)
