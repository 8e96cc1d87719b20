"""The log: one event per unit of work, JSON or readable, with ids and never with names, addresses, amounts of people or secrets."""

import json
import logging
import sys
import threading
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

from bridge.http import redact
from bridge.plain import escaped, on_screen

Event = MutableMapping[str, Any]


def redacted(_logger: Any, _method: str, event: Event) -> Event:
    """Return `event` without the secrets of this process, and without values under telling names; a structlog processor."""
    return {key: redact(value) if key == "event" else redact({key: value})[key] for key, value in event.items()}


def plain_lines(_logger: Any, _method: str, event: Event) -> Event:
    """Return `event` with nothing that steers a terminal, and each value on one line; a traceback keeps its lines."""
    return {
        key: on_screen(value, lines=key == "exception") if isinstance(value, str) else value
        for key, value in event.items()
    }


def _json(event: Any, **how: Any) -> str:
    return escaped(json.dumps(event, **how))


def set_up(*, style: str = "auto", level: str = "info", stream: TextIO | None = None) -> None:
    """Write the log to `stream` (standard error): `json`, `console`, or `auto`, which is readable on a terminal and JSON elsewhere."""
    out = stream or sys.stderr
    readable = style == "console" or (style == "auto" and out.isatty())
    ending: Any = (
        structlog.dev.ConsoleRenderer(colors=out.isatty(), exception_formatter=structlog.dev.plain_traceback)
        if readable
        else structlog.processors.JSONRenderer(_json, ensure_ascii=False, default=str)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redacted,
            *([plain_lines] if readable else []),
            ending,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(_Redacted("%(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    threading.excepthook = _of_thread


def _of_thread(broken: threading.ExceptHookArgs) -> None:
    """Say what ended a thread that nobody watches as any other line is said, not as a bare traceback."""
    if broken.exc_value is not None:
        logging.getLogger("thread").error("crashed", exc_info=broken.exc_value)


class _Redacted(logging.Formatter):
    """What libraries say, without the secrets of this process."""

    def format(self, record: logging.LogRecord) -> str:
        return on_screen(str(redact(super().format(record))))

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  its name in the base class
        return on_screen(super().formatMessage(record), lines=False)


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
