"""What is left of a claim whose principal is paid: fees, flat fee and interest that were asked for, where they are kept.

A person decides on it; no letter asks for it. Right before a call the provider says whether an invoice may be reminded of, and it says
of this one that it is paid.
"""

from datetime import date

from bridge.policy import texts
from bridge.policy.money import ClaimAccount, words
from bridge.policy.owed import EVERYTHING, owed
from bridge.policy.rules import AccountRules
from bridge.policy.views import CaseView, ClaimView
from bridge.words import Sentence, both

KIND = "ancillaries"
"""Kind of the task."""


def left_over(case: CaseView, claim: ClaimView, rules: AccountRules, today: date) -> ClaimAccount | None:
    """Return the account of a claim of which something stays open beside a paid principal; None where none of it was ever asked for.

    Where ancillary claims are not kept (`claims.keep_ancillaries`), or a person waived them, nothing stays.
    """
    past = claim.history
    asked = past.ancillaries or any(one.interest or one.flat_fee for one in past.reached)
    if not rules.money.keep_ancillaries or not asked:
        return None
    account = owed(case, claim, rules, today, EVERYTHING).account
    return account if account.total > rules.tolerance and account.total >= rules.minimum else None


def task_text(account: ClaimAccount) -> tuple[Sentence, Sentence]:
    """Return title and note of the task that a person gets: the sum, what it is made of, and what can be done about it."""
    (title, note), (english_title, english_note) = _text(account, "de"), _text(account, "en")
    return both(title, english_title), both(note, english_note)


def _text(account: ClaimAccount, language: str) -> tuple[str, str]:
    number = account.number

    def money(cents: int) -> str:
        return texts.money(cents, account.currency, language)

    parts = words.parts(account, language)
    settled = sum(parts.values()) - account.total
    told = ", ".join(f"{name} {money(cents)}" for name, cents in parts.items())
    on = texts.day(account.on, language)
    if language == "de":
        less = f", davon bezahlt {money(settled)}" if settled else ""
        paid = "Die Hauptforderung ist bezahlt, von selbst geht nichts mehr hinaus"
        ways = f"selbst anfordern (`mahnbridge claim {number}`) oder verzichten (`mahnbridge case waive {number} --note ...`)"
        return f"Nebenforderungen offen: {number}, {money(account.total)}", f"Stand {on}: {told}{less}. {paid}: {ways}."
    less = f", of which {money(settled)} is paid" if settled else ""
    paid = "The principal is paid, and nothing more goes out by itself"
    ways = (
        f"ask for it yourself (`mahnbridge claim {number}`) or waive it (`mahnbridge case waive {number} --note ...`)"
    )
    return f"Ancillary claims open: {number}, {money(account.total)}", f"As of {on}: {told}{less}. {paid}: {ways}."
