"""Words of letters and mails that are not in a plan's text."""

from bridge.policy import texts
from bridge.policy.claim_text import Form

_LETTER = {
    "de": {
        "number": "Rechnung",
        "dated": "vom",
        "due": "fällig am",
        "gross": "Betrag",
        "credited": "gutgeschr.",
        "paid": "bezahlt",
        "open": "offen",
        "in_currency": "Beträge in {currency}",
        "page": "Seite {n} von {of}",
        "date": "Datum",
        "scan": "GiroCode: mit der Banking-App scannen",
        "scan_alt": "GiroCode mit Empfänger, IBAN, Betrag und Verwendungszweck, wie daneben in Worten",
        "logo_alt": "Logo {sender}",
    },
    "en": {
        "number": "Invoice",
        "dated": "dated",
        "due": "due on",
        "gross": "amount",
        "credited": "credited",
        "paid": "paid",
        "open": "open",
        "in_currency": "Amounts in {currency}",
        "page": "Page {n} of {of}",
        "date": "Date",
        "scan": "GiroCode: scan with your banking app",
        "scan_alt": "GiroCode with payee, IBAN, amount and reference, as in words beside it",
        "logo_alt": "Logo of {sender}",
    },
}


def letter_words(form: Form) -> dict[str, str]:
    """Return the labels in the language of the notice."""
    found = {name: texts.local(word, form.tag) for name, word in _LETTER[form.language].items()}
    found["in_currency"] = found["in_currency"].format(currency=form.currency)
    found["mentions"] = form.words["mentions"]
    found["total"] = form.words["total"]
    return found
