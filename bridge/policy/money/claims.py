"""The account of one claim (Forderungsaufstellung) on one day: principal, itemised ancillary claims, payments, and the total."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from bridge.model import DebtorKind
from bridge.policy.calendar import Calendar
from bridge.policy.money.allocation import Ledger, Paid, keep_ledger
from bridge.policy.money.base_rates import DAY, RateTable, shipped_tables
from bridge.policy.money.default import DefaultStart, DueFacts, DueSource, default_of
from bridge.policy.money.fees import Ancillary, AncillaryKind, FeeRules, absorb, ancillary_order
from bridge.policy.money.flat_fee import FLAT_FEE, FlatFeeReason, flat_fee_reason
from bridge.policy.money.interest import (
    DayCount,
    InterestTerms,
    Rounding,
    Segment,
    Stretch,
    Window,
    stretch,
    terms_for,
)


class NoteCode(StrEnum):
    """What a person should know about an account."""

    BASE_RATE_MISSING = "base_rate_missing"
    NO_RULES = "no_rules"
    KIND_UNKNOWN = "kind_unknown"
    NOT_IN_DEFAULT = "not_in_default"
    UNDATED_REDUCTION = "undated_reduction"
    PROVIDER_OPEN_HIGHER = "provider_open_higher"
    OVERPAID = "overpaid"
    RETURN_UNMATCHED = "return_unmatched"
    INTEREST_BELOW_MINIMUM = "interest_below_minimum"
    WAIVED = "waived"
    NO_INTEREST_ASKED = "no_interest_asked"
    FEE_NOT_ASKED = "fee_not_asked"
    FEE_LOWERED = "fee_lowered"
    FLAT_FEE_NOT_ASKED = "flat_fee_not_asked"
    NOT_CARRIED = "not_carried"
    WAIVED_BY = "waived_by"


UNDATED = "undated"
"""Id of the payment that stands for what the provider took off without saying when."""


class Note(NamedTuple):
    """One remark; `facts` fill its plain words in `money.words`. Amounts in cents."""

    code: NoteCode
    facts: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class MoneyRules:
    """How the creditor computes; everything here is configuration.

    `country` is the creditor's law, `calendar` that of the place of performance. `points` replaces the statutory points.
    `interest_minimum` (cents): interest below it in all is not asked for. `keep_ancillaries`: what is left once the provider shows the
    principal as paid stays a claim; otherwise it is waived. `unknown_kind` is what a debtor of unknown kind counts as; unknown itself
    means as a consumer, with a remark. `consumer_notice`: invoices tell consumers about the thirty days.
    """

    country: str = "DE"
    calendar: Calendar = field(default_factory=Calendar)
    tables: Mapping[str, RateTable] = field(default_factory=shipped_tables)
    interest: bool = True
    points: Decimal | None = None
    day_count: DayCount = DayCount.ACT_365
    rounding: Rounding = Rounding.SEGMENT
    interest_minimum: int = 0
    keep_ancillaries: bool = False
    due_source: DueSource = DueSource.INVOICE_ONLY
    consumer_notice: bool = False
    unknown_kind: DebtorKind = DebtorKind.UNKNOWN
    fees: FeeRules = field(default_factory=FeeRules)


@dataclass(frozen=True, slots=True)
class ClaimInputs:
    """What is known about one invoice. Amounts in cents.

    `principal` is the gross amount of the invoice with VAT, `reductions` what credit notes and discounts took off it, `credits` open
    credit notes not booked on it yet. `flat_fee_on`: the day from which the flat fee is asked for, None: not. `suspended` are days without
    interest (an agreed deferral), `interest_until` the last day with it (the day before insolvency proceedings opened).
    """

    principal: int
    due: DueFacts
    number: str = ""
    currency: str = "EUR"
    reductions: int = 0
    credits: int = 0
    payments: tuple[Paid, ...] = ()
    ancillaries: tuple[Ancillary, ...] = ()
    flat_fee_on: date | None = None
    open_at_provider: int | None = None
    suspended: tuple[Window, ...] = ()
    interest_until: date | None = None
    for_consideration: bool = True
    obligation_on: date | None = None
    performed_on: date | None = None


@dataclass(frozen=True, slots=True)
class ClaimAccount:
    """The account of one claim on day `on`. Amounts in cents.

    `principal` is the invoice less credit notes and discounts; `items` are the ancillary claims other than interest, oldest first;
    `ledger` says what payments settled and what is open. `flat_fee` says why the flat fee is among the items or not.
    """

    number: str
    currency: str
    on: date
    principal: int
    credits: int
    items: tuple[Ancillary, ...]
    ledger: Ledger
    default: DefaultStart | None
    terms: InterestTerms | None
    flat_fee: FlatFeeReason | None
    waived: int
    open_at_provider: int | None
    notes: tuple[Note, ...]

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Return the rows of the interest computation, in order."""
        return tuple(segment for one in self.ledger.stretches for segment in one.segments)

    @property
    def interest(self) -> int:
        """Return all interest that accrued, paid or not."""
        return self.ledger.interest

    @property
    def costs(self) -> int:
        """Return the sum of the ancillary claims other than interest, paid or not."""
        return sum(item.amount for item in self.items)

    @property
    def paid(self) -> int:
        """Return the sum of all payments up to that day, less what was taken back."""
        return sum(posting.amount for posting in self.ledger.postings)

    @property
    def ancillary(self) -> int:
        """Return the ancillary claims that are open: costs and interest."""
        return self.ledger.open_costs + self.ledger.open_interest

    @property
    def total(self) -> int:
        """Return the total claim (Gesamtforderung): what is open less open credit notes and what is waived.

        Money that was taken back without a payment known for it is owed too.
        """
        return self.ledger.open - min(self.ledger.surplus, 0) - self.credits - self.waived

    @property
    def left(self) -> int:
        """Return what is left of the principal as the invoicing tool counts it, less open credit notes: `total` is this and `more`."""
        return (0 if self.waived else max(self.principal - self.paid, 0)) - self.credits

    @property
    def more(self) -> int:
        """Return the ancillary claims and the interest that are asked for, whatever payments settled of them in our ledger."""
        return self.total - self.left


def account_of(inputs: ClaimInputs, today: date, rules: MoneyRules) -> ClaimAccount:
    """Return the account of one claim as of `today`, by the statutes of `rules.country` (BGB 286, 288, 366, 367; UGB 456; OR 104)."""
    notes: list[Note] = []
    inputs = _as_at_provider(inputs, today, notes)
    principal = inputs.principal - inputs.reductions
    default = default_of(inputs.due, rules.calendar)
    if default is None or default.first_day > today:
        notes.append(Note(NoteCode.NOT_IN_DEFAULT, {"on": default.first_day} if default else {}))
        default = None
    terms = _terms(inputs, rules, notes)
    late = default is not None and principal > _paid_before(inputs, default.first_day)
    items, reason = _items(inputs, today, rules, default if late else None)
    ledger = _ledger(inputs, principal, items, terms, default=default, today=today, rules=rules)
    if 0 < ledger.interest < rules.interest_minimum:
        notes.append(Note(NoteCode.INTEREST_BELOW_MINIMUM, {"amount": ledger.interest}))
        ledger = _ledger(inputs, principal, items, None, default=default, today=today, rules=rules)
    waived = 0
    if not rules.keep_ancillaries and _settled(inputs, principal, today) and ledger.open:
        waived = ledger.open
        notes.append(Note(NoteCode.WAIVED, {"amount": waived}))
    return ClaimAccount(
        number=inputs.number,
        currency=inputs.currency,
        on=today,
        principal=principal,
        credits=inputs.credits,
        items=items,
        ledger=ledger,
        default=default,
        terms=terms,
        flat_fee=reason,
        waived=waived,
        open_at_provider=inputs.open_at_provider,
        notes=(*notes, *_ledger_notes(ledger, terms)),
    )


def _as_at_provider(inputs: ClaimInputs, today: date, notes: list[Note]) -> ClaimInputs:
    """Return `inputs` with payments that leave what the provider shows as open.

    What it took off without a payment that says when counts from the beginning, so that nobody pays interest on money that may have
    come in time. What it shows as open although a payment is known counts as taken back today: it is owed, and bore no interest so far.
    """
    if inputs.due.kind is DebtorKind.UNKNOWN:
        notes.append(Note(NoteCode.KIND_UNKNOWN))
    if inputs.open_at_provider is None:
        return inputs
    known = inputs.principal - inputs.reductions - sum(one.amount for one in inputs.payments)
    gap = known - inputs.open_at_provider if inputs.open_at_provider > 0 else max(known, 0)
    if not gap:
        return inputs
    if gap < 0:
        notes.append(Note(NoteCode.PROVIDER_OPEN_HIGHER, {"amount": -gap}))
        on = today
    else:
        notes.append(Note(NoteCode.UNDATED_REDUCTION, {"amount": gap}))
        dated = [one.value_on for one in inputs.payments] + [one.on for one in inputs.ancillaries]
        on = min([*dated, inputs.due.issued_on or today, inputs.due.due_on or today, today]) - DAY
    return replace(inputs, payments=(*inputs.payments, Paid(gap, on, UNDATED)))


def _terms(inputs: ClaimInputs, rules: MoneyRules, notes: list[Note]) -> InterestTerms | None:
    if not rules.interest:
        return None
    try:
        return terms_for(
            rules.country,
            inputs.due.kind,
            rules.tables,
            obligation_on=inputs.obligation_on or inputs.due.issued_on,
            performed_on=inputs.performed_on,
            for_consideration=inputs.for_consideration,
            points=rules.points,
        )
    except KeyError:
        notes.append(Note(NoteCode.NO_RULES, {"country": rules.country}))
        return None


def _paid_before(inputs: ClaimInputs, day: date) -> int:
    return sum(one.amount for one in inputs.payments if one.value_on < day)


def _items(
    inputs: ClaimInputs, today: date, rules: MoneyRules, default: DefaultStart | None
) -> tuple[tuple[Ancillary, ...], FlatFeeReason | None]:
    """Return the ancillary claims up to `today`, with the flat fee where it is asked for and owed, and why it is or not."""
    items = tuple(sorted((one for one in inputs.ancillaries if one.on <= today), key=ancillary_order))
    if inputs.flat_fee_on is None or inputs.flat_fee_on > today:
        return items, None
    reason = flat_fee_reason(
        inputs.due.kind,
        rules.country,
        in_default=default is not None and default.first_day <= today,
        obligation_on=inputs.obligation_on or inputs.due.issued_on,
        performed_on=inputs.performed_on,
        for_consideration=inputs.for_consideration,
        currency=inputs.currency,
    )
    if reason is not FlatFeeReason.OWED or default is None:
        return items, reason
    fee = Ancillary(AncillaryKind.FLAT_FEE, FLAT_FEE, max(inputs.flat_fee_on, default.first_day))
    return tuple(sorted((*absorb(items, FLAT_FEE), fee), key=ancillary_order)), reason


def _ledger(
    inputs: ClaimInputs,
    principal: int,
    items: tuple[Ancillary, ...],
    terms: InterestTerms | None,
    *,
    default: DefaultStart | None,
    today: date,
    rules: MoneyRules,
) -> Ledger:
    def interest(base: int, first: date, last: date) -> Stretch:
        assert terms is not None
        return stretch(
            base,
            first,
            last,
            terms,
            day_count=rules.day_count,
            rounding=rules.rounding,
            suspended=inputs.suspended,
        )

    return keep_ledger(
        principal,
        inputs.payments,
        [(item.on, item.amount) for item in items],
        interest,
        interest_from=default.interest_from if default and terms else None,
        until=today,
        interest_until=inputs.interest_until,
    )


def _settled(inputs: ClaimInputs, principal: int, today: date) -> bool:
    """Return whether the principal is paid: by the provider's word, else by the payments known."""
    if inputs.open_at_provider is not None:
        return inputs.open_at_provider <= 0
    return sum(one.amount for one in inputs.payments if one.value_on <= today) >= principal


def _ledger_notes(ledger: Ledger, terms: InterestTerms | None) -> list[Note]:
    notes = []
    missing = [window for one in ledger.stretches for window in one.missing]
    if missing and terms is not None and terms.table is not None:
        facts = {"country": terms.table.country, "first": missing[0].first, "last": missing[-1].last}
        notes.append(Note(NoteCode.BASE_RATE_MISSING, facts))
    if ledger.surplus:
        code = NoteCode.OVERPAID if ledger.surplus > 0 else NoteCode.RETURN_UNMATCHED
        notes.append(Note(code, {"amount": abs(ledger.surplus)}))
    return notes
