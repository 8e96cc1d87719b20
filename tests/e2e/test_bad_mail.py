"""Mail that cannot go out: named at the right place, waiting for a person, never lost and never sent twice."""

from datetime import date

import pytest


@pytest.mark.feature("S-AMX-18")
def test_an_address_that_would_add_headers_is_never_written_to(desk):
    """A line break in the customer's address at the provider: no mail to anybody, a letter waits in its place, and people are told once."""
    contact = desk.sandbox.add_contact("Falle GmbH", email="a@falle.example\r\nBcc: alle@welt.example", number="1002")
    desk.sandbox.add_invoice(contact, number="RE-2", issued_on=date(2026, 8, 3))
    desk("run", "--no-deliver")
    desk("approve", "--all", "--yes", "--as", "Erika")
    desk("go-live", "--yes", "--as", "Erika")
    desk("deliver")
    assert [to for to, _ in desk.mails.received] == [["buch@spaeth.example"]]
    [letter] = desk.json("letters", "list")
    assert desk.json("status", code=None)["to_send"] == 1
    assert (letter["customer"], letter["channel"]) == ("Falle GmbH", "letter")
    assert letter["notes"] == [
        "“a@falle.example Bcc: alle@welt.example” of this customer is no e-mail address; nothing goes there"
    ]
    assert letter["notes"][0] in " ".join(desk("explain", "RE-2").split())
    desk("run", "--no-deliver")
    [task] = desk.json("tasks", "list", "--period", "this-month")
    assert desk.json("tasks", "list", "--period", "last-month") == []
    assert (task["kind"], task["customer"]) == ("address", "Falle GmbH")
    assert "a@falle.example Bcc: alle@welt.example" in desk("tasks", "show", task["id"])


@pytest.mark.feature("S-AMX-18")
def test_a_recipient_that_the_server_refuses_waits_for_a_person(live):
    """550 for the customer's address: parked, and the failure names address and answer; replayed when the server takes it, it goes out once."""

    async def refuse(server, session, envelope, address, options):
        return "550 5.1.1 no such mailbox"

    live.mails.handle_RCPT = refuse
    live("deliver", code=1)
    [group] = live.json("failures", "list", "--period", "2026..", code=1)
    assert live.json("failures", "list", "--period", "..2025") == []
    [item] = group["ids"]
    shown = live("failures", "show", item)
    assert "buch@spaeth.example" in shown
    assert "550 5.1.1 no such mailbox" in shown
    assert live.json("cases")[0]["level"] == 0
    live("deliver", code=1)
    assert live.mails.received == []

    del live.mails.handle_RCPT
    live("replay", item, "--as", "Erika")
    live("deliver")
    live("deliver")
    assert len(live.mails.received) == 1
    assert live.json("cases")[0]["level"] == 1


def test_an_invoice_that_the_provider_fails_to_give_holds_its_mail(live):
    """Not there, then the provider is out of order: the mail waits, and why is told. Given again it goes out once, with the invoice."""
    for status in (404, 500):
        live.sandbox.faults.status(status, "getPdf", times=None, body={})
        live("deliver", code=None)
        [group] = live.json("failures", "list", code=1)
        [item] = group["ids"]
        assert f"HTTP {status}" in live("failures", "show", item)
        assert live.mails.begun == []
        live.sandbox.faults.clear()
        live("replay", item, "--as", "Erika")
    live("deliver")
    live("deliver")
    [(_, mail)] = live.mails.received
    assert [part.get_filename() for part in mail.iter_attachments()] == ["RE-1.pdf"]
    assert live.json("cases")[0]["level"] == 1


def test_a_token_that_is_refused_needs_a_person_at_each_delivery(live):
    """401 before the mail: the account stops, every delivery says so and ends with 1, until the token is right again."""
    refused = live.sandbox.faults.status(401, "", times=None)
    for _ in range(2):
        assert "mahnbridge pull" in live("deliver", code=1)
    refused.times = 0
    live("pull")
    live("deliver")
    assert len(live.mails.received) == 1
