"""A connector on an inbox of its own, with a clock that tests set."""

import os
from datetime import UTC, datetime, timedelta

import pytest

from bridge.contract import Mapping, Ref
from bridge.http import Http, HttpSettings
from connectors.generic_csv.connector import CsvSettings, GenericCsv

HEAD = "Rechnungsnummer;Kundennummer;Kunde;Rechnungsdatum;Fällig am;Bruttobetrag;Offen"
CAMT_HEAD = (
    "Auftragskonto;Buchungstag;Valutadatum;Buchungstext;Verwendungszweck;Glaeubiger ID;Mandatsreferenz;"
    "Kundenreferenz (End-to-End);Sammlerreferenz;Lastschrift Ursprungsbetrag;Auslagenersatz Ruecklastschrift;"
    "Beguenstigter/Zahlungspflichtiger;Kontonummer/IBAN;BIC (SWIFT-Code);Betrag;Waehrung;Info"
)


MAPPING = Mapping.load("generic_csv")


class Desk:
    """Puts files into an inbox and reads what the connector makes of them."""

    def __init__(self, folder):
        self.folder = folder
        self.inbox = folder / "eingang"
        self.inbox.mkdir()
        self.now = datetime(2026, 9, 4, 8, 0, tzinfo=UTC)
        self.http = Http(HttpSettings(base_url="http://127.0.0.1:9"), clock=lambda: self.now)
        self.settings = {"inbox": self.inbox, "settle_seconds": 0}
        self.drops = 0

    def connector(self, **changes):
        settings = CsvSettings.model_validate(self.settings | changes)
        return GenericCsv("test", settings, MAPPING, self.http)

    def drop(self, content, name=None, at=None):
        """Put a file into the inbox as if it had been made a moment before now."""
        self.drops += 1
        path = self.inbox / (name or f"datei-{self.drops:03d}.csv")
        data = content.encode() if isinstance(content, str) else content
        path.write_bytes(data)
        stamp = (at or self.now - timedelta(minutes=5) + timedelta(seconds=self.drops)).timestamp()
        os.utime(path, (stamp, stamp))
        return path

    def items(self, *rows, **kwargs):
        """Drop a list of open items."""
        return self.drop("\r\n".join((HEAD, *rows)) + "\r\n", **kwargs)

    def bank(self, *rows, **kwargs):
        """Drop bank movements: (day, text, amount, name, iban)."""
        lines = [CAMT_HEAD]
        for row in rows:
            day, text, amount, name, iban = (*row, "", "")[:5]
            lines.append(f"DE02;{day};{day};GUTSCHRIFT;{text};;;;;;;{name};{iban};;{amount};EUR;gebucht")
        return self.drop("\r\n".join(lines) + "\r\n", **kwargs)

    def pull(self, cursor=None, **changes):
        return list(self.connector(**changes).pull(cursor))

    def invoices(self, **changes):
        return {invoice.number: invoice for batch in self.pull(**changes) for invoice in batch.invoices}

    def rejects(self, **changes):
        return [reject for batch in self.pull(**changes) for reject in batch.rejects]

    def payments(self):
        return [payment for batch in self.pull() for payment in batch.payments]

    def look(self, *ids, **changes):
        return list(self.connector(**changes).look([Ref.invoice(id_) for id_ in ids]))

    def reasons(self, id_):
        (snapshot,) = self.look(id_)
        return [flag.reason.value for flag in snapshot.invoice.flags]

    def archived(self):
        return sorted(path.name for path in (self.inbox / "mahnbridge" / "archiv").iterdir())


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    yield made
    made.http.close()
