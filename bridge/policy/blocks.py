"""Blocks (Mahnsperren): flags at the provider, what people set here, what the configuration excludes; the gravest one decides."""

from collections.abc import Iterable
from datetime import date

from bridge.model import Reason
from bridge.policy.calendar import DAY
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
    found = strongest(_blocks(s), s.today)
    if found is None:
        return None
    next_on = found.until + DAY if found.until is not None and found.until < date.max else None
    facts: dict[str, object] = {"source": found.source}
    if found.until is not None:
        facts["until"] = found.until
    if found.note:
        facts["note"] = found.note
    return Verdict(found.reason, next_on, facts)


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
        found.append(Block(Reason.CUSTOMER_EXCLUDED, source="choice"))
    elif not rules.include_by_default and case.include != "include":
        found.append(Block(Reason.CUSTOMER_EXCLUDED, source="default"))
    if claim.include == "exclude":
        found.append(Block(Reason.INVOICE_EXCLUDED, source="choice"))
    if rules.excluded_customers and not rules.excluded_customers.isdisjoint((case.debtor_id, case.number or "")):
        found.append(Block(Reason.CUSTOMER_EXCLUDED, source="configuration"))
    if rules.excluded_customer_tags and not rules.excluded_customer_tags.isdisjoint(case.tags):
        found.append(Block(Reason.CUSTOMER_EXCLUDED, source="customer tag"))
    if rules.excluded_invoice_tags and not rules.excluded_invoice_tags.isdisjoint(claim.tags):
        found.append(Block(Reason.INVOICE_EXCLUDED, source="invoice tag"))
    if rules.excluded_methods and claim.payment_method in rules.excluded_methods:
        found.append(Block(Reason.INVOICE_EXCLUDED, source="payment method"))
    term = claim.payment_term_days if claim.payment_term_days is not None else case.payment_term_days
    if term is not None and term in rules.excluded_terms:
        found.append(Block(Reason.INVOICE_EXCLUDED, source="payment term"))
    if rules.prepayment_tags and not (
        rules.prepayment_tags.isdisjoint(claim.tags) and rules.prepayment_tags.isdisjoint(case.tags)
    ):
        found.append(Block(Reason.PREPAYMENT, source="tag"))
    return found
