"""The words of a first `bridge.yaml`, in German and English."""

HEAD = {
    "de": """\
# Konfiguration von mahnbridge. Jeder Schlüssel steht in docs/configuration.md.
# Editoren prüfen und ergänzen diese Datei mit: mahnbridge config schema > bridge.schema.json
# yaml-language-server: $schema=bridge.schema.json
#
# Geheimnisse gehören nicht in diese Datei: ${{NAME}} liest die Umgebungsvariable NAME oder die Datei, die NAME_FILE nennt.

language: {language}

# Ordner für Datenbank, Archiv und Schlüssel, von dieser Datei aus gesehen.
data: data

# Wer mahnt; steht auf Briefen und in Mails.
creditor:
  name: {company}
  street: ""
  postcode: ""
  city: ""
  # email: buchhaltung@example.com
  # iban: DE89 3704 0044 0532 0130 00

# Die Konten bei den Rechnungsprogrammen.
accounts:
""",
    "en": """\
# Configuration of mahnbridge. Every key is described in docs/configuration.md.
# Editors check and complete this file with: mahnbridge config schema > bridge.schema.json
# yaml-language-server: $schema=bridge.schema.json
#
# Secrets do not belong into this file: ${{NAME}} reads the environment variable NAME, or the file that NAME_FILE names.

language: {language}

# Folder for database, archive and keys, seen from this file.
data: data

# Who asks for the money; printed on letters and mails.
creditor:
  name: {company}
  street: ""
  postcode: ""
  city: ""
  # email: accounts@example.com
  # iban: DE89 3704 0044 0532 0130 00

# The accounts at the invoicing tools.
accounts:
""",
}

PLAIN_ACCOUNT = """\
http:
  base_url: https://example.invalid
  auth: {type: token, token: "${ACCOUNT_TOKEN}"}"""

SMTP_LATER = """\
  # smtp:
  #   host: mail.example.com
  #   user: reminders@example.com
  #   password: "${SMTP_PASSWORD}"
  #   sender_address: reminders@example.com
"""

SMTP = """\
  smtp:
    host: {host}
    port: {port}
    security: {security}
    sender_address: {sender}
"""

CHANNELS = {
    "de": """
# Eigene Wege zum Schuldner; ohne sie gehen nur die Mahnungen der Anbieter selbst hinaus.
channels:
  letter_outbox:
    folder: data/letters
{smtp}""",
    "en": """
# Our own ways to the debtor; without them only the providers' own reminders go out.
channels:
  letter_outbox:
    folder: data/letters
{smtp}""",
}

TAIL = {
    "de": """
# Welcher Eskalationsplan für wen gilt; `standard` ist mitgeliefert.
plans:
  default: standard
  # files: [plans.yaml]
  # assign:
  #   - {{plan: none, customers: ["1042"]}}

dunning:
  # Der Versand ist aus. Er bleibt aus, bis jemand `mahnbridge go-live` ausgeführt hat. `never`: diese Installation sendet nie.
  sending: after_go_live
  # Rechnungen mit früherem Datum bleiben unberührt.
  cutoff: {cutoff}
  # Wie weit eine Stufe höchstens von selbst geht: propose (nur vorschlagen), create, complete, send.
  automation: propose
  # Mehr Mahnungen in einem Lauf warten auf eine Freigabe.
  max_notices_per_run: 25
  minimum_interval_days: 7
  minimum_amount: 5.00

# Welche Zeilen nach dem Versand beim Anbieter hinterlassen werden.
write_back:
  note: true
  tag: true
  customer_note: true

# Wann `mahnbridge serve` arbeitet.
schedule:
  time_zone: Europe/Berlin
  pull: ["06:00", "12:00"]
  run: ["07:30"]

monitor:
  host: 127.0.0.1
  port: 8080

# Wer am Nachmittag liest, was am nächsten Tag hinausgeht.
# forewarning: {{to: [chefin@example.com], at: "16:00"}}

# Die Seite, auf der Schuldner ohne Anmeldung antworten; aus, solange keine Adresse dasteht. Davor gehört ein Proxy mit Zertifikat.
# debtor_page: {{public_url: https://mahnung.example.com}}
""",
    "en": """
# Which escalation plan applies to whom; `standard` is shipped.
plans:
  default: standard
  # files: [plans.yaml]
  # assign:
  #   - {{plan: none, customers: ["1042"]}}

dunning:
  # Sending is off. It stays off until somebody has run `mahnbridge go-live`. `never`: this installation never sends.
  sending: after_go_live
  # Invoices issued earlier stay untouched.
  cutoff: {cutoff}
  # How far a level goes by itself at most: propose (only propose), create, complete, send.
  automation: propose
  # More notices in one run wait for an approval.
  max_notices_per_run: 25
  minimum_interval_days: 7
  minimum_amount: 5.00

# Which lines are left at the provider after sending.
write_back:
  note: true
  tag: true
  customer_note: true

# When `mahnbridge serve` works.
schedule:
  time_zone: Europe/Berlin
  pull: ["06:00", "12:00"]
  run: ["07:30"]

monitor:
  host: 127.0.0.1
  port: 8080

# Who reads in the afternoon what goes out on the next day.
# forewarning: {{to: [owner@example.com], at: "16:00"}}

# The page on which debtors answer without a login; off as long as there is no address. A proxy with a certificate stands before it.
# debtor_page: {{public_url: https://mahnung.example.com}}
""",
}
