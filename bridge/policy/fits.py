"""Whether a plan and an account fit: found by `check`, not when a letter is due."""

from collections.abc import Iterator

from bridge.model import Act, Finding, Severity
from bridge.policy import words
from bridge.policy.actions import INVOICE
from bridge.policy.channel import Document, Via
from bridge.policy.plan import Automation, DunningLevel, EscalationPlan, Variant
from bridge.policy.views import Abilities
from bridge.policy.ways import Because, Blocked, Extra, Way, ways
from bridge.words import Sentence, both


def plan_fits(plan: EscalationPlan, abilities: Abilities) -> tuple[Finding, ...]:
    """Return what of `plan` this account cannot do (errors), and what will be missing (warnings)."""
    told: dict[tuple[Severity, str, Sentence, str], list[int]] = {}
    for position, level in enumerate(plan.levels, start=1):
        for variant in level.variants:
            name = f" ({variant.name})" if len(level.variants) > 1 else ""
            for severity, code, text in _level(level, variant, abilities):
                told.setdefault((severity, code, text, name), []).append(position)
        for severity, code, text in _besides(level, abilities):
            told.setdefault((severity, code, text, ""), []).append(position)
    found = [
        Finding(
            severity=severity,
            code=code,
            text=Sentence(
                "plan {plan}, levels {positions}{name}: {text}"
                if len(positions) > 1
                else "plan {plan}, level {positions}{name}: {text}",
                plan=plan.name,
                positions=positions,
                name=name,
                text=text,
            ),
        )
        for (severity, code, text, name), positions in told.items()
    ]
    found += _levels(plan, abilities)
    if not {Act.NOTE, Act.TAG} & abilities.acts:
        text = Sentence(
            "plan {plan}: this account has no place for a line on the invoice; the line stays in the case",
            plan=plan.name,
        )
        found.append(Finding(severity=Severity.INFO, code="no_place_for_note", text=text))
    return tuple(found)


def _level(level: DunningLevel, variant: Variant, abilities: Abilities) -> Iterator[tuple[Severity, str, Sentence]]:
    acts, document = abilities.acts, variant.documents
    way = ways(level, variant, abilities)
    for via in variant.channels:
        if via.automatic:
            yield from _automatic(via, way, abilities)
        elif not abilities.can(via.act):
            yield Severity.ERROR, "plan_channel", Sentence("channel {channel}: {why}", channel=via, why=_who(via))
    fixed = not any(via.automatic for via in variant.channels)
    if (fixed or variant.document is not None) and document is not Document.NONE and Act.CREATE not in acts:
        text = Sentence(
            "document: {document} needs reminders at the provider, which this account cannot make; write document: none",
            document=document,
        )
        yield Severity.ERROR, "plan_document", text
    if level.interest or level.flat_fee:
        yield from _ancillaries(level, variant, abilities)
    if level.automation is Automation.COMPLETE and Act.COMPLETE not in acts:
        text = Sentence("automation complete: this provider has no step between draft and sent; write create or send")
        yield Severity.ERROR, "plan_automation", text
    if level.fee and document is Document.PROVIDER and fixed and not abilities.provider_fees:
        if isinstance(way, Blocked):
            text = Sentence(
                "fee {fee}: this provider refuses a fee on its reminders; send our own document (channels mail or letter), or take the fee out",
                fee=level.fee,
            )
            yield Severity.ERROR, "plan_fee", text
        else:
            text = Sentence(
                "fee {fee}: this provider refuses a fee on its reminders; our own mail or letter goes out, without a record there",
                fee=level.fee,
            )
            yield Severity.WARNING, "plan_fee", text
    own = not isinstance(way, Blocked) and any(not one.via.by_provider and one.document.record for one in way)
    if own and Act.CREATE in acts and Act.MARK_SENT not in acts:
        text = Sentence(
            "the provider's reminder cannot be marked as sent there; it stays as it is after our own mail or letter"
        )
        yield Severity.WARNING, "plan_mark_sent", text
    if level.fee and document is Document.SILENT and not abilities.provider_fees:
        text = Sentence(
            "fee {fee}: the silent reminder at the provider shows no fee; only our own letter does", fee=level.fee
        )
        yield Severity.INFO, "plan_fee_silent", text


def _ancillaries(
    level: DunningLevel, variant: Variant, abilities: Abilities
) -> Iterator[tuple[Severity, str, Sentence]]:
    """Say where the way that a level takes cannot tell interest and flat fee: they are left out, or the invoice is held."""
    if isinstance(ways(level, variant, abilities), Blocked):
        return  # it goes no way at all, which is told elsewhere
    way = ways(level, variant, abilities, extra=Extra(fee=bool(level.fee), more=True))
    if not isinstance(way, Blocked) or way.because is not Because.ANCILLARY:
        return
    how = _how(way, level, abilities)
    if True in (level.interest, level.flat_fee):
        text = Sentence(
            "interest and flat fee: the provider's reminder does not itemise them, so that an invoice which owes them is held; {how}, or write where_possible",
            how=how,
        )
        yield Severity.WARNING, "plan_ancillaries", text
        return
    text = Sentence(
        "interest and flat fee are not asked for, as the provider's reminder does not itemise them; {how} to have them in a letter of our own",
        how=how,
    )
    yield Severity.INFO, "plan_ancillaries", text


def _how(way: Blocked, level: DunningLevel, abilities: Abilities) -> Sentence:
    if way.via.own.act in abilities.channels and level.automation in (Automation.CREATE, Automation.COMPLETE):
        return Sentence("write automation: propose or send")
    return Sentence("set channels.{key}", key="smtp" if way.via.mailed else "letter_outbox")


def _besides(level: DunningLevel, abilities: Abilities) -> Iterator[tuple[Severity, str, Sentence]]:
    """Say what is missing for telling colleagues and for the files of a mail."""
    if level.internal_notice is not None and Act.MAIL not in abilities.channels:
        severity = Severity.WARNING if level.writes else Severity.ERROR
        text = Sentence("internal_notice: no channel of ours can mail the colleagues; set channels.smtp")
        yield severity, "plan_internal", text
    wanted = level.attachments or ()
    if any(one.name == INVOICE and not one.optional for one in wanted) and not abilities.documents:
        text = Sentence("attachments: this account hands out no invoices; take invoice out, or make it optional")
        yield Severity.ERROR, "plan_attachments", text
    if wanted and any(via.by_provider for variant in level.variants for via in variant.channels):
        text = Sentence("attachments: the provider's own mail or letter takes no files of ours; use mail or letter")
        yield Severity.WARNING, "plan_attachments", text


def _automatic(
    via: Via, way: tuple[Way, ...] | Blocked, abilities: Abilities
) -> Iterator[tuple[Severity, str, Sentence]]:
    """Say who sends where the plan leaves it open; an error only where nobody can."""
    key = "smtp" if via.mailed else "letter_outbox"
    if isinstance(way, Blocked):
        if way.via is via:
            text = Sentence(
                "channel {channel}: {why}, and no channel of ours does it; set channels.{key} in the configuration",
                channel=via,
                why=both(words.because(way.because, "de"), words.because(way.because, "en")),
                key=key,
            )
            yield Severity.ERROR, "plan_channel", text
        return
    for one in way:
        if one.named is via and one.via.by_provider and one.via.own.act not in abilities.channels:
            text = Sentence(
                "channel {channel}: the provider sends; a claim with an open credit note is held, as only a channel of ours can name the lower amount; set channels.{key}",
                channel=via,
                key=key,
            )
            yield Severity.INFO, "plan_no_own_channel", text


def _levels(plan: EscalationPlan, abilities: Abilities) -> Iterator[Finding]:
    """Compare the plan's levels that use reminders at the provider with the levels that the provider has of its own."""
    there = abilities.provider_levels
    if there is None:
        return
    using = [
        position for position, level in enumerate(plan.levels, start=1) if any(_uses(one) for one in level.variants)
    ]
    repeats = plan.levels[-1].repeat
    wanted = len(using) + (repeats.limit if repeats and len(plan.levels) in using else 0)
    if wanted <= len(there):
        return
    beyond = [plan.level(position) for position in using[len(there) :]] or [plan.levels[-1]]
    named = [via for level in beyond for one in level.variants if _uses(one) for via in one.channels]
    text = Sentence(
        "plan {plan}: makes up to {wanted} {wanted|reminder|reminders} for an invoice at the provider, which has {there} dunning {there|level|levels} ({have})",
        plan=plan.name,
        wanted=wanted,
        there=len(there),
        have=there or Sentence("none"),
    )
    if all(via.automatic and via.own.act in abilities.channels for via in named):
        text = Sentence("{text}; the further ones go out as our own", text=text)
        yield Finding(severity=Severity.INFO, code="plan_levels", text=text)
    elif there or not all(via.automatic for via in named):  # without any level there, the channel itself is the error
        text = Sentence(
            "{text}; add levels there, set channels.smtp or channels.letter_outbox, or write document: none", text=text
        )
        yield Finding(severity=Severity.ERROR, code="plan_levels", text=text)


def _uses(variant: Variant) -> bool:
    """Return whether this variant makes a reminder at the provider where it can."""
    return variant.documents is not Document.NONE


def _who(via: Via) -> Sentence:
    if via.by_provider:
        return Sentence("this account's connector cannot send it; use email, post, mail or letter")
    key = "smtp" if via is Via.MAIL else "letter_outbox"
    return Sentence("no channel of ours does it; set channels.{key} in the configuration", key=key)
