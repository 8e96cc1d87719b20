"""How the next notice and the plan of an invoice look to people, before anything is sent."""

from collections.abc import Sequence

from bridge.app.results import LevelChoice, Upcoming
from bridge.cli.locale import say
from bridge.cli.naming import level, word
from bridge.cli.out import money, shown

Facts = list[tuple[str, object]]


def upcoming(found: Sequence[Upcoming]) -> Facts:
    """Return everything that the next notice will do: day, level, way, recipients, term, subject, attachments, amount."""
    facts: Facts = []
    for one in found:
        name = level(one.level, one.level_name)
        when = say("next.when", day=shown(one.on), level=name)
        if one.notice is not None:
            when = say("next.waits", state=word("state", one.state), level=name)
        total = say("next.total", total=money(one.total, one.currency), invoices=", ".join(one.invoices))
        fee = say("next.fee", fee=money(one.fee, one.currency)) if one.fee else ""
        facts += [
            ("next", when),
            ("next_way", _way(one)),
            ("next_term", say("next.term", count=one.term_days, deadline=shown(one.deadline)) if one.deadline else ""),
            ("next_subject", one.subject),
            ("next_files", ", ".join(one.attachments)),
            ("next_total", ", ".join(filter(None, (total, fee)))),
            ("next_automation", word("automation", one.automation)),
        ]
    return facts


def _way(one: Upcoming) -> str:
    to = ", ".join(one.recipients) or one.address
    told = word("channel", one.channel)
    if to:
        told = say("next.how", channel=told, to=to)
    copies = ", ".join((*one.cc, *one.bcc))
    return f"{told}; {say('next.copies', copies=copies)}" if copies else told


def choices(found: Sequence[LevelChoice]) -> str:
    """Return the levels that can be chosen next, the chosen one marked."""
    return ", ".join(_choice(one) for one in found)


def _choice(one: LevelChoice) -> str:
    name = level(one.level, one.name)
    if len(one.variants) > 1:
        name += f" [{' | '.join(one.variants)}]"
    return say("next.chosen", name=name, by=one.chosen_by) if one.chosen_by else name


def plan(name: str, by: str, at: str) -> str:
    """Return the plan of an invoice, what gives it, and where that is written."""
    if not name:
        return ""
    parts = by.split(", ")
    if parts[0] in ("invoice", "customer", "account"):
        told = word("assigned", parts[0])
    else:
        told = say("assigned.by", conditions=", ".join(word("assigned", one) for one in parts))
    shown_name = say("plans.none") if name == "none" else name
    return f"{shown_name} ({told}{f'; {at}' if at else ''})"
