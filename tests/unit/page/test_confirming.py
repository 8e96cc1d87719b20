"""The page that asks whether an answer is right: what it says, and the way back to the form with nothing lost."""

import asyncio
import html
import re
from datetime import date
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest

from bridge.app.answering import Asked, Kind
from bridge.config import Creditor
from bridge.page.limits import Limiter
from bridge.page.routes import routes

DAYS = {Kind.PAID: (date(2025, 9, 3), date(2026, 9, 3)), Kind.PROMISE: (date(2026, 9, 3), date(2026, 9, 17))}


class Desk:
    """What stands behind the page here: one notice over three invoices, and what was answered to it."""

    config = SimpleNamespace(creditor=Creditor(name="Muster GmbH"), debtor_page=SimpleNamespace(proxies=0))

    def __init__(self, language):
        invoices = (("1", "RE-1"), ("2", "RE-2"), ("3", "RE-3"))
        self.one, self.taken = Asked(7, language, date(2026, 9, 2), invoices, DAYS), []

    def asked(self, token):
        return self.one

    def checked_answer(self, asked, given):
        pass

    def answer(self, token, given):
        self.taken.append(given)
        return True


def post(desk, kind, fields):
    """Send a form as a browser does; return what is on the page that comes."""
    said, body = [], urlencode(fields, doseq=True).encode()
    path = f"/token/{kind}"
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http", "path": path,
        "raw_path": path.encode(), "query_string": b"", "root_path": "", "client": ("203.0.113.9", 1), "server": ("m.example", 80),
        "headers": [],
    }  # fmt: skip

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message):
        said.append(message)

    asyncio.run(routes(desk, Limiter(lambda: 0.0))(scope, receive, send))
    return b"".join(one.get("body", b"") for one in said).decode()


@pytest.mark.parametrize(
    ("language", "chosen", "line"),
    [
        ("de", ["1", "3"], "<p>Rechnungen RE-1, RE-3</p>"),
        ("de", ["2"], "<p>Rechnung RE-2</p>"),
        ("en", ["1", "3"], "<p>Invoices RE-1, RE-3</p>"),
        ("en", ["2"], "<p>Invoice RE-2</p>"),
    ],
)
def test_which_invoices_stands_on_a_line_of_its_own(language, chosen, line):
    """The invoices that an answer is about are named as a line of their own, in the case that such a line has in German."""
    assert line in post(Desk(language), "copy", {"invoice": chosen})


@pytest.mark.parametrize(
    ("kind", "more"),
    [("dispute", {"reason": 'Die <b>Lieferung</b>\r\nkam "nie" an'}), ("promise", {"day": "2026-09-10"})],
)
def test_the_way_back_loses_nothing(kind, more):
    """Back from the confirmation the form shows what was entered, and nothing was answered; sent from there it is confirmed anew."""
    desk, fields = Desk("de"), {"invoice": ["1", "3"], **more}
    confirm = post(desk, kind, fields)
    hidden = [
        (name, html.unescape(value)) for name, value in re.findall(r'hidden" name="(\w+)" value="([^"]*)"', confirm)
    ]
    [button] = re.findall(r'<button [^>]*name="(\w+)" value="(\w+)">Zurück', confirm)
    form = html.unescape(post(desk, kind, [*hidden, button]))
    assert re.findall(r'name="invoice" value="(\d)" checked', form) == ["1", "3"]
    for value in more.values():
        assert value.replace("\r\n", "\n") in form
    assert 'name="confirmed"' not in form
    assert desk.taken == []
    post(desk, kind, hidden)
    assert [one.invoices for one in desk.taken] == [("1", "3")]
