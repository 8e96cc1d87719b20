"""What `check` finds out about an account, and what it says about what cannot be seen."""

import re
from pathlib import Path

import pytest

import connectors.billomat
from bridge.contract import Act, ConfigError, Severity
from connectors.billomat.connector import Billomat


def codes(health, severity=None):
    return [finding.code for finding in health.findings if severity in (None, finding.severity)]


def test_a_sound_account_can_do_everything_but_letters(billomat):
    """All rights, levels in their order, and always the warning about Billomat's own automation."""
    connector = billomat.connector()
    connector.prepare_places()
    health = connector.check()
    assert health.ok
    assert health.acts == Billomat.acts - {Act.SEND_POST}
    assert health.provider_levels == ("Zahlungserinnerung", "1. Mahnung", "2. Mahnung", "Letzte Mahnung")
    assert codes(health, Severity.WARNING) == ["billomat_own_automation"]
    assert abs(health.clock_skew_seconds) <= 2


def test_a_wrong_key_is_named(billomat):
    """A key that is not accepted ends the check with an error, not with a crash, and is not shown."""
    health = billomat.connector(key="no-such-key-0123456789").check()
    assert not health.ok
    assert codes(health) == ["billomat_credentials"]
    assert "no-such-key" not in health.findings[0].text


def test_what_is_not_about_the_key_is_not_told_as_such(billomat, monkeypatch):
    """A consent that ended or an address that is not allowed keeps its own cause, and so its own next step."""

    def ended(_api):
        raise ConfigError("main: the consent was revoked or has expired", cause="reconnect")

    monkeypatch.setattr("connectors.billomat.api.Api.account", ended)
    with pytest.raises(ConfigError) as raised:
        billomat.connector().check()
    assert raised.value.cause == "reconnect"


@pytest.mark.parametrize(
    ("rights", "ok", "missing"),
    [
        (
            {"invoices": "UPDATE", "clients": "UPDATE", "reminders": "UPDATE", "credit_notes": "READ"},
            True,
            {Act.DISCARD},
        ),
        (
            {"invoices": "READ", "clients": "READ", "reminders": "DELETE", "credit_notes": "READ"},
            True,
            {Act.NOTE, Act.TAG, Act.CUSTOMER_NOTE},
        ),
        ({"invoices": "DELETE", "clients": "DELETE", "reminders": "DELETE"}, False, set()),
    ],
)
def test_missing_rights_are_named_and_their_acts_left_out(billomat, rights, ok, missing):
    """Each act needs its right; a list that may not be read is an error."""
    billomat.connector().prepare_places()
    billomat.sandbox.door.add_user("second-key-0123456789", **rights)
    health = billomat.connector(key="second-key-0123456789").check()
    assert health.ok is ok
    assert Billomat.acts - {Act.SEND_POST} - health.acts == missing


def test_unreadable_rights_are_no_error(billomat):
    """Where the role cannot be read, the needed rights are told."""
    billomat.sandbox.faults.status(404, r"/roles/", method="GET")
    health = billomat.connector().check()
    assert health.ok
    assert "billomat_rights_unknown" in codes(health, Severity.INFO)


@pytest.mark.parametrize(
    ("left", "severity", "code"),
    [
        (0, Severity.ERROR, "billomat_document_quota"),
        (3, Severity.WARNING, "billomat_documents_left"),
        (500, Severity.INFO, "billomat_documents_left"),
    ],
)
def test_the_document_quota_is_told_before_a_run(billomat, left, severity, code):
    """Used up is an error, nearly used up a warning."""
    billomat.sandbox.set_quota(left)
    assert code in codes(billomat.connector().check(), severity)


def test_an_account_without_levels_is_warned_of(billomat):
    """Without dunning levels Billomat has nothing to choose from."""
    billomat.sandbox.books.reminder_texts.rows.clear()
    health = billomat.connector().check()
    assert health.provider_levels == ()
    assert "billomat_no_levels" in codes(health, Severity.WARNING)


def test_letters_and_the_customers_line_depend_on_the_account(billomat):
    """Letters only when switched on; the customer's line only where its place exists."""
    health = billomat.connector(post=True).check()
    assert Act.SEND_POST in health.acts
    assert Act.CUSTOMER_NOTE not in health.acts
    assert "billomat_no_place" in codes(health, Severity.INFO)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"invoice_tags": {"x": "paid"}}, "cannot mean 'paid'"),
        ({"client_tags": {"a,b": "dispute"}}, "is no tag"),
        ({"page_size": 5000}, "1000"),
        ({"writekey": "label"}, "writekey"),
    ],
)
def test_wrong_settings_are_named(settings, message):
    """A setting that cannot be right is refused, naming the value."""
    with pytest.raises(ValueError, match=message):
        Billomat.Settings(**settings)


def test_every_setting_is_explained():
    """The README names each setting of Billomat, and no other."""
    text = (Path(connectors.billomat.__file__).parent / "README.md").read_text("utf-8")
    table = text.split("## Settings")[1].split("\n## ")[0]
    named = {
        name
        for row in table.splitlines()
        if row.startswith("| `")
        for name in re.findall(r"`(\w+)`", row.split("|")[1])
    }
    assert named == set(Billomat.Settings.model_fields)


def test_a_run_begins_with_nothing_remembered(billomat):
    """Levels are asked once in a run, and anew in the next: what a support bundle replays was recorded in it."""
    connector = billomat.connector()
    for run in (1, 2):
        connector.forget()
        for _ in range(3):
            list(connector.look([]))
        assert len(billomat.sandbox.server.calls("GET", "reminder-texts")) == run
