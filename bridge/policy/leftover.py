"""What is left of a claim whose principal is paid: fees, flat fee and interest that were asked for, where they are kept."""

from datetime import date

from bridge.policy import texts
from bridge.policy.owed import EVERYTHING, owed
from bridge.policy.rules import AccountRules
from bridge.policy.views import CaseView, ClaimView

KIND = "ancillaries"
"""Kind of the task."""


def left_over(case: CaseView, claim: ClaimView, rules: AccountRules, today: date) -> int:
    """Return, in cents, what stays open beside a paid principal; nothing where none of it was ever asked for.

    Where ancillary claims are not kept (`claims.keep_ancillaries`), or a person waived them, nothing stays.
    """
    past = claim.history
    asked = past.ancillaries or any(one.interest or one.flat_fee for one in past.reached)
    if not rules.money.keep_ancillaries or not asked:
        return 0
    left = owed(case, claim, rules, today, EVERYTHING).account.total
    return left if left > rules.tolerance and left >= rules.minimum else 0


def task_text(claim: ClaimView, left: int, language: str) -> tuple[str, str]:
    """Return title and note of the task that a person gets: no reminder goes out for such a rest by itself."""
    number = claim.number or claim.invoice_id
    sum_ = texts.money(left, claim.currency, language)
    if language == "de":
        paid = "Die Hauptforderung ist bezahlt, von selbst geht nichts mehr hinaus"
        ways = f"selbst anfordern (`mahnbridge claim {number}`) oder verzichten (`mahnbridge case waive {number}`)"
        return f"Nebenforderungen offen: {number}, {sum_}", f"{paid}: {ways}."
    paid = "The principal is paid, and nothing more goes out by itself"
    ways = f"ask for it yourself (`mahnbridge claim {number}`) or waive it (`mahnbridge case waive {number}`)"
    return f"Ancillary claims open: {number}, {sum_}", f"{paid}: {ways}."
