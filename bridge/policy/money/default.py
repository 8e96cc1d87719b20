"""When default (Verzug) begins: from a date agreed, a dunning letter, thirty days, or a refusal; by German, Austrian or Swiss law."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from bridge.model import DebtorKind
from bridge.policy.calendar import DAY, Calendar

OFFICE_HOURS = (time(9, 0), time(17, 0))
"""Usual business hours, in which an e-mail counts as received at once by a business."""

LETTER_WORKING_DAYS = 4
"""Working days after posting on which a letter counts as received."""


class DueSource(StrEnum):
    """Where the due date comes from: agreed (contract, terms), printed on the invoice alone, or none at all (BGB 271: due at once)."""

    CONTRACT = "contract"
    INVOICE_ONLY = "invoice_only"
    STATUTORY = "statutory"


class Sent(StrEnum):
    """How something went to the debtor."""

    MAIL = "mail"
    LETTER = "letter"


@dataclass(frozen=True, slots=True)
class LegalDunning:
    """A dunning letter in the sense of the law (Mahnung, BGB 286(1)); a friendly reminder is none.

    `received_on` is proven, or what `assumed_receipt` says; `deadline` is the term it grants.
    """

    received_on: date
    deadline: date | None = None


@dataclass(frozen=True, slots=True)
class DueFacts:
    """What the beginning of default depends on. Dates are local dates.

    `due_on` is the date agreed or printed; `invoice_received_on` the receipt of the invoice, None where it cannot be proven, and then
    `served_on`, the receipt of goods or service, counts. `consumer_notice`: the invoice itself explained the effect of thirty days.
    `refused_on`: a person noted that the debtor refused to pay for good, or another special reason (BGB 286(2) no. 3 and 4).
    """

    kind: DebtorKind = DebtorKind.UNKNOWN
    country: str = "DE"
    due_source: DueSource = DueSource.INVOICE_ONLY
    due_on: date | None = None
    issued_on: date | None = None
    invoice_received_on: date | None = None
    served_on: date | None = None
    consumer_notice: bool = False
    dunned: tuple[LegalDunning, ...] = ()
    refused_on: date | None = None

    @property
    def business(self) -> bool:
        """Return whether the stricter rules hold; a debtor of unknown kind is a consumer."""
        return self.kind is DebtorKind.BUSINESS


@dataclass(frozen=True, slots=True, order=True)
class DefaultStart:
    """Begin of default (Verzugsbeginn): first day of default, first day that bears interest, and the rule (a to g) that says so.

    `effective_on` is the last day on which payment would have been in time, moved to a working day (BGB 193), where there is one.
    """

    first_day: date
    interest_from: date
    rule: str
    effective_on: date | None = None


def assumed_receipt(sent: date | datetime, how: Sent, kind: DebtorKind, calendar: Calendar) -> date:
    """Return the day on which something counts as received; `sent` is local time, a plain date is one within business hours.

    E-mail to a business: the same working day within business hours, else the next working day; to others: the next day. Letters: four
    working days after posting. The sender has to prove receipt where it is contested.
    """
    day = sent.date() if isinstance(sent, datetime) else sent
    if how is Sent.LETTER:
        for _ in range(LETTER_WORKING_DAYS):
            day = calendar.working_day(day + DAY)
        return day
    if kind is not DebtorKind.BUSINESS:
        return day + DAY
    in_hours = not isinstance(sent, datetime) or OFFICE_HOURS[0] <= sent.time() <= OFFICE_HOURS[1]
    if in_hours and calendar.is_working_day(day):
        return day
    return calendar.working_day(day + DAY)


def default_of(facts: DueFacts, calendar: Calendar) -> DefaultStart | None:
    """Return when default begins by the rule that comes first, or None where no rule has made it begin.

    `calendar` is that of the place of performance, normally the debtor's. The day may lie in the future.
    """
    found = [*_by_date(facts, calendar), *_by_letter(facts, calendar), *_by_thirty_days(facts, calendar)]
    if facts.refused_on is not None:
        found.append(DefaultStart(facts.refused_on, facts.refused_on + DAY, "g"))
    return min(found, key=lambda one: (one.interest_from, one.first_day, one.rule), default=None)


def _after(day: date, rule: str, calendar: Calendar) -> DefaultStart:
    effective = calendar.working_day(day)
    return DefaultStart(effective + DAY, effective + DAY, rule, effective)


def _by_date(facts: DueFacts, calendar: Calendar) -> Iterator[DefaultStart]:
    """Rule a: a date agreed (BGB 286(2) no. 1 and 2, OR 102(2)); in Austria any due date (ABGB 907a, 1333)."""
    agreed = facts.due_source is DueSource.CONTRACT or (
        facts.country == "AT" and facts.due_source is DueSource.INVOICE_ONLY
    )
    if agreed and facts.due_on is not None:
        yield _after(facts.due_on, "a", calendar)


def _by_letter(facts: DueFacts, calendar: Calendar) -> Iterator[DefaultStart]:
    """Rules b and c: a dunning letter after the claim is due (BGB 286(1), OR 102(1)), with or without a new deadline."""
    due = _due(facts)
    for letter in facts.dunned:
        if due is None or letter.received_on <= calendar.working_day(due):
            continue
        if letter.deadline is None:
            yield DefaultStart(letter.received_on, letter.received_on + DAY, "b")
        else:
            yield _after(max(letter.deadline, letter.received_on), "c", calendar)


def _by_thirty_days(facts: DueFacts, calendar: Calendar) -> Iterator[DefaultStart]:
    """Rules d, e and f: thirty days after due date and receipt (BGB 286(3)); German law only."""
    due = _due(facts)
    if facts.country != "DE" or due is None:
        return
    if facts.invoice_received_on is not None:
        if facts.business or facts.consumer_notice:
            start = max(due, facts.invoice_received_on)
            yield _after(start + timedelta(days=30), "d" if facts.business else "e", calendar)
    elif facts.business and facts.served_on is not None:
        yield _after(max(due, facts.served_on) + timedelta(days=30), "f", calendar)


def _due(facts: DueFacts) -> date | None:
    """Return when the claim is due: on the date agreed or printed, which defers it, else at once (BGB 271(1))."""
    if facts.due_source is DueSource.STATUTORY or facts.due_on is None:
        return facts.issued_on
    return facts.due_on
