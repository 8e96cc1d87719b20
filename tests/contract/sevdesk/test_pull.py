"""What a pull of a sevDesk account brings, and what it remembers."""

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from bridge.contract import (
    BadAnswer,
    BadRecord,
    ConfigError,
    InvoiceKind,
    InvoiceStatus,
    NoticeStatus,
    Reason,
    Relation,
    RetryLater,
)


def later(account, **by):
    account.sandbox.clock.advance(timedelta(**(by or {"hours": 3})))


@pytest.mark.feature("S-SEV-7")
def test_all_open_invoices_with_equal_count_and_sum(account, customer):
    """The open invoices of the account arrive, over several pages, with the same count and the same sum."""
    sandbox = account.sandbox
    amounts = [Decimal(f"{100 + number}.{number:02}") for number in range(11)]
    for amount in amounts:
        sandbox.add_invoice(customer, gross=amount)
    paid = sandbox.add_invoice(customer, gross="70")
    sandbox.pay(paid)
    sandbox.add_invoice(customer, status=100)
    sandbox.add_invoice(customer, type="WKR")
    batch = account.pull()
    claims = [invoice for invoice in batch.invoices if invoice.status is InvoiceStatus.OPEN]
    assert len(claims) == len(amounts)
    assert sum(claim.open for claim in claims) == sum(amounts)
    assert batch.complete
    assert batch.full


@pytest.mark.feature("S-SEV-8")
def test_recorded_invoices_count_too(account):
    """An invoice that was only recorded at sevDesk, never sent from there, arrives open with the stored e-mail address."""
    contact = account.sandbox.add_contact(first="Erika", last="Beispiel", email="erika@beispiel.example")
    recorded = account.sandbox.add_invoice(contact, written=False)
    batch = account.pull()
    found = account.invoice(recorded, batch)
    assert (found.status, found.sent) == (InvoiceStatus.OPEN, None)
    assert [debtor.email for debtor in batch.debtors] == ["erika@beispiel.example"]


@pytest.mark.feature("S-SEV-3")
@pytest.mark.parametrize("bumps", [True, False])
def test_payments_from_the_bank_feed(account, invoice, bumps):
    """A payment at the bank is known as soon as it came in: unbooked it holds the claim, booked it closes it.

    It does not matter whether booking changes the invoice's time of change; what it does not change, a look shows.
    """
    account.sandbox.behaviour.booking_bumps_update = bumps
    account.pull()
    later(account)
    transaction = account.sandbox.add_transaction("238.00", purpose="RE-1001 danke", payer="Unbekannt")
    held = account.invoice(invoice, account.pull())
    assert [flag.reason for flag in held.flags] == [Reason.PAYMENT_UNMATCHED]
    later(account)
    account.sandbox.pay(invoice, transaction=transaction)
    seen = account.pull()
    assert seen.complete or account.invoice(invoice, seen).status is InvoiceStatus.PAID
    assert account.look(invoice).invoice.status is InvoiceStatus.PAID
    assert [payment.amount for payment in seen.payments] == [Decimal("238.00")]


def test_payer_without_a_number(account, customer, invoice):
    """An unbooked payment by the customer holds all claims against them, whatever its purpose says."""
    other = account.sandbox.add_invoice(account.sandbox.add_contact("Andere AG", email="a@andere.example"))
    account.sandbox.add_transaction("10.00", purpose="Abschlag", payer="MUSTER GMBH")
    account.sandbox.add_transaction("-238.00", purpose="RE-1002", payer="Andere AG")
    batch = account.pull()
    assert [flag.reason for flag in account.invoice(invoice, batch).flags] == [Reason.PAYMENT_UNMATCHED]
    assert account.invoice(other, batch).flags == ()
    assert account.look(invoice).invoice.flags == account.invoice(invoice, batch).flags


def test_person_paid_from_the_organisations_account(account, customer):
    """A look holds the claim against a person when the organisation they belong to has paid something."""
    person = account.sandbox.add_contact(first="Erika", last="Beispiel", parent=customer)
    invoice = account.sandbox.add_invoice(person)
    account.sandbox.add_transaction("119.00", payer="Muster GmbH")
    assert [flag.reason for flag in account.look(invoice).invoice.flags] == [Reason.PAYMENT_UNMATCHED]


def test_old_unbooked_payments_hold_nothing(account, invoice):
    """Payments that lie about unbooked for longer than configured hold nothing, though filters may be ignored."""
    account.sandbox.behaviour.ignored_filters = {"startDate", "status"}
    account.sandbox.add_transaction("238.00", purpose="RE-1001", on=date(2026, 5, 1))
    account.sandbox.add_transaction("238.00", purpose="RE-1001", status=400)
    assert account.invoice(invoice, account.pull()).flags == ()


def test_freshness_of_bank_data(account, invoice):
    """The newest entry of an online account tells how fresh the payments are; without a feed nothing does."""
    account.sandbox.add_transaction("1.00", on=date(2026, 8, 28), status=400)
    assert account.pull().payments_as_of.date() == date(2026, 8, 28)
    assert account.look(invoice).payments_as_of.date() == date(2026, 8, 28)
    account.sandbox.cut_bank_feed()
    assert account.pull().payments_as_of is None


def test_a_clock_that_is_ahead_skips_no_change(account, invoice):
    """A gateway's wrong time does not move the begin of the next reading into the future."""
    ahead = {"Date": "Mon, 14 Sep 2026 10:00:00 GMT"}
    account.sandbox.server.after(lambda _, response: response.with_headers(ahead))
    account.pull()
    later(account)
    account.sandbox.pay(invoice)
    assert account.invoice(invoice, account.pull()).status is InvoiceStatus.PAID


def test_another_record_as_answer_is_none(account, customer, invoice):
    """What a cache gives for another invoice says nothing about this one."""
    other = account.sandbox.add_invoice(customer)
    account.sandbox.faults.reshape(
        lambda data: {"objects": [{**data["objects"][0], "id": other}]},
        rf"/Invoice/{invoice}$",
        method="GET",
        times=None,
    )
    with pytest.raises(BadAnswer, match="another record"):
        account.look(invoice)


def test_quiet_account_with_a_live_feed_is_fresh(account, invoice):
    """Where sevDesk says when it last imported, that counts: an account without movements is no broken feed."""
    bank = account.sandbox.world.plain["CheckAccount"][int(account.sandbox.bank_account)].data
    account.sandbox.add_transaction("1.00", on=date(2026, 8, 18), status=400)
    now = account.connector.http.now()
    bank["lastSync"] = (now - timedelta(hours=3)).isoformat()
    assert account.look(invoice).payments_as_of == now - timedelta(hours=3)
    bank["lastSync"] = (now + timedelta(days=3)).isoformat()
    assert account.look(invoice).payments_as_of <= account.connector.http.now()
    for nothing in (None, "bald", (now - timedelta(days=30)).isoformat()):
        bank["lastSync"] = nothing
        assert account.look(invoice).payments_as_of.date() == date(2026, 8, 18)


def test_feed_that_died_long_ago_is_stale_under_any_limit(account, invoice):
    """Where no entry came in ten days the newest older one counts, so that a dead feed does not stay ten days old for ever."""
    assert (account.connector.http.now() - account.look(invoice).payments_as_of).days >= 90
    account.sandbox.add_transaction("1.00", on=date(2026, 7, 1), status=400)
    assert account.look(invoice).payments_as_of.date() == date(2026, 7, 1)


@pytest.mark.parametrize("spoilt", [{"valueDate": "bald"}, {"entryDate": "bald"}, {"valueDate": "x", "entryDate": "y"}])
def test_payment_without_a_readable_date_holds_all_the_same(account, invoice, spoilt):
    """Money that names an invoice holds it, though its dates cannot be read."""
    payment = account.sandbox.add_transaction("238.00", purpose="RE-1001")
    account.sandbox.server.after(_rewriting("/CheckAccountTransaction", payment, spoilt))
    assert [flag.reason for flag in account.look(invoice).invoice.flags] == [Reason.PAYMENT_UNMATCHED]


def _rewriting(path, id_, fields):
    """Return what gives one record of a list other fields."""

    def rewrite(request, response):
        if request.path.endswith(path):
            data = json.loads(response.body)
            for row in data["objects"]:
                row.update(fields if str(row["id"]) == str(id_) else {})
            return replace(response, body=json.dumps(data).encode())
        return response

    return rewrite


def test_nothing_changed_costs_the_same_few_calls(account, customer):
    """A pull in which nothing changed brings nothing, in a number of calls that does not grow with the invoices."""
    counts = []
    for size in (2, 20):
        for _ in range(size):
            account.sandbox.add_invoice(customer)
        account.pull(full=True)
        later(account)
        account.pull()
        before = len(account.sandbox.server.log)
        batch = account.pull()
        assert (batch.debtors, batch.invoices, batch.notices, batch.payments) == ((), (), (), ())
        counts.append(len(account.sandbox.server.log) - before)
    assert counts[0] == counts[1] <= 18


def test_unchanged_pull_after_another_hour_reads_no_invoice(account, invoice):
    """The overlap reaches back from the last reading, not from the last change: quiet accounts stay quiet."""
    account.pull()
    for _ in range(3):
        later(account, minutes=90)
        batch = account.pull()
        assert not batch.full
    assert batch.invoices == ()


def test_late_entries_within_the_overlap_are_seen(account, customer):
    """A change that appears with a time before the last reading is seen within the overlap."""
    account.pull()
    later(account, minutes=30)
    account.pull()
    late = account.sandbox.add_invoice(customer)
    account.sandbox.document(late).updated -= timedelta(minutes=45)
    assert account.invoice(late, account.pull()) is not None


def test_periodic_full_reading(account, invoice):
    """After a day everything open is read again, and says that it was complete."""
    account.pull()
    later(account, hours=23)
    assert not account.pull().full
    later(account, hours=2)
    batch = account.pull()
    assert batch.full
    assert batch.complete
    assert account.invoice(invoice, batch) is not None


@pytest.mark.parametrize("filters", [{"status"}, {"updateAfter", "invoiceType"}, {"showAll"}])
def test_ignored_filters_change_nothing(account, customer, invoice, filters):
    """sevDesk ignores filters that it does not know; every row is checked again, so nothing wrong comes through."""
    paid = account.sandbox.add_invoice(customer)
    account.sandbox.pay(paid)
    account.pull()
    account.sandbox.behaviour.ignored_filters = filters
    later(account, hours=25)
    full = account.pull()
    assert full.complete
    assert {found.id for found in full.invoices if found.status is InvoiceStatus.OPEN} == {invoice}
    later(account, hours=3)
    assert account.pull().invoices == ()


@pytest.mark.parametrize("status", [1000, 200])
def test_cancellation_excludes_whatever_the_status(account, invoice, status):
    """A cancelled invoice is cancelled, not paid; its cancellation says so, whether the original shows 1000 or still 200."""
    account.sandbox.behaviour.cancelled_status = status
    account.pull()
    later(account)
    cancellation = account.sandbox.cancel(invoice)
    batch = account.pull()
    found = account.invoice(cancellation, batch)
    assert (found.kind, found.origin_id, found.relation) == (InvoiceKind.CANCELLATION, invoice, Relation.CANCELS)
    assert found.gross == Decimal("238.00")
    if status == 1000:
        assert account.invoice(invoice, batch).status is InvoiceStatus.CANCELLED
    snapshot = account.look(invoice)
    assert (snapshot.invoice.status, snapshot.invoice.open) == (InvoiceStatus.CANCELLED, 0)
    assert [other.id for other in snapshot.related] == [cancellation]


def test_credit_note_comes_and_goes(account, invoice):
    """An open credit note lowers its invoice from the next pull on; once paid out it does so no more."""
    account.pull()
    later(account)
    note = account.sandbox.add_credit_note(invoice, "38.00")
    found = account.invoice(f"cn:{note}", account.pull())
    assert (found.relation, found.origin_id, found.open) == (Relation.CREDITS, invoice, Decimal("38.00"))
    assert [other.open for other in account.look(invoice).related] == [Decimal("38.00")]
    later(account)
    account.sandbox.settle_credit_note(note)
    assert account.invoice(f"cn:{note}", account.pull()).open == 0
    later(account)
    assert account.pull().invoices == ()


def test_provisions_lower_nothing(account, invoice):
    """A credit note over what we owe the customer is theirs, not a reduction of the invoice."""
    account.sandbox.add_credit_note(invoice, "38.00", category="PROVISION")
    assert account.look(invoice).related == ()


def test_money_on_a_reminder_counts_for_its_invoice(account, invoice):
    """A payment that was booked on the reminder lowers the claim of the invoice; its own record did not change."""
    reminder = account.sandbox.remind_by_hand(invoice)
    account.pull()
    later(account)
    account.sandbox.pay(invoice, "100.00", on_reminder=reminder)
    batch = account.pull()
    found = account.invoice(invoice, batch)
    assert (found.paid, found.open) == (Decimal("100.00"), Decimal("138.00"))
    assert [(payment.invoice_id, payment.amount) for payment in batch.payments] == [(invoice, Decimal("100.00"))]
    assert account.look(invoice).invoice.open == Decimal("138.00")
    later(account, hours=25)
    assert account.invoice(invoice, account.pull()).open == Decimal("138.00")


def test_returned_debit_opens_the_invoice_again(account, invoice):
    """Payments that are taken back leave the invoice open again."""
    account.sandbox.pay(invoice)
    account.pull()
    later(account)
    account.sandbox.return_debit(invoice)
    found = account.invoice(invoice, account.pull())
    assert (found.status, found.paid, found.open) == (InvoiceStatus.OPEN, 0, Decimal("238.00"))


def test_without_the_payment_log_one_payment_stands_for_all(account, invoice):
    """Where the undocumented log cannot be read, one payment per invoice carries what was paid, and follows it down."""
    account.sandbox.behaviour.forbidden.add("CheckAccountTransactionLog")
    account.sandbox.pay(invoice, "100.00")
    (payment,) = account.pull().payments
    assert (payment.id, payment.amount) == (f"paid:{invoice}", Decimal("100.00"))
    later(account)
    account.sandbox.return_debit(invoice)
    assert {(payment.id, payment.amount) for payment in account.pull().payments} == {(f"paid:{invoice}", 0)}


def test_payment_log_goes_on_where_it_stopped(account, customer):
    """Only new entries of the payment log are read; after one was taken out it is read as a whole."""
    invoices = [account.sandbox.add_invoice(customer) for _ in range(4)]
    for id_ in invoices[:3]:
        account.sandbox.pay(id_)
    assert len(account.pull().payments) == 3
    later(account)
    account.sandbox.pay(invoices[3])
    assert invoices[3] in {payment.invoice_id for payment in account.pull().payments}
    later(account)
    account.sandbox.return_debit(invoices[0])
    assert {payment.invoice_id for payment in account.pull().payments} == set(invoices[1:])
    later(account)
    assert len(account.pull().payments) == 1


def test_tags_and_fields_set_later(account, customer, invoice):
    """A tag or block that people set or take off arrives with the next pull, though it changes no time of change."""
    account.pull()
    later(account)
    account.sandbox.tag(invoice, "Mahnsperre")
    account.sandbox.set_field(customer, "Mahnsperre", "31.12.2026")
    batch = account.pull()
    assert [flag.reason for flag in account.invoice(invoice, batch).flags] == [Reason.INVOICE_EXCLUDED]
    (flag,) = batch.debtors[0].flags
    assert (flag.reason, flag.until) == (Reason.CUSTOMER_EXCLUDED, date(2026, 12, 31))
    later(account)
    account.sandbox.untag(invoice, "Mahnsperre")
    account.sandbox.set_field(customer, "Mahnsperre", "")
    batch = account.pull()
    assert account.invoice(invoice, batch).flags == ()
    assert batch.debtors[0].flags == ()


@pytest.mark.parametrize("source", ["Tag", "TagRelation", "ContactCustomField", "CheckAccountTransaction"])
def test_unreadable_source_holds_everything(account, invoice, source):
    """A source of blocks that cannot be read counts as a block, at once, and no longer than it lasts."""
    account.pull()
    account.sandbox.set_field(account.sandbox.add_contact("X"), "Mahnsperre", "")
    account.sandbox.behaviour.forbidden.add(source)
    later(account)
    batch = account.pull()
    flags = [flag for record in (*batch.invoices, *batch.debtors) for flag in record.flags]
    assert flags
    assert all("unreadable" in flag.source for flag in flags)
    account.sandbox.behaviour.forbidden.clear()
    later(account)
    batch = account.pull()
    assert account.invoice(invoice, batch).flags == ()
    assert all(debtor.flags == () for debtor in batch.debtors)


def test_refused_token_is_no_unreadable_source(account, invoice):
    """A token that is refused stops the account; it is not taken for a missing right."""
    account.sandbox.server.faults.status(401, "/Tag$", body="Authentication required", times=None)
    with pytest.raises(ConfigError):
        account.pull()


def test_direct_debit_waits(account, customer):
    """A payment method or a mandate that means direct debit holds, for ever unless a number of days is set."""
    by_method = account.sandbox.add_invoice(customer, method="SEPA-Lastschrift", issued_on=date(2026, 8, 3))
    by_mandate = account.sandbox.add_invoice(customer, mandate="M-1", issued_on=date(2026, 8, 3))
    transfer = account.sandbox.add_invoice(customer, method="Überweisung")
    batch = account.pull()
    for id_ in (by_method, by_mandate):
        (flag,) = account.invoice(id_, batch).flags
        assert (flag.reason, flag.until) == (Reason.DIRECT_DEBIT_PENDING, None)
    assert account.invoice(transfer, batch).flags == ()
    assert account.invoice(transfer, batch).payment_method == "Überweisung"
    account.sandbox.behaviour.forbidden.add("PaymentMethod")
    (flag,) = account.look(transfer).invoice.flags
    assert flag.reason is Reason.DIRECT_DEBIT_PENDING


@pytest.mark.feature("P-26")
@pytest.mark.parametrize("bumps", [True, False])
@pytest.mark.parametrize("hides", [True, False])
def test_reminders_made_by_hand(account, invoice, bumps, hides):
    """Reminders that people make arrive with level and deadline, even if lists hide them and the invoice does not change."""
    account.sandbox.behaviour.reminder_bumps_update = bumps
    account.sandbox.behaviour.hides_reminders = hides
    account.pull()
    later(account)
    first = account.sandbox.remind_by_hand(invoice)
    (notice,) = {found.id: found for found in account.pull().notices}.values()
    assert (notice.id, notice.level, notice.status) == (first, 1, NoticeStatus.SENT)
    assert notice.deadline == date(2026, 9, 8)
    second = account.sandbox.remind_by_hand(invoice, send=False)
    levels = {found.id: (found.level, found.status) for found in account.look(invoice).notices}
    assert levels == {first: (1, NoticeStatus.SENT), second: (2, NoticeStatus.DRAFT)}


@pytest.mark.parametrize("hours", [3, 25])
def test_deleted_drafts_are_cancelled(account, invoice, hours):
    """A reminder draft that people delete does not block its invoice for ever."""
    draft = account.sandbox.remind_by_hand(invoice, send=False)
    assert account.pull().notices[0].status is NoticeStatus.DRAFT
    later(account, hours=hours)
    account.sandbox.delete_draft(draft)
    gone = {notice.id: notice.status for notice in account.pull().notices}
    assert gone == {draft: NoticeStatus.CANCELLED}
    later(account, hours=hours)
    assert account.pull().notices == ()


@pytest.mark.parametrize("bumps", [True, False])
def test_changed_address(account, customer, invoice, bumps):
    """A changed e-mail address reaches a look at once, whether or not it changes the contact."""
    account.sandbox.behaviour.contact_detail_bumps_update = bumps
    account.pull()
    account.sandbox.change_email(customer, "neu@muster.example")
    assert account.look(invoice).debtor.email == "neu@muster.example"
    later(account, hours=25)
    assert [debtor.email for debtor in account.pull().debtors] == ["neu@muster.example"]


def test_persons_and_organisations(account, customer):
    """Persons come too; one without an address of their own is reached at the organisation."""
    person = account.sandbox.add_contact(first="Erika", last="Beispiel", parent=customer, address=None)
    debtors = {debtor.id: debtor for debtor in account.pull().debtors}
    assert debtors[person].name == "Erika Beispiel"
    assert debtors[person].email == "buchhaltung@muster.example"
    assert debtors[person].address.street == "Musterweg 1"


def test_countries(account):
    """Addresses abroad carry the code of their country; unknown ones fall back to Germany."""
    contact = account.sandbox.add_contact("Wien AG", email="a@wien.example", address=None)
    account.sandbox.add_address(contact, ("Ring 1", "1010", "Wien"), country=6)
    assert account.pull().debtors[0].address.country == "AT"


def test_interrupted_full_reading_goes_on(account, customer):
    """A full reading that was cut off goes on at the page where it stopped, and is complete all the same."""
    ids = {account.sandbox.add_invoice(customer) for _ in range(10)}
    batches = account.connector.pull(None)
    seen = set()
    for batch in batches:
        seen |= {invoice.id for invoice in batch.invoices}
        if len(seen) >= 6:
            account.cursor = batch.cursor
            break
    before = len(account.sandbox.server.calls("GET", r"/Invoice$"))
    rest = account.pull()
    assert seen | {invoice.id for invoice in rest.invoices} == ids
    assert rest.complete
    assert len(account.sandbox.server.calls("GET", r"/Invoice$")) - before == 2


def test_changed_list_is_not_complete_until_it_rests(account, customer):
    """A list that changes on every page is not taken for complete."""
    for _ in range(5):
        account.sandbox.add_invoice(customer)

    def grow(request, response):
        if request.path.endswith("/Invoice"):
            account.sandbox.add_invoice(customer)
        return response

    account.sandbox.server.after(grow)
    assert not account.pull().complete


def test_no_totals(account, customer):
    """Where sevDesk does not count, pages are read until one is short."""
    account.sandbox.behaviour.total_known = False
    ids = {account.sandbox.add_invoice(customer) for _ in range(7)}
    batch = account.pull()
    assert {invoice.id for invoice in batch.invoices} == ids
    assert batch.complete


def test_bad_records_are_set_aside(account, customer, invoice):
    """Records that do not fit are set aside with field, value and reason; the others arrive, and a healed one too."""
    account.sandbox.spoil(invoice, sumGross="viel")
    account.sandbox.spoil(account.sandbox.add_contact("Kaputt"), defaultTimeToPay="bald")
    good = account.sandbox.add_invoice(customer)
    batch = account.pull()
    assert {(reject.kind, reject.field, reject.value) for reject in batch.rejects} == {
        ("invoice", "sumGross", "'viel'"),
        ("contact", "defaultTimeToPay", "'bald'"),
    }
    assert [found.id for found in batch.invoices] == [good]
    later(account)
    account.sandbox.heal(invoice)
    assert account.invoice(invoice, account.pull()).open == Decimal("238.00")


def test_an_open_invoice_without_its_customer_is_not_judged(account, customer, invoice):
    """Whether a customer who is not there any more is blocked cannot be told; that a paid invoice is paid can."""
    account.sandbox.faults.status(404, rf"/Contact/{customer}$", body={}, method="GET", times=None)
    with pytest.raises(BadRecord, match="customer does not exist"):
        account.look(invoice)
    account.sandbox.pay(invoice)
    assert account.look(invoice).invoice.status is InvoiceStatus.PAID


@pytest.mark.parametrize("kind", ["MA", "SR"])
def test_a_look_at_lists_that_do_not_rest_is_no_answer(account, customer, kind):
    """Reminders and cancellations that may be missing from a list stop nothing, so nothing is written on such a look."""
    invoices = [account.sandbox.add_invoice(customer) for _ in range(2)]

    def more(request, response):
        if f"invoiceType={kind}" in request.target:
            data = json.loads(response.body)
            return replace(response, body=json.dumps({**data, "total": "9"}).encode())
        return response

    account.sandbox.server.after(more)
    with pytest.raises(BadAnswer):
        account.look(invoices[0])


def test_credit_note_that_cannot_be_read_stops_its_own_invoice_only(account, customer, invoice):
    """A spoilt credit note of this invoice is not left out in silence; one of another invoice is nothing to it."""
    other = account.sandbox.add_invoice(customer)
    note = account.sandbox.add_credit_note(other, "38.00")
    account.sandbox.server.after(_rewriting("/CreditNote", note, {"sumGross": "38.005"}))
    assert account.look(invoice).invoice.open == Decimal("238.00")
    with pytest.raises(BadRecord, match="sumGross"):
        account.look(other)


@pytest.mark.parametrize("what", ["invoice", "customer", "reminder"])
def test_a_look_leaves_nothing_out(account, customer, invoice, what):
    """A look at an invoice that does not fit, or whose customer or reminder does not, is an error and no half answer."""
    reminder = account.sandbox.remind_by_hand(invoice)
    record = {"invoice": invoice, "customer": customer, "reminder": reminder}[what]
    account.sandbox.spoil(record, **({"defaultTimeToPay": "x"} if what == "customer" else {"dunningLevel": "x"}))
    with pytest.raises(BadRecord):
        account.look(invoice)


def test_an_old_cursor_begins_anew(account, invoice):
    """A cursor that an older program wrote leads to a full reading, not to an error."""
    account.pull()
    account.cursor = account.cursor.model_copy(update={"data": {"version": 0, "page": 3}})
    assert account.pull().complete


def test_rate_limit_stops_the_pull(account, invoice):
    """A 429 in the middle of a pull ends it with sevDesk's wait."""
    account.sandbox.limit_rate(3, retry_after="120")
    with pytest.raises(RetryLater) as raised:
        account.pull()
    assert raised.value.after == timedelta(seconds=120)
