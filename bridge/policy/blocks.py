"""Blocks (Mahnsperren): flags at the provider, what people set here, what the configuration excludes; the gravest one decides."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date

from bridge.model import Reason
from bridge.policy.assign import PREPAID, term_of
from bridge.policy.calendar import DAY
from bridge.policy.instalments import Agreement, allot, first_open
from bridge.policy.situation import Situation, Verdict
from bridge.policy.views import Block

_STRENGTH = (
    Reason.INSOLVENCY,
    Reason.COLLECTION,
    Reason.DISPUTE,
    Reason.PAYMENT_PLAN,
    Reason.PROMISE_TO_PAY,
    Reason.DEFERRED,
    Reason.CUSTOMER_EXCLUDED,
    Reason.INVOICE_EXCLUDED,
)
_RANK = {reason: rank for rank, reason in enumerate(_STRENGTH)}


def not_blocked(s: Situation) -> Verdict | None:
    """Pass where no block here and no flag at the provider speaks against it, on the invoice or the customer."""
    found = strongest([_with_end(s, one) for one in _blocks(s)], s.today)
    if found is None:
        return None
    next_on = found.until + DAY if found.until is not None and found.until < date.max else None
    facts: dict[str, object] = {"source": found.source}
    told = {"until": found.until, "note": found.note, "by": found.by, "since": found.since}
    facts |= {name: value for name, value in told.items() if value}
    if found.agreement is not None:
        facts |= _rates(s, found.agreement)
    if found.detail is not None:
        facts |= dict([found.detail])
    return Verdict(found.reason, next_on, facts)


def _with_end(s: Situation, block: Block) -> Block:
    """Return a payment plan with the last day on which it holds if nothing more comes in; every other block as it is."""
    if block.agreement is None:
        return block
    missing = first_open(allot(block.agreement, s.place, s.rules.instalment_grace_days))
    return replace(block, until=missing.last_day if missing else None)


def _rates(s: Situation, agreement: Agreement) -> dict[str, object]:
    """Return what is told of a payment plan: its last day, how many rates are paid, and the next one."""
    allotted = allot(agreement, s.place, s.rules.instalment_grace_days)
    missing = first_open(allotted)
    facts: dict[str, object] = {
        "until": agreement.rates[-1].on,
        "kept": str(sum(one.paid >= one.due for one in allotted)),
        "rates": len(allotted),
    }
    if missing is not None:
        facts |= {"amount": missing.due - missing.paid, "currency": s.claim.currency, "rate_on": missing.rate.on}
    return facts


def strongest(blocks: Iterable[Block], today: date) -> Block | None:
    """Return the block that decides today: the gravest reason, of equals the longest; None where none is active."""
    active = [block for block in blocks if block.until is None or block.until >= today]
    if not active:
        return None
    return min(
        active,
        key=lambda one: (
            _RANK.get(one.reason, len(_RANK)),
            one.reason.value,
            one.until is not None,
            -(one.until.toordinal() if one.until else 0),
            one.source,
        ),
    )


def _blocks(s: Situation) -> list[Block]:
    claim, case = s.claim, s.case
    if not (claim.blocks or case.blocks or _configured(s)):
        return []
    wanted = claim.include == "include"
    customer_wanted = wanted or case.include == "include"
    blocks = []
    for block in (*claim.blocks, *case.blocks, *_configured(s)):
        if block.reason is Reason.CUSTOMER_EXCLUDED and customer_wanted:
            continue
        if block.reason is Reason.INVOICE_EXCLUDED and wanted:
            continue
        if block.reason is Reason.DIRECT_DEBIT_PENDING and (claim.returned or wanted):
            continue
        blocks.append(block)
    return blocks


def _configured(s: Situation) -> list[Block]:
    """Return the blocks that follow from the configuration and from people's choices."""
    claim, case, rules = s.claim, s.case, s.rules
    found = []
    if case.include == "exclude":
        found.append(Block(Reason.CUSTOMER_EXCLUDED, by=case.include_by, since=case.include_on))
    elif not rules.include_by_default and case.include != "include":
        found.append(Block(Reason.CUSTOMER_EXCLUDED, source="default"))
    if claim.include == "exclude":
        found.append(Block(Reason.INVOICE_EXCLUDED, by=claim.include_by, since=claim.include_on))
    if rules.excluded_customers and not rules.excluded_customers.isdisjoint((case.debtor_id, case.number or "")):
        found.append(Block(Reason.CUSTOMER_EXCLUDED, source="configuration"))
    if rules.excluded_customer_tags and not rules.excluded_customer_tags.isdisjoint(case.tags):
        found.append(Block(Reason.CUSTOMER_EXCLUDED, source="customer tag"))
    if rules.excluded_invoice_tags and not rules.excluded_invoice_tags.isdisjoint(claim.tags):
        found.append(Block(Reason.INVOICE_EXCLUDED, source="invoice tag"))
    method = claim.payment_method
    if rules.excluded_methods and method is not None and method.casefold() in rules.excluded_methods:
        found.append(Block(Reason.INVOICE_EXCLUDED, source="payment method", detail=("method", method)))
    term = term_of(case, claim)
    if term is not None and term in rules.excluded_terms:
        found.append(Block(Reason.INVOICE_EXCLUDED, source="payment term", detail=("term", term)))
    if s.assigned.because == PREPAID and s.plan is None:
        found.append(Block(Reason.PREPAYMENT, source="configuration"))
    return found
