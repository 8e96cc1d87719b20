"""Bundles apart: two creditors never share one, and what an unapproved one holds is told."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from bridge.app.timeline import entry_text
from bridge.dun import Order, dun
from bridge.model import Batch, Cursor
from bridge.policy import compose, decide
from bridge.policy.rules import Assignment, Creditor
from bridge.store.tables import event
from tests.unit.dun.stage import ABILITIES, MONDAY, Stage, at, debtor, invoice
from tests.unit.dun.test_bundles import DAY, LISTS, group, on_stage
from tests.unit.policy.helpers import case, claim, level, plan

# ------------------------------------------------------------------------------------------------------------ creditors


NAMED = {"de": {**LISTS["de"], "body": "{{ creditor }}\n" + LISTS["de"]["body"]}}


class Two(Stage):
    """A second account beside `main`: the same debtor with the same id, address and due invoices, and another creditor."""

    def __init__(self, store):
        first = group(level(1, after_due=10, term_days=7, texts=NAMED))
        super().__init__(store, replace(first, creditor=Creditor(name="Agentur Eins", iban="DE1")))
        other = Stage(store, replace(first, account="zwei", creditor=Creditor(name="Agentur Zwei", iban="DE2")))
        self.both = [self.account, other.account]
        batch = Batch(debtors=(debtor(),), invoices=(due(1), due(2), due(4)), cursor=Cursor(data={"n": 1}))
        with store.begin() as conn:
            store.mirror.accounts.ensure(conn, "zwei", "test")
            store.mirror.write(conn, "zwei", batch, business_date=MONDAY, now=at(MONDAY))
        self.tell(MONDAY, debtor(), due(1), due(2), due(3))

    def run(self, today, **more):
        return dun(self.store, self.both, Order(today=today, at=at(today), actor="test", **more))


def due(number):
    """An invoice whose first level is due; the two accounts give theirs the same ids and numbers."""
    return invoice(number, due_on=MONDAY - 11 * DAY)


def test_a_bundle_never_mixes_creditors(store):
    """One debtor of two accounts with two creditors: each gets its own mail, naming itself and nothing of the other's."""
    stage = Two(store)
    report = stage.run(MONDAY)
    told = {one.draft.account: one.draft for one in report.notices}
    assert len(report.notices) == 2
    assert {name: [claim.number for claim in one.claims] for name, one in told.items()} == {
        "main": ["RE-1", "RE-2", "RE-3"],
        "zwei": ["RE-1", "RE-2", "RE-4"],
    }
    assert {name: one.content.text.split("\n")[0] for name, one in told.items()} == {
        "main": "Agentur Eins",
        "zwei": "Agentur Zwei",
    }
    assert all("RE-4" not in one.content.text for name, one in told.items() if name == "main")
    assert {name: one.content.payment.iban for name, one in told.items()} == {"main": "DE1", "zwei": "DE2"}
    assert len({one.case_id for one in stage.notices()}) == 2, "a case is one debtor at one account"
    assert stage.run(MONDAY).notices == []


def test_a_case_is_never_composed_by_the_rules_of_another_creditor():
    """Whoever mixes up two accounts gets no notice at all, rather than one in the wrong name."""
    its = group()
    whole = case(claim(), account="zwei")
    with pytest.raises(ValueError, match="zwei"):
        compose(whole, decide(whole, its, MONDAY), its, ABILITIES, MONDAY)


# -------------------------------------------------------------------------------------- what waits for an approval


def held_events(store):
    """Invoice and words of each hold in the journal."""
    with store.reading() as conn:
        rows = conn.execute(select(event).where(event.c.kind == "held").order_by(event.c.id)).mappings()
        return [(row["invoice_id"], entry_text("held", row["data"], "", "en")) for row in rows]


@pytest.mark.feature("N-3")
def test_what_an_unapproved_bundle_holds_is_in_the_journal(sqlite_store):
    """A bundle waits for its approval, and the automatic notice about an invoice outside of it for that: told once, with the reason, not every day."""
    apart = level(1, after_due=10, term_days=7, texts=LISTS)
    stage = on_stage(sqlite_store, apart | {"automation": "propose"}, except_terms=[14])
    its = stage.rules.plans["plan"]
    alone = its.model_copy(update={"name": "alone", "levels": plan(apart).levels})
    stage.rules = replace(
        stage.rules,
        plans={"plan": its, "alone": alone},
        assignments=(Assignment("alone", terms_days=frozenset({14})),),
    )
    stage.tell(MONDAY, debtor(), due(1), invoice(2, due_on=MONDAY - 9 * DAY, payment_term_days=14))
    stage.run(MONDAY)
    assert [(one.state, one.claims[0].invoice_number) for one in stage.notices()] == [("proposed", "RE-1")]
    assert held_events(sqlite_store) == []
    for day in (1, 2, 3):
        stage.run(MONDAY + day * DAY)
    assert stage.notices("queued") == []
    assert held_events(sqlite_store) == [
        ("2", "held: minimum interval: a bundle to the customer waits for approval"),
    ]
    stage.land(MONDAY + 4 * DAY)  # approved, and out
    stage.run(MONDAY + 4 * DAY)
    with sqlite_store.reading() as conn:
        known = sqlite_store.runs.decided(conn, "main", ["2"])["2"]
    assert (known.reason, known.waits) == ("minimum_interval", ""), "from then on only time is between"
    assert [one for one, _ in held_events(sqlite_store)].count("2") == 1
