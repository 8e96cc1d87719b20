"""Faults on demand for the servers of `bridge.testing`: what providers, proxies and networks do on bad days.

Every method of `Faults` takes a pattern searched in the path, the method (None for any), `nth` (1 is the next matching request) and
`times` (how many in a row; None for all that follow). It returns the `Fault`, whose `hits` counts.
"""

import json
import re
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bridge.testing.wire import Cut, Request, Response

if TYPE_CHECKING:
    from bridge.testing.server import Server

ERROR_PAGE = (
    "<!DOCTYPE html><html><head><title>Wartungsarbeiten</title></head><body><h1>Service Unavailable</h1></body></html>"
)


class Gate:
    """A request that waits: `entered` is set when it has arrived, `open()` lets it go on."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self._open = threading.Event()

    def open(self) -> None:
        self._open.set()

    def wait(self, server: "Server") -> None:
        self.entered.set()
        self._open.wait()
        if server.stopping.is_set():
            raise Cut


@dataclass
class Fault:
    """One fault: `before` may answer instead of the handler, `after` may change its answer, `send` may spoil the sending."""

    path: re.Pattern[str]
    method: str | None = None
    nth: int = 1
    times: int | None = 1
    seen: int = 0
    hits: int = 0
    instead: "Callable[[Server], Response | None] | None" = None
    change: "Callable[[Server, Response], Response] | None" = None
    sending: "Callable[[Server, socket.socket, Request, Response], None] | None" = None
    gate: Gate = field(default_factory=Gate)

    def wants(self, method: str, path: str) -> bool:
        """Count a request that matches, and tell whether this fault strikes it."""
        if self.method not in (None, method) or not self.path.search(path):
            return False
        self.seen += 1
        strikes = self.seen >= self.nth and (self.times is None or self.seen < self.nth + self.times)
        self.hits += strikes
        return strikes

    def before(self, server: "Server") -> Response | None:
        return self.instead(server) if self.instead else None

    def after(self, server: "Server", response: Response) -> Response:
        return self.change(server, response) if self.change else response

    def send(
        self, server: "Server", connection: socket.socket, request: Request, response: Response, keep: bool
    ) -> bool:
        """Send `response`, whole or spoilt; return whether the connection goes on."""
        if self.sending is None:
            connection.sendall(server.encode(request, response, keep))
            return True
        self.sending(server, connection, request, response)
        return False


class Faults:
    """The faults that wait for their request; the first one that matches strikes."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def match(self, method: str, path: str) -> Fault | None:
        """Return the fault that strikes this request; all that match count it."""
        with self._lock:
            striking = [fault for fault in self._faults if fault.wants(method, path)]
        return striking[0] if striking else None

    def clear(self) -> None:
        """Forget all faults; requests that wait go on."""
        self.release()
        with self._lock:
            self._faults.clear()

    def release(self) -> None:
        """Open the gates of all faults."""
        with self._lock:
            for fault in self._faults:
                fault.gate.open()

    def _add(self, path: str, method: str | None, nth: int, times: int | None, **acts: Any) -> Fault:
        fault = Fault(re.compile(path), method, nth, times, **acts)
        with self._lock:
            self._faults.append(fault)
        return fault

    # ------------------------------------------------------------------------------------------------ the connection

    def refuse(self, path: str = "", *, method: str | None = None, nth: int = 1, times: int | None = 1) -> Fault:
        """Reset the connection without any effect; for a refused connect see `Server.refusing`."""
        return self._add(path, method, nth, times, instead=lambda _: _cut(reset=True))

    def cut_before(self, path: str = "", *, method: str | None = None, nth: int = 1, times: int | None = 1) -> Fault:
        """Close the connection before the effect, without an answer."""
        return self._add(path, method, nth, times, instead=lambda _: _cut(reset=False))

    def cut_after(self, path: str = "", *, method: str | None = None, nth: int = 1, times: int | None = 1) -> Fault:
        """Have the effect, then close the connection without an answer."""
        return self._add(path, method, nth, times, change=lambda _, __: _cut(reset=False))

    def delay(
        self,
        seconds: float,
        path: str = "",
        *,
        method: str | None = None,
        nth: int = 1,
        times: int | None = 1,
        after: bool = False,
    ) -> Fault:
        """Wait before the effect, or with `after` between the effect and its answer."""
        if after:

            def late(server: "Server", response: Response) -> Response:
                server.stopping.wait(seconds)
                return response

            return self._add(path, method, nth, times, change=late)

        def early(server: "Server") -> None:
            server.stopping.wait(seconds)

        return self._add(path, method, nth, times, instead=early)

    def hold(
        self,
        path: str = "",
        *,
        method: str | None = None,
        nth: int = 1,
        times: int | None = 1,
        after: bool = False,
    ) -> Gate:
        """Let the request wait at a gate before its effect, or with `after` before its answer, until the test opens it."""
        gate = Gate()
        if after:

            def late(server: "Server", response: Response) -> Response:
                gate.wait(server)
                return response

            self._add(path, method, nth, times, change=late, gate=gate)
        else:
            self._add(path, method, nth, times, instead=gate.wait, gate=gate)
        return gate

    # ---------------------------------------------------------------------------------------------------- the answer

    def status(
        self,
        code: int,
        path: str = "",
        *,
        body: Any = b"",
        headers: Mapping[str, str] | None = None,
        method: str | None = None,
        nth: int = 1,
        times: int | None = 1,
        after: bool = False,
    ) -> Fault:
        """Answer `code` with `body` (bytes, text, or anything for JSON) without the effect, or with `after` in spite of it."""
        if isinstance(body, bytes | str):
            content = body.encode() if isinstance(body, str) else body
            answer = Response(code, content, {"Content-Type": "text/plain; charset=utf-8", **(headers or {})})
        else:
            answer = Response.json(body, code, headers)
        if after:
            return self._add(path, method, nth, times, change=lambda _, __: answer)
        return self._add(path, method, nth, times, instead=lambda _: answer)

    def redirect(
        self, location: str, path: str = "", *, code: int = 302, method: str | None = None, times: int | None = 1
    ) -> Fault:
        """Answer with a redirect to `location`."""
        return self.status(code, path, headers={"Location": location}, method=method, times=times)

    def html(
        self,
        path: str = "",
        *,
        code: int = 200,
        method: str | None = None,
        nth: int = 1,
        times: int | None = 1,
        after: bool = False,
    ) -> Fault:
        """Answer an HTML page, as load balancers and login walls do, without the effect or with `after` in spite of it."""
        headers = {"Content-Type": "text/html; charset=utf-8"}
        return self.status(
            code, path, body=ERROR_PAGE, headers=headers, method=method, nth=nth, times=times, after=after
        )

    def change(
        self,
        change: Callable[[Response], Response],
        path: str = "",
        *,
        method: str | None = None,
        nth: int = 1,
        times: int | None = 1,
    ) -> Fault:
        """Have the effect, and answer what `change` makes of the answer."""
        return self._add(path, method, nth, times, change=lambda _, response: change(response))

    def reshape(
        self,
        change: Callable[[Any], Any],
        path: str = "",
        *,
        method: str | None = None,
        nth: int = 1,
        times: int | None = 1,
    ) -> Fault:
        """Have the effect, and answer what `change` makes of the answer's JSON: wrong types, missing and extra fields."""

        def changed(_server: "Server", response: Response) -> Response:
            return Response.json(change(json.loads(response.body)), response.status, response.headers)

        return self._add(path, method, nth, times, change=changed)

    # --------------------------------------------------------------------------------------------------- the sending

    def truncate(
        self,
        path: str = "",
        *,
        keep: int | None = None,
        method: str | None = None,
        nth: int = 1,
        times: int | None = 1,
    ) -> Fault:
        """Have the effect, promise the whole answer, and send `keep` bytes of it (default half)."""

        def cut(server: "Server", connection: socket.socket, _request: Request, response: Response) -> None:
            part = response.body[: len(response.body) // 2 if keep is None else keep]
            connection.sendall(server.head(response, max(len(response.body), len(part) + 1), keep=False) + part)

        return self._add(path, method, nth, times, sending=cut)

    def huge(
        self,
        size: int,
        path: str = "",
        *,
        method: str | None = None,
        nth: int = 1,
        times: int | None = 1,
        announce: bool = True,
    ) -> Fault:
        """Have the effect, and answer `size` bytes of JSON; without `announce` no length is promised."""

        def flood(server: "Server", connection: socket.socket, _request: Request, response: Response) -> None:
            head = server.head(response, size, keep=False)
            if not announce:
                head = re.sub(rb"Content-Length: \d+\r\n", b"", head)
            connection.sendall(head + b'["')
            left, block = size - 4, b"x" * 65536
            while left > 0:
                connection.sendall(block[:left])
                left -= len(block)
            connection.sendall(b'"]')

        return self._add(path, method, nth, times, sending=flood)

    def trickle(
        self,
        seconds: float,
        path: str = "",
        *,
        method: str | None = None,
        nth: int = 1,
        times: int | None = 1,
    ) -> Fault:
        """Have the effect, and send the answer byte by byte, one in `seconds`, beginning with the status line."""

        def drip(server: "Server", connection: socket.socket, request: Request, response: Response) -> None:
            for byte in server.encode(request, response, False):
                if server.stopping.wait(seconds):
                    return
                connection.sendall(bytes([byte]))

        return self._add(path, method, nth, times, sending=drip)


def _cut(*, reset: bool) -> Any:
    raise Cut(reset=reset)
