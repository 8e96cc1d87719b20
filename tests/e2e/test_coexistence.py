"""Reminders that the provider's own automation makes while ours runs, and the pause, on the command line."""

from datetime import date

import pytest

pytestmark = pytest.mark.xdist_group("e2e-people")


@pytest.mark.feature("N-6", "P-26")
def test_repeated_foreign_reminders_suspend_writing_until_a_person_releases_it(live):
    """Two foreign reminders in one pull: status and check warn, nothing leaves; after `release` it goes on, with a name."""
    other = live.sandbox.add_invoice(live.customer, number="RE-2", gross="50.00", issued_on=date(2026, 8, 3))
    third = live.sandbox.add_invoice(live.customer, number="RE-3", gross="50.00", issued_on=date(2026, 8, 3))
    live("pull")
    live.sandbox.remind_by_hand(other)
    live("pull")
    assert any("reminded at the provider on" in text for text in live.json("explain", "RE-2")[0]["notes"])
    assert live.json("status")["accounts"][0]["writing_suspended"] == "", "one by hand is adopted, nothing else"
    live.sandbox.remind_by_hand(other)
    live.sandbox.remind_by_hand(third)
    live("run", code=None)
    assert live.mails.received == []
    assert "several reminders at once" in live("status", code=1)
    remarks = live.json("check")["remarks"]
    assert [one["subject"] for one in remarks if one["code"] == "writing_suspended"] == ["main"]
    assert live.json("plan")["notices"] == []
    live.speak("de")
    assert "mehrere Mahnungen auf einmal" in live("status", code=1)
    assert "ausgesetzt" in live("check")
    assert "wieder erlaubt (Erika)" in live("release", "main", "--as", "Erika", "--note", "Automatik abgeschaltet")
    assert "nicht ausgesetzt" in live("release", "main", code=2) or "not suspended" in live("release", "main", code=2)
    assert live.json("status")["accounts"][0]["writing_suspended"] == ""
    live("run")
    assert [recipients for recipients, _ in live.mails.received] == [["buch@spaeth.example"]]
    live("pull", "--full")
    assert live.json("status")["accounts"][0]["writing_suspended"] == "", "what was known does not count again"


@pytest.mark.feature("P-12")
def test_a_pause_holds_all_sending_and_is_visible(live):
    """Paused: reading and deciding go on, the outbox stays empty, status shows a banner; afterwards what waited goes out."""
    assert "All sending is paused (Erika)" in live("pause", "--as", "Erika")
    assert live.json("run")["pulled"][0]["state"] == "done"
    assert live.mails.received == []
    assert "PAUSED: nothing is sent (by Erika)" in live("status")
    assert [one["code"] for one in live.json("check")["remarks"] if one["code"] == "paused"] == ["paused"]
    assert "all sending is paused (by Erika, 1 September 2026)" in live("plan")
    live.speak("de")
    assert "alle Sendungen sind angehalten (von Erika, 01.09.2026)" in live("explain", "RE-1")
    assert "ANGEHALTEN" in live("status")
    live("pause", "--off", "--as", "Jens")
    live("deliver")
    assert len(live.mails.received) == 1
    assert live.json("status")["paused"] is False
    live("pause", "--off", code=2)
