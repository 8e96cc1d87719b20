"""Turns (Häufigkeit) of plans that are checked only every so many days: whether today is one, and when they were by a coming day."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

from bridge.policy.calendar import DAY
from bridge.policy.plan import EscalationPlan
from bridge.policy.rules import AccountRules
from bridge.policy.views import AccountFacts


def next_turn(plan: EscalationPlan, rules: AccountRules, last: date | None, today: date) -> date:
    """Return the first day from `today` on which `plan` is checked: begun, long enough after `last`, on one of its sending days."""
    bundling = plan.bundling
    on = today if bundling.start_on is None else max(today, bundling.start_on)
    if last is not None and bundling.every_days is not None:
        on = max(on, last + timedelta(days=bundling.every_days))
    weekdays: set[int] = set()
    for level in plan.levels:
        weekdays |= rules.office.weekdays if level.weekday_numbers is None else level.weekday_numbers
    return rules.office.sending_day(on, frozenset(weekdays), rules.calendar)


def due_turns(rules: AccountRules, known: Mapping[str, date], today: date) -> list[str]:
    """Return the plans with a frequency whose turn is today; `known` are their last turns."""
    return [
        name
        for name, plan in rules.plans.items()
        if plan.bundling.every_days is not None and next_turn(plan, rules, known.get(name), today) == today
    ]


def facts_on(rules: AccountRules, known: AccountFacts, start: date, day: date) -> AccountFacts:
    """Return the account's facts as a run on `day` finds them, if one runs on every day from `start` on, where they are `known`.

    The turns of plans go on. Stale data and suspended writing hold on `start` alone, a jump is taken as looked at and approved.
    """
    if day == start:
        return replace(known, approved=True)
    regular = {name: plan for name, plan in rules.plans.items() if plan.bundling.every_days is not None}
    if not regular:
        return AccountFacts()
    turns = dict(known.checked)
    for name, plan in regular.items():
        on = next_turn(plan, rules, turns.get(name), start)
        while on < day:
            turns[name] = on
            on = next_turn(plan, rules, on, on + DAY)
    return AccountFacts(checked=turns)
