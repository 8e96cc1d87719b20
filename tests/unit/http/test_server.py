"""The server kit for sandboxes: it really answers, really fails, and really stops."""

import socket
import threading
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import requests

from bridge.testing.server import Clock, Request, Response, Server


@pytest.fixture
def server():
    made = Server()
    made.effects = []

    @made.route("GET", r"/thing/(\d+)")
    def thing(request: Request) -> Response:
        return Response.json({"id": request.groups[0], "q": request.arg("q"), "amount": Decimal("1.50")})

    @made.route("POST", "/thing")
    def create(request: Request) -> Response:
        made.effects.append(request.json())
        return Response.json({"made": len(made.effects)}, 201)

    @made.route("GET", "/broken")
    def broken(request: Request) -> Response:
        raise KeyError("planted")

    with made:
        yield made


@pytest.fixture
def session():
    with requests.Session() as made:
        yield made


def test_answers_over_one_kept_connection(server, session):
    """Routes get their groups and query; two requests share one connection."""
    assert session.get(f"{server.base_url}/thing/7?q=a%20b").json() == {"id": "7", "q": "a b", "amount": 1.5}
    assert session.post(f"{server.base_url}/thing", json={"a": 1}).status_code == 201
    assert len(server._live) == 1
    assert [(r.method, r.path, r.status) for r in server.log] == [("GET", "/thing/7", 200), ("POST", "/thing", 201)]
    assert server.calls("POST", "thing")[0].json() == {"a": 1}


def test_unknown_paths_and_methods(server, session):
    """An unknown path is 404, a known one with another method 405, a sandbox mistake 500 and kept for the test to see."""
    assert session.get(f"{server.base_url}/nothing").status_code == 404
    assert session.delete(f"{server.base_url}/thing/1").status_code == 405
    assert session.get(f"{server.base_url}/broken").status_code == 500
    assert "planted" in server.errors[0]
    head = session.head(f"{server.base_url}/thing/1")
    assert head.status_code == 200
    assert int(head.headers["Content-Length"]) > 0


def test_checks_and_changes(server, session):
    """A check may answer instead of the handler; a change touches every answer."""
    server.before(lambda r: None if r.headers.get("X-Key") == "k" else Response.json({}, 401))
    server.after(lambda r, a: a.with_headers({"X-Left": "3"}))
    denied = session.post(f"{server.base_url}/thing", json={})
    assert (denied.status_code, denied.headers["X-Left"], server.effects) == (401, "3", [])
    assert session.post(f"{server.base_url}/thing", json={}, headers={"x-key": "k"}).status_code == 201


def test_cuts(server, session):
    """`refuse` and `cut_before` leave no effect, `cut_after` leaves one; each only for the request it names."""
    url = f"{server.base_url}/thing"
    server.faults.refuse("/thing", method="POST")
    with pytest.raises(requests.ConnectionError):
        session.post(url, json=1)
    server.faults.cut_before("/thing", method="POST", nth=2)
    session.post(url, json=2)
    with pytest.raises(requests.ConnectionError):
        session.post(url, json=3)
    fault = server.faults.cut_after("/thing", method="POST")
    session.get(f"{url}/1")
    with pytest.raises(requests.ConnectionError):
        session.post(url, json=4)
    session.post(url, json=5)
    assert server.effects == [2, 4, 5]
    assert fault.hits == 1


def test_answers_that_lie(server, session):
    """Status, HTML, truncated, huge, reshaped and redirecting answers arrive as ordered."""
    url = f"{server.base_url}/thing"
    server.faults.status(429, method="POST", body={"error": "slow"}, headers={"Retry-After": "7"})
    slow = session.post(url, json=1)
    assert (slow.status_code, slow.headers["Retry-After"], slow.json(), server.effects) == (
        429,
        "7",
        {"error": "slow"},
        [],
    )
    server.faults.status(500, method="POST", after=True)
    assert (session.post(url, json=1).status_code, server.effects) == (500, [1])
    server.faults.html()
    assert session.get(f"{url}/1").headers["Content-Type"].startswith("text/html")
    server.faults.reshape(lambda data: [data["id"]])
    assert session.get(f"{url}/1").json() == ["1"]
    server.faults.huge(200_000)
    assert len(session.get(f"{url}/1").content) == 200_000
    server.faults.redirect("http://127.0.0.1:1/")
    assert session.get(f"{url}/1", allow_redirects=False).status_code == 302
    server.faults.truncate()
    with pytest.raises(requests.RequestException):
        session.get(f"{url}/1")
    assert session.get(f"{url}/1").json()["id"] == "1"


def test_hold_and_delay(server, session):
    """A held request waits after its effect until the gate opens; `delay` with `after` outlasts a client's timeout."""
    gate = server.faults.hold("/thing", method="POST", after=True)
    results = []
    thread = threading.Thread(
        target=lambda: results.append(requests.post(f"{server.base_url}/thing", json=1, timeout=10))
    )
    thread.start()
    assert gate.entered.wait(5)
    assert (server.effects, results) == ([1], [])
    gate.open()
    thread.join()
    assert results[0].status_code == 201
    server.faults.delay(30, "/thing", method="POST", after=True)
    with pytest.raises(requests.ReadTimeout):
        session.post(f"{server.base_url}/thing", json=2, timeout=0.2)
    assert server.effects == [1, 2]


def test_refusing_and_stop(server):
    """While refusing, nothing listens; afterwards the same port answers again; stop leaves no thread and no port."""
    address = ("127.0.0.1", server.port)
    with server.refusing(), pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
    assert requests.get(f"{server.base_url}/thing/1").ok
    held = server.faults.hold("/thing")

    def call():
        with pytest.raises(requests.RequestException):
            requests.get(f"{server.base_url}/thing/1")
        failed.set()

    failed = threading.Event()
    thread = threading.Thread(target=call)
    thread.start()
    assert held.entered.wait(5)
    server.stop()
    server.stop()
    thread.join()
    assert failed.is_set()
    assert not [t for t in threading.enumerate() if t.name.endswith(f"-{server.port}")]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)


def test_clock():
    """The clock stands where it was set, in Berlin's dates, and moves only on demand."""
    clock = Clock(date(2026, 3, 29))
    assert clock.today() == date(2026, 3, 29)
    clock.advance(timedelta(days=1))
    assert clock.today() == date(2026, 3, 30)
    clock.set(datetime(2026, 3, 31, 22, 30, tzinfo=UTC))
    assert clock.today() == date(2026, 4, 1)
    with pytest.raises(ValueError, match="aware"):
        clock.set(datetime(2026, 1, 1))
    assert abs(Clock().now() - datetime.now(UTC)) < timedelta(minutes=1)
