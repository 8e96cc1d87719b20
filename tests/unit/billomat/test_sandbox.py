"""The sandbox behaves as Billomat is known to, so that what holds against it holds against Billomat."""

from datetime import UTC, date, datetime, timedelta

import pytest
import requests


def get(billomat, path, *, method="GET", headers=None, **params):
    sandbox = billomat.sandbox
    query = {"format": "json", **params}
    return requests.request(
        method, sandbox.base_url + path, params=query, headers=headers or sandbox.headers, timeout=10
    )


@pytest.fixture
def three(billomat):
    client = billomat.sandbox.add_client("Ahorn Bau GmbH", email="a@ahorn.example")
    return [billomat.sandbox.add_invoice(client, "119.50", due_on=date(2026, 11, 1)) for _ in range(3)]


def test_values_are_text_and_lists_change_their_shape(billomat, three):
    """Everything is text; several are a list, one is an object, none has no item key, beyond the end as well."""
    box = get(billomat, "/invoices", per_page=2).json()["invoices"]
    assert [row["id"] for row in box["invoice"]] == three[:2]
    assert (box["@page"], box["@per_page"], box["@total"]) == ("1", "2", "3")
    assert (box["invoice"][0]["open_amount"], box["invoice"][0]["contact_id"]) == ("119.5", "")
    assert get(billomat, "/invoices", per_page=2, page=2).json()["invoices"]["invoice"]["id"] == three[2]
    assert "invoice" not in get(billomat, "/invoices", page=9).json()["invoices"]
    assert get(billomat, "/client-properties").json() == {"client-properties": []}
    billomat.sandbox.routes.single_as_array = True
    assert isinstance(get(billomat, "/invoices", invoice_number="RE-1001").json()["invoices"]["invoice"], list)


def test_filters_match_parts_and_unknown_ones_are_ignored(billomat, three):
    """A number matches as a part in any case; `invoice_id` on reminders does not exist and is ignored without a word."""
    reminders = [billomat.sandbox.remind_by_hand(key) for key in three[:2]]
    assert get(billomat, "/invoices", invoice_number="re-100").headers["X-Total-Count"] == "3"
    box = get(billomat, "/reminders", invoice_id=three[0]).json()["reminders"]
    assert [row["id"] for row in box["reminder"]] == reminders
    assert get(billomat, "/reminders", invoice_number="RE-1002").json()["reminders"]["reminder"]["id"] == reminders[1]
    assert get(billomat, "/invoice-comments").status_code == 400


def test_head_counts(billomat, three):
    """HEAD answers the number of records without any."""
    answer = get(billomat, "/invoices", method="HEAD", status="OPEN,OVERDUE")
    assert (answer.headers["X-Total-Count"], answer.content) == ("3", b"")


def test_without_format_the_answer_is_xml(billomat):
    """XML is the default."""
    answer = requests.get(billomat.sandbox.base_url + "/invoices", headers=billomat.sandbox.headers, timeout=10)
    assert answer.headers["Content-Type"] == "application/xml"


def test_windows_begin_on_the_quarter_of_an_hour(billomat, three):
    """Calls are counted in fixed windows by the clock of the windows; over the limit is 429 with the seconds to wait."""
    door = billomat.sandbox.door
    door.limit = 2
    door.clock.set(datetime(2026, 11, 16, 8, 14, 50, tzinfo=UTC))
    answers = [get(billomat, "/invoices") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["X-Rate-Limit-Remaining"] for answer in answers] == ["1", "0", "0"]
    reset = datetime.fromtimestamp(int(answers[0].headers["X-Rate-Limit-Reset"]), UTC)
    assert reset == datetime(2026, 11, 16, 8, 15, tzinfo=UTC)
    assert "wait 10 seconds" in answers[2].json()["errors"]["error"]
    door.clock.advance(timedelta(seconds=10))
    assert get(billomat, "/invoices").status_code == 200


def test_a_registered_app_has_a_window_of_its_own(billomat, three):
    """Services without an app share one window; a registered one does not use it up."""
    door = billomat.sandbox.door
    door.limit, door.apps = 1, {"17": "s3cret"}
    app = {**billomat.sandbox.headers, "X-AppId": "17", "X-AppSecret": "s3cret"}
    door.clock.set(datetime(2026, 11, 16, 8, 1, tzinfo=UTC))
    assert [get(billomat, "/invoices", headers=headers).status_code for headers in (None, app, None, app)] == [
        200,
        200,
        429,
        429,
    ]


def test_keys_and_roles_are_checked(billomat, three):
    """A wrong key is 401, a missing right 403."""
    assert get(billomat, "/invoices", headers={"X-BillomatApiKey": "wrong"}).status_code == 401
    billomat.sandbox.door.add_user("reader", invoices="READ")
    reader = {"X-BillomatApiKey": "reader"}
    assert get(billomat, "/invoices", headers=reader).status_code == 200
    assert get(billomat, "/reminders", headers=reader).status_code == 403
    assert get(billomat, "/invoices/9001/pdf", headers=reader).status_code == 200


def test_invoices_fall_overdue_and_follow_their_payments(billomat):
    """OPEN becomes OVERDUE on the day after the due date; paying and taking back moves the status both ways."""
    sandbox = billomat.sandbox
    invoice = sandbox.add_invoice(sandbox.add_client("Ahorn Bau GmbH"), "100.00", due_on=date(2026, 11, 16))
    status = lambda: get(billomat, f"/invoices/{invoice}").json()["invoice"]["status"]  # noqa: E731
    assert status() == "OPEN"
    sandbox.today = date(2026, 11, 17)
    assert status() == "OVERDUE"
    part = sandbox.pay(invoice, "40.00")
    assert status() == "OVERDUE"
    rest = sandbox.pay(invoice)
    assert status() == "PAID"
    sandbox.delete_payment(rest)
    assert status() == "OVERDUE"
    sandbox.delete_payment(part)
    sandbox.pay(invoice, "97.00", mark_as_paid=True)
    row = get(billomat, f"/invoices/{invoice}").json()["invoice"]
    assert (row["status"], row["paid_amount"], row["open_amount"]) == ("PAID", "97", "0")


def test_a_correction_settles_with_an_open_invoice(billomat, three):
    """An open invoice and its correction are paid with each other; without it being open the correction stays."""
    sandbox = billomat.sandbox
    settled = sandbox.correct(three[0])
    sandbox.pay(three[1])
    waiting = sandbox.correct(three[1])
    rows = sandbox.books.invoices.rows
    assert [rows[int(key)]["status"] for key in (three[0], settled, three[1], waiting)] == [
        "PAID",
        "PAID",
        "PAID",
        "OPEN",
    ]


def test_levels_are_chosen_by_the_provider_and_end(billomat, three):
    """Each reminder takes the next level; the older one is marked as old; drafts use up the quota, deleting gives nothing back."""
    sandbox = billomat.sandbox
    sandbox.set_quota(3)
    for _ in range(2):
        sandbox.remind_by_hand(three[0])
    draft = sandbox.remind_by_hand(three[0], complete=False)
    assert [(row["reminder_level"], row["is_old"]) for row in sandbox.reminders(three[0])] == [
        (1, True),
        (2, True),
        (3, False),
    ]
    sandbox.delete_reminder(draft)
    with pytest.raises(Exception, match="Dokumenten"):
        sandbox.remind_by_hand(three[1])


def test_its_own_run_reminds_at_its_hour_once_a_day(billomat, three):
    """The automation completes and mails by itself, without a user, from its hour on, each level after its term."""
    sandbox = billomat.sandbox
    sandbox.automate(wait_days=3, hour=14)
    assert get(billomat, "/reminders").headers["X-Total-Count"] == "0"
    sandbox.clock.advance(timedelta(hours=3))
    assert get(billomat, "/reminders").headers["X-Total-Count"] == "3"
    assert get(billomat, "/reminders").headers["X-Total-Count"] == "3"
    assert {(sending.level, sending.user_id) for sending in sandbox.ledger.sendings()} == {(1, None)}
    sandbox.today = datetime(2026, 11, 26, 14, 0, tzinfo=UTC)
    assert [sending.level for sending in sandbox.ledger.sendings(three[0])] == [1, 2]
