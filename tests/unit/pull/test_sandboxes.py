"""The connectors' own answers, over HTTP from the sandboxes, into the store."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import event

from bridge.contract import Mapping
from bridge.http import Http, HttpSettings, TokenAuth
from bridge.pull import Outcome, pull
from connectors.billomat.connector import Billomat
from connectors.billomat.sandbox import Sandbox as BillomatSandbox
from connectors.sevdesk.connector import SevDesk
from connectors.sevdesk.sandbox import Sandbox as SevDeskSandbox
from tests.unit.pull.fake import Port

TODAY = date(2026, 11, 16)
BERLIN = ZoneInfo("Europe/Berlin")
MIRROR = ("debtor", "invoice", "payment", "provider_notice", "reject")


class SevDeskSide:
    """A sevDesk sandbox with hands."""

    connector = SevDesk

    def __init__(self):
        self.sandbox = SevDeskSandbox(today=TODAY)
        self.auth = TokenAuth(token=self.sandbox.token)

    def add(self, number, gross):
        contact = self.sandbox.add_contact(f"Schuldner {number} GmbH", email=f"r{number}@schuldner.example")
        return self.sandbox.add_invoice(contact, gross=gross)

    def spoil(self, invoice):
        self.sandbox.spoil(invoice, invoiceDate="übermorgen")


class BillomatSide:
    """A Billomat sandbox with hands."""

    connector = Billomat

    def __init__(self):
        self.sandbox = BillomatSandbox(today=TODAY)
        self.auth = TokenAuth(token=self.sandbox.key, header="X-BillomatApiKey")

    def add(self, number, gross):
        client = self.sandbox.add_client(f"Schuldner {number} GmbH", email=f"r{number}@schuldner.example")
        return self.sandbox.add_invoice(client, gross, due_on=TODAY - timedelta(days=10))

    def spoil(self, invoice):
        self.sandbox.books.invoices.rows[int(invoice)]["open_amount"] = "viel"


@pytest.fixture(params=[SevDeskSide, BillomatSide], ids=["sevdesk", "billomat"])
def side(request):
    side = request.param()
    with side.sandbox:
        yield side


def read(store, side, *, hours=0):
    """Pull with a fresh connector, as every run of the program does, `hours` after eight o'clock."""
    now = datetime(TODAY.year, TODAY.month, TODAY.day, 8, tzinfo=BERLIN) + timedelta(hours=hours)
    side.sandbox.today = now.date()
    settings = HttpSettings(base_url=side.sandbox.base_url, auth=side.auth, pace=1000)
    made = side.connector
    http = Http(settings, account="a", rates=store.rates, clock=lambda: now, technical=store.now)
    return pull(store, Port(made("a", made.Settings(), Mapping.load(made.name), http)), business_date=now.date())


@pytest.mark.feature("S-SEV-7")
def test_open_invoices_appear_with_equal_count_and_sum(sqlite_store, side):
    """After the first pull the store has exactly the provider's open invoices, to the cent; each is due for a decision today."""
    sums = [Decimal(f"{100 + n}.{n:02}") for n in range(25)]
    invoices = [side.add(n, gross) for n, gross in enumerate(sums)]
    side.sandbox.pay(invoices[0])
    result = read(sqlite_store, side)
    assert result.outcome is Outcome.DONE
    assert result.open == {"EUR": (24, sum(sums[1:]))}
    with sqlite_store.reading() as conn:
        due = [one for some in sqlite_store.mirror.due(conn, "a", TODAY) for one in some]
    assert {known.invoice.id for one in due for known in one.invoices} == set(invoices[1:])
    assert all(one.debtor.email.endswith("@schuldner.example") for one in due)


@pytest.mark.feature("P-32")
def test_a_second_pull_writes_no_record(sqlite_store, side):
    """Nothing changed at the provider: later pulls, full ones too, write no debtor, invoice, payment, reminder or reject."""
    invoices = [side.add(n, "119.00") for n in range(5)]
    side.sandbox.pay(invoices[0], "19.00")
    side.sandbox.remind_by_hand(invoices[1])
    read(sqlite_store, side)
    written = []

    def remember(conn, cursor, statement, *rest):
        words = statement.lower().split()
        if words[0] in ("insert", "update", "delete"):
            written.append(words[1] if words[0] == "update" else words[2])

    event.listen(sqlite_store.engine, "before_cursor_execute", remember)
    for hours in (1, 25):
        assert read(sqlite_store, side, hours=hours).outcome is Outcome.DONE
    assert not set(written) & set(MIRROR)


@pytest.mark.feature("S-AMX-49")
def test_a_paid_invoice_is_found_out(sqlite_store, side):
    """An invoice that is paid at the provider is paid in the store after the next pull, and due, so that its case is closed."""
    first, second = side.add(1, "119.00"), side.add(2, "238.00")
    read(sqlite_store, side)
    with sqlite_store.begin() as conn:
        sqlite_store.mirror.set_next(conn, "a", {first: None, second: None})
    side.sandbox.pay(first)
    result = read(sqlite_store, side, hours=1)
    assert result.open == {"EUR": (1, Decimal("238.00"))}
    with sqlite_store.reading() as conn:
        assert sqlite_store.mirror.invoice(conn, "a", first).invoice.status == "paid"
        assert sqlite_store.mirror.invoice(conn, "a", first).next_on == TODAY
        assert sqlite_store.mirror.invoice(conn, "a", second).next_on is None


@pytest.mark.feature("P-31")
def test_one_broken_record_is_set_aside(sqlite_store, side):
    """One invoice with a broken field is set aside with its raw form, field and value; all others are there."""
    broken = side.add(0, "119.00")
    for n in range(1, 6):
        side.add(n, "100.00")
    side.spoil(broken)
    result = read(sqlite_store, side)
    assert (result.outcome, result.open) == (Outcome.DONE, {"EUR": (5, Decimal("500.00"))})
    with sqlite_store.reading() as conn:
        (kept,) = sqlite_store.mirror.rejects.list(conn)
    assert kept.reject.provider_id == broken
    assert kept.reject.value in ("'übermorgen'", "'viel'")
    assert kept.reject.raw.startswith("{")


@pytest.mark.feature("P-26")
def test_a_reminder_made_by_hand_is_seen(sqlite_store, side):
    """A reminder that somebody made in the provider's own screens is in the store, as not ours, and makes its invoice due."""
    invoice = side.add(1, "119.00")
    read(sqlite_store, side)
    with sqlite_store.begin() as conn:
        sqlite_store.mirror.set_next(conn, "a", {invoice: None})
    reminder = side.sandbox.remind_by_hand(invoice)
    read(sqlite_store, side, hours=1)
    with sqlite_store.reading() as conn:
        (known,) = sqlite_store.mirror.notices(conn, "a", [invoice])[invoice]
        assert (known.notice.id, known.notice.level, known.ours) == (str(reminder), 1, False)
        assert sqlite_store.mirror.invoice(conn, "a", invoice).next_on == TODAY
