"""Log-in with a token: a real mail server that takes nothing else, a real authorization server, and a store that keeps what was issued."""

import base64

import pytest
from aiosmtpd.smtp import AuthResult

from bridge.channels.smtp import Smtp
from bridge.contract import ConfigError, RetryLater, Unclear
from bridge.secrets import Vault
from bridge.store import Store
from bridge.testing.authserver import AuthServer
from bridge.testing.imap import ImapServer
from tests.unit.channels.conftest import NOW, Post, Server

USER = "mahnung@agentur.example"


class Hoster(Post):
    """A mail server that takes tokens of that authorization server for that user, and says why not as the hosters do."""

    def __init__(self, auth):
        super().__init__()
        self.auth, self.seen = auth, []

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
        if not session.authenticated:
            return "530 5.7.0 log in first"
        return await super().handle_MAIL(server, session, envelope, address, options)

    async def judge(self, server, answer, last):
        fields = dict(one.partition("=")[::2] for one in answer.split("\x01") if "=" in one)
        token = fields.get("auth", "").removeprefix("Bearer ")
        self.seen.append(token)
        if self.auth.valid(token) and USER in answer:
            return AuthResult(success=True)
        said = await server.challenge_auth(b'{"status":"401"}', encode_to_b64=True)
        assert said == last
        await server.push("535 5.7.8 token not accepted")
        return AuthResult(success=False, handled=True)


class Old(Hoster):
    async def auth_XOAUTH2(self, server, args):  # noqa: N802
        answer = base64.b64decode(args[1]).decode()
        assert answer.startswith(f"user={USER}\x01")
        return await self.judge(server, answer, b"")


class New(Hoster):
    async def auth_OAUTHBEARER(self, server, args):  # noqa: N802
        answer = base64.b64decode(args[1]).decode()
        assert answer.startswith(f"n,a={USER},\x01host=127.0.0.1\x01port=")
        return await self.judge(server, answer, b"\x01")


@pytest.fixture
def auth():
    with AuthServer() as running:
        yield running


@pytest.fixture(params=[Old, New])
def hoster(request, auth):
    running = Server(
        request.param(auth), hostname="127.0.0.1", port=0, auth_require_tls=False,
        auth_exclude_mechanism=["PLAIN", "LOGIN"], data_size_limit=None,
    )  # fmt: skip
    running.start()
    yield running
    running.stop(no_assert=True)


@pytest.fixture
def channel(hoster, auth, settings):
    def make(**oauth):
        given = {
            "client_id": auth.client_id,
            "client_secret": auth.client_secret,
            "token_url": auth.base_url + "/token",
        }
        block = {"port": hoster.port, "user": USER, "oauth": {**given, **oauth}}
        return Smtp(settings(**block), clock=lambda: NOW)

    return make


def test_a_mail_goes_out_by_client_credentials(channel, hoster, write):
    """One token serves several mails."""
    smtp = channel()
    assert smtp.check().ok
    smtp.push(write())
    smtp.push(write(subject="Noch eine"))
    assert len(hoster.handler.accepted) == 2
    assert len(set(hoster.handler.seen)) == 1


def test_a_token_that_is_refused_is_renewed_once(channel, hoster, auth, write):
    """Revoked at the hoster: the next mail gets a new token and goes out; where that one is refused too, a person must act."""
    smtp = channel()
    smtp.push(write())
    auth.revoke_all()
    smtp.push(write())
    assert len(hoster.handler.accepted) == 2
    assert len(set(hoster.handler.seen)) == 2
    auth.valid = lambda token: False
    with pytest.raises(ConfigError, match="log-in refused") as caught:
        smtp.push(write())
    assert caught.value.cause == "smtp_login"
    assert not any(token in str(caught.value) for token in hoster.handler.seen)
    assert len(hoster.handler.accepted) == 2


def test_a_refresh_token_is_kept_as_it_rotates(channel, auth, hoster, write, tmp_path):
    """The server issues a new refresh token with each renewal: the next process goes on with that one, sealed in the store."""
    first = auth.issue()["refresh_token"]
    for _ in range(2):
        with Store.open(tmp_path / "s.db", cipher=Vault.open(tmp_path, None, [])) as store:
            smtp = channel(refresh_token=first)
            smtp.keep_tokens(store.tokens)
            smtp.push(write())
    assert len(hoster.handler.accepted) == 2
    assert first.encode() not in (tmp_path / "s.db").read_bytes()


def test_a_new_refresh_token_in_the_configuration_counts(channel, auth, hoster, write, tmp_path):
    """The consent is revoked: that is told with the key to change; with a new token there mails go out again."""
    with Store.open(tmp_path / "s.db", cipher=Vault.open(tmp_path, None, [])) as store:
        old = channel(refresh_token=auth.issue()["refresh_token"])
        old.keep_tokens(store.tokens)
        old.push(write())
        auth.revoke_all()
        with pytest.raises(ConfigError, match="put a new one into channels") as caught:
            old.push(write())
        assert caught.value.cause == "smtp_refresh_token"
        new = channel(refresh_token=auth.issue()["refresh_token"])
        new.keep_tokens(store.tokens)
        new.push(write())
    assert len(hoster.handler.accepted) == 2


def test_what_keeps_it_from_logging_in_is_told(channel, settings, auth, server, write):
    """Wrong secret: a person; authorization server away: later; a mail server without such a log-in: a person. Nothing is sent."""
    with pytest.raises(ConfigError, match="invalid_client"):
        channel(client_secret="falsch").push(write())
    with pytest.raises(RetryLater):
        channel(token_url="http://127.0.0.1:1/token").push(write())
    block = {"client_id": auth.client_id, "client_secret": auth.client_secret, "token_url": auth.base_url + "/token"}
    with pytest.raises(ConfigError, match="XOAUTH2") as caught:
        Smtp(settings(port=server.port, user=USER, oauth=block)).push(write())
    assert caught.value.cause == "smtp_security"


@pytest.mark.parametrize(
    "changes",
    [
        {"password": "geheim"},
        {"user": None},
        {"user": "mahnung\x01auth=Bearer x"},
        {"oauth": {"client_id": "c", "token_url": "https://login.example/token"}},
        {"oauth": {"client_id": "c", "client_secret": "s", "token_url": "http://login.example/token"}},
    ],
)
def test_wrong_settings_are_refused(settings, changes):
    """A password beside a token, no user, a user with control characters, no secret, a token over an open line."""
    good = {"client_id": "c", "client_secret": "s", "token_url": "https://login.example/token"}
    with pytest.raises(ValueError, match=r"oauth|https"):
        settings(**({"user": USER, "oauth": good} | changes))


@pytest.fixture(params=["XOAUTH2", "OAUTHBEARER"])
def mailbox(request, auth):
    """A mailbox that takes tokens of that authorization server alone, and keeps which it was shown."""
    shown = []

    def valid(token):
        shown.append(token)
        return auth.valid(token)

    with ImapServer(USER, valid=valid, mechanism=request.param) as running:
        running.shown = shown
        yield running


@pytest.fixture
def block(mailbox, auth):
    def make(**changes):
        own = {"client_id": auth.client_id, "client_secret": auth.client_secret, "token_url": auth.base_url + "/token"}
        where = {"host": mailbox.host, "port": mailbox.port, "security": "none", "user": USER}
        return where | {"oauth": own | changes}

    return make


def test_mailboxes_are_opened_by_token(mailbox, settings, block, post, write):
    """Both mailboxes log in with tokens: the archive proves a mail whose answer was lost, reports are read."""
    post.copies["archiv@agentur.example"] = mailbox.folders["INBOX"]
    archive = block() | {"address": "archiv@agentur.example"}
    smtp = Smtp(settings(archive=archive, bounces=block()), clock=lambda: NOW)
    assert smtp.check().ok
    post.data = "lost"
    with pytest.raises(Unclear):
        smtp.push(write())
    assert smtp.find(write()).facts["archive"].endswith("/INBOX")
    assert smtp.returns(None).reports == ()
    assert len(set(mailbox.shown)) == 1  # equal log-ins share their token


def test_a_token_that_the_mailbox_refuses_is_renewed_once(mailbox, settings, block, auth):
    """Revoked at the hoster: a new token opens the mailbox; where that one is refused too, a person must act, and no token is told."""
    smtp = Smtp(settings(bounces=block()), clock=lambda: NOW)
    smtp.returns(None)
    auth.revoke_all()
    smtp.returns(None)
    assert len(set(mailbox.shown)) == 2
    auth.valid = lambda token: False
    with pytest.raises(ConfigError, match="log-in refused") as caught:
        smtp.returns(None)
    assert caught.value.cause == "imap_login"
    assert not any(token in str(caught.value) for token in mailbox.shown)


def test_the_log_in_of_mail_server_and_mailbox_may_be_one(mailbox, settings, block, hoster, auth, write, tmp_path):
    """One consent for both: a refresh token that changes with each renewal is kept once, and serves both ever after."""
    own = block(refresh_token=auth.issue()["refresh_token"])
    for _ in range(2):
        with Store.open(tmp_path / "s.db", cipher=Vault.open(tmp_path, None, [])) as store:
            smtp = Smtp(settings(port=hoster.port, user=USER, oauth=own["oauth"], bounces=own), clock=lambda: NOW)
            smtp.keep_tokens(store.tokens)
            smtp.push(write())
            smtp.returns(None)
    assert len(hoster.handler.accepted) == 2


def test_what_keeps_it_out_of_the_mailbox_is_told(mailbox, settings, block, imap, auth):
    """A revoked consent is told with the key to change; a mailbox without log-in by token, and an authorization server that is away."""
    old = Smtp(settings(bounces=block(refresh_token=auth.issue()["refresh_token"])))
    auth.revoke_all()
    with pytest.raises(ConfigError, match=r"channels\.smtp\.bounces\.oauth\.refresh_token"):
        old.returns(None)
    plain = block() | {"port": imap.port}
    assert "imap_security" in {one.code for one in Smtp(settings(bounces=plain)).check().findings}
    with pytest.raises(RetryLater):
        Smtp(settings(bounces=block(token_url="http://127.0.0.1:1/token"))).returns(None)


@pytest.mark.parametrize("changes", [{"password": "geheim"}, {"oauth": None}, {"user": "büro@agentur.example"}])
def test_wrong_settings_of_a_mailbox_are_refused(settings, block, changes):
    """Password and token, neither of them, a user that no log-in by token can carry."""
    with pytest.raises(ValueError, match=r"password or oauth|plain ASCII"):
        settings(bounces=block() | changes)
