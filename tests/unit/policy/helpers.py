"""Short ways to write plans, claims and rules in tests."""

from dataclasses import replace
from datetime import date, timedelta

from bridge.model import DebtorKind
from bridge.policy import AccountRules, CaseView, ClaimView, EscalationPlan, decide
from bridge.policy.calendar import Calendar
from bridge.policy.decide import decide_claim
from bridge.policy.money import Ancillary, AncillaryKind, DueSource, History, MoneyRules

TEXTS = {
    "de": {
        "subject": "{{ level_name }} {{ invoice_number }}",
        "body": "{{ greeting }} bitte {{ total }} bis {{ deadline }}.",
    },
    "en": {
        "subject": "{{ level_name }} {{ invoice_number }}",
        "body": "{{ greeting }} please {{ total }} by {{ deadline }}.",
    },
}


def level(number=1, **values):
    trigger = {
        key: values.pop(key) for key in ("after_due", "before_due", "after_issue", "after_previous") if key in values
    }
    base = {
        "name": {"de": f"Stufe {number}", "en": f"Level {number}"},
        "trigger": trigger or {"after_due": 7 * number},
        "automation": "send",
        "texts": TEXTS,
    }
    if "variants" not in values:
        base["channels"] = ["mail"]
    return {**base, **values}


def plan(*levels, name="plan", **values):
    return EscalationPlan.model_validate({"name": name, "levels": list(levels), **values})


def days(*triggers, **values):
    """A plan with one level for each number of days after the due date."""
    term = values.pop("term_days", 7)
    levels = (level(number, after_due=day, term_days=term) for number, day in enumerate(triggers, 1))
    return plan(*levels, **values)


def rules(*plans, **values):
    known = {one.name: one for one in plans}
    default = plans[0].name if plans else None
    values.setdefault("calendar", Calendar("DE", "NW"))
    return AccountRules(account="main", plans=known, default_plan=default, **values)


AGREED = MoneyRules(due_source=DueSource.CONTRACT)
"""Due dates are agreed, so that default begins on the day after."""

WITH_FEES = MoneyRules(due_source=DueSource.CONTRACT, unknown_kind=DebtorKind.BUSINESS)
"""The same, and everybody is a business, so that fees are asked for as planned."""


def charged(cents, on=date(2026, 9, 20)):
    """A history in which the bank charged something."""
    return History(ancillaries=(Ancillary(AncillaryKind.RETURN_CHARGE, cents, on),))


def claim(**values):
    """An open invoice of 100 EUR, sent, issued on 1 September 2026 and due on Tuesday, 15 September 2026."""
    base = {"number": f"RE-{values.get('invoice_id', '1')}", "issued_on": date(2026, 9, 1), "due_on": date(2026, 9, 15)}
    return ClaimView(**{"invoice_id": "1", "gross": 10000, "open": 10000, "sent": True, **base, **values})


def case(*claims, **values):
    base = {
        "account": "main",
        "debtor_id": "d",
        "name": "Muster GmbH",
        "number": "10017",
        "email": "rechnung@example.com",
    }
    return CaseView(**{**base, **values}, claims=claims or (claim(),))


def decided(one, its_rules, today, **more):
    """The decision about a single claim."""
    whole = more.pop("case", None) or case(one)
    return decide(replace(whole, claims=(one,)), its_rules, today, **more)[0]


def landed(whole, one, decision, its_rules, day):
    """The case and its claim after the notice of `decision` has landed on `day`."""
    level = its_rules.plans[decision.plan].level(decision.level)
    one = replace(
        one, level=decision.level, level_name=level.name_in("de"), level_on=day, repetition=decision.repetition,
        deadline=its_rules.calendar.working_day(day + timedelta(days=level.term_days)), next_level=None, next_variant=None,
    )  # fmt: skip
    return replace(whole, last_contact_on=day), one


def walk(one, its_rules, first, last, **more):
    """Play all days: each notice lands on its day. Return the days with level and repetition."""
    whole, events, day = case(one, **more), [], first
    while day <= last:
        decision = decide_claim(whole, one, its_rules, day)
        if decision.outcome == "escalate":
            whole, one = landed(whole, one, decision, its_rules, day)
            events.append((day.isoformat(), one.level, one.repetition))
        day = date.fromordinal(day.toordinal() + 1)
    return events
