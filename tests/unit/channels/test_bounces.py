"""Returned mail in a real IMAP mailbox: reports of ours are found once, everything else is passed over, nothing is changed there."""

from datetime import date

import pytest

from bridge.channels import bounces
from bridge.channels.smtp import Smtp
from bridge.contract import ConfigError, RetryLater
from tests.unit.channels.conftest import NOW

MARKER, ID = "mb:0123456789ab", "<0123456789abcdef0123456789abcdef@agentur.example>"


def report(
    action="failed", returned=f"Message-ID: {ID}\nX-Mahnbridge-Marker: {MARKER}\n", own="<r1@mx.example>", **more
):
    """A delivery report as RFC 3464 has it."""
    kind = more.get("kind", "message/rfc822")
    text = f"""From: Mail Delivery System <MAILER-DAEMON@mx.example>
Message-ID: {own}
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

Sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
Arrival-Date: Tue, 1 Sep 2026 08:00:00 +0000

Final-Recipient: rfc822; {more.get("failed", "rechnung@kunde.example")}
Action: {action}
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such\x07 user

--b
Content-Type: {kind}

{returned}Subject: Zahlungserinnerung

{"x" * more.get("size", 10)}
--b--
"""
    return text.replace("\n", "\r\n").encode()


OLD_STYLE = b"""From: MAILER-DAEMON@old.example\r
Message-ID: <old@old.example>\r
X-Failed-Recipients: rechnung@kunde.example\r
Subject: failure notice\r
Content-Type: text/plain\r
\r
Hi. This is the qmail-send program.\r
--- Below this line is a copy of the message.\r
\r
Return-Path: <buchhaltung@agentur.example>\r
X-Mahnbridge-Marker: mb:0123456789ab\r
Subject: Zahlungserinnerung\r
\r
Guten Tag\r
"""


@pytest.fixture
def box(settings, imap):
    block = {"host": imap.host, "port": imap.port, "security": "none", "user": imap.user, "password": imap.password}
    return Smtp(settings(bounces=block), clock=lambda: NOW)


def test_a_report_names_the_mail_that_came_back(box, imap):
    """Marker, Message-ID, failed address and the other side's reason, in one line without control characters."""
    imap.append(report())
    [found] = box.returns(None).reports
    assert found.names == {MARKER, ID}
    assert (found.report, found.recipients) == ("<r1@mx.example>", ("rechnung@kunde.example",))
    assert found.reason == "550 5.1.1 no such user"


@pytest.mark.parametrize(
    ("mail", "names"),
    [
        (report(kind="text/rfc822-headers"), {MARKER, ID}),
        (report(returned=f"Message-ID: {ID}\n"), {ID}),
        (report(size=bounces.LARGEST_PART * 2), {MARKER, ID}),  # what comes after the beginning is not read
        (OLD_STYLE, {MARKER}),
    ],
)
def test_reports_of_many_kinds(box, imap, mail, names):
    """Headers alone, no marker, a huge returned mail, a server that knows no RFC 3464: each names our mail."""
    imap.append(mail)
    assert [one.names for one in box.returns(None).reports] == [names]


@pytest.mark.parametrize(
    "mail",
    [
        report(action="delayed"),
        report(action="delivered"),
        report(returned="X-Mahnbridge-Marker: mb:0123\n"),
        report().replace(b"multipart/report", b"multipart/mixed").replace(b"MAILER-DAEMON", b"rechnung"),
        b"From: rechnung@kunde.example\r\nSubject: Re: Zahlungserinnerung\r\nIn-Reply-To: "
        + ID.encode()
        + b"\r\n\r\nBezahlt.\r\n",
        b"",
        b"\r\n\xff\xfe\x00 garbage",
        b"From: mailer-daemon@x\r\nContent-Type: multipart/report; boundary=a\r\n\r\n"
        + b"--a\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n" * 500,
        b"From: MAILER-DAEMON\r\nContent-Type: message/delivery-status\r\n\r\n=?x?q?",
    ],
)
def test_what_is_no_report_is_passed_over(box, imap, mail):
    """Delays, answers of customers, forwarded letters and garbage mark nothing, and what comes after them is still read."""
    imap.append(mail)
    imap.append(report(own="<after@mx.example>"))
    assert [one.report for one in box.returns(None).reports] == ["<after@mx.example>"]


def test_each_report_is_read_once(box, imap, monkeypatch):
    """The next look goes on behind the last mail, in bounded portions; a server that numbers anew is read again."""
    monkeypatch.setattr(bounces, "MOST_MAILS", 2)
    for number in range(3):
        imap.append(report(own=f"<r{number}@mx.example>"))
    first = box.returns(None)
    second = box.returns(first.since)
    assert [one.report for one in (*first.reports, *second.reports)] == [
        f"<r{number}@mx.example>" for number in range(3)
    ]
    third = box.returns(second.since)
    assert (third.reports, third.since) == ((), second.since)
    imap.validity = 2
    assert len(box.returns(second.since).reports) == 2


def test_nothing_is_changed_in_the_mailbox(box, imap):
    """The folder is opened for reading only, and no mail is marked as seen."""
    imap.append(report())
    box.returns(None)
    assert {one.split()[1 if one.split()[0] != "UID" else 0] for one in imap.asked if "FETCH" in one} == {"UID"}
    assert all(".PEEK[" in one for one in imap.asked if "FETCH" in one)
    assert not any(verb in one.split()[:2] for one in imap.asked for verb in ("SELECT", "STORE", "EXPUNGE"))


def test_without_such_a_mailbox_nothing_is_heard(smtp):
    """No mailbox named: reports are a person's to record."""
    assert smtp.returns(None) is None


def test_a_mailbox_that_cannot_be_read_is_named(settings, imap):
    """Wrong password: a person must act, and `check` says so; not reachable: later."""
    block = {"host": imap.host, "port": imap.port, "security": "none", "user": imap.user, "password": "falsch"}
    wrong = Smtp(settings(bounces=block), clock=lambda: NOW)
    with pytest.raises(ConfigError, match="log-in refused"):
        wrong.returns(None)
    assert "imap_login" in {one.code for one in wrong.check().findings}
    away = Smtp(settings(bounces={**block, "port": 1}), clock=lambda: NOW)
    with pytest.raises(RetryLater):
        away.returns(None)


def test_the_first_look_goes_back_two_weeks():
    """A mailbox with years of mail is not read from its beginning."""

    class Connection:
        def uid(self, verb, *words):
            self.words = words
            return "OK", [b""]

    connection = Connection()
    assert bounces._search(connection, 0, date(2026, 9, 1)) == []
    assert connection.words == ("SINCE", "18-Aug-2026")
