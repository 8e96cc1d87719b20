"""The session against a real server on loopback: what is repeated, what never is, and what each fault ends in."""

import gzip
import json
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from bridge.errors import BadAnswer, ConfigError, NotFound, Refused, RetryLater, Unclear
from bridge.http import BasicAuth, Http, HttpSettings, TokenAuth
from bridge.http.reply import parse_json
from bridge.testing.server import Request, Response, Server

SECRET = "s3cr3t-Token+/=0123456789"


@pytest.fixture
def server():
    made = Server(base_path="/api")
    made.effects = []

    @made.route("GET", r"/things")
    def things(request: Request) -> Response:
        return Response(200, b'{"amount": 0.10, "n": 3, "list": [1.5e2]}', {"Content-Type": "application/json"})

    @made.route("POST", r"/things")
    def create(request: Request) -> Response:
        made.effects.append(request.body)
        return Response.json({"id": len(made.effects)}, 201)

    @made.route("GET", r"/file")
    def file(request: Request) -> Response:
        return Response(200, b"%PDF-1.7 " + b"x" * 5000, {"Content-Type": "application/pdf"})

    with made:
        yield made


@pytest.fixture
def slept():
    return []


@pytest.fixture
def http(server, slept):
    settings = HttpSettings(
        base_url=server.base_url, auth=TokenAuth(token=SECRET), pace=1000, attempts=3, read_timeout=5
    )
    with Http(settings, account="acme", sleep=slept.append, jitter=lambda: 1.0) as made:
        yield made


def changed(http, **values):
    return Http(http.settings.model_copy(update=values), account="acme", sleep=lambda _: None)


def test_reads_numbers_exactly(http, server):
    """JSON numbers arrive as Decimal, the token raw in its header, and our name with every call."""
    reply = http.read("/things", params={"page": 2, "none": None}, headers={"X-Version": "default"})
    assert reply.data == {"amount": Decimal("0.10"), "n": 3, "list": [Decimal(150)]}
    assert str(reply.data["amount"]) == "0.10"
    request = server.log[0]
    assert request.headers["Authorization"] == SECRET
    assert request.headers["User-Agent"] == "mahnbridge"
    assert request.headers["X-Version"] == "default"
    assert request.query == {"page": ["2"]}
    assert reply.expect(dict)
    with pytest.raises(BadAnswer, match="expected list"):
        reply.expect(list)


@pytest.mark.parametrize(
    ("auth", "expected"),
    [
        (
            TokenAuth(token="k", header="X-BillomatApiKey", headers={"X-AppId": "7", "X-AppSecret": "z"}),
            {"X-BillomatApiKey": "k", "X-AppId": "7", "X-AppSecret": "z"},
        ),
        (TokenAuth(token="abc", prefix="Bearer"), {"Authorization": "Bearer abc"}),
        (BasicAuth(user="me", password="pässword"), {"Authorization": "Basic bWU6cMOkc3N3b3Jk"}),
    ],
)
def test_auth_is_chosen_by_settings(server, auth, expected):
    """Any header, prefix, further secret headers and basic: a matter of settings alone."""
    with Http(HttpSettings(base_url=server.base_url, auth=auth)) as http:
        http.read("/things")
        http.write("POST", "/things", body={})
    for request in server.log:
        assert {name: request.headers[name] for name in expected} == expected


def test_netrc_and_cookies_stay_out(server, http, tmp_path, monkeypatch):
    """Neither a .netrc file nor a cookie of the provider changes what is sent."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password wrong\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server.after(lambda _, answer: answer.with_headers({"Set-Cookie": "sid=1; Path=/"}))
    http.read("/things")
    http.read("/things")
    assert [request.headers["Authorization"] for request in server.log] == [SECRET, SECRET]
    assert "Cookie" not in server.log[1].headers


@pytest.mark.parametrize("fault", ["refuse", "cut_before", "cut_after", "html", "truncate"])
def test_reads_are_repeated_on_passing_faults(http, server, slept, fault):
    """A read survives one bad answer; the waits between attempts grow, with jitter."""
    getattr(server.faults, fault)("/things", times=2)
    assert http.read("/things").data["n"] == 3
    assert len(server.log) == 3
    assert [wait for wait in slept if wait > 0.1] == [1.0, 2.0]  # the rest is pace


@pytest.mark.parametrize(
    ("fault", "error", "cause"),
    [
        (lambda faults: faults.status(500, times=None), RetryLater, "http_500"),
        (lambda faults: faults.cut_before(times=None), RetryLater, "connection_lost"),
        (lambda faults: faults.html(times=None), BadAnswer, "bad_answer:html"),
        (lambda faults: faults.status(200, body="not json", times=None), BadAnswer, "bad_answer:json"),
        (lambda faults: faults.status(200, body="[" * 200_000, times=None), BadAnswer, "bad_answer:json"),
        (lambda faults: faults.truncate(times=None), BadAnswer, "bad_answer:truncated"),
        (lambda faults: faults.redirect("https://elsewhere.example/login", times=None), BadAnswer, "redirect"),
    ],
)
def test_reads_end_in_typed_errors(http, server, fault, error, cause):
    """After the last attempt each kind of bad answer has its own error and cause."""
    fault(server.faults)
    with pytest.raises(error) as caught:
        http.read("/things")
    assert type(caught.value) is error
    assert caught.value.cause == cause
    assert len(server.log) == 3


@pytest.mark.parametrize(("status", "error"), [(401, ConfigError), (403, ConfigError), (404, NotFound), (422, Refused)])
def test_client_errors_are_not_repeated(http, server, status, error):
    """What the provider refuses is asked once, and its own words are passed on, on one line."""
    server.faults.status(status, body={"error": {"message": "Rechnung\nfehlt", "code": 151}}, times=None)
    with pytest.raises(error, match=rf"HTTP {status} \(Rechnung fehlt\)") as caught:
        http.read("/things")
    assert type(caught.value) is error
    assert caught.value.body["error"]["code"] == 151
    assert len(server.log) == 1


def test_absurdly_nested_answers(http, server):
    """JSON nested six hundred levels deep, as lists or objects, good or bad news, ends in a typed error on read and on write."""
    for deep in (b"[" * 600 + b"]" * 600, b'{"error":' * 600 + b"1" + b"}" * 600):
        told = {"body": deep.decode(), "headers": {"Content-Type": "application/json"}}
        for code, read, write in ((200, BadAnswer, Unclear), (400, Refused, Refused), (500, RetryLater, Unclear)):
            server.faults.status(code, **told, times=None)
            with pytest.raises(read):
                http.read("/things")
            with pytest.raises(write):
                http.write("POST", "/things", body={})
            server.faults.clear()


def test_page_for_people_is_no_absent_record(http, server):
    """A 404 with an HTML page is a gateway's or a wrong address: nothing counts as gone because of it."""
    server.faults.html("/things", code=404, times=None)
    with pytest.raises(BadAnswer, match="base_url") as caught:
        http.read("/things")
    assert caught.value.cause == "bad_answer:html"


def test_no_part_of_a_secret_is_told(http, server):
    """Secrets are taken out of the provider's words before these are shortened."""
    text = (SECRET + " ") * 15 + "x" * 10 + SECRET
    server.faults.status(422, body=text, headers={"Content-Type": "text/plain"}, times=None)
    with pytest.raises(Refused) as caught:
        http.read("/things")
    assert SECRET[:6] not in str(caught.value)


def test_retry_after_is_honoured(http, server, slept):
    """A short Retry-After is waited for, as seconds and as a date; a long one is handed to the caller at once."""
    server.faults.status(503, headers={"Retry-After": "7"})
    http.read("/things")
    assert [wait for wait in slept if wait > 0.1] == [8.0]
    server.faults.status(503, headers={"Retry-After": "600"})
    with pytest.raises(RetryLater) as caught:
        http.read("/things")
    assert caught.value.after == timedelta(seconds=600)
    assert len(server.log) == 3


def test_nothing_listens(http, server):
    """A refused connection is RetryLater, for reads and for writes: nothing was sent."""
    with server.refusing():
        with pytest.raises(RetryLater, match="no connection"):
            http.read("/things")
        with pytest.raises(RetryLater, match="no connection") as caught:
            http.write("POST", "/things", body={})
    assert caught.value.cause == "connection"
    assert server.effects == []


def test_a_name_that_does_not_exist():
    """An unknown host is RetryLater on write: nothing was sent."""
    with Http("https://no-such-host.invalid", sleep=lambda _: None) as http, pytest.raises(RetryLater) as caught:
        http.write("POST", "/things", body={})
    assert caught.value.cause in ("name_unknown", "proxy")


def test_no_tls():
    """A failed TLS handshake is RetryLater on write: nothing was sent."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def talk():
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=talk)
        thread.start()
        with Http(f"https://127.0.0.1:{listener.getsockname()[1]}") as http, pytest.raises(RetryLater) as caught:
            http.write("POST", "/things", body={})
        thread.join()
    assert caught.value.cause == "tls"


@pytest.mark.parametrize("fault", ["refuse", "cut_before", "cut_after", "html", "truncate"])
def test_writes_are_never_repeated(http, server, fault):
    """Whatever happens to the answer of a write, it is Unclear, and there was one request."""
    getattr(server.faults, fault)("/things", method="POST")
    with pytest.raises(Unclear):
        http.write("POST", "/things", body={"a": 1})
    assert len(server.calls("POST")) == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (200, None), (201, None), (204, None),
        (301, Unclear), (303, Unclear), (408, Unclear), (500, Unclear), (502, Unclear), (503, Unclear),
        (400, Refused), (409, Refused), (422, Refused), (404, NotFound), (401, ConfigError), (403, ConfigError),
    ],
)  # fmt: skip
def test_statuses_of_writes(http, server, status, error):
    """Each status of a write has one meaning."""
    server.faults.status(status, body={})
    if error is None:
        assert http.write("POST", "/things", body={}).status == status
        return
    with pytest.raises(error) as caught:
        http.write("POST", "/things", body={})
    assert type(caught.value) is error
    assert len(server.log) == 1


def test_unclear_on(http, server):
    """A connector may say which refusals of a provider do not prove that nothing was written."""
    server.faults.status(400, body={})
    with pytest.raises(Unclear):
        http.write("POST", "/things", body={}, unclear_on=frozenset({400}))


def test_write_body(http, server):
    """Decimal goes out as text, bytes as they are; a write opens its own connection."""
    http.read("/things")
    http.write("POST", "/things", body={"amount": Decimal("1.10")})
    http.write("POST", "/things", body=b"a=b", headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert server.effects == [b'{"amount": "1.10"}', b"a=b"]
    assert [request.headers.get("Connection") for request in server.log] == ["keep-alive", "close", "close"]
    assert server.log[2].headers["Content-Type"] == "application/x-www-form-urlencoded"


def test_deadline_of_a_write(http, server):
    """A server that trickles, or says nothing, cannot outlive the total deadline of a write: Unclear, within that time."""
    quick = changed(http, write_deadline=0.5, read_timeout=30)
    for fault in (server.faults.trickle, server.faults.delay):
        fault(0.05 if fault == server.faults.trickle else 60, "/things", method="POST")
        began = time.monotonic()
        with pytest.raises(Unclear) as caught:
            quick.write("POST", "/things", body={})
        assert caught.value.cause == "timeout"
        assert time.monotonic() - began < 10
    quick.close()


@pytest.mark.parametrize("limit", [{"read_deadline": 0.5, "read_timeout": 60}, {"read_timeout": 0.3}])
@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"]
)
def test_a_body_that_does_not_end(http, server, limit, head):
    """A body that stops coming ends in a timeout; one whose end is the connection's end is not taken for whole then."""

    def open_end(server_, connection, request, response):
        connection.sendall(head)
        server_.stopping.wait(60)

    for method in ("GET", "POST"):
        server.faults.trickle(0, "/things", method=method).sending = open_end
    quick = changed(http, attempts=1, write_deadline=limit.get("read_deadline", 90), **limit)
    with pytest.raises(RetryLater) as caught:
        quick.read("/things")
    assert caught.value.cause == "timeout"
    with pytest.raises(Unclear) as caught:
        quick.write("POST", "/things", body={})
    assert caught.value.cause == "timeout"
    quick.close()


def test_silent_listener():
    """A host that accepts and never answers: RetryLater for a read, Unclear for a write, which was sent."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        settings = HttpSettings(base_url=url, read_timeout=0.2, attempts=1, pace=1000)
        with Http(settings, sleep=lambda _: None) as http:
            with pytest.raises(RetryLater, match="no answer in time"):
                http.read("/x")
            with pytest.raises(Unclear, match="no answer in time"):
                http.write("POST", "/x")


@pytest.mark.parametrize("announce", [True, False])
def test_huge_answers(http, server, announce):
    """An answer above the limit is not read to its end: BadAnswer for reads and downloads, Unclear for writes."""
    small = changed(http, largest_answer=100_000, attempts=1)
    server.faults.huge(200_000_000, announce=announce, times=3)
    with pytest.raises(BadAnswer, match="too large"):
        small.read("/things")
    with pytest.raises(BadAnswer, match="too large"):
        small.download("/file", largest=100_000)
    with pytest.raises(Unclear, match="too large"):
        small.write("POST", "/things", body={})
    small.close()


def test_compressed_bomb(http, server):
    """A small compressed answer that unpacks into a large one is too large."""
    bomb = gzip.compress(b" " * 30_000_000)
    server.faults.change(lambda answer: Response(200, bomb, {"Content-Encoding": "gzip"}), "/things")
    small = changed(http, largest_answer=100_000, attempts=1)
    with pytest.raises(BadAnswer, match="too large"):
        small.read("/things")
    small.close()


def test_download(http, server):
    """A file arrives whole; a page for people instead of it is BadAnswer."""
    assert http.download("/file").startswith(b"%PDF-1.7 x")
    server.faults.html("/file", times=None)
    with pytest.raises(BadAnswer, match="HTML"):
        http.download("/file")


def test_redirects_are_refused(http, server):
    """A redirect is never followed: the token is sent to no other host, for reads, downloads and writes."""
    with Server() as trap:
        target = trap.base_url + "/things"
        server.faults.redirect(target, times=None)
        with pytest.raises(BadAnswer, match="not followed"):
            http.read("/things")
        with pytest.raises(BadAnswer, match="not followed"):
            http.download("/file")
        with pytest.raises(Unclear, match="not followed"):
            http.write("POST", "/things", body={})
        assert not trap.log


@pytest.mark.parametrize(
    "path", ["things", "/../secret", "/%2e%2e/secret", "//evil\n", "/a?b=c", "/a#b", "/a b", "/a\\b"]
)
def test_paths_that_lead_elsewhere(http, server, path):
    """A hostile id in a path cannot lead to another resource."""
    with pytest.raises(Refused) as caught:
        http.read(path)
    assert caught.value.cause == "bad_path"
    assert not server.log


def test_clock_skew_and_deprecation(http, server, capsys):
    """The provider's Date tells the clock skew; a Deprecation header is logged once per kind of path."""
    server.skew = timedelta(minutes=-5)
    server.after(lambda _, answer: answer.with_headers({"Deprecation": "true"}))
    for _ in range(3):
        http.read("/things")
    assert abs(http.clock_skew + timedelta(minutes=5)) <= timedelta(seconds=2)
    assert capsys.readouterr().out.count("provider_deprecation") == 1


def test_threads_share_a_session(http, server):
    """Many threads use one session at once, and every answer reaches its own caller."""

    @server.route("GET", r"/echo/(\d+)", locked=False)
    def echo(request: Request) -> Response:
        return Response.json({"id": int(request.groups[0])})

    wrong = []

    def work(first):
        wrong.extend(n for n in range(first, first + 20) if http.read(f"/echo/{n}").data["id"] != n)

    threads = [threading.Thread(target=work, args=(100 * k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert len(server.calls("GET", "echo")) == 160


def test_plain_http_only_to_this_machine():
    """A token never leaves this machine unencrypted, unless the operator says so for that account."""
    with pytest.raises(ValueError, match="https"):
        HttpSettings(base_url="http://gateway.example/api")
    assert HttpSettings(base_url="http://gateway.example/api", plain_http=True)
    with pytest.raises(ValueError, match="user name"):
        HttpSettings(base_url="https://me:pw@gateway.example/api")


def test_a_write_whose_time_is_over_is_not_begun(http, server):
    """What comes before a write may take longer than the call was given; then it is not made, as somebody may be making it again."""
    with http.delivering(seconds=0.0):
        http.read("/things")
        with pytest.raises(RetryLater, match="not begun"):
            http.write("POST", "/things", body={})
    assert server.effects == []
    with http.delivering(seconds=60):
        http.write("POST", "/things", body={})
    http.write("POST", "/things", body={})
    assert len(server.effects) == 2


def test_a_machine_that_slept_begins_no_write(server):
    """A machine that sleeps counts no seconds: by the technical clock the time of the call is over all the same."""
    now = [datetime(2026, 3, 2, 8, tzinfo=UTC)]
    with Http(server.base_url, technical=lambda: now[0], sleep=lambda _: None) as http, http.delivering(seconds=60):
        now[0] += timedelta(hours=8)
        with pytest.raises(RetryLater, match="not begun"):
            http.write("POST", "/things", body={})
    assert server.effects == []


@pytest.mark.parametrize("written", ["NaN", "-Infinity", "1e999999999", "-1e401", "9" * 5000])
def test_a_number_that_is_none_spoils_nothing_else(written):
    """It is the text that stands there, which fits no amount; what stands beside it can be read."""
    assert parse_json(f'[{{"a": {written}}}, {{"a": 1.50}}]'.encode()) == [{"a": written}, {"a": Decimal("1.50")}]


@pytest.mark.parametrize(
    "body",
    [
        b'{"a\\ud800": ["\\udc00\\ud800", "\\ud83d\\ude00"]}',
        b'{"a\xed\xa0\x80": ["\xed\xb0\x80\xed\xa0\x80", "\xf0\x9f\x98\x80"]}',
    ],
)
def test_half_a_sign_becomes_one_that_can_be_kept(body):
    """No database and no file takes half a sign; one record with it must not stop an account."""
    data = parse_json(body)
    assert next(iter(data.values()))[1] == "😀"
    assert json.dumps(data, ensure_ascii=False).encode().decode().count("\N{REPLACEMENT CHARACTER}") >= 2
