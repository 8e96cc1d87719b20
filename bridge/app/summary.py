"""Summary (Zusammenfassung): everything that the next notice about an invoice will do, before it does it."""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from bridge.app.lines import address_text
from bridge.app.results import LevelChoice, Upcoming
from bridge.model import Content
from bridge.policy import AccountRules, ClaimView, EscalationPlan
from bridge.policy.build import amount
from bridge.policy.forecast import Coming
from bridge.store.records import Notice, Step


def planned(found: Iterable[Coming], rules: AccountRules) -> tuple[Upcoming, ...]:
    """Return notices as they would be composed on their day."""
    return tuple(_planned(one, rules) for one in found)


def _planned(one: Coming, rules: AccountRules) -> Upcoming:
    draft, content = one.draft, one.draft.content
    return Upcoming(
        on=one.on,
        level=draft.level,
        level_name=draft.level_name,
        variant=draft.variant,
        channel=draft.channel.value,
        automation=draft.automation.value,
        state="planned",
        recipients=content.recipients.to,
        cc=content.recipients.cc,
        bcc=content.recipients.bcc,
        address=address_text(content.address),
        subject=content.subject,
        attachments=_files(step.content for step in draft.steps),
        term_days=rules.plans[draft.plan].level(draft.level).term_days,
        deadline=draft.deadline,
        fee=amount(sum(claim.fee for claim in draft.claims)),
        total=amount(draft.total),
        currency=draft.currency,
        invoices=tuple(claim.number or claim.invoice_id for claim in draft.claims),
    )


def stored(notice: Notice, steps: Sequence[Step], since: date) -> Upcoming:
    """Return a notice that is stored and not out yet, of the run on `since`."""
    content = notice.content
    return Upcoming(
        on=since,
        level=notice.level,
        level_name=notice.level_name,
        variant="",
        channel=notice.channel,
        automation=notice.automation,
        state=notice.state,
        recipients=content.recipients.to,
        cc=content.recipients.cc,
        bcc=content.recipients.bcc,
        address=address_text(content.address),
        subject=content.subject,
        attachments=_files(step.content for step in steps),
        term_days=(notice.deadline - since).days if notice.deadline else None,
        deadline=notice.deadline,
        fee=sum((claim.fee for claim in notice.claims), Decimal("0.00")),
        total=notice.total,
        currency=notice.currency,
        invoices=tuple(claim.invoice_number or claim.invoice_id for claim in notice.claims),
        notice=notice.id,
    )


def _files(contents: Iterable[Content]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(file.filename for content in contents for file in content.attachments))


def choices(plan: EscalationPlan | None, claim: ClaimView, language: str) -> tuple[LevelChoice, ...]:
    """Return the levels that a person can choose as the next one: all above the last one, but no hand-over to collection."""
    if plan is None:
        return ()
    return tuple(
        LevelChoice(
            position,
            level.name_in(language),
            tuple(variant.name for variant in level.variants),
            claim.next_level_by if position == claim.next_level else "",
        )
        for position, level in enumerate(plan.levels, start=1)
        if position > claim.level and not level.collection
    )
