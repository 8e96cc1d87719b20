"""Mentions (Erwähnungen): what a bundle lists without asking for it, as a block of its own."""

from collections.abc import Mapping, Sequence

from bridge.model import ClaimTable, Reason
from bridge.policy import texts, words
from bridge.policy.beside import Other
from bridge.policy.build import cents


def why(other: Other, language: str) -> str:
    """Return in plain words why an invoice has the part that it has in a bundle; empty where there is nothing to say."""
    if other.why in list(Reason):
        return words.reason(Reason(other.why), language, other.facts)
    return words.plain("bundle", other.why, language) if other.why else ""


def mentioned(table: ClaimTable, language: str) -> list[dict[str, str]]:
    """Return what a bundle lists without asking for it, for the text's loop."""
    return [
        {
            "number": one.number,
            "date": texts.day(one.issued_on, language),
            "due_date": texts.day(one.due_on, language),
            "open": texts.money(cents(one.open), table.currency, language),
            "why": one.why,
        }
        for one in table.mentions
    ]


def with_mentions(template: str, body: str, mentions: Sequence[Mapping[str, str]], language: str) -> str:
    """Return the text with a second block for what is not asked for, unless the plan's text lists it itself."""
    if not mentions or "mentions" in template or "claims" in template:
        return body
    german = language == "de"
    head = (
        "Nur zur Information, nicht Teil dieser Zahlungsaufforderung:"
        if german
        else "For information only, not part of this request for payment:"
    )
    template_line = (
        "{number} vom {date}, fällig am {due_date}, offen {open}"
        if german
        else "{number} of {date}, due on {due_date}, open {open}"
    )
    lines = [template_line.format_map(one) + (f" ({one['why']})" if one["why"] else "") for one in mentions]
    return "\n".join([body, "", head, *lines])
