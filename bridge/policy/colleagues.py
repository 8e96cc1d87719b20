"""Our own people of a customer (Kundenbetreuung): named by a person here, by the provider, or by the configuration."""

import re

from bridge.errors import Wrong
from bridge.model import Colleague, Finding, Severity
from bridge.policy.plan import DunningLevel, EscalationPlan
from bridge.policy.rules import AccountRules, Caretaker
from bridge.policy.views import CaseView
from bridge.words import Sentence

_WRITTEN = re.compile(r"(\*?)(?:([^<>;*@\x00-\x1f\x7f]{1,100}?)\s*<)?([^@\s,;<>*]+@[^@\s,;<>]+\.[^@\s,;<>]+)>?")
_LONGEST = 400
"""Signs of name and address together; asked first, as more would take the square of their number to read."""


def colleague_of(text: str) -> Colleague:
    """Return one of our own people as a person wrote them: an address, or `Name <address>`; with `*` before it the account owner.

    Raises `ValueError` where it is none.
    """
    found = _WRITTEN.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    if found is None or ("<" in text) is not text.strip().endswith(">"):
        raise Wrong(
            "{text!r} is nobody to write to; write lena@example.com or 'Lena Vogt <lena@example.com>'", text=text
        )
    star, name, email = found.groups()
    return Colleague(email=email, name=(name or "").strip(), sales_rep=bool(star))


def written(one: Colleague) -> str:
    """Return somebody as `colleague_of` reads them."""
    return ("*" if one.sales_rep else "") + (f"{one.name} <{one.email}>" if one.name else one.email)


def colleagues_of(case: CaseView, rules: AccountRules) -> tuple[Colleague, ...]:
    """Return who looks after this customer, nobody twice, the account owner (a sales representative, if there is one) first."""
    if not (case.colleagues or rules.caretakers):
        return ()
    named = [*case.colleagues, *(one.colleague for one in rules.caretakers if _looks_after(one, case))]
    found: dict[str, Colleague] = {}
    for one in named:
        found.setdefault(one.email.casefold(), one)
    return tuple(sorted(found.values(), key=lambda one: not one.sales_rep))


def account_owner(case: CaseView, rules: AccountRules) -> Colleague | None:
    """Return whose customer this is, or None where nobody is named."""
    return next(iter(colleagues_of(case, rules)), None)


def copies(case: CaseView, level: DunningLevel, rules: AccountRules) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the open and the hidden copies of a mail that this level sends to our own people."""
    cc: list[str] = []
    bcc: list[str] = []
    wanted = {True: level.recipients.sales_rep, False: level.recipients.colleagues}
    for one in colleagues_of(case, rules) if any(wanted.values()) else ():
        how = wanted[one.sales_rep] or wanted[False]
        if how is not None:
            (cc if how == "cc" else bcc).append(one.email)
    return tuple(cc), tuple(bcc)


def people_fit(plan: EscalationPlan, rules: AccountRules) -> tuple[Finding, ...]:
    """Return a warning where levels tell or copy colleagues and the configuration names none: sevDesk, Billomat and lists name none either."""
    asking = [position for position, level in enumerate(plan.levels, start=1) if _asks_colleagues(level)]
    if not asking or rules.caretakers:
        return ()
    text = Sentence(
        "plan {plan}, levels {positions}: colleagues are told or get a copy, and the configuration names none; list them in colleagues:, or for one customer with `mahnbridge case colleagues`",
        plan=plan.name,
        positions=asking,
    )
    return (Finding(severity=Severity.WARNING, code="plan_colleagues", text=text),)


def _asks_colleagues(level: DunningLevel) -> bool:
    rule = level.recipients
    return level.internal_notice is not None or rule.sales_rep is not None or rule.colleagues is not None


def _looks_after(one: Caretaker, case: CaseView) -> bool:
    if one.customers and one.customers.isdisjoint((case.debtor_id, case.number or "")):
        return False
    return not one.tags or not one.tags.isdisjoint(case.tags)
