"""Reminders at Billomat: drafts made, changed, completed, discarded, what is refused, and how a lost outcome is found."""

from datetime import date
from decimal import Decimal

import pytest

from bridge.contract import Act, CannotTell, Ref, Refused, RetryLater, Unclear
from bridge.words import learn
from connectors.billomat.sandbox import reminding

REMINDER = r"/reminders$"


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
        billomat.created(connector, invoice, subject="", text="")
        assert billomat.sandbox.reminders(invoice)[0]["subject"].startswith("Zahlungserinnerung zu")

    def test_a_used_up_quota_writes_nothing_and_says_so(self, billomat):
        """Reminders count as documents: with none left nothing is written, and the reason is named."""
        billomat.sandbox.set_quota(0)
        connector, invoice = billomat.connector(), billomat.invoice()
        with pytest.raises(RetryLater, match="document quota") as caught:
            billomat.created(connector, invoice)
        assert caught.value.cause == "document_quota"
        assert not billomat.sandbox.server.calls("POST")

    def test_a_quota_used_up_meanwhile_is_recognised_in_the_refusal(self, billomat):
        """Billomat's error has no code; after a refusal the quota is asked again."""
        connector, first, second = billomat.connector(), billomat.invoice(), billomat.invoice()
        billomat.sandbox.set_quota(5)
        billomat.created(connector, first)
        billomat.sandbox.set_quota(0)
        with pytest.raises(RetryLater, match="document quota"):
            billomat.created(connector, second)

    def test_an_invoice_that_may_not_be_reminded_of_is_refused(self, billomat):
        """Where Billomat takes overdue invoices only, its words stand in the refusal."""
        billomat.sandbox.behaviour.refuses_open_invoices = True
        connector, invoice = billomat.connector(), billomat.invoice(due_on=date(2026, 12, 1))
        with pytest.raises(Refused, match="OPEN"):
            billomat.created(connector, invoice)

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
        reminder = billomat.created(connector, invoice)
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
            reminder = billomat.created(connector, invoice, fee="5.00")
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
        reminder = billomat.created(connector, invoice)
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
        reminder = billomat.created(connector, invoice, fee="2.50")
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
        reminder = billomat.created(connector, invoice, fee="5.00")
        assert connector.push(billomat.write(connector, Act.AMEND, invoice, reminder, fee="5.00")).principal == Decimal(
            100
        )

    def test_another_amount_than_ours_is_refused_unless_switched_off(self, billomat):
        """Billomat would ask for the whole amount where a credit note lowers ours: refused, naming both."""
        connector, invoice = billomat.connector(), billomat.invoice()
        reminder = billomat.created(connector, invoice)
        amend = billomat.write(connector, Act.AMEND, invoice, reminder, principal="100.00")
        with pytest.raises(Refused, match=r"asks for 119, should be 100\.00"):
            connector.push(amend)
        assert billomat.connector(check_amounts=False).push(amend).level == 1

    def test_reminders_that_are_not_ours_are_left_alone(self, billomat):
        """Without our mark, of another invoice, or no draft any more: nothing is changed."""
        connector, invoice, other = billomat.connector(), billomat.invoice(), billomat.invoice()
        foreign = billomat.sandbox.remind_by_hand(invoice, complete=False)
        mine = billomat.created(connector, other)
        before = [dict(row) for row in billomat.sandbox.books.reminders.rows.values()]
        for act in (Act.AMEND, Act.COMPLETE, Act.DISCARD, Act.SEND_EMAIL):
            with pytest.raises(Refused, match="our mark"):
                connector.push(billomat.write(connector, act, invoice, foreign))
            with pytest.raises(Refused, match="belongs to invoice"):
                connector.push(billomat.write(connector, act, invoice, mine))
        assert [dict(row) for row in billomat.sandbox.books.reminders.rows.values()] == before


class TestCompleteAndDiscard:
    @pytest.mark.feature("N-1")
    @pytest.mark.parametrize("edited", ["fee", "deadline"])
    def test_a_draft_that_somebody_edited_since_is_not_completed(self, billomat, edited):
        """Checked, then edited by a person before it is completed: it would ask for something that nobody decided."""
        connector, invoice = billomat.connector(), billomat.invoice()
        reminder = connector.push(billomat.write(connector, Act.CREATE, invoice)).provider_id
        connector.push(billomat.write(connector, Act.AMEND, invoice, reminder))
        if edited == "fee":
            item = {"reminder_id": reminder, "quantity": 1, "unit_price": "5.00", "title": "Gebühr"}
            reminding.add_item(billomat.sandbox.books, item)
        else:
            row = billomat.sandbox.books.reminders.rows[int(reminder)]
            billomat.sandbox.books.reminders.change(row, due_date=date(2026, 12, 24))
        with pytest.raises(Refused, match=r"5\.00" if edited == "fee" else "2026-12-24"):
            connector.push(billomat.write(connector, Act.COMPLETE, invoice, reminder))
        assert billomat.sandbox.reminders(invoice)[-1]["status"] == "DRAFT"

    def test_completing_twice_completes_once(self, billomat):
        """A second call finds the reminder completed and calls nothing; `find` says the same."""
        connector, invoice = billomat.connector(), billomat.invoice()
        reminder = billomat.created(connector, invoice)
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
        reminder = billomat.sendable(connector, invoice)
        connector.push(billomat.write(connector, Act.SEND_EMAIL, invoice, reminder))
        assert len(billomat.sandbox.ledger.mails) == 1

    def test_a_draft_is_deleted_and_its_absence_is_the_proof(self, billomat):
        """Only our own draft is deleted; deleting again is done already."""
        connector, invoice = billomat.connector(), billomat.invoice()
        reminder = billomat.created(connector, invoice)
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
        reminder = billomat.sendable(connector, invoice)
        with pytest.raises(Refused, match="is OPEN at Billomat; only drafts are deleted") as caught:
            connector.push(billomat.write(connector, Act.DISCARD, invoice, reminder))
        learn(connector.german)
        assert "ist in Billomat offen" in caught.value.sentence.told("de")
        with pytest.raises(CannotTell):
            connector.find(billomat.write(connector, Act.DISCARD, invoice, reminder))

    def test_a_cancelled_or_deleted_reminder_cannot_be_told(self, billomat):
        """What a person did to our reminder meanwhile is for a person to judge."""
        connector, invoice = billomat.connector(), billomat.invoice()
        reminder = billomat.sendable(connector, invoice)
        complete = billomat.write(connector, Act.COMPLETE, invoice, reminder)
        billomat.sandbox.cancel_reminder(reminder)
        with pytest.raises(CannotTell):
            connector.find(complete)
        with pytest.raises(Refused, match="CANCELED"):
            connector.push(complete)
