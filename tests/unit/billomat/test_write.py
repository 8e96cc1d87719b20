"""Write-backs: what each act does at Billomat, what it refuses, and how a lost outcome is found."""

import re
from datetime import date, timedelta
from decimal import Decimal

import pytest

from bridge.contract import Act, Attachment, CannotTell, NotSupported, Recipients, Ref, Refused, RetryLater, Unclear
from connectors.billomat.sandbox import reminding

REMINDER = r"/reminders$"


def created(billomat, connector, invoice, **content):
    """Create our draft; return its id."""
    return connector.push(billomat.write(connector, Act.CREATE, invoice, **content)).provider_id


def sendable(billomat, connector, invoice):
    reminder = created(billomat, connector, invoice)
    connector.push(billomat.write(connector, Act.COMPLETE, invoice, reminder))
    return reminder


class TestCreate:
    @pytest.mark.feature("P-25")
    def test_the_reminder_is_a_document_at_billomat_with_our_mark(self, billomat):
        """A draft with Billomat's own level and layout, with our mark, texts and deadline, in one call."""
        connector, invoice = billomat.connector(), billomat.invoice()
        write = billomat.write(connector, Act.CREATE, invoice)
        proof = connector.push(write)
        (reminder,) = billomat.sandbox.reminders(invoice)
        assert (reminder["status"], reminder["label"], reminder["reminder_level"]) == ("DRAFT", write.marker, 1)
        assert (reminder["due_date"], reminder["date"], reminder["intro"]) == (
            date(2026, 11, 30),
            date(2026, 11, 16),
            "Bitte zahlen Sie.",
        )
        assert (proof.provider_id, proof.level, proof.deadline) == (str(reminder["id"]), 1, date(2026, 11, 30))
        billomat.sandbox.server.faults.clear()
        assert connector.document(Ref.reminder(proof.provider_id)).startswith(b"%PDF")

    def test_without_texts_of_ours_billomats_level_speaks(self, billomat):
        """Empty texts are not sent, so the texts of the provider's level stay."""
        connector, invoice = billomat.connector(), billomat.invoice()
        created(billomat, connector, invoice, subject="", text="")
        assert billomat.sandbox.reminders(invoice)[0]["subject"].startswith("Zahlungserinnerung zu")

    def test_a_used_up_quota_writes_nothing_and_says_so(self, billomat):
        """Reminders count as documents: with none left nothing is written, and the reason is named."""
        billomat.sandbox.set_quota(0)
        connector, invoice = billomat.connector(), billomat.invoice()
        with pytest.raises(RetryLater, match="document quota") as caught:
            created(billomat, connector, invoice)
        assert caught.value.cause == "document_quota"
        assert not billomat.sandbox.server.calls("POST")

    def test_a_quota_used_up_meanwhile_is_recognised_in_the_refusal(self, billomat):
        """Billomat's error has no code; after a refusal the quota is asked again."""
        connector, first, second = billomat.connector(), billomat.invoice(), billomat.invoice()
        billomat.sandbox.set_quota(5)
        created(billomat, connector, first)
        billomat.sandbox.set_quota(0)
        with pytest.raises(RetryLater, match="document quota"):
            created(billomat, connector, second)

    def test_an_invoice_that_may_not_be_reminded_of_is_refused(self, billomat):
        """Where Billomat takes overdue invoices only, its words stand in the refusal."""
        billomat.sandbox.behaviour.refuses_open_invoices = True
        connector, invoice = billomat.connector(), billomat.invoice(due_on=date(2026, 12, 1))
        with pytest.raises(Refused, match="OPEN"):
            created(billomat, connector, invoice)

    @pytest.mark.parametrize("strike", ["cut_after", "html", "truncate", "status"])
    def test_a_lost_answer_is_unclear_and_then_found(self, billomat, strike):
        """Whatever spoils the answer after the effect: the outcome is unclear, and our mark finds the one reminder."""
        connector, invoice = billomat.connector(), billomat.invoice()
        write = billomat.write(connector, Act.CREATE, invoice)
        faults = billomat.sandbox.faults
        {
            "cut_after": lambda: faults.cut_after(REMINDER, method="POST"),
            "html": lambda: faults.html(REMINDER, method="POST", after=True),
            "truncate": lambda: faults.truncate(REMINDER, method="POST"),
            "status": lambda: faults.status(503, REMINDER, method="POST", after=True),
        }[strike]()
        with pytest.raises(Unclear):
            connector.push(write)
        proof = connector.find(write)
        assert proof.found_later
        assert proof.provider_id == str(billomat.sandbox.reminders(invoice)[0]["id"])

    def test_an_error_inside_a_success_is_unclear(self, billomat):
        """A 2xx answer with `errors` proves neither; `find` decides."""
        connector, invoice = billomat.connector(), billomat.invoice()
        write = billomat.write(connector, Act.CREATE, invoice)
        billomat.sandbox.faults.status(200, REMINDER, method="POST", body={"errors": {"error": ["a", "b"]}})
        with pytest.raises(Unclear, match="a; b"):
            connector.push(write)
        assert connector.find(write) is None

    def test_nothing_created_is_certainly_absent(self, billomat):
        """Neither our mark nor a new reminder of the invoice: it did not happen, though a part of the number matches elsewhere."""
        connector, invoice, other = (
            billomat.connector(),
            billomat.invoice(number="RE-7"),
            billomat.invoice(number="RE-77"),
        )
        write = billomat.write(connector, Act.CREATE, invoice)
        billomat.sandbox.remind_by_hand(other)
        assert connector.find(write) is None

    def test_a_mark_that_was_not_stored_is_not_repeated(self, billomat):
        """A new reminder without a mark may be ours: no second one is made, a person looks."""
        billomat.sandbox.behaviour.stores_label = False
        connector, invoice = billomat.connector(), billomat.invoice()
        write = billomat.write(connector, Act.CREATE, invoice)
        connector.push(write)
        with pytest.raises(CannotTell, match="without our mark"):
            connector.find(write)

    def test_two_with_our_mark_are_for_a_person(self, billomat):
        """The oldest is to be kept, the drafts to be deleted are named."""
        connector, invoice = billomat.connector(), billomat.invoice()
        write = billomat.write(connector, Act.CREATE, invoice)
        first, second = connector.push(write).provider_id, connector.push(write).provider_id
        with pytest.raises(CannotTell, match=f"keep {first}, delete the drafts {second}"):
            connector.find(write)

    def test_the_mark_can_stand_in_the_custom_field(self, billomat):
        """Where the template prints the label, our mark goes to the custom field by a second, harmless call."""
        connector, invoice = billomat.connector(write_key="customfield"), billomat.invoice()
        write = billomat.write(connector, Act.CREATE, invoice)
        connector.push(write)
        (reminder,) = billomat.sandbox.reminders(invoice)
        assert (reminder["label"], reminder["customfield"]) == ("", write.marker)
        assert connector.find(write).provider_id == str(reminder["id"])

    def test_a_custom_field_that_was_not_written_is_unclear(self, billomat):
        """Between the two calls the reminder has no mark: unclear, and never repeated by itself."""
        connector, invoice = billomat.connector(write_key="customfield"), billomat.invoice()
        write = billomat.write(connector, Act.CREATE, invoice)
        billomat.sandbox.faults.cut_before("customfield", method="PUT")
        with pytest.raises(Unclear, match="our mark could not be put on it"):
            connector.push(write)
        with pytest.raises(CannotTell):
            connector.find(write)


class TestAmend:
    def test_the_level_is_compared_with_billomats_own_counter(self, billomat):
        """Levels are numbered by their place in Billomat's settings; another one than expected is refused, naming both."""
        connector, invoice = billomat.connector(), billomat.invoice()
        billomat.sandbox.remind_by_hand(invoice)
        write = billomat.write(connector, Act.CREATE, invoice)
        reminder = connector.push(write).provider_id
        amend = billomat.write(connector, Act.AMEND, invoice, reminder)
        assert connector.push(amend).level == 2
        with pytest.raises(Refused, match="chose its level 2, expected was 1"):
            connector.push(amend.model_copy(update={"expected_provider_level": 1}))

    def test_deadline_and_texts_are_set_where_they_differ(self, billomat):
        """What differs is written and read back; a second time nothing is written."""
        connector, invoice = billomat.connector(), billomat.invoice()
        reminder = created(billomat, connector, invoice)
        amend = billomat.write(
            connector, Act.AMEND, invoice, reminder, deadline=date(2026, 12, 7), text="Erste Zeile\nzweite Zeile"
        )
        assert connector.push(amend).deadline == date(2026, 12, 7)
        before = billomat.seen
        connector.push(amend)
        assert {method for method, _ in billomat.calls(before)} == {"GET"}

    @pytest.mark.parametrize("marked", [True, False])
    def test_a_fee_is_never_charged_twice(self, billomat, marked):
        """The level's own fee stays alone; without one ours is added once, however often this is repeated."""
        billomat.sandbox.behaviour.charge_is_marked = marked
        connector = billomat.connector()
        for has_charge in (True, False):
            billomat.sandbox.behaviour.draft_has_charge = has_charge
            invoice = billomat.invoice()
            billomat.sandbox.remind_by_hand(invoice)
            billomat.sandbox.remind_by_hand(invoice)
            reminder = created(billomat, connector, invoice, fee="5.00")
            amend = billomat.write(connector, Act.AMEND, invoice, reminder, fee="5.00")
            assert connector.push(amend).fee == Decimal(5)
            connector.push(amend)
            items = billomat.sandbox.reminders(invoice)[-1]["items"]
            assert [(item["title"], item["total"]) for item in items] == [("Mahngebühr", Decimal(5))]

    def test_another_fee_than_ours_is_refused(self, billomat):
        """Billomat's level charges 5, we nothing: refused, naming both."""
        connector, invoice = billomat.connector(), billomat.invoice()
        billomat.sandbox.remind_by_hand(invoice)
        billomat.sandbox.remind_by_hand(invoice)
        reminder = created(billomat, connector, invoice)
        with pytest.raises(Refused, match=r"charge 5\.00 at Billomat, the fee should be 0\.00"):
            connector.push(billomat.write(connector, Act.AMEND, invoice, reminder))

    def test_a_draft_that_shows_no_amount_is_refused(self, billomat):
        """An amount that is not there cannot be compared, so that it is not taken for the right one."""
        connector, invoice = billomat.connector(), billomat.invoice()
        write = billomat.write(connector, Act.CREATE, invoice)
        amend = billomat.write(connector, Act.AMEND, invoice, connector.push(write).provider_id)
        hidden = dict.fromkeys(("open_amount", "total_gross", "paid_amount"), "")
        billomat.sandbox.faults.reshape(
            lambda data: {"reminder": {**data["reminder"], **hidden}}, r"/reminders/\d+$", method="GET", times=None
        )
        with pytest.raises(Refused, match="asks for nothing"):
            connector.push(amend)

    def test_a_lost_answer_to_the_fee_does_not_charge_again(self, billomat):
        """The item was added but its answer lost: amending again finds it."""
        billomat.sandbox.add_level("Fünfte")
        connector, invoice = billomat.connector(), billomat.invoice()
        reminder = created(billomat, connector, invoice, fee="2.50")
        amend = billomat.write(connector, Act.AMEND, invoice, reminder, fee="2.50")
        billomat.sandbox.faults.cut_after("/reminder-items", method="POST")
        with pytest.raises(Unclear):
            connector.push(amend)
        assert connector.find(amend).fee == Decimal("2.50")
        connector.push(amend)
        assert len(billomat.sandbox.reminders(invoice)[0]["items"]) == 1

    @pytest.mark.parametrize("included", [True, False])
    def test_both_readings_of_the_amount_are_right(self, billomat, included):
        """Whether Billomat counts fees into the amount is not documented; a part payment is seen either way."""
        billomat.sandbox.behaviour.amounts_include_charges = included
        connector, invoice = billomat.connector(), billomat.invoice()
        billomat.sandbox.pay(invoice, "19.00")
        reminder = created(billomat, connector, invoice, fee="5.00")
        assert connector.push(billomat.write(connector, Act.AMEND, invoice, reminder, fee="5.00")).principal == Decimal(
            100
        )

    def test_another_amount_than_ours_is_refused_unless_switched_off(self, billomat):
        """Billomat would ask for the whole amount where a credit note lowers ours: refused, naming both."""
        connector, invoice = billomat.connector(), billomat.invoice()
        reminder = created(billomat, connector, invoice)
        amend = billomat.write(connector, Act.AMEND, invoice, reminder, principal="100.00")
        with pytest.raises(Refused, match=r"asks for 119, should be 100\.00"):
            connector.push(amend)
        assert billomat.connector(check_amounts=False).push(amend).level == 1

    def test_reminders_that_are_not_ours_are_left_alone(self, billomat):
        """Without our mark, of another invoice, or no draft any more: nothing is changed."""
        connector, invoice, other = billomat.connector(), billomat.invoice(), billomat.invoice()
        foreign = billomat.sandbox.remind_by_hand(invoice, complete=False)
        mine = created(billomat, connector, other)
        before = [dict(row) for row in billomat.sandbox.books.reminders.rows.values()]
        for act in (Act.AMEND, Act.COMPLETE, Act.DISCARD, Act.SEND_EMAIL):
            with pytest.raises(Refused, match="our mark"):
                connector.push(billomat.write(connector, act, invoice, foreign))
            with pytest.raises(Refused, match="belongs to invoice"):
                connector.push(billomat.write(connector, act, invoice, mine))
        assert [dict(row) for row in billomat.sandbox.books.reminders.rows.values()] == before


class TestCompleteAndDiscard:
    def test_completing_twice_completes_once(self, billomat):
        """A second call finds the reminder completed and calls nothing; `find` says the same."""
        connector, invoice = billomat.connector(), billomat.invoice()
        reminder = created(billomat, connector, invoice)
        complete = billomat.write(connector, Act.COMPLETE, invoice, reminder)
        assert connector.find(complete) is None
        connector.push(complete)
        before = billomat.seen
        connector.push(complete)
        assert {method for method, _ in billomat.calls(before)} == {"GET"}
        assert connector.find(complete).facts["status"] == "OPEN"

    @pytest.mark.parametrize("body", [b"", b"null"])
    def test_answers_without_content_are_fine(self, billomat, body):
        """Actions answer nothing, or null."""
        billomat.sandbox.routes.action_body = body
        connector, invoice = billomat.connector(), billomat.invoice()
        reminder = sendable(billomat, connector, invoice)
        connector.push(billomat.write(connector, Act.SEND_EMAIL, invoice, reminder))
        assert len(billomat.sandbox.ledger.mails) == 1

    def test_a_draft_is_deleted_and_its_absence_is_the_proof(self, billomat):
        """Only our own draft is deleted; deleting again is done already."""
        connector, invoice = billomat.connector(), billomat.invoice()
        reminder = created(billomat, connector, invoice)
        discard = billomat.write(connector, Act.DISCARD, invoice, reminder)
        assert connector.find(discard) is None
        connector.push(discard)
        assert billomat.sandbox.reminders(invoice) == []
        assert connector.push(discard).facts["status"] == "absent"
        assert connector.find(discard).facts["status"] == "absent"

    def test_a_completed_reminder_is_not_deleted(self, billomat):
        """Even where Billomat would allow it."""
        billomat.sandbox.behaviour.deletes_completed = True
        connector, invoice = billomat.connector(), billomat.invoice()
        reminder = sendable(billomat, connector, invoice)
        with pytest.raises(Refused, match="only drafts are deleted"):
            connector.push(billomat.write(connector, Act.DISCARD, invoice, reminder))
        with pytest.raises(CannotTell):
            connector.find(billomat.write(connector, Act.DISCARD, invoice, reminder))

    def test_a_cancelled_or_deleted_reminder_cannot_be_told(self, billomat):
        """What a person did to our reminder meanwhile is for a person to judge."""
        connector, invoice = billomat.connector(), billomat.invoice()
        reminder = sendable(billomat, connector, invoice)
        complete = billomat.write(connector, Act.COMPLETE, invoice, reminder)
        billomat.sandbox.cancel_reminder(reminder)
        with pytest.raises(CannotTell):
            connector.find(complete)
        with pytest.raises(Refused, match="CANCELED"):
            connector.push(complete)


class TestSending:
    def test_the_mail_goes_out_once_and_is_proven_by_the_history(self, billomat):
        """An entry newer than the newest one before the call is the proof; older mails prove nothing."""
        connector, invoice = billomat.connector(), billomat.invoice()
        billomat.sandbox.remind_by_hand(invoice, email="rechnung@ahorn.example")
        reminder = sendable(billomat, connector, invoice)
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
        reminder = sendable(billomat, connector, invoice)
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
        reminder = sendable(billomat, connector, invoice)
        send = billomat.write(connector, Act.SEND_EMAIL, invoice, reminder)
        connector.push(send)
        with pytest.raises(CannotTell, match="failed"):
            connector.find(send)

    def test_a_draft_or_nobody_is_not_sent(self, billomat):
        """A mail needs a completed reminder and a recipient."""
        connector, invoice = billomat.connector(), billomat.invoice()
        reminder = created(billomat, connector, invoice)
        with pytest.raises(Refused, match="is DRAFT"):
            connector.push(billomat.write(connector, Act.SEND_EMAIL, invoice, reminder))
        with pytest.raises(Refused, match="no recipient"):
            connector.push(billomat.write(connector, Act.SEND_EMAIL, invoice, reminder, recipients=Recipients()))

    def test_the_original_invoice_can_go_along(self, billomat):
        """Documents of Billomat are attached; files of ours are refused before anything is sent."""
        connector, invoice = billomat.connector(), billomat.invoice()
        reminder = sendable(billomat, connector, invoice)
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
        reminder = sendable(billomat, connector, invoice)
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
        reminder = sendable(billomat, connector, invoice)
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
