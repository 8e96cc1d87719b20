"""What one wrong sign in the rules would change, found by making such mistakes on purpose (`make mutants`)."""

from datetime import date, time, timedelta

import pytest
from pydantic import ValidationError

from bridge.model import NoticeStatus, ProviderNotice
from bridge.policy import Creditor
from bridge.policy.build import notice_view
from bridge.policy.money.default import DueFacts, DueSource, _due
from bridge.policy.paying import how_to_pay
from bridge.policy.statement import names_all
from bridge.policy.texts import numbers
from tests.unit.policy.helpers import case, claim, decided, level, plan, rules

TODAY = date(2026, 10, 5)


def test_four_numbers_are_three_and_one_more():
    """Up to three invoice numbers are named; from the fourth on they are counted."""
    assert numbers(["1", "2", "3"], "de") == "1, 2, 3"
    assert numbers(["1", "2", "3", "4"], "de") == "1, 2, 3 und 1 weiteren"
    assert numbers(["1", "2", "3", "4", "5"], "en") == "1, 2, 3 and 2 more"


def test_a_level_without_any_time_left_is_refused():
    """Until is later than the time: at the same minute nothing could ever go out."""
    with pytest.raises(ValidationError, match="not later than"):
        plan(level(time=time(10, 0), until=time(10, 0)))
    assert plan(level(time=time(10, 0), until=time(10, 1)))


def test_a_text_names_every_amount_that_there_is():
    """The table names all; else each amount that is asked for stands in the text by itself."""
    nothing = dict.fromkeys(("fee", "earlier_fees", "flat_fee", "paid", "interest"), "")
    assert names_all("{{ claims }}", {**nothing, "fee": "5,00", "interest": "1,00", "paid": "9,00"})
    assert names_all("", nothing)
    for name in nothing:
        assert not names_all("{{ total }}", {**nothing, name: "5,00"})
        assert names_all("{{ " + name + " }}", {**nothing, name: "5,00"})
    assert names_all("{{ ancillaries }}", {**nothing, "fee": "5,00"})


@pytest.mark.parametrize(
    ("source", "due_on", "expected"),
    [
        (DueSource.STATUTORY, date(2026, 9, 15), date(2026, 9, 1)),
        (DueSource.CONTRACT, None, date(2026, 9, 1)),
        (DueSource.CONTRACT, date(2026, 9, 15), date(2026, 9, 15)),
        (DueSource.INVOICE_ONLY, date(2026, 9, 15), date(2026, 9, 15)),
    ],
)
def test_due_at_once_where_nothing_was_agreed(source, due_on, expected):
    """A printed or agreed date defers the claim; without one, or by statute alone, it is due at once (BGB 271(1))."""
    assert _due(DueFacts(due_source=source, due_on=due_on, issued_on=date(2026, 9, 1))) == expected


def test_a_reminder_made_by_hand_begins_its_level_anew():
    """An adopted higher level has no repetitions yet; one of the same level leaves those that were made."""
    own = rules(plan(level(1), level(2, repeat={"every_days": 7, "limit": 1})))
    seen = ProviderNotice(id="9", invoice_id="1", level=2, status=NoticeStatus.SENT, dated_on=TODAY - timedelta(days=8))
    raised = claim(level=1, repetition=1, level_on=date(2026, 9, 20), notices=(notice_view(seen),))
    found = decided(raised, own, TODAY)
    assert (found.level, found.repetition) == (2, 1)
    assert found.adoption.level == 2


def test_the_payee_is_the_holder_of_the_account():
    """Where the holder is named they are paid, else the creditor; the reference names the claim by its number, else its id."""
    paid = how_to_pay(case(), [claim()], Creditor(name="A", iban="DE02", payee="B"), 100, TODAY)
    assert (paid.payee, "RE-1" in paid.reference) == ("B", True)
    paid = how_to_pay(case(), [claim(number=None)], Creditor(name="A", iban="DE02"), 100, TODAY)
    assert (paid.payee, paid.reference.startswith("1")) == ("A", True)
    assert how_to_pay(case(), [claim()], Creditor(name="A"), 100, TODAY) is None
