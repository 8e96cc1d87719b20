"""Lint (Planprüfung): what a valid plan says and will hardly do, found by playing it over invented invoices."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from bridge.model import Severity
from bridge.policy.channel import Via
from bridge.policy.explain import forecast
from bridge.policy.plan import DunningLevel, EscalationPlan
from bridge.policy.rules import AccountRules
from bridge.policy.trigger import Start
from bridge.policy.views import CaseView, ClaimView
from bridge.policy.wording import Text

TERMS = (0, 7, 14, 30)
"""Payment terms of the invented invoices, in days."""

FIRST = date(2026, 3, 2)
"""A Monday; the invented invoices are issued on the days of its week."""

SLACK = 5
"""Days by which weekends alone may move a level."""


_ANYTHING = Text(subject="-", body="-")


@dataclass(frozen=True, slots=True)
class Weakness:
    """One finding about a plan; `levels` are positions from 1, `facts` fill the words of `code`."""

    severity: Severity
    code: str
    levels: tuple[int, ...]
    facts: tuple[tuple[str, str | int], ...] = ()


def lint(plan: EscalationPlan, interval: int = 7) -> tuple[Weakness, ...]:
    """Return levels that never come, come together or later than written, and texts that are missing.

    `interval` is the minimum interval where the plan has none of its own.
    """
    return (*_played(plan, interval), *_languages(plan), *_fees(plan), *_unused(plan))


def _played(plan: EscalationPlan, interval: int) -> Iterator[Weakness]:
    runs = [days_of(plan, term, weekday, interval) for term in TERMS for weekday in range(5)]
    for position, level in enumerate(plan.levels, start=1):
        came = [run[position] for run in runs if position in run]
        if not came:
            yield Weakness(Severity.ERROR, "never", (position,))
            continue
        if position == 1:
            continue
        if any(
            _possible(level, run, position) <= run[position - 1] for run in runs if {position, position - 1} <= set(run)
        ):
            yield Weakness(Severity.WARNING, "together", (position - 1, position))
        elif level.trigger.start is Start.AFTER_DUE:
            late = min(came) - level.trigger.days - level.grace_days
            if late > SLACK:
                facts = (("written", level.trigger.days + level.grace_days), ("real", min(came)))
                yield Weakness(Severity.WARNING, "later", (position,), facts)


def _possible(level: DunningLevel, run: dict[int, int], position: int) -> int:
    """Return the day, counted from the due date, on which a level may go out by its trigger alone."""
    days = level.trigger.days + level.grace_days
    if level.trigger.start is Start.BEFORE_DUE:
        return -days
    if level.trigger.start is Start.AFTER_PREVIOUS:
        return run[position - 1] + days
    return days - (run[0] if level.trigger.start is Start.AFTER_ISSUE else 0)


def days_of(plan: EscalationPlan, term: int, weekday: int = 0, interval: int = 7) -> dict[int, int]:
    """Return the day, counted from the due date, on which each level would go out for an invented invoice; 0: its payment term."""
    issued = FIRST + timedelta(days=weekday)
    due = issued + timedelta(days=term)
    claim = ClaimView(
        invoice_id="1", issued_on=issued, due_on=due, payment_term_days=term, gross=100_00, open=100_00, sent=True
    )
    case = CaseView(account="-", debtor_id="-", email="-@example.com", claims=(claim,))
    plain = plan.model_copy(update={"levels": tuple(_mailed(level) for level in plan.levels)})
    rules = AccountRules(account="-", plans={plan.name: plain}, default_plan=plan.name, minimum_interval_days=interval)
    found = {0: term}
    for event in forecast(case, claim, rules, issued, until=issued + timedelta(days=term + 1500)):
        found.setdefault(event.level, (event.on - due).days)
    return found


def _mailed(level: DunningLevel) -> DunningLevel:
    """Return the level as one that reaches everybody: whom it reaches is no question of the plan's days."""
    variants = (level.standard.model_copy(update={"channels": (Via.MAIL,), "texts": {}}),)
    plain = {"call_task": None, "internal_notice": None, "collection": False, "texts": {"de": _ANYTHING}}
    return level.model_copy(update={"variants": variants, **plain})


def _languages(plan: EscalationPlan) -> Iterator[Weakness]:
    every = sorted({language for level in plan.levels for language in level.texts if len(language) == 2})
    for language in every:
        missing = tuple(
            position
            for position, level in enumerate(plan.levels, start=1)
            if level.writes and language not in level.texts
        )
        if missing:
            yield Weakness(Severity.WARNING, "no_text", missing, (("language", language),))


def _fees(plan: EscalationPlan) -> Iterator[Weakness]:
    for position, level in enumerate(plan.levels, start=1):
        if level.fee:
            silent = sorted(
                name for name, text in _wordings(level) if "fee" not in text.body and "claims" not in text.body
            )
            if silent:
                yield Weakness(Severity.WARNING, "fee_not_named", (position,), (("language", ", ".join(silent)),))


def _wordings(level: DunningLevel) -> Iterator[tuple[str, Text]]:
    """Yield every text with the name of its place: `de`, `letter de`, `de post`."""
    given = [(language, text) for language, text in level.texts.items()]
    given += [(f"{one.name} {language}", text) for one in level.variants for language, text in one.texts.items()]
    for place, text in given:
        yield place, text
        for word, mailed in (("email", True), ("post", False)):
            if (said := text.by(mailed=mailed)) is not text:
                yield f"{place} {word}", said


def _unused(plan: EscalationPlan) -> Iterator[Weakness]:
    """Yield words for mails where nothing goes by mail; a letter can always take the place of a mail that has no address."""
    for position, level in enumerate(plan.levels, start=1):
        written = [(variant.texts, (variant,)) for variant in level.variants] + [(level.texts, level.variants)]
        for given, variants in written:
            mailed = any(via.mailed for variant in variants for via in variant.channels)
            unused = sorted(language for language, text in given.items() if text.email is not None and not mailed)
            if unused:
                yield Weakness(Severity.WARNING, "no_mail", (position,), (("language", ", ".join(unused)),))
