"""Compose: decisions to notices, and each notice to its ordered steps. Pure."""

from dataclasses import dataclass
from datetime import date

from bridge.model import Act, Content
from bridge.policy.rules import AccountRules
from bridge.policy.views import Abilities, Basis, CaseView, Decision


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
    key: str
    basis: Basis


@dataclass(frozen=True, slots=True)
class StepDraft:
    """One act of a notice, in order. `invoice_id` None: the mail or letter over all claims. `channel` None: the account's connector.

    `key` is unique for ever: it counts the notices ever made for the claim, so that a dropped one can be written anew.
    """

    act: Act
    key: str
    invoice_id: str | None
    channel: str | None
    content: Content


@dataclass(frozen=True, slots=True)
class NoticeDraft:
    """One mail or letter over one or more claims of one debtor (Mahnung), in one currency and one language, with its steps.

    `automation` is propose, create, complete or send; `hash` covers content, claims and recipients: what an approval binds to.
    """

    account: str
    debtor_id: str
    plan: str
    level: int
    level_name: str
    variant: str
    channel: str  # plan.Via
    automation: str
    currency: str
    language: str
    total: int  # cents
    deadline: date
    recipient: str
    content: Content
    claims: tuple[ClaimDraft, ...]
    steps: tuple[StepDraft, ...]
    hash: str


def compose(
    case: CaseView, decisions: tuple[Decision, ...], rules: AccountRules, abilities: Abilities, today: date
) -> tuple[NoticeDraft, ...]:
    """Return the notices for the decisions that escalate, oldest claim first."""
    raise NotImplementedError
