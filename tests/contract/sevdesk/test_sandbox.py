"""The sandbox is as awkward as sevDesk: its quirks on the wire, one by one."""

from datetime import date

import pytest
import requests

from connectors.sevdesk.sandbox import Sandbox


@pytest.fixture
def sandbox(witness):
    with Sandbox(today=date(2026, 9, 1)) as sandbox:
        yield sandbox


@pytest.fixture
def customer(sandbox):
    return sandbox.add_contact("Muster GmbH", email="a@muster.example")


@pytest.fixture
def invoice(sandbox, customer):
    return sandbox.add_invoice(customer, gross="238.00", issued_on=date(2026, 8, 3))


def call(sandbox, method, path, body=None, *, token=None, **params):
    headers = {"Authorization": token or sandbox.token}
    return requests.request(method, sandbox.base_url + path, params=params, json=body, headers=headers, timeout=10)


def get(sandbox, path, **params):
    return call(sandbox, "GET", path, **params).json()


def test_types_on_the_wire(sandbox, invoice):
    """Ids, amounts, levels and states are text, `paidAmount` is a number, null references are missing, dates are midnight in Berlin."""
    (row,) = get(sandbox, f"/Invoice/{invoice}")["objects"]
    assert (row["id"], row["status"], row["sumGross"], row["paidAmount"]) == (invoice, "200", "238", 0)
    assert row["invoiceDate"] == "2026-08-03T00:00:00+02:00"
    assert row["payDate"] is None
    assert "origin" not in row
    assert "paymentMethod" not in row
    assert row["showNet"] == "1"


def test_lists(sandbox, customer, invoice, witness):
    """A total is text and only on demand; unknown filters are ignored; persons need `depth`; open lists hold reminders too."""
    sandbox.remind_by_hand(invoice)
    assert "total" not in get(sandbox, "/Invoice")
    assert get(sandbox, "/Invoice", countAll="true", limit=1)["total"] == "2"
    assert len(get(sandbox, "/Invoice", stauts="1000")["objects"]) == 2
    assert set(witness.wrong) <= {"GET /Invoice: the parameter stauts is not known"}
    witness.wrong.clear()
    assert {row["invoiceType"] for row in get(sandbox, "/Invoice", status="200")["objects"]} == {"RE", "MA"}
    sandbox.add_contact(first="Erika", last="Beispiel")
    assert [len(get(sandbox, "/Contact", depth=depth)["objects"]) for depth in ("0", "1")] == [1, 2]


def test_errors(sandbox, customer, invoice):
    """A refused token is plain text, an unknown record 404 with code 151, a partly paid cancellation 200 with code 390."""
    refused = call(sandbox, "GET", "/Invoice", token=f"Bearer {sandbox.token}")
    assert (refused.status_code, refused.headers["Content-Type"][:10]) == (401, "text/plain")
    unknown = call(sandbox, "GET", "/Invoice/1")
    assert (unknown.status_code, unknown.json()["objects"], unknown.json()["error"]["code"]) == (404, None, 151)
    sandbox.pay(invoice, "100")
    partly = call(sandbox, "POST", f"/Invoice/{invoice}/cancelInvoice")
    assert (partly.status_code, partly.json()["error"]["code"]) == (200, 390)
    other = sandbox.add_invoice(customer)
    assert call(sandbox, "POST", f"/Invoice/{other}/cancelInvoice").status_code == 201
    (original,) = get(sandbox, f"/Invoice/{other}")["objects"]
    assert (original["status"], original["payDate"], original["paidAmount"]) == ("1000", None, 0)
    assert call(sandbox, "DELETE", f"/Invoice/{invoice}").json()["error"]["code"] == 159


def test_every_call_creates(sandbox, invoice):
    """There is no key of ours and no memory of a call: each one makes a reminder, unsent, of the next level."""
    body = {"invoice": {"id": int(invoice), "objectName": "Invoice"}}
    query = {"invoice[id]": invoice, "invoice[objectName]": "Invoice"}
    made = [
        call(sandbox, "POST", "/Invoice/Factory/createInvoiceReminder", body, **query).json()["objects"]
        for _ in range(2)
    ]
    assert [row["dunningLevel"] for row in made] == ["1", "2"]
    assert {(row["status"], row["sendType"], row["sumGross"], row["invoiceNumber"]) for row in made} == {
        ("100", "0", "0", None)
    }
    assert sandbox.ledger.count("reminder", invoice) == 2


def test_pdf_sends_a_draft(sandbox, invoice):
    """Fetching the PDF of a draft marks it as sent, unless that is prevented."""
    reminder = sandbox.remind_by_hand(invoice, send=False)
    get(sandbox, f"/Invoice/{reminder}/getPdf", preventSendBy="true")
    assert sandbox.document(reminder).status == 100
    get(sandbox, f"/Invoice/{reminder}/getPdf")
    assert sandbox.document(reminder).status == 200
    assert sandbox.ledger.count("pdf_sent", invoice) == 1


def test_booking_twice(sandbox, invoice):
    """A payment is booked once; the second attempt is refused with code 750."""
    body = {
        "amount": "238.00", "date": 1788300000, "type": "FULL_PAYMENT", "createFeed": True,
        "checkAccount": {"id": int(sandbox.bank_account), "objectName": "CheckAccount"},
    }  # fmt: skip
    first, second = (call(sandbox, "PUT", f"/Invoice/{invoice}/bookAmount", body) for _ in range(2))
    assert first.json()["objects"]["toStatus"] == "1000"
    assert second.json()["error"]["code"] == 750


def test_rate_limit(sandbox, invoice):
    """After so many requests 429 comes, with or without a wait, until the limit is lifted."""
    sandbox.limit_rate(1, retry_after=None)
    assert [call(sandbox, "GET", "/Tag").status_code for _ in range(3)] == [200, 429, 429]
    assert "Retry-After" not in call(sandbox, "GET", "/Tag").headers
    sandbox.limit_rate(None)
    assert call(sandbox, "GET", "/Tag").status_code == 200


def test_people_are_told_from_programs(sandbox, invoice):
    """The ledger tells what came over the API from what people did at sevDesk, with the number of the request."""
    sandbox.tag(invoice, "von Hand")
    call(
        sandbox,
        "POST",
        "/Tag/Factory/create",
        {"name": "über die API", "object": {"id": int(invoice), "objectName": "Invoice"}},
    )
    assert [entry.detail["tag"] for entry in sandbox.ledger.of("tag", invoice)] == ["über die API"]
    assert [entry.request for entry in sandbox.ledger.of("tag", invoice, by_api=False)] == [None, 1]
