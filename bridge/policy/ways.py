"""Ways (Versandwege): which channel and whose document a level really takes, for this account and these claims.

A plan may name a way (`email`, `post`) instead of a channel: the provider's own service where it can say exactly what we ask for, else
our own mail or letter. Where a plan names the provider's channel and its document would not show what we ask for, our own goes out too.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from bridge.model import Act, Reason
from bridge.policy.channel import Document, Via
from bridge.policy.plan import Automation, DunningLevel, Variant
from bridge.policy.views import Abilities, ClaimView


class Because(StrEnum):
    """Why our own mail or letter goes out and not the provider's."""

    CREDIT = "credit"  # an open credit note is netted, which the provider's document does not show
    FEE = "fee"  # the provider refuses a fee
    BUNDLE = "bundle"  # several invoices in one notice
    LEVELS = "levels"  # the provider has no further dunning level
    ACT = "act"  # the account cannot send it
    DOCUMENT = "document"  # the plan wants our own document
    SECOND = "second"  # the provider's record belongs to the first channel


class Way(NamedTuple):
    """Channel and document of one notice. `named` is the channel in the plan, `because` why ours goes out and not the provider's."""

    via: Via
    document: Document
    named: Via
    because: Because | None = None


class Blocked(NamedTuple):
    """There is no way: the channel that the plan names, and why the provider's own is not possible."""

    via: Via
    because: Because | None

    @property
    def reason(self) -> Reason:
        """Return the reason code of the hold: the amount cannot be said truly, or nothing can send it."""
        return Reason.AMOUNT_UNCLEAR if self.because in (Because.CREDIT, Because.FEE) else Reason.NO_CHANNEL

    @property
    def facts(self) -> dict[str, object]:
        """Return what fills the plain words of the reason."""
        return {"why": self.because.value if self.because else None, "channel": self.via.value}


def ways(
    level: DunningLevel, variant: Variant, abilities: Abilities, claims: Sequence[ClaimView] = ()
) -> tuple[Way, ...] | Blocked:
    """Return channel and document of each notice of a level, the record at the provider with the first; `Blocked`: no true way.

    Without claims it is what the plan and the account alone allow.
    """
    found: list[Way] = []
    for via in level.vias(variant):
        way = _way(via, level, variant, abilities, claims, first=not found)
        if isinstance(way, Blocked):
            return way
        if all(one.via is not way.via for one in found):
            found.append(way)
    return tuple(found)


def _way(
    via: Via, level: DunningLevel, variant: Variant, abilities: Abilities, claims: Sequence[ClaimView], *, first: bool
) -> Way | Blocked:
    if via.in_house:
        told = via is not Via.INTERNAL or Act.MAIL in abilities.channels
        return Way(via, Document.NONE, via) if told else Blocked(via, Because.ACT)
    because = _not_the_provider(via, level, variant, abilities, claims, first=first)
    wanted = variant.documents if first else Document.NONE
    netted = any(claim.linked_credits or claim.shared_credits for claim in claims)
    if not via.automatic and (because is None or wanted is not Document.PROVIDER) and not (netted and wanted.record):
        return Way(via, wanted, via)
    if via.automatic and because is None:
        return Way(via.provider, Document.PROVIDER, via)
    if via.automatic:
        keeps = variant.document in (Document.PROVIDER, Document.SILENT) and first and Act.CREATE in abilities.acts
        true = not netted and (variant.document is Document.SILENT or because is not Because.FEE)
        document = variant.document if keeps and true and variant.document else Document.NONE
    else:
        document = Document.NONE
    reaches = level.automation in (Automation.PROPOSE, Automation.SEND) or document is not Document.NONE
    if not reaches or via.own.act not in abilities.channels:
        return Blocked(via, because)
    return Way(via.own, document, via, because)


def _not_the_provider(
    via: Via, level: DunningLevel, variant: Variant, abilities: Abilities, claims: Sequence[ClaimView], *, first: bool
) -> Because | None:
    """Return why the provider's own document and service cannot say what we ask for, or None."""
    if any(claim.linked_credits or claim.shared_credits for claim in claims):
        return Because.CREDIT
    if level.fee and not abilities.provider_fees:
        return Because.FEE
    if not via.automatic:
        return None
    if variant.document in (Document.SILENT, Document.NONE):
        return Because.DOCUMENT
    if not first:
        return Because.SECOND
    sends = level.automation in (Automation.PROPOSE, Automation.SEND)
    if Act.CREATE not in abilities.acts or (sends and via.provider.act not in abilities.acts):
        return Because.ACT
    if len(claims) > 1:
        return Because.BUNDLE
    there = abilities.provider_levels
    if there is not None and any(reminders(claim) >= len(there) for claim in claims):
        return Because.LEVELS
    return Because.LEVELS if there == () else None


def reminders(claim: ClaimView) -> int:
    """Return the highest level that the provider's own counter shows for this invoice."""
    return max((claim.provider_level, *(notice.level for notice in claim.notices)))
