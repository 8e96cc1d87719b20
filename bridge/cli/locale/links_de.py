"""German texts about the debtor's page and its links."""

TEXTS = {
    "command.links": "Links, über die Kunden ohne Anmeldung auf eine Mahnung antworten.",
    "command.links list": "Listet die Links in den Mahnungen einer Akte und was darauf geantwortet wurde.",
    "command.links revoke": "Widerruft alle Links einer Akte endgültig; neue Mahnungen bekommen neue.",
    "links.none": "In den Mahnungen dieser Akte steht kein Link.",
    "links.valid": "gilt",
    "links.revoked": "widerrufen",
    "links.not_out": "noch nicht versendet",
    "links.never_out": "nie versendet",
    "links.answer.paid": "hat bezahlt",
    "links.answer.promise": "wird zahlen",
    "links.answer.dispute": "Einwand",
    "links.answer.copy": "Rechnung erneut gewünscht",
    "links.answer.contact": "falscher Ansprechpartner",
    "column.notice": "Mahnung",
    "column.sent_on": "Vom",
    "column.answers": "Antworten",
    "done.links_revoked": "Akte {subject}: {count} Links widerrufen ({actor}).",
    "done.links_revoked.one": "Akte {subject}: ein Link widerrufen ({actor}).",
}
