"""The flat fee of 40 EUR (Verzugspauschale, BGB 288(5), UGB 458): per late invoice, never from consumers, set off against costs."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from bridge.model import DebtorKind
from bridge.policy.money.interest import old_law

FLAT_FEE = 4000
"""Cents, in EUR."""


class FlatFeeReason(StrEnum):
    """Why the flat fee is owed or not."""

    OWED = "owed"
    CONSUMER = "consumer"
    NOT_IN_DEFAULT = "not_in_default"
    OLD_LAW = "old_law"
    NO_CONSIDERATION = "no_consideration"
    COUNTRY = "country"
    CURRENCY = "currency"


@dataclass(frozen=True, slots=True)
class FlatFee:
    """Flat fee and recovery costs of one invoice, in cents: `owed` in all is the larger of the two where the fee is owed."""

    flat: int
    costs: int
    owed: int
    reason: FlatFeeReason


def flat_fee_reason(
    kind: DebtorKind,
    country: str = "DE",
    *,
    in_default: bool = True,
    obligation_on: date | None = None,
    performed_on: date | None = None,
    for_consideration: bool = True,
    currency: str = "EUR",
) -> FlatFeeReason:
    """Return whether the flat fee is owed for one invoice, and if not, why. A debtor of unknown kind is a consumer."""
    if country not in ("DE", "AT"):
        return FlatFeeReason.COUNTRY
    if kind is not DebtorKind.BUSINESS:
        return FlatFeeReason.CONSUMER
    if not for_consideration:
        return FlatFeeReason.NO_CONSIDERATION
    if country == "DE" and old_law(obligation_on, performed_on):
        return FlatFeeReason.OLD_LAW
    if currency != "EUR":
        return FlatFeeReason.CURRENCY
    return FlatFeeReason.OWED if in_default else FlatFeeReason.NOT_IN_DEFAULT


def flat_fee(reason: FlatFeeReason, costs: int = 0) -> FlatFee:
    """Return fee and documented recovery costs of one invoice: max(40.00, costs) where the fee is owed, else the costs alone."""
    if reason is not FlatFeeReason.OWED:
        return FlatFee(0, costs, costs, reason)
    return FlatFee(FLAT_FEE, costs, max(FLAT_FEE, costs), reason)
