"""Recipients (Empfänger): who gets a notice over one channel."""

import re
from collections.abc import Iterable
from dataclasses import replace

from bridge.errors import Wrong
from bridge.model import Address, Recipients
from bridge.policy.channel import Document, Via
from bridge.policy.colleagues import copies
from bridge.policy.plan import Automation, DunningLevel, Variant
from bridge.policy.rules import AccountRules
from bridge.policy.views import CaseView, ClaimView, SendTo
from bridge.words import Sentence, quoted

LONGEST_EMAIL = 254
"""Signs of an e-mail address (RFC 5321); asked first, as a longer one would take the square of its length to read."""

_EMAIL = re.compile(r"[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>]+")


def addressed(claim: ClaimView, level: int) -> ClaimView:
    """Return the claim with the recipients that a person chose for its level (a position in the plan)."""
    if not claim.send_to:
        return claim
    mail_to, post_to = picked(claim.send_to, level)
    return replace(claim, mail_to=mail_to, post_to=post_to)


def picked(send_to: Iterable[SendTo], level: int) -> tuple[tuple[str, ...], Address | None]:
    """Return the mail addresses and the postal address that people chose for a level, as far as they did."""
    mine = [one for one in send_to if one.level in (0, level)]
    return (
        next((one.emails for one in mine if one.emails), ()),
        next((one.address for one in mine if one.address), None),
    )


def email_of(text: str) -> str:
    """Return a mail address that a person wrote. Raises `ValueError` where it is none."""
    if len(text) > LONGEST_EMAIL or not _EMAIL.fullmatch(text):
        raise Wrong("{text!r} is no e-mail address; write one such as accounts@example.com", text=text)
    return text


def address_of(text: str) -> Address:
    """Return a postal address that a person wrote in one line. Raises `ValueError` where it is none.

    A country stands before the postcode (AT-1010 Wien), or behind the town, which then may be written as that country writes it.
    """
    parts = [part.strip() for part in text.split(";")]
    behind = parts.pop() if len(parts) > 3 and re.fullmatch(r"[A-Z]{2}", parts[-1]) else None
    town = re.fullmatch(r"(?:([A-Z]{2})[- ])?(\d[\d -]{2,9})\s+(\S.*)", parts[-1])
    if len(parts) < 3 or not all(parts) or (town is None and behind is None):
        raise Wrong(
            "{text!r} is no address; write name; street; postcode town, such as 'Muster GmbH; Weg 1; 20095 Hamburg', "
            "abroad with the country behind it, such as '; AT'",
            text=text,
        )
    country, postcode, city = town.groups() if town else (None, "", parts[-1])
    return Address(
        lines=tuple(parts[:-2]),
        street=parts[-2],
        postcode=postcode.strip(),
        city=city,
        country=behind or country or "DE",
    )


def mail_recipients(case: CaseView, claim: ClaimView, level: DunningLevel, rules: AccountRules) -> Recipients:
    """Return the addresses of a mail, and who of our own people gets a copy."""
    cc, bcc = copies(case, level, rules)
    to, rule = _addressees(case, claim, level), level.recipients
    return Recipients(to=to, cc=tuple(dict.fromkeys((*rule.cc, *cc))), bcc=tuple(dict.fromkeys((*rule.bcc, *bcc))))


def _addressees(case: CaseView, claim: ClaimView, level: DunningLevel) -> tuple[str, ...]:
    """Return the debtor's addresses: the invoice's or their own by default, contacts by role, or all."""
    rule = level.recipients
    if claim.mail_to:
        return claim.mail_to
    to: list[str] = []
    if rule.roles:
        to = [one.email for one in case.contacts if one.email and one.role in rule.roles]
    main = claim.email or case.email
    if main and (not to or rule.all_addresses):
        to.insert(0, main)
    if rule.all_addresses:
        to += [one.email for one in case.contacts if one.email]
    return tuple(dict.fromkeys(to))


def postal_address(case: CaseView, claim: ClaimView) -> Address | None:
    """Return the address of a letter, None where street or town are missing."""
    if claim.post_to is not None:
        return claim.post_to
    address = claim.address or case.address
    if address is None or not address.city or not (address.street or address.lines):
        return None
    if not address.lines and case.name:
        return address.model_copy(update={"lines": (case.name,)})
    return address


def by_letter_instead(case: CaseView, claim: ClaimView, level: DunningLevel, rules: AccountRules) -> bool:
    """Return whether a letter takes the place of this level's mail: a mail has no address, the post has one."""
    if not rules.letter_without_email or can_reach(case, claim, level, Via.MAIL):
        return False
    return postal_address(case, claim) is not None


def reaching(case: CaseView, claim: ClaimView, level: DunningLevel, variant: Variant, rules: AccountRules) -> Variant:
    """Return the variant as it reaches this debtor: a letter of ours for each mail that has no address."""
    mailed = any(via.mailed for via in variant.channels)
    if not mailed or level.automation in (Automation.CREATE, Automation.COMPLETE):
        return variant
    if not by_letter_instead(case, claim, level, rules):
        return variant
    channels = dict.fromkeys(Via.LETTER if via.mailed else via for via in variant.channels)
    keeps = variant.document in (Document.SILENT, Document.NONE)
    return variant.model_copy(
        update={"channels": tuple(channels), "document": variant.document if keeps else Document.NONE}
    )


def told_unusable(case: CaseView, via: Via) -> tuple[Sentence, ...]:
    """Return the remark for staff that an address at the provider is none, so that this notice goes elsewhere; most often nothing."""
    if not case.unusable or via.in_house:
        return ()
    what = quoted(", ".join(case.unusable))
    return (Sentence("“{what}” of this customer is no e-mail address; nothing goes there", what=what),)


def can_reach(case: CaseView, claim: ClaimView, level: DunningLevel, via: Via) -> bool:
    """Return whether there is a recipient for this channel, without building the list."""
    if via.mailed and (claim.email or case.email):
        return True
    return bool(recipient_of(case, claim, level, via))


def recipient_of(case: CaseView, claim: ClaimView, level: DunningLevel, via: Via) -> str:
    """Return the recipient as one text, to compare later: mail addresses, or the folded postal address; empty: none."""
    if via.mailed:
        return ", ".join(_addressees(case, claim, level))
    if via.in_house:
        return ""
    return folded(postal_address(case, claim))


def folded(address: Address | None) -> str:
    """Return an address as one line."""
    if address is None:
        return ""
    town = f"{address.postcode} {address.city}".strip()
    return ", ".join(part for part in (*address.lines, address.street, town, address.country) if part)
