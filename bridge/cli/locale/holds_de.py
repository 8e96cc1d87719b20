"""Texts about holds: what keeps a reminder back, and until when, in German."""

TEXTS = {
    "deliver.later": "Außerhalb der Versandzeiten: {count} Schritte warten bis {at}.",
    "deliver.later.one": "Außerhalb der Versandzeiten: {count} Schritt wartet bis {at}.",
    "plans.until": "vor {time} Uhr",
}
