"""What the connector writes at sevDesk, and how it finds what it has written."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from bridge.contract import Act, BadAnswer, CannotTell, NoticeStatus, NotSupported, Ref, Refused, Unclear


def created(account, invoice):
    return account.push(Act.CREATE, invoice).provider_id


@pytest.mark.feature("P-25")
def test_sevdesks_own_reminder_goes_out(account, invoice):
    """The reminder is sevDesk's own document with its number and layout: made, checked, and sent by sevDesk."""
    proof = account.push(Act.CREATE, invoice)
    assert (proof.level, proof.principal, proof.fee) == (1, Decimal("238.00"), 0)
    reminder = proof.provider_id
    amended = account.push(Act.AMEND, invoice, reminder)
    assert amended.deadline == date(2026, 9, 15)
    assert account.connector.document(Ref.reminder(reminder)).startswith(b"%PDF-")
    assert account.sandbox.document(reminder).number is None
    account.push(Act.SEND_EMAIL, invoice, reminder)
    document = account.sandbox.document(reminder)
    assert document.number.startswith("MA-")
    assert (document.status, document.send_type, document.deadline) == (200, "VM", date(2026, 9, 15))
    (mail,) = account.sandbox.ledger.of("mail", invoice)
    assert (mail.detail["toEmail"], mail.detail["subject"]) == ("buchhaltung@muster.example", "Zahlungserinnerung")
    assert [notice.status for notice in account.look(invoice).notices] == [NoticeStatus.SENT]


@pytest.mark.feature("N-1")
def test_a_draft_that_somebody_edited_since_is_not_sent(account, invoice):
    """Checked, then given a fee by a person before it is sent: it would ask for something that nobody decided."""
    reminder = account.push(Act.CREATE, invoice).provider_id
    account.push(Act.AMEND, invoice, reminder)
    account.sandbox.document(reminder).charge = Decimal("5.00")
    with pytest.raises(Refused, match=r"5\.00"):
        account.push(Act.SEND_EMAIL, invoice, reminder)
    assert not account.sandbox.ledger.of("mail", invoice)


@pytest.mark.feature("S-SEV-11")
def test_what_others_wrote_stays(account, customer, invoice):
    """Tags, fields, notes and reminders of people and other programs are the same before and after a whole notice."""
    sandbox = account.sandbox
    sandbox.tag(invoice, "GetMyInvoices: importiert")
    sandbox.set_field(customer, "Fremdsystem", "4711")
    sandbox.document(invoice).note = "PO 7781"
    account.connector.prepare_places()
    foreign = sandbox.remind_by_hand(invoice)
    before = sandbox.document(foreign).row()
    own_before = {
        key: value for key, value in sandbox.document(invoice).row().items() if key not in ("update", "dunningLevel")
    }
    contact = sandbox.world.contacts[int(customer)].row()
    reminder = account.push(Act.CREATE, invoice).provider_id
    account.push(Act.AMEND, invoice, reminder)
    account.push(Act.SEND_EMAIL, invoice, reminder)
    account.push(Act.TAG, invoice, tag="gemahnt-2")
    account.push(Act.CUSTOMER_NOTE, invoice, line="01.09.2026 1. Mahnung per E-Mail")
    assert sandbox.tags_of(invoice) == ["GetMyInvoices: importiert", "gemahnt-2"]
    assert sandbox.field_of(customer, "Fremdsystem") == "4711"
    assert sandbox.field_of(customer, "Mahnstatus") == "01.09.2026 1. Mahnung per E-Mail"
    after = {
        key: value for key, value in sandbox.document(invoice).row().items() if key not in ("update", "dunningLevel")
    }
    assert after == own_before
    assert sandbox.document(foreign).row() == before
    assert sandbox.world.contacts[int(customer)].row() == contact


def test_levels_follow_sevdesk(account, invoice):
    """The level is sevDesk's counter: after a reminder by hand ours is the second."""
    account.sandbox.remind_by_hand(invoice)
    write = account.write(Act.CREATE, invoice)
    assert (write.expected_provider_level, account.connector.push(write).level) == (2, 2)


def test_foreign_draft_stops_creation(account, invoice):
    """While an unsent reminder of somebody lies at sevDesk, none is made, and nothing is called."""
    account.sandbox.remind_by_hand(invoice, send=False)
    with pytest.raises(Refused, match="draft"):
        account.push(Act.CREATE, invoice)
    assert account.sandbox.ledger.count("reminder") == 0
    assert account.sandbox.server.calls("POST") == []


@pytest.mark.parametrize("answers_list", [True, False])
def test_answer_in_either_shape(account, invoice, answers_list):
    """The created reminder may be answered as an object or as a list of one."""
    account.sandbox.behaviour.factory_answers_list = answers_list
    assert created(account, invoice) == str(account.sandbox.reminders(invoice)[0].id)


@pytest.mark.parametrize(("version", "fee", "fits"), [("2.0", "5", False), ("1.0", "5", True), ("2.0", "0", True)])
def test_fees_follow_the_system_version(account, invoice, version, fee, fits):
    """Under system version 2.0 no reminder with a fee is even asked for."""
    account.sandbox.behaviour.version = version
    if fits:
        account.push(Act.CREATE, invoice, fee=Decimal(fee))
    else:
        with pytest.raises(Refused, match="fee"):
            account.push(Act.CREATE, invoice, fee=Decimal(fee))
    assert account.sandbox.ledger.count("reminder") == int(fits)


def test_fee_from_the_account_is_noticed(account, invoice):
    """A fee that sevDesk adds from the account's settings stops the reminder before anybody sees it."""
    account.sandbox.behaviour.default_fee = Decimal(3)
    account.sandbox.behaviour.fee_in_version_2 = True
    account.sandbox.remind_by_hand(invoice)
    reminder = created(account, invoice)
    with pytest.raises(Refused, match=r"fee there 3\.00, here 0\.00"):
        account.push(Act.AMEND, invoice, reminder)


def test_amend_compares_everything(account, invoice):
    """Level, deadline and amount that differ from the decision stop the reminder, each named with both values."""
    reminder = created(account, invoice)
    account.sandbox.document(reminder).debit = Decimal(200)
    account.sandbox.document(reminder).level = 4
    account.sandbox.behaviour.deadline_is_ignored = True
    write = account.write(Act.AMEND, invoice, reminder).model_copy(update={"expected_provider_level": 1})
    with pytest.raises(Refused) as raised:
        account.connector.push(write)
    for text in ("level there 4, here 1", "deadline there 2026-09-08, here 2026-09-15", "there 200.00, here 238.00"):
        assert text in str(raised.value)
    assert account.connector.find(write) is None


def test_amend_compares_the_sum_too(account, invoice):
    """A reminder whose sum is not the open amount and its fee, such as one that adds earlier fees, stops before anybody sees it."""
    reminder = created(account, invoice)

    def more(request, response):
        return replace(response, body=response.body.replace(b'"reminderTotal": "238"', b'"reminderTotal": "243"'))

    account.sandbox.server.after(more)
    with pytest.raises(Refused, match=r"sum there 243\.00, here 238\.00"):
        account.push(Act.AMEND, invoice, reminder)


def test_amend_twice_writes_once(account, invoice):
    """A deadline that is right already is not written again."""
    reminder = created(account, invoice)
    for _ in range(2):
        account.push(Act.AMEND, invoice, reminder)
    assert account.sandbox.ledger.count("deadline", invoice) == 1


@pytest.mark.parametrize("act", [Act.AMEND, Act.SEND_EMAIL, Act.DISCARD])
def test_only_our_draft(account, invoice, act):
    """A reminder that somebody sent meanwhile is neither changed, nor sent again, nor deleted."""
    reminder = created(account, invoice)
    write = account.write(act, invoice, reminder)
    account.sandbox.world.mark_sent(account.sandbox.document(reminder), "VPDF")
    with pytest.raises(Refused, match="no draft"):
        account.connector.push(write)
    assert account.sandbox.ledger.count("mail") == account.sandbox.ledger.count("delete") == 0


@pytest.mark.parametrize("act", [Act.AMEND, Act.SEND_EMAIL, Act.MARK_SENT, Act.DISCARD])
def test_other_records_are_left_alone(account, customer, invoice, act):
    """An id that is an invoice, or a reminder for another invoice, is refused."""
    other = account.sandbox.add_invoice(customer)
    for wrong in (other, created(account, other)):
        if act is Act.MARK_SENT and wrong != other:
            continue
        write = account.write(act, invoice, wrong)
        with pytest.raises(Refused):
            account.connector.push(write)
    effects = [entry.act for entry in account.sandbox.ledger.of() if entry.act != "reminder"]
    assert effects == []


@pytest.mark.parametrize(("sent_by", "way"), [("mail", "VM"), ("post", "VP"), (None, "VPDF")])
def test_mark_sent(account, invoice, sent_by, way):
    """Our own letter or mail is recorded with its way, once; a reminder that is marked already stays as it is."""
    reminder = created(account, invoice)
    write = account.write(Act.MARK_SENT, invoice, reminder, sent_by=sent_by)
    assert account.connector.find(write) is None
    for _ in range(2):
        account.connector.push(write)
    assert [entry.detail["way"] for entry in account.sandbox.ledger.of("mark")] == [way]
    assert account.connector.find(write).provider_id == reminder


def test_discard(account, invoice):
    """Our draft is deleted; deleting what is gone is done."""
    reminder = created(account, invoice)
    write = account.write(Act.DISCARD, invoice, reminder)
    assert account.connector.find(write) is None
    for _ in range(2):
        account.connector.push(write)
    assert account.sandbox.reminders(invoice) == []
    assert account.connector.find(write) is not None
    assert account.sandbox.ledger.count("delete") == 1


def test_complete_is_not_offered(account, invoice):
    """sevDesk cannot complete a reminder without marking it as sent: the act does not exist here."""
    assert Act.COMPLETE not in account.connector.acts
    with pytest.raises(NotSupported):
        account.push(Act.COMPLETE, invoice, "1")


# ------------------------------------------------------------------------------------------------------- lost answers


def test_lost_creation_is_found_by_its_difference(account, invoice):
    """The one reminder that is there now and was not before is ours."""
    account.sandbox.remind_by_hand(invoice)
    write = account.write(Act.CREATE, invoice)
    account.sandbox.faults.cut_after("createInvoiceReminder")
    with pytest.raises(Unclear):
        account.connector.push(write)
    proof = account.connector.find(write)
    assert (proof.level, proof.found_later) == (2, True)


def test_two_new_reminders_cannot_be_told_apart(account, invoice):
    """If somebody made a reminder at the same moment, a person decides which one is ours."""
    write = account.write(Act.CREATE, invoice)
    account.connector.push(write)
    account.sandbox.remind_by_hand(invoice)
    with pytest.raises(CannotTell, match="new reminders"):
        account.connector.find(write)


def test_reminder_from_before_the_attempt_is_not_ours(account, invoice):
    """A new reminder that is older than our attempt is somebody else's; whether ours exists cannot be told."""
    write = account.write(Act.CREATE, invoice)
    reminder = account.sandbox.remind_by_hand(invoice)
    account.sandbox.document(reminder).created -= timedelta(minutes=10)
    with pytest.raises(CannotTell):
        account.connector.find(write)


def test_reminders_that_may_be_missing_prove_no_absence(account, invoice):
    """While the list of reminders is shorter than it says, a lost creation is not taken for absent."""
    write = account.write(Act.CREATE, invoice)

    def more(request, response):
        if "invoiceType=MA" in request.target:
            return replace(response, body=json.dumps({"objects": [], "total": "1"}).encode())
        return response

    account.sandbox.server.after(more)
    with pytest.raises(BadAnswer):
        account.connector.find(write)


def test_absent_creation(account, invoice):
    """Where no new reminder is there, ours is certainly absent; without a baseline nothing is certain."""
    write = account.write(Act.CREATE, invoice)
    assert account.connector.find(write) is None
    with pytest.raises(CannotTell):
        account.connector.find(write.model_copy(update={"baseline": None}))


@pytest.mark.parametrize("code", [400, 404, 409, 422, 500, 503])
@pytest.mark.parametrize("act", [Act.CREATE, Act.SEND_EMAIL])
def test_refusals_without_a_known_code_are_unclear(account, invoice, act, code):
    """Any 400 or 500 on creating or sending may have happened all the same."""
    reminder = created(account, invoice) if act is Act.SEND_EMAIL else None
    write = account.write(act, invoice, reminder)
    account.sandbox.faults.status(
        code, "createInvoiceReminder|sendViaEmail", body={"objects": None, "error": {"code": 7100}}
    )
    with pytest.raises(Unclear):
        account.connector.push(write)


@pytest.mark.parametrize("status", [200, 400, 422])
def test_paid_meanwhile_is_a_proven_refusal(account, invoice, status):
    """The code for "already paid" proves that nothing was written, also inside HTTP 200."""
    write = account.write(Act.CREATE, invoice)
    body = {"objects": None, "error": {"message": "paid", "code": "750"}}
    account.sandbox.faults.status(status, "createInvoiceReminder", body=body)
    with pytest.raises(Refused, match="paid"):
        account.connector.push(write)


def test_another_document_as_answer_is_unclear(account, invoice):
    """An answer that is no reminder of this invoice proves nothing."""
    account.sandbox.faults.reshape(
        lambda data: {"objects": data["objects"] | {"invoiceType": "RE"}}, "createInvoiceReminder"
    )
    with pytest.raises(Unclear):
        account.push(Act.CREATE, invoice)


def test_mail_is_proven_by_its_mark(account, invoice):
    """A lost sending is proven by status, way and time of the reminder; otherwise nobody can tell, and nobody repeats it."""
    reminder = created(account, invoice)
    write = account.write(Act.SEND_EMAIL, invoice, reminder)
    with pytest.raises(CannotTell):
        account.connector.find(write)
    account.sandbox.faults.cut_after("sendViaEmail")
    with pytest.raises(Unclear):
        account.connector.push(write)
    assert account.connector.find(write).found_later
    assert account.sandbox.ledger.count("mail") == 1


@pytest.mark.parametrize(("way", "minutes"), [("VPDF", 0), ("VM", -10)])
def test_other_marks_prove_no_mail(account, invoice, way, minutes):
    """A reminder that was downloaded, or mailed before our attempt, is no proof of our mail."""
    reminder = created(account, invoice)
    write = account.write(Act.SEND_EMAIL, invoice, reminder)
    document = account.sandbox.document(reminder)
    account.sandbox.world.mark_sent(document, way)
    document.sent_at += timedelta(minutes=minutes)
    with pytest.raises(CannotTell):
        account.connector.find(write)


@pytest.mark.parametrize("act", [Act.AMEND, Act.SEND_EMAIL, Act.MARK_SENT])
def test_deleted_reminder_cannot_be_told(account, invoice, act):
    """Where the reminder is gone altogether, nobody can tell what happened to it."""
    reminder = created(account, invoice)
    write = account.write(act, invoice, reminder)
    account.sandbox.delete_draft(reminder)
    with pytest.raises(CannotTell):
        account.connector.find(write)


# ------------------------------------------------------------------------------------------------- places and documents


def test_field_of_people_is_never_written(account, customer, invoice):
    """A custom field of the same name that people made is theirs: it is left alone, and `check` says so."""
    account.sandbox.set_field(customer, "Mahnstatus", "ruft am 3. an")
    (finding,) = account.connector.prepare_places()
    assert finding.code == "sevdesk_field_taken"
    with pytest.raises(Refused, match="mahnbridge init --places"):
        account.push(Act.CUSTOMER_NOTE, invoice, line="Zeile")
    assert account.sandbox.field_of(customer, "Mahnstatus") == "ruft am 3. an"
    assert Act.CUSTOMER_NOTE not in account.connector.check().acts


def test_customer_lines_are_kept_newest_first(account, customer, invoice):
    """The newest line stands first, older ones stay while there is room, and a repeated one is written once."""
    assert [finding.code for finding in account.connector.prepare_places()] == ["sevdesk_field_created"]
    assert [finding.code for finding in account.connector.prepare_places()] == ["sevdesk_field_there"]
    for number in (1, 2, 2, 3):
        account.push(Act.CUSTOMER_NOTE, invoice, line=f"{number:02}.09.2026 " + "x" * 90)
    value = account.sandbox.field_of(customer, "Mahnstatus")
    assert [part[:2] for part in value.split(" | ")] == ["03", "02"]
    assert account.sandbox.ledger.count("field") == 3
    assert account.sandbox.ledger.count("field_setting") == 1


def test_line_as_tag_only_where_wanted(account, invoice):
    """The line becomes a tag of the invoice only where the account says so."""
    with pytest.raises(NotSupported):
        account.push(Act.NOTE, invoice, line="01.09.2026 Zahlungserinnerung")
    assert Act.NOTE not in account.connector.check().acts
    account.again(line_as_tag=True)
    for _ in range(2):
        account.push(Act.NOTE, invoice, line="01.09.2026 Zahlungserinnerung")
    assert account.sandbox.tags_of(invoice) == ["01.09.2026 Zahlungserinnerung"]
    assert account.sandbox.ledger.count("tag") == 1
    assert Act.NOTE in account.connector.check().acts


def test_documents(account, invoice):
    """Invoice, reminder and credit note are fetched without any effect, whatever the case of the keys."""
    note = account.sandbox.add_credit_note(invoice, "10")
    reminder = created(account, invoice)
    for ref in (Ref.invoice(invoice), Ref.reminder(reminder), Ref.invoice(f"cn:{note}")):
        assert account.connector.document(ref).startswith(b"%PDF-")
    assert account.sandbox.document(reminder).status == 100


@pytest.mark.parametrize("id_", ["../Contact/1", "1/sendBy", "abc", ""])
def test_hostile_ids_reach_no_other_path(account, invoice, id_):
    """An id that is no number is unknown; it never becomes part of a path."""
    before = len(account.sandbox.server.calls("GET", r"Contact/|sendBy|abc"))
    assert account.look(id_).found is False
    with pytest.raises(Refused):
        account.connector.document(Ref.invoice(id_))
    assert len(account.sandbox.server.calls("GET", r"Contact/|sendBy|abc")) == before


# ------------------------------------------------------------------------------------------------------- many at once


def test_lists_are_read_once_for_a_batch_of_looks(account, customer):
    """Reminders, cancellations, credit notes, tags and transactions are read once for all, the customer once for each."""
    ids = [account.sandbox.add_invoice(customer) for _ in range(10)]
    list(account.connector.look([Ref.invoice(id_) for id_ in ids]))
    paths = [request.path.removeprefix("/api/v1") for request in account.sandbox.server.log]
    assert sum(path.startswith("/Invoice/") for path in paths) == 10
    assert paths.count("/Invoice") == 2
    for path in ("/Tag", "/TagRelation", "/CreditNote", "/ContactCustomFieldSetting", f"/Contact/{customer}"):
        assert paths.count(path) == 1
    assert paths.count("/CommunicationWay") == paths.count("/ContactAddress") == 1
    assert paths.count("/CheckAccountTransaction") == 5  # three states, and the newest entry in two steps


# --------------------------------------------------------------------------------------------------------------- check


def codes(health):
    return {finding.code for finding in health.findings}


def test_check_of_a_good_account(account, invoice):
    """A good account is good, and `check` says what fits it."""
    account.connector.prepare_places()
    health = account.connector.check()
    assert health.ok
    assert health.has_bank_feed
    assert health.clock_skew_seconds == 0
    assert health.acts == account.connector.acts - {Act.NOTE}
    assert codes(health) == {"sevdesk_version", "sevdesk_no_fees", "sevdesk_no_block_field"}


def test_check_is_silent_about_a_date_that_is_set_from_outside(account):
    """A rehearsal at another business date is no wrong clock; sevDesk's own deviation is still one."""
    account.connector.http.clock = lambda: datetime(2026, 1, 1, tzinfo=UTC)
    account.connector.http._wire._now = account.sandbox.clock.now  # our technical clock, which agrees with sevDesk
    health = account.connector.check()
    assert "sevdesk_clock" not in codes(health)
    assert abs(health.clock_skew_seconds) <= 1
    account.sandbox.server.skew = timedelta(minutes=5)
    health = account.connector.check()
    assert "sevdesk_clock" in codes(health)
    assert abs(health.clock_skew_seconds - 300) <= 1


def test_check_says_what_is_wrong(account):
    """A refused token, a tariff without API, unreadable sources, a missing feed and a wrong clock are each named."""
    sandbox = account.sandbox
    sandbox.cut_bank_feed()
    sandbox.server.skew = timedelta(minutes=5)
    sandbox.behaviour.forbidden.add("TagRelation")
    health = account.connector.check()
    assert not health.ok
    assert health.clock_skew_seconds == 300
    assert {"sevdesk_no_bank_feed", "sevdesk_clock", "sevdesk_sign_unreadable", "sevdesk_no_note_field"} <= codes(
        health
    )
    sandbox.behaviour.forbidden.add("Tools")
    health = account.connector.check()
    assert (health.ok, codes(health)) == (False, {"sevdesk_forbidden"})
    assert "tariff" in health.findings[0].text
    account.sandbox._routes._token = "another"
    health = account.connector.check()
    assert (health.ok, codes(health)) == (False, {"sevdesk_token"})
    assert "Authentication required" in health.findings[0].text


def test_version_is_asked_once_a_day(account):
    """The system version is believed for a day."""
    for hours in (0, 1, 12, 12):
        account.sandbox.clock.advance(timedelta(hours=hours))
        assert account.connector.version() == "2.0"
    assert len(account.sandbox.server.calls("GET", "bookkeepingSystemVersion")) == 2
