"""What a person means by a number: a case, an invoice, a customer; and what could be meant where it is more than one."""

from decimal import Decimal

import pytest

from bridge.app.subjects import Subjects
from bridge.errors import UsageError
from bridge.model import InvoiceStatus
from tests.unit.dun.stage import MONDAY, Stage, days_after, debtor, invoice


class Desk(Subjects):
    """The part of the facade that finds what is meant, on a store alone."""

    def __init__(self, store):
        self.store, self.accounts = store, {"main": None}

    def meant(self, name):
        with self.store.reading() as conn:
            return self._row(conn, name).number


def paid(number):
    return invoice(number, status=InvoiceStatus.PAID, open=Decimal("0.00"), paid=Decimal("100.00"))


@pytest.fixture
def stage(sqlite_store):
    """Two customers: the first with a closed case and one that goes on, the second with one."""
    stage = Stage(sqlite_store)
    stage.tell(MONDAY, debtor(1), debtor(2), invoice(1), invoice(2, debtor_id="d2"))
    stage.run(MONDAY)
    stage.tell(MONDAY, paid(1))
    stage.run(days_after(1))
    stage.tell(days_after(1), invoice(3))
    stage.run(days_after(2))
    return stage


def test_a_customer_s_number_means_their_case(stage):
    """Its number, an invoice's or the customer's; of several cases the one that is not closed, of closed ones alone the only one."""
    desk = Desk(stage.store)
    told = {name: desk.meant(name) for name in ("ma-000001", "RE-1", "RE-3", "10001", "RE-2", "10002", "d2")}
    assert told["RE-1"] == told["ma-000001"] == "MA-000001"
    assert told["RE-3"] == told["10001"] != "MA-000001"
    assert told["RE-2"] == told["10002"] == told["d2"] == "MA-000002"
    stage.tell(days_after(2), paid(2).model_copy(update={"debtor_id": "d2"}))
    stage.run(days_after(3))
    assert desk.meant("10002") == "MA-000002", "closed by now, and theirs all the same"


def test_what_could_be_meant_is_named(stage):
    """Two closed cases, or a number of an invoice and of somebody else: each case with its customer and since when."""
    desk = Desk(stage.store)
    stage.tell(days_after(2), paid(3))
    stage.run(days_after(3))
    with pytest.raises(
        UsageError, match=r"could mean several cases: MA-000003 .*, MA-000001 .*name one of them"
    ) as found:
        desk.meant("10001")
    assert "MA-000001 (Kunde 1, geschlossen 06.10.2026)" in found.value.sentence.told("de")
    stage.tell(days_after(3), invoice(4).model_copy(update={"number": "10002"}))
    stage.run(days_after(4))
    with pytest.raises(
        UsageError, match=r"MA-000004 \(Kunde 1, since 2026-10-09\), MA-000002 \(Kunde 2, since 2026-10-05\)"
    ):
        desk.meant("10002")
    stage.tell(days_after(4), invoice(5).model_copy(update={"number": "d2"}))
    stage.run(days_after(5))
    assert desk.meant("d2") == "MA-000004", "an id inside the provider stands behind an invoice's number"


def test_nobody_and_nothing_of_that_number(stage):
    """A customer without a case has none, either."""
    with pytest.raises(UsageError, match="no invoice or customer of this number in a case"):
        Desk(stage.store).meant("10009")
