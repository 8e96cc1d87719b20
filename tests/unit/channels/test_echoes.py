"""Servers that say our password back to us: nothing that is made of their answers holds it."""

import base64
import json

import pytest

from bridge.channels.bounces import report_in
from bridge.channels.imap import ImapFolder
from bridge.channels.smtp import Smtp
from bridge.errors import BridgeError
from bridge.http.redact import KNOWN
from tests.unit.channels.test_limits import Hostile

PASSWORD = "Gepfl4nzt/Wort+1=="
ECHO = f"you are u with {PASSWORD}, or {base64.b64encode(PASSWORD.encode()).decode()}".encode()


@pytest.fixture(autouse=True)
def _known():
    KNOWN.add(PASSWORD)  # as opening an installation does


def told(error):
    """Return everything that an error carries on its way to screen, log and store."""
    chain = []
    while error is not None:
        chain.append(error)
        error = error.__cause__
    first = chain[0]
    return [str(first), repr(first), first.sentence.to_store(), json.dumps(vars(first), default=str)]


def silent(said):
    for text in said:
        assert PASSWORD not in text
        assert base64.b64encode(PASSWORD.encode()).decode()[:16] not in text


@pytest.mark.parametrize(
    ("verb", "code"),
    [
        (b"EHLO", b"554"), (b"AUTH", b"535"), (b"AUTH", b"454"), (b"MAIL", b"550"), (b"MAIL", b"451"), (b"RCPT", b"550"),
        (b"RCPT", b"451"), (b"DATA", b"554"), (b"DATA", b"451"), (b".", b"554"), (b".", b"299"), (b"SIZE", b"552"),
    ],
)  # fmt: skip
def test_a_mail_server_that_echoes_the_password(script, settings, write, verb, code):
    """At whatever step it refuses, and whether for now or for good: the error that is kept and shown has the server's words without it."""
    answers = {b"EHLO": b"250-hi\r\n250 AUTH PLAIN LOGIN\r\n", b"AUTH": b"235 OK\r\n", b"DATA": b"354 go on\r\n"}
    answers |= {b"HELO": code + b" " + ECHO + b"\r\n"} | {verb: code + b" " + ECHO + b"\r\n"}
    if verb == b"SIZE":
        answers[b"EHLO"] = b"250-hi\r\n250-SIZE 10\r\n250 AUTH PLAIN " + ECHO + b"\r\n"
    smtp = Smtp(settings(port=script(answers), user="u", password=PASSWORD))
    with pytest.raises(BridgeError) as wrong:
        smtp.push(write())
    silent(told(wrong.value))


@pytest.mark.parametrize("greeting", [b"554 " + ECHO + b"\r\n", ECHO + b"\r\n"], ids=["refused", "none"])
def test_a_greeting_that_echoes_the_password(script, settings, write, greeting):
    """Also one that is none."""
    with pytest.raises(BridgeError) as wrong:
        Smtp(settings(port=script({}, greeting=greeting), user="u", password=PASSWORD)).push(write())
    silent(told(wrong.value))


def test_an_answer_that_is_kept_as_proof(script, settings, write):
    """What the server said of a mail that it took stands in the proof, without the password."""
    answers = {b"EHLO": b"250-hi\r\n250 AUTH PLAIN\r\n", b"AUTH": b"235 OK\r\n", b"DATA": b"354 go on\r\n"}
    port = script(answers | {b".": b"250 queued for " + ECHO + b"\r\n"})
    proof = Smtp(settings(port=port, user="u", password=PASSWORD)).push(write())
    assert "queued for" in proof.model_dump_json()
    silent([proof.model_dump_json()])


LOGIN, SELECT, SEARCH = range(3)


@pytest.mark.parametrize("word", [b"NO", b"BAD", b"BYE"])
@pytest.mark.parametrize("step", [LOGIN, SELECT, SEARCH])
def test_a_mailbox_that_echoes_the_password(step, word):
    """At log-in, folder or search, refused or broken off."""
    good = (b"* CAPABILITY IMAP4rev1\r\nTAG OK\r\n", b"TAG OK\r\n", b"* OK [UIDVALIDITY 1] .\r\nTAG OK\r\n")
    bad = b"* BYE " + ECHO + b"\r\n" if word == b"BYE" else b"TAG " + word + b" " + ECHO + b"\r\n"

    def behave(server, line):
        line.sendall(b"* OK " + ECHO + b"\r\n")
        for reply in (*good[: step + 1], bad):
            tag = line.recv(65536).partition(b" ")[0]
            line.sendall(reply.replace(b"TAG", tag))

    with Hostile(behave) as server, pytest.raises(BridgeError) as wrong:
        ImapFolder("127.0.0.1", server.port, "none", "u", PASSWORD, "INBOX", timeout=2).holds("<x@y>")
    silent(told(wrong.value))


def test_a_report_of_returned_mail_that_echoes_the_password():
    """What a server wrote into its report is kept as the reason, without the password."""
    mail = (
        b"Content-Type: multipart/report; boundary=b\r\nMessage-ID: <r@x>\r\nSubject: failed\r\n\r\n--b\r\n"
        b"Content-Type: message/delivery-status\r\n\r\nAction: failed\r\nFinal-Recipient: rfc822; k@x.example\r\n"
        b"Diagnostic-Code: smtp; 550 unknown " + ECHO + b"\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n"
        b"Message-ID: <m@ours.example>\r\n\r\n--b--\r\n"
    )
    report = report_in(mail, "1:1")
    assert "550 unknown" in report.reason
    silent([repr(report)])
