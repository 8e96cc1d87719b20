"""What the outbox hands out and takes in: notices, their claims and their steps as plain values."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import RowMapping

from bridge.model import REACHES_DEBTOR, Act, Content, Proof, Snapshot
from bridge.words import Sentence

NOTHING = Content()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClaim:
    """One claim of a notice to be, with the amounts that the decision was based on."""

    claim_id: int
    invoice_id: str
    round: int
    level: int
    repetition: int = 0
    open: Decimal
    fee: Decimal = Decimal("0.00")
    level_name: str = ""
    basis: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewStep:
    """One write-back of a notice to be. `channel` is one of our own; without it the account's connector does the act."""

    act: Act
    content: Content = NOTHING
    claim_id: int | None = None
    channel: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Another invoice of the debtor and its part in a bundle, as it was decided, with why in plain words. Amounts in cents.

    One that is only mentioned is in the text with its amount, so it is looked at too before the notice goes out.
    """

    invoice_id: str
    number: str
    part: str  # policy.beside.Part
    why: str
    text: str
    demand: int
    credits: int
    currency: str

    def to_json(self) -> dict[str, Any]:
        """Return JSON values, with the reason as template and facts."""
        return asdict(self) | {"text": self.text.to_store() if isinstance(self.text, Sentence) else self.text}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewNotice:
    """A notice as a dunning run composes it: its claims, and its steps in the order in which they are done."""

    account: str
    case_id: int
    run_id: int
    plan: str
    level: int
    level_name: str
    channel: str
    automation: str
    debtor_id: str
    currency: str
    total: Decimal
    deadline: date | None
    recipient: str
    content: Content
    claims: tuple[NewClaim, ...]
    steps: tuple[NewStep, ...]
    beside: tuple[Beside, ...] = ()
    needs_approval: bool = True
    plan_version: str = ""
    link: str | None = None  # names the debtor's link in its text


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeClaim:
    """One claim of a stored notice. `reminder_id` is the provider's record that was made for it."""

    claim_id: int
    invoice_id: str
    invoice_number: str | None
    round: int
    level: int
    level_name: str
    repetition: int
    open: Decimal
    fee: Decimal
    live: bool
    basis: Mapping[str, Any]
    reminder_id: str | None
    landed_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One letter or mail over one or more claims, as stored."""

    id: int
    account: str
    case_id: int
    run_id: int
    state: str
    version: int
    plan: str
    plan_version: str
    level: int
    level_name: str
    channel: str
    automation: str
    debtor_id: str
    currency: str
    total: Decimal
    deadline: date | None
    recipient: str
    content: Content
    hash: str
    approved_hash: str | None
    approved_by: str | None
    reason: str | None
    reason_text: Sentence | None
    created_at: datetime
    landed_at: datetime | None
    undelivered: bool  # it came back
    claims: tuple[NoticeClaim, ...]
    beside: tuple[Beside, ...] = ()
    replaced_by: int | None = None  # the notice that a person's edit made instead

    @property
    def mentioned(self) -> tuple[Beside, ...]:
        """Return the invoices that it lists without asking for them."""
        return tuple(one for one in self.beside if one.part == "mentioned")

    def claim(self, claim_id: int | None) -> NoticeClaim | None:
        """Return the claim with this id, None for a step over all of them."""
        return next((claim for claim in self.claims if claim.claim_id == claim_id), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One write-back as stored. `started_at` is null exactly while it is certain that nothing was written."""

    id: int
    notice_id: int
    seq: int
    account: str
    key: str
    act: Act
    channel: str | None
    claim_id: int | None
    state: str
    content: Content
    lease_owner: str | None
    lease_until: datetime | None
    not_before: datetime | None
    started_at: datetime | None
    acted_at: datetime | None
    attempts: int
    looks: int
    baseline: tuple[Snapshot, ...]
    proof: Proof | None
    cause: str | None
    error: Sentence | None

    @property
    def reaches_debtor(self) -> bool:
        """Return whether its effect cannot be taken back and its absence never be proven."""
        return self.act in REACHES_DEBTOR

    @classmethod
    def from_row(cls, row: RowMapping) -> "Step":
        """Read a row of table `step`."""
        names = (
            "id",
            "notice_id",
            "seq",
            "account",
            "key",
            "channel",
            "claim_id",
            "state",
            "lease_owner",
            "lease_until",
        )
        more = ("not_before", "started_at", "acted_at", "attempts", "looks", "cause", "error")
        return cls(
            **{name: row[name] for name in names + more},
            act=Act(row["act"]),
            content=Content.model_validate(row["content"]),
            baseline=tuple(Snapshot.model_validate(item) for item in row["baseline"] or ()),
            proof=Proof.model_validate(row["proof"]) if row["proof"] else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureGroup:
    """Equal failures: one act of one account that stopped for one cause."""

    account: str
    act: Act
    state: str
    cause: str
    count: int
    example: str
