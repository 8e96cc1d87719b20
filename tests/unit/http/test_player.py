"""A recording run again: each step is answered as then, also where the connector remembered, or nobody would prove who we are."""

from datetime import UTC, datetime

import pytest

from bridge.errors import BridgeError, UsageError
from bridge.http import FileRecorder, Http, HttpSettings, MemoryTokens
from bridge.http.player import Player
from bridge.replay.bundle import pseudonymised
from bridge.replay.pseudonyms import Pseudonyms
from bridge.testing.authserver import AuthServer
from bridge.testing.server import Response, Server


def line(url, body, status=200, method="GET"):
    return {
        "method": method, "url": url, "status": status, "body": body, "headers": {}, "at": "2026-09-01T08:00:00+00:00",
        "error": None, "sent": True,
    }  # fmt: skip


def played(exchanges, beside=(), base="https://x.invalid/api"):
    player = Player(exchanges, base, beside)
    return Http(HttpSettings(base_url=base, attempts=1), account="main", wire=player)


def test_what_another_step_was_told_once_for_all():
    """What this step did not ask itself is answered as another was; what it asked itself is not, nor another question, nor what failed there."""
    beside = [
        line("/api/levels?page=1", "[1]"), line("/api/levels?page=1", "[2]"), line("/api/x", "[3]"), line("/api/y", "[]", 500),
    ]  # fmt: skip
    http = played([line("/api/x", "[4]")], beside)
    assert http.read("/levels", params={"page": 1}).data == [1]
    assert http.read("/x").data == [4]
    for path, params in (("/levels", {"page": 2}), ("/y", {}), ("/z", {})):
        with pytest.raises(UsageError) as raised:
            http.read(path, params=params)
        assert raised.value.cause == "not_recorded"


@pytest.mark.parametrize("what", ["revoked", "never"])
def test_a_consent_that_ended_is_replayed(tmp_path, what):
    """Refused at the first call, or before it: the recording says so, and a replay ends with the same cause."""
    tokens = MemoryTokens(lambda: datetime.now(UTC))
    with AuthServer() as auth, Server() as provider:
        provider.add("GET", "/items", lambda _: Response.json({"error": "invalid_token"}, 401))
        if what == "revoked":
            tokens.save("main", auth.issue(), expected=None)
            auth.revoke_all()
        settings = HttpSettings(base_url=provider.base_url, auth=auth.settings(), pace=1000, attempts=1)
        recorder = FileRecorder(tmp_path, every=False)
        with Http(settings, account="main", tokens=tokens, recorder=recorder) as http, recorder.run() as tape:
            tape.begin(1)
            tape.keep = True
            with pytest.raises(BridgeError) as then:
                http.read("/items")
    said = pseudonymised(recorder.read(1)[1:], Pseudonyms(["items"]))
    with pytest.raises(BridgeError) as now:
        played(said, base="https://x.invalid").read("/items")
    assert (type(now.value), now.value.cause) == (type(then.value), "reconnect")
