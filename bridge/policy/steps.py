"""The steps of a notice, in the order in which delivery does them.

Drafts at the provider and their check come first, then the one letter or mail, then what finishes each record. A record that belongs
silently to our own letter is completed only after it: before the letter everything can still be taken back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from bridge.model import Act, Attachment, Content, Ref
from bridge.plain import file_stem
from bridge.policy.actions import INVOICE, LETTER, Enclosed
from bridge.policy.build import amount
from bridge.policy.channel import Document, Via
from bridge.policy.claim_text import mail_text, plain
from bridge.policy.plan import Automation
from bridge.policy.views import Abilities, ClaimView

NO_FILES: Mapping[str, Attachment] = MappingProxyType({})

LONGEST_TAG = 60
"""Signs of a tag; sevDesk and Billomat show lists of them."""

OWN_RECORD = ""
"""Id of the reference that stands for the reminder which this notice itself makes at the provider."""


@dataclass(frozen=True, slots=True)
class StepDraft:
    """One act of a notice. `invoice_id` None: the mail or letter over all claims. `channel` None: the account's connector."""

    act: Act
    invoice_id: str | None
    channel: str | None
    content: Content


class Frame(NamedTuple):
    """What the steps of one notice have in common."""

    via: Via
    document: Document
    automation: Automation
    tag: str | None
    content: Content
    abilities: Abilities
    customer: bool = True  # the customer has a record at the provider
    enclosed: tuple[Enclosed, ...] | None = None  # what goes with our own mail or letter; None: the invoices
    files: Mapping[str, Attachment] = NO_FILES


PerClaim = Sequence[tuple[ClaimView, int, str]]
"""Claim, fee in cents, name of its own level."""


def steps_of(frame: Frame, claims: PerClaim, along: PerClaim = ()) -> tuple[StepDraft, ...]:
    """Return the steps of one notice over these claims; those `along` are asked for in it, but nothing is written for them.

    Only a claim without open credit notes is recorded at the provider: a record there would name the amount before them.
    """
    acts, automation = frame.abilities.acts, frame.automation
    recorded = [one for one in claims if frame.document.record and not one[0].netted]
    steps: list[StepDraft] = []
    for one in recorded:
        steps += _record_steps(frame, one, [Act.CREATE, Act.AMEND])
    early = automation is Automation.COMPLETE or frame.document is Document.PROVIDER
    if early and automation is not Automation.CREATE:
        for one in recorded:
            steps += _record_steps(frame, one, [Act.COMPLETE])
    if automation in (Automation.CREATE, Automation.COMPLETE):
        return tuple(steps)
    steps.append(_send(frame, (*claims, *along)))
    late = [Act.COMPLETE] if frame.document is Document.SILENT else []
    if not frame.via.by_provider:
        late.append(Act.MARK_SENT)
    for one in recorded:
        steps += _record_steps(frame, one, late)
    for one in claims:
        if Act.NOTE in acts:
            steps.append(_step(frame, Act.NOTE, one, line=frame.content.line, link=frame.content.link))
        if Act.TAG in acts and (frame.tag or Act.NOTE not in acts):
            steps.append(_step(frame, Act.TAG, one, tag=frame.tag or _short(frame.content.line)))
    if Act.CUSTOMER_NOTE in acts and frame.customer:
        steps.append(_step(frame, Act.CUSTOMER_NOTE, claims[0], line=frame.content.line, link=frame.content.link))
    return tuple(steps)


def _record_steps(frame: Frame, one: tuple[ClaimView, int, str], acts: Iterable[Act]) -> list[StepDraft]:
    return [_step(frame, act, one) for act in acts if act in frame.abilities.acts or act is Act.CREATE]


def _step(frame: Frame, act: Act, one: tuple[ClaimView, int, str], **more: str) -> StepDraft:
    """Return an act on the record of one claim: its own amounts and level, the texts of the whole."""
    claim, fee, level_name = one
    fee = fee if frame.abilities.provider_fees else 0  # a silent record there goes without it
    told = frame.content
    keep = {"subject": told.subject, "text": plain(told)} if act in (Act.CREATE, Act.AMEND, Act.COMPLETE) else {}
    content = Content(
        level_name=level_name,
        language=told.language,
        currency=told.currency,
        principal=amount(claim.demand),
        fee=amount(fee),
        total=amount(claim.demand + fee),
        deadline=told.deadline,
        sent_by=told.sent_by if act in (Act.MARK_SENT, Act.NOTE) else None,
        **keep,
        **more,
    )
    return StepDraft(act, claim.invoice_id, None, content)


def _send(frame: Frame, claims: PerClaim) -> StepDraft:
    act = frame.via.act
    told = {"text": mail_text(frame.content), "footer": ()} if frame.via.by_provider else {}
    content = frame.content.model_copy(
        update={"line": "", "link": "", "sent_by": None, **told, "attachments": _attachments(frame, claims)}
    )
    invoice_id = claims[0][0].invoice_id if len(claims) == 1 else None
    return StepDraft(act, invoice_id, frame.abilities.channels.get(act), content)


def _attachments(frame: Frame, claims: PerClaim) -> tuple[Attachment, ...]:
    """Return what goes with our own mail or letter: the provider's reminder where it is the document, the invoices, our files."""
    if frame.via.by_provider:
        return ()
    wanted = frame.enclosed
    if wanted is None:
        wanted = (Enclosed(name=INVOICE),) if frame.abilities.documents else ()
    invoices = next((one for one in wanted if one.name == INVOICE), None)
    found = []
    for claim, _, level_name in claims:
        name = file_stem(claim.number or claim.invoice_id)
        if frame.document is Document.PROVIDER and frame.abilities.documents:
            reference = Ref.reminder(OWN_RECORD, claim.invoice_id)
            found.append(Attachment(filename=f"{file_stem(level_name)}-{name}.pdf", document=reference))
        if invoices is not None:
            invoice = Ref.invoice(claim.invoice_id, claim.number)
            found.append(Attachment(filename=f"{name}.pdf", document=invoice, optional=invoices.optional))
    for one in wanted:
        if one.name == LETTER and frame.via.mailed:
            claim, _, level_name = claims[0]
            name = (
                f"{file_stem(level_name or frame.content.level_name)}-{file_stem(claim.number or claim.invoice_id)}.pdf"
            )
            found.insert(0, Attachment(filename=name, path=LETTER, optional=one.optional))
        elif one.name not in (INVOICE, LETTER):
            file = frame.files.get(one.name, Attachment(filename=one.name, path=one.name))
            found.append(file.model_copy(update={"optional": one.optional}))
    return tuple(found)


def _short(line: str) -> str:
    """Return the line without its template, short enough for a tag: whole parts of it, as far as they fit."""
    short = line.partition("; ")[0]
    return short if len(short) <= LONGEST_TAG else short[: LONGEST_TAG + 1].rpartition(", ")[0] or short[:LONGEST_TAG]
