"""What happened to the money of one claim besides the invoice itself: payments, letters that arrived, charges, pauses. Pure facts."""

from dataclasses import dataclass, replace
from datetime import date
from typing import NamedTuple

from bridge.policy.money.allocation import Paid
from bridge.policy.money.default import Sent
from bridge.policy.money.fees import Ancillary, AncillaryKind
from bridge.policy.money.interest import Window


class Asks(NamedTuple):
    """What a notice asks for on one claim beside the principal and what was asked for before. `fee` is what is planned, in cents."""

    interest: bool = False
    flat_fee: bool = False
    fee: int = 0
    fee_text: str = ""


NOTHING_MORE = Asks()


@dataclass(frozen=True, slots=True)
class Reached:
    """A notice of ours that reached the debtor on a local date, and what it said about this claim.

    `legal`: its level was a dunning letter in the sense of the law. `flat_fee`, `interest`: it asked for them.
    """

    on: date
    how: Sent
    deadline: date | None = None
    legal: bool = False
    flat_fee: bool = False
    interest: bool = False


class Waived(NamedTuple):
    """The ancillary claims of an invoice are waived (Verzicht): since that local date, by a person, and why."""

    on: date
    by: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class History:
    """The money side of one claim as known here. Amounts in cents.

    `reductions` is what credit notes and discounts took off the invoice, `ancillaries` are the fees of notices that arrived and the
    charges that people entered. `pauses` are days without interest (deferrals), `interest_until` the last day with it (insolvency).
    `waived`: a person waived everything but the principal, until they take that back.
    """

    payments: tuple[Paid, ...] = ()
    reductions: int = 0
    ancillaries: tuple[Ancillary, ...] = ()
    reached: tuple[Reached, ...] = ()
    pauses: tuple[Window, ...] = ()
    interest_until: date | None = None
    waived: Waived | None = None

    @property
    def flat_fee_on(self) -> date | None:
        """Return the day on which the flat fee was first asked for."""
        return min((one.on for one in self.reached if one.flat_fee), default=None)

    def after(self, reached: Reached, fee: int, level_name: str) -> "History":
        """Return the history once one more notice has arrived, with its own fee in cents."""
        more = (Ancillary(AncillaryKind.REMINDER_FEE, fee, reached.on, level_name),) if fee else ()
        return replace(self, ancillaries=(*self.ancillaries, *more), reached=(*self.reached, reached))


NO_HISTORY = History()
