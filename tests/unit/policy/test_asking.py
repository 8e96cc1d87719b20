"""What one notice over several claims asks for, and whether its way can tell it."""

from datetime import date

import pytest

from bridge.model import Act, DebtorKind
from bridge.policy import Abilities
from bridge.policy.asking import asked_by
from bridge.policy.decide import decide_claim
from bridge.policy.drafts import Item
from bridge.policy.money import NoteCode
from bridge.policy.views import ClaimView
from bridge.policy.ways import Because, Blocked
from tests.unit.policy.helpers import WITH_FEES, case, charged, claim, level, plan, rules

TODAY = date(2026, 10, 5)
THEIRS = Abilities(acts=frozenset(Act) - {Act.MAIL, Act.LETTER}, documents=True)
REFUSES = Abilities(acts=THEIRS.acts, documents=True, provider_fees=False)
OURS = Abilities(acts=THEIRS.acts, channels={Act.MAIL: "smtp"}, documents=True)
TWO = (claim(invoice_id="1"), claim(invoice_id="2"))
CHARGED = (TWO[0], claim(invoice_id="2", history=charged(300)))


def asked(claims: tuple[ClaimView, ...], abilities, **values):
    """A notice over these claims, the first one leads, by the provider's mail."""
    made = plan(level(1, after_due=3, channels=["provider_email"], **values))
    its, whole = rules(made, money=WITH_FEES), case(*claims, kind=DebtorKind.BUSINESS)
    items = [
        Item(one, decide_claim(whole, one, its, TODAY), made, made.levels[0], made.levels[0].standard, "de")
        for one in claims
    ]
    return asked_by(whole, items[0], items, its, abilities, TODAY)


@pytest.mark.parametrize(
    ("claims", "abilities", "values", "because"),
    [
        (TWO, THEIRS, {}, None),
        (TWO, THEIRS, {"fee": 5}, None),
        (TWO, REFUSES, {"fee": 5}, Because.FEE),
        (TWO, REFUSES, {}, None),
        (CHARGED, THEIRS, {}, Because.ANCILLARY),
        (CHARGED[::-1], THEIRS, {}, Because.ANCILLARY),
    ],
)
def test_what_is_asked_for_on_one_claim_stands_in_the_way_of_all(claims, abilities, values, because):
    """A fee that the provider refuses, a charge that it does not show: on whichever claim of the notice."""
    _, found = asked(claims, abilities, **values)
    assert (found.because if isinstance(found, Blocked) else None) == because


@pytest.mark.parametrize("interest", [False, "where_possible"])
def test_the_fee_is_asked_for_once(interest):
    """On the claim that leads, also where something else is left out."""
    found, way = asked(TWO, THEIRS, fee=5, interest=interest)
    assert not isinstance(way, Blocked)
    assert [one.owed.fee for one in found] == [500, 0]
    assert [one.owed.account.total for one in found] == [10500, 10000]


@pytest.mark.parametrize(
    ("automation", "abilities", "how"),
    [
        ("send", THEIRS, "channels.smtp"),
        ("create", THEIRS, "channels.smtp"),
        ("create", OURS, "automation: propose"),
        ("complete", OURS, "automation: propose"),
    ],
)
def test_what_was_left_out_says_how_it_would_be_asked_for(automation, abilities, how):
    """By a channel of ours where there is none, else by a level that sends; only on the claim on which something was left out."""
    fresh = claim(invoice_id="2", gross=1, open=1)  # interest on one cent is nothing
    found, way = asked((TWO[0], fresh), abilities, automation=automation, interest="where_possible")
    assert not isinstance(way, Blocked)
    notes = [[note.facts["how"] for note in one.owed.notes if note.code is NoteCode.NOT_CARRIED] for one in found]
    assert notes == [[how], []]
    assert [one.owed.account.total for one in found] == [10000, 1]
