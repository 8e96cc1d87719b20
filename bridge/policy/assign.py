"""Assignment (Zuordnung): which plan for which claim; the most specific one wins, and says why."""

from bridge.policy.rules import NO_PLAN, AccountRules, Assigned, Assignment
from bridge.policy.views import CaseView, ClaimView

_NAMES = ("customers", "tags", "terms_days", "countries", "languages", "kinds")

PREPAID = "prepayment"
"""Where the plan of a claim that is paid in advance comes from."""


def assign(case: CaseView, claim: ClaimView, rules: AccountRules) -> Assigned:
    """Return the plan of `claim`: chosen for the invoice, for the customer, by the most specific assignment, for the account.

    What is paid in advance has the plan of prepayments, or none, unless a person chose a plan or included it. Of two assignments that are equally specific, the one written first wins.
    """
    if claim.plan is not None:
        return rules.assigned(claim.plan, "invoice")
    if case.plan is not None:
        return rules.assigned(case.plan, "customer")
    if not rules.excludes_nobody and "include" not in (claim.include, case.include) and is_prepaid(case, claim, rules):
        return rules.assigned(rules.prepayment.plan or NO_PLAN, PREPAID)
    if rules.assignments:
        best = max(
            (one for one in rules.assignments if _fits(one, case, claim)),
            key=_weight,
            default=None,  # max() keeps the first of equals
        )
        if best is not None:
            return rules.assigned(best.plan, _conditions(best), best.where)
    return rules.of_account


def is_prepaid(case: CaseView, claim: ClaimView, rules: AccountRules) -> bool:
    """Return whether this is a prepayment or a shop order, by the marks that the configuration names."""
    marks = rules.prepayment
    if marks.tags and not (marks.tags.isdisjoint(claim.tags) and marks.tags.isdisjoint(case.tags)):
        return True
    if marks.methods and claim.payment_method is not None and claim.payment_method.casefold() in marks.methods:
        return True
    return bool(marks.terms_days) and term_of(case, claim) in marks.terms_days


def term_of(case: CaseView, claim: ClaimView) -> int | None:
    """Return the payment term in days: the invoice's, else the customer's."""
    return claim.payment_term_days if claim.payment_term_days is not None else case.payment_term_days


def reachable(rules: AccountRules) -> frozenset[str]:
    """Return the names of the plans that assignments or the account give to some claim.

    An assignment without conditions of its own holds for every claim of the account: it replaces the account's plan, and others
    without conditions behind it.
    """
    whole = next((one.plan for one in rules.assignments if not any(_weight(one))), rules.default_plan)
    special = {one.plan for one in rules.assignments if any(_weight(one))}
    if rules.prepayment.plan:
        special.add(rules.prepayment.plan)
    return frozenset(special | {whole} if whole else special)


def _fits(one: Assignment, case: CaseView, claim: ClaimView) -> bool:
    if one.customers and case.debtor_id not in one.customers and case.number not in one.customers:
        return False
    if one.tags and one.tags.isdisjoint(case.tags) and one.tags.isdisjoint(claim.tags):
        return False
    if one.terms_days and term_of(case, claim) not in one.terms_days:
        return False
    country = case.address.country if case.address else None
    if one.countries and country not in one.countries:
        return False
    if one.languages and (claim.language or case.language) not in one.languages:
        return False
    if one.kinds and case.kind.value not in one.kinds:
        return False
    if one.gross_from is not None and claim.gross < one.gross_from:
        return False
    return one.gross_below is None or claim.gross < one.gross_below


def _weight(one: Assignment) -> tuple[bool, ...]:
    """Return how specific an assignment is: the first condition outweighs all that come after it, the amount comes fourth."""
    given = [bool(getattr(one, name)) for name in _NAMES]
    return (*given[:3], _by_amount(one), *given[3:])


def _by_amount(one: Assignment) -> bool:
    return one.gross_from is not None or one.gross_below is not None


def _conditions(one: Assignment) -> str:
    names = [name for name in _NAMES if getattr(one, name)]
    if _by_amount(one):
        names.append("amount")
    return ", ".join(names) or "account"
