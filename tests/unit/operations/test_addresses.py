"""Every address that the configuration can name is classified in docs/security.md: guarded against leading into the own network, or why not."""

import re
import socket
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.channels.smtp import Smtp, SmtpSettings
from bridge.config.schema import schema
from bridge.errors import ConfigError
from bridge.http import Http, HttpSettings, MemoryTokens
from bridge.testing.server import Server

DOC = (Path(__file__).parents[3] / "docs" / "security.md").read_text("utf-8")
ROWS = re.findall(
    r"^\| (`.*`) \| (yes|no) \| (.+) \|$",
    DOC.partition("## Addresses in the configuration")[2].partition("\n## ")[0],
    re.MULTILINE,
)
CLASSES = {key: (guarded == "yes", why) for keys, guarded, why in ROWS for key in re.findall(r"`([^`]+)`", keys)}
ADDRESS = re.compile(r"(^|_)(url|uri|host|proxy|endpoint|webhook|server)$")


def keys(node, definitions, path="", above=()):
    """Yield the path of every key that bridge.yaml can have; `*` stands for a name of the operator's choice."""
    name = node.get("$ref", "").rpartition("/")[2]
    if name:
        if name not in above:
            yield from keys(definitions[name], definitions, path, (*above, name))
        return
    for word in ("anyOf", "oneOf", "allOf"):
        for one in node.get(word, ()):
            yield from keys(one.get("then", one), definitions, path, above)
    for key, inner in node.get("properties", {}).items():
        yield f"{path}{key}"
        yield from keys(inner, definitions, f"{path}{key}.", above)
    inside = [node.get("items"), node.get("additionalProperties"), *node.get("patternProperties", {}).values()]
    for inner in inside:
        if isinstance(inner, dict):
            yield from keys(inner, definitions, f"{path}*." if inner is not node.get("items") else path, above)


def test_every_address_is_classified():
    """No key of the configuration that names an address is missing in docs/security.md, and none is there that does not exist."""
    whole = schema()
    found = set(keys(whole, whole["$defs"]))
    assert {"accounts.*.http.base_url", "channels.smtp.archive.host", "accounts.*.settings.inbox"} <= found
    assert {key for key in found if ADDRESS.search(key.rpartition(".")[2])} == set(CLASSES)
    assert all(len(why) > 10 for _, why in CLASSES.values())


OAUTH = {"client_id": "c", "client_secret": "secret-of-the-client", "token_url": "https://token.example:{port}/token"}
MAIL = {"host": "127.0.0.1", "port": 25, "security": "none", "user": "a@b.example"}


def _http(port, **more):
    return HttpSettings.model_validate({"base_url": f"https://provider.example:{port}", "attempts": 1, **more})


def _read(settings):
    with Http(settings, account="a", tokens=MemoryTokens(lambda: datetime.now(UTC))) as http:
        http.read("/x")


def _bearer(place, oauth):
    inner = MAIL | {"oauth": oauth}
    part = place.rpartition("smtp")[2].strip(".")
    block = inner if not part else {**MAIL, "user": None, part: inner | {"address": "x@b.example"}}
    if part == "bounces":
        block[part].pop("address")
    Smtp(SmtpSettings.model_validate({"sender_address": "a@b.example", **block}))._bearers[place].token()


def _lead(key, port):
    """Let the program go to the address under `key`."""
    oauth = OAUTH | {"token_url": OAUTH["token_url"].format(port=port)}
    if key == "accounts.*.http.base_url":
        _read(_http(port))
    elif key == "accounts.*.http.auth.token_url":
        _read(_http(port, auth={"type": "oauth2", "grant": "client_credentials", **oauth}))
    else:
        _bearer(key.removesuffix(".oauth.token_url"), oauth)


@pytest.mark.parametrize("key", sorted(key for key, (guarded, _) in CLASSES.items() if guarded))
def test_a_guarded_address_leads_nowhere_else(key, monkeypatch):
    """Where its name means a machine of the own network nothing is sent there, whichever key the address stands under."""
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *more, **named: real("127.0.0.1" if host.endswith(".example") else host, *more, **named),
    )
    with Server() as server:
        with pytest.raises(ConfigError, match=r"leads to 127\.0\.0\.1") as caught:
            _lead(key, server.base_url.rpartition(":")[2])
        assert (caught.value.cause, list(server.log)) == ("address", [])
