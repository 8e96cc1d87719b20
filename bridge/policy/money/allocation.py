"""Allocation (Anrechnung) of payments: costs, then interest, then principal within one claim (BGB 367); between claims (BGB 366).

The ledger is ours and stands beside the provider's open amount, which most tools reduce by every payment without asking for what.
Amounts in cents. What is paid equals what is allocated plus the surplus, always.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import groupby

from bridge.policy.money.base_rates import DAY
from bridge.policy.money.interest import Stretch

Interest = Callable[[int, date, date], Stretch]
"""Interest on a principal from the first to the last day, both included."""


@dataclass(frozen=True, slots=True)
class Paid:
    """Money that came in on its value date (Valuta), in cents; negative where it was taken back (returned debit, correction)."""

    amount: int
    value_on: date
    id: str = ""


@dataclass(frozen=True, slots=True)
class Posting:
    """One row of the ledger: the payments of one day and what they settled. Negative parts undo earlier ones.

    `open_*` is what stays open after it. A row without amount uses an earlier surplus for a later cost.
    """

    on: date
    amount: int
    costs: int
    interest: int
    principal: int
    surplus: int
    open_costs: int
    open_interest: int
    open_principal: int
    payments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ledger:
    """The account of one claim: postings, the interest between them, and what is open. `interest` is all that accrued."""

    postings: tuple[Posting, ...]
    stretches: tuple[Stretch, ...]
    interest: int
    open_costs: int
    open_interest: int
    open_principal: int
    surplus: int

    @property
    def open(self) -> int:
        """Return everything that is open, without the surplus."""
        return self.open_costs + self.open_interest + self.open_principal


_POTS = ("costs", "interest", "principal")


class _Book:
    """The ledger while it is written."""

    def __init__(self, principal: int, interest: Interest, interest_from: date | None) -> None:
        self.open = {"costs": 0, "interest": 0, "principal": principal}
        self.paid = dict.fromkeys(_POTS, 0)
        self.surplus = 0
        self.accrued = 0
        self.interest = interest
        self.next_day = interest_from
        self.stretches: list[Stretch] = []
        self.postings: list[Posting] = []

    def accrue(self, last: date) -> None:
        """Add the interest up to and including `last`."""
        if self.next_day is None or last < self.next_day:
            return
        made = self.interest(self.open["principal"], self.next_day, last)
        self.next_day = last + DAY
        self.accrued += made.interest
        self.open["interest"] += made.interest
        if made.segments or made.missing:
            self.stretches.append(made)

    def post(self, on: date, amount: int, payments: tuple[str, ...]) -> None:
        """Allocate `amount`, or undo as much where money was taken back; the newest allocation is undone first."""
        pool = self.surplus + amount
        moved = dict.fromkeys(_POTS, 0)
        for pot in _POTS if pool >= 0 else reversed(_POTS):
            part = min(pool, self.open[pot]) if pool >= 0 else -min(-pool, self.paid[pot])
            moved[pot] = part
            self.open[pot] -= part
            self.paid[pot] += part
            pool -= part
        change, self.surplus = pool - self.surplus, pool
        self.postings.append(
            Posting(
                on=on,
                amount=amount,
                **moved,
                surplus=change,
                open_costs=self.open["costs"],
                open_interest=self.open["interest"],
                open_principal=self.open["principal"],
                payments=payments,
            )
        )


def keep_ledger(
    principal: int,
    payments: Iterable[Paid],
    costs: Iterable[tuple[date, int]],
    interest: Interest,
    *,
    interest_from: date | None,
    until: date,
    interest_until: date | None = None,
) -> Ledger:
    """Return the ledger of one claim up to and including `until`; what is dated later is left out.

    `costs` are dated ancillary claims other than interest. Interest runs from `interest_from` (None: not at all) to `interest_until`. The
    day of a payment still bears interest on the old principal. The order of `payments` and `costs` does not matter.
    """
    ends = until if interest_until is None else min(until, interest_until)
    book = _Book(principal, interest, interest_from)
    by_day: dict[date, list[Paid]] = {}
    for payment in payments:
        if payment.value_on <= until:
            by_day.setdefault(payment.value_on, []).append(payment)
    costs_by_day: dict[date, int] = {}
    for on, amount in costs:
        if on <= until:
            costs_by_day[on] = costs_by_day.get(on, 0) + amount
    for on in sorted(by_day.keys() | costs_by_day.keys()):
        book.open["costs"] += costs_by_day.get(on, 0)
        if on in by_day:
            book.accrue(min(on, ends))
            came = by_day[on]
            book.post(on, sum(one.amount for one in came), tuple(sorted(one.id for one in came)))
        elif book.surplus > 0:
            book.post(on, 0, ())
    book.accrue(ends)
    return Ledger(
        postings=tuple(book.postings),
        stretches=tuple(book.stretches),
        interest=book.accrued,
        open_costs=book.open["costs"],
        open_interest=book.open["interest"],
        open_principal=book.open["principal"],
        surplus=book.surplus,
    )


@dataclass(frozen=True, slots=True)
class Debt:
    """One of several claims against a debtor, for the order of BGB 366(2). `open` in cents, with interest and costs.

    `burden` is the yearly rate that it costs the debtor; `since` the day from which its age counts.
    """

    id: str
    open: int
    due: bool
    since: date
    secured: bool = False
    burden: Decimal = Decimal(0)


def distribute(amount: int, debts: Sequence[Debt], purpose: Sequence[str] = ()) -> tuple[Mapping[str, int], int]:
    """Return how much of `amount` cents goes to each claim, and what is left over.

    The debtor's stated `purpose` (ids in order) comes first (BGB 366(1)); then claims that are due, less secured, more burdensome, older,
    and of equal ones each in proportion (366(2)).
    """
    given = dict.fromkeys((debt.id for debt in debts), 0)
    by_id = {debt.id: debt for debt in debts}
    for name in dict.fromkeys(purpose):
        if name in by_id:
            part = max(min(amount, by_id[name].open), 0)
            given[name] += part
            amount -= part
    left = sorted((debt for debt in debts if debt.open > given[debt.id]), key=lambda one: (_rank(one), one.id))
    for _, group in groupby(left, key=_rank):
        equal = {debt.id: debt.open - given[debt.id] for debt in group}
        for name, part in _in_proportion(min(amount, sum(equal.values())), equal).items():
            given[name] += part
            amount -= part
    return given, amount


def _rank(debt: Debt) -> tuple[bool, bool, Decimal, date]:
    return not debt.due, debt.secured, -debt.burden, debt.since


def _in_proportion(amount: int, opens: Mapping[str, int]) -> dict[str, int]:
    """Return `amount` split in proportion to `opens` without losing a cent; left cents go to the largest fractions."""
    whole = sum(opens.values())
    if amount <= 0 or whole == 0:
        return dict.fromkeys(opens, 0)
    parts = {name: amount * size // whole for name, size in opens.items()}
    fractions = sorted(opens, key=lambda name: (-(amount * opens[name] % whole), name))
    for name in fractions[: amount - sum(parts.values())]:
        parts[name] += 1
    return parts
