"""German texts about approvals, forewarnings and contacts."""

TEXTS = {
    "column.contact": "Ansprechpartner",
    "command.edit": "Ändert einen Mahnvorschlag oder Freigegebenes, das noch nicht auf dem Weg ist: Betreff, Text, Empfänger, Stufe, Gebühr. Die Freigabe wird neu erbeten.",
    "command.forewarn": "Zeigt, was am nächsten Versandtag hinausgeht; mit --send als Mail an forewarning.to.",
    "command.case note": "Eine Notiz zur Akte festhalten; am Ablauf ändert sie nichts.",
    "done.noted": "{subject}: Notiz festgehalten ({actor}).",
    "command.case contact": "Hält fest, dass jemand den Kunden selbst angeschrieben oder gesprochen hat; der Mindestabstand zählt ab dann.",
    "option.edit.subject": "Neuer Betreff.",
    "option.edit.text": "Datei mit dem neuen Text; - liest die Standardeingabe.",
    "option.edit.to": "Neue Adresse; mehrfach möglich.",
    "option.edit.unknown": "Auch Adressen, die der Kunde nicht hat.",
    "option.edit.level": "Andere Stufe; die Mahnung wird neu verfasst.",
    "option.edit.fee": "Andere Gebühr dieser Stufe, etwa 0 oder 2,50; die Mahnung wird neu verfasst.",
    "option.forewarn.send": "Als Mail senden, je Tag einmal.",
    "option.case.contact_on": "Tag des Kontakts (sonst heute).",
    "approve.overtaken": "{notice} wird nicht freigegeben: {invoice}: {reason}",
    "approve.taken_back": "Was inzwischen nicht mehr hinausdarf, nimmt der nächste Lauf zurück (`mahnbridge run`) und entscheidet neu.",
    "approve.left": "Nicht freigegeben: {text}",
    "approve.chosen": "{count} ausgewählt",
    "forewarn.sent": "Gesendet an {to}.",
    "done.contact_noted_until": "{subject}: Kontakt vom {until} festgehalten ({actor}).",
}
