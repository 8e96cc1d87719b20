"""What a pull reads, how often it calls, and that nothing slips through between its pages."""

import json
from datetime import date, timedelta

import pytest

from bridge.contract import BadAnswer, Cursor, InvoiceKind, NoticeStatus, Reason, RetryLater
from connectors.billomat.sandbox import reminding


def pull(connector, cursor=None):
    """Return all batches of a pull, its cursor having gone through JSON as in the store."""
    data = Cursor(data=json.loads(json.dumps(dict(cursor.data)))) if cursor else None
    return list(connector.pull(data))


def merged(batches, part):
    return {record.id: record for batch in batches for record in getattr(batch, part)}


def many(billomat, count):
    client = billomat.sandbox.add_client("Ahorn Bau GmbH", email="rechnung@ahorn.example")
    return [billomat.sandbox.add_invoice(client, "10.00", due_on=date(2026, 11, 1)) for _ in range(count)]


def test_a_first_pull_lists_everything_open_with_clients_reminders_and_payments(billomat):
    """All open invoices, their clients, the reminders and the payments come, and the last batch is complete."""
    ids = many(billomat, 7)
    paid = billomat.invoice()
    billomat.sandbox.pay(paid)
    billomat.sandbox.pay(ids[0], "4.00")
    reminder = billomat.sandbox.remind_by_hand(ids[1])
    batches = pull(billomat.connector(page_size=3))
    assert set(merged(batches, "invoices")) == set(ids)
    assert set(merged(batches, "debtors")) >= {"4711"}
    assert merged(batches, "notices")[reminder].invoice_id == ids[1]
    assert {payment.invoice_id for payment in merged(batches, "payments").values()} == {ids[0], paid}
    assert [batch.complete for batch in batches].count(True) == 1
    assert batches[-1].complete


def test_a_client_brings_the_person_that_a_collection_agency_asks_for(billomat):
    """Salutation, first and last name are told apart where Billomat holds them; without them there is no person."""
    named = {"salutation": "Frau", "first_name": "Ada", "last_name": "Neu"}
    clients = [billomat.sandbox.add_client("", **named), billomat.sandbox.add_client("Ahorn Bau GmbH")]
    for client in clients:
        billomat.sandbox.add_invoice(client, "10.00", due_on=date(2026, 11, 1))
    debtors = merged(pull(billomat.connector()), "debtors")
    person = debtors[clients[0]].person
    assert {name: getattr(person, name) for name in named} == named
    assert debtors[clients[1]].person is None


def test_notices_and_clients_come_before_the_invoices_they_belong_to(billomat):
    """An invoice is never stored before the reminders that exist for it and the client it belongs to."""
    (invoice,) = many(billomat, 1)
    billomat.sandbox.remind_by_hand(invoice)
    batches = pull(billomat.connector())
    place = {
        part: next(i for i, batch in enumerate(batches) if getattr(batch, part))
        for part in ("notices", "debtors", "invoices")
    }
    assert place["notices"] < place["invoices"]
    assert place["debtors"] <= place["invoices"]


def test_a_cycle_without_changes_makes_only_the_lists(billomat):
    """Nothing changed: one call per list that must be read, none for clients, levels or single records."""
    ids = many(billomat, 5)
    billomat.sandbox.remind_by_hand(ids[0])
    connector = billomat.connector()
    first = pull(connector)
    before = billomat.seen
    second = pull(connector, first[-1].cursor)
    assert billomat.calls(before) == [
        ("GET", "/client-tags"),
        ("GET", "/reminders"),
        ("GET", "/invoice-payments"),
        ("GET", "/credit-notes"),
        ("GET", "/invoice-tags"),
        ("GET", "/invoices"),
    ]
    for part in ("invoices", "notices"):
        assert merged(second, part) == merged(first, part)


@pytest.mark.parametrize("stop", range(1, 12))
def test_a_pull_that_is_cut_short_goes_on_from_its_cursor(billomat, stop):
    """Whatever the batch after which it ends, going on from its cursor brings everything that was left."""
    ids = many(billomat, 8)
    for invoice in ids[:5]:
        billomat.sandbox.remind_by_hand(invoice)
        billomat.sandbox.pay(invoice, "1.00")
    whole = pull(billomat.connector(page_size=2))
    first = []
    for batch in billomat.connector(page_size=2).pull(None):
        first.append(batch)
        if len(first) == stop:
            break
    rest = pull(billomat.connector(page_size=2), first[-1].cursor)
    for part in ("invoices", "debtors", "notices", "payments"):
        assert merged([*first, *rest], part) == merged(whole, part)


def test_an_invoice_paid_while_pages_are_read_hides_no_other(billomat):
    """Rows that move to other pages because an earlier one left the list are read all the same."""
    ids = many(billomat, 9)
    connector = billomat.connector(page_size=2)
    seen = {}
    for number, batch in enumerate(connector.pull(None)):
        seen.update({invoice.id: invoice for invoice in batch.invoices})
        if batch.invoices and number % 2:
            billomat.sandbox.pay(
                next(key for key in ids if billomat.sandbox.books.invoices.rows[int(key)]["status"] != "PAID")
            )
    still_open = [key for key in ids if billomat.sandbox.books.invoices.rows[int(key)]["status"] != "PAID"]
    assert set(still_open) <= set(seen)


def test_new_clients_are_read_with_their_first_invoice_and_all_again_after_a_day(billomat):
    """A client that is not known yet is read at once, many in one call; what changed on known ones comes after `refresh_hours`."""
    many(billomat, 1)
    connector = billomat.connector()
    batches = pull(connector)
    added = [billomat.sandbox.add_client(f"Birke {n} AG", email=f"b{n}@birke.example") for n in range(3)]
    for client in added:
        billomat.sandbox.add_invoice(client, "5.00", due_on=date(2026, 11, 1))
    billomat.sandbox.change_client("4711", email="neu@ahorn.example")
    before = billomat.seen
    batches = pull(connector, batches[-1].cursor)
    assert set(merged(batches, "debtors")) == set(added)
    assert sum(path == "/clients" for _, path in billomat.calls(before)) == 1
    billomat.sandbox.today = date(2026, 11, 17)
    batches = pull(connector, batches[-1].cursor)
    assert merged(batches, "debtors")["4711"].email == "neu@ahorn.example"


def test_many_clients_for_few_invoices_are_asked_for_by_invoice(billomat):
    """Where listing all clients takes more calls than asking for those of the open invoices, only those are read."""
    clients = [billomat.sandbox.add_client(f"Firma {n}") for n in range(20)]
    billomat.sandbox.add_invoice(clients[7], "5.00", due_on=date(2026, 11, 1))
    batches = pull(billomat.connector(page_size=5))
    assert set(merged(batches, "debtors")) == {clients[7]}


def test_tags_hold_invoices_and_clients_and_let_go_again(billomat):
    """A configured tag becomes a flag with its reason; when it is gone, the flag goes too. Similar tags mean nothing."""
    ids = many(billomat, 3)
    client = billomat.sandbox.add_client("Birke AG")
    billomat.sandbox.add_invoice(client, "5.00", due_on=date(2026, 11, 1))
    billomat.sandbox.tag_invoice(ids[0], "Mahnstopp")
    billomat.sandbox.tag_invoice(ids[1], "mahnstopp-alt")
    billomat.sandbox.tag_client(client, "strittig")
    connector = billomat.connector(client_tags={"strittig": "dispute"})
    first = pull(connector)
    assert [flag.reason for flag in merged(first, "invoices")[ids[0]].flags] == [Reason.INVOICE_EXCLUDED]
    assert merged(first, "invoices")[ids[1]].flags == ()
    assert [flag.reason for flag in merged(first, "debtors")[client].flags] == [Reason.DISPUTE]
    billomat.sandbox.untag("invoice", ids[0], "Mahnstopp")
    billomat.sandbox.untag("client", client, "strittig")
    second = pull(connector, first[-1].cursor)
    assert merged(second, "invoices")[ids[0]].flags == ()
    assert merged(second, "debtors")[client].flags == ()


def test_a_tag_filter_that_is_ignored_holds_nobody_by_mistake(billomat):
    """Each row of the tag filter is checked by its own tags, so an ignored filter does not stop the whole account."""
    ids = many(billomat, 3)
    billomat.sandbox.tag_invoice(ids[1], "mahnstopp")
    billomat.sandbox.faults.reshape(lambda _: _all_invoices(billomat), r"/invoices$", method="GET")
    batches = pull(billomat.connector())
    assert [key for key, invoice in merged(batches, "invoices").items() if invoice.flags] == [ids[1]]


def _all_invoices(billomat):
    rows = [{"id": str(key), "status": "OVERDUE"} for key in billomat.sandbox.books.invoices.rows]
    return {"invoices": {"@page": "1", "@per_page": "1000", "@total": str(len(rows)), "invoice": rows}}


def test_the_contact_of_an_overdue_invoice_is_read_once_and_its_address_goes_first(billomat):
    """The contact's e-mail address overrides the client's, and is not asked for again in the next cycle."""
    client = billomat.sandbox.add_client("Ahorn Bau GmbH", email="zentrale@ahorn.example")
    contact = billomat.sandbox.add_contact(client, "petra@ahorn.example")
    empty = billomat.sandbox.add_contact(client, "")
    due = date(2026, 11, 1)
    first = billomat.sandbox.add_invoice(client, "5.00", due_on=due, contact_id=contact)
    second = billomat.sandbox.add_invoice(client, "5.00", due_on=due, contact_id=empty)
    later = billomat.sandbox.add_invoice(client, "5.00", due_on=date(2026, 12, 1), contact_id=contact)
    soon = billomat.sandbox.add_invoice(client, "5.00", due_on=date(2026, 11, 20), contact_id=contact)
    connector = billomat.connector()
    batches = pull(connector)
    assert merged(batches, "invoices")[soon].email == "petra@ahorn.example"
    invoices = merged(batches, "invoices")
    assert [invoices[key].email for key in (first, second, later)] == ["petra@ahorn.example", None, None]
    before = billomat.seen
    again = pull(connector, batches[-1].cursor)
    assert merged(again, "invoices") == invoices
    assert not [path for _, path in billomat.calls(before) if path.startswith("/contacts")]


def test_contacts_and_clients_read_before_a_wait_are_not_read_again(billomat):
    """A page that needs more calls than a rate window allows is finished over several windows."""
    due = date(2026, 11, 1)
    for number in range(7):
        client = billomat.sandbox.add_client(f"Birke {number} AG")
        contact = billomat.sandbox.add_contact(client, f"p{number}@birke.example")
        billomat.sandbox.add_invoice(client, "5.00", due_on=due, contact_id=contact)
    for number in range(300):
        billomat.sandbox.add_client(f"Ohne Rechnung {number}")
    settings = {"page_size": 100, "client_chunk": 2}
    cursor, windows, found, before = None, 0, {}, billomat.seen
    while cursor is None or cursor.data["stage"] is not None:
        windows += 1
        connector = billomat.connector(**settings)
        billomat.sandbox.faults.status(429, "/contacts/", method="GET", nth=3)
        try:
            for batch in connector.pull(cursor):
                cursor = batch.cursor
                found.update({invoice.id: invoice.email for invoice in batch.invoices})
        except RetryLater:
            assert windows < 9
        billomat.sandbox.faults.clear()
    assert sorted(found.values()) == [f"p{number}@birke.example" for number in range(7)]
    answered = [path for method, path in billomat.calls(before) if path.startswith("/contacts/")]
    assert (windows, len(answered)) == (4, 10)  # seven, and the three that were answered with 429


def test_a_payment_that_is_only_missing_from_the_list_is_not_taken_back(billomat):
    """Before a counter-payment is made, Billomat is asked for the payment itself."""
    (invoice,) = many(billomat, 1)
    payment = billomat.sandbox.pay(invoice, "4.00")
    connector = billomat.connector()
    batches = pull(connector)
    billomat.sandbox.faults.reshape(lambda _: {"invoice-payments": []}, "/invoice-payments$", method="GET")
    batches = pull(connector, batches[-1].cursor)
    assert not merged(batches, "payments")
    assert not [key for key in merged(pull(connector, batches[-1].cursor), "payments") if key != payment]


def test_smaller_pages_than_asked_for_are_no_complete_list(billomat):
    """A server that gives fewer records per page than asked for would hide all pages but the first; that is said, not taken for all."""
    many(billomat, 3)
    connector = billomat.connector()

    def first_only(data):
        box = data["invoices"]
        return {"invoices": {**box, "@per_page": "1", "invoice": box["invoice"][:1]}}

    billomat.sandbox.faults.reshape(first_only, "/invoices$", method="GET", times=None)
    with pytest.raises(BadAnswer, match=r"1 of 3 records.*page_size"):
        pull(connector)


def test_an_empty_page_that_should_have_records_is_not_believed(billomat):
    """A list that counts records and shows none is a bad answer, never a complete listing."""
    many(billomat, 2)
    connector = billomat.connector()
    billomat.sandbox.faults.reshape(lambda data: {"invoices": {"@total": "2"}}, "/invoices$", method="GET", nth=1)
    with pytest.raises(BadAnswer, match="0 of 2 records"):
        pull(connector)


def test_a_deleted_payment_is_taken_back(billomat):
    """A payment that Billomat no longer knows becomes a counter-payment once, and the invoice is open again."""
    (invoice,) = many(billomat, 1)
    connector = billomat.connector()
    payment = billomat.sandbox.pay(invoice, type="DEBIT")
    batches = pull(connector)
    billomat.sandbox.delete_payment(payment)
    batches = pull(connector, batches[-1].cursor)
    taken = merged(batches, "payments")[f"{payment}-deleted"]
    assert (taken.invoice_id, str(taken.amount), taken.kind) == (invoice, "-10.00", "direct_debit")
    assert str(merged(batches, "invoices")[invoice].open) == "10.00"
    assert not merged(pull(connector, batches[-1].cursor), "payments")


def test_open_credit_notes_and_corrections_of_paid_invoices_come_as_credit_notes(billomat):
    """A credit note has ids of its own and positive amounts; so has a correction that waits for its refund."""
    (invoice,) = many(billomat, 1)
    note = billomat.sandbox.add_credit_note("4711", "4.00", invoice_id=invoice)
    paid = billomat.invoice("50.00")
    billomat.sandbox.pay(paid)
    correction = billomat.sandbox.correct(paid)
    invoices = merged(pull(billomat.connector()), "invoices")
    credit, corrected = invoices[f"cn-{note}"], invoices[correction]
    assert (credit.kind, str(credit.open), credit.origin_id) == (InvoiceKind.CREDIT_NOTE, "4.00", invoice)
    assert (corrected.kind, str(corrected.open), corrected.origin_id) == (InvoiceKind.CREDIT_NOTE, "50.00", paid)


class TestReminders:
    """Beyond two pages only new reminders and drafts are read, and nothing that matters is lost by it."""

    @staticmethod
    def many(billomat):
        ids = many(billomat, 6)
        reminders = [billomat.sandbox.remind_by_hand(invoice) for invoice in ids]
        return ids, reminders

    def test_few_calls_when_there_are_many(self, billomat):
        """New ones are read from the newest down, drafts besides; the old ones are left alone."""
        ids, _ = self.many(billomat)
        connector = billomat.connector(page_size=2)
        batches = pull(connector)
        before = billomat.seen
        newest = billomat.sandbox.remind_by_hand(ids[0])
        batches = pull(connector, batches[-1].cursor)
        assert sum(path == "/reminders" for _, path in billomat.calls(before)) == 2
        assert newest in merged(batches, "notices")

    def test_a_draft_that_was_completed_or_deleted_is_noticed(self, billomat):
        """What became of a draft shows in the next cycle: completed, or gone, which counts as cancelled."""
        ids, _ = self.many(billomat)
        completed = billomat.sandbox.remind_by_hand(ids[0], complete=False)
        deleted = billomat.sandbox.remind_by_hand(ids[1], complete=False)
        connector = billomat.connector(page_size=2)
        batches = pull(connector)
        assert merged(batches, "notices")[completed].status is NoticeStatus.DRAFT
        books = billomat.sandbox.books
        reminding.complete(books, books.reminders.rows[int(completed)])
        billomat.sandbox.delete_reminder(deleted)
        notices = merged(pull(connector, batches[-1].cursor), "notices")
        assert notices[completed].status is NoticeStatus.FINAL
        assert notices[deleted].status is NoticeStatus.CANCELLED

    def test_a_cancelled_one_is_noticed_after_a_day(self, billomat):
        """A completed reminder that is cancelled at Billomat is seen with the next reading of all."""
        _, reminders = self.many(billomat)
        connector = billomat.connector(page_size=2)
        batches = pull(connector)
        billomat.sandbox.cancel_reminder(reminders[0])
        billomat.sandbox.today = date(2026, 11, 17)
        notices = merged(pull(connector, batches[-1].cursor), "notices")
        assert notices[reminders[0]].status is NoticeStatus.CANCELLED

    def test_an_ignored_order_is_answered_by_reading_all(self, billomat):
        """Where the provider does not sort as asked, all reminders are read; none is missed."""
        ids, _ = self.many(billomat)
        connector = billomat.connector(page_size=2)
        batches = pull(connector)
        newest = billomat.sandbox.remind_by_hand(ids[0])
        billomat.sandbox.faults.reshape(_ascending, r"/reminders$", method="GET")
        notices = merged(pull(connector, batches[-1].cursor), "notices")
        assert newest in notices
        assert len(notices) == 7


def _ascending(data):
    data["reminders"]["reminder"] = sorted(data["reminders"]["reminder"], key=lambda row: int(row["id"]))
    return data


class TestUpdated:
    """`changes: updated` reads only what changed, where Billomat sorts by it."""

    def test_only_changes_are_read(self, billomat):
        """A paid invoice comes with its new status, without a listing; a listing follows after `refresh_hours`."""
        ids = many(billomat, 6)
        billomat.sandbox.clock.advance(timedelta(hours=3))
        billomat.sandbox.pay(ids[0], "1.00")
        connector = billomat.connector(page_size=3, changes="updated")
        batches = pull(connector)
        billomat.sandbox.clock.advance(timedelta(hours=3))
        billomat.sandbox.pay(ids[2])
        batches = pull(connector, batches[-1].cursor)
        assert {key: invoice.status for key, invoice in merged(batches, "invoices").items()} == {
            ids[0]: "open",
            ids[2]: "paid",
        }
        assert not any(batch.complete or batch.full for batch in batches)
        billomat.sandbox.clock.advance(timedelta(hours=22))
        assert pull(connector, batches[-1].cursor)[-1].complete

    def test_without_that_order_everything_is_listed(self, billomat):
        """Records without `updated`, or out of order, lead back to the full listing."""
        ids = many(billomat, 3)
        connector = billomat.connector(changes="updated")
        batches = pull(connector)
        billomat.sandbox.change_invoice(ids[0], updated=None)
        assert set(merged(pull(connector, batches[-1].cursor), "invoices")) == set(ids)


def test_a_record_that_does_not_fit_is_set_aside(billomat):
    """A spoilt invoice, client, payment and reminder each become a reject with the raw record; the others come."""
    ids = many(billomat, 3)
    reminder = billomat.sandbox.remind_by_hand(ids[0])
    payment = billomat.sandbox.pay(ids[1], "1.00")
    books = billomat.sandbox.books
    billomat.sandbox.change_invoice(ids[2], total_gross="viel")
    books.reminders.rows[int(reminder)]["created"] = "neulich"
    books.payments.rows[int(payment)]["amount"] = "etwas"
    batches = pull(billomat.connector())
    rejects = [reject for batch in batches for reject in batch.rejects]
    assert {(reject.kind, reject.provider_id) for reject in rejects} == {
        ("invoice", ids[2]),
        ("notice", reminder),
        ("payment", payment),
    }
    assert json.loads(next(reject.raw for reject in rejects if reject.kind == "invoice"))["total_gross"] == "viel"
    assert set(merged(batches, "invoices")) == set(ids[:2])
    assert batches[-1].complete
