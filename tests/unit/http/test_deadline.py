"""Every connection has an end: whoever speaks one byte at a time holds neither a call of ours nor a server of ours."""

import socket
import threading
from types import SimpleNamespace

import pytest

from bridge.config import Creditor
from bridge.errors import RetryLater
from bridge.http import Http, HttpSettings, TokenAuth
from bridge.http import deadline as deadlines
from bridge.page import server as pages
from bridge.schedule import port as monitor
from tests.unit.channels.test_limits import Hostile

RECORD = b"\x16\x03\x03\x40\x00"
"""The head of a record of TLS with sixteen thousand bytes, which then come one by one."""


def handshaking(server, line):
    """Never end the handshake of TLS."""
    line.recv(65536)
    line.sendall(RECORD)
    for _ in range(60):  # then it waits for the client to hang up
        line.sendall(b"x")
        threading.Event().wait(0.05)


def test_a_handshake_of_tls_that_trickles():
    """The deadline of a call holds for the handshake too, in which the socket changes hands."""
    with Hostile(handshaking) as server:
        url = f"https://127.0.0.1:{server.port}"
        settings = HttpSettings(
            base_url=url,
            auth=TokenAuth(token="geheim-geheim"),
            attempts=1,
            read_deadline=0.4,
            connect_timeout=100,
            read_timeout=100,
        )
        with pytest.raises(RetryLater) as wrong:
            Http(settings, account="a", sleep=lambda _: None).read("/things")
        assert wrong.value.cause == "timeout"
    assert server.left


def trickled(number):
    """Begin a request that never ends, byte by byte; return once the server has hung up."""
    with socket.create_connection(("127.0.0.1", number), timeout=20) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nX: ")
        line.settimeout(0.02)
        try:
            while True:
                line.sendall(b"x")
                try:
                    if not line.recv(65536):
                        return
                except TimeoutError:
                    continue
        except OSError:
            return


def test_a_request_that_trickles_into_the_monitoring_port(monkeypatch):
    """It is cut, and others are answered meanwhile."""
    monkeypatch.setattr(deadlines, "REQUEST_SECONDS", 0.4)
    port = monitor.Port("127.0.0.1", 0, {})
    try:
        trickled(port.number)
    finally:
        port.close()


def test_a_request_that_trickles_into_the_page_of_debtors(monkeypatch):
    """The listener that strangers reach keeps nobody waiting for one of them."""
    monkeypatch.setattr(pages, "CONNECTION_SECONDS", 0.4)
    page = SimpleNamespace(public_url="https://m.example/antwort", host="127.0.0.1", port=0, proxies=0)
    creditor = Creditor(name="Muster Agentur GmbH", email="buch@muster.example")
    desk = SimpleNamespace(config=SimpleNamespace(creditor=creditor, debtor_page=page, public_url=None))
    server = pages.PageServer(desk)
    try:
        trickled(server.number)
    finally:
        server.close()


def test_health_does_not_wait_for_an_answer_that_trickles(capsys):
    """The container's question is over after its own timeout, whoever listens on that port."""
    from bridge.cli import main  # noqa: PLC0415  what it imports is not needed above

    def behave(server, line):
        line.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        while True:
            line.sendall(b"x")
            threading.Event().wait(0.05)

    with Hostile(behave) as server, pytest.raises(SystemExit) as left:
        main(["health", "--url", f"http://127.0.0.1:{server.port}/healthz", "--timeout", "0.4"])
    assert left.value.code == 1
    assert server.left
