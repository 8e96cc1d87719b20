"""The longest time that one connection may take in all, whoever speaks on it and however slowly.

Sockets have timeouts between two bytes only: whoever sends one byte now and then holds the other side for ever.
"""

import os
import socket
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler

REQUEST_SECONDS = 10.0
"""What somebody who asks a small server of ours has for all of it."""


class Deadline:
    """Shuts a connection down after so many seconds, counted from now, so also while it is being made and while TLS begins on it.

    A descriptor of its own is kept: whoever begins TLS takes the socket away from the object that it was. `expired`: it has struck.
    """

    def __init__(self, seconds: float) -> None:
        self.expired = False
        self._until = time.monotonic() + seconds
        self._line: socket.socket | None = None
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._strike)
        self._timer.daemon = True

    def begin(self) -> None:
        """Let the clock strike."""
        self._timer.start()

    def follow(self, connection: socket.socket | None) -> None:
        """Cut this connection at the deadline, and no earlier one. Raises `TimeoutError` where it has passed."""
        with self._lock:
            self._let_go()
            if self.expired or time.monotonic() >= self._until:
                self.expired = True
                raise TimeoutError("the deadline of this call has passed")
            if connection is not None:
                self._line = socket.socket(fileno=os.dup(connection.fileno()))

    def end(self) -> None:
        """Strike no more."""
        self._timer.cancel()
        with self._lock:
            self._let_go()

    def _let_go(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def _strike(self) -> None:
        with self._lock:
            self.expired = True
            if self._line is not None:
                with suppress(OSError):
                    self._line.shutdown(socket.SHUT_RDWR)


class BoundedHandler(BaseHTTPRequestHandler):
    """Answers one request in a small server of ours, whose sender has `REQUEST_SECONDS` for it in all; it writes no log."""

    timeout = REQUEST_SECONDS

    def setup(self) -> None:
        super().setup()
        self._deadline = Deadline(REQUEST_SECONDS)
        self._deadline.follow(self.connection)
        self._deadline.begin()

    def finish(self) -> None:
        self._deadline.end()
        super().finish()

    def log_message(self, *_: object) -> None:
        """Say nothing: being asked is no event, and a request line may hold a code."""
