"""What is said of an invoice's plan and of its next notice before anything is sent."""

from datetime import date
from decimal import Decimal

import pytest

from bridge.app.results import LevelChoice, Upcoming
from bridge.cli import show_next
from bridge.cli.locale import speak
from bridge.model import Address
from bridge.policy import AccountRules, Assignment
from bridge.policy.assign import assign
from tests.unit.policy.helpers import case, claim, level, plan

CONDITIONS = {
    "customers": frozenset({"10017"}),
    "tags": frozenset({"VIP"}),
    "terms_days": frozenset({14}),
    "countries": frozenset({"DE"}),
    "languages": frozenset({"de"}),
    "kinds": frozenset({"unknown"}),
    "gross_from": 100,
}


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("language", ["de", "en"])
def test_the_plan_says_which_condition_gives_it_and_where_that_is_written(condition, language):
    """Each criterion by itself assigns, in words of the reader's language, with file and line."""
    line = Assignment("vip", **{condition: CONDITIONS[condition]}, where="bridge.yaml:12")
    its = AccountRules("main", {"vip": plan(level(1), name="vip")}, None, (line,))
    whole = case(tags=("VIP",), language="de", payment_term_days=14, address=Address(country="DE"))
    found = assign(whole, claim(), its)
    speak(language)
    told = show_next.plan(found.name, found.because, found.where)
    assert told.startswith("vip (")
    assert told.endswith("; bridge.yaml:12)")
    assert found.because not in ("account", "customer", "invoice")
    assert "_" not in told


def test_the_next_notice_is_told_whole():
    """Day, level, way, recipients with copies, term, subject, attachments, amount with its fee."""
    speak("de")
    one = Upcoming(
        on=date(2026, 9, 11), level=2, level_name="Mahnung", variant="standard", channel="mail", automation="send", state="planned",
        recipients=("a@kunde.example",), cc=("c@kunde.example",), bcc=(), address="", subject="Mahnung RE-1", attachments=("RE-1.pdf",),
        term_days=10, deadline=date(2026, 9, 21), fee=Decimal("5.00"), total=Decimal("105.00"), currency="EUR", invoices=("RE-1",),
    )  # fmt: skip
    told = {name: str(value).replace("\u00a0", " ") for name, value in show_next.upcoming([one])}
    assert told["next"] == "11.09.2026, Stufe 2 Mahnung"
    assert told["next_way"] == "E-Mail an a@kunde.example; Kopie c@kunde.example"
    assert told["next_term"] == "10 Tage, bis 21.09.2026"
    assert (told["next_subject"], told["next_files"]) == ("Mahnung RE-1", "RE-1.pdf")
    assert told["next_total"] == "105,00 € für RE-1, davon Gebühr 5,00 €"
    picked = [LevelChoice(2, "Mahnung", ("mail", "brief")), LevelChoice(3, "Letzte", ("mail",), "Erika")]
    assert show_next.choices(picked) == "2 Mahnung [mail | brief], 3 Letzte (gewählt: Erika)"
