"""Forecast (Vorschau): what will go out for a whole case on which day, assuming that nothing is paid and every proposal is approved."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from types import MappingProxyType

from bridge.policy.beside import company
from bridge.policy.channel import IN_HOUSE
from bridge.policy.compose import compose, unsendable
from bridge.policy.decide import decide_claim
from bridge.policy.distance import keep_apart
from bridge.policy.drafts import NoticeDraft
from bridge.policy.money import Reached
from bridge.policy.owed import sent_how
from bridge.policy.replanned import without_withdrawn
from bridge.policy.rules import AccountRules
from bridge.policy.situation import NO_FACTS
from bridge.policy.turns import facts_on
from bridge.policy.views import Abilities, AccountFacts, CaseView, ClaimView, Decision, Outcome

DAY = timedelta(days=1)
NEVER: Mapping[str, date] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Coming:
    """One notice that will go out on a date."""

    on: date
    draft: NoticeDraft


def coming(
    case: CaseView,
    rules: AccountRules,
    abilities: Abilities,
    start: date,
    until: date,
    *,
    facts: AccountFacts = NO_FACTS,
    asleep: Mapping[str, date] = NEVER,
) -> tuple[Coming, ...]:
    """Return the notices of `case` from `start` to `until`, both included, assuming no payment. See `play`."""
    return play(case, rules, abilities, start, until + DAY, facts=facts, asleep=asleep)[1]


def play(
    case: CaseView,
    rules: AccountRules,
    abilities: Abilities,
    start: date,
    end: date,
    *,
    facts: AccountFacts = NO_FACTS,
    asleep: Mapping[str, date] = NEVER,
) -> tuple[CaseView, tuple[Coming, ...]]:
    """Return the case as it stands on `end`, and its notices from `start` to before that day.

    Decisions, bundles and ways are those of a run on each of these days. Every notice counts as landed on its day. `facts` are what is
    true of the whole account on `start`: what they hold goes out on the day after at the earliest. `asleep` are invoices that no run
    looks at before a day, because a person refused what was proposed.
    """
    case = settled(without_withdrawn(case, rules, start, facts=facts), start)
    due = {claim.invoice_id: max(start, asleep.get(claim.invoice_id, start)) for claim in case.claims}
    found: list[Coming] = []
    day = min(due.values(), default=end)
    while day < end:
        asked = frozenset(own for own, on in due.items() if on <= day)
        decisions, told = turn(case, rules, abilities, day, asked, facts_on(rules, facts, start, day))
        going = [one for one in told if one.outcome is Outcome.ESCALATE and one.invoice_id in asked]
        drafts = compose(case, told, rules, abilities, day)
        found += [Coming(day, draft) for draft in drafts]
        last = {one.invoice_id: one for one in (*decisions, *told)}
        for own in asked:
            _set_next(due, last[own], day, sent=last[own] in going)
        case = _landed(case, going, drafts, day)
        day = min(due.values(), default=end)
    return case, tuple(found)


def turn(  # noqa: PLR0917  two call sites
    case: CaseView,
    rules: AccountRules,
    abilities: Abilities,
    day: date,
    asked: Collection[str],
    facts: AccountFacts,
) -> tuple[list[Decision], tuple[Decision, ...]]:
    """Return what a run on `day` decides about each of the claims `asked` by itself, and about the case as a whole.

    The second leaves out what no way of the account can send, and has what is said of other claims that a bundle asks after.
    """
    decisions = [decide_claim(case, one, rules, day, facts=facts) for one in case.claims if one.invoice_id in asked]
    held = unsendable(case, decisions, rules, abilities, day)
    others = company(case, decisions, rules, day, facts=facts)
    possible = [one for one in (*decisions, *others) if one.invoice_id not in held]
    return decisions, keep_apart(case, possible, rules, day)


def _set_next(due: dict[str, date], decision: Decision, day: date, *, sent: bool) -> None:
    if sent:
        due[decision.invoice_id] = day + DAY
    elif decision.next_on is None or decision.outcome is not Outcome.HOLD:
        due.pop(decision.invoice_id)
    else:
        due[decision.invoice_id] = max(decision.next_on, day + DAY)


def settled(case: CaseView, start: date) -> CaseView:
    """Return the case with every notice that is under way taken as landed; what only goes along in a bundle has its term, and raises no level."""
    claims, last = [], case.last_contact_on
    for claim in case.claims:
        running = claim.running
        if running is None:
            claims.append(claim)
            continue
        on = running.since or start
        if running.channel not in IN_HOUSE:
            last = on if last is None else max(last, on)
        if not running.level:  # it only goes along in a bundle
            claims.append(replace(claim, running=None, deadline=_later(claim.deadline, running.deadline)))
            continue
        claims.append(
            replace(
                claim,
                running=None,
                level=max(running.level, claim.level),
                level_on=on,
                level_name=running.level_name,
                repetition=running.repetition,
                deadline=running.deadline or claim.deadline,
                undelivered=False,
                resend=None,
            )
        )
    return replace(case, claims=tuple(claims), last_contact_on=last)


def _later(known: date | None, told: date | None) -> date | None:
    return max(filter(None, (known, told)), default=None)


def _landed(case: CaseView, going: Sequence[Decision], drafts: Sequence[NoticeDraft], day: date) -> CaseView:
    if not drafts:
        return case
    told = {one.invoice_id: one for one in going}
    deadlines = {claim.invoice_id: draft.deadline for draft in drafts if draft.deadline for claim in draft.claims}
    fees = {claim.invoice_id: claim for draft in drafts for claim in draft.claims}

    def after(claim: ClaimView) -> ClaimView:
        decision, one = told.get(claim.invoice_id), fees.get(claim.invoice_id)
        if one is None:
            return claim
        if decision is None:  # it only goes along in a bundle
            return replace(claim, deadline=_later(claim.deadline, deadlines.get(claim.invoice_id)))
        how, basis = sent_how(one.basis.via), one.basis
        reached = Reached(day, how, basis.deadline, basis.legal, basis.flat_fee, basis.asks.interest)
        return replace(
            claim,
            level=one.level,
            level_name=one.level_name,
            level_on=day,
            repetition=decision.repetition,
            deadline=deadlines.get(claim.invoice_id, claim.deadline),
            history=claim.history.after(reached, one.fee, one.level_name),
            next_level=None,
            next_variant=None,
            hand_over=None,
            undelivered=False,
            resend=None,
            resent=claim.resent + (claim.resend is not None) if one.level == claim.level else 0,
        )

    heard = any(draft.channel not in IN_HOUSE for draft in drafts)
    last = day if heard else case.last_contact_on
    return replace(case, claims=tuple(after(claim) for claim in case.claims), last_contact_on=last)
