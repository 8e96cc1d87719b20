"""The one port of the service: /healthz, /readyz and /metrics. It answers reading requests only and shows no secrets."""

import json
import threading
from collections.abc import Callable
from http.server import ThreadingHTTPServer
from typing import Any

from bridge import log
from bridge.errors import ConfigError
from bridge.http.deadline import BoundedHandler
from bridge.metrics import CONTENT_TYPE

Answer = tuple[int, str, bytes]


class Port:
    """A small HTTP server in threads of its own. `pages` give status, content type and body."""

    def __init__(self, host: str, port: int, pages: dict[str, Callable[[], Answer]]) -> None:
        try:
            self._server = _Server((host, port), _handler(pages))
        except OSError as error:
            raise ConfigError(
                "monitor: cannot listen on {host}:{port}: {strerror}",
                host=host,
                port=port,
                strerror=error.strerror,
                cause="monitor_port",
            ) from error
        self._thread = threading.Thread(target=self._server.serve_forever, name="monitor", daemon=True)
        self._thread.start()

    @property
    def number(self) -> int:
        """Return the port that is really open."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=2)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 16

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: whoever asked has gone away."""


def _handler(pages: dict[str, Callable[[], Answer]]) -> type[BoundedHandler]:
    class Handler(BoundedHandler):
        server_version = "mahnbridge"
        sys_version = ""

        def do_GET(self) -> None:  # noqa: N802  its name in the base class
            self._answer(with_body=True)

        def do_HEAD(self) -> None:  # noqa: N802  its name in the base class
            self._answer(with_body=False)

        def _answer(self, *, with_body: bool) -> None:
            status, kind, body = _page(pages, self.path.partition("?")[0])
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            if with_body:
                self.wfile.write(body)

    return Handler


def _page(pages: dict[str, Callable[[], Answer]], path: str) -> Answer:
    try:
        return pages[path]() if path in pages else text(404, "not found")
    except Exception as error:  # noqa: BLE001  who asks is told that it failed, the operator the kind of error
        log.get("monitor").error("page_failed", error=type(error).__name__)
        return text(500, "failed")


def text(status: int, words: str) -> Answer:
    """Return a plain answer."""
    return status, "text/plain; charset=utf-8", (words + "\n").encode()


def data(status: int, values: dict[str, Any]) -> Answer:
    """Return a JSON answer."""
    return status, "application/json", (json.dumps(values) + "\n").encode()


def metrics(page: bytes) -> Answer:
    """Return metrics."""
    return 200, CONTENT_TYPE, page
