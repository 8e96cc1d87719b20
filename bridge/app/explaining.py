"""An explanation as people read it."""

from bridge.app.results import Ahead, Explained, RuleAsked
from bridge.model import Debtor
from bridge.policy import Abilities, AccountRules, ClaimView, DunningLevel, words
from bridge.policy.explain import Event, Explanation
from bridge.policy.ways import Blocked, ways
from bridge.store.mirror import Known

SHOWN = 12
"""Levels ahead that are told."""


def explained(  # noqa: PLR0917  one call site
    found: Explanation,
    claim: ClaimView,
    known: Known,
    debtor: Debtor | None,
    rules: AccountRules,
    abilities: Abilities,
    language: str,
) -> Explained:
    """Return `found` in plain words of `language`."""
    invoice, decision = known.invoice, found.decision
    plan = rules.plans.get(found.plan) if found.plan else None
    level = decision.level
    name, why = "", ""
    channels: tuple[str, ...] = ()
    if plan and level and level <= len(plan.levels):
        its = plan.level(level)
        name, (channels, why) = its.name_in(language), _way(its, claim, abilities, language)
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
        channels=channels,
        channel_text=why,
    )


def _way(level: DunningLevel, claim: ClaimView, abilities: Abilities, language: str) -> tuple[tuple[str, ...], str]:
    """Return the channels by which this level would really go out, and why they are ours, or why there is none."""
    try:
        variant = level.variant(claim.next_variant)
    except KeyError:  # taken out of the plan after a person chose it
        variant = level.standard
    found = ways(level, variant, abilities, (claim,))
    if isinstance(found, Blocked):
        return (), words.reason(found.reason, language, found.facts)
    reasons = dict.fromkeys(words.because(one.because, language) for one in found if one.because)
    return tuple(one.via.value for one in found), "; ".join(reasons)


def _ahead(event: Event) -> Ahead:
    return Ahead(event.on, event.level, event.level_name, event.repetition)
