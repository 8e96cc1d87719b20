"""German of what backup, restore, housekeeping and diagnosis say."""

GERMAN: dict[str, str] = {
    "IMAP {host}: {count} mails": "IMAP {host}: {count} Mails",
    "nobody can tell what {name} sent since {since}; look through `mahnbridge plan`, then --despite-unknown": "niemand kann sagen, was {name} seit {since} versandt hat; `mahnbridge plan` durchsehen, dann --despite-unknown",
    "nothing was restored; sending is not held": "es wurde nichts zurückgespielt; der Versand ist nicht angehalten",
    "only a copy of SQLite can be opened by itself": "nur eine Kopie von SQLite lässt sich für sich öffnen",
    "process {who} works on the database; stop the service first": "der Prozess {who} arbeitet an der Datenbank; zuerst den Dienst anhalten",
    "the backup has revision {revision}, which this program does not know; install the version {version} that made it": "die Sicherung hat den Stand {revision}, den dieses Programm nicht kennt; die Version {version} installieren, die sie geschrieben hat",
    "the backup is of {theirs}, this installation uses {ours}": "die Sicherung ist von {theirs}, hier läuft {ours}",
    "the copy of the database is damaged: {broken}": "die Kopie der Datenbank ist beschädigt: {broken}",
    "the database has no tables of mahnbridge yet; there is nothing to back up": "die Datenbank hat noch keine Tabellen von mahnbridge; es gibt nichts zu sichern",
    "the database is not empty; a backup is restored into an empty one": "die Datenbank ist nicht leer; eine Sicherung wird in eine leere zurückgespielt",
    "the database was restored from a backup of {since}, sending is held; `mahnbridge restore adopt`, then `mahnbridge restore release`": "die Datenbank wurde aus einer Sicherung vom {since} zurückgespielt, der Versand ist angehalten; `mahnbridge restore adopt`, dann `mahnbridge restore release`",
    "the database was restored from a backup; `mahnbridge restore adopt`, then `mahnbridge restore release`": "die Datenbank wurde aus einer Sicherung zurückgespielt; `mahnbridge restore adopt`, dann `mahnbridge restore release`",
    "the database was restored from a backup; it may have been done since": "die Datenbank wurde aus einer Sicherung zurückgespielt; vielleicht ist es seither geschehen",
    "the database {source} cannot be copied: {error}": "die Datenbank {source} lässt sich nicht kopieren: {error}",
    "{name} was not asked since the restore; `mahnbridge restore adopt`": "{name} wurde seit dem Zurückspielen nicht gefragt; `mahnbridge restore adopt`",
    "{path} is no whole backup: {error}": "{path} ist keine unversehrte Sicherung: {error}",
    "{path}: {name} is not what was backed up": "{path}: {name} ist nicht mehr, was gesichert wurde",
    "{since} is in the future": "{since} liegt in der Zukunft",
}
