"""Refused: what a person turned down is not proposed again as long as it would say the same, whatever wakes its invoices.

A refusal binds to what the person saw: debtor, claims with their rounds, levels and open amounts, fees and other ancillary claims, the
recipient, and what the plan says of that level. Interest that grows and days that pass change none of it. It ends where one of these
changes, where a person chooses the level, or where half of the term that was given has passed.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from shlex import quote
from typing import Any, NamedTuple

from sqlalchemy.engine import Connection

from bridge.errors import UsageError
from bridge.model import Content, Reason
from bridge.policy import ClaimDraft, Decision, EscalationPlan, NoticeDraft, Outcome, Via
from bridge.policy.build import amount
from bridge.policy.holds import outdated_on
from bridge.policy.views import Basis
from bridge.store import Store
from bridge.store.records import Notice

_WHEN = {"automation", "trigger", "grace_days", "weekdays", "time", "until", "repeat"}
"""What a plan says about the days of a level and who decides on it; the notice itself does not say it."""

Refusals = Mapping[str, Sequence["Refusal"]]
"""By invoice, what people refused about it last, once for each channel."""


class Refusal(NamedTuple):
    """One notice that a person refused, and what its plan said of its level then; None where that is not kept."""

    notice: Notice
    level: Mapping[str, Any] | None

    @property
    def again_on(self) -> date | None:
        """Return the local date from which it is proposed again all the same; None: only once something in it changes."""
        deadline, basis = self.notice.deadline, Basis.from_json(self.notice.claims[0].basis)
        return None if deadline is None else outdated_on(deadline, basis.decided_on, basis.decided_on)

    def holds(self, draft: NoticeDraft, plan: EscalationPlan, today: date) -> bool:
        """Return whether `draft` only says again what was refused."""
        known, again = self.notice, self.again_on
        if again is not None and today >= again:
            return False
        if _about(draft) != _about(known) or _claims_of(draft) != _claims_in(known):
            return False
        if _beside_interest(draft.content, amount(draft.total)) != _beside_interest(known.content, known.total):
            return False
        same = (draft.plan, draft.plan_version) == (known.plan, known.plan_version)
        return same or (draft.plan == known.plan and self.level in (None, _level(plan, draft.level)))


def refusals(store: Store, conn: Connection, account: str, invoices: Collection[str]) -> Refusals:
    """Return what people refused about these invoices, as far as nothing newer came about the same claims."""
    found: dict[str, list[Refusal]] = {}
    for one in store.outbox.refused(conn, account, invoices):
        refusal = Refusal(one, _kept_level(store, conn, one))
        for claim in one.claims:
            found.setdefault(claim.invoice_id, []).append(refusal)
    return found


def without_refused(
    decisions: tuple[Decision, ...],
    drafts: Sequence[NoticeDraft],
    known: Refusals,
    plans: Mapping[str, EscalationPlan],
    today: date,
) -> tuple[tuple[Decision, ...], tuple[NoticeDraft, ...]]:
    """Return decisions and notices without what a person refused: its claims are held, with who refused it and until when."""
    chosen = {one.invoice_id for one in decisions if one.chosen_by or one.variant is not None}
    kept: list[NoticeDraft] = []
    held: dict[str, tuple[Refusal, str]] = {}
    for draft in drafts:
        asked = [claim.invoice_id for claim in draft.claims if claim.level]
        told = (one for invoice in asked for one in known.get(invoice, ()))
        found = None
        if chosen.isdisjoint(asked):
            found = next((one for one in told if one.holds(draft, plans[draft.plan], today)), None)
        if found is None:
            kept.append(draft)
        else:
            held.update((one.invoice_id, (found, _sooner(draft, one))) for one in draft.claims if one.level)
    going = {claim.invoice_id for draft in kept for claim in draft.claims if claim.level}
    return tuple(_held(one, held, going) for one in decisions), tuple(kept)


def asleep_until(refused: Mapping[str, Decision]) -> Mapping[str, date]:
    """Return, by invoice, the day before which no run proposes what was refused, from the decisions that hold it."""
    return {invoice: one.next_on or date.max for invoice, one in refused.items()}


def _held(one: Decision, held: Mapping[str, tuple[Refusal, str]], going: Collection[str]) -> Decision:
    known = held.get(one.invoice_id)
    if one.outcome is not Outcome.ESCALATE or known is None or one.invoice_id in going:
        return one
    refusal, sooner = known
    again = refusal.again_on
    facts = {"note": str(refusal.notice.reason_text or ""), "again": again, "sooner": sooner}
    if not sooner:
        facts["only"] = "repeated"
    if again is None:
        facts["stays"] = "unchanged"
    return one._replace(outcome=Outcome.HOLD, reason=Reason.REFUSED, next_on=again, facts=facts)


def _sooner(draft: NoticeDraft, claim: ClaimDraft) -> str:
    """Return the command by which a person has this claim proposed again at once; nothing for a last level that is repeated: no command chooses it."""
    name = quote(claim.number or claim.invoice_id)
    if draft.channel is Via.COLLECTION:
        return f"mahnbridge case handover {name}"
    return "" if claim.repetition else f"mahnbridge case level {name} {claim.level}"


def _about(one: NoticeDraft | Notice) -> tuple[str, ...]:
    return one.debtor_id, str(one.channel), one.currency, one.recipient


def _claims_of(draft: NoticeDraft) -> set[tuple[object, ...]]:
    return {_claim(c.invoice_id, c.round, c.level, c.repetition, amount(c.demand), amount(c.fee)) for c in draft.claims}


def _claims_in(notice: Notice) -> set[tuple[object, ...]]:
    return {_claim(c.invoice_id, c.round, c.level, c.repetition, c.open, c.fee) for c in notice.claims}


def _claim(invoice: str, *rest: object) -> tuple[object, ...]:
    """Return what a claim says; one that only goes along has another key on every day."""
    round_, level, repetition, demand, fee = rest
    return invoice, round_, level, repetition if level else 0, demand, fee


def _beside_interest(content: Content, total: Decimal) -> Decimal:
    return content.table.total - content.table.interest if content.table else total


def _level(plan: EscalationPlan, position: int) -> Mapping[str, Any]:
    return plan.level(position).model_dump(mode="json", exclude=_WHEN)


def _kept_level(store: Store, conn: Connection, notice: Notice) -> Mapping[str, Any] | None:
    try:
        return _level(store.history.plan_version(conn, notice.plan, notice.plan_version).plan, notice.level)
    except (UsageError, IndexError):
        return None
