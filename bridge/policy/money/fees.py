"""Ancillary claims (Nebenforderungen): what may be asked for beside the principal. Damages outside VAT, never part of the interest base."""

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from bridge.errors import Wrong
from bridge.model import DebtorKind


class AncillaryKind(StrEnum):
    """What an ancillary claim is for."""

    REMINDER_FEE = "reminder_fee"  # Mahngebühr
    RETURN_CHARGE = "return_charge"  # Rücklastschriftgebühr, as the bank charged it
    COST = "cost"  # documented recovery costs, such as a lawyer's
    FLAT_FEE = "flat_fee"  # Verzugspauschale


class FeeReason(StrEnum):
    """Why a fee is asked for as planned, or not."""

    AS_PLANNED = "as_planned"
    CREATES_DEFAULT = "creates_default"  # the letter that first creates default is free of charge
    CONSUMER_OFF = "consumer_off"  # no fees for consumers unless switched on
    CONSUMER_CAP = "consumer_cap"
    NOT_AGREED = "not_agreed"  # Switzerland: the exact amount was not agreed
    IN_FLAT_FEE = "in_flat_fee"  # covered by the flat fee


@dataclass(frozen=True, slots=True)
class Ancillary:
    """One ancillary claim (Nebenforderung) in cents, dated. It is outside VAT: `vat` is always nothing.

    `absorbed` is the part that the flat fee covers already; `amount` is what is asked for without it.
    """

    kind: AncillaryKind
    amount: int
    on: date
    text: str = ""
    absorbed: int = 0

    def __post_init__(self) -> None:
        if self.amount < 0 or self.absorbed < 0:
            raise Wrong(
                "an ancillary claim is not negative: {amount}, {absorbed}", amount=self.amount, absorbed=self.absorbed
            )

    @property
    def vat(self) -> None:
        """Return the VAT on it: none, as damages are no consideration (UStAE 1.3)."""
        return

    @property
    def recovery_cost(self) -> bool:
        """Return whether the flat fee is set off against it (BGB 288(5) s. 3); a bank's return charge is not such a cost."""
        return self.kind in (AncillaryKind.REMINDER_FEE, AncillaryKind.COST)


@dataclass(frozen=True, slots=True)
class FeeRules:
    """Whether and up to what amount reminder fees are asked for, in cents.

    `consumer_fees` is the explicit switch for consumers, `consumer_cap` their limit per letter. `agreed` is the exact amount that a
    Swiss contract names.
    """

    consumer_fees: bool = False
    consumer_cap: int = 250
    agreed: int | None = None


def reminder_fee(
    planned: int,
    kind: DebtorKind,
    country: str,
    rules: FeeRules,
    *,
    creates_default: bool = False,
    flat_fee: bool = False,
) -> tuple[int, FeeReason]:
    """Return the reminder fee (Mahngebühr) in cents for one letter and why, given the fee that its level plans.

    `creates_default`: no letter before this one put the debtor into default. `flat_fee`: the flat fee is asked for, which covers it.
    A debtor of unknown kind is a consumer.
    """
    if creates_default:
        return 0, FeeReason.CREATES_DEFAULT
    if flat_fee:
        return 0, FeeReason.IN_FLAT_FEE
    if country == "CH":
        return (planned, FeeReason.AS_PLANNED) if planned == rules.agreed else (0, FeeReason.NOT_AGREED)
    if kind is DebtorKind.BUSINESS:
        return planned, FeeReason.AS_PLANNED
    if not rules.consumer_fees:
        return 0, FeeReason.CONSUMER_OFF
    if planned > rules.consumer_cap:
        return rules.consumer_cap, FeeReason.CONSUMER_CAP
    return planned, FeeReason.AS_PLANNED


def absorb(items: tuple[Ancillary, ...], flat: int) -> tuple[Ancillary, ...]:
    """Return `items` with recovery costs taken off up to `flat` cents, the oldest first: max(flat fee, costs) is owed in all."""
    left, done = flat, []
    for item in sorted(items, key=ancillary_order):
        covered = min(left, item.amount) if item.recovery_cost else 0
        left -= covered
        done.append(replace(item, amount=item.amount - covered, absorbed=item.absorbed + covered) if covered else item)
    return tuple(done)


def ancillary_order(item: Ancillary) -> tuple[date, str, int, str]:
    """Return the order in which ancillary claims are listed and paid: by date, then kind, so that import order does not matter."""
    return item.on, item.kind.value, item.amount, item.text
