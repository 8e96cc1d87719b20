"""What the use cases return: plain facts for the command line, for scripts (`--json`) and for the console.

Amounts are `Decimal` in `currency`, instants aware UTC, dates local dates of the account.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from bridge.model import ClaimTable, Severity
from bridge.words import Sentence


@dataclass(frozen=True, slots=True)
class Remark:
    """One finding of `check`: about an account, a channel, or the installation (`subject` empty)."""

    severity: Severity
    code: str
    text: Sentence
    subject: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """Whether everything that is needed works. `ok` is False where a person must act before notices can go out."""

    ok: bool
    remarks: tuple[Remark, ...]


@dataclass(frozen=True, slots=True)
class Made:
    """What `init` wrote, and what comes next."""

    path: str
    folder: str
    accounts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pulled:
    """One account read (Abruf). `state`: done, failed, running (elsewhere), waiting (a jump asks for approval)."""

    account: str
    state: str
    counts: dict[str, int] = field(default_factory=dict)
    cause: str = ""
    error: str = ""
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """One invoice inside a notice."""

    invoice: str
    number: str
    due_on: date | None
    days_overdue: int | None
    open: Decimal
    fee: Decimal
    total: Decimal  # with fees, charges, flat fee and interest
    along: bool = False  # asked for in a bundle, while its own level stays
    level: int = 0  # its own, which may be lower than the notice's; 0: goes along
    level_name: str = ""


@dataclass(frozen=True, slots=True)
class OtherLine:
    """Another invoice of the debtor and its part in a bundle: included, mentioned or left_out, and why."""

    invoice: str
    number: str
    part: str
    reason: str
    text: str
    open: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class NoticeLine:
    """One letter or mail: planned (`id` None) or stored."""

    id: int | None
    account: str
    state: str
    case: str
    customer: str
    customer_number: str
    level: int
    level_name: str
    plan: str
    channel: str
    automation: str
    recipient: str
    total: Decimal
    fee: Decimal
    currency: str
    deadline: date | None
    claims: tuple[ClaimLine, ...]
    subject: str = ""
    reason: str = ""
    hash: str = ""
    triggers: tuple[str, ...] = ()  # of a bundle, the invoices whose level is due
    others: tuple[OtherLine, ...] = ()
    table: ClaimTable | None = None  # every amount in `total`, in the language of the notice
    statement: tuple[
        str, ...
    ] = ()  # the same as lines of text, where more than open principal is asked for or something was paid
    notes: tuple[str, ...] = ()  # remarks on the amounts, for staff


@dataclass(frozen=True, slots=True)
class Held:
    """One open invoice that does not get a notice today, and why."""

    account: str
    invoice: str
    number: str
    customer: str
    reason: str
    text: str
    open: Decimal
    currency: str
    next_on: date | None = None
    due_on: date | None = None  # moved to a working day
    set_by: str = ""  # the person whose hold it is, on this local date
    set_on: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """What a dunning run (Mahnlauf) would do or did on `today`."""

    today: date
    notices: tuple[NoticeLine, ...]
    held: tuple[Held, ...]
    state: str = "done"  # done, waiting: one approval is asked for, with `reason`
    reason: str = ""
    run_ids: tuple[int, ...] = ()
    counts: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, int] = field(default_factory=dict)
    stale: tuple[str, ...] = ()  # accounts left out, because their data is older than their freshness limit
    shows_not_due: bool = False  # people want to see what is not yet due, too
    paused: str = ""  # that all sending is paused, by whom and since when


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a delivery did: counts by outcome, and what now waits for a person."""

    counts: dict[str, int]
    parked: int = 0
    unclear: int = 0
    waiting_until: datetime | None = None
    reasons: dict[str, int] = field(default_factory=dict)
    sending: bool = False
    paused: bool = False
    problems: tuple[Sentence, ...] = ()
    later: int = 0  # steps that wait for the next day or hour of sending, which begins at `opens_at`
    opens_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ran:
    """One complete round: read, dunning run, delivery."""

    pulled: tuple[Pulled, ...]
    planned: Planned | None
    delivered: Delivered | None


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """One account on the status page. `blocked_until`: the provider asked us to wait (rate limit)."""

    name: str
    connector: str
    state: str
    text: str
    pulled_at: datetime | None
    stale: bool
    open_count: int
    open_total: dict[str, Decimal]
    overdue_count: int
    overdue_total: dict[str, Decimal]
    compared_on: date | None = (
        None  # the day about a week ago that `overdue_change` compares with; None: nothing known yet
    )
    overdue_change: dict[str, Decimal] = field(default_factory=dict)
    blocked_until: datetime | None = None
    remaining: int | None = None
    held_jump: str = ""
    writing_suspended: str = ""
    capped: int = 0  # invoices beyond max_notices_per_run, which wait for one approval of the run


@dataclass(frozen=True, slots=True)
class Status:
    """Everything on one page. `ready`: invoices ready for their next level; `failures`: all that `failures list` shows, with `rejects`."""

    today: date
    sending: bool
    sending_by: str
    sending_at: datetime | None
    paused: bool
    ready: int
    accounts: tuple[AccountStatus, ...]
    notices: dict[str, int]
    failures: int
    needing: int  # of the failures, those that wait for a person
    rejects: int
    cases_open: int
    last_run: datetime | None = None
    clock_set: bool = False
    paused_by: str = ""


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
class CaseDetail:
    """One case with claims, notices, blocks and timeline."""

    line: CaseLine
    contact: str
    address: str
    claims: tuple[CaseClaim, ...]
    notices: tuple[NoticeLine, ...]
    blocks: tuple[BlockLine, ...]
    timeline: tuple[Entry, ...]
    emails: tuple[str, ...] = ()  # addresses of the customer that notices can go to
    overdue: dict[str, Decimal] = field(default_factory=dict)  # total claim of all overdue items, by currency
    chosen: tuple[str, ...] = ()  # invoices that were asked for, and their total claim
    chosen_total: dict[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Done:
    """A change that was recorded: what, on what, by whom."""

    what: str
    subject: str
    actor: str
    count: int = 1
    until: date | None = None
    text: str = ""


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Equal failures under one cause."""

    kind: str
    what: Sentence
    cause: str
    count: int
    account: str
    example: Sentence
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """One parked step, rejected record or failed run, with everything needed to decide."""

    id: str
    kind: str
    account: str
    state: str
    cause: str
    error: Sentence
    subject: Sentence
    at: datetime | None
    plan: str
    replay: Sentence


@dataclass(frozen=True, slots=True)
class Replayed:
    """What replaying one failure does (`dry_run`) or did."""

    id: str
    outcome: str
    text: Sentence
    dry_run: bool


@dataclass(frozen=True, slots=True)
class GoLive:
    """What would go out once sending is on, and whether it is on now."""

    preview: Planned
    waiting: tuple[NoticeLine, ...]
    sending: bool
    actor: str = ""
