"""What cases (Mahnakten) look like, and what a recorded change returns."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from bridge.app.results.explaining import LevelChoice, Upcoming
from bridge.app.results.running import NoticeLine
from bridge.words import Sentence


@dataclass(frozen=True, slots=True)
class CaseSums:
    """What the open claims of a case add up to today, by currency: `total` is principal (Hauptforderung) and ancillary (Nebenforderung)."""

    principal: dict[str, Decimal] = field(default_factory=dict)
    ancillary: dict[str, Decimal] = field(default_factory=dict)

    def add(self, currency: str, principal: Decimal, ancillary: Decimal) -> None:
        """Add one claim."""
        self.principal[currency] = self.principal.get(currency, Decimal("0.00")) + principal
        self.ancillary[currency] = self.ancillary.get(currency, Decimal("0.00")) + ancillary

    @property
    def total(self) -> dict[str, Decimal]:
        """Return the total claim (Gesamtforderung)."""
        return {currency: value + self.ancillary[currency] for currency, value in self.principal.items()}


@dataclass(frozen=True, slots=True)
class CaseLine:
    """One dunning case (Mahnakte) in a list; `principal`, `ancillary` and `total` of its open claims by currency."""

    number: str
    account: str
    customer: str
    customer_number: str
    state: str
    level: int
    level_name: str
    invoices: int
    principal: dict[str, Decimal]
    ancillary: dict[str, Decimal]
    total: dict[str, Decimal]
    opened_on: date
    closed_on: date | None
    close_reason: str
    closed_level: int | None
    next_on: date | None
    contact: str = ""  # whom reminders go to: person and address


@dataclass(frozen=True, slots=True)
class CaseClaim:
    """One claim (Forderung) of a case. `ancillary` are fees, charges, flat fee and interest (`parts`), `total` that and the principal."""

    invoice: str
    number: str
    issued_on: date | None
    due_on: date | None
    days_overdue: int | None
    principal: Decimal
    ancillary: Decimal
    total: Decimal
    currency: str
    status: str
    level: int
    level_name: str
    level_on: date | None
    deadline: date | None
    state: str
    close_reason: str
    held: str
    next_on: date | None
    days_since_issue: int | None = None
    parts: dict[str, Decimal] = field(default_factory=dict)  # of `ancillary`, by what they are for
    plan: str = ""
    upcoming: tuple[Upcoming, ...] = ()  # the next notice, once for each of its channels
    choices: tuple[LevelChoice, ...] = ()  # levels that can be chosen as the next one


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a case's timeline."""

    at: datetime
    on: date
    actor: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class BlockLine:
    """One block (Mahnsperre) in force."""

    id: int
    invoice: str
    reason: str
    note: str
    actor: str
    until: date | None


@dataclass(frozen=True, slots=True)
class ToldFact:
    """What an agency asks for and somebody told: of the customer, or of one `invoice`. `by` empty: the provider says it."""

    name: str
    label: Sentence
    value: str | date
    invoice: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the customer of a case for a hand-over to collection, and what nobody told; `actor` where something was just said."""

    case: str
    facts: tuple[ToldFact, ...]
    missing: tuple[Sentence, ...]
    actor: str = ""


@dataclass(frozen=True, slots=True)
class CaseDetail:
    """One case with claims, notices, blocks and timeline."""

    line: CaseLine
    contact: str
    address: str
    claims: tuple[CaseClaim, ...]
    notices: tuple[NoticeLine, ...]
    blocks: tuple[BlockLine, ...]
    timeline: tuple[Entry, ...]  # the newest ones where `shortened`
    shortened: bool = False
    emails: tuple[str, ...] = ()  # addresses of the customer that notices can go to
    overdue: dict[str, Decimal] = field(default_factory=dict)  # total claim of all overdue items, by currency
    chosen: tuple[str, ...] = ()  # invoices that were asked for, and their total claim
    chosen_total: dict[str, Decimal] = field(default_factory=dict)
    facts: tuple[ToldFact, ...] = ()  # what people said of the customer for a hand-over


@dataclass(frozen=True, slots=True)
class Done:
    """A change that was recorded: what, on what, by whom. `notes` say what it left as it was, and why, or what else it entails."""

    what: str
    subject: str
    actor: str
    count: int = 1
    until: date | None = None
    text: str = ""
    notes: tuple[Sentence, ...] = ()
