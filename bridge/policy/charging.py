"""Whether the fees of a plan are ever owed under the creditor's terms: told by `check`, before a letter asks for less than planned."""

from collections.abc import Iterator

from bridge.model import DebtorKind, Finding, Severity
from bridge.policy.build import amount
from bridge.policy.money import DueSource, MoneyRules
from bridge.policy.plan import EscalationPlan
from bridge.policy.trigger import Start
from bridge.words import Sentence

DAYS_TO_DEFAULT = 30
"""Days after which businesses are in default without any letter (BGB 286(3))."""


def fees_fit(plan: EscalationPlan, money: MoneyRules) -> tuple[Finding, ...]:
    """Return remarks on fees that a level plans and that are not asked for: not by the letter that creates default, not from consumers."""
    return tuple(_fees(plan, money))


def _fees(plan: EscalationPlan, money: MoneyRules) -> Iterator[Finding]:
    charging = [position for position, level in enumerate(plan.levels, start=1) if level.fee]
    if not charging:
        return
    first = charging[0]
    if money.country == "DE" and money.due_source is not DueSource.CONTRACT and _creates_default(plan, first):
        text = Sentence(
            "plan {plan}, level {position}: asks for no fee of {fee}, as it is the first letter that creates default; where terms of payment are agreed, write claims.due_source: contract",
            plan=plan.name,
            position=first,
            fee=plan.level(first).fee,
        )
        yield Finding(severity=Severity.INFO, code="plan_fee_free", text=text)
    if money.country != "CH" and not money.fees.consumer_fees:
        also = money.unknown_kind is not DebtorKind.BUSINESS
        text = Sentence(
            "plan {plan}, levels {positions}: their fee is not asked for from consumers{unknown}; claims.consumer_fees: true asks for up to {limit}",
            plan=plan.name,
            positions=charging,
            unknown=Sentence(", nor where it is not known what a customer is") if also else "",
            limit=amount(money.fees.consumer_cap),
        )
        yield Finding(severity=Severity.INFO, code="plan_fee_consumers", text=text)


def _creates_default(plan: EscalationPlan, position: int) -> bool:
    """Return whether no letter before this level, nor the thirty days, put a business into default."""
    if any(level.is_legal_dunning for level in plan.levels[: position - 1]):
        return False
    trigger = plan.level(position).trigger
    late = trigger.start is Start.AFTER_DUE and trigger.days + plan.level(position).grace_days > DAYS_TO_DEFAULT
    return not late
