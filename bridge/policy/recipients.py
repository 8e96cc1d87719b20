"""Recipients (Empfänger): who gets a notice over one channel."""

from bridge.model import Address, Recipients
from bridge.policy.channel import Via
from bridge.policy.plan import DunningLevel
from bridge.policy.views import CaseView, ClaimView


def mail_recipients(case: CaseView, claim: ClaimView, level: DunningLevel) -> Recipients:
    """Return the addresses of a mail: the invoice's or the debtor's by default, contacts by role, or all; then fixed copies."""
    rule = level.recipients
    to: list[str] = []
    if rule.roles:
        to = [one.email for one in case.contacts if one.email and one.role in rule.roles]
    main = claim.email or case.email
    if main and (not to or rule.all_addresses):
        to.insert(0, main)
    if rule.all_addresses:
        to += [one.email for one in case.contacts if one.email]
    return Recipients(to=tuple(dict.fromkeys(to)), cc=rule.cc, bcc=rule.bcc)


def postal_address(case: CaseView, claim: ClaimView) -> Address | None:
    """Return the address of a letter, None where street or town are missing."""
    address = claim.address or case.address
    if address is None or not address.city or not (address.street or address.lines):
        return None
    if not address.lines and case.name:
        return address.model_copy(update={"lines": (case.name,)})
    return address


def can_reach(case: CaseView, claim: ClaimView, level: DunningLevel, via: Via) -> bool:
    """Return whether there is a recipient for this channel, without building the list."""
    if via.mailed and (claim.email or case.email):
        return True
    return bool(recipient_of(case, claim, level, via))


def recipient_of(case: CaseView, claim: ClaimView, level: DunningLevel, via: Via) -> str:
    """Return the recipient as one text, to compare later: mail addresses, or the folded postal address; empty: none."""
    if via.mailed:
        return ", ".join(mail_recipients(case, claim, level).to)
    return folded(postal_address(case, claim))


def folded(address: Address | None) -> str:
    """Return an address as one line."""
    if address is None:
        return ""
    town = f"{address.postcode} {address.city}".strip()
    return ", ".join(part for part in (*address.lines, address.street, town, address.country) if part)
