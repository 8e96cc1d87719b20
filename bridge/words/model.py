"""German of what the nouns refuse, and of what an act does."""

GERMAN: dict[str, str] = {
    "amend a reminder": "eine Mahnung ergänzen",
    "amounts are decimal text or Decimal, never float": "Beträge sind Dezimaltext oder Decimal, nie float",
    "complete a reminder": "eine Mahnung fertigstellen",
    "create a reminder": "eine Mahnung anlegen",
    "delete a draft": "einen Entwurf löschen",
    "mark a reminder as sent": "eine Mahnung als versandt kennzeichnen",
    "send a mail": "eine Mail senden",
    "send a reminder by e-mail": "eine Mahnung per E-Mail senden",
    "send a reminder by post": "eine Mahnung per Post senden",
    "set a tag on the invoice": "ein Schlagwort an die Rechnung setzen",
    "tell colleagues": "Kollegen benachrichtigen",
    "the invoices do not add up to {total}": "die Rechnungen ergeben zusammen nicht {total}",
    "the rows of invoice {number} do not add up to {total}": "die Zeilen der Rechnung {number} ergeben zusammen nicht {total}",
    "write a letter": "einen Brief schreiben",
    "write a line in the customer's record": "eine Zeile beim Kunden eintragen",
    "write a line on the invoice": "eine Zeile an der Rechnung eintragen",
    "{field} = {value}: {reason}": "{field} = {value}: {reason}",
    "{value} has more than two decimal places": "{value} hat mehr als zwei Nachkommastellen",
    "{value} is larger than {largest}": "{value} ist größer als {largest}",
    "{value} is no amount of money": "{value} ist kein Geldbetrag",
}
