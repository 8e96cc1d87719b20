r"""A small real HTTP server on loopback, on which the sandboxes of providers are built.

```python
server = Server()

@server.route("GET", r"/Invoice/(\d+)")
def invoice(request: Request) -> Response:
    return Response.json({"id": request.groups[0]})

with server:
    requests.get(server.base_url + "/Invoice/7")
    server.faults.cut_after(r"/Invoice", method="POST")  # the next such request has its effect, but no answer
```

Handlers run one at a time under `server.lock`, so a sandbox needs no locks of its own (`locked=False` for a handler that waits).
HTTP/1.1 with keep-alive; one thread per connection; `stop` ends all of them before it returns.
"""

import contextlib
import re
import socket
import struct
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self

from bridge.testing.faults import Fault, Faults
from bridge.testing.wire import Clock, Cut, Handler, Headers, Request, Response, read_request

__all__ = ["Clock", "Cut", "Fault", "Faults", "Handler", "Headers", "Request", "Response", "Server"]


class Server:
    """Threaded HTTP server on 127.0.0.1 with a routing table, a request log, a settable clock and faults on demand."""

    def __init__(self, *, port: int = 0, clock: Clock | None = None, base_path: str = "") -> None:
        self.clock = clock or Clock()
        self.lock = threading.RLock()
        self.faults = Faults()
        self.log: deque[Request] = deque(maxlen=50_000)
        self.errors: list[str] = []
        """Tracebacks of handlers that raised; each was answered with 500."""
        self.skew = timedelta(0)
        """How far the `Date` header is ahead of the real time."""
        self._port = port
        self._base_path = base_path
        self._routes: list[tuple[str, re.Pattern[str], Handler, bool]] = []
        self._before: list[Callable[[Request], Response | None]] = []
        self._after: list[Callable[[Request, Response], Response]] = []
        self._listener: socket.socket | None = None
        self._acceptor: threading.Thread | None = None
        self._live: dict[socket.socket, threading.Thread] = {}
        self._live_lock = threading.Lock()
        self.stopping = threading.Event()

    # ---------------------------------------------------------------------------------------------------- what it serves

    def route(self, method: str, pattern: str, *, locked: bool = True) -> Callable[[Handler], Handler]:
        """Decorate the handler of `method` (`*` for any) on paths that match `pattern` as a whole. First match wins."""

        def add(handler: Handler) -> Handler:
            self.add(method, pattern, handler, locked=locked)
            return handler

        return add

    def add(self, method: str, pattern: str, handler: Handler, *, locked: bool = True) -> None:
        """Add a route; see `route`."""
        self._routes.append((method, re.compile(pattern), handler, locked))

    def before(self, check: Callable[[Request], Response | None]) -> Callable[[Request], Response | None]:
        """Decorate a check that runs before every handler (credentials, rate limit); an answer of its own ends the request."""
        self._before.append(check)
        return check

    def after(self, change: Callable[[Request, Response], Response]) -> Callable[[Request, Response], Response]:
        """Decorate a change to every answer (rate limit headers)."""
        self._after.append(change)
        return change

    def calls(self, method: str | None = None, pattern: str = "") -> list[Request]:
        """Return the logged requests of `method` whose path matches `pattern` somewhere."""
        wanted = re.compile(pattern)
        return [r for r in list(self.log) if method in (None, r.method) and wanted.search(r.path)]

    # --------------------------------------------------------------------------------------------------------- life

    @property
    def port(self) -> int:
        """The port; known once started."""
        return self._port

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self._port}{self._base_path}"

    def start(self) -> Self:
        """Listen, on the given port or a free one."""
        self.stopping.clear()
        self._listen()
        return self

    def _listen(self) -> None:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", self._port))
            listener.listen(128)
        except OSError:
            listener.close()
            raise
        self._port = listener.getsockname()[1]
        self._listener = listener
        self._acceptor = threading.Thread(
            target=self._accept, args=(listener,), name=f"accept-{self._port}", daemon=True
        )
        self._acceptor.start()

    def stop(self) -> None:
        """Close everything and wait until every thread has ended. May be called twice."""
        self.stopping.set()
        self.faults.release()
        self._close()

    def _close(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        if self._acceptor is not None:
            self._acceptor.join()
            self._acceptor = None
        with self._live_lock:
            live = list(self._live.items())
        for connection, _ in live:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for connection, thread in live:
            if thread is not threading.current_thread():
                thread.join()
                with self._live_lock:
                    self._live.pop(connection, None)

    @contextlib.contextmanager
    def refusing(self) -> Iterator[None]:
        """Within this block nothing listens: connections are refused, those that were open are closed."""
        self._close()
        try:
            yield
        finally:
            if not self.stopping.is_set():
                self._listen()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # ------------------------------------------------------------------------------------------------------ connections

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), name=f"serve-{self._port}", daemon=True)
            with self._live_lock:
                self._live = {known: serving for known, serving in self._live.items() if serving.is_alive()}
                self._live[connection] = thread
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            stream = connection.makefile("rb", buffering=65536)
            with stream:
                while self._one(connection, stream):
                    pass
        except Cut as cut:
            if cut.reset:
                with contextlib.suppress(OSError):
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except (OSError, ValueError):
            pass  # the client went away or spoke something that is no HTTP
        finally:
            connection.close()

    def _one(self, connection: socket.socket, stream: Any) -> bool:
        request = read_request(stream)
        if request is None:
            return False
        self.log.append(request)
        fault = self.faults.match(request.method, request.path)
        response = self._answer(request, fault)
        request.status = response.status
        keep = request.headers.get("connection", "").lower() != "close"
        if fault is not None:
            keep = fault.send(self, connection, request, response, keep) and keep
        else:
            connection.sendall(self.encode(request, response, keep))
        return keep and not self.stopping.is_set()

    def _answer(self, request: Request, fault: Fault | None) -> Response:
        early = fault.before(self) if fault is not None else None
        response = early if early is not None else self.dispatch(request)
        return fault.after(self, response) if fault is not None else response

    def dispatch(self, request: Request) -> Response:
        """Run checks, handler and changes for `request`, as if it had arrived."""
        try:
            return self._dispatch(request)
        except Cut:
            raise
        except Exception:  # noqa: BLE001  a mistake in a sandbox must be seen, not hang the client
            self.errors.append(traceback.format_exc())
            return Response.text("sandbox error\n" + self.errors[-1], 500)

    def _dispatch(self, request: Request) -> Response:
        path = request.path.removeprefix(self._base_path) if self._base_path else request.path
        handler, locked, known = self._find(request, path)
        with self.lock if locked else contextlib.nullcontext():
            response = next((early for check in self._before if (early := check(request)) is not None), None)
            if response is None:
                if handler is not None:
                    response = handler(request)
                else:
                    response = Response.json({"error": "no such resource"}, 405 if known else 404)
            for change in self._after:
                response = change(request, response)
        return response

    def _find(self, request: Request, path: str) -> tuple[Handler | None, bool, bool]:
        known = False
        for method, pattern, handler, locked in self._routes:
            match = pattern.fullmatch(path)
            if match is None:
                continue
            known = True
            if method in ("*", request.method) or (method == "GET" and request.method == "HEAD"):
                request.groups = match.groups()
                return handler, locked, True
        return None, True, known

    def encode(self, request: Request, response: Response, keep: bool) -> bytes:
        """Return the bytes of `response` on the wire."""
        head = self.head(response, len(response.body), keep)
        return head if request.method == "HEAD" or response.status in (204, 304) else head + response.body

    def head(self, response: Response, length: int, keep: bool) -> bytes:
        """Return status line and header fields with a `Content-Length` of `length`."""
        try:
            phrase = HTTPStatus(response.status).phrase
        except ValueError:
            phrase = "Unknown"
        lines = [f"HTTP/1.1 {response.status} {phrase}"]
        names = {name.lower() for name in response.headers}
        if "date" not in names:
            lines.append("Date: " + format_datetime(datetime.now(UTC) + self.skew, usegmt=True))
        if "content-length" not in names and response.status not in (204, 304):
            lines.append(f"Content-Length: {length}")
        lines.append("Connection: " + ("keep-alive" if keep else "close"))
        lines += [f"{name}: {value}" for name, value in response.headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
