"""Distance (Mindestabstand) on one day: a debtor gets bundles or notices about single invoices, never both at once. Pure.

Several single notices of one day are one occasion, as are bundles that must not be mixed (another currency, language or recipient). What has
waited longer goes first, of equals the bundle; the rest waits for the minimum interval, and a bundle lists what waits.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from bridge.model import Reason
from bridge.policy.again import sent_again
from bridge.policy.beside import bundles, waits_to_be_joined
from bridge.policy.calendar import DAY
from bridge.policy.channel import Via
from bridge.policy.rules import AccountRules
from bridge.policy.situation import Situation
from bridge.policy.views import CaseView, ClaimView, Decision, Outcome


class First(StrEnum):
    """What goes to the debtor first, or waits for an approval already."""

    BUNDLE = "bundle"
    SINGLE = "single"
    BUNDLE_PROPOSED = "bundle_proposed"
    SINGLE_PROPOSED = "single_proposed"


class _One(NamedTuple):
    decision: Decision
    situation: Situation
    bundle: bool

    @property
    def since(self) -> date:
        """Return since when its level is possible; what a person chose goes before everything else."""
        target = self.situation.target
        return date.min if target is None or target.chosen else target.possible_on


def keep_apart(case: CaseView, decisions: Sequence[Decision], rules: AccountRules, today: date) -> tuple[Decision, ...]:
    """Return the decisions about one debtor on one day, those held that would go out beside a bundle, or a bundle beside them.

    Of the debtor's plans, one with an interval of no days keeps no distance.
    """
    found = tuple(decisions)
    going = [one for one in found if one.outcome is Outcome.ESCALATE]
    if not going:
        return found
    first = _proposed(case, rules)
    if first is None and (len(going) < 2 or not any(plan.bundling.when != "never" for plan in rules.plans.values())):
        return found
    known = list(_known(case, going, rules, today))
    numbers: tuple[str, ...] = ()
    if first is None:
        if len({one.bundle for one in known}) < 2:
            return found
        lead = min(known, key=lambda one: (one.since, not one.bundle))
        first = First.BUNDLE if lead.bundle else First.SINGLE
        numbers = tuple(_number(one) for one in known if one.bundle is lead.bundle)
    bundle = first in (First.BUNDLE, First.BUNDLE_PROPOSED)
    held = {
        one.decision.invoice_id: _held(one, first, numbers)
        for one in known
        if one.bundle is not bundle and one.situation.table.interval
    }
    return tuple([held.get(one.invoice_id, one) for one in found])


def _known(case: CaseView, going: Iterable[Decision], rules: AccountRules, today: date) -> Iterable[_One]:
    claims = {claim.invoice_id: claim for claim in case.claims}
    for one in going:
        claim = claims[one.invoice_id]
        situation = Situation(case, claim, rules, today)
        target = situation.target
        if target is not None and target.level.reaches_debtor and sent_again(claim, one) is None:
            yield _One(one, situation, bundles(case, claim, one, rules))


def _proposed(case: CaseView, rules: AccountRules) -> First | None:
    """Return what was proposed for the debtor on an earlier day and waits for its approval; once approved, it counts as a contact."""
    waiting = [claim for claim in case.claims if _waits(claim)]
    if not waiting:
        return None
    bundle = any(waits_to_be_joined(case, claim, rules) for claim in waiting)
    return First.BUNDLE_PROPOSED if bundle else First.SINGLE_PROPOSED


def _waits(claim: ClaimView) -> bool:
    running = claim.running
    if running is None or running.state != "proposed" or claim.resend is not None:
        return False
    return not (running.channel and Via(running.channel).in_house)


def _number(one: _One) -> str:
    return one.situation.claim.number or one.situation.claim.invoice_id


def _held(one: _One, first: First, numbers: Sequence[str]) -> Decision:
    situation, target = one.situation, one.situation.target
    assert target is not None
    proposed = first in (First.BUNDLE_PROPOSED, First.SINGLE_PROPOSED)
    today = situation.today
    earliest = today + DAY if proposed else situation.table.earliest(today)
    next_on = situation.sending_day(earliest)
    facts: dict[str, object] = {"level": target.level.name, "position": target.position, "first": first.value}
    facts |= {"waits": first.value} if proposed else {"earliest": next_on, "invoices": ", ".join(numbers)}
    return one.decision._replace(
        outcome=Outcome.HOLD,
        reason=Reason.MINIMUM_INTERVAL,
        next_on=next_on,
        variant=None,
        chosen_by="",
        skipped=(),
        facts=facts,
    )
