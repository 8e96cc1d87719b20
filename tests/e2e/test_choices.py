"""What people choose for a customer or an invoice, on the command line: include, exclude, a plan, a promise."""

from datetime import date

import pytest

pytestmark = pytest.mark.xdist_group("e2e-choices")


@pytest.mark.feature("S-BIL-19", "S-BIL-20", "S-AGI-27", "S-AGI-26", "S-AGI-29")
def test_customers_and_invoices_are_excluded_included_and_taken_out_of_their_plan(desk):
    """By customer number or invoice number, before there is a case; each takes effect at once, with a name and in plain words."""
    desk("pull")
    assert "1001 is left out of dunning (Erika)" in desk("case", "exclude", "1001", "--as", "Erika")
    assert desk.json("explain", "RE-1")[0]["reason"] == "customer_excluded"
    assert desk.json("plan")["notices"] == []
    desk("case", "include", "1001", "--as", "Erika")
    assert len(desk.json("plan")["notices"]) == 1
    assert "RE-1 is left out of dunning" in desk("case", "exclude", "RE-1", "--as", "Erika")  # the invoice alone
    assert desk.json("explain", "RE-1")[0]["reason"] == "invoice_excluded"
    desk("case", "include", "1001", "--invoice", "RE-1", "--default", "--as", "Erika")
    assert desk.json("explain", "RE-1")[0]["reason"] == "level_due"
    desk("case", "plan", "1001", "none", "--as", "Erika")
    [told] = desk.json("explain", "RE-1")
    assert (told["reason"], told["set_by"], told["set_on"]) == ("no_plan", "Erika", "2026-09-01")
    assert "there is no plan 'nix'" in desk("case", "plan", "1001", "nix", code=2)
    desk.speak("de")
    assert "Eskalationsplan standard (Erika)" in desk("case", "plan", "1001", "standard", "--as", "Erika")
    assert len(desk.json("plan")["notices"]) == 1
    assert "main, 1 Kunde von Hand" in desk("plans", "show", "standard")
    assert "folgt wieder der Konfiguration" in desk("case", "plan", "1001", "--default", "--as", "Erika")
    assert desk.json("explain", "RE-1")[0]["plan_by"] == "account"
    assert "niemand einen Plan gewählt" in desk("case", "plan", "1001", "--default", "--as", "Erika", code=2)
    assert "Entweder einen Plan" in desk("case", "plan", "1001", "--as", "Erika", code=2)
    assert "kein Eskalationsplan mehr" in desk("case", "plan", "RE-1", "none", "--as", "Erika")
    assert "keiner (für diese Rechnung gewählt" in " ".join(desk("explain", "RE-1").split())
    desk("case", "plan", "RE-1", "--default", "--as", "Erika")
    desk("run", "--no-deliver")
    desk.sandbox.add_invoice(desk.customer, number="RE-2", gross="200.00", issued_on=date(2026, 8, 3))
    desk("run", "--no-deliver")
    assert "Mahnakte MA-000001" in desk("case", "show", "1001")  # by the customer's number, as by an invoice's
    assert "die ganze Akte nennt MA-000001" in " ".join(desk("case", "close", "RE-1", "--as", "Erika", code=2).split())


@pytest.mark.feature("S-AGI-27", "S-BIL-9")
def test_a_plan_taken_away_or_edited_reaches_what_was_queued(desk):
    """Queued and not yet delivered: an edited text goes out as it reads now; without a plan nothing does, and what was approved is dropped."""
    desk.configure("automation: propose", "automation: send")
    path = desk.folder / "standard.yaml"
    plan = path.read_text(encoding="utf-8").replace("automation: propose", "automation: send", 1)
    path.write_text(plan, encoding="utf-8")
    desk("pull")
    desk("go-live", "--yes", "--as", "Erika")
    desk("run", "--no-deliver")
    path.write_text(plan.replace('subject: "Payment reminder', 'subject: "A kind word', 1), encoding="utf-8")
    [planned] = desk.json("plan")["notices"]
    assert planned["subject"] == "A kind word for invoice RE-1"
    assert "changed since it was decided: escalation plan" in desk("deliver")
    desk("run", "--no-deliver")
    desk("case", "plan", "1001", "none", "--as", "Erika")
    assert "no escalation plan" in desk("deliver")
    desk("case", "plan", "1001", "standard", "--as", "Erika")
    path.write_text(plan.replace("automation: send", "automation: propose"), encoding="utf-8")
    desk("run", "--no-deliver")
    desk("approve", "--all", "--yes", "--as", "Erika")
    desk("case", "plan", "1001", "none", "--as", "Erika")
    assert desk.json("explain", "RE-1")[0]["reason"] == "no_plan"  # before any run
    desk("run")
    assert desk.mails.received == []
    desk.speak("de")
    told = desk("explain", "RE-1")
    assert "kein Eskalationsplan" in told
    assert "namens" not in told


@pytest.mark.feature("P-11")
def test_a_broken_promise_is_marked_and_dunning_resumes(desk):
    """Silent until the promised day; on the day after the case says so, and the invoice is dunned."""
    desk("run", "--no-deliver")
    words = ("--reason", "promise_to_pay", "--until", "2026-09-15", "--invoice", "RE-1")
    desk("case", "block", "RE-1", *words, "--as", "Erika")
    desk.on(date(2026, 9, 15))
    desk("run", "--no-deliver")
    assert desk.json("explain", "RE-1")[0]["reason"] == "promise_to_pay"
    assert "broken" not in desk("case", "show", "MA-000001")
    desk.on(date(2026, 9, 16))
    assert len(desk.json("run", "--no-deliver")["planned"]["notices"]) == 1
    assert "promise to pay by 15 Sep 2026 broken" in desk("case", "show", "MA-000001")
    desk.speak("de")
    assert "Zahlungszusage bis 15.09.2026 nicht eingehalten" in desk("case", "show", "MA-000001")


@pytest.mark.feature("N-1")
def test_a_letter_that_waits_says_what_came_meanwhile(desk):
    """Paid or disputed after the letter was made: the list names invoice and reason before somebody posts it; the other letter is fine."""
    path = desk.folder / "standard.yaml"
    plan = path.read_text(encoding="utf-8").replace("automation: propose", "automation: send", 1)
    path.write_text(plan.replace("[mail]", "[letter]", 1), encoding="utf-8")
    desk.configure("automation: propose", "automation: send")
    for number in ("RE-2", "RE-3"):
        desk.sandbox.add_invoice(desk.customer, number=number, gross="200.00", issued_on=date(2026, 8, 3))
    desk("go-live", "--yes", "--as", "Erika")
    desk("run")
    assert [one["overtaken"] for one in desk.json("letters", "list")] == [[], [], []]
    desk.sandbox.pay(desk.invoice)
    desk("case", "block", "RE-2", "--invoice", "RE-2", "--reason", "dispute", "--as", "Erika")
    desk("pull")
    told = {one["claims"][0]["number"]: one["overtaken"] for one in desk.json("letters", "list")}
    assert [(number, one["reason"]) for number, found in told.items() for one in found] == [
        ("RE-1", "paid"), ("RE-2", "dispute"),
    ]  # fmt: skip
    desk.speak("de")
    shown = desk("letters", "list")
    assert "nicht mehr zur Post: RE-1: bezahlt" in shown
    assert "letters withdraw" in shown
