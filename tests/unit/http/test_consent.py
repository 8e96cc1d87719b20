"""`mahnbridge connect` against a real authorization server: by the loopback listener, by a pasted address, and under attack."""

import re
import socket
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from bridge.errors import ConfigError, RetryLater, UsageError
from bridge.http import AuthorizationFlow, HttpSettings, MemoryTokens, NoAuth, OAuth2Auth
from bridge.testing.authserver import AuthServer


@pytest.fixture
def auth():
    with AuthServer() as made:
        yield made


@pytest.fixture
def tokens():
    return MemoryTokens(lambda: datetime.now(UTC))


def flow(auth, tokens, **changes):
    oauth = auth.settings().model_copy(update=changes)
    return AuthorizationFlow("acme", HttpSettings(base_url="https://api.example", auth=oauth), tokens)


def consent(url):
    """Open `url` as a browser does and return the address it is sent back to, unvisited."""
    return requests.get(url, timeout=5, allow_redirects=False).headers["Location"]


def test_by_the_listener(auth, tokens):
    """The person consents in the browser, the browser comes back, the token is stored; the page says so in German and English."""
    with flow(auth, tokens) as attempt:
        assert not attempt.wait(0)
        page = requests.get(attempt.url, timeout=5)
        assert attempt.wait(5)
    assert page.status_code == 200
    assert "Verbunden" in page.text
    assert "Connected" in page.text
    assert page.headers["Referrer-Policy"] == "no-referrer"
    stored = tokens.load("acme").token
    assert auth.valid(stored["access_token"])
    assert stored["refresh_token"].startswith("rt-")
    assert stored["expires_at"] > datetime.now(UTC).timestamp() + 3000


def test_by_hand(auth, tokens):
    """On a consent page the person clicks; on a host without a browser the address that did not open is pasted."""
    auth.consent = "manual"
    with flow(auth, tokens) as attempt:
        page = requests.get(attempt.url, timeout=5).text
        action = re.search(r'action="([^"]+)"', page)[1].replace("&amp;", "&")
        form = {"consent": "yes"}
        back = requests.post(auth.base_url + action, data=form, timeout=5, allow_redirects=False).headers["Location"]
        attempt.finish(f"  <{back}>\n")
        assert attempt.wait(0)
    assert auth.valid(tokens.load("acme").token["access_token"])


def test_the_query_alone_may_be_pasted(auth, tokens):
    """Only the part after the question mark is enough."""
    with flow(auth, tokens) as attempt:
        attempt.finish(urlsplit(consent(attempt.url)).query)
    assert tokens.load("acme")


def test_a_public_client(tokens):
    """A client without a secret is proven by PKCE alone."""
    with AuthServer(client_secret=None) as auth, flow(auth, tokens, client_auth="none") as attempt:
        attempt.finish(consent(attempt.url))
    assert tokens.load("acme")


def test_what_is_asked(auth, tokens):
    """The address asks for a code with S256, state, scope and the exact redirect address; two attempts share nothing."""
    with flow(auth, tokens) as first, flow(auth, tokens) as second:
        one, two = (parse_qs(urlsplit(attempt.url).query) for attempt in (first, second))
    assert one["response_type"] == ["code"]
    assert one["code_challenge_method"] == ["S256"]
    assert one["scope"] == ["invoices"]
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/callback", one["redirect_uri"][0])
    assert not {one["state"][0], one["code_challenge"][0]} & {two["state"][0], two["code_challenge"][0]}


def test_an_answer_to_another_attempt(auth, tokens):
    """An address with a strange state is refused by the listener and by paste, and the attempt goes on."""
    with flow(auth, tokens) as attempt, flow(auth, tokens) as other:
        strange = consent(other.url).replace(other.redirect_uri, attempt.redirect_uri)
        assert requests.get(strange, timeout=5).status_code == 400
        for text in (
            strange,
            "",
            "https://evil.example/?code=1",
            attempt.redirect_uri,
            f"{attempt.redirect_uri}?state=",
        ):
            with pytest.raises(UsageError, match="not the answer to this attempt"):
                attempt.finish(text)
        assert not attempt.wait(0)
        assert tokens.load("acme") is None
        requests.get(attempt.url, timeout=5)
        assert attempt.wait(5)


def test_consent_denied(auth, tokens):
    """A person who says no gets a clear word, in the browser and in the program; nothing is stored."""
    auth.consent = "deny"
    with flow(auth, tokens) as attempt:
        page = requests.get(attempt.url, timeout=5).text
        assert "nicht erlaubt" in page
        with pytest.raises(ConfigError, match="access_denied") as caught:
            attempt.wait(5)
        assert caught.value.cause == "consent_refused"
    assert tokens.load("acme") is None


def test_a_stolen_code_is_worthless(auth, tokens):
    """A code is bound to its attempt: with another verifier the server refuses it."""
    with flow(auth, tokens) as attempt:
        back = consent(attempt.url)
        attempt._verifier = "x" * 64
        with pytest.raises(ConfigError) as caught:
            attempt.finish(back)
        assert caught.value.cause == "oauth_invalid_grant"
        assert parse_qs(urlsplit(back).query)["code"][0] not in repr(caught.value)
    assert tokens.load("acme") is None


def test_the_token_endpoint_is_down(auth, tokens):
    """Trouble at the exchange is shown by the program, not hidden by the browser's page."""
    with flow(auth, tokens) as attempt:
        auth.faults.status(503, "/token")
        page = requests.get(attempt.url, timeout=5).text
        assert "Nicht verbunden" in page
        with pytest.raises(RetryLater):
            attempt.wait(5)


def test_strangers_at_the_listener(auth, tokens, capfd):
    """Other paths, other host names and other methods reach nothing, and nothing of a request is printed."""
    with flow(auth, tokens) as attempt:
        base = attempt.redirect_uri.removesuffix("/callback")
        assert requests.get(base + "/other", timeout=5).status_code == 404
        by_name = requests.get(consent(attempt.url), timeout=5, headers={"Host": "evil.example"})
        assert (by_name.status_code, tokens.load("acme")) == (400, None)
        assert requests.post(attempt.redirect_uri, timeout=5).status_code == 501
        with socket.create_connection(("127.0.0.1", urlsplit(base).port)) as idle:
            requests.get(attempt.url, timeout=5)
            assert attempt.wait(5)
            idle.close()
    assert capfd.readouterr() == ("", "")


def test_a_port_that_is_taken(auth, tokens):
    """A configured port that is taken is a clear error."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port}"), flow(auth, tokens, redirect_port=port):
            pass


def test_nothing_to_connect(auth, tokens):
    """Accounts that need no person say so."""
    with pytest.raises(ConfigError, match="needs no person"):
        flow(auth, tokens, grant="client_credentials")
    with pytest.raises(ConfigError, match="not oauth2"):
        AuthorizationFlow("acme", HttpSettings(base_url="https://api.example", auth=NoAuth()), tokens)


@pytest.mark.parametrize(
    "url", ["http://auth.example/token", "ftp://auth.example/token", "https://me:pw@auth.example/", "/token"]
)
def test_only_encrypted_authorization_servers(url):
    """Authorization and token endpoints are https, unless they are on this machine."""
    with pytest.raises(ValueError, match=r"https|user name"):
        OAuth2Auth(client_id="c", authorize_url="https://auth.example/a", token_url=url)
