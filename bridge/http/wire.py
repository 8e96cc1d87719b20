"""One call on the wire: sent once, read within its bounds, recorded without secrets, learned from. Nothing is repeated or judged here."""

import re
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import requests
import structlog
import urllib3
from requests.structures import CaseInsensitiveDict

from bridge.errors import Refused
from bridge.http.auth import HeaderAuth
from bridge.http.budget import Budget
from bridge.http.outcome import Fault, why
from bridge.http.recorder import Exchange, Recorder, body_text
from bridge.http.redact import KNOWN
from bridge.http.reply import Reply, parse_json
from bridge.http.settings import HttpSettings
from bridge.http.transport import Watch, configure, trusted

_PATH = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)+")
_log = structlog.get_logger("mahnbridge.http")


@dataclass(frozen=True, slots=True)
class Call:
    """One request: what is asked, in how many seconds, and how many bytes the answer may have."""

    method: str
    path: str
    params: Mapping[str, Any] | None
    headers: Mapping[str, str]
    deadline: float
    largest: int
    writing: bool = False
    body: bytes | None = None


class Sends(Protocol):
    """What takes a request and brings its answer."""

    clock_skew: timedelta | None

    def send(self, call: Call, proof: Mapping[str, str], *, delivery: bool) -> tuple[Reply | None, Fault]:
        """Make one request. Returns the answer, if there was any, and what went wrong."""

    def close(self) -> None:
        """Let go of connections."""


class Wire:
    """The connections of an account."""

    def __init__(
        self,
        account: str,
        settings: HttpSettings,
        headers: Mapping[str, str],
        budget: Budget,
        *,
        now: Callable[[], datetime],
        recorder: Recorder | None,
        observe: Callable[[str, int | None, float], None] | None,
    ) -> None:
        self.clock_skew: timedelta | None = None
        self._account = account
        self._settings = settings
        self._headers = {"Accept": "application/json", "User-Agent": settings.user_agent, **headers}
        self._budget = budget
        self._now = now
        self._recorder = recorder
        self._observe = observe
        self._deprecated: set[str] = set()
        self._trusted: str | bool | None = None
        self._reader, self._writer = requests.Session(), requests.Session()
        for session in (self._reader, self._writer):
            configure(session, settings, host=urlsplit(settings.base_url).hostname)

    def close(self) -> None:
        self._reader.close()
        self._writer.close()

    def send(self, call: Call, proof: Mapping[str, str], *, delivery: bool) -> tuple[Reply | None, Fault]:
        """Make one request. Returns the answer, if there was any, and what went wrong.

        Raises what the budget raises, and `ConfigError` where the account's certificates cannot be read.
        """
        session = self._writer if call.writing else self._reader
        if self._trusted is None:
            self._trusted = trusted(self._settings)
        prepared = self._prepared(session, call, proof)
        self._budget.take(delivery=delivery)
        started, began = self._now(), time.monotonic()
        reply: Reply | None = None
        fault = Fault("connection")
        try:
            with Watch(call.deadline) as watch:
                reply, fault = self._exchange(call, session, prepared, watch)
        finally:
            seconds = time.monotonic() - began
            status = reply.status if reply else None
            wait = self._budget.learn(status, reply.headers if reply else {})
            if self._observe is not None:
                self._observe(call.method, status, seconds)
            if self._recorder is not None:
                told = partial(self._told, call, prepared, (started, seconds), (reply, fault))
                self._recorder.record(len(call.body or b"") + len(reply.content if reply else b"") + 500, told)
        if reply is not None:
            self._notice(call, reply)
        return reply, replace(fault, wait=wait)

    def _prepared(self, session: requests.Session, call: Call, proof: Mapping[str, str]) -> requests.PreparedRequest:
        segments = unquote(call.path).split("/")
        if not _PATH.fullmatch(call.path) or ".." in segments or "." in segments:
            raise Refused(
                "{account}: {path!r} is no path of this provider",
                account=self._account,
                path=call.path[:100],
                cause="bad_path",
            )
        return session.prepare_request(
            requests.Request(
                call.method,
                self._settings.base_url + call.path,
                params=call.params,
                data=call.body,
                headers={**self._headers, **call.headers},
                auth=HeaderAuth(proof),
            )
        )

    def _exchange(
        self, call: Call, session: requests.Session, prepared: requests.PreparedRequest, watch: Watch
    ) -> tuple[Reply | None, Fault]:
        """Send and read. The adapter is used directly: a session would read a redirect's body and parse where it leads."""
        answer: requests.Response | None = None
        content, fault = b"", Fault()
        try:
            url = prepared.url or ""
            options: Any = session.merge_environment_settings(url, {}, True, self._trusted, None)
            timeout = (self._settings.connect_timeout, min(self._settings.read_timeout, call.deadline))
            answer = session.get_adapter(url).send(prepared, timeout=timeout, **options)
            parts, size = [], 0
            for part in answer.iter_content(65536):
                parts.append(part)
                size += len(part)
                if size > call.largest:
                    fault = Fault("too_large", sent=True)
                    break
            else:
                content = b"".join(parts)
            if watch.expired:  # a body without a length ends like any other when the deadline shuts the connection
                content, fault = b"", Fault("timeout", sent=True)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            fault = Fault(why(error, expired=watch.expired), sent=watch.sent)
        finally:
            if answer is not None:
                answer.close()
        if answer is None:
            return None, fault
        return Reply(answer.status_code, CaseInsensitiveDict(answer.headers), content, parse_json(content)), fault

    def _notice(self, call: Call, reply: Reply) -> None:
        """Learn the provider's clock, and log once for each kind of path that it is deprecated."""
        with suppress(ValueError, OverflowError):
            date = parsedate_to_datetime(reply.headers["Date"]) if "Date" in reply.headers else None
            if date is not None and date.tzinfo is not None:
                self.clock_skew = timedelta(seconds=round((date - self._now()).total_seconds()))
        kind = re.sub(r"\d+", "N", call.path)
        if "Deprecation" in reply.headers and kind not in self._deprecated:
            self._deprecated.add(kind)
            said = KNOWN.text(reply.headers["Deprecation"])[:100]
            _log.warning("provider_deprecation", account=self._account, method=call.method, path=kind, deprecation=said)

    def _told(
        self,
        call: Call,
        prepared: requests.PreparedRequest,
        when: tuple[datetime, float],
        answer: tuple[Reply | None, Fault],
    ) -> Exchange:
        (at, seconds), (reply, fault) = when, answer
        headers = prepared.headers
        return Exchange(
            account=self._account,
            at=at,
            seconds=seconds,
            method=call.method,
            url=KNOWN.text(prepared.url or ""),
            request_headers=KNOWN.headers(headers),
            request_body=body_text(KNOWN, call.body or b"", str(headers.get("Content-Type", ""))),
            error=fault.cause or None,
            sent=fault.sent or not fault.cause,
            **_answered(reply),
        )


def _answered(reply: Reply | None) -> dict[str, Any]:
    if reply is None:
        return {}
    body = body_text(KNOWN, reply.content, reply.headers.get("Content-Type", ""))
    return {"status": reply.status, "headers": KNOWN.headers(reply.headers), "body": body}
