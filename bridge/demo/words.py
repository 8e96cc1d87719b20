"""The demo's words, German first."""

from bridge.words import tell

WORDS: dict[str, tuple[str, str]] = {
    "title": ("mahnbridge: vier Wochen einer Agentur", "mahnbridge: four weeks of an agency"),
    "intro": (
        "Erfunden, aber echt gespielt: {debtors} Kunden und {invoices} Rechnungen in sevDesk, Billomat (hinter einem OAuth-Gateway) und CSV.",
        "Invented, but really played: {debtors} customers and {invoices} invoices in sevDesk, Billomat (behind an OAuth gateway) and CSV.",
    ),
    "days": ("Die vier Wochen", "The four weeks"),
    "day": ("Tag", "day"),
    "changed": ("gelesen", "read"),
    "landed": ("versandt", "sent"),
    "dropped": ("fallen gelassen", "dropped"),
    "what": ("was geschah", "what happened"),
    "live": ("Versand eingeschaltet", "sending switched on"),
    "dispute": ("{customer} reklamiert {invoice}: gesperrt", "{customer} disputes {invoice}: blocked"),
    "deferred": ("{customer} bekommt für {invoice} Aufschub", "{customer} gets a deferral for {invoice}"),
    "promise": ("{customer} sagt Zahlung von {invoice} zu", "{customer} promises to pay {invoice}"),
    "paid_after_decision": (
        "{customer} zahlt {invoice}, nachdem die Mahnung beschlossen war: sie geht nicht hinaus",
        "{customer} pays {invoice} after the reminder was decided: it does not go out",
    ),
    "found": (
        "Antwort von Billomat verloren, nachgesehen, gefunden: genau eine Mahnung",
        "answer of Billomat lost, looked up, found: exactly one reminder",
    ),
    "outage": (
        "sevDesk gestört ({cause}); Abruf gescheitert, später nachgeholt",
        "sevDesk down ({cause}); the read failed and was replayed",
    ),
    "mended": (
        "{invoice} mit unmöglichem Datum berichtigt und nachgeholt",
        "{invoice} with an impossible date mended and replayed",
    ),
    "mail_busy": ("Mailserver überlastet; später zugestellt", "mail server busy; delivered later"),
    "approved": ("{count} Vorschläge freigegeben", "{count} proposals approved"),
    "sent": ("Was hinausging, und warum", "What went out, and why"),
    "held": ("Was zurückgehalten wurde, und warum", "What was held back, and why"),
    "failed": ("Was scheiterte und nachgeholt wurde", "What failed and was replayed"),
    "left": ("Was auf eine Person wartet", "What waits for a person"),
    "nothing": ("nichts", "nothing"),
    "explain": ("Eine Rechnung gefragt: {number}", "One invoice asked: {number}"),
    "on": ("am {on}: {text}", "on {on}: {text}"),
    "ledgers": ("Was die anderen glauben, und was wir glauben", "What the others believe, and what we believe"),
    "account": ("Konto", "account"),
    "ours": ("unser Buch", "our ledger"),
    "theirs": ("ihr Buch", "their ledger"),
    "twice": ("doppelt", "twice"),
    "paid": ("trotz Zahlung", "though paid"),
    "level": ("Stufe", "level"),
    "channel": ("Weg", "channel"),
    "count": ("Anzahl", "count"),
    "example": ("zum Beispiel", "for example"),
    "invoice": ("Rechnung", "invoice"),
    "reason": ("Grund", "reason"),
    "cause": ("Ursache", "cause"),
    "outcome": ("Ergebnis", "outcome"),
    "customer": ("Kunde", "customer"),
    "total": ("Summe", "total"),
    "cases": ("{open} Mahnakten offen, {closed} geschlossen.", "{open} cases open, {closed} closed."),
    "agree": ("Alle Bücher stimmen überein.", "All ledgers agree."),
    "disagree": ("Die Bücher stimmen NICHT überein.", "The ledgers do NOT agree."),
    "took": ("{seconds} Sekunden.", "{seconds} seconds."),
    "data": (
        "Zum Umsehen: {command} --config {folder}/bridge.yaml cases",
        "To look around: {command} --config {folder}/bridge.yaml cases",
    ),
    "because": ("{days} Tage überfällig", "{days} days overdue"),
    "smtp": ("eigener Mailserver", "own mail server"),
}


def say(key: str, language: str, **values: object) -> str:
    """Return a text in `language` (de, en) with its values filled in."""
    german, english = WORDS[key]
    known = {name: tell(value, language) if isinstance(value, str) else value for name, value in values.items()}
    return (english if language == "en" else german).format(**known)
