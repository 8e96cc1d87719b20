"""What is owed on one claim on a day: by the law, and by what its notices ask for. From view and rules to the account of `money`."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import NamedTuple

from bridge.model import DebtorKind
from bridge.policy.actions import Wanted
from bridge.policy.channel import Via
from bridge.policy.holds import UNDECIDED
from bridge.policy.money import (
    Ancillary,
    AncillaryKind,
    Asks,
    ClaimAccount,
    ClaimInputs,
    DueFacts,
    FeeReason,
    FlatFeeReason,
    LegalDunning,
    MoneyRules,
    Note,
    NoteCode,
    Sent,
    Waived,
    account_of,
    assumed_receipt,
    reminder_fee,
)
from bridge.policy.places import calendar_of
from bridge.policy.plan import DunningLevel
from bridge.policy.rules import AccountRules
from bridge.policy.views import CaseView, ClaimView

EVERYTHING = Asks(interest=True)
"""All that the law gives, with the flat fee as far as a notice asked for it: what people are shown."""


class Owed(NamedTuple):
    """The account of one claim, the fee of the notice itself (cents), and remarks for staff."""

    account: ClaimAccount
    fee: int
    notes: tuple[Note, ...]

    @property
    def extras(self) -> int:
        """Return what is asked for beside the open principal and the fee of the notice itself, in cents."""
        return self.account.costs + self.account.interest - self.fee


def asks_of(level: DunningLevel, name: str, *, charged: bool, chosen: int | None = None, less: bool = False) -> Asks:
    """Return what a level asks for on one claim; of several in one notice, its fee is `charged` on one.

    `chosen` is the fee that a person set for this claim at this level, in cents; the law limits it like the plan's. `less`: without
    what the plan asks for only where the way can tell it.
    """
    fee = int(level.fee.scaleb(2)) if chosen is None else chosen
    return Asks(wanted(level.interest, less=less), wanted(level.flat_fee, less=less), fee if charged else 0, name)


def wanted(one: Wanted, *, less: bool = False) -> bool:
    """Return whether an ancillary claim is asked for, `less` what is asked for only where the way can tell it."""
    return one is True if less else bool(one)


def owed(
    case: CaseView,
    claim: ClaimView,
    rules: AccountRules,
    on: date,
    asks: Asks,
    *,
    today: date | None = None,
    gaps: bool = False,
) -> Owed:
    """Return what is owed on `claim` as of `on`, interest up to and including that day.

    Where a base rate is missing, a notice asks for no interest at all; with `gaps` only the days without a rate bear none. Payments that the provider counts already
    although their value date lies after `today` (default: `on`) count as of that day.
    """
    inputs = _inputs(case, claim, rules, asks, on=on, today=today or on)
    money = replace(
        rules.money, calendar=calendar_of(case, claim, rules), interest=rules.money.interest and asks.interest
    )
    if claim.history.waived is not None:
        return _principal_alone(claim.history.waived, inputs, on, replace(money, interest=rules.money.interest))
    account = account_of(inputs, on, money)
    fee, why = 0, FeeReason.AS_PLANNED
    if asks.fee:
        fee, why = _fee(account, inputs.due.kind, money, asks.fee)
    if fee:
        more = Ancillary(AncillaryKind.REMINDER_FEE, fee, on, asks.fee_text)
        inputs = replace(inputs, ancillaries=(*inputs.ancillaries, more))
        account = account_of(inputs, on, money)
    notes = [*_remarks(account, asks, fee, why)]
    if not gaps and (unknown := _missing(account)) is not None:
        account = account_of(inputs, on, replace(money, interest=False))
        notes = [one for one in notes if one.code is not NoteCode.BASE_RATE_MISSING]
        notes.append(Note(NoteCode.NO_INTEREST_ASKED, unknown.facts))
    return Owed(account, fee, tuple(notes))


def _principal_alone(waived: Waived, inputs: ClaimInputs, on: date, money: MoneyRules) -> Owed:
    """Return the account of a claim whose ancillary claims a person waived; every payment counts for the principal."""
    full = account_of(inputs, on, money)
    account = account_of(replace(inputs, ancillaries=(), flat_fee_on=None), on, replace(money, interest=False))
    amount = full.total - account.total
    told = {"amount": amount, "who": waived.by, "on": waived.on, "reason": waived.note}
    kept = (one for one in account.notes if one.code not in _OF_INTEREST)
    account = replace(account, notes=(*kept, Note(NoteCode.WAIVED_BY, told)))
    return Owed(account, 0, account.notes)


def retotalled(case: CaseView, claim: ClaimView, rules: AccountRules) -> bool:
    """Return whether a notice that waits would ask for another total by what is known now, as of the day on which it was decided.

    Not asked of the second channel of a level that has landed by the first: what that one brought stands in both.
    """
    running = claim.running
    if running is None or running.total is None or running.since is None or running.state not in UNDECIDED:
        return False
    if (claim.level, claim.repetition) == (running.level, running.repetition):
        return False
    return owed(case, claim, rules, running.since, running.asks).account.total != running.total


def sent_how(via: str) -> Sent:
    """Return how a notice by that channel reaches the debtor, for the day on which it counts as received."""
    return Sent.LETTER if via in (Via.LETTER, Via.POST, Via.PROVIDER_POST) else Sent.MAIL


def debtor_kind(case: CaseView, rules: AccountRules) -> DebtorKind:
    """Return what the debtor counts as."""
    return rules.money.unknown_kind if case.kind is DebtorKind.UNKNOWN else case.kind


def _inputs(case: CaseView, claim: ClaimView, rules: AccountRules, asks: Asks, *, on: date, today: date) -> ClaimInputs:
    past = claim.history
    flat_fee_on = past.flat_fee_on
    if asks.flat_fee and flat_fee_on is None:
        flat_fee_on = on
    payments = tuple(replace(one, value_on=min(one.value_on, today)) for one in past.payments)
    return ClaimInputs(
        principal=claim.gross,
        due=_due(case, claim, rules),
        number=claim.number or claim.invoice_id,
        currency=claim.currency,
        reductions=past.reductions,
        credits=claim.linked_credits + claim.shared_credits,
        payments=payments,
        ancillaries=past.ancillaries,
        flat_fee_on=flat_fee_on,
        open_at_provider=claim.open,
        suspended=past.pauses,
        interest_until=past.interest_until,
    )


def _due(case: CaseView, claim: ClaimView, rules: AccountRules) -> DueFacts:
    kind, calendar, issued = debtor_kind(case, rules), calendar_of(case, claim, rules), claim.issued_on
    received = assumed_receipt(issued, Sent.MAIL, kind, calendar) if issued and claim.sent is not False else None
    return DueFacts(
        kind=kind,
        country=rules.money.country,
        due_source=rules.money.due_source,
        due_on=claim.due_on,
        issued_on=issued,
        invoice_received_on=received,
        consumer_notice=rules.money.consumer_notice,
        dunned=tuple(
            LegalDunning(assumed_receipt(one.on, one.how, kind, calendar), one.deadline)
            for one in claim.history.reached
            if one.legal
        ),
    )


def _fee(account: ClaimAccount, kind: DebtorKind, money: MoneyRules, planned: int) -> tuple[int, FeeReason]:
    return reminder_fee(
        planned,
        kind,
        money.country,
        money.fees,
        creates_default=account.default is None,
        flat_fee=account.flat_fee is FlatFeeReason.OWED,
    )


_OF_INTEREST = frozenset(
    {NoteCode.KIND_UNKNOWN, NoteCode.NOT_IN_DEFAULT, NoteCode.UNDATED_REDUCTION, NoteCode.PROVIDER_OPEN_HIGHER}
)
"""Remarks that matter only where something is asked for beside the principal."""

_AS_EXPECTED = frozenset({FlatFeeReason.OWED, FlatFeeReason.CONSUMER, FlatFeeReason.COUNTRY})


def _remarks(account: ClaimAccount, asks: Asks, fee: int, why: FeeReason) -> Iterator[Note]:
    more = asks.interest or asks.flat_fee or bool(asks.fee)
    for one in account.notes:
        if more or one.code not in _OF_INTEREST:
            yield one
    if fee != asks.fee and why is not FeeReason.IN_FLAT_FEE:
        code = NoteCode.FEE_LOWERED if fee else NoteCode.FEE_NOT_ASKED
        yield Note(code, {"planned": asks.fee, "amount": fee, "why": why})
    if asks.flat_fee and account.flat_fee is not None and account.flat_fee not in _AS_EXPECTED:
        yield Note(NoteCode.FLAT_FEE_NOT_ASKED, {"why": account.flat_fee})


def _missing(account: ClaimAccount) -> Note | None:
    return next((one for one in account.notes if one.code is NoteCode.BASE_RATE_MISSING), None)
