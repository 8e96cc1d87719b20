"""From the configuration and the content of a notice to the letter that is printed."""

from datetime import date

from bridge.config import Creditor
from bridge.documents.form import Style
from bridge.documents.letter import Letter, Sender
from bridge.errors import Refused
from bridge.model import Address, Content, Debtor

_WORDS = {
    "de": {
        "customer": "Kundennummer",
        "case": "Aktenzeichen",
        "contact": "Ansprechpartner",
        "phone": "Telefon",
        "email": "E-Mail",
        "managers": "Geschäftsführung",
        "vat_id": "USt-IdNr.",
        "tax_number": "Steuernummer",
        "creditor_id": "Gläubiger-ID",
    },
    "en": {
        "customer": "Customer number",
        "case": "Our reference",
        "contact": "Contact",
        "phone": "Telephone",
        "email": "E-mail",
        "managers": "Managing directors",
        "vat_id": "VAT ID",
        "tax_number": "Tax number",
        "creditor_id": "Creditor ID",
    },
}


def letter_of(
    content: Content, creditor: Creditor, style: Style, debtor: Debtor | None, *, case: str = "", today: date
) -> Letter:
    """Return the letter that prints `content`: for the post, or without a postal address as a file that goes with a mail.

    Raises `Refused` where a letter for the post has no address.
    """
    name = debtor.name if debtor else ""
    address, by_mail = content.address, bool(content.recipients.to)
    if address is None and by_mail:
        address = (debtor.address if debtor else None) or Address(lines=(name or content.recipients.to[0],))
    if address is None:
        raise Refused("there is no postal address for {name}", name=name or "the customer", cause="letter_address")
    words = _WORDS.get(content.language, _WORDS["en"])
    info = (
        (words["customer"], debtor.number or "" if debtor else ""),
        (words["case"], case),
        (words["contact"], creditor.contact),
        (words["phone"], creditor.phone),
        (words["email"], creditor.email or ""),
    )
    return Letter(
        language=content.language,
        country=content.country,
        dated_on=today,
        sender=Sender(name=creditor.name, address=creditor.address, footer=particulars(creditor, content.language)),
        name=name,
        address=address,
        posted=not by_mail,
        subject=content.subject,
        text=content.text,
        info=tuple(pair for pair in info if pair[1]),
        claims=content.table,
        payment=content.payment,
        style=style,
    )


def particulars(own: Creditor, language: str = "de") -> tuple[tuple[str, ...], ...]:
    """Return the particulars that business letters and mails must carry (GmbHG 35a, HGB 37a), in columns."""
    words = _WORDS.get(language, _WORDS["en"])

    def named(name: str, value: str) -> str:
        return f"{words[name]} {value}" if value else ""

    managers = ", ".join(own.managers)
    iban = " ".join((own.iban or "")[at : at + 4] for at in range(0, len(own.iban or ""), 4))
    columns = (
        (own.name, *own.lines, own.street, f"{own.postcode} {own.city}".strip()),
        (named("phone", own.phone), own.email or "", own.website),
        (
            own.register_entry,
            f"{words['managers']}: {managers}" if managers else "",
            named("vat_id", own.vat_id),
            named("tax_number", own.tax_number),
        ),
        (
            own.bank,
            f"IBAN {iban}" if iban else "",
            f"BIC {own.bic}" if own.bic else "",
            named("creditor_id", own.creditor_id),
        ),
    )
    filled = (tuple(line for line in column if line) for column in columns)
    return tuple(column for column in filled if column)
