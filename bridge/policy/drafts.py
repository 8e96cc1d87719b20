"""What composing makes: notices with their claims, and the work that comes with them."""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from bridge.model import Content
from bridge.policy.beside import Other
from bridge.policy.channel import Via
from bridge.policy.plan import Automation, DunningLevel, EscalationPlan, Variant
from bridge.policy.steps import StepDraft
from bridge.policy.views import Basis, ClaimView, Decision


@dataclass(frozen=True, slots=True)
class ClaimDraft:
    """One claim in a notice. `key` is unique per (claim, round, level, repetition, channel) while the notice lives."""

    invoice_id: str
    number: str | None
    round: int
    level: int
    level_name: str
    repetition: int
    demand: int  # cents, what the decision was based on
    fee: int  # cents
    total: int  # cents, with ancillary claims and interest
    key: str
    basis: Basis


@dataclass(frozen=True, slots=True)
class TaskDraft:
    """Work for people that comes with a notice; with `later` only once it has landed, `due_days` after that day."""

    kind: Via
    title: str
    note: str
    owner: str
    due_on: date | None = None
    due_days: int = 0
    later: bool = False


@dataclass(frozen=True, slots=True)
class NoticeDraft:
    """One mail or letter over one or more claims of one debtor (Mahnung), in one currency and one language, with its steps.

    `automation` is propose, create, complete or send; a proposal waits for a person. `total` is in cents; `content.table` itemises it.
    """

    account: str
    debtor_id: str
    plan: str
    level: int
    level_name: str
    variant: str
    channel: Via
    automation: Automation
    currency: str
    language: str
    total: int
    deadline: date | None
    recipient: str
    content: Content
    claims: tuple[ClaimDraft, ...]
    steps: tuple[StepDraft, ...]
    triggers: tuple[str, ...] = ()  # of a bundle, the invoices whose level is due
    others: tuple[Other, ...] = ()  # of a bundle, the debtor's other invoices and their part in it
    plan_version: str = ""
    link: str | None = None  # names the debtor's link in its text
    asked: bool = False  # a person decides, whatever the level's automation

    task: TaskDraft | None = None

    @property
    def needs_approval(self) -> bool:
        return self.asked or self.automation is Automation.PROPOSE

    @property
    def leaves(self) -> bool:
        """Return whether something goes out without a person: neither a proposal nor a call that somebody makes."""
        return not self.needs_approval and self.channel is not Via.CALL


class Item(NamedTuple):
    """One claim on its way into a notice: the decision about it, and what follows from its plan."""

    claim: ClaimView
    decision: Decision
    plan: EscalationPlan
    level: DunningLevel
    variant: Variant
    language: str
    along: bool = False  # overdue and asked for in the bundle, while its own level stays

    @property
    def position(self) -> int:
        """Return the level's position in the plan; 0 where the claim only goes along."""
        assert self.decision.level is not None
        return self.decision.level
