"""German texts about letters and mails that came back."""

TEXTS = {
    "command.letters returned": "Hält fest, dass ein Brief oder eine Mail zurückkam; die nächste Stufe wartet, bis erneut gesendet oder die Zustellung anerkannt ist.",
    "command.letters accepted": "Lässt ein zurückgekommenes Schreiben als zugestellt gelten.",
    "command.letters resend": "Schlägt die Stufe eines zurückgekommenen Schreibens noch einmal vor, mit frischen Beträgen und neuer Frist.",
    "command.letters bounces": "Liest aus den Postfächern dafür, welche Mails zurückkamen.",
    "option.letters.to": "Per Mail an diese Adresse, auch künftig; mehrfach möglich.",
    "option.letters.post": "Als Brief an die bekannte Anschrift.",
    "option.letters.address": "Als Brief an diese Anschrift, auch künftig: Name; Straße; PLZ Ort.",
    "letters.bounces": "{count} Schreiben kamen zurück: {notices}.",
    "letters.bounces.one": "Ein Schreiben kam zurück: {notices}.",
    "letters.other_reports": "Andere Meldungen im Postfach: {others}.",
    "letters.no_bounces": "Nichts kam zurück.",
    "letters.waits": "Noch kein Vorschlag: {reason}. Ein späterer Lauf holt ihn nach.",
    "done.returned": "Mahnung {subject} kam zurück, festgehalten durch {actor}; die nächste Stufe wartet.",
    "done.accepted": "Mahnung {subject} gilt als zugestellt ({actor}).",
    "done.resend": "Mahnung {subject} geht nach Freigabe noch einmal hinaus ({actor}).",
    "task.returned": "Rückläufer",
}
