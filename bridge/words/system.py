"""What operating systems and libraries say when something fails, in German: facts of our sentences that somebody else wrote."""

import re
from functools import lru_cache

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
    "BadZipFile": "keine ZIP-Datei",
    "BrokenPipeError": "die Verbindung brach ab",
    "ConnectTimeout": "keine Verbindung in der vorgesehenen Zeit",
    "Connection reset by peer": "die Gegenseite hat die Verbindung beendet",
    "Connection timed out": "keine Verbindung in der vorgesehenen Zeit",
    "ConnectionError": "keine Verbindung",
    "ConnectionRefusedError": "die Verbindung wurde abgelehnt",
    "ConnectionResetError": "die Gegenseite hat die Verbindung beendet",
    "No route to host": "kein Weg zu diesem Rechner",
    "OperationalError": "die Datenbank antwortet nicht",
    "ReadTimeout": "keine Antwort in der vorgesehenen Zeit",
    "SMTPServerDisconnected": "der Mailserver hat die Verbindung beendet",
    "SSLError": "Fehler der TLS-Verbindung",
    "Temporary failure in name resolution": "der Rechnername lässt sich gerade nicht auflösen",
    "TimeoutError": "keine Antwort in der vorgesehenen Zeit",
    "ValidationError": "der Inhalt passt nicht",
    "UnicodeDecodeError": "kein Text in UTF-8",
    "certificate has expired": "das Zertifikat ist abgelaufen",
    "certificate is not yet valid": "das Zertifikat gilt noch nicht",
    "could not find expected ':'": "ein Doppelpunkt fehlt",
    "found a tab character where an indentation space is expected": "eingerückt wird mit Leerzeichen, nicht mit Tabulatoren",
    "found unexpected end of stream": "die Datei endet mittendrin, vielleicht fehlt ein Anführungszeichen",
    "gaierror": "der Rechnername lässt sich nicht auflösen",
    "mapping keys are not allowed here": "hier darf kein Schlüssel stehen",
    "mapping values are not allowed here": "hier darf kein Doppelpunkt stehen; Text mit Doppelpunkt gehört in Anführungszeichen",
    "self-signed certificate": "das Zertifikat ist selbst ausgestellt",
    "self-signed certificate in certificate chain": "die Zertifikatskette enthält ein selbst ausgestelltes Zertifikat",
    "sequence entries are not allowed here": "hier darf keine Liste beginnen",
    "timed out": "keine Antwort in der vorgesehenen Zeit",
    "unable to get local issuer certificate": "der Aussteller des Zertifikats ist nicht bekannt",
}

PATTERNS = {
    r"Hostname mismatch, certificate is not valid for '(.+)'\.": r"das Zertifikat gilt nicht für '\1'",
    r"could not determine a constructor for the tag (.+)": r"die Marke \1 ist nicht bekannt",
    r"expected <block end>, but found (.+)": r"die Einrückung passt nicht, hier steht \1",
    r"expected ',' or '([\]}])', but got (.+)": r"ein Komma oder \1 fehlt, hier steht \2",
    r"expected the node content, but found (.+)": r"hier fehlt ein Wert, es steht dort \1",
    r"found character (.+) that cannot start any token": r"mit dem Zeichen \1 kann nichts beginnen",
    r"found undefined alias (.+)": r"der Verweis \1 zeigt auf nichts",
    r"found unknown escape character (.+)": r"die Zeichenfolge mit \\ und \1 ist nicht bekannt",
}
"""The same with places in it."""


@lru_cache(maxsize=256)
def term(text: str) -> str:
    """Return the German of what a system said; what is none of it stays as it is."""
    if text in GERMAN or len(text) > 200:
        return GERMAN.get(text, text)
    found = ((re.fullmatch(pattern, text), german) for pattern, german in PATTERNS.items())
    return next((match.expand(german) for match, german in found if match), text)
