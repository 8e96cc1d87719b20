"""The table of claims and how to pay, as lines of plain text; and what stands in their place in a text."""

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

from bridge.model import ClaimedInvoice, ClaimTable, Content, PaymentDetails
from bridge.policy import texts

_LAW = re.compile(r"(\w+) (\d+\w?)(?:\((\d+)\))?")
WORDS = {
    "de": {
        "of": "vom",
        "due": "fällig am",
        "paid": "bezahlt",
        "credited": "gutgeschrieben",
        "open": "offen",
        "interest": "Verzugszinsen {first} bis {last}, {days} Tage",
        "interest.one": "Verzugszinsen am {first}, 1 Tag",
        "credit_notes": "Abgezogen: {notes}.",
        "credit_note": "Gutschrift",
        "over": "über",
        "law": "Zinssatz nach {law}; Zinsen bis {day} berechnet.",
        "principal": "Hauptforderung",
        "ancillary": "Nebenforderungen",
        "interest_sum": "Verzugszinsen bis {day}",
        "total": "Gesamtbetrag",
        "mentions": "Nur zur Information, nicht Teil dieser Zahlungsaufforderung",
        "amount": "Betrag",
        "deadline": "Zahlbar bis",
        "payee": "Empfänger",
        "bank": "Bank",
        "reference": "Verwendungszweck",
    },
    "en": {
        "of": "of",
        "due": "due on",
        "paid": "paid",
        "credited": "credited",
        "open": "open",
        "interest": "Default interest {first} to {last}, {days} days",
        "interest.one": "Default interest on {first}, 1 day",
        "credit_notes": "Taken off: {notes}.",
        "credit_note": "credit note",
        "over": "of",
        "law": "Rate of interest under {law}; interest computed until {day}.",
        "principal": "Principal",
        "ancillary": "Ancillary claims",
        "interest_sum": "Default interest until {day}",
        "total": "Total",
        "mentions": "For information only, not part of this request for payment",
        "amount": "Amount",
        "deadline": "Payable by",
        "payee": "Payee",
        "bank": "Bank",
        "reference": "Payment reference",
    },
}


class Form:
    """Words, amounts and dates of one notice, as its language and the creditor's country write them."""

    def __init__(self, language: str, country: str = "DE", currency: str = "EUR") -> None:
        self.language = language if language in WORDS else "en"
        self.tag = texts.tag(self.language, country)
        self.currency = currency
        self.words = {name: texts.local(word, self.tag) for name, word in WORDS[self.language].items()}

    def day(self, value: date | None) -> str:
        """Return a date."""
        return texts.day(value, self.tag)

    def number(self, value: Decimal) -> str:
        """Return an amount without its currency."""
        return texts.number(int(value.scaleb(2)), self.tag)

    def money(self, value: Decimal) -> str:
        """Return an amount with its currency."""
        return texts.money(int(value.scaleb(2)), self.currency, self.tag)

    def say(self, name: str, **facts: object) -> str:
        """Return a word with its facts."""
        return self.words[name].format(**facts)

    def details(self, row: ClaimedInvoice) -> Iterator[tuple[str, Decimal]]:
        """Yield each ancillary claim and each row of interest of an invoice, with its amount."""
        for one in row.ancillaries:
            yield one.text, one.amount
        for part in row.interest_rows:
            name = "interest.one" if part.days == 1 else "interest"
            head = self.say(name, first=self.day(part.first), last=self.day(part.last), days=part.days)
            yield f"{head}: {part.formula}", part.interest

    def sums(self, table: ClaimTable) -> list[tuple[str, Decimal]]:
        """Return the parts of the total where there is more than the principal, then the total."""
        found = []
        if table.ancillary or table.interest:
            found.append((self.words["principal"], table.principal))
            if table.ancillary:
                found.append((self.words["ancillary"], table.ancillary))
            if table.interest:
                found.append((self.say("interest_sum", day=self.day(table.on)), table.interest))
        return [*found, (self.words["total"], table.total)]

    def law(self, table: ClaimTable) -> str:
        """Return by which statute and until when interest was computed; nothing without interest."""
        if not table.interest or not table.law:
            return ""
        named = _LAW.sub(self._statute, table.law)
        return self.say("law", law=named, day=self.day(table.on))

    def remarks(self, table: ClaimTable) -> list[str]:
        """Return what stands below the table: the open credit notes that were taken off, and how interest was computed."""
        notes = [
            f"{self.words['credit_note']} {one.number}".strip() + f" {self.words['over']} {self.money(one.amount)}"
            for row in table.rows
            for one in row.credit_notes
        ]
        told = self.say("credit_notes", notes=", ".join(notes)) if notes else ""
        return [one for one in (told, self.law(table)) if one]

    def _statute(self, found: re.Match[str]) -> str:
        code, section, paragraph = found.groups()
        if self.language == "de":
            sign = "Art." if code == "OR" else "§"
            return f"{sign} {section}" + (f" Abs. {paragraph}" if paragraph else "") + f" {code}"
        return f"section {section}" + (f"({paragraph})" if paragraph else "") + f" {code}"

    def payment(self, payment: PaymentDetails) -> list[tuple[str, str]]:
        """Return how to pay, label first; the IBAN in groups of four."""
        words, plain = self.words, payment.iban
        pairs = (
            (words["amount"], self.money(payment.amount)),
            (words["deadline"], self.day(payment.deadline)),
            (words["payee"], payment.payee),
            ("IBAN", " ".join(plain[at : at + 4] for at in range(0, len(plain), 4))),
            ("BIC", payment.bic),
            (words["bank"], payment.bank),
            (words["reference"], payment.reference),
        )
        return [pair for pair in pairs if pair[1]]

    def invoice_line(self, row: ClaimedInvoice) -> str:
        """Return an invoice in one line: number, dates, and what is open of it."""
        words = self.words
        head = f"{row.number} {words['of']} {self.day(row.issued_on)}" if row.issued_on else row.number
        parts = [f"{words['due']} {self.day(row.due_on)}"] if row.due_on else []
        if row.credited or row.paid:
            parts.append(self.money(row.gross))
        if row.credited:
            parts.append(f"{words['credited']} {self.money(row.credited)}")
        if row.paid:
            parts.append(f"{words['paid']} {self.money(row.paid)}")
        return ", ".join((head, *parts, f"{words['open']} {self.money(row.open)}"))


def form_of(content: Content) -> Form:
    """Return how the amounts of `content` are written."""
    return Form(content.language, content.country, content.currency)


def claim_lines(table: ClaimTable, form: Form) -> str:
    """Return the table of claims as lines of plain text."""
    lines = []
    for row in table.rows:
        lines.append(form.invoice_line(row))
        lines += [f"  {text}: {form.money(value)}" for text, value in form.details(row)]
    sums = form.sums(table)
    if len(sums) > 1 or len(table.rows) > 1:
        lines += ["", *(f"{label}: {form.money(value)}" for label, value in sums)]
    lines += form.remarks(table)
    if table.mentions:
        lines += ["", f"{form.words['mentions']}:"]
        for one in table.mentions:
            due = f", {form.words['due']} {form.day(one.due_on)}" if one.due_on else ""
            why = f" ({one.why})" if one.why else ""
            lines.append(f"{one.number}{due}, {form.words['open']} {form.money(one.open)}{why}")
    return "\n".join(lines)


def payment_lines(payment: PaymentDetails, form: Form) -> str:
    """Return how to pay as lines of plain text."""
    return "\n".join(f"{label}: {value}" for label, value in form.payment(payment))


def parts_of(text: str) -> list[str]:
    """Return the paragraphs of a text; the places of the table and of how to pay are paragraphs of their own, each once."""
    spaced = re.sub(
        rf"^[ \t]*({re.escape(texts.CLAIMS)}|{re.escape(texts.PAYMENT)})[ \t]*$",
        r"\n\n\1\n\n",
        text.replace("\r\n", "\n").replace("\r", "\n"),
        flags=re.MULTILINE,
    )
    found: list[str] = []
    for part in re.split(r"\n[ \t]*(?:\n[ \t]*)+", spaced):
        paragraph = part.strip("\n")
        if paragraph.strip() and not (paragraph in (texts.CLAIMS, texts.PAYMENT) and paragraph in found):
            found.append(paragraph)
    return found


def plain(content: Content) -> str:
    """Return the text of `content` for places that know plain text alone."""
    if texts.CLAIMS not in content.text and texts.PAYMENT not in content.text:
        return content.text
    form = form_of(content)
    fills = {
        texts.CLAIMS: claim_lines(content.table, form) if content.table else "",
        texts.PAYMENT: payment_lines(content.payment, form) if content.payment else "",
    }
    parts = (fills.get(part, part) for part in parts_of(content.text))
    return "\n\n".join(part for part in parts if part)


def mail_text(content: Content) -> str:
    """Return the plain text of a mail: the text, and below it the creditor's particulars (GmbHG 35a, HGB 37a) where there are some."""
    text = plain(content)
    return "\n".join([text.rstrip("\n"), "", "-- ", *content.footer]) if content.footer else text
