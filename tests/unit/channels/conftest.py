"""A real mail server on loopback whose answers can be set per command, and the settings that point at it."""

import socketserver
from datetime import UTC, datetime
from email import message_from_bytes, policy
from threading import Thread

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from bridge.channels.smtp import Smtp, SmtpSettings
from bridge.model import Act, Content, Recipients, Ref, WriteBack
from bridge.testing.imap import ImapServer

NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)


class Post:
    """aiosmtpd handler that keeps what was accepted and answers as told."""

    def __init__(self):
        self.accepted, self.rcpt, self.mail, self.data = [], {}, "250 OK", "250 2.0.0 queued as 4711"
        self.copies = {}

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
        if self.mail.startswith("250"):
            envelope.mail_from = address
        return self.mail

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        answer = self.rcpt.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        if self.data.startswith(("250", "lost")):
            self.accepted.append(envelope)
            for address in envelope.rcpt_tos:
                if address in self.copies:
                    self.copies[address].append(envelope.content)
        if self.data == "lost":
            server.transport.abort()
            return "250 never seen"
        return self.data

    @property
    def messages(self):
        return [message_from_bytes(envelope.content, policy=policy.default) for envelope in self.accepted]


class Server(Controller):
    def factory(self):
        return SMTP(self.handler, **self.SMTP_kwargs)

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


def _authenticate(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and (data.login, data.password) == (b"mahnung", b"geheim")
    return AuthResult(success=good, handled=False)


@pytest.fixture
def post():
    return Post()


@pytest.fixture
def server(post, request):
    """A server without a limit of size, or with the one that a test names as its parameter."""
    controller = Server(
        post,
        hostname="127.0.0.1",
        port=0,
        authenticator=_authenticate,
        auth_require_tls=False,
        data_size_limit=getattr(request, "param", None),
    )
    controller.start()
    yield controller
    controller.stop(no_assert=True)


@pytest.fixture
def imap():
    with ImapServer() as running:
        yield running


@pytest.fixture
def settings(server):
    def make(**changes):
        block = {
            "host": "127.0.0.1",
            "port": server.port,
            "security": "none",
            "sender_name": "Muster Agentur GmbH",
            "sender_address": "buchhaltung@agentur.example",
            "reply_to": "fragen@agentur.example",
            "timeout": 5,
            "deadline": 10,
        }
        return SmtpSettings.model_validate(block | changes)

    return make


@pytest.fixture
def smtp(settings):
    return Smtp(settings(), clock=lambda: NOW)


@pytest.fixture
def write():
    def make(**changes):
        content = {
            "level_name": "Zahlungserinnerung",
            "subject": "Zahlungserinnerung zu Rechnung RE-1: bitte prüfen",
            "text": "Guten Tag,\n\nRechnung RE-1 über 119,00 € ist offen.\n.\nMit freundlichen Grüßen",
            "recipients": Recipients(to=("rechnung@kunde.example",)),
        }
        return WriteBack(
            key="csv:RE-1:1:1:0:mail",
            account="csv",
            act=Act.MAIL,
            invoice=Ref.invoice("RE-1", "RE-1"),
            content=Content(**(content | changes)),
        )

    return make


@pytest.fixture
def script():
    """A mail server that follows a script: for each line received, bytes to answer, or None to hang up."""
    servers = []

    def start(answers, greeting=b"220 script\r\n"):
        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                self.wfile.write(greeting)
                in_data = False
                while line := self.rfile.readline():
                    verb = b"." if in_data else line[:4].strip().upper()
                    if in_data and line != b".\r\n":
                        continue
                    reply = answers.get(verb, b"250 OK\r\n")
                    if reply is None:
                        return
                    in_data = verb == b"DATA" and reply.startswith(b"354")
                    self.wfile.write(reply)

        class Threaded(socketserver.ThreadingTCPServer):
            daemon_threads = True

        running = Threaded(("127.0.0.1", 0), Handler)
        thread = Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        servers.append((running, thread))
        return running.server_address[1]

    yield start
    for running, thread in servers:
        running.shutdown()
        running.server_close()
        thread.join()
