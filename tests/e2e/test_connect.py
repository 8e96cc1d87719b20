"""An account behind an OAuth gateway: connected by a person, read, and stopped with a clear message when consent is withdrawn."""

import re
import subprocess

import pytest
import requests

from bridge.http import HttpSettings
from bridge.testing.authserver import AuthServer
from bridge.testing.gateway import Gateway


@pytest.fixture
def gateway(sevdesk):
    """The sandbox behind a gateway that keeps the provider's own token."""
    upstream = HttpSettings.model_validate(
        {"base_url": sevdesk.base_url, "auth": {"type": "token", "token": sevdesk.token}}
    )
    with AuthServer() as auth, Gateway(upstream, auth) as gate:
        yield auth, gate


def connect(office, *words, answer):
    """Run `connect`, let `answer` do what the person and the browser do with the address, and return exit code and output."""
    process = subprocess.Popen(
        office.command("connect", "main", "--as", "Erika", *words), cwd=office.folder, env=office.environment(),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    shown = ""
    for line in process.stdout:
        shown += line
        found = re.search(r"https?://\S+/authorize\?\S+", line)
        if found:
            process.stdin.write(answer(found.group(0)) + "\n")
            process.stdin.flush()
            break
    rest, _ = process.communicate(timeout=60)
    return process.returncode, shown + rest


def browser(url):
    """Consent, and come back to the listener on this machine."""
    assert requests.get(url, timeout=10).status_code == 200
    return ""


def far_browser(url):
    """Consent on another machine, and copy the address that the browser could not open."""
    return requests.get(url, timeout=10, allow_redirects=False).headers["Location"]


@pytest.mark.xdist_group("e2e-connect")
def test_connect_pull_and_a_withdrawn_consent(office, near, gateway):
    """`connect` stores a token that pulls use; without consent the account says so once, in plain words, and shows no token."""
    auth, gate = gateway
    near.init()
    path = office.folder / "bridge.yaml"
    text = path.read_text(encoding="utf-8").replace(office.sandbox.base_url, gate.base_url)
    oauth = (
        f"auth: {{type: oauth2, client_id: {auth.client_id}, client_secret: '${{GATE_SECRET}}', "
        f"authorize_url: {auth.base_url}/authorize, token_url: {auth.base_url}/token}}"
    )
    path.write_text(re.sub(r"auth: \{type: token.*\}", oauth, text), encoding="utf-8")
    office.env["GATE_SECRET"] = auth.client_secret

    before = near("pull", code=1)
    assert "mahnbridge connect main" in before.out
    code, shown = connect(office, "--no-browser", answer=browser)
    assert code == 0, shown
    assert "main is connected" in shown
    near("audit", "export", "trail.jsonl")
    assert '"kind": "connected"' in (office.folder / "trail.jsonl").read_text("utf-8")
    assert near.json("pull")[0]["state"] == "done"

    auth.revoke_all()
    after = near("pull", code=1)
    assert "mahnbridge connect main" in after.out
    assert near.json("status", code=1)["accounts"][0]["state"] == "reconnect"
    code, pasted = connect(office, "--paste", answer=far_browser)
    assert code == 0, pasted
    assert near.json("pull")[0]["state"] == "done"

    for output in (before.out, shown, after.out + after.err, pasted):
        assert not [token for token in auth.issued if token in output]
        assert auth.client_secret not in output
    stored = b"".join(one.read_bytes() for one in (office.folder / "data").glob("mahnbridge.db*"))
    assert not [token for token in auth.issued if token.encode() in stored]
