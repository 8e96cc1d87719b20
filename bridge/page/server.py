"""The listener of the debtor's page and of links to cases: a thread of its own, beside the service and never on its monitoring port."""

import asyncio
import socket
import threading
import time
from urllib.parse import urlsplit

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from bridge.app import Bridge
from bridge.errors import ConfigError
from bridge.page.limits import Limiter
from bridge.page.routes import routes

MOST_AT_ONCE = 64
"""Requests and connections at a time; more are told to come back."""


CONNECTION_SECONDS = 30.0
"""What one connection may take in all; whoever sends slower than that keeps nobody else out."""


class _Impatient(H11Protocol):
    """One connection, cut after `CONNECTION_SECONDS`: uvicorn waits for ever for the end of a request."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its base class has it
        self._patience = self.loop.call_later(CONNECTION_SECONDS, transport.abort)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._patience.cancel()
        super().connection_lost(exc)


class PageServer:
    """Serves the pages from its creation until `close`. Raises `ConfigError` where the port is taken."""

    def __init__(self, bridge: Bridge) -> None:
        page, staff = bridge.config.debtor_page, bridge.config.public_url
        app = routes(
            bridge,
            Limiter(time.monotonic),
            prefix=urlsplit(page.public_url or "").path,
            cases=urlsplit(staff).path if staff else None,
        )
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,  # its lines would hold the links
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            ws="none",
            http=_Impatient,
            loop="asyncio",
            limit_concurrency=MOST_AT_ONCE,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=2,
            h11_max_incomplete_event_size=16_384,
        )
        self._server = uvicorn.Server(config)
        try:
            self._socket = socket.create_server((page.host, page.port), backlog=MOST_AT_ONCE)
        except OSError as error:
            raise ConfigError(
                "debtor_page: cannot listen on {host}:{port}: {strerror}",
                host=page.host,
                port=page.port,
                strerror=error.strerror,
                cause="debtor_page_port",
            ) from error
        self._thread = threading.Thread(target=self._serve, name="debtor page", daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._socket]))

    @property
    def number(self) -> int:
        """Return the port that is really open."""
        return int(self._socket.getsockname()[1])

    def close(self) -> None:
        """Stop listening; answers that are being taken are finished."""
        self._server.should_exit = True
        self._thread.join(timeout=5)
        self._socket.close()
