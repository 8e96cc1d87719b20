"""The itemised claim table (Forderungsaufstellung) of one notice: every cent of its total, with the computation, as the debtor reads it.

Texts are in the language of the notice. Interest is stated up to and including the table's day, whenever the notice goes out.
"""

from datetime import date
from decimal import Decimal

from pydantic import model_validator

from bridge.errors import Wrong
from bridge.model.base import Amount, Currency, Frozen

ZERO = Decimal("0.00")


class InterestRow(Frozen):
    """One row of default interest (Zinsabschnitt): `first` to `last`, both included; rates in per cent per year.

    `base` is the base rate, None where the law names a fixed rate. `formula` is the computation in words: principal x rate x days.
    """

    first: date
    last: date
    days: int
    base: Decimal | None
    points: Decimal
    rate: Decimal
    principal: Amount
    formula: str
    interest: Amount


class AncillaryRow(Frozen):
    """One ancillary claim (Nebenforderung) other than interest, dated. `vat` is always None: damages are outside VAT.

    `kind`: reminder_fee, return_charge, cost, flat_fee. `absorbed` is what the flat fee covers of it already; `amount` is asked for.
    """

    on: date
    kind: str
    text: str
    amount: Amount
    absorbed: Amount = ZERO
    vat: None = None


class PaymentRow(Frozen):
    """What the payments of one day settled: costs, then interest, then principal (BGB 367). Negative where money was taken back.

    `on` None: the invoicing tool took it off without saying when; it counts from the beginning.
    """

    on: date | None
    amount: Amount
    costs: Amount
    interest: Amount
    principal: Amount
    surplus: Amount = ZERO


class CreditRow(Frozen):
    """What is taken off for one open credit note; `number` is empty where the provider has none."""

    number: str
    amount: Amount


class ClaimedInvoice(Frozen):
    """One invoice in a notice. `open` is `gross` less `credited` and `paid`; `total` is `open`, the ancillary claims and the interest.

    `paid` is the sum of `payments`, whatever they settled; `interest` is all that accrued until the table's day.
    """

    invoice_id: str
    number: str
    issued_on: date | None
    due_on: date | None
    level_name: str
    gross: Amount
    credited: Amount
    paid: Amount
    open: Amount
    credit_notes: tuple[CreditRow, ...] = ()
    payments: tuple[PaymentRow, ...] = ()
    ancillaries: tuple[AncillaryRow, ...] = ()
    interest_rows: tuple[InterestRow, ...] = ()
    interest: Amount = ZERO
    total: Amount

    @model_validator(mode="after")
    def _adds_up(self) -> "ClaimedInvoice":
        asked = self.open + self.interest + sum((one.amount for one in self.ancillaries), ZERO)
        if self.open != self.gross - self.credited - self.paid or self.total != asked:
            raise Wrong("the rows of invoice {number} do not add up to {total}", number=self.number, total=self.total)
        return self


class Mentioned(Frozen):
    """An invoice that is listed but not asked for, and why, such as one that is not due yet."""

    number: str
    issued_on: date | None
    due_on: date | None
    open: Amount
    why: str = ""


class ClaimTable(Frozen):
    """What one notice asks for, invoice by invoice. `principal` + `ancillary` + `interest` = `total`, in `currency`.

    `law` names the statute of the interest rate, such as `BGB 288(2)`; empty without interest.
    """

    on: date
    currency: Currency
    rows: tuple[ClaimedInvoice, ...]
    mentions: tuple[Mentioned, ...] = ()
    principal: Amount
    ancillary: Amount
    interest: Amount
    total: Amount
    law: str = ""

    @model_validator(mode="after")
    def _adds_up(self) -> "ClaimTable":
        rows = sum((one.total for one in self.rows), ZERO)
        if rows != self.total or self.principal + self.ancillary + self.interest != self.total:
            raise Wrong("the invoices do not add up to {total}", total=self.total)
        return self

    @property
    def paid(self) -> Decimal:
        """Return what was paid on these invoices."""
        return sum((one.paid for one in self.rows), ZERO)


class PaymentDetails(Frozen):
    """How to pay a notice (Zahlungsangaben). `payee` is the holder of the account; `reference` is plain enough for a transfer (SEPA)."""

    payee: str
    iban: str
    bic: str = ""
    bank: str = ""
    reference: str
    amount: Amount
    currency: Currency
    deadline: date | None = None
