"""What explaining an invoice and searching for its reminders return."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from bridge.model import ClaimTable


@dataclass(frozen=True, slots=True)
class RuleAsked:
    """One rule that was asked, and whether it let the invoice pass."""

    rule: str
    passes_where: str
    passed: bool


@dataclass(frozen=True, slots=True)
class Ahead:
    """A level that goes out on a date if nothing is paid and nobody acts."""

    on: date
    level: int
    level_name: str
    repetition: int = 0


@dataclass(frozen=True, slots=True)
class Upcoming:
    """The next notice about an invoice, all that it will do: planned (`notice` None), or stored already and not yet out.

    `address` is that of a letter, `total` what it asks for over all of its `invoices`, fee included; `term_days` the term it gives.
    """

    on: date
    level: int
    level_name: str
    variant: str
    channel: str
    automation: str
    state: str
    recipients: tuple[str, ...]
    cc: tuple[str, ...]
    bcc: tuple[str, ...]
    address: str
    subject: str
    attachments: tuple[str, ...]
    term_days: int | None
    deadline: date | None
    fee: Decimal
    total: Decimal
    currency: str
    invoices: tuple[str, ...]
    notice: int | None = None


@dataclass(frozen=True, slots=True)
class LevelChoice:
    """A level that can be chosen as the next one, with its ways to deliver it; `chosen_by`: a person chose it."""

    level: int
    name: str
    variants: tuple[str, ...]
    chosen_by: str = ""


@dataclass(frozen=True, slots=True)
class Explained:
    """Why this invoice gets a notice or not on `on`, and what would change it."""

    account: str
    invoice: str
    number: str
    customer: str
    on: date
    outcome: str
    reason: str
    text: str
    level: int | None
    level_name: str
    next_on: date | None
    open: Decimal
    currency: str
    due_on: date | None
    state: str
    case: str = ""  # its dunning case, where it is in one
    change: str = ""
    plan: str = ""
    plan_by: str = ""
    current_level: int = 0
    rule: str = ""
    asked: tuple[RuleAsked, ...] = ()
    before: tuple[Ahead, ...] = ()
    ahead: tuple[Ahead, ...] = ()
    channels: tuple[str, ...] = ()  # how the next level goes out, and why it is ours where the provider's was possible
    channel_text: str = ""
    set_by: str = ""  # the person whose hold it is, on this local date
    set_on: date | None = None
    until: date | None = None  # last day of the hold
    paused: str = ""  # that all sending is paused, by whom and since when
    plan_at: str = ""  # file and line of the assignment that gives the plan
    upcoming: tuple[Upcoming, ...] = ()  # the next notice, once for each of its channels
    choices: tuple[LevelChoice, ...] = ()
    table: ClaimTable | None = None  # what the notice would ask for, where one goes out on `on`
    statement: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sent:
    """One notice of an invoice: when, level, recipient, channel, result."""

    account: str
    number: str
    customer: str
    case: str
    at: datetime | None
    level: int
    level_name: str
    recipient: str
    channel: str
    state: str
    result: str
    notice: int


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to a search for an invoice number."""

    query: str
    invoices: tuple[Explained, ...]
    sent: tuple[Sent, ...]
