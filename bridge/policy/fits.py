"""Whether a plan and an account fit: found by `check`, not when a letter is due."""

from collections.abc import Iterator

from bridge.model import Act, Finding, Severity
from bridge.policy.plan import Automation, Document, DunningLevel, EscalationPlan, Variant, Via
from bridge.policy.views import Abilities


def plan_fits(plan: EscalationPlan, abilities: Abilities) -> tuple[Finding, ...]:
    """Return what of `plan` this account cannot do (errors), and what will be missing (warnings)."""
    found: list[Finding] = []
    for position, level in enumerate(plan.levels, start=1):
        for variant in level.variants:
            where = f"plan {plan.name}, level {position}" + (f" ({variant.name})" if len(level.variants) > 1 else "")
            found += [
                Finding(severity=severity, code=code, text=f"{where}: {text}")
                for severity, code, text in _level(level, variant, abilities)
            ]
    found += _levels(plan, abilities)
    if not {Act.NOTE, Act.TAG} & abilities.acts:
        text = f"plan {plan.name}: this account has no place for a line on the invoice; the line stays in the case"
        found.append(Finding(severity=Severity.INFO, code="no_place_for_note", text=text))
    return tuple(found)


def _level(level: DunningLevel, variant: Variant, abilities: Abilities) -> Iterator[tuple[Severity, str, str]]:
    acts, document = abilities.acts, variant.documents
    for via in variant.channels:
        if not abilities.can(via.act):
            yield Severity.ERROR, "plan_channel", f"channel {via.value}: {_who(via)}"
    if document is not Document.NONE and Act.CREATE not in acts:
        text = f"document: {document.value} needs reminders at the provider, which this account cannot make; write document: none"
        yield Severity.ERROR, "plan_document", text
    if level.automation is Automation.COMPLETE and Act.COMPLETE not in acts:
        text = "automation complete: this provider has no step between draft and sent; write create or send"
        yield Severity.ERROR, "plan_automation", text
    if level.fee and document is Document.PROVIDER and not abilities.provider_fees:
        text = (
            f"fee {level.fee}: this provider refuses a fee on its reminders; send our own document (channels mail or letter"
            " with document: silent or none), or take the fee out"
        )
        yield Severity.ERROR, "plan_fee", text
    own = [via for via in variant.channels if not via.by_provider]
    if own and document is not Document.NONE and Act.CREATE in acts and Act.MARK_SENT not in acts:
        text = "the provider's reminder cannot be marked as sent there; it stays as it is after our own mail or letter"
        yield Severity.WARNING, "plan_mark_sent", text
    if level.fee and document is Document.SILENT and not abilities.provider_fees:
        text = f"fee {level.fee}: the silent reminder at the provider shows no fee; only our own letter does"
        yield Severity.INFO, "plan_fee_silent", text


def _levels(plan: EscalationPlan, abilities: Abilities) -> Iterator[Finding]:
    """Compare the plan's levels that use reminders at the provider with the levels that the provider has of its own."""
    there = abilities.provider_levels
    if there is None:
        return
    using = [
        position
        for position, level in enumerate(plan.levels, start=1)
        if any(variant.documents is not Document.NONE for variant in level.variants)
    ]
    repeats = plan.levels[-1].repeat
    wanted = len(using) + (repeats.limit if repeats and len(plan.levels) in using else 0)
    if wanted > len(there):
        have = ", ".join(there) or "none"
        text = (
            f"plan {plan.name}: makes up to {wanted} reminders for an invoice at the provider, which has {len(there)} dunning levels"
            f" ({have}); add levels there, or write document: none"
        )
        yield Finding(severity=Severity.ERROR, code="plan_levels", text=text)


def _who(via: Via) -> str:
    if via.by_provider:
        return "this account's connector cannot send it; use mail or letter"
    key = "smtp" if via is Via.MAIL else "letter_outbox"
    return f"no channel of ours does it; set channels.{key} in the configuration"
