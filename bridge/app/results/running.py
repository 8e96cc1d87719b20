"""What reading, dunning runs and delivery return: notices, invoices held back, and what was done."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from bridge.model import ClaimTable, Reason
from bridge.words import NOTHING, Sentence


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
class Overtaken:
    """What came meanwhile that speaks against a notice which waits for a person, on one of its invoices."""

    invoice: str
    reason: str
    text: str


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
    overtaken: tuple[Overtaken, ...] = ()  # what came meanwhile, of what waits for a person
    replaces: tuple[int, ...] = ()  # notices in whose place an edit made this one
    replaced_by: int | None = None  # the one that an edit made in its place
    rewritten: int | None = (
        None  # the one before, whose text a person had changed; this one, a proposal, has the plan's
    )
    stopped: str = ""  # the delivery that stands, as `failures show` names it
    stopped_by: Sentence = NOTHING  # why it stands: a wait, or a fault


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
    pending: tuple[NoticeLine, ...] = ()  # proposed, approved or queued before, and not yet under way to the debtor


@dataclass(frozen=True, slots=True)
class Delivered:
    """What a delivery did: counts by outcome, and what now waits for a person."""

    counts: dict[str, int]
    parked: int = 0
    stopped: int = 0  # accounts that deliver nothing until a person mends them
    unclear: int = 0
    waiting_until: datetime | None = None
    reasons: dict[str, int] = field(default_factory=dict)
    sending: bool = False
    paused: bool = False
    restored: bool = False
    problems: tuple[Sentence, ...] = ()
    later: int = 0  # steps that wait for the next day or hour of sending, which begins at `opens_at`
    opens_at: datetime | None = None

    @property
    def needs_person(self) -> bool:
        """Return whether anything waits for a person."""
        return bool(self.parked or self.stopped or Reason.DISK_FULL in self.reasons)


@dataclass(frozen=True, slots=True)
class ReturnsRead:
    """What a look at returned mail brought: the notices marked, reports known already or of a mere copy, reports of no notice of ours."""

    notices: tuple[int, ...] = ()
    known: int = 0
    others: int = 0
    problems: tuple[tuple[str, str, Sentence], ...] = ()  # channel, cause, text


@dataclass(frozen=True, slots=True)
class Ran:
    """One complete round: read, dunning run, delivery."""

    pulled: tuple[Pulled, ...]
    planned: Planned | None
    delivered: Delivered | None
    returned: ReturnsRead = ReturnsRead()


@dataclass(frozen=True, slots=True)
class GoLive:
    """What would go out once sending is on, and whether it is on now."""

    preview: Planned
    sending: bool
    actor: str = ""
