"""Right before a call: the same holds once more, on what the provider just answered, and on what may have changed since."""

from collections.abc import Collection
from dataclasses import replace
from datetime import date
from typing import Protocol

from bridge.model import InvoiceStatus, NoticeStatus, ProviderNotice, Reason, Snapshot
from bridge.policy import words
from bridge.policy.build import case_view, claim_view, is_ours
from bridge.policy.channel import Via
from bridge.policy.holds import (
    HOLD_RULES,
    RECORD_RULES,
    after_cutoff,
    data_is_fresh,
    not_closed_here,
    too_near,
    was_delivered,
    writing_allowed,
)
from bridge.policy.owed import owed
from bridge.policy.places import calendar_at
from bridge.policy.recipients import folded, postal_address
from bridge.policy.replanned import Planned, replanned
from bridge.policy.rules import AccountRules
from bridge.policy.situation import Rule, Situation, effective_due
from bridge.policy.views import Basis, CaseView, ClaimView, Hold, LocalView


class Mention(Protocol):
    """What a notice says of an invoice that it does not ask for: its amount in cents, after so much of the debtor's free credit notes."""

    @property
    def why(self) -> str: ...
    @property
    def demand(self) -> int: ...
    @property
    def credits(self) -> int: ...
    @property
    def currency(self) -> str: ...


_RULES: tuple[Rule, ...] = (
    *RECORD_RULES,
    not_closed_here,
    after_cutoff,
    *HOLD_RULES,
    was_delivered,
    data_is_fresh,
    writing_allowed,
)


def recheck(basis: Basis, snapshot: Snapshot, local: LocalView, rules: AccountRules, today: date) -> Hold | None:
    """Return why this claim must not be written to right now, or None.

    Called right before every create, amend, complete and send, with the provider's answer to a look. Everything is judged by that
    answer: paid, cancelled, credited, blocked, direct debit under way, amount or recipient changed, a reminder that is not ours. An
    answer that shows no invoice cannot be judged: `unreadable`. Its `payments_as_of` is local time of the account.
    `basis.own_reminders` names the records that this notice made itself; those are not foreign.
    """
    if not snapshot.found:
        return _hold(Reason.GONE, {})
    if snapshot.invoice is None:
        return _hold(Reason.UNREADABLE, {})
    claim = claim_view(
        snapshot.invoice,
        related=snapshot.related,
        payments=snapshot.payments,
        blocks=local.blocks,
        shared_credits=basis.credits,
        include=local.include,
        closed=local.closed,
        history=local.history,
        round=local.round,
        level=local.level,
        level_name=local.level_name,
        plan=local.plan,
        undelivered=local.undelivered and local.level != basis.level,  # the level's other channel may still go out
        mail_to=local.mail_to,
        post_to=local.post_to,
    )
    if local.returned and not claim.returned:
        claim = replace(claim, returned=True)
    case = case_view(
        rules.account,
        snapshot.debtor,
        snapshot.invoice.debtor_id or "",
        blocks=local.customer_blocks,
        include=local.customer_include,
        plan=local.customer_plan,
    )
    facts = local.facts
    if snapshot.payments_as_of is not None:
        facts = replace(facts, payments_as_of=snapshot.payments_as_of.date())
    situation = Situation(case, claim, rules, today, facts)
    for rule in _RULES:
        verdict = rule(situation)
        if verdict is not None:
            return _hold(verdict.reason, verdict.facts)
    return (
        _changed(basis, situation, local)
        or _replanned(basis, situation, local)
        or _foreign(basis, snapshot, local.astray)
    )


def recheck_mention(mention: Mention, snapshot: Snapshot, rules: AccountRules, today: date) -> Hold | None:
    """Return why an invoice can no longer be mentioned as it is in the text, judged by the provider's answer to a look, or None.

    It is not asked for, but its amount and that it is not yet due are said to the debtor.
    """
    invoice = snapshot.invoice
    if snapshot.found and invoice is None:
        return _hold(Reason.UNREADABLE, {})
    if invoice is not None and invoice.status is InvoiceStatus.OPEN:
        claim = claim_view(invoice, related=snapshot.related, shared_credits=mention.credits)
        home = snapshot.debtor.address if snapshot.debtor else None
        due = effective_due(claim, calendar_at(claim.address or home, rules))
        late = mention.why == Reason.NOT_DUE and (due is None or today > due)
        if claim.demand == mention.demand and claim.currency == mention.currency and not late:
            return None
    return _hold(Reason.CHANGED, {"what": "mention"})


def _hold(reason: Reason, facts: dict[str, object]) -> Hold:
    until = facts.get("until")
    return Hold(reason, words.told(reason, facts), until if isinstance(until, date) else None)


def _changed(basis: Basis, situation: Situation, local: LocalView) -> Hold | None:
    case, claim, today = situation.case, situation.claim, situation.today
    what = ""
    if (
        claim.currency != basis.currency
        or claim.demand != basis.demand
        or (basis.total is not None and _total(basis, situation, local) != basis.total)
    ):
        what = "amount"
    elif local.round != basis.round or local.level not in (basis.from_level, basis.level):
        what = "level"
    elif _other_debtor(case, local) or _other_recipient(basis, case, claim):
        what = "recipient"
    elif basis.deadline is not None and too_near(basis.deadline, basis.decided_on, today):
        what = "deadline"
    return _hold(Reason.CHANGED, {"what": what}) if what else None


def _replanned(basis: Basis, situation: Situation, local: LocalView) -> Hold | None:
    settled = (
        local.settled or local.level == basis.level
    )  # the level's first channel has gone out: the other one follows
    verdict = replanned(Planned(basis.plan, basis.plan_version, settled), situation)
    return _hold(verdict.reason, verdict.facts) if verdict else None


def _total(basis: Basis, situation: Situation, local: LocalView) -> int:
    """Return what the notice would ask for by what is known now, with interest up to the day that it names: not a day more."""
    case = situation.case
    if local.debtor is not None:  # a look does not always show the customer
        case = replace(case, kind=local.debtor.kind, address=local.debtor.address)
    found = owed(case, situation.claim, situation.rules, basis.decided_on, basis.asks)
    return found.account.total


def _other_debtor(case: CaseView, local: LocalView) -> bool:
    """Return whether the invoice was moved to another customer: what people chose, and how they are greeted, was for the one before."""
    return bool(case.debtor_id and local.debtor_id) and case.debtor_id != local.debtor_id


def _other_recipient(basis: Basis, case: CaseView, claim: ClaimView) -> bool:
    if not basis.recipient:
        return False
    posted = basis.via in (Via.LETTER, Via.PROVIDER_POST)
    chosen = folded(claim.post_to) if posted else ", ".join(claim.mail_to)
    if chosen or basis.chosen:
        return chosen != basis.recipient
    if posted:
        address = postal_address(case, claim)
        return address is not None and folded(address) != basis.main
    main = claim.email or case.email
    if main is None and not case.name:
        return False  # the look brought neither the debtor nor an address of the invoice
    known = {main, *(contact.email for contact in case.contacts)}
    return (main or "") != basis.main or not known.issuperset(basis.recipient.split(", "))


def _foreign(basis: Basis, snapshot: Snapshot, astray: Collection[str]) -> Hold | None:
    """Return the hold for a reminder that somebody else made or sent, also one of ours that went astray."""
    for notice in snapshot.notices:
        if notice.status is NoticeStatus.CANCELLED or notice.id in basis.own_reminders:
            continue
        if _our_leftover(notice, basis):
            return _hold(Reason.OWN_DRAFT_LEFT, {"id": notice.id})
        if notice.id in basis.known_reminders or (is_ours(notice, ()) and notice.id not in astray):
            continue
        return _hold(Reason.FOREIGN_REMINDER_RUNNING, {"id": notice.id, "state": notice.status.value})
    return None


def _our_leftover(notice: ProviderNotice, basis: Basis) -> bool:
    """Return whether this is a draft of an earlier notice of ours, beside which no second one may stand."""
    ours = is_ours(notice, basis.known_reminders)
    return ours and notice.status is NoticeStatus.DRAFT and not notice.superseded
