"""The pages as HTML: templates, words and the head that every answer carries."""

import base64
import hashlib
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from bridge.app.answering import LONGEST_REASON, Asked, BadAnswerGiven, Given, Kind
from bridge.config import Creditor
from bridge.page.words import say
from bridge.policy import texts

_FOLDER = Path(__file__).parent / "templates"
STYLE = (_FOLDER / "style.css").read_text("utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()

HEADERS = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}
"""No script, no picture, no frame, nothing from elsewhere; the link is in no referrer, no cache and no search engine."""

CHANGE = "change"
"""Name of the button that leads back from the confirmation to the form, with all that was entered."""

_REASONS = {Kind.DISPUTE: "dispute.reason", Kind.CONTACT: "contact.reason"}


class View:
    """Renders pages for one creditor."""

    def __init__(self, creditor: Creditor) -> None:
        self._creditor = creditor.name
        self._contact = ", ".join(filter(None, (creditor.contact, creditor.phone, creditor.email)))
        self._templates = Environment(
            loader=FileSystemLoader(_FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=False
        )

    def choose(self, asked: Asked, token: str, language: str) -> HTMLResponse:
        """Return the first page: what it is about, and the answers."""
        given = ", ".join(say(one.value, language) for one in dict.fromkeys(asked.given))
        kinds = [(kind.value, say(kind.value, language)) for kind in Kind]
        title = say("title", language, creditor=self._creditor)
        return self._page(
            "choose.html", language, 200, title=title, about=_about(asked, language), given=given, kinds=kinds, token=token,
            query=_query(asked, language), other=token + _query(asked, _other(language)),
        )  # fmt: skip

    def ask(  # noqa: PLR0917  one call site
        self, asked: Asked, token: str, kind: Kind, language: str, given: Given, error: BadAnswerGiven | None = None
    ) -> HTMLResponse:
        """Return the form of one answer, with what was entered and what is wrong with it."""
        earliest, latest = asked.days.get(kind, (None, None))
        hint = ""
        if earliest is not None and latest is not None:
            example = min(max(asked.sent_on + timedelta(days=7), earliest), latest)
            hint = say("day.hint", language, **_days(language, earliest=earliest, latest=latest, example=example))
        return self._page(
            "ask.html",
            language,
            200 if error is None else 422,
            title=say(kind.value, language),
            about=_about(asked, language),
            error=_error(error, language) if error else "",
            kind=kind.value,
            token=token,
            query=_query(asked, language),
            other=kind.value + _query(asked, _other(language)),
            day=say(f"{kind.value}.day", language) if hint else "",
            hint=hint,
            earliest=earliest,
            latest=latest,
            invoices=() if kind is Kind.CONTACT else asked.invoices,
            reason=say(_REASONS[kind], language) if kind in _REASONS else "",
            most=LONGEST_REASON,
            values=_values(given),
        )

    def confirm(self, asked: Asked, kind: Kind, language: str, given: Given) -> HTMLResponse:
        """Return the page that shows an answer before it is sent; nothing has happened yet."""
        numbers = [number for id_, number in asked.invoices if not given.invoices or id_ in given.invoices]
        return self._page(
            "confirm.html",
            language,
            200,
            title=say("check", language),
            kind=kind.value,
            query=_query(asked, language),
            words=say(kind.value, language),
            day=texts.day(given.day, language),
            numbers=_invoices(numbers, language, "check.invoice"),
            change=CHANGE,
            values=_values(given),
        )

    def thanks(self, kind: Kind, language: str) -> HTMLResponse:
        """Return the page after an answer."""
        title, text = say("thanks", language), say(f"thanks.{kind.value}", language)
        return self._page("said.html", language, 200, title=title, text=text)

    def case(self, number: str, language: str) -> HTMLResponse:
        """Return the page for staff behind the link to a case: which command shows it, and nothing of the case."""
        return self._page("case.html", language, 200, title=say("case.title", language, number=number), number=number)

    def said(self, key: str, language: str, status: int) -> HTMLResponse:
        """Return a page with one message: `gone`, `busy` or `broken`."""
        title, text = say(f"{key}.title", language), say(f"{key}.text", language)
        return self._page("said.html", language, status, title=title, text=text)

    def _page(self, template: str, language: str, status: int, **values: Any) -> HTMLResponse:
        def words(key: str, **facts: object) -> str:
            return say(key, language, **facts)

        common = {
            "language": language,
            "creditor": self._creditor,
            "contact": self._contact,
            "style": STYLE,
            "other": "",
        }
        page = self._templates.get_template(template).render(**common | values, say=words)
        return HTMLResponse(page, status, headers=HEADERS)


def _about(asked: Asked, language: str) -> str:
    numbers = [number for _, number in asked.invoices]
    facts = _days(language, sent_on=asked.sent_on)
    return say("about", language, invoices=_invoices(numbers, language), **facts)


def _invoices(numbers: list[str], language: str, key: str = "invoice") -> str:
    return say(key if len(numbers) == 1 else f"{key}.several", language, numbers=", ".join(numbers))


def _error(error: BadAnswerGiven, language: str) -> str:
    days = {name: day for name, day in (("earliest", error.earliest), ("latest", error.latest)) if day is not None}
    return say(f"error.{error.field}.{error.problem}", language, **_days(language, **days))


def _days(language: str, **days: date) -> dict[str, str]:
    return {name: texts.day(day, language) for name, day in days.items()}


def _values(given: Given) -> dict[str, Any]:
    return {"day": given.day.isoformat() if given.day else "", "reason": given.reason, "invoices": given.invoices}


def _query(asked: Asked, language: str) -> str:
    """Return the part of an address that keeps another language than the notice's."""
    return "" if language == asked.language else f"?lang={language}"


def _other(language: str) -> str:
    return "en" if language == "de" else "de"
