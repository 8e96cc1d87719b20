"""Sending at Billomat, the line in its history, and what it does by itself."""

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest

from bridge.contract import Act, Attachment, CannotTell, NotSupported, Recipients, Ref, Refused, RetryLater, Unclear
from connectors.billomat.sandbox import reminding


class TestSending:
    def test_the_mail_goes_out_once_and_is_proven_by_the_history(self, billomat):
        """An entry newer than the newest one before the call is the proof; older mails prove nothing."""
        connector, invoice = billomat.connector(), billomat.invoice()
        billomat.sandbox.remind_by_hand(invoice, email="rechnung@ahorn.example")
        reminder = billomat.sendable(connector, invoice)
        send = billomat.write(
            connector,
            Act.SEND_EMAIL,
            invoice,
            reminder,
            recipients=Recipients(to=("a@b.example",), bcc=("c@d.example",)),
        )
        with pytest.raises(CannotTell, match="proves nothing"):
            connector.find(send)
        billomat.sandbox.faults.cut_after("/email", method="POST")
        with pytest.raises(Unclear):
            connector.push(send)
        proof = connector.find(send)
        assert (proof.found_later, proof.facts["action"]) == (True, "REMINDER_MAIL")
        mail = billomat.sandbox.ledger.mails[-1]
        assert (mail.reminder_id, mail.to, mail.demanded) == (reminder, ("a@b.example", "c@d.example"), Decimal(119))

    @pytest.mark.parametrize("user", [2, None])
    def test_a_mail_that_somebody_else_sent_at_the_same_moment_is_no_proof(self, billomat, user):
        """The history does not name the reminder, but who acted: neither a colleague nor Billomat's own automation is us."""
        connector, invoice = billomat.connector(), billomat.invoice()
        reminder = billomat.sendable(connector, invoice)
        send = billomat.write(connector, Act.SEND_EMAIL, invoice, reminder)
        billomat.sandbox.books.note(int(invoice), "REMINDER_MAIL", "Mahnung versendet", user)
        with pytest.raises(CannotTell, match="proves nothing"):
            connector.find(send)
        connector.push(send)
        assert connector.find(send).facts["entries"] == "1"

    def test_a_failed_mail_is_for_a_person(self, billomat):
        """Billomat took the mail and reports its failure: neither sent nor certainly absent."""
        billomat.sandbox.behaviour.mail_fails = True
        connector, invoice = billomat.connector(), billomat.invoice()
        reminder = billomat.sendable(connector, invoice)
        send = billomat.write(connector, Act.SEND_EMAIL, invoice, reminder)
        connector.push(send)
        with pytest.raises(CannotTell, match="failed"):
            connector.find(send)

    def test_a_draft_or_nobody_is_not_sent(self, billomat):
        """A mail needs a completed reminder and a recipient."""
        connector, invoice = billomat.connector(), billomat.invoice()
        reminder = billomat.created(connector, invoice)
        with pytest.raises(Refused, match="is DRAFT"):
            connector.push(billomat.write(connector, Act.SEND_EMAIL, invoice, reminder))
        with pytest.raises(Refused, match="no recipient"):
            connector.push(billomat.write(connector, Act.SEND_EMAIL, invoice, reminder, recipients=Recipients()))

    def test_the_original_invoice_can_go_along(self, billomat):
        """Documents of Billomat are attached; files of ours are refused before anything is sent."""
        connector, invoice = billomat.connector(), billomat.invoice()
        reminder = billomat.sendable(connector, invoice)
        file = Attachment(filename="RE.pdf", document=Ref.invoice(invoice))
        connector.push(billomat.write(connector, Act.SEND_EMAIL, invoice, reminder, attachments=(file,)))
        body = billomat.sandbox.server.calls("POST", "/email")[-1].json()
        assert body["email"]["attachments"]["attachment"][0]["base64file"].startswith("JVBERi")
        own = Attachment(filename="own.pdf", path="own.pdf")
        with pytest.raises(Refused, match="only documents of Billomat"):
            connector.push(billomat.write(connector, Act.SEND_EMAIL, invoice, reminder, attachments=(own,)))

    def test_letters_go_only_when_switched_on(self, billomat):
        """Letters cost money: only with `post`, and proven by their own history entry."""
        connector, invoice = billomat.connector(), billomat.invoice()
        reminder = billomat.sendable(connector, invoice)
        with pytest.raises(NotSupported):
            connector.push(billomat.write(connector, Act.SEND_POST, invoice, reminder))
        posting = billomat.connector(post=True)
        send = billomat.write(posting, Act.SEND_POST, invoice, reminder)
        posting.push(send)
        assert len(billomat.sandbox.ledger.letters) == 1
        assert posting.find(send).facts["action"] == "REMINDER_LETTER"

    def test_without_a_baseline_nothing_is_claimed(self, billomat):
        """Without the newest history entry before the call, an entry proves nothing."""
        connector, invoice = billomat.connector(), billomat.invoice()
        reminder = billomat.sendable(connector, invoice)
        send = billomat.write(connector, Act.SEND_EMAIL, invoice, reminder)
        connector.push(send)
        with pytest.raises(CannotTell):
            connector.find(send.model_copy(update={"baseline": None}))


class TestLine:
    @pytest.mark.feature("S-AMX-45")
    @pytest.mark.feature("S-AMX-46")
    def test_invoice_and_customer_carry_the_same_line(self, billomat):
        """The invoice's history has the line, not public and with our mark; the customer's own property shows the same line."""
        connector, invoice = billomat.connector(), billomat.invoice()
        connector.prepare_places()
        note, customer = (billomat.write(connector, act, invoice) for act in (Act.NOTE, Act.CUSTOMER_NOTE))
        assert connector.find(note) is None
        assert connector.find(customer) is None
        connector.push(note)
        connector.push(customer)
        line = "16.11.2026 1. Mahnung per E-Mail"
        assert billomat.sandbox.ledger.comments(invoice) == [f"{line} [{note.marker}]"]
        assert billomat.sandbox.books.comments.by("invoice_id", int(invoice))[-1]["public"] is False
        assert billomat.sandbox.client_line(customer.debtor_id) == line
        assert connector.find(note).found_later
        assert connector.find(customer).found_later

    def test_peoples_texts_are_not_touched(self, billomat):
        """The client's note, labels and custom fields stay as they are."""
        connector, invoice = billomat.connector(), billomat.invoice()
        connector.prepare_places()
        client = billomat.sandbox.books.clients.rows[4711]
        billomat.sandbox.change_client("4711", note="zahlt immer spät", customfield="X-1")
        before = dict(client)
        for act in (Act.NOTE, Act.TAG, Act.CUSTOMER_NOTE):
            connector.push(billomat.write(connector, act, invoice))
        assert dict(client) == before

    def test_without_its_place_the_customer_line_is_refused(self, billomat):
        """Only `prepare_places` creates the property, once."""
        connector, invoice = billomat.connector(), billomat.invoice()
        with pytest.raises(Refused, match="Mahnwesen"):
            connector.push(billomat.write(connector, Act.CUSTOMER_NOTE, invoice))
        assert [finding.code for _ in range(2) for finding in connector.prepare_places()] == [
            "billomat_place_created",
            "billomat_place_ready",
        ]
        assert len(billomat.sandbox.books.properties.rows) == 1

    def test_a_tag_is_set_once(self, billomat):
        """A tag that is there is not added again; a tag that would stop dunning is never set."""
        connector, invoice = billomat.connector(), billomat.invoice()
        tag = billomat.write(connector, Act.TAG, invoice)
        assert connector.find(tag) is None
        connector.push(tag)
        connector.push(tag)
        assert billomat.sandbox.invoice_tag_names(invoice) == ["gemahnt-1"]
        assert connector.find(tag).facts["tag"] == "gemahnt-1"
        with pytest.raises(Refused, match="stops dunning"):
            connector.push(
                billomat.write(connector, Act.TAG, invoice, key="n2").model_copy(
                    update={"content": tag.content.model_copy(update={"tag": "Mahnstopp"})}
                )
            )


@pytest.mark.parametrize("act", [Act.MARK_SENT, Act.MAIL, Act.LETTER])
def test_acts_that_billomat_does_not_have_are_not_supported(billomat, act):
    """There is nothing at Billomat that says sent by us; such acts are named at start-up, not when a letter is due."""
    connector, invoice = billomat.connector(), billomat.invoice()
    with pytest.raises(NotSupported):
        connector.push(billomat.write(connector, act, invoice))
    assert act not in connector.acts


@pytest.mark.feature("P-26")
def test_foreign_reminders_show_up_without_our_mark(billomat):
    """A reminder made by hand or by Billomat's own run raises the expected level and is told apart from ours."""
    connector, invoice = billomat.connector(), billomat.invoice()
    billomat.sandbox.automate(wait_days=3, hour=6)
    billomat.sandbox.today = date(2026, 11, 17)
    (snapshot,) = billomat.look(connector, invoice)
    assert [(notice.level, notice.marker) for notice in snapshot.notices] == [(1, None)]
    write = billomat.write(connector, Act.CREATE, invoice)
    assert write.expected_provider_level == 2
    assert connector.push(write).level == 2
    (_, ours) = billomat.look(connector, invoice)[0].notices
    assert re.fullmatch(r"mb:[0-9a-f]{12}", ours.marker)


def test_the_automation_does_not_touch_excluded_clients(billomat):
    """The sandbox's own run leaves out clients with `dunning_run` off, drafts wait for their day."""
    client = billomat.sandbox.add_client("Ahorn Bau GmbH", email="a@b.example", dunning_run=False)
    invoice = billomat.sandbox.add_invoice(client, "5.00", due_on=date(2026, 11, 1))
    billomat.sandbox.automate()
    billomat.sandbox.today = date(2026, 11, 17)
    assert billomat.sandbox.ledger.sendings(invoice) == []


@pytest.mark.feature("P-36")
def test_a_wait_of_a_quarter_of_an_hour_is_passed_on_and_shown(billomat):
    """Over the limit nothing is written, the caller learns how long to wait, and the budget shows until when."""
    connector, invoice = billomat.connector(), billomat.invoice()
    write = billomat.write(connector, Act.CREATE, invoice)
    billomat.sandbox.door.limit = 1
    with pytest.raises(RetryLater) as caught:
        connector.push(write)
    assert timedelta(0) < caught.value.after <= timedelta(minutes=16)
    assert connector.http.budget().blocked_until is not None
    assert billomat.sandbox.reminders(invoice) == []
    billomat.sandbox.door.limit = None


def test_the_sandbox_completes_only_drafts(billomat):
    """Completing twice at the provider itself is an error, so that a connector that repeats blindly is found out."""
    reminder = billomat.sandbox.remind_by_hand(billomat.invoice())
    books = billomat.sandbox.books
    with pytest.raises(Exception, match="kein Entwurf"):
        reminding.complete(books, books.reminders.rows[int(reminder)])
