"""What the rules see and what they answer: frozen, slotted, amounts in integer cents of the claim's currency.

The store builds views for a dunning run, `recheck` builds them from a fresh snapshot; both go through the same rules. Dates are the
account's local dates.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Any, NamedTuple, Self

from bridge.model import (
    Act,
    Address,
    Colleague,
    Contact,
    Debtor,
    DebtorKind,
    InvoiceKind,
    InvoiceStatus,
    NoticeStatus,
    Person,
    Reason,
)
from bridge.policy.instalments import Agreement
from bridge.policy.money.history import NO_HISTORY, NOTHING_MORE, Asks, History
from bridge.words import Sentence, stored_text

NO_DETAILS: Mapping[str, Any] = MappingProxyType({})


class Outcome(StrEnum):
    """What a decision (Mahnvorschlag) says about one claim."""

    ESCALATE = "escalate"
    HOLD = "hold"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Block:
    """A reason against dunning (Mahnsperre): from the provider's flags or set here. `until` is inclusive; None: until lifted."""

    reason: Reason
    until: date | None = None
    source: str = ""  # where it was read
    note: str = ""
    by: str = ""  # the person who set it here
    since: date | None = None  # on this local date
    agreement: Agreement | None = None  # of a payment plan with rates: it holds as long as they are kept
    detail: tuple[str, Any] | None = None  # one more fact for its words


@dataclass(frozen=True, slots=True)
class SendTo:
    """Where a person lets notices go (Empfänger von Hand): mail addresses or a postal address, for one level or (0) for all."""

    level: int = 0
    emails: tuple[str, ...] = ()
    address: Address | None = None


@dataclass(frozen=True, slots=True)
class NoticeView:
    """A reminder that the provider holds for this invoice.

    `ours`: made by a write-back of ours. `astray`: with our mark, while no notice here goes on from it or has gone out with it.
    `leaving`: a step of ours deletes it, or waits for a person because it could not.
    """

    id: str
    level: int
    status: NoticeStatus
    on: date | None = None
    deadline: date | None = None
    ours: bool = False
    superseded: bool = False
    astray: bool = False
    leaving: bool = False

    @property
    def is_draft(self) -> bool:
        return self.status is NoticeStatus.DRAFT and not self.superseded


@dataclass(frozen=True, slots=True)
class Running:
    """A notice of ours that has not landed yet: proposed, approved, queued, waiting or parked.

    `demand` is the open principal that it asks for on this claim, `total` that with everything else, in cents; `asks` is what else it
    asks for; `since` the date of the run that made it.
    """

    notice_id: int
    state: str
    level: int
    demand: int = 0
    repetition: int = 0
    since: date | None = None
    deadline: date | None = None
    level_name: str = ""
    channel: str = ""
    asks: Asks = NOTHING_MORE
    total: int | None = None
    plan: str = ""
    plan_version: str = ""
    settled: bool = False  # a person approved or edited it


@dataclass(frozen=True, slots=True)
class ClaimView:
    """One invoice as a claim (Forderung): what the provider says, what speaks against dunning, and how far we are.

    `linked_credits` are open credit notes for this very invoice, `shared_credits` its part of the debtor's free ones.
    `cancelled` and `covered`: another document cancels it or contains it. `closed` is the reason of a claim that is closed here.
    """

    invoice_id: str
    number: str | None = None
    kind: InvoiceKind = InvoiceKind.INVOICE
    status: InvoiceStatus = InvoiceStatus.OPEN
    issued_on: date | None = None
    due_on: date | None = None
    payment_term_days: int | None = None
    currency: str = "EUR"
    gross: int = 0
    paid: int = 0
    open: int = 0
    linked_credits: int = 0
    shared_credits: int = 0
    credit_notes: tuple[tuple[str, int], ...] = ()  # both by number, as far as it is known
    amounts_clear: bool = True
    sent: bool | None = None
    payment_method: str | None = None
    returned: bool = False  # a direct debit for it came back
    cancelled: bool = False
    credited: bool = False  # credit notes for it reach its gross amount
    covered: bool = False
    gone: bool = False
    provider_level: int = 0
    tags: tuple[str, ...] = ()
    email: str | None = None
    address: Address | None = None
    language: str | None = None
    blocks: tuple[Block, ...] = ()  # flags at the provider and blocks here, of this invoice
    notices: tuple[NoticeView, ...] = ()

    claim_id: int | None = None
    round: int = 1
    round_on: date | None = None  # day on which a later round began; older reminders do not count in it
    level: int = 0  # position of the last landed level in the plan; 0: none yet
    level_name: str = ""
    repetition: int = 0
    level_on: date | None = None
    deadline: date | None = None
    history: History = NO_HISTORY  # payments, fees, charges, letters that arrived
    undelivered: bool = False
    resend: str | None = None  # the channel by which a person sends the level once more that came back
    resent: int = 0  # how many of its repetitions were that
    closed: Reason | None = None
    running: Running | None = None
    plan: str | None = None  # chosen for this invoice by a person
    include: str | None = None  # "include", "exclude"
    include_by: str = ""  # chosen by this person, on this local date
    include_on: date | None = None
    next_level: int | None = None  # chosen by a person
    next_level_by: str = ""
    next_variant: str | None = None  # chosen by a person
    hand_over: str | None = None  # decided by a person: "last", after the last reminder, or "early"
    hand_over_by: str = ""
    fees_chosen: tuple[tuple[int, int], ...] = ()  # by a person: level, cents
    send_to: tuple[
        SendTo, ...
    ] = ()  # chosen by people, the invoice's before the customer's, of one level before of all
    mail_to: tuple[str, ...] = ()  # of these, those of the level at hand: see `recipients.addressed`
    post_to: Address | None = None

    @property
    def demand(self) -> int:
        """Return the open principal: the provider's open amount less open credit notes."""
        return self.open - self.linked_credits - self.shared_credits

    @property
    def netted(self) -> bool:
        """Return whether open credit notes lower the demand, so that no document or record of the provider can name it."""
        return bool(self.linked_credits or self.shared_credits)


@dataclass(frozen=True, slots=True)
class CaseView:
    """One debtor at one account with the claims that a run looks at (Mahnakte)."""

    account: str
    debtor_id: str
    name: str = ""
    number: str | None = None
    kind: DebtorKind = DebtorKind.UNKNOWN
    email: str | None = None
    contacts: tuple[Contact, ...] = ()
    person: Person | None = None  # whom the provider names as the customer, or as standing for them
    address: Address | None = None
    language: str | None = None
    tags: tuple[str, ...] = ()
    payment_term_days: int | None = None
    has_mandate: bool = False
    blocks: tuple[Block, ...] = ()  # flags at the provider and blocks here, of this customer
    claims: tuple[ClaimView, ...] = ()
    plan: str | None = None  # chosen for this customer by a person
    include: str | None = None
    include_by: str = ""
    include_on: date | None = None
    last_contact_on: date | None = None  # newest landed notice of ours, or adopted one, to this debtor
    case_number: str | None = None
    colleagues: tuple[Colleague, ...] = ()  # named by the provider, or here by a person
    unusable: tuple[str, ...] = ()  # stands at the provider as an e-mail address, and is none
    has_record: bool = True  # False: the invoice stands alone, the provider names no customer for it


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What is true of the whole account on this day."""

    payments_as_of: date | None = (
        None  # local date up to which the provider has seen the bank account; None: no bank feed
    )
    writing_suspended: str | None = None
    held_jump: Mapping[str, str] | None = None  # what moved too far since the last read, in words by language
    checked: Mapping[str, date] = field(
        default_factory=dict
    )  # by plan, the last day on which a plan for bundles was checked
    approved: bool = False  # a person approved this run above its cap or after a jump


@dataclass(frozen=True, slots=True)
class Adoption:
    """A reminder made elsewhere which moves the claim's level and date."""

    level: int
    on: date
    deadline: date | None
    notice_id: str


class Decision(NamedTuple):
    """What happens with one claim on one day, and why (Mahnvorschlag).

    `next_on` is the next local date on which something can happen; None: nothing until a record changes or a person acts.
    `enters`: the invoice is overdue and belongs into a case, whatever holds it. `facts` fill the plain words of `reason`.
    """

    invoice_id: str
    outcome: Outcome
    reason: Reason
    next_on: date | None = None
    level: int | None = None
    repetition: int = 0
    round: int = 1
    plan: str | None = None
    enters: bool = False
    adoption: Adoption | None = None
    variant: str | None = None  # chosen by a person; None: the standard
    chosen_by: str = ""  # the person who chose the level
    skipped: tuple[
        int, ...
    ] = ()  # levels passed over: by that person, by `skip_levels`, or too late for one before the due date
    facts: Mapping[str, Any] = NO_DETAILS

    @property
    def waits(self) -> str:
        """Return what of the same debtor waits for an approval and holds this claim until then; empty where nothing does."""
        return str(self.facts.get("waits", ""))


@dataclass(frozen=True, slots=True)
class Hold:
    """A reason not to send right now, with its plain words. `until` is inclusive; None: until something changes."""

    reason: Reason
    text: Sentence
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Basis:
    """What a notice was based on for one claim; kept with it, compared right before every provider call.

    `known_reminders` are the provider's reminders that the decision knew; `own_reminders` those which this notice itself made.
    `credits` are the debtor's free credit notes that were netted against this claim. `main` is the address in the debtor's record
    that the recipient follows from. `asks` is what the notice asks for beside the principal, `total` the sum in cents, with interest up
    to and including `decided_on`; `flat_fee` says that the flat fee is in it, `legal` that the notice is a dunning letter by law.
    `notes` are remarks for staff.
    """

    invoice_id: str
    currency: str
    demand: int
    credits: int
    round: int
    from_level: int
    level: int
    decided_on: date
    via: str = ""
    main: str = ""
    recipient: str = ""  # e-mail addresses or folded postal address; empty where nobody is reached
    deadline: date | None = None
    chosen: bool = False  # a person chose the recipient, whatever the debtor's record says
    known_reminders: frozenset[str] = frozenset()
    own_reminders: frozenset[str] = frozenset()
    asks: Asks = NOTHING_MORE
    total: int | None = None
    flat_fee: bool = False
    legal: bool = False
    notes: tuple[str, ...] = ()
    plan: str = ""  # that the claim's level is from; empty where it only goes along
    plan_version: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return JSON values, with dates as ISO text."""
        return {
            "invoice_id": self.invoice_id,
            "currency": self.currency,
            "demand": self.demand,
            "credits": self.credits,
            "round": self.round,
            "from_level": self.from_level,
            "level": self.level,
            "decided_on": self.decided_on.isoformat(),
            "via": self.via,
            "main": self.main,
            "recipient": self.recipient,
            "deadline": self.deadline.isoformat() if self.deadline else None,
            "chosen": self.chosen,
            "known_reminders": sorted(self.known_reminders),
            "own_reminders": sorted(self.own_reminders),
            "asks": self.asks._asdict(),
            "total": self.total,
            "flat_fee": self.flat_fee,
            "legal": self.legal,
            "notes": [one.to_store() if isinstance(one, Sentence) else one for one in self.notes],
            "plan": self.plan,
            "plan_version": self.plan_version,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Return the basis that `to_json` wrote."""
        values = dict(data)
        values["decided_on"] = date.fromisoformat(values["decided_on"])
        values["deadline"] = date.fromisoformat(values["deadline"]) if values.get("deadline") else None
        for name in ("known_reminders", "own_reminders"):
            values[name] = frozenset(values.get(name) or ())
        values["asks"] = asks_from(values)
        values["notes"] = notes_from(values)
        return cls(**values)


def notes_from(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the remarks for staff of a stored basis."""
    return tuple(stored_text(one) for one in data.get("notes") or ())


def asks_from(data: Mapping[str, Any]) -> Asks:
    """Return what a stored basis asks for."""
    return Asks(**data.get("asks") or {})


@dataclass(frozen=True, slots=True)
class LocalView:
    """What is known here about one claim right before a call: blocks, choices of people, the level it has now."""

    blocks: tuple[Block, ...] = ()
    customer_blocks: tuple[Block, ...] = ()
    include: str | None = None
    customer_include: str | None = None
    closed: Reason | None = None
    round: int = 1
    level: int = 0
    level_name: str = ""
    undelivered: bool = False  # the last notice came back
    returned: bool = False
    facts: AccountFacts = AccountFacts()
    history: History = NO_HISTORY
    debtor: Debtor | None = None  # as stored; None: as the look says
    plan: str | None = None  # chosen for the invoice by a person
    customer_plan: str | None = None
    settled: bool = False  # a person approved or edited what goes out
    debtor_id: str = ""  # whom the notice is for
    mail_to: tuple[str, ...] = ()  # chosen by people for the level that goes out, as it stands now
    post_to: Address | None = None
    astray: frozenset[str] = frozenset()  # reminders of the look with our mark that no notice here goes on from


@dataclass(frozen=True, slots=True)
class Abilities:
    """What an account can do: acts of its connector as `check` found them, and names of our own channels by act.

    `provider_fees`: the provider takes a fee on its reminder (sevDesk 2.0 does not). `documents`: it hands out PDFs.
    `provider_levels` are the provider's own dunning levels in their order; None where it has none of its own.
    """

    acts: frozenset[Act] = frozenset()
    channels: Mapping[Act, str] = field(default_factory=dict)
    provider_fees: bool = True
    bank_feed: bool = False
    documents: bool = False
    provider_levels: tuple[str, ...] | None = None

    def can(self, act: Act) -> bool:
        """Return whether the connector or a channel of ours can do `act`."""
        return act in self.acts or act in self.channels
