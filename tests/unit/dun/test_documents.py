"""Credit notes, cancellations and replacements: what a document does to the claims of a run."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from bridge.model import (
    InvoiceKind,
    InvoiceStatus,
    Relation,
)
from bridge.policy import words
from tests.unit.dun.stage import (
    ABILITIES,
    MONDAY,
    days_after,
    debtor,
    invoice,
)
from tests.unit.policy.helpers import level, plan, rules


@pytest.fixture
def stage(lone):
    """What a document does to a claim is decided above the database."""
    return lone


@pytest.mark.feature("S-PAY-14")
def test_open_credit_notes_lower_what_is_asked_for(stage):
    """Invoice 100, open credit note 30 of the same customer: 70 is asked for."""
    credit = invoice(9, kind=InvoiceKind.CREDIT_NOTE, gross=Decimal(30), open=Decimal(30))
    stage.tell(MONDAY, debtor(), invoice(), credit)
    stage.run(MONDAY)
    one = stage.notices("queued")[0]
    assert (one.total, one.claims[0].open) == (Decimal("70.00"), Decimal("70.00"))


def test_a_credit_note_that_the_providers_document_hides_holds(stage):
    """Only the provider can send, and its reminder would ask for too much: held, in plain words, not parked at delivery."""
    stage.rules = rules(plan(level(1, after_due=3, channels=["provider_email"])))
    stage.abilities = replace(ABILITIES, channels={})
    credit = invoice(9, kind=InvoiceKind.CREDIT_NOTE, gross=Decimal(30), open=Decimal(30), origin_id="1")
    stage.tell(MONDAY, debtor(), invoice(), credit)
    stage.run(MONDAY)
    assert (stage.notices(), stage.reason()) == ([], "amount_unclear")
    line = next(one for one in stage.plan(MONDAY, everything=True).lines if one.invoice_id == "1")
    assert "offene Gutschrift" in words.reason(line.decision.reason, "de", line.decision.facts)


def test_a_free_credit_note_is_used_once_and_oldest_first(stage):
    """Two invoices of 100, a credit note of 130: nothing left of the older one, 70 of the other; never across currencies."""
    credit = invoice(9, kind=InvoiceKind.CREDIT_NOTE, gross=Decimal(130), open=Decimal(130))
    foreign = invoice(8, kind=InvoiceKind.CREDIT_NOTE, gross=Decimal(500), open=Decimal(500), currency="CHF")
    stage.tell(MONDAY, debtor(), invoice(1, due_on=date(2026, 9, 10)), invoice(2), credit, foreign)
    stage.run(MONDAY)
    assert stage.reason("1") == "balance_not_positive"
    assert [one.total for one in stage.notices("queued")] == [Decimal("70.00")]


@pytest.mark.parametrize(
    ("kind", "relation", "reason"),
    [
        (InvoiceKind.CANCELLATION, Relation.CANCELS, "cancelled"),
        (InvoiceKind.FINAL, Relation.COVERS, "covered"),
        (InvoiceKind.CREDIT_NOTE, Relation.CREDITS, "credited"),
    ],
)
def test_a_document_that_replaces_another_closes_its_claim(stage, kind, relation, reason):
    """Cancelled, contained in a final invoice, or credited in full by another document: closed, though the provider shows it open."""
    stage.tell(MONDAY, debtor(), invoice())
    stage.run(MONDAY)
    other = invoice(5, kind=kind, relation=relation, origin_id="1", due_on=date(2026, 12, 1))
    stage.tell(days_after(1), other)
    stage.run(days_after(1))
    found = stage.standing()
    assert (found.is_open, found.close_reason) == (False, reason)


def test_a_cancellation_without_debtor_reaches_its_invoice(lone):
    """A cancelling document for which the provider names no customer still stops its origin."""
    lone.tell(MONDAY, debtor(), invoice())
    lone.run(MONDAY)
    other = invoice(5, kind=InvoiceKind.CANCELLATION, relation=Relation.CANCELS, origin_id="1", debtor_id=None)
    lone.tell(days_after(1), other)
    lone.run(days_after(1))
    assert lone.standing().close_reason == "cancelled"


def test_an_invoice_without_customer_is_dunned_at_its_own_address(stage):
    """The provider names no customer but an address: it has a case of its own."""
    stage.tell(MONDAY, invoice(debtor_id=None, email="x@example.com"), invoice(2, debtor_id=None))
    stage.run(MONDAY)
    assert [one.recipient for one in stage.notices("queued")] == ["x@example.com"]
    assert (stage.reason("2"), stage.standing("2").case_id) == ("no_recipient", stage.standing("1").case_id + 1)


@pytest.mark.feature("S-AMX-2")
def test_drafts_and_paid_invoices_are_not_listed(stage):
    """Overdue, but a draft or paid: no case, no decision is kept."""
    stage.tell(MONDAY, debtor(), invoice(1, status=InvoiceStatus.DRAFT), invoice(2, status=InvoiceStatus.PAID))
    stage.run(MONDAY)
    assert (stage.standing("1"), stage.standing("2"), stage.reason("1"), stage.reason("2")) == (None, None, None, None)


@pytest.mark.parametrize("first", ["d1", None], ids=["another customer", "none at first"])
def test_a_claim_follows_its_invoice_to_another_customer(stage, first):
    """The provider names another customer than before: the claim goes on in that one's case, at its level; an empty case is closed."""
    stage.tell(MONDAY, debtor(1), invoice(debtor_id=first, email="k1@example.com"))
    stage.run(MONDAY)
    stage.land(MONDAY)
    old = stage.standing().case_number
    later = days_after(14)
    stage.tell(later, debtor(2), invoice(debtor_id="d2", email="k1@example.com"))
    stage.run(later)
    [one] = stage.notices("queued")
    assert (one.level, one.debtor_id, stage.standing().debtor_id) == (2, "d2", "d2")
    with stage.store.reading() as conn:
        assert stage.store.cases.by_number(conn, old)["state"] == "closed"
        assert one.case_id == stage.standing().case_id


@pytest.mark.parametrize(
    "values",
    [{"due_on": date.max}, {"due_on": date.min}, {"issued_on": date.max}, {"payment_term_days": 10**9}],
    ids=str,
)
def test_an_impossible_date_makes_no_invoice(values):
    """Dates beyond every calendar, and terms that lead there, are refused where the record is read: no run can stumble over them."""
    with pytest.raises(ValidationError, match=r"(less|greater) than or equal"):
        invoice(**values)
