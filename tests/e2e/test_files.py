"""An agency that has nothing but exports: its list, its bank, its mail server and its letter outbox, through the command line."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pypdf
import pytest

from connectors.generic_csv.sandbox import Sandbox
from tests.e2e.conftest import noon

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.xdist_group("e2e-files")

CONFIG = """
creditor:
  name: Lichtblick GmbH
  street: Hafenweg 3
  postcode: "20457"
  city: Hamburg
  iban: DE02120300000000202051
dunning: {{cutoff: 2026-01-01}}
accounts:
  liste:
    connector: generic_csv
    federal_state: HH
    settings: {{inbox: eingang, profile: open_items, settle_seconds: 0}}
channels:
  smtp: {{host: 127.0.0.1, port: {port}, security: none, sender_address: buchhaltung@lichtblick.example}}
  letter_outbox: {{folder: briefe}}
plans: {{files: [brief.yaml], default: standard, assign: [{{plan: brief, customers: [K3]}}]}}
"""


class House:
    """A folder with bridge.yaml, an export folder and a clock."""

    def __init__(self, folder, mails, inside):
        self.folder, self.today, self.inside = folder, date(2026, 9, 1), inside
        self.tool = Sandbox(folder, today=self.today)
        self.mails = mails
        shipped = (ROOT / "bridge" / "policy" / "plans" / "standard.yaml").read_text(encoding="utf-8")
        plan = shipped.replace("name: standard", "name: brief").replace("channels: [email]", "channels: [letter]")
        (folder / "brief.yaml").write_text(plan, encoding="utf-8")
        (folder / "bridge.yaml").write_text(CONFIG.format(port=mails.port), encoding="utf-8")

    def export(self, hour=7):
        self.tool.today = self.today
        at = datetime(self.today.year, self.today.month, self.today.day, hour, tzinfo=UTC)
        return self.tool.export(at)

    def __call__(self, *words, code=0):
        env = {"MAHNBRIDGE__CLOCK": noon(self.today), "MAHNBRIDGE_LANG": "de"}
        done = self.inside(words, self.folder, env)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def house(tmp_path, mails, inside):
    return House(tmp_path, mails, inside)


@pytest.mark.feature("P-32")
@pytest.mark.feature("P-21")
@pytest.mark.feature("S-BIL-16")
def test_reminders_from_exports_alone(house):
    """From an export come a mail, a letter with address and fold marks, and the rows of the status list; nobody who paid is reminded."""
    due = date(2026, 8, 20)
    more = {"customer_no": "K1", "customer": "Kunde Eins GmbH", "gross": Decimal("119.00"), "due_on": due}
    house.tool.add_invoice("RE-2026-0001", **more, email="buch@eins.example")
    house.tool.add_invoice(
        "RE-2026-0002", **more | {"customer_no": "K2", "customer": "Paid AG"}, email="buch@paid.example"
    )
    house.tool.add_invoice(
        "RE-2026-0003", **more | {"customer_no": "K3", "customer": "Briefkunde e.K."},
        street="Weg 1", postcode="50667", city="Köln",
    )  # fmt: skip
    house.export()
    house("pull")
    house("go-live", "--yes", "--as", "Erika")
    house("run", "--as", "Erika")
    house("approve", "--all", "--as", "Erika")
    house.tool.transfer(Decimal("119.00"), "RE-2026-0002", name="Paid AG")  # arrives after the approval
    house.tool.export_bank(datetime(2026, 9, 1, 7, 30, tzinfo=UTC))
    house("deliver")

    assert [recipients for recipients, _ in house.mails.received] == [["buch@eins.example"]]
    mail = house.mails.received[0][1]
    assert mail["From"] == "buchhaltung@lichtblick.example"
    assert "RE-2026-0001" in mail["Subject"] + mail.get_body(("plain",)).get_content()
    (letter,) = (house.folder / "briefe").glob("*.pdf")
    text = pypdf.PdfReader(letter).pages[0].extract_text()
    assert "Briefkunde e.K." in text
    assert "50667 Köln" in text
    assert {row["Rechnungsnummer"]: row["Versandweg"] for row in house.tool.ledger} == {"RE-2026-0001": "E-Mail"}

    house.export(hour=8)
    house("run", "--as", "Erika")  # reads the new export first
    house("deliver")
    assert len(house.mails.received) == 1
    assert len(list((house.folder / "briefe").glob("*.pdf"))) == 1

    [waiting] = json.loads(house("letters", "list", "--json"))
    house("letters", "withdraw", str(waiting["id"]), "--reason", "Adresse falsch", "--as", "Erika")
    assert list((house.folder / "briefe").glob("*.pdf")) == []
    assert "Adresse falsch" in house("case", "show", "RE-2026-0003")
    [again] = json.loads(house("run", "--as", "Erika", "--json"))["planned"]["notices"]
    assert (again["state"], again["level"]) == ("proposed", 1)
