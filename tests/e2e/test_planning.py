"""Seeing beforehand what a plan does: forecast, timeline, lint and rehearsal, through the command line."""

from datetime import date

import pytest


@pytest.fixture
def read(near):
    """An office with two debtors whose invoices are due, everything read."""
    near.init()
    for number, day in (("1001", 3), ("1002", 10)):
        customer = near.sandbox.add_contact(f"Firma {number}", email=f"a{number}@kunde.example", number=number)
        near.sandbox.add_invoice(customer, number=f"RE-{number}", gross="1190.00", issued_on=date(2026, 8, day))
    near.sandbox.add_transaction("1.00", status=400)
    near("pull")
    return near


def changed(office, old, new):
    text = (office.folder / "standard.yaml").read_text(encoding="utf-8")
    assert old in text
    (office.folder / "new.yaml").write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.feature("N-4")
@pytest.mark.feature("S-BIL-9")
def test_a_changed_plan_is_rehearsed_before_it_is_used(read):
    """Other days, another level: the difference by day and debtor against the plan in force; nothing is sent or stored."""
    before = read.json("plan", "--days", "30")["notices"]
    changed(read, "after_due: 14}", "after_due: 10}")
    same_days = read.json("rehearse", "standard.yaml")
    assert (same_days["differences"], same_days["was"]) == ([], len(before))
    found = read.json("rehearse", "new.yaml")
    assert found["was"] == len(before)
    assert sum(day["was"] for day in found["days"]) == found["was"]
    [moved] = found["levels"]  # the term before holds level 2 where it was, and the rehearsal says so
    assert (moved["level"], moved["written_was"], moved["written_now"], moved["now"]) == (2, 14, 10, moved["was"])
    assert "still comes on day 15" in " ".join(read("rehearse", "new.yaml").out.split())
    assert sum(day["now"] for day in found["days"]) == found["now"]

    changed(read, "term_days: 10", "term_days: 5")
    faster = read.json("rehearse", "new.yaml")
    moved = [one for one in faster["differences"] if one["change"] == "moved"]
    assert {one["now"]["customer"] for one in moved} == {"Firma 1001", "Firma 1002"}
    assert all(one["now"]["on"] < one["was"]["on"] for one in moved)
    assert read.json("approve") == []
    assert read.json("plan", "--days", "30")["notices"] == before
    assert read.mails.received == []

    shown = read("rehearse", "new.yaml").out
    assert "Rehearsal of new.yaml" in shown
    assert "Nothing was sent and nothing was stored." in shown
    read.env["COLUMNS"] = "80"
    read.language = "de"
    narrow = read("rehearse", "new.yaml").out
    assert max(len(line.rstrip()) for line in narrow.splitlines()) <= 80
    assert "→ verschoben" in narrow


@pytest.mark.feature("S-AMX-57")
@pytest.mark.feature("S-AMX-65")
@pytest.mark.feature("S-BIL-9")
@pytest.mark.feature("S-PAY-10")
def test_one_page_shows_every_level_with_all_details(read):
    """On first start the shipped plans are there with German texts; a plan is drawn with days, term, fee, channels, automation."""
    read.language = "de"
    [plan] = [one for one in read.json("plans", "list") if one["name"] == "standard"]
    assert (len(plan["levels"]), plan["accounts"], plan["default"]) == (4, ["main"], True)
    assert all("de" in level["languages"] for level in plan["levels"])
    shown = read("plans", "show", "standard").out
    for words in ("1 Zahlungserinnerung", "2 1. Mahnung", "4 Letzte Mahnung", "3 Tage nach Fälligkeit", "Zahlungsfrist 10 Tage",
                  "Gebühr: keine", "E-Mail", "nur Vorschlag"):  # fmt: skip
        assert words in shown
    told = " ".join(shown.split())
    assert "Mindestabstand 7 Tage" in told
    assert told.count("Verzugszinsen · Verzugspauschale 40 EUR von Unternehmen (wo der") == 2
    text = (read.folder / "standard.yaml").read_text(encoding="utf-8")
    text = text.replace("after_due: 14}", "after_due: 16}").replace(
        "    term_days: 7\n", "    term_days: 9\n    fee: 2.50\n"
    )
    (read.folder / "standard.yaml").write_text(text, encoding="utf-8")
    again = read("plans", "show", "standard").out
    for words in ("16 Tage nach Fälligkeit", "Zahlungsfrist 9 Tage", "2,50 €"):
        assert words in again
    read("plans", "show", "nothing", code=2)


def test_the_forecast_says_what_goes_out_when(read):
    """By day and debtor, in the order of days, for as many days as asked; the first day is what `plan` shows for today."""
    found = read.json("plan", "--days", "40")
    days = [one["on"] for one in found["notices"]]
    assert days == sorted(days)
    today = [one["invoices"] for one in found["notices"] if one["on"] == found["today"]]
    assert today == [[claim["number"] for claim in one["claims"]] for one in read.json("plan")["notices"]]
    levels = [one["level"] for one in found["notices"] if one["customer"] == "Firma 1001"]
    assert levels == list(range(1, len(levels) + 1))
    assert len(levels) >= 3
    assert all(
        one["customer"] == "Firma 1002" for one in read.json("plan", "--days", "40", "--customer", "1002")["notices"]
    )


def test_lint_names_line_or_level(read):
    """A file that is no plan is refused with its line, a weak one is told by level; the plans in use are looked at without a file."""
    assert read.json("plans", "lint") == []
    changed(read, "after_due: 14}", "after_due: 4}")
    assert [(one["code"], one["levels"]) for one in read.json("plans", "lint", "new.yaml")] == [("together", [1, 2])]
    changed(read, "after_due: 14}", "after_dew: 4}")
    [wrong] = read.json("plans", "lint", "new.yaml", code=1)
    assert "did you mean 'after_due'?" in wrong["text"]
