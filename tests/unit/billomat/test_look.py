"""What a look answers: everything that can stop a reminder, read now."""

from datetime import date

import pytest

from bridge.contract import BadAnswer, BadRecord, InvoiceStatus, NoticeStatus, Reason, Ref


def test_a_look_shows_the_invoice_as_it_is_now(billomat):
    """Status, open amount, client, reminders, payments, credits and the newest history entry, after the last change."""
    connector = billomat.connector()
    invoice = billomat.invoice("100.00")
    client = billomat.sandbox.books.invoices.rows[int(invoice)]["client_id"]
    reminder = billomat.sandbox.remind_by_hand(invoice)
    billomat.sandbox.pay(invoice, "30.00")
    own = billomat.sandbox.add_credit_note(str(client), "5.00", invoice_id=invoice)
    free = billomat.sandbox.add_credit_note(str(client), "6.00")
    other = billomat.sandbox.add_invoice(str(client), "9.00", due_on=date(2026, 11, 1))
    billomat.sandbox.add_credit_note(str(client), "7.00", invoice_id=other)
    (snapshot,) = billomat.look(connector, invoice)
    assert (str(snapshot.invoice.open), snapshot.debtor.id) == ("70.00", str(client))
    assert [(notice.id, notice.level, notice.status, notice.marker) for notice in snapshot.notices] == [
        (reminder, 1, NoticeStatus.FINAL, None)
    ]
    assert [str(payment.amount) for payment in snapshot.payments] == ["30.00"]
    assert {document.id for document in snapshot.related} == {f"cn-{own}", f"cn-{free}"}
    assert snapshot.history_head == str(max(entry.id for entry in billomat.sandbox.ledger.history[invoice]))


def test_pull_and_look_say_the_same(billomat):
    """A record that did not change is equal in pull and look, so that a look alone never marks it as changed."""
    connector = billomat.connector()
    client = billomat.sandbox.add_client(
        "Ahorn Bau GmbH", email="zentrale@ahorn.example", locale="en_GB", dunning_run=False
    )
    contact = billomat.sandbox.add_contact(client, "petra@ahorn.example")
    invoice = billomat.sandbox.add_invoice(
        client, "5.00", due_on=date(2026, 11, 1), contact_id=contact, payment_types="DEBIT"
    )
    billomat.sandbox.tag_invoice(invoice, "mahnstopp")
    billomat.sandbox.tag_client(client, "mahnstopp")
    billomat.sandbox.remind_by_hand(invoice)
    batches = list(connector.pull(None))
    (snapshot,) = billomat.look(connector, invoice)
    assert snapshot.invoice == next(found for batch in batches for found in batch.invoices)
    assert snapshot.debtor == next(found for batch in batches for found in batch.debtors)
    assert snapshot.notices == next(batch.notices for batch in batches if batch.notices)


def test_paid_cancelled_and_deleted_invoices_need_few_calls(billomat):
    """What is not open is told by itself and its reminders; a deleted one is not found."""
    connector = billomat.connector()
    paid, cancelled, deleted = (billomat.invoice() for _ in range(3))
    refs = [billomat.ref(key) for key in (paid, cancelled, deleted)]
    reminder = billomat.sandbox.remind_by_hand(paid)
    billomat.sandbox.pay(paid)
    billomat.sandbox.cancel(cancelled)
    billomat.sandbox.delete_invoice(deleted)
    connector.check()
    before = billomat.seen
    snapshots = list(connector.look(refs))
    assert [snapshot.found for snapshot in snapshots] == [True, True, False]
    assert [snapshot.invoice.status for snapshot in snapshots[:2]] == [InvoiceStatus.PAID, InvoiceStatus.CANCELLED]
    assert [notice.id for notice in snapshots[0].notices] == [reminder]
    assert len(billomat.calls(before)) == 5


def test_a_part_of_a_number_is_not_the_number(billomat):
    """The filter by number matches parts of numbers; reminders of other invoices are left out."""
    connector = billomat.connector()
    short, long = billomat.invoice(number="RE-1"), billomat.invoice(number="RE-10")
    billomat.sandbox.remind_by_hand(long)
    mine = billomat.sandbox.remind_by_hand(short)
    assert [notice.id for notice in billomat.look(connector, short)[0].notices] == [mine]


def test_lists_are_read_once_per_batch(billomat):
    """For many invoices, reminders and tags are listed once, and each client is read once."""
    connector = billomat.connector()
    client = billomat.sandbox.add_client("Ahorn Bau GmbH")
    ids = [billomat.sandbox.add_invoice(client, "5.00", due_on=date(2026, 11, 1)) for _ in range(8)]
    billomat.sandbox.tag_invoice(ids[3], "mahnstopp")
    reminders = {invoice: billomat.sandbox.remind_by_hand(invoice) for invoice in ids}
    connector.check()
    before = billomat.seen
    snapshots = billomat.look(connector, *ids)
    calls = [path for _, path in billomat.calls(before)]
    assert {snapshot.invoice_id: snapshot.notices[0].id for snapshot in snapshots} == reminders
    assert [snapshot.invoice_id for snapshot in snapshots if snapshot.invoice.flags] == [ids[3]]
    assert calls.count("/reminders") == 2  # how many there are, and their list
    assert (calls.count("/clients"), calls.count(f"/clients/{client}")) == (1, 0)
    assert calls.count("/credit-notes") == 1
    assert calls.count("/client-tags") == 1


@pytest.mark.parametrize(
    ("settings", "types", "held"),
    [
        ({}, "DEBIT", True),
        ({}, "BANK_TRANSFER,DEBIT", False),
        ({"direct_debit": "listed"}, "BANK_TRANSFER,DEBIT", True),
        ({"direct_debit": "mandate"}, "BANK_TRANSFER,DEBIT", True),
        ({"direct_debit": "off"}, "DEBIT", False),
        ({"direct_debit": "listed"}, "BANK_TRANSFER", False),
    ],
)
def test_direct_debits_are_waited_for_as_configured(billomat, settings, types, held):
    """Which payment types mean a direct debit is a setting; the days to wait for it too."""
    invoice = billomat.invoice(payment_types=types)
    (snapshot,) = billomat.look(billomat.connector(**settings), invoice)
    assert [flag.reason for flag in snapshot.invoice.flags] == [Reason.DIRECT_DEBIT_PENDING] * held


def test_a_direct_debit_is_waited_for_so_many_days(billomat):
    """With `direct_debit_days` the flag ends so long after the due date."""
    invoice = billomat.invoice(payment_types="DEBIT")
    (snapshot,) = billomat.look(billomat.connector(direct_debit_days=10), invoice)
    assert snapshot.invoice.flags[0].until == date(2026, 11, 11)


@pytest.mark.parametrize(
    ("fields", "settings", "sources"),
    [
        ({"dunning_run": False}, {}, ["client.dunning_run"]),
        ({"dunning_run": False}, {"respect_dunning_run": False}, []),
        ({"archived": True}, {}, ["client.archived"]),
        ({"archived": True}, {"hold_archived": False}, []),
        ({"sepa_mandate": "M-1"}, {"direct_debit": "mandate"}, ["client.sepa_mandate"]),
        ({"sepa_mandate": "M-1"}, {}, []),
    ],
)
def test_clients_are_held_as_configured(billomat, fields, settings, sources):
    """Exclusion from Billomat's own run, archiving and mandates hold a client unless switched off."""
    client = billomat.sandbox.add_client("Ahorn Bau GmbH", **fields)
    invoice = billomat.sandbox.add_invoice(client, "5.00", due_on=date(2026, 11, 1))
    (snapshot,) = billomat.look(billomat.connector(**settings), invoice)
    assert [flag.source for flag in snapshot.debtor.flags] == sources


def test_a_record_that_does_not_fit_is_not_looked_over(billomat):
    """A spoilt invoice, or one with a spoilt reminder, cannot be judged: a bad record, and nothing is written. Others are not touched by it."""
    connector = billomat.connector()
    spoilt, reminded = billomat.invoice(), billomat.invoice()
    sibling = billomat.sandbox.add_invoice("4711", "5.00", due_on=date(2026, 11, 1))
    billomat.sandbox.change_invoice(spoilt, open_amount="viel")
    reminder = billomat.sandbox.remind_by_hand(reminded)
    billomat.sandbox.books.reminders.rows[int(reminder)]["created"] = "bald"
    for invoice, field in ((spoilt, "open_amount"), (reminded, "created")):
        with pytest.raises(BadRecord, match=field):
            billomat.look(connector, invoice)
    assert str(billomat.look(connector, sibling)[0].invoice.open) == "5.00"


def test_a_friendly_notice_before_the_due_date_goes_to_the_contact_too(billomat):
    """The contact's address goes before the client's whether the invoice is due or not."""
    client = billomat.sandbox.add_client("Ahorn Bau GmbH", email="zentrale@ahorn.example")
    contact = billomat.sandbox.add_contact(client, "petra@ahorn.example")
    invoice = billomat.sandbox.add_invoice(client, "5.00", due_on=date(2026, 12, 24), contact_id=contact)
    assert billomat.look(billomat.connector(), invoice)[0].invoice.email == "petra@ahorn.example"


@pytest.mark.parametrize("fields", [{"open_amount": "5.005"}, {"total_gross": "viel"}, {"date": "bald"}])
def test_only_credits_that_may_be_for_an_invoice_can_make_it_unreadable(billomat, fields):
    """A spoilt credit note of another invoice is nothing to this one; its own, and one for no invoice in particular, is."""
    connector = billomat.connector()
    client = billomat.sandbox.add_client("Ahorn Bau GmbH")
    invoice, other = (billomat.sandbox.add_invoice(client, "50.00", due_on=date(2026, 11, 1)) for _ in range(2))
    note = billomat.sandbox.add_credit_note(client, "5.00", invoice_id=other)
    billomat.sandbox.books.credit_notes.rows[int(note)].update(fields)
    assert billomat.look(connector, invoice)[0].related == ()
    with pytest.raises(BadRecord):
        billomat.look(connector, other)
    billomat.sandbox.books.credit_notes.rows[int(note)]["invoice_id"] = None
    with pytest.raises(BadRecord):
        billomat.look(connector, invoice)


def test_an_open_invoice_without_its_client_is_not_judged(billomat):
    """Whether a client who is not there any more is held cannot be told."""
    connector, invoice = billomat.connector(), billomat.invoice()
    billomat.sandbox.faults.status(404, r"/clients/\d+$", body={}, method="GET", times=None)
    with pytest.raises(BadRecord, match="client does not exist"):
        billomat.look(connector, invoice)


def test_another_record_as_answer_is_none(billomat):
    """What a cache gives for another invoice says nothing about this one."""
    connector, invoice, other = billomat.connector(), billomat.invoice(), billomat.invoice()
    billomat.sandbox.faults.reshape(
        lambda data: {"invoice": {**data["invoice"], "id": other}}, rf"/invoices/{invoice}$", method="GET", times=None
    )
    with pytest.raises(BadAnswer, match="another record"):
        billomat.look(connector, invoice)


def test_credit_notes_are_looked_at_by_their_own_ids(billomat):
    """A credit note that left the list is asked for as a credit note, never as the invoice of the same number."""
    connector = billomat.connector()
    client = billomat.sandbox.add_client("Ahorn Bau GmbH")
    note = billomat.sandbox.add_credit_note(client, "5.00", status="PAID")
    present, absent = connector.look([Ref.invoice(f"cn-{note}"), Ref.invoice("cn-77")])
    assert (present.invoice.id, present.invoice.status, absent.found) == (f"cn-{note}", InvoiceStatus.PAID, False)
