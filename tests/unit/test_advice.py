"""What a cause means and what to do about it: every cause that a provider, a mail server or a file can bring has an answer."""

import pytest

from bridge.app.advice import advice
from bridge.words import tell

COMMON = (
    "http_401", "http_403", "http_404", "http_400", "http_422", "http_429", "http_500", "http_503", "rate_budget", "rate_pace", "reconnect",
    "bad_answer:html", "bad_answer:json", "bad_answer:truncated", "connection", "connection_lost", "name_unknown", "timeout", "tls",
    "smtp_451", "smtp_550", "smtp_login", "smtp_refresh_token", "smtp_tls", "tls_ca", "imap_login", "oauth_invalid_client", "oauth_lease", "smtp_connect", "smtp_answer_lost", "bad_record", "bad_record:sumGross", "csv_header", "csv_empty",
    "camt_doctype", "crash", "interrupted", "undecided", "archive", "lease_expired", "no_channel", "unexpected_KeyError",
)  # fmt: skip


@pytest.mark.parametrize("cause", COMMON)
def test_every_common_cause_is_explained_with_the_next_thing_to_do(cause):
    """In German and English, each in its own words."""
    found = advice(cause)
    for sentence in (found.means, found.next):
        assert str(sentence)
        assert not tell(sentence, "de").startswith("[en]")
        assert tell(sentence, "de") != str(sentence)


def test_what_a_parked_delivery_needs_is_not_patience():
    """A passing fault is waited for while it is tried again; a delivery that was given up needs a person, an unclear one its settling time."""
    assert advice("http_503").by_itself
    assert not advice("http_503", "parked").by_itself
    assert "settling" in str(advice("smtp_550", "unclear").next)
    assert advice("never heard of") == advice("")


@pytest.mark.parametrize(
    "cause", ["smtp_login", "smtp_refresh_token", "smtp_tls", "imap_login", "oauth_invalid_client"]
)
def test_what_stops_an_account_for_its_mail_is_mended_where_it_stands(cause):
    """A log-in of the mail server is no token of the provider, and waiting does not mend it."""
    found = advice(cause)
    assert not found.by_itself
    assert "http.auth" not in found.next
    assert "`mahnbridge pull`" in found.next
