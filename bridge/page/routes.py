"""The routes of the debtor's page, and of the one for staff beside it. GET only shows; only a POST that was confirmed acts, for mail scanners open links."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from bridge import log
from bridge.app import Bridge
from bridge.app.answering import Asked, BadAnswerGiven, Given, Kind
from bridge.page.limits import Limiter
from bridge.page.staff import is_case_number
from bridge.page.view import CHANGE, View

LARGEST_BODY = 16_384
BODY_SECONDS = 10.0
MOST_FIELDS = 200

Handler = Callable[[Request], Awaitable[Response]]


def routes(bridge: Bridge, limiter: Limiter, *, prefix: str = "", cases: str | None = None) -> Starlette:
    """Return the pages as an application, under `/` and under `prefix`, for proxies that take it off and for those that do not.

    `cases`: the path under which links to cases lead to the page for staff; None where nothing leads there.
    """
    page = _Page(bridge, limiter)
    staff = () if cases is None else dict.fromkeys(("", cases.rstrip("/")))
    found = [Route(f"{base}/cases/{{number}}", page.handled(page.case), methods=["GET"]) for base in staff]
    for base in dict.fromkeys((prefix.rstrip("/"), "")):  # its own path first, or it would be taken for a link
        found += [
            Route(f"{base}/{{token}}", page.handled(page.choose), methods=["GET"]),
            Route(f"{base}/{{token}}/{{kind}}", page.handled(page.ask), methods=["GET"]),
            Route(f"{base}/{{token}}/{{kind}}", page.handled(page.take), methods=["POST"]),
        ]
    app = Starlette(
        routes=found,
        middleware=[Middleware(_Guarded)],
        exception_handlers={404: page.nothing, 405: page.nothing},
    )
    app.router.redirect_slashes = False  # it would lead to whatever host the request names
    return app


class _Page:
    def __init__(self, bridge: Bridge, limiter: Limiter) -> None:
        self._bridge = bridge
        self._view = View(bridge.config.creditor)
        self._limiter = limiter
        self._proxies = bridge.config.debtor_page.proxies
        self._log = log.get("page")

    def handled(self, work: Handler) -> Handler:
        """Return `work` with its limits, and with a plain page for what goes wrong inside."""

        async def handle(request: Request) -> Response:
            if not self._limiter.admits(self.address(request)):
                busy = self._view.said("busy", _accepted(request), 429)
                busy.headers["Retry-After"] = "60"
                return busy
            try:
                return await work(request)
            except ClientDisconnect:
                return Response(status_code=400)
            except Exception as error:  # noqa: BLE001  a stranger sees a plain page, the operator the kind of error
                self._log.error("page_failed", error=type(error).__name__)
                return self._view.said("broken", _accepted(request), 500)

        return handle

    async def nothing(self, request: Request, _error: Exception) -> Response:
        """Answer everything that is no page of ours as a link that does not exist."""
        return self._gone(request)

    async def choose(self, request: Request) -> Response:
        """Show what a link is about, and the answers."""
        asked = await self._asked(request)
        if asked is None:
            return self._gone(request)
        return self._view.choose(asked, request.path_params["token"], _language(request, asked))

    async def ask(self, request: Request) -> Response:
        """Show the form of one answer."""
        asked, kind = await self._asked(request), _kind(request)
        if asked is None or kind is None:
            return self._gone(request)
        return self._view.ask(asked, request.path_params["token"], kind, _language(request, asked), Given(kind=kind))

    async def take(self, request: Request) -> Response:
        """Show an answer for confirmation; take it once it was confirmed."""
        asked, kind = await self._asked(request), _kind(request)
        if asked is None or kind is None:
            return self._gone(request)
        language, token = _language(request, asked), request.path_params["token"]
        given = Given(kind=kind)
        try:
            form = await _form(request)
            given = _given(kind, form)
            if CHANGE in form:
                return self._view.ask(asked, token, kind, language, given)
            await run_in_threadpool(self._bridge.checked_answer, asked, given)
            if form.get("confirmed") != ["yes"]:
                return self._view.confirm(asked, kind, language, given)
            taken = await run_in_threadpool(self._bridge.answer, token, given)
        except BadAnswerGiven as error:
            return self._view.ask(asked, token, kind, language, given, error)
        self._log.info("debtor_answered", answer=kind.value, notice=asked.notice_id)
        return self._view.thanks(kind, language) if taken else self._gone(request)

    async def case(self, request: Request) -> Response:
        """Show staff which command shows a case, whether there is such a case or not."""
        number = request.path_params["number"]
        if not is_case_number(number):
            self._limiter.missed(self.address(request))
            return self._gone(request)
        return self._view.case(number, _accepted(request))

    async def _asked(self, request: Request) -> Asked | None:
        asked = await run_in_threadpool(self._bridge.asked, request.path_params["token"])
        if asked is None:
            self._limiter.missed(self.address(request))
        return asked

    def _gone(self, request: Request) -> Response:
        return self._view.said("gone", _accepted(request), 404)

    def address(self, request: Request) -> str:
        """Return who asks: what the outermost of our own proxies saw, or the other end of the connection."""
        seen = [part.strip() for part in request.headers.get("x-forwarded-for", "").split(",") if part.strip()]
        if self._proxies and len(seen) >= self._proxies:
            return seen[-self._proxies][:64]
        return request.client.host if request.client else ""


class _Guarded:
    """Refuses addresses that are longer than any of ours before anything is done for them."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (len(scope["raw_path"]) > 400 or len(scope["query_string"]) > 100):
            await Response(status_code=414)(scope, receive, send)
            return
        await self._app(scope, receive, send)


async def _form(request: Request) -> dict[str, list[str]]:
    """Return the fields of a form. Raises `BadAnswerGiven` where it is too large, too slow or no form."""

    async def read() -> bytes:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST_BODY:
                raise BadAnswerGiven("a form that is too large", field="reason", problem="long")
        return body

    body = await asyncio.wait_for(read(), BODY_SECONDS)
    try:
        return parse_qs(body.decode("utf-8"), max_num_fields=MOST_FIELDS, errors="strict", keep_blank_values=False)
    except ValueError as error:
        raise BadAnswerGiven("a form that cannot be read", field="reason", problem="long") from error


def _given(kind: Kind, form: Mapping[str, Sequence[str]]) -> Given:
    return Given(
        kind=kind,
        day=_day(form.get("day", [""])[0]),
        reason=form.get("reason", [""])[0].replace("\r\n", "\n"),
        invoices=tuple(form.get("invoice", ())),
    )


def _kind(request: Request) -> Kind | None:
    name = request.path_params["kind"]
    return Kind(name) if name in set(Kind) else None


def _day(text: str) -> date | None:
    """Return a date as browsers send it (2026-11-20) or as people type it (20.11.2026); None where it is neither."""
    for pattern in ("%Y-%m-%d", "%d.%m.%Y"):
        try:
            return datetime.strptime(text.strip(), pattern).date()  # noqa: DTZ007  a date, not an instant
        except ValueError:
            continue
    return None


def _language(request: Request, asked: Asked) -> str:
    wanted = request.query_params.get("lang", asked.language)
    return wanted if wanted in ("de", "en") else "de"


def _accepted(request: Request) -> str:
    """Return the language of a page that belongs to no notice: German unless the browser prefers English."""
    wanted = re.split(r"[,;-]", request.headers.get("accept-language", "de"), maxsplit=1)[0].strip().lower()
    return "en" if wanted == "en" else "de"
