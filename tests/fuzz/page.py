"""What strangers send to the debtor's page: addresses, headers, forms."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import date
from itertools import count
from random import Random
from typing import Any

from bridge.app.answering import Answering, Asked, Given, Kind
from bridge.config import Creditor
from bridge.config.page import DebtorPage
from bridge.page.limits import Limiter
from bridge.page.routes import routes
from bridge.policy.links import Links
from tests.fuzz.mutate import mutated
from tests.fuzz.target import Target

TODAY = date(2026, 11, 16)

_FORMS = [
    b"day=2026-11-20&reason=Ware+defekt&invoice=1&invoice=2&confirmed=yes",
    b"day=20.11.2026&reason=%C3%A4%3Cb%3Ex&invoice=1",
    b"reason=%3Cscript%3E&confirmed=yes&invoice=2",
]
_HEADERS = [
    (b"accept-language", b"de-DE,en;q=0.5"),
    (b"x-forwarded-for", b"203.0.113.7, 10.0.0.1"),
    (b"content-type", b"application/x-www-form-urlencoded"),
    (b"host", b"m.example"),
]


class _Desk(Answering):
    """What stands behind the page, without a store: one notice over two invoices."""

    def __init__(self) -> None:
        page = DebtorPage(public_url="https://m.example/p")
        self.config: Any = type(
            "Config", (), {"creditor": Creditor(name="A GmbH", email="a@b.example"), "debtor_page": page}
        )
        self.__dict__["links"] = Links("https://m.example/p", [b"k" * 32], days=60)

    def asked(self, token: str) -> Asked | None:
        """Return the notice where the link is genuine."""
        if self.links is None or self.links.read(token) is None:
            return None
        return Asked(
            notice_id=1,
            language="de",
            sent_on=TODAY,
            invoices=(("1", "RE-<1>"), ("2", "RE-2")),
            days=self._bounds(TODAY),
            given=(Kind.COPY,),
        )

    def answer(self, token: str, given: Given) -> bool:
        """Take an answer."""
        asked = self.asked(token)
        return asked is not None and self._checked(given, ("1", "2"), asked.days) is not None


class _Page:
    """The page on one desk, asked without a network."""

    def __init__(self) -> None:
        desk, ticks = _Desk(), count()
        self._app = routes(desk, Limiter(lambda: 100.0 * next(ticks)), prefix="/p")  # type: ignore[arg-type]
        assert desk.links is not None
        self._token = desk.links.of("main/1/1", TODAY).url.rpartition("/")[2].encode()
        self._loop = asyncio.new_event_loop()

    def close(self) -> None:
        """Stop what answers."""
        self._loop.run_until_complete(self._loop.shutdown_default_executor())
        self._loop.close()

    def __call__(self, random: Random) -> None:
        """Send one request; whatever it is, an answer of ours comes, with nothing of it as markup."""
        kind = random.choice(list(Kind)).value.encode()
        path = random.choice((b"/", b"/p/")) + self._token + random.choice((b"", b"/" + kind, b"/" + kind, b"/" + kind))
        query, body, headers = b"lang=en", random.choice(_FORMS), list(_HEADERS)
        for what in random.sample(range(4), random.choice((1, 1, 2))):
            if what == 0:
                path = mutated(random, [path])
            elif what == 1:
                query = mutated(random, [query])
            elif what == 2:
                body = mutated(random, _FORMS)
            else:
                at = random.randrange(len(headers))
                headers[at] = (headers[at][0], mutated(random, [headers[at][1]]))
        method = random.choice(("GET", "POST", "POST", "POST", "HEAD", "PUT"))
        status, answered = self._loop.run_until_complete(self._asked(method, path, query, headers, body))
        assert status in (200, 400, 404, 405, 414, 422, 429), f"answered {status}"
        text = answered.decode()
        assert not any(sign in text for sign in ("<b>", "<script", "RE-<1>")), "markup of a stranger"

    async def _asked(
        self, method: str, path: bytes, query: bytes, headers: list[tuple[bytes, bytes]], body: bytes
    ) -> tuple[int, bytes]:
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http", "path": path.decode("utf-8", "replace"),
            "raw_path": path, "query_string": query, "root_path": "", "headers": headers, "client": ("203.0.113.9", 1), "server": ("m.example", 80),
        }  # fmt: skip
        said: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            said.append(message)

        await self._app(scope, receive, send)
        return said[0]["status"], b"".join(one.get("body", b"") for one in said)


def targets(stack: ExitStack) -> Iterator[Target]:
    """Yield the page, which answers until `stack` is left."""
    yield Target("page", 30, stack.enter_context(closing(_Page())))
