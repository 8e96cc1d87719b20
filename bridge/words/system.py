"""What operating systems say when something fails, in German."""

GERMAN: dict[str, str] = {
    "Address already in use": "die Adresse ist schon belegt",
    "Cannot assign requested address": "die Adresse gehört nicht zu diesem Rechner",
    "Connection refused": "die Verbindung wurde abgelehnt",
    "Directory not empty": "der Ordner ist nicht leer",
    "File exists": "es gibt schon etwas mit diesem Namen",
    "File name too long": "der Dateiname ist zu lang",
    "Input/output error": "Fehler beim Lesen oder Schreiben des Datenträgers",
    "Is a directory": "das ist ein Ordner",
    "Name or service not known": "der Rechnername ist nicht bekannt",
    "Network is unreachable": "das Netz ist nicht erreichbar",
    "No such file or directory": "Datei oder Ordner gibt es nicht",
    "No space left on device": "der Datenträger ist voll",
    "Not a directory": "das ist kein Ordner",
    "Operation not permitted": "das ist nicht erlaubt",
    "Permission denied": "die Rechte reichen nicht",
    "Read-only file system": "der Datenträger ist nur lesbar",
    "Too many open files": "zu viele Dateien sind offen",
}
