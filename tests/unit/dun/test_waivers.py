"""Ancillary claims that a person waives, and those that stay when the principal is paid, on a real store."""

import re
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from bridge.dun.ahead import cases
from bridge.model import Act, DebtorKind, InvoiceStatus, Payment
from bridge.policy import Abilities
from bridge.policy.leftover import KIND
from bridge.policy.money import NoteCode
from bridge.policy.owed import EVERYTHING, owed
from tests.unit.dun.stage import MONDAY, ZONE, Stage, debtor, invoice, snapshot
from tests.unit.policy.helpers import level, plan, rules

DAY = timedelta(days=1)
LATE = {"issued_on": date(2026, 7, 20), "due_on": date(2026, 8, 3)}
FIRM = level(1, after_due=3, channels=["mail"], interest=True, flat_fee=True, automation="propose")
PAID = {"status": InvoiceStatus.PAID, "open": Decimal("0.00"), "paid": Decimal("100.00")}


def on_stage(store, *, keep=False, levels=(FIRM,)):
    stage = Stage(store, rules(plan(*levels)), Abilities(channels={Act.MAIL: "smtp"}))
    stage.rules = replace(stage.rules, money=replace(stage.rules.money, keep_ancillaries=keep))
    stage.tell(MONDAY, debtor(kind=DebtorKind.BUSINESS), invoice(**LATE))
    return stage


def waive(stage, today, *, back=False):
    charges = stage.store.charges
    with stage.store.begin() as conn:
        turn = charges.take_back_waiver if back else charges.waive
        return turn(conn, "main", "1", stage.stamp(today), "Kulanz")


def left(stage, today):
    """The tasks about ancillary claims that are open."""
    with stage.store.reading() as conn:
        return [one for one in stage.store.tasks.listing(conn) if one.kind == KIND]


def account(stage, today):
    case = next(cases(stage.store, "main", ZONE, today))
    return owed(case, case.claims[0], stage.rules, today, EVERYTHING)


def test_what_is_waived_is_asked_for_by_no_notice_until_that_is_taken_back(store):
    """A waiver makes the waiting notice anew with the principal alone, its call is stopped meanwhile, and its undoing brings all back."""
    stage = on_stage(store)
    stage.run(MONDAY)
    [before] = stage.notices("proposed")
    assert before.total > Decimal("140.00")
    assert waive(stage, MONDAY)
    assert not waive(stage, MONDAY), "waived once is enough"
    assert stage.recheck(snapshot(invoice(**LATE), MONDAY), MONDAY).reason == "changed"
    stage.run(MONDAY)
    [after] = stage.notices("proposed")
    assert (after.total, after.content.table.interest, after.content.table.ancillary) == (Decimal("100.00"), 0, 0)
    assert stage.recheck(snapshot(invoice(**LATE), MONDAY), MONDAY) is None
    [told] = after.claims[0].basis["notes"]
    assert "anna" in told
    assert "Kulanz" in told
    found = account(stage, MONDAY)
    assert (found.account.total, found.account.more) == (10000, 0)
    assert [one.facts["amount"] for one in found.notes if one.code is NoteCode.WAIVED_BY] != [0]
    assert waive(stage, MONDAY, back=True)
    assert not waive(stage, MONDAY, back=True)
    stage.run(MONDAY)
    assert [one.total for one in stage.notices("proposed")] == [before.total]


def test_what_was_paid_on_fees_counts_for_the_principal_once_they_are_waived(store):
    """40.00 of a payment went to the flat fee (BGB 367); waived, the claim is the open principal of the invoicing tool."""
    stage = on_stage(store)
    stage.run(MONDAY)
    stage.land(MONDAY)
    stage.tell(MONDAY + DAY, invoice(**LATE, open=Decimal("50.00"), paid=Decimal("50.00")))
    assert account(stage, MONDAY + DAY).account.total > 9000
    waive(stage, MONDAY + DAY)
    assert account(stage, MONDAY + DAY).account.total == 5000


@pytest.mark.parametrize(
    ("keep", "waived", "asked"), [(True, False, True), (False, False, True), (True, True, True), (True, False, False)]
)
def test_what_stays_when_the_principal_is_paid_is_a_persons_task(store, keep, waived, asked):
    """Kept ancillary claims that were asked for become a task when the invoice is paid; nothing goes out for them by itself."""
    stage = on_stage(
        store, keep=keep, levels=(FIRM if asked else level(1, after_due=3, channels=["mail"]), level(2, after_due=20))
    )
    stage.run(MONDAY)
    assert stage.land(MONDAY) == [1]
    if waived:
        waive(stage, MONDAY)
    money = Payment(id="p1", invoice_id="1", amount=Decimal("100.00"), value_on=MONDAY + DAY)
    stage.tell(MONDAY + DAY, invoice(**LATE, **PAID), money)
    stage.run(MONDAY + DAY)
    assert stage.standing().close_reason == "paid"
    found = left(stage, MONDAY + DAY)
    assert bool(found) is (keep and asked and not waived)
    assert all("RE-1" in one.title and "case waive RE-1" in one.note for one in found)
    for one in found:
        sums = [
            Decimal(text.replace(",", "."))
            for text in re.findall(r"(\d+,\d\d)\xa0EUR", f"{one.title.told('de')} {one.note.told('de')}")
        ]
        assert sums[0] == sum(sums[1:]) > 40, "the sum first, then what it is made of"
        assert "Verzugspauschale 40,00\xa0EUR, Verzugszinsen" in one.note.told("de")
    stage.run(MONDAY + 60 * DAY)
    assert len(stage.notices()) == 1
    assert left(stage, MONDAY + 60 * DAY) == found
    stage.tell(MONDAY + 61 * DAY, invoice(**LATE))  # the payment is taken back: letters ask for them again
    stage.run(MONDAY + 61 * DAY)
    assert left(stage, MONDAY + 61 * DAY) == []


def test_what_was_erased_after_ten_years_is_asked_for_by_nobody(store):
    """A charge whose event was erased is gone, a waiver still holds, and the next run decides as ever."""
    stage = on_stage(store)
    stage.run(MONDAY)
    charges = store.charges
    with store.begin() as conn:
        more = {"kind": "cost", "cents": 500, "on": MONDAY, "note": "Auskunft"}
        charges.add(conn, "main", "1", stage.stamp(MONDAY), **more)
    assert waive(stage, MONDAY)
    with store.begin() as conn:
        store.trail.erase(conn, MONDAY + DAY)
    with store.reading() as conn:
        entered = charges.of_all(conn, "main", ["1"])["1"]
    assert (entered.charges, entered.waived.by, entered.waived.note) == ([], stage.stamp(MONDAY).actor, "")
    stage.run(MONDAY + DAY)
    assert [one.content.table.ancillary for one in stage.notices("proposed")] == [0]
