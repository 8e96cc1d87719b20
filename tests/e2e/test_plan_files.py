"""Plans as an office keeps them: new files, levels added, changed and deleted, and what running cases make of it; on the command line."""

import itertools
from datetime import date

import pytest

pytestmark = pytest.mark.xdist_group("e2e-plan-files")


def edit(desk, name, old, new, count=1):
    path = desk.folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text, old
    path.write_text(text.replace(old, new, count), encoding="utf-8")


@pytest.mark.feature("S-AGI-2", "S-AGI-3", "S-AGI-26", "S-AGI-25", "S-AGI-28")
def test_a_new_plan_is_listed_assigned_and_changed_step_by_step(desk):
    """Named, with a kind, its comments kept; a customer with the tag VIP gets the soft text at the same lateness, another does not."""
    other = desk.sandbox.add_contact("VIP Media AG", email="vip@kunde.example", number="1002")
    desk.sandbox.add_invoice(other, number="RE-2", gross="200.00", issued_on=date(2026, 8, 3))
    desk.sandbox.tag_contact(other, "VIP")
    desk("pull")
    before = (desk.folder / "bridge.yaml").read_text(encoding="utf-8")
    assert "vip.yaml is written" in desk(
        "plans", "new", "vip", "--from", "gentle", "--title", "VIP-Kunden", "--as", "Erika"
    )
    after = (desk.folder / "bridge.yaml").read_text(encoding="utf-8")
    assert after == before.replace("files: [standard.yaml]", "files: [standard.yaml, vip.yaml]")
    assert (desk.folder / "vip.yaml").read_text(encoding="utf-8").startswith("# Sanft, für Stammkunden")
    [vip] = [one for one in desk.json("plans", "list") if one["name"] == "vip"]
    assert (vip["title"], len(vip["levels"]), vip["bundling"]) == ("VIP-Kunden", 3, "never")
    desk("plans", "new", "gruppe", "--group", "--as", "Erika")
    assert [one["bundling"] for one in desk.json("plans", "list") if one["name"] == "gruppe"] == ["from_first"]
    for wrong, words in (("vip", "there is a plan 'vip' already"), ("Foo", "is no name of a plan")):
        assert words in desk("plans", "new", wrong, code=2)
    drawn = desk("plans", "show", "vip").splitlines()
    steps = [f"{line} {following}" for line, following in itertools.pairwise(drawn) if "●─── " in line]
    assert len(steps) == 4  # the due date, and three steps: when, then what
    for words in ("1 Friendly note", "3 days before the due date", "2 Payment reminder", "10 days after the due date"):
        assert any(words in step for step in steps), drawn

    desk.configure("  # assign:\n", "  assign:\n    - {plan: vip, tags: [VIP]}\n  # assign:\n")
    told = {one["number"]: one for number in ("RE-1", "RE-2") for one in desk.json("explain", number)}
    assert [(told[one]["plan"], told[one]["plan_by"]) for one in ("RE-1", "RE-2")] == [
        ("standard", "account"),
        ("vip", "tags"),
    ]
    assert told["RE-2"]["plan_at"].startswith("bridge.yaml:")
    assert "vip (assigned by: tag; bridge.yaml:" in desk("explain", "RE-2")
    subjects = {one["claims"][0]["number"]: one["subject"] for one in desk.json("plan")["notices"]}
    assert set(subjects) == {"RE-1", "RE-2"}
    soft = told["RE-2"]["upcoming"][0]
    assert (soft["level"], soft["level_name"]) == (2, "Payment reminder")

    def steps_now():
        [shown] = [one for one in desk.json("plans", "list") if one["name"] == "vip"]
        return [(one["days"], one["automation"], one["term_days"]) for one in shown["levels"]]

    was = steps_now()
    edit(desk, "vip.yaml", "after_due: 10}\n    automation: propose", "after_due: 12}\n    automation: create")
    edit(desk, "vip.yaml", "channels: [email]\n    term_days: 14", "channels: [email]\n    term_days: 20")
    desk.configure("automation: propose", "automation: send")
    now = steps_now()
    assert (now[0][0], now[2][0]) == (was[0][0], was[2][0])
    assert now[1][:2] == (12, "create")


@pytest.mark.feature("S-BIL-10", "S-AMX-56", "S-BIL-9", "S-AMX-59", "S-AMX-58", "S-AMX-29", "S-BIL-6")
def test_levels_are_added_changed_and_deleted_while_a_case_runs(live):
    """A new level appears in list and choice; a changed one in the next preview; a deleted one is gone there, and stays in old cases."""
    live("deliver")
    live.on(date(2026, 9, 15))
    live("case", "level", "MA-000001", "3", "--as", "Erika")
    live("run", "--no-deliver")
    live("approve", "--all", "--as", "Erika")
    live("deliver")
    [case] = live.json("cases")
    assert (case["level"], case["level_name"]) == (3, "Second dunning letter")

    text = (live.folder / "standard.yaml").read_text(encoding="utf-8")
    first = text.index("  - name: {de: Zahlungserinnerung")
    second, third = text.index("  - name: {de: 1. Mahnung"), text.index("  - name: {de: 2. Mahnung")
    last = text.index("  - name: {de: Letzte Mahnung")
    added = text[first:second].replace(
        "de: Zahlungserinnerung, en: Payment reminder", "de: Anruf angekündigt, en: Call announced"
    )
    added = added.replace("after_due: 3}", "after_due: 60}").replace("Payment reminder for", "We will call you about")
    new = text.replace("    type: last\n", "") + added
    (live.folder / "standard.yaml").write_text(new, encoding="utf-8")

    def choices():
        [claim] = live.json("case", "show", "MA-000001")["claims"]
        return [(one["level"], one["name"]) for one in claim["choices"]]

    [standard] = [one for one in live.json("plans", "list") if one["name"] == "standard"]
    assert standard["levels"][4]["name"] == "Call announced"
    assert choices() == [(4, "Final notice"), (5, "Call announced")]
    live("case", "level", "MA-000001", "5", "--as", "Erika")
    shown = live("case", "show", "MA-000001")
    assert "level 5 Call announced" in shown
    assert "5 Call announced (chosen by Erika)" in shown
    live("case", "level", "MA-000001", "4", "--as", "Erika")
    changed = live("case", "show", "MA-000001")
    assert "level 4 Final notice" in changed  # the summary follows the choice
    assert "plan standard has no level 6; it has 1 " in live("case", "level", "MA-000001", "6", code=2)
    assert "already" in live("case", "level", "MA-000001", "2", code=2)
    live("case", "level", "MA-000001", "--default", "--as", "Erika")

    (live.folder / "standard.yaml").write_text(new[:third] + new[last:], encoding="utf-8")  # level 3 is deleted
    [standard] = [one for one in live.json("plans", "list") if one["name"] == "standard"]
    assert "Second dunning letter" not in [one["name"] for one in standard["levels"]]
    assert "Second dunning letter" not in {name for _, name in choices()}
    [case] = live.json("cases")
    assert (case["level"], case["level_name"]) == (3, "Second dunning letter")
    assert "3 Second dunning letter" in live("search", "RE-1")
    versions = live.json("plans", "versions", "standard")
    assert "Second dunning letter" in versions[-1]["levels"]
    old = live("plans", "show", "standard", "--version", versions[-1]["version"])
    assert "3 Second dunning letter" in old
    assert "has no version 'x'" in live("plans", "show", "standard", "--version", "x", code=2)


@pytest.mark.feature("S-BIL-9", "S-AMX-59", "S-BIL-12", "S-BIL-15", "S-AGI-8", "S-AMX-21")
def test_a_level_becomes_automatic_and_sends_its_new_text(desk):
    """Switched from proposal to sending, with other days and text: the preview shows it, and one e-mail per due case goes out at once."""
    other = desk.sandbox.add_contact("Zweite GmbH", email="b@kunde.example", number="1002")
    desk.sandbox.add_invoice(other, number="RE-2", gross="200.00", issued_on=date(2026, 8, 3))
    desk("go-live", "--yes", "--as", "Erika")
    desk.configure("automation: propose", "automation: send")
    desk("run")
    assert desk.mails.received == []
    assert len(desk.json("approve")) == 2
    for one in desk.json("approve"):
        desk("approve", str(one["id"]), "--refuse", "zu früh", "--as", "Erika")
    edit(
        desk,
        "standard.yaml",
        "trigger: {after_due: 3}\n    automation: propose",
        "trigger: {after_due: 4}\n    automation: send",
    )
    edit(desk, "standard.yaml", 'subject: "Payment reminder for', 'subject: "A kind word about')
    notices = desk.json("plan")["notices"]
    assert {(one["automation"], one["subject"]) for one in notices} == {
        ("send", "A kind word about invoice RE-1"), ("send", "A kind word about invoice RE-2"),
    }  # fmt: skip
    assert "4 days after the due date" in desk("plans", "show", "standard")
    desk("run")
    desk("run")
    assert sorted(str(mail["subject"]) for _, mail in desk.mails.received) == [
        "A kind word about invoice RE-1", "A kind word about invoice RE-2",
    ]  # fmt: skip


@pytest.mark.feature("S-AMX-64")
def test_every_variable_is_listed_and_an_unknown_one_refused(desk):
    """Name, type, meaning, example; a text with an unknown variable is refused with file and line when it is loaded."""
    rows = {one["name"]: one for one in desk.json("plans", "variables")}
    assert (rows["total"]["kind"], rows["total"]["example"][-3:]) == ("amount", "EUR")
    assert rows["items"]["parts"][0] == "number"
    desk.speak("de")
    assert "offener Betrag" in desk("plans", "variables")
    edit(
        desk,
        "standard.yaml",
        'subject: "Zahlungserinnerung {% if several %}zu den Rechnungen{% else %}zur Rechnung{% endif %} {{ invoice_number }}"',
        'subject: "Zu {{ invoice_nr }}"',
    )
    said = desk("plans", "list", code=1)
    assert "standard.yaml:21: levels.1.texts.de.subject" in said
    assert "die Variable 'invoice_nr' gibt es nicht, ist 'invoice_number' gemeint?" in " ".join(said.split())


@pytest.mark.feature("S-AMX-34", "S-AMX-30", "S-AMX-33", "S-AMX-31")
def test_the_summary_before_sending_is_what_is_sent(desk):
    """Day, level, channel, address, term, subject, attachment stand in the case; a second address is chosen for the level; so it goes out."""
    desk.sandbox.add_email(desk.customer, "zweite@spaeth.example")
    desk("pull")
    desk("run", "--no-deliver")
    desk("go-live", "--yes", "--as", "Erika")
    for bad, words in (("foo", "is no e-mail address"), ("fremd@example.org", "is no address of MA-000001")):
        assert words in desk("case", "recipient", "MA-000001", bad, code=2)
    assert "go to zweite@spaeth.example (Erika)" in desk(
        "case", "recipient", "MA-000001", "zweite@spaeth.example", "--level", "1", "--as", "Erika"
    )
    assert desk.json("approve") == []  # what was proposed to the first address is gone
    desk("run", "--no-deliver")
    [claim] = desk.json("case", "show", "MA-000001")["claims"]
    [told] = claim["upcoming"]
    shown = desk("case", "show", "MA-000001")
    for words in (
        "1 Payment reminder",
        "E-mail to zweite@spaeth.example",
        "10 days, until",
        told["subject"],
        "RE-1.pdf",
    ):
        assert words in shown, shown
    listed = desk("approve")
    assert "zweite@spaeth.example" in listed
    desk("approve", "--all", "--as", "Erika")
    desk("deliver")
    [(to, mail)] = desk.mails.received
    assert (to, str(mail["subject"])) == (told["recipients"], told["subject"])
    assert [one.get_filename() for one in mail.iter_attachments()] == told["attachments"]
    assert "zweite@spaeth.example" in desk("search", "RE-1")
    desk.speak("de")
    history = desk("case", "show", "MA-000001")
    assert "gewählt: Empfänger (Stufe 1) zweite@spaeth.example" in " ".join(history.split())
    [later] = desk.json("case", "show", "MA-000001")["claims"][0]["upcoming"]
    assert (later["level"], later["recipients"]) == (2, ["buch@spaeth.example"])


@pytest.mark.feature("S-SEV-1")
def test_the_status_says_how_much_is_overdue_and_since_last_week(desk):
    """The overdue total, and its change since a week ago as soon as a week is known."""
    desk("pull")
    assert "Overdue: €1,190.00" in desk("status")
    desk.sandbox.add_invoice(desk.customer, number="RE-2", gross="300.00", issued_on=date(2026, 8, 24))
    desk.on(date(2026, 9, 8))
    desk("pull")
    [account] = desk.json("status")["accounts"]
    assert (account["compared_on"], account["overdue_change"]) == ("2026-09-01", {"EUR": "300.00"})
    desk.speak("de")
    assert "Überfällig: 1.490,00 €. Veränderung seit dem 01.09.2026: +300,00 €." in desk("status")
