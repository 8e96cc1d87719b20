"""An explanation as people read it."""

from bridge.app.results import Ahead, Explained, RuleAsked
from bridge.model import Debtor
from bridge.policy import AccountRules
from bridge.policy.explain import Event, Explanation
from bridge.store.mirror import Known

SHOWN = 12
"""Levels ahead that are told."""


def explained(found: Explanation, known: Known, debtor: Debtor | None, rules: AccountRules, language: str) -> Explained:
    """Return `found` in plain words of `language`."""
    invoice, decision = known.invoice, found.decision
    plan = rules.plans.get(found.plan) if found.plan else None
    level = decision.level
    name = plan.level(level).name_in(language) if plan and level and level <= len(plan.levels) else ""
    return Explained(
        account=known.account,
        invoice=invoice.id,
        number=invoice.number or "",
        customer=debtor.name if debtor else (invoice.debtor_id or ""),
        on=found.on,
        outcome=decision.outcome.value,
        reason=decision.reason.value,
        text=found.text(language),
        level=level,
        level_name=name,
        next_on=decision.next_on,
        open=invoice.open,
        currency=invoice.currency,
        due_on=invoice.due_on,
        state=invoice.status.value,
        change=found.remedy(language),
        plan=found.plan or "",
        plan_by=found.assigned_by,
        current_level=found.level,
        rule=found.rule,
        asked=tuple(RuleAsked(one.rule, one.passes_where, one.passed) for one in found.asked),
        before=tuple(_ahead(one) for one in found.before),
        ahead=tuple(_ahead(one) for one in found.ahead[:SHOWN]),
    )


def _ahead(event: Event) -> Ahead:
    return Ahead(event.on, event.level, event.level_name, event.repetition)
