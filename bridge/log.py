"""The log: one event per unit of work, JSON or readable, with ids and never with names, addresses, amounts of people or secrets.

Secrets are taken out twice: by the name of the key, and by the shape of the value.
"""

import logging
import re
import sys
import threading
from collections.abc import Iterable, MutableMapping
from typing import Any, TextIO

import structlog

_SECRET_KEY = re.compile(r"token|secret|passw|authorization|api_?key|cookie|credential", re.IGNORECASE)
_SECRET_VALUE = re.compile(
    r"(?i)(bearer\s+|basic\s+|x-billomatapikey[:=]\s*|authorization[:=]\s*|(?:access_token|refresh_token|client_secret|code|token|api_key"
    r"|password)[=:]\s*\"?)[^\s\"'&,;}]+"
)
_URL_PASSWORD = re.compile(r"(://[^/\s:@]*):[^@\s/]+@")
HIDDEN = "[hidden]"

Event = MutableMapping[str, Any]


class Redactor:
    """A structlog processor that hides secrets; `known` are the values of this configuration, hidden wherever they appear."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self.learn(known)

    def learn(self, known: Iterable[str]) -> None:
        """Hide these values from now on (longest first, so that no remainder shows)."""
        self._known = tuple(sorted({text for text in known if len(text) >= 6}, key=len, reverse=True))

    def __call__(self, _logger: Any, _method: str, event: Event) -> Event:
        """Return `event` without secrets."""
        for key in event:
            event[key] = (
                HIDDEN
                if _SECRET_KEY.search(key) and event[key] not in (None, "", True, False)
                else self.clean(event[key])
            )
        return event

    def clean(self, value: Any) -> Any:
        """Return `value` with secrets hidden, inside lists and maps too."""
        if isinstance(value, str):
            for known in self._known:
                value = value.replace(known, HIDDEN)
            return _URL_PASSWORD.sub(rf"\1:{HIDDEN}@", _SECRET_VALUE.sub(rf"\1{HIDDEN}", value))
        if isinstance(value, dict):
            return {key: HIDDEN if _SECRET_KEY.search(str(key)) else self.clean(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.clean(item) for item in value]
        return value


redactor = Redactor()
"""The one redactor of this process; the application teaches it the secrets of the configuration."""


def set_up(*, style: str = "auto", level: str = "info", stream: TextIO | None = None) -> None:
    """Write the log to `stream` (standard error): `json`, `console`, or `auto`, which is readable on a terminal and JSON elsewhere."""
    out = stream or sys.stderr
    readable = style == "console" or (style == "auto" and out.isatty())
    ending: list[Any] = (
        [structlog.dev.ConsoleRenderer(colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback)]
        if readable
        else [
            structlog.processors.format_exc_info,
            redactor,
            structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        ]
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            redactor,
            *ending,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(stream=out, level=logging.WARNING, format="%(name)s: %(message)s", force=True)


def get(name: str) -> Any:
    """Return the logger of one room of the house."""
    return structlog.get_logger(room=name)


class Outages:
    """Says once that something is out and once that it is back, however often it is asked in between. Thread-safe."""

    def __init__(self, logger: Any) -> None:
        self._logger = logger
        self._down: dict[str, str] = {}
        self._lock = threading.Lock()

    def failed(self, what: str, cause: str, message: str, **more: Any) -> bool:
        """Note a failure of `what`; it is logged if it is the first, or of another cause than the last. Return whether it was logged."""
        with self._lock:
            if self._down.get(what) == cause:
                return False
            self._down[what] = cause
        self._logger.warning("outage", what=what, cause=cause, message=message, **more)
        return True

    def worked(self, what: str, **more: Any) -> bool:
        """Note that `what` works; logged only after an outage. Return whether it was logged."""
        with self._lock:
            if self._down.pop(what, None) is None:
                return False
        self._logger.info("recovered", what=what, **more)
        return True

    @property
    def down(self) -> dict[str, str]:
        """Return what is out, and the cause."""
        with self._lock:
            return dict(self._down)
