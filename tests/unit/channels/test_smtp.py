import socket
import threading
from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from bridge.channels.smtp import Smtp, SmtpSettings
from bridge.errors import CannotTell, ConfigError, Refused, RetryLater, Unclear
from bridge.model import Attachment, Recipients, Severity

NOW = datetime(2026, 9, 1, 8, 0, tzinfo=UTC)
_NOTHING_READ = ("smtp_no_archive", "smtp_unseen")


def archived(settings, imap, post):
    post.copies["archiv@agentur.example"] = imap.folders["INBOX"]
    block = {"host": imap.host, "port": imap.port, "security": "none", "address": "archiv@agentur.example"}
    return Smtp(settings(archive=block | {"user": imap.user, "password": imap.password}), clock=lambda: NOW)


@pytest.mark.feature("P-21")
def test_mail_comes_from_the_agency(smtp, post, write):
    """The debtor's mail comes from the agency's own address, and a reply reaches the agency."""
    proof = smtp.push(write())
    (mail,) = post.messages
    assert mail["From"] == "Muster Agentur GmbH <buchhaltung@agentur.example>"
    assert mail["Reply-To"] == "fragen@agentur.example"
    assert post.accepted[0].mail_from == "buchhaltung@agentur.example"
    assert proof.provider_id == mail["Message-ID"]
    assert proof.facts["smtp"].startswith("250")


def test_german_subject_and_text_arrive_unchanged(smtp, post, write):
    """Umlauts and a line of one dot arrive as they were written, in text and HTML."""
    smtp.push(write())
    (mail,) = post.messages
    assert mail["Subject"] == "Zahlungserinnerung zu Rechnung RE-1: bitte prüfen"
    assert mail["Content-Language"] == "de"  # for programs that read aloud, or offer a translation
    assert mail.get_body(("plain",)).get_content().rstrip("\n").splitlines()[2:] == [
        "Rechnung RE-1 über 119,00 € ist offen.",
        ".",
        "Mit freundlichen Grüßen",
    ]
    assert "119,00 € ist offen.<br>" in mail.get_body(("html",)).get_content()
    assert all(byte < 128 for byte in post.accepted[0].original_content)


def test_attachments_arrive_byte_for_byte(smtp, post, write):
    """An attached PDF arrives with its German name and every byte."""
    data = bytes(range(256)) * 40
    smtp.push(write(), [(Attachment(filename="Mahnung März.pdf"), data)])
    (part,) = post.messages[0].iter_attachments()
    assert (part.get_filename(), part.get_content_type()) == ("Mahnung März.pdf", "application/pdf")
    assert part.get_content() == data


def test_message_id_is_the_same_at_every_attempt(smtp, post, write):
    """The Message-ID is fixed before the first attempt: the planned one, else one that follows from the key."""
    smtp.push(write())
    smtp.push(write())
    smtp.push(write(message_id="<fest@agentur.example>"))
    first, second, planned = (mail["Message-ID"] for mail in post.messages)
    assert first == second
    assert planned == "<fest@agentur.example>"


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "Mahnung\r\nBcc: alle@welt.example"},
        {"subject": "Mahnung\nBcc: alle@welt.example"},
        {"subject": "Mahnung\u2028Bcc: alle@welt.example"},
        {"subject": " "},
        {"text": "  "},
        {"text": "NUL \0"},
        {"recipients": Recipients(to=("a@kunde.example\r\nRCPT TO:<b@welt.example>",))},
        {"recipients": Recipients(to=("a@kunde.example, b@welt.example",))},
        {"recipients": Recipients(to=("Max <a@kunde.example>",))},
        {"recipients": Recipients(to=("kunde.example",))},
        {"recipients": Recipients(to=("a@",))},
        {"recipients": Recipients(to=("a@-kunde.example",))},
        {"recipients": Recipients(to=("ä@kunde.example",))},
        {"recipients": Recipients(to=("a@kunde.example",), cc=("nein",))},
        {"recipients": Recipients()},
        {"message_id": "<a@b>\r\nX: y"},
        {"language": "de\r\nX: y"},
    ],
)
def test_hostile_content_is_refused_before_anything_is_sent(smtp, post, write, changes):
    """Line breaks in headers and things that are no address are refused; the server never hears of them."""
    with pytest.raises(Refused):
        smtp.push(write(**changes))
    assert post.accepted == []


@pytest.mark.parametrize("attachment", [Attachment(filename="a\r\nX: y.pdf"), Attachment(filename="a", mimetype="x")])
def test_hostile_attachment_is_refused(smtp, post, write, attachment):
    """A file name or type from outside cannot add headers."""
    with pytest.raises(Refused):
        smtp.push(write(), [(attachment, b"x")])
    assert post.accepted == []


def test_too_large_mail_is_refused_here(smtp, write):
    """Attachments beyond 25 MB are refused before a connection is made."""
    with pytest.raises(Refused, match="bytes"):
        smtp.push(write(), [(Attachment(filename="a.pdf"), b"x" * 25_000_001)])


@pytest.mark.parametrize("server", [900], indirect=True)
def test_a_server_that_takes_less_is_believed(smtp, post, write):
    """What the server announces as its largest mail counts before anything is handed over (RFC 1870)."""
    with pytest.raises(Refused, match="at most 900"):
        smtp.push(write())
    assert post.accepted == []


def test_the_largest_mail_is_a_setting(settings, post, write):
    """A house whose server takes less says so; the attachments count as they go over the wire."""
    files = [(Attachment(filename="a.pdf"), b"x" * 800_000)]
    with pytest.raises(Refused, match="at most 1000000"):
        Smtp(settings(largest_megabytes=1), clock=lambda: NOW).push(write(), files)
    Smtp(settings(largest_megabytes=2), clock=lambda: NOW).push(write(), files)
    assert len(post.accepted) == 1


def test_umlaut_domain_is_encoded(smtp, post, write):
    """A domain with umlauts goes over the wire in its ASCII form."""
    smtp.push(write(recipients=Recipients(to=("rechnung@büro.example",))))
    assert post.accepted[0].rcpt_tos == ["rechnung@xn--bro-hoa.example"]


@pytest.mark.parametrize(("answer", "error"), [("550 unknown", Refused), ("451 later", RetryLater)])
def test_one_refused_recipient_means_nobody_gets_it(smtp, post, write, answer, error):
    """If one of several recipients is refused, nothing is sent to anybody, and a person sees which one it was."""
    post.rcpt["zwei@kunde.example"] = answer
    with pytest.raises(error, match=r"zwei@kunde\.example"):
        smtp.push(write(recipients=Recipients(to=("eins@kunde.example", "zwei@kunde.example"))))
    assert post.accepted == []


@pytest.mark.parametrize(
    ("where", "answer", "error"),
    [
        ("mail", "451 later", RetryLater),
        ("mail", "552 too large", Refused),
        ("mail", "553 not your address", ConfigError),
        ("data", "451 later", RetryLater),
        ("data", "554 spam", Refused),
    ],
)
def test_every_answer_of_the_server_has_its_error(smtp, post, write, where, answer, error):
    """Temporary answers are tried again, permanent ones are parked, those about our own sender stop the account."""
    setattr(post, where, answer)
    with pytest.raises(error):
        smtp.push(write())
    assert post.accepted == []


def test_lost_answer_after_the_message_is_unclear(smtp, post, write):
    """If the connection breaks after the last dot, nobody claims to know what happened."""
    post.data = "lost"
    with pytest.raises(Unclear):
        smtp.push(write())
    assert len(post.accepted) == 1


@pytest.mark.parametrize("at", [b"EHLO", b"MAIL", b"RCPT", b"DATA"])
def test_hang_up_before_the_message_was_complete_is_retried(settings, script, write, at):
    """A connection lost before the last dot cannot have delivered anything."""
    port = script({b"DATA": b"354 go\r\n", at: None, **({b"HELO": None} if at == b"EHLO" else {})})
    with pytest.raises(RetryLater):
        Smtp(settings(port=port)).push(write())


@pytest.mark.parametrize(
    ("at", "error"), [(b"MAIL", RetryLater), (b"RCPT", RetryLater), (b"DATA", RetryLater), (b".", Unclear)]
)
def test_a_server_that_falls_silent_is_left(settings, script, write, at, error):
    """No answer within `timeout`: before the last dot it is tried again, after it nobody claims to know."""
    port = script({b"DATA": b"354 go\r\n", at: b""})
    with pytest.raises(error):
        Smtp(settings(port=port, timeout=0.2)).push(write())


def test_hang_up_at_the_last_dot_is_unclear(settings, script, write):
    """The last dot was sent, no answer came: unclear."""
    port = script({b"DATA": b"354 go\r\n", b".": None})
    with pytest.raises(Unclear):
        Smtp(settings(port=port)).push(write())


def test_nobody_listens(settings, write):
    """No mail server: nothing was written, try again."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(RetryLater):
            Smtp(settings(port=port)).push(write())


def test_trickling_server_is_cut_at_the_deadline(settings, write):
    """A server that sends one byte now and then cannot hold the line beyond the deadline."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def trickle():
            line, _ = listening.accept()
            with line:
                line.sendall(b"220-")
                while not stop.wait(0.05):
                    try:
                        line.sendall(b"x")
                    except OSError:
                        return

        thread = threading.Thread(target=trickle)
        thread.start()
        with pytest.raises(RetryLater):
            Smtp(settings(port=listening.getsockname()[1], deadline=0.5)).push(write())
        stop.set()
        thread.join()


def test_server_without_starttls_is_a_matter_of_configuration(settings, write):
    """Where STARTTLS is configured and not offered, nothing is sent in the open."""
    with pytest.raises(ConfigError, match="STARTTLS"):
        Smtp(settings(security="starttls")).push(write())


@pytest.mark.parametrize(("password", "good"), [("geheim", True), ("falsch", False)])
def test_log_in(settings, post, write, password, good):
    """A right password sends; a wrong one stops the account and is not shown."""
    channel = Smtp(settings(user="mahnung", password=password))
    if good:
        channel.push(write())
    else:
        with pytest.raises(ConfigError) as caught:
            channel.push(write())
        assert "falsch" not in str(caught.value)
    assert len(post.accepted) == int(good)


def test_redirect_sends_everything_to_one_address(settings, post, write):
    """In test mode no debtor gets anything; the subject says for whom the mail was."""
    channel = Smtp(settings(redirect_to="test@agentur.example"))
    proof = channel.push(
        write(recipients=Recipients(to=("a@kunde.example",), cc=("b@kunde.example",), bcc=("c@x.de",)))
    )
    assert post.accepted[0].rcpt_tos == ["test@agentur.example"]
    assert post.messages[0]["Subject"].startswith("[TEST an a@kunde.example, b@kunde.example]")
    assert post.messages[0]["To"] == "test@agentur.example"
    assert proof.facts["redirected_from"] == "a@kunde.example, b@kunde.example"
    assert [finding.code for finding in channel.check().findings] == ["smtp_no_archive", "smtp_unseen", "smtp_redirect"]


def test_archive_proves_a_mail_whose_answer_was_lost(settings, imap, post, write):
    """A lost answer is cleared up by the copy in the archive mailbox."""
    channel = archived(settings, imap, post)
    with pytest.raises(CannotTell):
        channel.find(write())
    post.data = "lost"
    with pytest.raises(Unclear):
        channel.push(write())
    proof = channel.find(write())
    assert proof.found_later
    assert proof.provider_id == post.messages[0]["Message-ID"]
    assert "archiv@agentur.example" not in str(post.messages[0])


def test_archive_does_not_take_a_similar_id_for_proof(settings, imap, post, write):
    """IMAP finds substrings; only exactly our Message-ID is a proof."""
    channel = archived(settings, imap, post)
    imap.append(b"Message-ID: <other@agentur.example> <fest@agentur.example>\r\nSubject: a\r\n\r\nb")
    imap.append(b"Subject: quotes <fest@agentur.example>\r\n\r\nb")
    with pytest.raises(CannotTell):
        channel.find(write(message_id="<fest@agentur.example>"))


def test_without_archive_nothing_can_be_told(smtp, write):
    """No archive mailbox: absence and presence are both unknown."""
    with pytest.raises(CannotTell):
        smtp.find(write())


def test_mails_that_get_lost_unseen_are_told_of(settings, imap, post):
    """An installation that reads neither an archive mailbox nor bounces is told that lost mails stay unseen; one of them is enough."""
    [found] = [one for one in Smtp(settings()).check().findings if one.code == "smtp_unseen"]
    assert found.severity is Severity.WARNING
    assert "loses stays unseen" in found.text
    assert "bleibt unbemerkt" in found.text.told("de")
    reads_bounces = Smtp(
        settings(
            bounces={
                "host": imap.host,
                "port": imap.port,
                "security": "none",
                "user": imap.user,
                "password": imap.password,
            }
        )
    )
    for channel in (archived(settings, imap, post), reads_bounces):
        assert "smtp_unseen" not in {one.code for one in channel.check().findings}


def test_refused_archive_address_sends_nothing(settings, imap, post, write):
    """If the archive refuses its copy, the debtor gets nothing either, and the operator is told."""
    post.rcpt["archiv@agentur.example"] = "550 unknown"
    with pytest.raises(ConfigError, match="archive"):
        archived(settings, imap, post).push(write())
    assert post.accepted == []


def test_check_names_what_is_wrong(settings, imap, post):
    """`check` opens the archive and says what is wrong without sending anything."""
    channel = archived(settings, imap, post)
    assert channel.check().ok
    imap.password = "anders"
    health = channel.check()
    assert not health.ok
    assert [finding.code for finding in health.findings] == ["imap_login"]
    imap.password = "geheim"
    del imap.folders["INBOX"]
    assert [finding.code for finding in channel.check().findings] == ["imap_folder"]
    assert post.accepted == []


@pytest.mark.parametrize(
    ("mail", "rcpt", "found"),
    [
        ("250 OK", "250 OK", []),
        ("553 not your address", "250 OK", [("error", "smtp_553")]),
        ("250 OK", "550 sender is not owned by this log-in", [("warning", "smtp_550")]),
        ("451 later", "250 OK", []),
    ],
)
def test_check_asks_whether_our_sender_is_taken(smtp, post, mail, rcpt, found):
    """A sender that the server refuses is found before the first debtor is written to; nothing is sent by asking."""
    post.mail, post.rcpt["buchhaltung@agentur.example"] = mail, rcpt
    told = [(one.severity.value, one.code) for one in smtp.check().findings if one.code not in _NOTHING_READ]
    assert (told, post.accepted) == (found, [])


@pytest.mark.parametrize(
    ("user", "found"),
    [
        ("post@agentur.example", False),
        ("post@mail.agentur.example", False),
        ("post@example.org", True),
        ("agentur", False),
    ],
)
def test_check_warns_of_a_sender_of_a_foreign_domain(settings, user, found):
    """Mails of another domain than the log-in's end as spam or not at all, without any server telling us."""
    health = Smtp(settings(user=user, password="geheim")).check()
    assert ("smtp_foreign_domain" in {one.code for one in health.findings}) is found


def test_archive_not_reachable_is_tried_again(settings, imap, post, write):
    """An archive that does not answer is no answer about the mail."""
    channel = archived(settings, imap, post)
    imap.__exit__(None, None, None)
    with pytest.raises(RetryLater):
        channel.find(write())


@pytest.mark.parametrize(
    "changes",
    [
        {"host": "mail.example", "security": "none"},
        {"sender_address": "keine adresse"},
        {"sender_name": "A\r\nBcc: x@y.example"},
        {"redirect_to": "nein"},
        {"bcc": ["nein"]},
        {"user": "nur der Name"},
        {"unbekannt": 1},
    ],
)
def test_wrong_settings_are_refused(settings, changes):
    """An open line to another host, wrong addresses and unknown keys are refused when the configuration is read."""
    with pytest.raises(ValidationError):
        settings(**changes)


def test_password_is_not_shown(settings):
    """Printing the settings does not print the password."""
    shown = repr(settings(user="mahnung", password="geheim"))
    assert "geheim" not in shown
    assert isinstance(settings(), SmtpSettings)
