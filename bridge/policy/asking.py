"""Asking (Forderung): what a notice asks for on each of its claims, and by which way it goes; the way and the plan decide together."""

from collections.abc import Sequence
from datetime import date

from bridge.policy.drafts import Item
from bridge.policy.money import Asks, Note, NoteCode
from bridge.policy.owed import EVERYTHING, asks_of, owed, wanted
from bridge.policy.plan import Automation
from bridge.policy.rules import AccountRules
from bridge.policy.statement import Asked
from bridge.policy.views import Abilities, CaseView
from bridge.policy.ways import Because, Blocked, Extra, Way, ways


def asked_by(  # noqa: PLR0917  three call sites
    case: CaseView, lead: Item, items: Sequence[Item], rules: AccountRules, abilities: Abilities, today: date
) -> tuple[list[Asked], tuple[Way, ...] | Blocked]:
    """Return what one notice over `items` asks for, and its ways; `Blocked`: no true way.

    What a level asks for only where possible is left out, with a remark, where that alone stands in the way.
    """
    asked = [_asked(case, item, rules, today, charged=item is lead) for item in items]
    found = _ways(lead, items, asked, abilities)
    if not isinstance(found, Blocked) or found.because is not Because.ANCILLARY:
        return asked, found
    less = [_asked(case, item, rules, today, charged=item is lead, less=True) for item in items]
    without = _ways(lead, items, less, abilities)
    if isinstance(without, Blocked):
        return asked, found
    how = _how(found, lead, abilities)
    return [_remarked(full, one, how) for full, one in zip(asked, less, strict=True)], without


def _asked(case: CaseView, item: Item, rules: AccountRules, today: date, *, charged: bool, less: bool = False) -> Asked:
    """Return what the notice asks for on one claim; one that goes along is asked for what its own level asks for."""
    name: str = item.level.name_in(item.language)
    if item.level.collection:
        asks = EVERYTHING
    elif not item.along:
        chosen = dict(item.claim.fees_chosen).get(item.position)
        asks = asks_of(item.level, name, charged=charged, chosen=chosen, less=less)
    else:
        name, reached = item.claim.level_name, item.plan.levels[: item.claim.level][-1:]
        asks = Asks(interest=any(wanted(level.interest, less=less) for level in reached))
    return Asked(item.claim, owed(case, item.claim, rules, today, asks), name, asks)


def _ways(lead: Item, items: Sequence[Item], asked: Sequence[Asked], abilities: Abilities) -> tuple[Way, ...] | Blocked:
    extra = Extra(fee=any(one.owed.fee for one in asked), more=any(one.owed.extras for one in asked))
    return ways(lead.level, lead.variant, abilities, [item.claim for item in items], extra)


def _how(blocked: Blocked, lead: Item, abilities: Abilities) -> str:
    """Return the setting with which it would be asked for: a channel of ours, or a level that sends."""
    if blocked.via.own.act in abilities.channels and lead.level.automation in (Automation.CREATE, Automation.COMPLETE):
        return "automation: propose"
    return "channels.smtp" if blocked.via.mailed else "channels.letter_outbox"


def _remarked(full: Asked, less: Asked, how: str) -> Asked:
    left_out = full.owed.account.total - less.owed.account.total
    if not left_out:
        return less
    note = Note(NoteCode.NOT_CARRIED, {"amount": left_out, "how": how})
    return less._replace(owed=less.owed._replace(notes=(*less.owed.notes, note)))
