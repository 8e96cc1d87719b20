"""What the debtor reads, German first. The page names invoices and the creditor, never amounts or the debtor; `case.` is for staff."""

from collections.abc import Mapping

TEXTS: Mapping[str, tuple[str, str]] = {
    "title": ("Antwort an {creditor}", "Answer to {creditor}"),
    "about": (
        "Es geht um unsere Nachricht vom {sent_on} zu {invoices}.",
        "This is about our message of {sent_on} on {invoices}.",
    ),
    "invoice": ("Rechnung {numbers}", "invoice {numbers}"),
    "invoice.several": ("den Rechnungen {numbers}", "invoices {numbers}"),
    "check.invoice": ("Rechnung {numbers}", "Invoice {numbers}"),
    "check.invoice.several": ("Rechnungen {numbers}", "Invoices {numbers}"),
    "choose": ("Was möchten Sie uns mitteilen?", "What would you like to tell us?"),
    "paid": ("Ich habe schon bezahlt", "I have already paid"),
    "promise": ("Ich werde bezahlen", "I will pay"),
    "dispute": ("Ich bin nicht einverstanden", "I do not agree"),
    "copy": ("Bitte schicken Sie mir die Rechnung noch einmal", "Please send me the invoice again"),
    "contact": ("Ich bin dafür nicht der richtige Ansprechpartner", "I am not the right person for this"),
    "paid.day": ("Wann haben Sie bezahlt?", "When did you pay?"),
    "promise.day": ("Wann werden Sie bezahlen?", "When will you pay?"),
    "day.hint": (
        "Zwischen {earliest} und {latest}, etwa {example}.",
        "Between {earliest} and {latest}, such as {example}.",
    ),
    "invoices.label": ("Um welche Rechnungen geht es?", "Which invoices is this about?"),
    "dispute.reason": ("Warum sind Sie nicht einverstanden?", "Why do you not agree?"),
    "contact.reason": ("Wer ist zuständig? (freiwillig)", "Who is the right person? (optional)"),
    "reason.hint": ("Höchstens {most} Zeichen.", "At most {most} characters."),
    "next": ("Weiter", "Continue"),
    "check": ("Stimmt das so?", "Is this right?"),
    "check.about": (
        "Noch ist nichts abgeschickt. Das teilen Sie uns mit:",
        "Nothing has been sent yet. This is what you tell us:",
    ),
    "send": ("Ja, absenden", "Yes, send it"),
    "back": ("Zurück", "Back"),
    "thanks": ("Danke, Ihre Antwort ist angekommen.", "Thank you, we have received your answer."),
    "thanks.paid": (
        "Wir prüfen den Zahlungseingang. Solange bleibt es zu den genannten Rechnungen ruhig.",
        "We look for your payment. Until then we stay quiet about the invoices named.",
    ),
    "thanks.promise": (
        "Bis zu diesem Tag bleibt es zu den genannten Rechnungen ruhig.",
        "Until that day we stay quiet about the invoices named.",
    ),
    "thanks.dispute": (
        "Wir melden uns. Bis das geklärt ist, bleibt es zu den genannten Rechnungen ruhig.",
        "We will be in touch. Until this is settled we stay quiet about the invoices named.",
    ),
    "thanks.copy": (
        "Wir schicken Ihnen die Rechnung an die Adresse, die wir von Ihnen haben.",
        "We will send the invoice to the address that we have for you.",
    ),
    "thanks.contact": (
        "Wir berichtigen unsere Daten, bevor wir wieder schreiben.",
        "We correct our data before we write again.",
    ),
    "given": (
        "Sie haben uns zu dieser Nachricht schon geantwortet: {answers}.",
        "You have already answered: {answers}.",
    ),
    "questions": ("Fragen? {contact}", "Questions? {contact}"),
    "error.title": ("Bitte prüfen Sie Ihre Angaben", "Please check what you entered"),
    "error.day.missing": ("Bitte geben Sie ein Datum an.", "Please enter a date."),
    "error.day.outside": (
        "Bitte geben Sie ein Datum zwischen {earliest} und {latest} an.",
        "Please enter a date between {earliest} and {latest}.",
    ),
    "error.reason.missing": ("Bitte nennen Sie den Grund.", "Please give the reason."),
    "error.reason.long": ("Bitte kürzen Sie den Text.", "Please shorten the text."),
    "error.invoices.unknown": ("Bitte wählen Sie eine der Rechnungen.", "Please choose one of the invoices."),
    "error.invoices.missing": ("Bitte wählen Sie mindestens eine Rechnung.", "Please choose at least one invoice."),
    "error.answer.many": (
        "Zu dieser Nachricht sind schon zu viele Antworten eingegangen. Bitte melden Sie sich bei uns.",
        "There are too many answers to this message already. Please contact us.",
    ),
    "gone.title": ("Dieser Link gilt nicht", "This link is not valid"),
    "gone.text": (
        "Er ist abgelaufen oder unvollständig. Bitte öffnen Sie ihn noch einmal aus unserer E-Mail, oder antworten Sie auf die E-Mail.",
        "It has expired or is incomplete. Please open it again from our e-mail, or answer the e-mail.",
    ),
    "busy.title": ("Zu viele Anfragen", "Too many requests"),
    "busy.text": ("Bitte versuchen Sie es in einer Minute noch einmal.", "Please try again in a minute."),
    "broken.title": ("Das hat leider nicht geklappt", "Sorry, this did not work"),
    "broken.text": (
        "Bei uns ist etwas schiefgegangen; Ihre Antwort ist nicht angekommen. Bitte versuchen Sie es später noch einmal.",
        "Something went wrong on our side; your answer was not received. Please try again later.",
    ),
    "case.title": ("Mahnakte {number}", "Dunning case {number}"),
    "case.text": (
        "Diese Seite ist für Mitarbeitende. Die Mahnakte zeigt dieser Befehl auf dem Rechner, auf dem mahnbridge läuft:",
        "This page is for members of staff. This command shows the case, on the machine on which mahnbridge runs:",
    ),
    "case.hint": (
        "Die Seite selbst liest keine Mahnakten; sie sieht für jede Nummer gleich aus.",
        "The page itself reads no cases; it looks alike for every number.",
    ),
    "other": ("English", "Deutsch"),
}
"""German and English by key."""


def say(key: str, language: str, **facts: object) -> str:
    """Return a text in `de`, or else in English, with its facts filled in."""
    return TEXTS[key][0 if language == "de" else 1].format(**facts)
