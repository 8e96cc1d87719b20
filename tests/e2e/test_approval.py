"""Proposals changed before they are approved, forewarnings, contacts by hand, test mode: as people do it on the command line."""

from datetime import date

import pytest

pytestmark = pytest.mark.xdist_group("e2e-approval")


@pytest.fixture
def proposed(desk):
    """The desk with the first reminder proposed; terms are agreed, so that a fee may be asked for."""
    path = desk.folder / "bridge.yaml"
    path.write_text(path.read_text("utf-8") + "\nclaims: {due_source: contract}\n", encoding="utf-8")
    desk("run", "--no-deliver")
    return desk


def waiting(desk):
    (one,) = desk.json("approve")
    return one


@pytest.mark.feature("S-AGI-9")
@pytest.mark.feature("S-AMX-19")
def test_a_proposal_is_edited_approved_or_dropped(proposed):
    """A queued mail can be edited, approved or dropped; what was approved is what leaves, and nothing unapproved does."""
    desk = proposed
    first = waiting(desk)
    desk("approve", first["id"], "--as", "Erika", "--yes")
    assert desk.json("approve") == []
    body = desk.folder / "text.txt"
    body.write_text("Guten Tag,\n\nbitte zahlen Sie 1.190,00 EUR.\n", encoding="utf-8")
    (edited,) = desk.json("edit", first["id"], "--subject", "Kleine Erinnerung", "--text-file", body, "--as", "Erika")
    assert edited["id"] == first["id"]
    assert edited["subject"] == "Kleine Erinnerung"
    assert edited["hash"] != first["hash"]
    waits = desk.json("preview", "--notice", first["id"])
    assert (waits["subject"], waits["state"]) == ("Kleine Erinnerung", "proposed")
    assert waits["text"].startswith("Guten Tag,\n\nbitte zahlen Sie 1.190,00 EUR.\n\n-- \n")
    assert [one["id"] for one in desk.json("approve")] == [first["id"]]  # its approval fell
    desk("go-live", "--yes", "--as", "Erika")
    desk("deliver")
    assert desk.mails.received == []
    shown = desk("approve", edited["id"], "--as", "Erika", "--yes")
    assert shown.count("1 selected") == 2
    desk("deliver")
    ((to, mail),) = desk.mails.received
    assert mail["Subject"] == "Kleine Erinnerung"
    assert "bitte zahlen Sie 1.190,00 EUR." in mail.get_body(("plain",)).get_content()
    assert to[0] == "buch@spaeth.example"
    timeline = desk("case", "show", "RE-1")
    assert "edited, version 2: Kleine Erinnerung" in " ".join(timeline.split())
    assert "only what has not begun to go out can be edited" in desk(
        "edit", edited["id"], "--subject", "zu spät", code=2
    )


def test_one_of_several_is_refused(desk):
    """What a person refused is held with name and reason wherever people look, until its day comes or something changes."""
    other = desk.sandbox.add_contact("Andere GmbH", email="buch@andere.example", number="1002")
    invoices = {"RE-1": desk.invoice}
    invoices["RE-2"] = desk.sandbox.add_invoice(other, number="RE-2", gross="500.00", issued_on=date(2026, 8, 3))
    desk("run", "--no-deliver")
    second, first = desk.json("approve")
    desk("approve", first["id"], "--refuse", "Kunde hat angerufen", "--yes", "--as", "Erika")
    assert [one["id"] for one in desk.json("approve")] == [second["id"]]
    assert desk.json("run", "--no-deliver")["planned"]["notices"] == []
    number = first["claims"][0]["number"]
    plan = desk.json("plan")
    assert plan["notices"] == []
    [held] = [one for one in plan["held"] if one["reason"] == "refused"]
    assert (held["number"], held["customer"]) == (number, first["customer"])
    assert "Erika: Kunde hat angerufen" in held["text"]
    [told] = desk.json("explain", number)
    assert (told["outcome"], held["text"], held["next_on"]) == ("hold", told["text"], told["next_on"])
    assert held["next_on"] > "2026-09-01"
    assert held["text"].endswith(f"; sooner with: mahnbridge case level {number} 1")
    ahead = [one["on"] for one in desk.json("plan", "--days", 30)["notices"] if number in one["invoices"]]
    assert told["next_on"] <= told["upcoming"][0]["on"] == ahead[0]
    [run] = [one for one in desk.json("runs", "list", "--all") if one["dropped"]]
    shown = desk("runs", "show", run["run"])
    assert "1  refused by a person" in shown
    desk.speak("de")
    assert "1  von einer Person abgelehnt" in desk("runs", "show", run["run"])
    assert "von einer Person abgelehnt (Erika: Kunde hat angerufen)" in " ".join(desk("explain", number).split())
    plan = desk.folder / "standard.yaml"  # the next level is edited: what was refused says what it said
    plan.write_text(plan.read_text("utf-8").replace("after_due: 14", "after_due: 15"), encoding="utf-8")
    anew = desk.json("run", "--no-deliver")["planned"]["notices"]  # the other one, which nobody has looked at
    assert [one["customer"] for one in anew] == [second["customer"]]
    assert "Falscher Aufruf" not in desk("runs", "zip", run["run"], code=1)
    desk.sandbox.pay(invoices[number], "100.00")
    again = desk.json("run", "--no-deliver")["planned"]["notices"]
    assert [claim["number"] for one in again for claim in one["claims"]] == [number]
    desk("approve", "--all", "--refuse", "nein", "--yes", "--as", "Erika")
    assert desk.json("run", "--no-deliver")["planned"]["notices"] == []
    desk("case", "level", number, "1", "--as", "Erika")  # the command that it names
    anew = desk.json("run", "--no-deliver")["planned"]["notices"]
    assert [claim["number"] for one in anew for claim in one["claims"]] == [number]


def test_another_fee_recipient_and_level_compose_it_anew(proposed):
    """Fee, recipient and level are chosen by a person, the notice is composed anew with them, and the old proposal is gone."""
    desk = proposed
    first = waiting(desk)
    (other,) = desk.json("edit", first["id"], "--to", "neu@spaeth.example", "--unknown", "--as", "Erika")
    assert other["id"] != first["id"]
    assert other["recipient"] == "neu@spaeth.example"
    (higher,) = desk.json("edit", other["id"], "--level", "2", "--as", "Erika")
    assert higher["level"] == 2
    (dearer,) = desk.json("edit", higher["id"], "--fee", "3,50", "--subject", "Mahnung", "--as", "Erika")
    assert (dearer["level"], dearer["fee"], dearer["subject"]) == (2, "3.50", "Mahnung")
    assert dearer["total"] == "1193.50"
    (free,) = desk.json("edit", dearer["id"], "--fee", "0", "--as", "Erika")
    assert (free["fee"], free["total"]) == ("0.00", "1190.00")
    assert (dearer["rewritten"], free["rewritten"]) == (None, dearer["id"]), "composed anew, its subject is the plan's"
    assert f"`mahnbridge preview --notice {dearer['id']}`" in " ".join(desk("approve").split())
    assert [one["id"] for one in desk.json("approve")] == [free["id"]]
    for wrong in (
        ("--fee", "5000"),
        ("--fee", "viel"),
        ("--level", "9"),
        ("--subject", " "),
        ("--subject", "a\nb"),
        ("--to", "x y@z"),
        ("--to", "fremd@example.com"),
        ("--level", "2", "--to", "x y@z"),
    ):
        desk("edit", free["id"], *wrong, code=2)
    assert [one["id"] for one in desk.json("approve")] == [free["id"]]
    (lower,) = desk.json("edit", free["id"], "--level", "1", "--as", "Erika")
    assert (lower["level"], lower["id"] != free["id"]) == (1, True), "back to the one whose turn it is"


def test_what_goes_out_by_itself_asks_once_it_was_edited(desk):
    """A notice that needs no approval waits for its hours: a person changes the recipient, and it asks before it goes out."""
    desk.configure("automation: propose", "automation: send")
    plan = desk.folder / "standard.yaml"
    plan.write_text(plan.read_text("utf-8").replace("automation: propose", "automation: send"), encoding="utf-8")
    desk("run", "--no-deliver")
    assert desk.json("approve") == []
    (waits,) = desk.json("case", "show", "RE-1")["notices"]
    (other,) = desk.json("edit", waits["id"], "--to", "neu@spaeth.example", "--unknown", "--as", "Erika")
    assert (other["recipient"], other["state"]) == ("neu@spaeth.example", "proposed")
    desk("go-live", "--yes", "--as", "Erika")
    desk("deliver")
    assert desk.mails.received == []
    desk("approve", other["id"], "--as", "Erika", "--yes")
    desk("deliver")
    assert [to for to, _ in desk.mails.received] == [["neu@spaeth.example"]]


@pytest.mark.feature("S-AGI-24")
def test_a_contact_by_hand_counts(desk):
    """After a mail that a person wrote, the automatic reminder keeps its minimum distance and says so."""
    desk("pull")
    (before,) = desk.json("explain", "RE-1")
    assert before["outcome"] == "escalate"
    desk("case", "contact", "1001", "--on", "2026-08-31", "--note", "Mail an Frau Neu", "--as", "Erika")
    (held,) = desk.json("explain", "RE-1")
    assert (held["reason"], held["next_on"]) == ("minimum_interval", "2026-09-07")
    (later,) = desk.json("explain", "RE-1", "--on", "2026-09-07")
    assert later["outcome"] == "escalate"
    for wrong in ("2026-09-02", "2025-08-01"):
        desk("case", "contact", "1001", "--on", wrong, code=2)


@pytest.mark.feature("P-22")
def test_the_owner_is_forewarned(desk):
    """The day before, the owner gets the list by mail, once; what they hold is not in it any more and does not go out."""
    other = desk.sandbox.add_contact("Andere GmbH", email="buch@andere.example", number="1002")
    desk.sandbox.add_invoice(other, number="RE-2", gross="500.00", issued_on=date(2026, 8, 17))
    desk.on(date(2026, 9, 2))
    path = desk.folder / "bridge.yaml"
    path.write_text(path.read_text("utf-8") + "\nforewarning: {to: [chefin@lichtblick.example]}\n", encoding="utf-8")
    desk("go-live", "--yes", "--as", "Erika")
    desk("pull")
    told = desk.json("forewarn")
    assert told["on"] == "2026-09-03"
    names = [one["customer"] for one in told["notices"]]
    assert names == ["Andere GmbH"]
    desk.speak("de")  # who sends it reads German; the mail is in the agency's language all the same
    assert "keine Mail" not in desk("forewarn", "--send", "--as", "Erika")
    assert "keine Mail: für diesen Tag ist sie schon gesendet" in desk("forewarn", "--send", "--as", "Erika")
    desk.speak("en")
    ((to, mail),) = desk.mails.received
    assert to == ["chefin@lichtblick.example"]
    assert "3 September 2026" in mail["Subject"]
    assert names[0] in mail.get_body(("plain",)).get_content()
    for one in told["notices"]:
        desk("case", "block", one["invoices"][0], "--reason", "customer_excluded", "--as", "Erika")
    assert desk.json("forewarn")["notices"] == []


@pytest.mark.feature("P-24")
def test_in_test_mode_only_the_tester_gets_mail(desk):
    """With `redirect_to` everything is real, but every mail goes to the tester alone and says whom it was for."""
    desk.configure("    sender_address:", "    redirect_to: test@lichtblick.example\n    sender_address:")
    assert "test@lichtblick.example" in desk("check", code=None)
    desk("run", "--no-deliver")
    desk("approve", "--all", "--as", "Erika")
    desk("go-live", "--yes", "--as", "Erika")
    desk("deliver")
    ((to, mail),) = desk.mails.received
    assert to == ["test@lichtblick.example"]
    assert mail["Subject"].startswith("[TEST to buch@spaeth.example]")
    for language, said in (
        ("de", "E-Mail im Testbetrieb: an test@lichtblick.example statt an buch@spaeth.example"),
        ("en", "e-mail in test mode: to test@lichtblick.example instead of buch@spaeth.example"),
    ):  # whoever reads the case must not take it for a mail that the customer got
        desk.speak(language, columns=200)
        assert said in desk("case", "show", "RE-1")


@pytest.mark.feature("S-AMX-26")
@pytest.mark.feature("S-AMX-47")
@pytest.mark.feature("S-AMX-48")
def test_a_case_by_its_number_with_its_contact(live):
    """The list names person and address; the case opens by its number and by its invoice, and can be acted in by hand."""
    desk = live
    desk("deliver")
    (row,) = desk.json("cases")
    assert "buch@spaeth.example" in row["contact"]
    by_number, by_invoice = desk.json("case", "show", row["number"]), desk.json("case", "show", "RE-1")
    assert by_number == by_invoice
    assert row["number"] in desk("explain", "RE-1")
    number = row["number"]
    desk("case", "defer", number, "--days", "3", "--as", "Erika")
    desk("case", "unblock", number, "--as", "Erika")
    desk("case", "block", number, "--reason", "dispute", "--note", "Ware fehlt", "--as", "Erika")
    desk("case", "unblock", number, "--as", "Erika")
    desk("case", "level", number, "3", "--as", "Erika")
    desk("case", "close", number, "--note", "kulant", "--as", "Erika")
    desk("case", "reopen", number, "--as", "Erika")
    kinds = [one["kind"] for one in desk.json("case", "show", number)["timeline"]]
    for kind in ("deferred", "unblocked", "blocked", "chosen", "closed_by_hand", "reopened_by_hand"):
        assert kind in kinds


@pytest.mark.parametrize("language", ["de", "en"])
def test_what_is_blocked_meanwhile_is_not_approved(proposed, language):
    """Disputed after it was proposed: the list says so, --all approves nothing of it and ends with 1; the next run takes it back."""
    desk = proposed
    desk.speak(language)
    desk(
        "case",
        "block",
        "RE-1",
        "--invoice",
        "RE-1",
        "--reason",
        "dispute",
        "--note",
        "falscher Betrag",
        "--as",
        "Erika",
    )
    [told] = desk.json("approve")
    assert [(one["invoice"], one["reason"]) for one in told["overtaken"]] == [("RE-1", "dispute")]
    shown = " ".join(desk("approve").split())
    said = {
        "de": ("wird nicht freigegeben: RE-1: Einwand: falscher Betrag", "Nicht freigegeben: "),
        "en": ("is not approved: RE-1: disputed: falscher Betrag", "Not approved: "),
    }[language]
    assert said[0] in shown
    answer = " ".join(desk("approve", "--all", "--yes", "--as", "Erika", code=1).split())
    assert said[1] in answer
    assert [one["id"] for one in desk.json("approve")] == [told["id"]]
    desk("run", "--no-deliver", "--no-pull")
    assert desk.json("approve") == []
