"""The demo is the main job on real input; what it shows is held to account here."""

from io import StringIO

import pytest
from rich.console import Console

from bridge.demo.report import Report
from bridge.demo.story import Story, new_stage, open_bridge

pytestmark = pytest.mark.xdist_group("e2e-demo")

HELD = {
    "draft": {"draft", "not_found"},
    "cancelled": {"cancelled", "not_found"},
    "tag_block": {"invoice_excluded"},
    "dispute": {"dispute"},
    "prepayment": {"prepayment"},
    "payment_unmatched": {"payment_unmatched"},
    "foreign_currency": {"amount_unclear", "foreign_currency"},
    "below_minimum": {"below_minimum"},
    "before_cutoff": {"before_cutoff"},
    "paid_after_decision": {"paid"},
    "excluded": {"customer_excluded"},
    "direct_debit": {"direct_debit_pending"},
    "no_email": {"own_reminder_running", "no_recipient"},  # a letter is made, where there is an address for it
}
"""Twist -> the reasons that explain why nothing went out for it."""


@pytest.fixture(scope="module")
def played(tmp_path_factory):
    """Four weeks of the invented agency, played once: the stage as it stands and what was told."""
    with new_stage(tmp_path_factory.mktemp("demo")) as stage:
        bridge = open_bridge(stage, "de")
        try:
            story = Story(stage, bridge)
            for _ in story.play():
                pass
            yield stage, story.told
        finally:
            bridge.close()


@pytest.mark.feature("S-BIL-1", "S-SEV-2", "S-SEV-4", "N-2")
def test_the_ledgers_agree(played):
    """Four weeks without a click: every provider's ledger says what ours says, nothing twice, nobody who had paid."""
    _, told = played
    assert all(one.agree for one in told.ledgers), told.ledgers
    assert all(one.ours for one in told.ledgers)
    assert {line.level for line in told.sent} >= {1, 2, 3}


@pytest.mark.parametrize("twist", sorted(HELD))
def test_every_exclusion_holds(played, twist):
    """Whatever speaks against a mail: none went out, and the reason is told."""
    stage, told = played
    sent = {claim.number for line in told.sent for claim in line.claims}
    reasons = {answer.number: answer.reason for answer in told.held}
    invoices = stage.world.with_twist(twist)
    assert invoices
    for invoice in invoices:
        assert invoice.number not in sent
        assert reasons.get(invoice.number, "not_found") in HELD[twist], (invoice.number, reasons.get(invoice.number))


@pytest.mark.feature("N-1")
def test_paid_between_decision_and_delivery(played):
    """An invoice that was paid after its reminder was decided gets none; the notice is dropped and the report says why, in German."""
    stage, told = played
    (invoice,) = stage.world.with_twist("paid_after_decision")
    shown = StringIO()
    Report("de", Console(file=shown, width=200)).closing(told, seconds=1, folder="demo", command="mahnbridge")
    about = [line for line in shown.getvalue().splitlines() if invoice.number in line]
    assert any("bezahlt" in line for line in about), about
    assert not any("paid" in line for line in about), about


@pytest.mark.feature("P-31", "P-29")
def test_failures_are_replayed(played):
    """A read that failed and a record that did not fit are replayed by hand; the rest went on meanwhile."""
    stage, told = played
    assert {group.kind for group, _ in told.failed} == {"run", "reject"}
    (mended,) = stage.world.with_twist("broken_date")
    assert mended.number in {claim.number for line in told.sent for claim in line.claims}


@pytest.mark.feature("P-21")
def test_own_mail_comes_from_the_agency(played):
    """What we send ourselves carries the agency's address and reaches the debtor's."""
    stage, _ = played
    assert stage.mails.received
    for mail in stage.mails.received:
        assert "buchhaltung@lichtblick.example" in str(mail["From"])
        assert str(mail["To"]).endswith(".example")
