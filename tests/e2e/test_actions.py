"""What people do besides letters and mails: calls, knowing about their customers, and the hand-over to collection."""

import csv
import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("e2e-actions")

PLAN = """
name: haus
bundling: {when: from_first}
levels:
  - name: {de: Zahlungserinnerung, en: Payment reminder}
    trigger: {after_due: 10}
    automation: send
    channels: [mail]
    attachments: [invoice, terms]
    recipients: {sales_rep: cc, colleagues: bcc}
    internal_notice: {note: "Bitte beim Kunden nachfragen."}
    texts:
      de: &text
        subject: "{{ level_name }} {{ invoice_number }}"
        body: "Bitte {{ total }} bis {{ deadline }}. Fragen an {{ account_owner }}, {{ account_owner_email }}."
      en: *text
  - name: {de: Anruf, en: Call}
    trigger: {after_previous: 8}
    call_task: {note: "Nach dem Eingang der Rechnung fragen."}
  - name: {de: Letzte Mahnung, en: Last reminder}
    trigger: {after_previous: 7}
    type: last
    is_legal_dunning: true
    automation: send
    channels: [mail]
    term_days: 7
    texts: {de: *text, en: *text}
  - name: {de: Inkasso, en: Collection}
    trigger: {after_previous: 10}
    collection: true
"""

CONFIG = """
colleagues:
  - {email: lena@lichtblick.example, name: Lena Vogt, sales_rep: true, customers: ["1001"]}
attachments:
  terms: {path: agb.pdf, filename: AGB.pdf}
collection:
  agency: Inkasso Muster
  client_number: "4711"
  subject: Webdesign
  obligation_fulfilled: true
  delimiter: ","
  decimal: "."
  dates: yyyy-mm-dd
  columns: {Mandant: client_number, Agentur: agency, Schuldner: debtor_name, Rechnung: invoice_number, Erste Mahnung: first_dunning_on, Summe: total, Form: debtor_legal_form, Vertrag: contract_date}
"""


@pytest.fixture
def house(desk):
    """The desk under a plan with a call and a hand-over; a second overdue invoice, a telephone number, people, terms, an agency."""
    (desk.folder / "plans.yaml").write_text(PLAN, encoding="utf-8")
    (desk.folder / "agb.pdf").write_bytes(b"%PDF-1.7 Allgemeine Bedingungen")
    desk.configure("  default: standard\n", "  default: haus\n")
    desk.configure("files: [standard.yaml]", "files: [plans.yaml]")
    desk.configure("automation: propose", "automation: send")
    desk.configure("creditor:\n", "creditor:\n  legal_form: GmbH\n  deducts_vat: true\n")
    path = desk.folder / "bridge.yaml"
    path.write_text(path.read_text(encoding="utf-8") + CONFIG, encoding="utf-8")
    desk.sandbox.add_email(desk.customer, "+49 40 123456", type="PHONE")
    desk.second = desk.sandbox.add_invoice(desk.customer, number="RE-2", gross="200.00", issued_on=date(2026, 8, 3))
    desk("pull")
    desk("go-live", "--yes", "--as", "Erika")
    return desk


@pytest.mark.feature("S-AGI-10", "S-AMX-18", "S-AGI-18", "S-AGI-20", "S-AGI-21", "S-AGI-23", "S-AGI-30", "S-AMX-37")
@pytest.mark.feature("S-AMX-14", "S-AMX-54", "S-AMX-55")
def test_from_the_first_mail_over_a_call_to_collection(house):
    """Mail with PDFs and copies, colleagues told, one call for all invoices, a promise broken, the hand-over approved and written."""
    house("case", "colleagues", "1001", "--add", "Max Muster <max@lichtblick.example>", "--as", "Erika")
    house("run")
    (reached, mail), (told, internal) = house.mails.received
    assert set(reached) == {"buch@spaeth.example", "lena@lichtblick.example", "max@lichtblick.example"}
    assert (mail["Cc"], "max@" in str(mail)) == ("lena@lichtblick.example", False), "one open, one hidden copy"
    files = {part.get_filename(): part.get_content() for part in mail.iter_attachments()}
    assert set(files) == {"RE-1.pdf", "RE-2.pdf", "AGB.pdf"}
    assert all(content.startswith(b"%PDF") for content in files.values())
    assert "Fragen an Lena Vogt, lena@lichtblick.example" in mail.get_body(("plain",)).get_content()
    assert told == ["lena@lichtblick.example", "max@lichtblick.example"]
    text = internal.get_body(("plain",)).get_content()
    assert "Späth & Söhne" in text
    assert "EUR\xa01,390.00" in text
    assert "Bitte beim Kunden nachfragen." in text
    [task] = house.json("tasks", "list")
    assert (task["kind"], task["owner"], task["due_on"]) == ("internal", "lena@lichtblick.example", "2026-09-03")
    house("tasks", "done", task["id"], "--outcome", "done", "--as", "Lena")

    house.on(date(2026, 9, 14))  # the term of the reminder is over
    house("run")
    house("run")
    [call] = house.json("tasks", "list")
    assert (call["kind"], call["invoices"], call["open"]) == ("call", ["RE-1", "RE-2"], "1390.00")
    assert call["phone"] == "+49 40 123456"
    shown = house("tasks", "show", call["id"])
    for said in ("+49 40 123456", "RE-1", "€1,390.00", "Nach dem Eingang der Rechnung fragen.", "Payment reminder"):
        assert said in shown
    assert house.json("letters", "list") == []
    house("tasks", "assign", call["id"], "--to", "Max", "--due", "2026-09-15", "--as", "Lena")
    assert house.json("tasks", "list", "--owner", "Max")[0]["due_on"] == "2026-09-15"
    house("tasks", "done", call["id"], "--outcome", "promise", code=2)
    house(
        "tasks",
        "done",
        call["id"],
        "--outcome",
        "promise",
        "--until",
        "2026-09-18",
        "--note",
        "Frau Kurz",
        "--as",
        "Max",
    )
    assert house.json("tasks", "list") == []
    assert [one["outcome"] for one in house.json("tasks", "list", "--done")] == ["done", "promise"]
    [case] = house.json("cases")
    detail = house.json("case", "show", case["number"])
    assert {one["number"]: (one["level"], one["level_on"]) for one in detail["claims"]} == {
        "RE-1": (2, "2026-09-14"),
        "RE-2": (2, "2026-09-14"),
    }
    assert any("promised to pay" in one["text"] and "Frau Kurz" in one["text"] for one in detail["timeline"])
    house("run")
    assert len(house.mails.received) == 2, "a promise holds"

    house.on(date(2026, 9, 21))
    house("run")
    assert "Last reminder" in house.mails.received[2][1]["Subject"]

    house.on(date(2026, 10, 1))
    house("run")
    [wait] = house.json("collection", "list")
    assert (wait["state"], wait["recipient"], wait["total"]) == (
        "proposed",
        "Inkasso Muster",
        "1396.00",
    )  # with interest since the last reminder
    assert (
        wait["notes"][-1]
        == "the agency will ask for what nobody told: legal form, representative, day of the contract; `case facts` tells it"
    )
    house.speak("de")
    shown = " ".join(house("collection", "list").split())
    assert "was niemand angegeben hat: Rechtsform, gesetzlicher Vertreter, Vertragsdatum" in shown
    told = " ".join(house("case", "facts", "1001").split())
    assert "Niemand sagt: Rechtsform, gesetzlicher Vertreter, Vertragsdatum" in told
    house(
        "case",
        "facts",
        "1001",
        "--legal-form",
        "GmbH & Co. KG",
        "--representative",
        "Eva Späth",
        "--representative",
        "Max Söhne",
        "--as",
        "Erika",
    )
    told = house(
        "case", "facts", "RE-1", "--contract-date", "15.01.2026", "--birth-date", "1970-02-03", "--as", "Erika"
    )
    assert "15.01.2026  RE-1" in " ".join(told.split()).replace(" RE-1", "  RE-1")
    assert "Vertragsdatum" in told.partition("Niemand")[2], "RE-2 has none yet"
    house("case", "facts", "RE-2", "--contract-date", "2026-02-01", "--as", "Erika")
    assert "Niemand" not in house("case", "facts", "1001", "--take-back", "birth_date", "--as", "Erika")
    shown = " ".join(house("case", "show", "1001").split())
    assert "Rechtsform GmbH & Co. KG Erika" in shown
    assert "RE-1 für das Inkasso angegeben: Vertragsdatum: 15.01.2026" in shown
    house.speak("en")
    assert not any("nobody told" in note for note in house.json("collection", "list")[0]["notes"])
    for wrong, why in (
        (("--contract-date", "2031-01-01"), "does not lie between 1900 and today"),
        (("--legal-form", "x" * 61), "write 1 to 60 characters"),
        (("--first-name", "a\nb"), "on one line"),
        (("--take-back", "salutation"), "nobody said here: salutation"),
        (("--invoice", "RE-9", "--contract-date", "2026-01-01"), "no open invoice"),
    ):
        assert why in " ".join(house("case", "facts", "1001", *wrong, "--as", "Erika", code=2).split())
    house("collection", "export", code=1)
    assert len(house.mails.received) == 3, "nothing follows by itself"
    house("approve", wait["id"], "--yes", "--as", "Erika")
    result = house.json("collection", "export", "--as", "Erika")
    [handed] = result["handed"]
    assert (handed["case"], handed["invoices"]) == (case["number"], ["RE-1", "RE-2"])
    folder = house.folder / "data" / "collection"
    [made] = folder.iterdir()
    with (made / "handover.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["Rechnung"] for row in rows] == ["RE-1", "RE-2"]
    assert (rows[0]["Mandant"], rows[0]["Agentur"], rows[0]["Erste Mahnung"]) == (
        "4711",
        "Inkasso Muster",
        "2026-09-21",
    )
    [record] = json.loads((made / "handover.json").read_text("utf-8"))["handovers"]
    assert record["debtor"]["city"] == "Hamburg"
    assert (record["debtor"]["legal_form"], record["debtor"]["representative"]) == (
        "GmbH & Co. KG",
        "Eva Späth, Max Söhne",
    )
    assert [one["contract_date"] for one in record["claims"]] == ["2026-01-15", "2026-02-01"]
    assert (record["unknown"], record["debtor"]["birth_date"]) == ([], None)
    assert (rows[0]["Form"], rows[1]["Vertrag"]) == ("GmbH & Co. KG", "2026-02-01")
    assert [one["on"] for one in record["claims"][0]["reminders"]] == ["2026-09-01", "2026-09-21"]
    assert record["claims"][0]["first_dunning_on"] == "2026-09-21"
    assert (record["creditor"]["legal_form"], record["creditor"]["deducts_vat"]) == ("GmbH", True)
    assert (record["claims"][0]["subject_matter"], record["claims"][0]["obligation_fulfilled"]) == ("Webdesign", True)
    rows_of_interest = record["claims"][0]["interest_rows"]
    assert sum(Decimal(one["amount"]) for one in rows_of_interest) == Decimal(record["claims"][0]["interest"]) > 0
    assert rows_of_interest[-1]["last"] == "2026-10-01"
    assert record["claims"][0]["interest_law"].startswith("BGB 288")
    names = {path.name for path in (made / "documents").iterdir()}
    assert {"RE-1.pdf", "RE-2.pdf"} < names
    assert len([name for name in names if name.endswith(".eml")]) == 2, "both reminders as they went out"
    assert set(record["claims"][0]["documents"]) == names - {"RE-2.pdf"}
    assert [one["kind"] for one in house.json("files", "list")].count("collection") == 1
    assert house.json("cases", "--view", "open") == []
    assert house.json("cases", "--view", "run") == []
    assert [one["number"] for one in house.json("cases", "--view", "collection")] == [case["number"]]
    assert [one["number"] for one in house.json("cases", "--view", "collection", "--period", "..2026-10")] == [
        case["number"]
    ]
    assert house.json("cases", "--view", "collection", "--period", "2025") == []
    house("collection", "export", code=1)

    house.on(date(2026, 10, 20))
    house("run")
    assert len(house.mails.received) == 3
    assert "collection" in house("explain", "RE-1")
    house("collection", "recall", case["number"], "--note", "Vergleich", "--as", "Erika")
    assert house.json("cases", "--view", "collection") == []
    assert [one["number"] for one in house.json("cases")] == [case["number"]]


SHORT = """
name: haus
minimum_interval_days: 0
levels:
  - name: Letzte Mahnung
    trigger: {after_due: 1}
    type: last
    automation: send
    channels: [mail]
    term_days: 1
    texts: {de: &text {subject: "{{ level_name }}", body: "Bitte {{ total }} bis {{ deadline }}."}, en: *text}
  - name: Inkasso
    trigger: {after_previous: 1}
    collection: true
"""


@pytest.mark.feature("S-AMX-55")
def test_what_was_paid_or_cannot_be_had_is_not_handed_over(house):
    """Approved, and paid before the export: dropped and told. A disk that takes nothing: nothing is marked. Then the rest goes, each file by itself."""
    (house.folder / "plans.yaml").write_text(SHORT, encoding="utf-8")
    other = house.sandbox.add_contact("Andere GmbH", email="buch@andere.example", number="1002")
    house.sandbox.add_invoice(other, number="RE/1", gross="300.00", issued_on=date(2026, 8, 3))
    house("run")
    refused = house("case", "level", "RE-1", "2", "--as", "Erika", code=2)  # chosen, it would hold the claim for ever
    assert "level 2 of plan haus is the hand-over" in " ".join(refused.split())
    house.on(date(2026, 9, 4))
    house("run")
    house("approve", "--all", "--as", "Erika")
    house.sandbox.pay(house.second)
    [case] = [one["number"] for one in house.json("cases") if one["customer_number"] == "1001"]
    told = house.json("collection", "export", case, "--as", "Erika", code=1)
    assert (told["handed"], told["folder"]) == ([], "")
    assert "RE-2: paid" in told["problems"][0]
    assert not (house.folder / "data" / "collection").exists()
    house("run")
    house("approve", "--all", "--as", "Erika")
    blocked = house.folder / "blocked"
    blocked.write_text("no folder", encoding="utf-8")
    house("collection", "export", "--to", blocked / "below", code=1)
    assert house.json("cases", "--view", "collection") == []
    done = house.json("collection", "export", "--as", "Erika")
    assert sorted(one["invoices"] for one in done["handed"]) == [["RE-1"], ["RE/1"]]
    written = json.loads((Path(done["folder"]) / "handover.json").read_text("utf-8"))["handovers"]
    named = [name for one in written for claim in one["claims"] for name in claim["documents"]]
    assert len(named) == len(set(named)) == 4, "a mail and an invoice each, RE-1 and RE/1 apart"
    assert len({(Path(done["folder"]) / "documents" / name).read_bytes() for name in named}) == 4
    house("collection", "export", code=1)


def test_what_is_not_ready_for_collection_stays_as_it_is(house):
    """Over several invoices: those that are ready are noted, the others keep what waits about them, and the answer says which and why."""
    (house.folder / "plans.yaml").write_text(SHORT, encoding="utf-8")
    house("run")
    house.on(date(2026, 9, 4))
    house.sandbox.add_invoice(house.customer, number="RE-3", gross="50.00", issued_on=date(2026, 8, 4))
    house("run", "--no-deliver")
    [case] = house.json("cases")

    def waiting():
        return {
            (one["id"], one["state"], tuple(claim["number"] for claim in one["claims"]))
            for one in house.json("case", "show", case["number"])["notices"]
            if one["state"] in ("proposed", "queued")
        }

    before = waiting()
    [reminder] = [one for one in before if one[2] == ("RE-3",)]
    told = house.json("case", "handover", case["number"], "--as", "Erika")
    assert told["text"] == "RE-1, RE-2"
    assert told["notes"] == ["RE-3 stays as it is: not ready for collection: the last reminder has not gone out"]
    assert waiting() == {reminder}
    house.speak("de")
    refused = house("case", "handover", case["number"], "--invoice", "RE-3", "--as", "Erika", code=1)
    assert "nicht fürs Inkasso: RE-3" in " ".join(refused.split())
    assert waiting() == {reminder}
    house("run")
    assert [mail["Subject"] for _, mail in house.mails.received].count("Letzte Mahnung") == 3
    [wait] = house.json("collection", "list")
    assert [one["number"] for one in wait["claims"]] == ["RE-1", "RE-2"]


@pytest.mark.feature("S-AMX-48", "S-AMX-55")
def test_a_person_hands_over_whatever_the_plan_says(desk):
    """Under a plan without a hand-over: refused with the reason, early with the person's name, taken back, approved, written."""
    desk.configure("  default: standard\n", "  default: two-weeks\n")
    desk.configure("files: [standard.yaml]", "files: []")
    desk("pull")
    desk("go-live", "--yes", "--as", "Erika")
    desk("run")
    desk("approve", "--all", "--as", "Erika")
    desk("deliver")
    [case] = desk.json("cases")
    assert case["level"] == 1
    refused = desk("case", "handover", case["number"], "--early", "--as", "Erika", code=1)
    assert "not ready for collection: the last deadline still runs" in " ".join(refused.split())
    assert "Wrong call" not in refused
    desk.on(date(2026, 9, 15))
    refused = desk("case", "handover", case["number"], "--as", "Erika", code=1)
    assert "last reminder" in refused
    desk("case", "handover", case["number"], "--default", "--as", "Erika", code=1)
    desk("case", "note", case["number"], "Anwalt eingeschaltet", "--as", "Erika")
    desk("case", "handover", case["number"], "--early", "--as", "Erika")
    desk("run")
    [wait] = desk.json("collection", "list")
    assert (wait["state"], wait["level_name"]) == ("proposed", "Hand-over to collection")
    desk("case", "handover", case["number"], "--default", "--as", "Erika")
    assert desk.json("collection", "list") == []
    desk("case", "handover", case["number"], "--early", "--as", "Erika")
    desk("run")
    desk("approve", desk.json("collection", "list")[0]["id"], "--yes", "--as", "Erika")
    [handed] = desk.json("collection", "export", "--as", "Erika")["handed"]
    assert handed["case"] == case["number"]
    told = [one["text"] for one in desk.json("case", "show", case["number"])["timeline"]]
    assert any("skipped" in one and "Erika" in one for one in told)
    assert any("Anwalt eingeschaltet" in one for one in told)
    assert "with a collection agency" in desk("case", "handover", case["number"], "--as", "Erika", code=1)
    assert desk.json("cases", "--view", "run") == []

    desk("collection", "recall", case["number"], "--note", "Falsche Anschrift", "--as", "Erika")
    desk("run")
    assert desk.json("collection", "list") == [], "nothing follows by itself"
    desk("case", "handover", case["number"], "--as", "Karl")
    desk("run")
    [wait] = desk.json("collection", "list")
    desk("approve", wait["id"], "--yes", "--as", "Karl")
    [handed] = desk.json("collection", "export", "--as", "Karl")["handed"]
    assert handed["case"] == case["number"]
    kinds = [one["kind"] for one in desk.json("case", "show", case["number"])["timeline"]]
    assert (kinds.count("handed_over"), kinds.count("called_back")) == (2, 1)
    assert len(list((desk.folder / "data" / "collection").iterdir())) == 2
