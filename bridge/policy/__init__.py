"""Policy: plans, triggers, holds, bundling, decide, explain. Pure: no clock, no database, no network."""

from bridge.policy.channel import Via
from bridge.policy.compose import compose, unsendable
from bridge.policy.decide import decide
from bridge.policy.drafts import ClaimDraft, NoticeDraft
from bridge.policy.plan import Automation, DunningLevel, EscalationPlan
from bridge.policy.recheck import recheck
from bridge.policy.rules import AccountRules, Assignment, Creditor
from bridge.policy.steps import StepDraft
from bridge.policy.views import (
    Abilities,
    AccountFacts,
    Adoption,
    Basis,
    Block,
    CaseView,
    ClaimView,
    Decision,
    Hold,
    LocalView,
    NoticeView,
    Outcome,
    Running,
)

__all__ = [
    "Abilities",
    "AccountFacts",
    "AccountRules",
    "Adoption",
    "Assignment",
    "Automation",
    "Basis",
    "Block",
    "CaseView",
    "ClaimDraft",
    "ClaimView",
    "Creditor",
    "Decision",
    "DunningLevel",
    "EscalationPlan",
    "Hold",
    "LocalView",
    "NoticeDraft",
    "NoticeView",
    "Outcome",
    "Running",
    "StepDraft",
    "Via",
    "compose",
    "decide",
    "recheck",
    "unsendable",
]
