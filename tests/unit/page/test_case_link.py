"""Where a link to a case leads: a page for staff that names the command and knows no case."""

import asyncio
from types import SimpleNamespace

import pytest

from bridge.config import Creditor
from bridge.page.limits import MISSES, Limiter
from bridge.page.routes import routes
from bridge.page.view import HEADERS

DESK = SimpleNamespace(  # what stands behind the pages here: a configuration, and no store that could be asked
    config=SimpleNamespace(
        creditor=Creditor(name="Muster Agentur GmbH", email="buch@muster.example"),
        debtor_page=SimpleNamespace(proxies=0),
    ),
    asked=lambda _token: None,
)


class Answer:
    def __init__(self, messages):
        self.status = messages[0]["status"]
        self.headers = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
        self.text = b"".join(one.get("body", b"") for one in messages).decode()


def staff(cases="/staff"):
    """Return what asks a page of its own: `ask(path, language)`."""
    app = routes(DESK, Limiter(lambda: 0.0), prefix="/antwort", cases=cases)

    def ask(path, language="de", method="GET"):
        said = []
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http", "path": path,
            "raw_path": path.encode(), "query_string": b"", "root_path": "", "client": ("203.0.113.9", 1), "server": ("m.example", 80),
            "headers": [(b"accept-language", language.encode())],
        }  # fmt: skip

        async def receive():
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message):
            said.append(message)

        asyncio.run(app(scope, receive, send))
        return Answer(said)

    return ask


@pytest.mark.parametrize("path", ["/cases/MA-000123", "/staff/cases/MA-000123"])
@pytest.mark.parametrize(("language", "word"), [("fr,de", "Mitarbeitende"), ("en-GB,de;q=0.5", "members of staff")])
def test_the_link_to_a_case_names_the_command(path, language, word):
    """With and without the prefix, in German or in the English that a browser prefers, with the head that every page carries."""
    answer = staff()(path, language)
    assert answer.status == 200
    assert "<code>mahnbridge case show MA-000123</code>" in answer.text
    assert word in answer.text
    assert '<meta name="robots" content="noindex, nofollow">' in answer.text
    assert {name.lower(): value for name, value in HEADERS.items()}.items() <= answer.headers.items()


def test_every_number_looks_alike():
    """Nothing is looked up, so nothing can be learnt by guessing."""
    ask = staff()
    one, other = ask("/cases/MA-000001"), ask("/cases/MA-999999")
    assert one.text.replace("MA-000001", "MA-999999") == other.text


@pytest.mark.parametrize(
    "number",
    ["", "1", "MA-1", "ma-000001", "MA-0000000001", "MA-00000x", "MA-000001\n", "MA-٠٠٠٠٠١", "<b>", "MA-000001/paid"],
)
def test_what_is_no_number_of_a_case_is_no_page(number):
    """The same answer as to any other unknown address."""
    ask = staff()
    refused, unknown = ask(f"/cases/{number}"), ask("/nothing/here/at/all")
    assert (refused.status, refused.text, refused.headers) == (404, unknown.text, unknown.headers)


def test_no_link_no_page():
    """Where no address for staff is set nothing leads there, and nothing answers."""
    assert staff(cases=None)("/cases/MA-000001").status == 404


def test_the_page_takes_no_forms():
    """It shows and does nothing; what is sent to it is refused like any address of ours that does not exist."""
    assert staff()("/cases/MA-000001", method="POST").status == 404


def test_who_asks_too_often_waits():
    """The limits are those of the other pages: for misses, and for requests."""
    ask = staff()
    for _ in range(MISSES):
        assert ask("/cases/nothing").status == 404
    assert ask("/cases/MA-000001").status == 429
