"""A Billomat sandbox on a fixed day, the connector on it, and write-backs as delivery makes them."""

from datetime import date

import pytest

from bridge.contract import Act, Content, Http, Mapping, Recipients, Ref, WriteBack
from bridge.http import HttpSettings, TokenAuth
from connectors.billomat.connector import Billomat
from connectors.billomat.sandbox import Sandbox

TODAY = date(2026, 11, 16)


class World:
    """The sandbox, and whoever speaks to it."""

    def __init__(self, sandbox):
        self.sandbox = sandbox

    def connector(self, *, key=None, headers=None, **settings):
        sandbox = self.sandbox
        auth = TokenAuth(token=key or sandbox.key, header="X-BillomatApiKey", headers=headers or {})
        http = Http(HttpSettings(base_url=sandbox.base_url, auth=auth, pace=1000, attempts=1), clock=sandbox.clock.now)
        return Billomat("main", Billomat.Settings(**settings), Mapping.load("billomat"), http)

    def invoice(self, gross="119.00", *, due_on=date(2026, 11, 1), email="rechnung@ahorn.example", **fields):
        """Add a client with one invoice; return the invoice's id."""
        return self.sandbox.add_invoice(
            self.sandbox.add_client("Ahorn Bau GmbH", email=email), gross, due_on=due_on, **fields
        )

    def look(self, connector, *invoice_ids):
        return list(connector.look([self.ref(key) for key in invoice_ids]))

    def ref(self, invoice_id):
        row = self.sandbox.books.invoices.rows.get(int(invoice_id))
        return Ref.invoice(invoice_id, row["invoice_number"] if row else None)

    def write(self, connector, act, invoice_id, reminder_id=None, *, key="n1", fee="0.00", snapshot=None, **content):
        """Return a write-back with its baseline taken now, unless one is given."""
        snapshot = snapshot or self.look(connector, invoice_id)[0]
        invoice = snapshot.invoice
        said = {
            "level_name": "1. Mahnung",
            "principal": invoice.open,
            "fee": fee,
            "total": invoice.open,
            "deadline": date(2026, 11, 30),
            "subject": f"Zahlungserinnerung {invoice.number}",
            "text": "Bitte zahlen Sie.",
            "line": "16.11.2026 1. Mahnung per E-Mail",
            "recipients": Recipients(to=("rechnung@ahorn.example",)),
            "tag": "gemahnt-1" if act is Act.TAG else None,
            **content,
        }
        counting = [
            notice.level for notice in snapshot.notices if notice.status != "cancelled" and notice.id != reminder_id
        ]
        return WriteBack(
            key=f"{key}/{invoice_id}/{act}",
            account="main",
            act=act,
            invoice=self.ref(invoice_id),
            debtor_id=invoice.debtor_id,
            reminder_id=reminder_id,
            expected_provider_level=max(counting, default=0) + 1,
            content=Content(**said),
            baseline=snapshot,
            started_at=self.sandbox.clock.now(),
        )

    def created(self, connector, invoice_id, **content):
        """Create our draft; return its id."""
        return connector.push(self.write(connector, Act.CREATE, invoice_id, **content)).provider_id

    def sendable(self, connector, invoice_id):
        """Create our draft and complete it; return its id."""
        reminder = self.created(connector, invoice_id)
        connector.push(self.write(connector, Act.COMPLETE, invoice_id, reminder))
        return reminder

    def calls(self, since=0):
        """Return method and path of the requests after the first `since`, in order."""
        return [
            (request.method, request.path.removeprefix("/api")) for request in list(self.sandbox.server.log)[since:]
        ]

    @property
    def seen(self):
        return len(self.sandbox.server.log)


@pytest.fixture
def billomat():
    """A running sandbox without any record, on 16 November 2026, without a rate limit."""
    with Sandbox(today=TODAY, limit=None) as sandbox:
        yield World(sandbox)
        assert not sandbox.server.errors
