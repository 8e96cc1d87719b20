"""Decisions per second over snapshots in memory, against a minimal loop over the same: `python -m tests.bench.deciding [COUNT]`.

The minimal loop is what one would write in an afternoon: slotted dataclasses, one function, the same plan of four levels and the same
holidays, an outcome with its reason and the next date for each invoice. It knows no adoption, no bundles, no company holidays, no place of
the debtor, no recipients, and explains nothing. Both must say the same, or nothing is told. Best of several, alternating, on one core.
"""

import gc
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

import holidays

from bridge.model import Address, InvoiceStatus, Reason
from bridge.policy import AccountRules, Block, CaseView, ClaimView, EscalationPlan, decide
from bridge.policy.calendar import Calendar
from tests.bench.measure import table

TODAY = date(2026, 11, 16)
DAY = timedelta(days=1)
INTERVAL = 7
AGES = (3, 14, 28, 42)
TERM = 7
RUNS = 7


def plan():
    """The plan of four levels."""
    texts = {"de": {"subject": "{{ level_name }}", "body": "{{ total }} bis {{ deadline }}"}}
    levels = [
        {"name": f"Stufe {n}", "trigger": {"after_due": age}, "term_days": TERM, "automation": "send",
         "channels": ["mail"], "texts": texts}
        for n, age in enumerate(AGES, 1)
    ]  # fmt: skip
    return EscalationPlan.model_validate({"name": "four", "levels": levels})


@dataclass(slots=True)
class Level:
    """A level as the minimal loop has it; days after the due date."""

    name: str
    after_due: int
    weekdays: tuple[int, ...]
    by_mail: bool


@dataclass(slots=True)
class Plan:
    """A plan as the minimal loop has it."""

    name: str
    levels: tuple[Level, ...]
    interval: int


@dataclass(slots=True)
class Claim:
    """An invoice as the minimal loop has it."""

    id: str
    status: str
    due: date
    open: int
    level: int
    level_on: date | None
    deadline: date | None
    last_contact: date | None
    blocked: bool
    email: str | None


@dataclass(slots=True)
class Said:
    """What the minimal loop says about an invoice."""

    id: str
    outcome: str
    reason: str
    plan: str
    level: int | None = None
    next_on: date | None = None


def minimal(claims, plan, days_off, today):
    """Decide on all claims."""
    said = []
    for one in claims:
        if one.status == "paid":
            said.append(Said(one.id, "close", "paid", plan.name))
            continue
        due = one.due
        while due.weekday() > 4 or due in days_off:
            due += DAY
        if today <= due:
            said.append(Said(one.id, "hold", "not_due", plan.name, next_on=due + DAY))
            continue
        if one.blocked:
            said.append(Said(one.id, "hold", "dispute", plan.name))
            continue
        if one.open <= 0:
            said.append(Said(one.id, "hold", "balance_not_positive", plan.name))
            continue
        if one.level >= len(plan.levels):
            said.append(Said(one.id, "hold", "plan_complete", plan.name))
            continue
        level = plan.levels[one.level]
        reason, on = "level_age", due + timedelta(days=level.after_due)
        if one.deadline is not None and one.deadline >= on:
            reason, on = "deadline_running", one.deadline + DAY
        if one.last_contact is not None:
            earliest = one.last_contact + timedelta(days=plan.interval)
            if earliest > on:
                reason, on = "minimum_interval", earliest
        if on > today:
            while on.weekday() not in level.weekdays or on in days_off:
                on += DAY
            said.append(Said(one.id, "hold", reason, plan.name, one.level + 1, on))
        elif level.by_mail and one.email is None:
            said.append(Said(one.id, "hold", "no_recipient", plan.name, one.level + 1))
        elif today.weekday() not in level.weekdays or today in days_off:
            said.append(Said(one.id, "hold", "not_working_day", plan.name, one.level + 1))
        else:
            said.append(Said(one.id, "escalate", "level_due", plan.name, one.level + 1))
    return said


def invoices(count):
    """Return the same invoices twice: as the policy sees them, one case for each debtor, and as the minimal loop does."""
    dice = random.Random(1)
    cases, claims = [], []
    while len(claims) < count:
        views = []
        debtor = f"d{len(cases)}"
        email = None if dice.random() < 0.02 else f"{debtor}@example.com"
        last = None
        for _ in range(dice.choice((1, 1, 2, 4))):
            due = TODAY - timedelta(days=dice.randrange(-20, 90))
            late = (TODAY - due).days
            level = min(sum(late >= age for age in AGES), dice.randrange(5))
            level_on = TODAY - timedelta(days=dice.randrange(30)) if level else None
            deadline = level_on + timedelta(days=TERM) if level_on else None
            last = max(filter(None, (last, level_on)), default=None)
            paid, blocked = dice.random() < 0.05, dice.random() < 0.05
            blocks = (Block(Reason.DISPUTE),) if blocked else ()
            name, amount = f"{len(claims)}", dice.randrange(500, 500_000)
            views.append(
                ClaimView(
                    name, f"RE-{name}", status=InvoiceStatus.PAID if paid else InvoiceStatus.OPEN, issued_on=due - timedelta(days=14),
                    due_on=due, gross=amount, open=amount, sent=True, level=level, level_on=level_on,
                    deadline=deadline, blocks=blocks,
                )
            )  # fmt: skip
            claims.append(
                Claim(name, "paid" if paid else "open", due, amount, level, level_on, deadline, None, blocked, email)
            )
        for one in claims[-len(views) :]:
            one.last_contact = last
        home = Address(lines=("Kunde",), street="Weg 1", postcode="50667", city="Köln")
        made = {"name": "Kunde", "email": email, "address": home, "last_contact_on": last}
        cases.append(CaseView("a", debtor, claims=tuple(views), **made))
    return cases, claims


def measured(work):
    """Return the seconds that `work` took on this core, without collecting garbage in between (as timeit does), and its result."""
    gc.collect()
    gc.disable()
    began = time.process_time()
    result = work()
    seconds = time.process_time() - began
    gc.enable()
    return seconds, result


def main(count):
    """Print the table."""
    made = plan()
    rules = AccountRules("a", {made.name: made}, made.name, calendar=Calendar("DE", "NW"))
    days_off = frozenset(holidays.country_holidays("DE", subdiv="NW", years=range(2025, 2029)))
    simple = Plan(
        "four",
        tuple(Level(f"Stufe {n}", age, (0, 1, 2, 3, 4), by_mail=True) for n, age in enumerate(AGES, 1)),
        INTERVAL,
    )
    cases, claims = invoices(count)
    ours, theirs = [], []
    for _ in range(RUNS):
        seconds, decisions = measured(lambda: [one for case in cases for one in decide(case, rules, TODAY)])
        ours.append(seconds)
        seconds, said = measured(lambda: minimal(claims, simple, days_off, TODAY))
        theirs.append(seconds)
    told = [(one.invoice_id, one.outcome.value, one.reason.value) for one in decisions]
    different = [
        pair for pair in zip(told, said, strict=True) if pair[0] != (pair[1].id, pair[1].outcome, pair[1].reason)
    ]
    assert not different, different[:5]
    print("Decisions over snapshots in memory, best of", RUNS, "(goal: at most 4 times the minimal loop's time)")
    print(", ".join(f"{name} {number}" for name, number in Counter(one[2] for one in told).most_common()))
    fast, least = min(ours), min(theirs)
    table(
        ("", "decisions", "per second", "ratio"),
        [("minimal loop", len(said), len(said) / least, 1.0), ("policy", len(told), len(told) / fast, fast / least)],
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
