"""Ways (Versandwege): which channel and whose document a level really takes, for this account and these claims.

A plan may name a way (`email`, `post`) instead of a channel: the provider's own service where it can say exactly what we ask for, else
our own mail or letter. Where a plan names the provider's channel and its document would not show what we ask for, our own goes out too.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from bridge.model import Act, Reason
from bridge.policy.channel import Document, Via
from bridge.policy.plan import Automation, DunningLevel, Variant
from bridge.policy.views import Abilities, ClaimView


class Because(StrEnum):
    """Why our own mail or letter goes out and not the provider's."""

    CREDIT = "credit"  # an open credit note is netted, which the provider's document does not show
    ANCILLARY = "ancillary"  # interest, flat fee or earlier charges, which the provider's document does not itemise
    FEE = "fee"  # the provider refuses a fee
    BUNDLE = "bundle"  # several invoices in one notice
    LEVELS = "levels"  # the provider has no further dunning level
    ACT = "act"  # the account cannot send it
    DOCUMENT = "document"  # the plan wants our own document
    SECOND = "second"  # the provider's record belongs to the first channel


BECAUSE: Mapping[Because, tuple[str, str]] = {
    Because.CREDIT: (
        "die Mahnung des Anbieters zeigt die verrechnete Gutschrift nicht",
        "the provider's reminder does not show the credit note that is netted",
    ),
    Because.ANCILLARY: (
        "die Mahnung des Anbieters zeigt Zinsen, Pauschale oder frühere Kosten nicht",
        "the provider's reminder does not show interest, the flat fee or earlier charges",
    ),
    Because.FEE: ("der Anbieter lehnt eine Gebühr auf seiner Mahnung ab", "the provider refuses a fee on its reminder"),
    Because.BUNDLE: (
        "eine Mahnung beim Anbieter gehört zu einer Rechnung",
        "a reminder at the provider belongs to one invoice",
    ),
    Because.LEVELS: ("der Anbieter hat dafür keine Mahnstufe", "the provider has no dunning level for it"),
    Because.ACT: ("der Anbieter versendet es für dieses Konto nicht", "this account's provider does not send it"),
    Because.DOCUMENT: ("der Plan verlangt unser eigenes Schreiben", "the plan asks for our own document"),
    Because.SECOND: (
        "die Mahnung des Anbieters geht nur über den ersten Weg hinaus",
        "the provider's reminder goes out by the first channel only",
    ),
}
"""Why our own mail or letter goes out and not the provider's."""


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
        unclear = self.because in (Because.CREDIT, Because.ANCILLARY, Because.FEE)
        return Reason.AMOUNT_UNCLEAR if unclear else Reason.NO_CHANNEL

    @property
    def facts(self) -> dict[str, object]:
        """Return what fills the plain words of the reason."""
        return {"why": self.because.value if self.because else None, "channel": self.via.value}


class Extra(NamedTuple):
    """What a notice asks for beside the principal: a fee of its own, and `more` (interest, flat fee, earlier charges)."""

    fee: bool
    more: bool = False


def ways(
    level: DunningLevel,
    variant: Variant,
    abilities: Abilities,
    claims: Sequence[ClaimView] = (),
    extra: Extra | None = None,
) -> tuple[Way, ...] | Blocked:
    """Return channel and document of each notice of a level, the record at the provider with the first; `Blocked`: no true way.

    Without claims it is what the plan and the account alone allow.
    """
    extra = extra or Extra(bool(level.fee))
    found: list[Way] = []
    for via in level.vias(variant):
        way = _way(via, level, variant, abilities, claims, extra, first=not found)
        if isinstance(way, Blocked):
            return way
        if all(one.via is not way.via for one in found):
            found.append(way)
    return tuple(found)


def _way(  # noqa: PLR0917  one call site
    via: Via,
    level: DunningLevel,
    variant: Variant,
    abilities: Abilities,
    claims: Sequence[ClaimView],
    extra: Extra,
    *,
    first: bool,
) -> Way | Blocked:
    if via.in_house:
        told = via is not Via.INTERNAL or Act.MAIL in abilities.channels
        return Way(via, Document.NONE, via) if told else Blocked(via, Because.ACT)
    because = _not_the_provider(via, level, variant, abilities, claims, extra, first=first)
    wanted = variant.documents if first else Document.NONE
    sends = level.automation in (Automation.PROPOSE, Automation.SEND)
    netted = _no_record(wanted if sends else Document.PROVIDER, claims)
    if not via.automatic and (because is None or wanted is not Document.PROVIDER) and not (netted and wanted.record):
        return Way(via, wanted, via)
    if via.automatic and because is None:
        return Way(via.provider, Document.PROVIDER, via)
    if via.automatic:
        keeps = variant.document in (Document.PROVIDER, Document.SILENT) and first and Act.CREATE in abilities.acts
        true = not netted and (variant.document is Document.SILENT or because not in (Because.FEE, Because.ANCILLARY))
        document = variant.document if keeps and true and variant.document else Document.NONE
    else:
        document = Document.NONE
    if because is Because.ANCILLARY and wanted is Document.PROVIDER and sends and _has_room(abilities, claims):
        document = Document.SILENT
    reaches = sends or document is not Document.NONE
    if not reaches or via.own.act not in abilities.channels:
        return Blocked(via, because)
    return Way(via.own, document, via, because)


def _not_the_provider(  # noqa: PLR0917  one call site
    via: Via,
    level: DunningLevel,
    variant: Variant,
    abilities: Abilities,
    claims: Sequence[ClaimView],
    extra: Extra,
    *,
    first: bool,
) -> Because | None:
    """Return why the provider's own document and service cannot say what we ask for, or None."""
    if any(claim.netted for claim in claims):
        return Because.CREDIT
    if extra.more:
        return Because.ANCILLARY
    if extra.fee and not abilities.provider_fees:
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


def _no_record(document: Document, claims: Sequence[ClaimView]) -> bool:
    """Return whether credit notes leave nothing to record. Beside our own document each claim that has none is recorded for itself."""
    netted = [claim.netted for claim in claims]
    return any(netted) and (document is not Document.SILENT or all(netted))


def _has_room(abilities: Abilities, claims: Sequence[ClaimView]) -> bool:
    """Return whether a silent record of one invoice can stand at the provider beside our own document."""
    there = abilities.provider_levels
    free = there is None or all(reminders(claim) < len(there) for claim in claims)
    return free and len(claims) == 1 and Act.CREATE in abilities.acts


def reminders(claim: ClaimView) -> int:
    """Return the highest level that the provider's own counter shows for this invoice."""
    return max((claim.provider_level, *(notice.level for notice in claim.notices)))
