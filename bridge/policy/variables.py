"""The variables of texts as people look them up: meaning in German and English, type, example."""

from typing import NamedTuple

from bridge.policy.texts import VARIABLES, example

_TABLES = {"claims": "RE-1042 ... 1.190,00 EUR", "payment": "1.195,00 EUR, DE89 3704 0044 0532 0130 00"}
"""Examples of what stands for a whole table."""

GERMAN = {
    "debtor_name": "Name des Kunden",
    "customer_number": "Kundennummer, kann leer sein",
    "greeting": "Anrede, mit dem Namen der Person, wo einer bekannt ist",
    "level_name": "Name der Stufe",
    "invoice_number": "Nummer der Rechnung; bei mehreren bis zu drei, und wie viele weitere",
    "invoice_date": "Datum der Rechnung; bei mehreren das älteste",
    "due_date": "aufgedrucktes Fälligkeitsdatum; bei mehreren das älteste",
    "days_overdue": "Tage seit der Fälligkeit; bei mehreren die meisten",
    "open_amount": "offene Hauptforderung aller genannten Rechnungen, abzüglich offener Gutschriften",
    "fee": "Gebühr dieser Stufe, leer, wo es keine gibt",
    "paid": "was auf diese Rechnungen gezahlt wurde, leer, wo nichts kam",
    "earlier_fees": "Gebühren früherer Stufen und andere Kosten, leer, wo es keine gibt",
    "flat_fee": "Verzugspauschalen (§ 288 Abs. 5 BGB), leer, wo es keine gibt",
    "interest": "Verzugszinsen aller Rechnungen, leer, wo keine gefordert werden",
    "interest_until": "Tag, bis zu dem einschließlich Zinsen gerechnet sind",
    "total": "was gefordert wird: offener Betrag, Gebühren, Pauschalen und Zinsen",
    "deadline": "Tag, bis zu dem zu zahlen ist",
    "term_days": "Tage bis dahin",
    "today": "Datum der Mahnung",
    "case_number": "Nummer der Mahnakte, kann leer sein",
    "creditor": "Name des Gläubigers",
    "creditor_email": "E-Mail-Adresse des Gläubigers, kann leer sein",
    "creditor_phone": "Telefonnummer des Gläubigers, kann leer sein",
    "account_owner": "wer von uns den Kunden betreut, kann leer sein",
    "account_owner_email": "dessen E-Mail-Adresse, kann leer sein",
    "iban": "Konto, auf das zu zahlen ist, kann leer sein",
    "debtor_link": "Adresse der Seite, auf der der Schuldner antworten kann; leer auf Briefen und wo es keine gibt",
    "claims": "alle Forderungen mit ihren Summen: in Briefen und Mails als Tabelle, im reinen Text als Zeilen",
    "payment": "Betrag, Tag, Konto und Verwendungszweck zum Zahlen; in Briefen und Mails mit dem GiroCode",
    "several": "wahr, wo die Mahnung mehr als eine Rechnung nennt",
    "items": "die Rechnungen, für eine Schleife; open ist gross abzüglich paid und credited (offene Gutschriften)",
    "payments": "Zahlungen auf diese Rechnungen, für eine Schleife",
    "ancillaries": "Gebühren, Kosten und Pauschalen, für eine Schleife",
    "interest_rows": "die Zinsrechnung, für eine Schleife",
    "mentions": "aufgeführte, nicht geforderte Rechnungen, für eine Schleife",
    "credits": "abgezogene offene Gutschriften, für eine Schleife",
}
"""The meanings in German; `texts.VARIABLES` has the English ones."""

_AMOUNTS = frozenset({"open_amount", "paid", "fee", "earlier_fees", "flat_fee", "interest", "total"})
_DATES = frozenset({"invoice_date", "due_date", "deadline", "today", "interest_until"})
_NUMBERS = frozenset({"days_overdue", "term_days"})


class Variable(NamedTuple):
    """One variable: `kind` is text, amount, date, number, truth, table or list; `parts` are the fields of each item of a list, `samples` a value of each."""

    name: str
    kind: str
    meaning: str
    example: str
    parts: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()


def variables(language: str) -> tuple[Variable, ...]:
    """Return every variable that a text may use, in plain words of `language`."""
    values = example()
    return tuple(_described(name, values[name], language) for name in VARIABLES)


def _described(name: str, value: object, language: str) -> Variable:
    meaning, sample = VARIABLES[name]
    if language == "de":
        meaning = GERMAN.get(name, meaning)
    if isinstance(value, list):
        parts = tuple(value[0])
        samples = tuple(value[0].values())
        return Variable(name, "list", meaning.partition(": ")[0], f"{{% for one in {name} %}}", parts, samples)
    if isinstance(value, bool):
        return Variable(name, "truth", meaning, f"{{% if {name} %}}")
    if name in _TABLES:
        return Variable(name, "table", meaning, _TABLES[name])
    groups = {"amount": _AMOUNTS, "date": _DATES, "number": _NUMBERS}
    kind = next((group for group, names in groups.items() if name in names), "text")
    return Variable(name, kind, meaning, sample)
