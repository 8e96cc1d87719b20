"""OAuth against a real authorization server on loopback: in time, once, and with a clear word when a person must act."""

import subprocess
import sys
import textwrap
import threading
from datetime import UTC, datetime, timedelta

import pytest
import requests
from sqlalchemy import insert, select

from bridge.errors import BadAnswer, ConfigError, RetryLater
from bridge.http import Http, HttpSettings, MemoryTokens, TokenAuth
from bridge.http.oauth import LARGEST_TOKEN_ANSWER
from bridge.secrets import Vault
from bridge.store import Store
from bridge.store.tables import account as accounts
from bridge.testing.authserver import AuthServer
from bridge.testing.gateway import Gateway
from bridge.testing.server import Response, Server

KEY = "test-key-" + "k" * 40
HUGE = b'{"access_token": "' + b"a" * LARGEST_TOKEN_ANSWER + b'", "token_type": "bearer"}'


@pytest.fixture
def auth():
    with AuthServer() as made:
        yield made


@pytest.fixture
def provider(auth):
    """A provider that wants a bearer token, and counts."""
    server = Server()
    server.effects = []
    server.before(
        lambda request: (
            None
            if auth.valid(request.headers.get("Authorization", "").removeprefix("Bearer "))
            else Response.json({"error": "invalid_token"}, 401)
        )
    )
    server.add("GET", "/x", lambda _: Response.json({"ok": 1}))
    server.add("POST", "/x", lambda _: Response.json({"n": server.effects.append(1)}))
    with server:
        yield server


@pytest.fixture
def tokens():
    return MemoryTokens(lambda: datetime.now(UTC))


def settings(auth, provider, grant="authorization_code", **changes):
    oauth = auth.settings(grant).model_copy(update=changes)
    return HttpSettings(base_url=provider.base_url, auth=oauth, pace=1000, attempts=1)


def connected(auth, tokens, **changes):
    """Store a token as `connect` does, already expired unless told otherwise."""
    token = auth.issue()
    now = int(datetime.now(UTC).timestamp())
    kept = {name: token[name] for name in ("access_token", "refresh_token")} | {"expires_at": now - 10} | changes
    tokens.save("acme", kept, expected=None)
    return kept


def test_refreshed_in_time(auth, provider, tokens):
    """A token that is about to expire is refreshed before the call, and the rotated refresh token is kept."""
    old = connected(auth, tokens, expires_at=int(datetime.now(UTC).timestamp()) + 30)
    with Http(settings(auth, provider), account="acme", tokens=tokens) as http:
        assert http.read("/x").data == {"ok": 1}
        http.read("/x")
    assert auth.token_calls == ["refresh_token"]
    stored = tokens.load("acme")
    assert stored.version == 2
    assert stored.token["refresh_token"] != old["refresh_token"]
    assert stored.token["expires_at"] > datetime.now(UTC).timestamp() + 3000
    assert old["access_token"] not in [request.headers["Authorization"] for request in provider.log]


def test_refresh_token_that_does_not_rotate(auth, provider, tokens):
    """A server that answers no new refresh token: the old one is kept."""
    auth.rotate = False
    old = connected(auth, tokens)
    with Http(settings(auth, provider), account="acme", tokens=tokens) as http:
        http.read("/x")
    assert tokens.load("acme").token["refresh_token"] == old["refresh_token"]


def test_client_credentials(auth, provider, tokens):
    """Without a person: a token is fetched when there is none, and again when it has expired."""
    auth.expires_in = 90
    clock = [datetime.now(UTC)]
    auth.now = lambda: clock[0].timestamp()  # noqa: PLW0108  the clock is set below
    http = Http(
        settings(auth, provider, "client_credentials"), account="acme", tokens=tokens, technical=lambda: clock[0]
    )
    with http:
        http.read("/x")
        http.read("/x")
        clock[0] += timedelta(seconds=100)
        http.read("/x")
    assert auth.token_calls == ["client_credentials"] * 2


WORKER = """
    import sys, threading
    from bridge.http import Http, HttpSettings
    from bridge.secrets import Vault
    from bridge.store import Store

    database, key, settings = sys.argv[1:]
    with Store.open(database, cipher=Vault([key])) as store:
        with Http(HttpSettings.model_validate_json(settings), account="acme", tokens=store.tokens) as http:
            print("ready", flush=True)
            sys.stdin.readline()
            wrong = []
            def work():
                try:
                    http.read("/x")
                except Exception as error:
                    wrong.append(repr(error))
            threads = [threading.Thread(target=work) for _ in range(8)]
            [thread.start() for thread in threads]
            [thread.join() for thread in threads]
            print(wrong, flush=True)
"""


def test_refreshed_once_across_threads_and_processes(auth, provider, database):
    """Two processes with eight threads each meet an expired token at once: one refresh, and every call succeeds."""
    with Store.open(database, cipher=Vault([KEY])) as store:
        connected(auth, store.tokens)
        text = settings(auth, provider).model_dump_json().replace("**********", auth.client_secret)
        command = [sys.executable, "-c", textwrap.dedent(WORKER), database, KEY, text]
        workers = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)
        ]
        for worker in workers:
            assert worker.stdout.readline() == "ready\n"
        for worker in workers:
            worker.stdin.write("go\n")
            worker.stdin.flush()
        answers = [worker.communicate(timeout=60)[0] for worker in workers]
        assert answers == ["[]\n", "[]\n"]
        assert auth.token_calls == ["refresh_token"]
        assert not auth.grants[0].revoked
        assert store.tokens.load("acme").version == 2
        assert len(provider.calls("GET", "/x")) == 16


def test_a_lease_held_elsewhere_is_waited_for(auth, provider, tokens):
    """While another worker refreshes, this one waits and then uses the other's token."""
    connected(auth, tokens)
    assert tokens.acquire("acme", "other", timedelta(minutes=1))
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        if len(slept) == 3:
            connected(auth, tokens, expires_at=None)

    with Http(settings(auth, provider), account="acme", tokens=tokens, sleep=sleep) as http:
        http.prepare()
        assert len(slept) == 3
        assert http.read("/x").data == {"ok": 1}
    assert auth.token_calls == []


def test_a_token_stored_just_before_the_lease(auth, provider):
    """Who gets the lease reads the stored token again: the holder before may have refreshed it."""

    class Late(MemoryTokens):
        def acquire(self, account, owner, ttl):
            connected(auth, self, expires_at=None)
            return super().acquire(account, owner, ttl)

    late = Late(lambda: datetime.now(UTC))
    connected(auth, late)
    with Http(settings(auth, provider), account="acme", tokens=late) as http:
        assert http.read("/x").data == {"ok": 1}
    assert auth.token_calls == []


def test_a_lease_that_never_ends(auth, provider, tokens):
    """Who cannot get the lease gives up for now; nothing was sent."""
    connected(auth, tokens)
    tokens.acquire("acme", "other", timedelta(hours=1))
    http = Http(settings(auth, provider), account="acme", tokens=tokens, sleep=lambda _: None)
    with http, pytest.raises(RetryLater, match="another worker"):
        http.write("POST", "/x")
    assert not provider.log


def test_connected_anew_during_a_refresh(auth, provider, tokens):
    """A token that a person stored while we refreshed is newer than ours: it stays, and is used."""
    connected(auth, tokens)
    newer = []
    gate = auth.faults.hold("/token", after=True)
    with Http(settings(auth, provider), account="acme", tokens=tokens) as http:
        thread = threading.Thread(target=http.read, args=("/x",))
        thread.start()
        assert gate.entered.wait(10)
        newer.append(connected(auth, tokens, expires_at=None))
        gate.open()
        thread.join()
    assert tokens.load("acme").token == newer[0]
    assert provider.log[-1].headers["Authorization"] == "Bearer " + newer[0]["access_token"]


@pytest.mark.parametrize("what", ["revoked", "never", "expired"])
def test_a_person_must_consent(auth, provider, store, what):
    """Revoked, expired or missing consent stops the account with the command that helps, and is not asked for again."""
    with store.begin() as connection:
        connection.execute(insert(accounts).values(name="acme", connector="billomat"))
    with_key = Store(store.engine, store.now, Vault([KEY]))
    if what != "never":
        connected(auth, with_key.tokens, **({"refresh_token": None} if what == "expired" else {}))
        auth.revoke_all()
    with Http(settings(auth, provider), account="acme", tokens=with_key.tokens) as http:
        for _ in range(2):
            for call in (lambda: http.read("/x"), lambda: http.write("POST", "/x"), http.prepare):
                with pytest.raises(ConfigError, match="mahnbridge connect acme") as caught:
                    call()
                assert caught.value.cause == "reconnect"
        assert len(auth.token_calls) == (1 if what == "revoked" else 0)
        with store.reading() as connection:
            row = connection.execute(select(accounts.c.state, accounts.c.state_text)).one()
        assert row.state == "reconnect"
        assert "mahnbridge connect acme" in row.state_text
        connected(auth, with_key.tokens, expires_at=None)
        assert http.read("/x").data == {"ok": 1}
    with store.reading() as connection:
        assert connection.execute(select(accounts.c.state)).scalar_one() == "ok"


def test_reuse_detection_is_real(auth, provider, tokens):
    """The server revokes a grant whose refresh token comes twice, so a second refresh would have been seen above."""
    old = connected(auth, tokens)
    with Http(settings(auth, provider), account="acme", tokens=tokens) as http:
        http.read("/x")
        form = {"grant_type": "refresh_token", "refresh_token": old["refresh_token"]}
        pair = (auth.client_id, auth.client_secret)
        assert requests.post(auth.base_url + "/token", data=form, auth=pair, timeout=5).status_code == 400
        with pytest.raises(ConfigError) as caught:
            http.read("/x")
    assert caught.value.cause == "reconnect"


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (lambda faults: faults.status(500, "/token"), RetryLater),
        (lambda faults: faults.status(429, "/token", body="slow down"), RetryLater),
        (lambda faults: faults.status(400, "/token", body={"error": "temporarily_unavailable"}), RetryLater),
        (lambda faults: faults.cut_before("/token"), RetryLater),
        (lambda faults: faults.html("/token"), BadAnswer),
        (lambda faults: faults.redirect("http://127.0.0.1:9/elsewhere", "/token"), BadAnswer),
        (lambda faults: faults.status(200, "/token", body=HUGE), BadAnswer),
        (lambda faults: faults.status(200, "/token", body=b"[" * 100_000), BadAnswer),
        (lambda faults: faults.status(200, "/token", body=b"5"), BadAnswer),
        (lambda faults: faults.status(200, "/token", body=["no", "token"]), BadAnswer),
        (lambda faults: faults.status(200, "/token", body={"access_token": 7}), BadAnswer),
        (lambda faults: faults.status(200, "/token", body={"access_token": "a\r\nb"}), BadAnswer),
        (lambda faults: faults.status(200, "/token", body={"access_token": "a", "token_type": "mac"}), ConfigError),
        (lambda faults: faults.status(401, "/token", body={"error": "invalid_client"}), ConfigError),
        (lambda faults: faults.status(400, "/token", body={"error": "invalid_scope"}), ConfigError),
        (lambda faults: faults.status(400, "/token", body={"error": {"weird": 1}}), ConfigError),
    ],
)
def test_bad_days_of_the_token_endpoint(auth, provider, tokens, fault, error):
    """Whatever the token endpoint answers, the error is typed, names no secret, and the stored token stays as it was."""
    old = connected(auth, tokens)
    fault(auth.faults)
    with Http(settings(auth, provider), account="acme", tokens=tokens) as http:
        with pytest.raises(error) as caught:
            http.write("POST", "/x")
        assert type(caught.value) is error
        text = repr(caught.value) + repr(caught.value.__cause__)
        assert not any(secret in text for secret in (auth.client_secret, old["refresh_token"], old["access_token"]))
        assert tokens.load("acme").token == old
        assert not provider.log
        auth.faults.clear()
        if error is not ConfigError and not auth.grants[0].refreshes:
            assert http.read("/x").data == {"ok": 1}


def test_a_silent_token_endpoint(auth, provider, tokens, monkeypatch):
    """A token endpoint that trickles cannot hold us for ever."""
    monkeypatch.setattr("bridge.http.oauth.TOKEN_DEADLINE", 0.3)
    connected(auth, tokens)
    auth.faults.trickle(0.05, "/token")
    with Http(settings(auth, provider), account="acme", tokens=tokens) as http, pytest.raises(RetryLater):
        http.read("/x")


def test_a_token_refused_early(auth, provider, tokens):
    """A token that the provider refuses before its time is replaced: a read goes on, a write is RetryLater once."""
    connected(auth, tokens, access_token="unknown-1", expires_at=None)
    with Http(settings(auth, provider), account="acme", tokens=tokens) as http:
        assert http.read("/x").data == {"ok": 1}
        connected(auth, tokens, access_token="unknown-2", expires_at=None)
    with Http(settings(auth, provider), account="acme", tokens=tokens) as http:
        with pytest.raises(RetryLater) as caught:
            http.write("POST", "/x")
        assert caught.value.cause == "token_renewed"
        assert provider.effects == []
        http.write("POST", "/x")
    assert provider.effects == [1]


def test_a_provider_that_refuses_every_token(auth, provider, tokens):
    """Where a fresh token is refused too, a person must act; tokens are not fetched without end."""
    connected(auth, tokens, expires_at=None)
    provider.faults.status(401, body={}, times=None)
    with Http(settings(auth, provider), account="acme", tokens=tokens) as http:
        with pytest.raises(RetryLater):
            http.write("POST", "/x")
        for _ in range(3):
            with pytest.raises(ConfigError):
                http.write("POST", "/x")
    assert len(auth.token_calls) == 1


def test_the_gateway_holds_the_providers_token(auth, tokens):
    """Behind the gateway the provider's own token is the gateway's; ours opens nothing there, and a stranger's nothing here."""
    with Server() as sandbox:
        sandbox.before(lambda r: None if r.headers.get("X-Key") == "provider-key-1" else Response.json({}, 401))
        sandbox.add("GET", "/x", lambda r: Response.json({"auth": r.headers.get("Authorization")}))
        sandbox.add("POST", "/x", lambda r: Response.json({"body": r.json(), "q": r.arg("q")}, 201))
        upstream = HttpSettings(base_url=sandbox.base_url, auth=TokenAuth(token="provider-key-1", header="X-Key"))
        with Gateway(upstream, auth) as gateway:
            with Http(settings(auth, gateway, "client_credentials"), account="acme", tokens=tokens) as http:
                assert http.read("/x").data == {"auth": None}
                made = http.write("POST", "/x", params={"q": "ä b"}, body={"n": 1})
                assert (made.status, made.data) == (201, {"body": {"n": 1}, "q": "ä b"})
                sandbox.faults.cut_before()
                with pytest.raises(RetryLater, match="HTTP 502"):
                    http.read("/x")
            assert (
                requests.get(gateway.base_url + "/x", headers={"X-Key": "provider-key-1"}, timeout=5).status_code == 401
            )
    assert len(sandbox.log) == 3
