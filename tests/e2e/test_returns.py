"""A reminder that does not arrive: read from the mailbox or told by a person, the next level waits until a person decides."""

from datetime import date

import pytest

from bridge.testing.imap import ImapServer
from tests.unit.channels.test_bounces import report


@pytest.fixture
def mailbox(live):
    """The office has its first reminder delivered, and reads a mailbox for what comes back."""
    with ImapServer("bounces", "geheim") as server:
        place = f"{{host: 127.0.0.1, port: {server.port}, security: none, user: bounces, password: geheim}}"
        live.configure("  smtp:\n", f"  smtp:\n    bounces: {place}\n")
        live("deliver")
        yield server


def sent(desk):
    return [(to, str(mail["Message-ID"]), str(mail["Subject"])) for to, mail in desk.mails.received]


def test_a_mail_that_came_back_is_sent_once_more(live, mailbox):
    """A report in the mailbox holds the next level and makes a task; sent to another address it is the same level, once, after approval."""
    [(_, identity, subject)] = sent(live)
    live.on(date(2026, 9, 2))
    mailbox.append(report(returned=f"Message-ID: {identity}\n", failed="buch@spaeth.example"))
    assert live.json("run")["returned"]["notices"] == [1]
    [task] = live.json("tasks", "list")
    assert (task["kind"], task["invoices"]) == ("returned", ["RE-1"])
    live.on(date(2026, 9, 23))
    assert live.json("run")["planned"]["notices"] == []
    assert live.json("explain", "RE-1")[0]["reason"] == "undelivered"

    assert "is no address of" in live("letters", "resend", 1, "--to", "neu@spaeth.example", "--as", "Erika", code=2)
    found = live.json("letters", "resend", 1, "--to", "neu@spaeth.example", "--unknown", "--as", "Erika")
    found = live.json("letters", "resend", 1, "--to", "neu@spaeth.example", "--unknown", "--as", "Erika")
    [proposal] = found["proposals"]
    assert (proposal["level"], proposal["recipient"], proposal["deadline"] > "2026-09-23") == (
        1,
        "neu@spaeth.example",
        True,
    )
    live("deliver")
    assert len(sent(live)) == 1
    live("approve", proposal["id"], "--yes", "--as", "Erika")
    live("deliver")
    live("deliver")
    [_, (to, other, again)] = sent(live)
    assert (to, again) == (["neu@spaeth.example"], subject)
    assert other != identity
    assert live.json("cases")[0]["level"] == 1
    assert live.json("tasks", "list") == []
    assert "moved on" in live("letters", "resend", 1, "--as", "Erika", code=1)
    case = live("case", "show", "MA-000001")
    assert "550 5.1.1 no such user" in case


def test_a_person_tells_that_it_came_back_and_accepts_it(live, mailbox):
    """By hand: held with the reason, once; accepted, the next level counts from the first day."""

    live("letters", "returned", 1, "--reason", "Empfänger unbekannt", "--as", "Erika")
    assert "known to have come back" in live(
        "letters", "returned", 1, "--reason", "noch einmal", "--as", "Erika", code=1
    )
    live.on(date(2026, 9, 23))
    assert live.json("run")["planned"]["notices"] == []
    [task] = live.json("tasks", "list")
    assert "notice 1 came back: buch@spaeth.example" in live("tasks", "show", task["id"])
    live.speak("de")
    assert "Mahnung 1 kam zurück: buch@spaeth.example" in live("tasks", "show", task["id"])
    live("letters", "accepted", 1, "--note", "rief an, hat sie", "--as", "Erika")
    live.speak("en")
    assert "did not come back" in live("letters", "accepted", 1, "--as", "Erika", code=1)
    assert [one["level"] for one in live.json("run")["planned"]["notices"]] == [2]


def test_a_mailbox_that_is_away_stops_nothing(live, mailbox):
    """Log-in refused: `check` and `letters bounces` name it, the run goes on."""
    mailbox.password = "anders"
    assert "log-in refused" in live("letters", "bounces", "--as", "Erika", code=1)
    assert "imap_login" in {one["code"] for one in live.json("check", code=1)["remarks"]}
    assert live.json("run")["planned"]["state"] == "done"
