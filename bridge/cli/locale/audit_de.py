"""German texts about the audit trail."""

TEXTS = {
    "command.audit": "Der Prüfpfad: jedes Ereignis verkettet, Änderungen fallen auf.",
    "command.audit verify": "Prüft den Prüfpfad: jedes Ereignis gegen seine Prüfsumme, die Kette, und den zuletzt außerhalb notierten Stand.",
    "command.audit export": "Schreibt den ganzen Prüfpfad als JSON-Zeilen.",
    "command.audit erase": "Löscht personenbezogene Angaben, deren Aufbewahrung vorbei ist; die Kette bleibt heil.",
    "option.audit.head": "Ein anderswo notierter Stand, NUMMER:PRÜFSUMME.",
    "option.audit.before": "Ereignisse vor diesem Tag; frühestens zehn Jahre nach Ende des Kalenderjahrs.",
    "audit.whole": "{count} Ereignisse, lückenlos und unverändert.",
    "audit.head": "Stand, zum Notieren außerhalb: {head}",
    "audit.changed": "✗ Ereignis {number} ({kind}, {at}) wurde verändert.",
    "audit.missing": "✗ Ereignis {number} fehlt.",
    "audit.erased": "✗ Die Angaben von Ereignis {number} ({kind}, {at}) wurden ohne Vermerk gelöscht.",
    "audit.link": "✗ Glied {number} der Kette passt nicht zu den anderen.",
    "audit.cut": "✗ Die Kette endet vor Glied {number} oder ist dort eine andere: Ereignisse wurden entfernt, oder ein alter Stand wurde eingespielt.",
    "audit.decision": "✗ Entscheidung {number} wurde verändert.",
    "audit.undecided": "✗ Entscheidung {number} fehlt.",
    "audit.foreign": "✗ Entscheidung {number} hat kein Lauf getroffen: Sie wurde eingefügt, oder ihr Ereignis wurde entfernt oder verändert.",
    "done.trail_exported": "{count} Ereignisse in {subject}.",
    "done.data_erased_until": "Angaben von {count} Ereignissen vor dem {until} gelöscht ({actor}).",
}
