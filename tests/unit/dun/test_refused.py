"""What a person refused stays refused as long as it would say the same, and comes again once it says something else."""

from dataclasses import replace
from decimal import Decimal

import pytest

from bridge.model import Address, Colleague, Reason
from bridge.policy import words
from bridge.words import quoted
from tests.unit.dun.stage import MONDAY, Stage, about, at, days_after, debtor, invoice
from tests.unit.policy.helpers import TEXTS, WITH_FEES, level, plan, rules


def planned(
    *, subject="{{ level_name }} {{ invoice_number }}", automation="propose", second=28, bundling="never", **first
):
    """Rules under a plan of two levels that asks, with one thing changed or another."""
    texts = {language: {**text, "subject": subject} for language, text in TEXTS.items()}
    one = level(1, **{"after_due": 3, "term_days": 14, "automation": automation, "texts": texts, **first})
    return rules(plan(one, level(2, after_due=second, automation=automation), bundling={"when": bundling}))


def refused(stage, its_rules=None):
    """Play until the first proposal about invoice 1 was refused."""
    stage.rules = its_rules or planned()
    stage.tell(MONDAY, debtor(), invoice())
    stage.run(MONDAY)
    turn_down(stage)
    return stage


def turn_down(stage):
    with stage.store.begin() as conn:
        [one] = stage.store.outbox.listing(conn, states=["proposed"])
        stage.store.outbox.refuse(conn, one.id, text=quoted("anna: not now"), now=at(MONDAY))


def comes_again(stage, today=MONDAY):
    """Run, and return whether invoice 1 is proposed or queued; the dry run and its report say the same before."""
    ahead = stage.plan(today, everything=True)
    stage.run(today)
    live = stage.notices("proposed", "queued")
    assert [one.draft.debtor_id for one in ahead.notices] == [one.debtor_id for one in live]
    if not live:
        [line] = ahead.lines
        assert (line.decision.reason, line.decision.facts["note"]) == (Reason.REFUSED, "anna: not now")
        assert line.decision.facts["sooner"].startswith("mahnbridge case ")
        assert stage.reason() == Reason.REFUSED.value
        assert stage.next_on() == line.decision.next_on
    return bool(live)


def test_an_edit_that_changes_nothing_in_it(stage):
    """Another level is edited, or when this one comes: what was refused stays refused, until half of its term has passed."""
    refused(stage)
    for other in (planned(second=35), planned(grace_days=1)):
        stage.rules = other
        assert not comes_again(stage)
    again = stage.next_on()
    assert MONDAY < again < days_after(14)
    assert not comes_again(stage, days_after((again - MONDAY).days - 1))
    assert comes_again(stage, again)


def test_going_automatic_sends_nothing_that_was_refused(lone):
    """The plan is allowed to send by itself from now on: what a person refused is not sent behind their back."""
    refused(lone)
    lone.rules = planned(automation="send")
    assert not comes_again(lone)


@pytest.mark.parametrize("edit", [{"subject": "Please pay"}, {"term_days": 21}], ids=str)
def test_an_edit_that_changes_it(lone, edit):
    """The plan says something else of this level: the refusal was about what stood there before."""
    refused(lone)
    lone.rules = planned(**edit)
    assert comes_again(lone)


def test_what_wakes_the_invoice_and_changes_nothing(lone):
    """The provider's record changes, and what would be sent does not: it stays refused."""
    refused(lone)
    lone.tell(MONDAY, debtor(tags=("vip",)), invoice(tags=("checked",)))
    assert not comes_again(lone)


@pytest.mark.parametrize(
    "told",
    [(invoice(open=Decimal("60.00"), paid=Decimal("40.00")),), (debtor(email="other@example.com"),)],
    ids=["amount", "recipient"],
)
def test_another_amount_or_recipient(lone, told):
    """What was refused was another amount, or to somebody else."""
    refused(lone)
    lone.tell(MONDAY, *told)
    assert comes_again(lone)


def test_a_person_wants_it_after_all(lone):
    """The level chosen by hand proposes it again at once; refused once more, it stays refused."""
    refused(lone)
    with lone.store.begin() as conn:
        lone.store.choices.choose(conn, about(), "next_level", "1", lone.stamp(MONDAY))
    assert comes_again(lone)
    turn_down(lone)
    lone.rules = planned(second=35)
    assert not comes_again(lone)


def test_interest_that_grows_is_no_other_notice(lone):
    """Interest of another day does not make a refused notice another one; a charge of ours does."""
    its = replace(planned(interest=True), money=WITH_FEES)
    refused(lone, its)
    assert lone.notices("refused")[0].content.table.interest
    lone.rules = replace(planned(interest=True, second=35), money=WITH_FEES)
    assert not comes_again(lone, days_after(2))
    lone.rules = replace(planned(interest=True, fee="2.50"), money=WITH_FEES)
    assert comes_again(lone, days_after(3))


def test_another_invoice_makes_it_another_bundle(lone):
    """A refused bundle comes again once another invoice is in it, and as long as none is, it does not."""
    refused(lone, planned(bundling="from_first"))
    lone.tell(MONDAY, debtor(tags=("vip",)))
    assert not comes_again(lone)
    lone.tell(MONDAY, invoice(2))
    lone.run(MONDAY)
    [both] = lone.notices("proposed")
    assert {one.invoice_id for one in both.claims} == {"1", "2"}


HOME = Address(street="Weg 1", postcode="12345", city="Ort")
AGENCY = {"name": {"de": "Inkasso"}, "trigger": {"after_previous": 7}, "collection": True}
WORD = {"name": {"de": "Hinweis"}, "trigger": {"after_previous": 7}, "internal_notice": True, "automation": "propose"}


@pytest.mark.parametrize(
    ("kind", "second", "command", "choice"),
    [
        ("last", AGENCY, "case handover RE-1", ("hand_over", "last")),
        ("reminder", WORD, "case level RE-1 2", ("next_level", "2")),
    ],
)
def test_without_a_term_it_stays_away_and_says_what_brings_it_back(sqlite_store, kind, second, command, choice):
    """What gives no term has no day on which it comes again: told in both languages, with the command, which then does it."""
    stage = Stage(
        sqlite_store, rules(plan(level(1, after_due=3, type=kind, term_days=7, automation="propose"), second))
    )
    known = {"address": HOME, "colleagues": (Colleague(email="lena@example.com"),)}
    stage.tell(MONDAY, debtor(**known), invoice())
    stage.run(MONDAY)
    stage.land(MONDAY)
    stage.run(days_after(15))
    turn_down(stage)
    stage.tell(days_after(91), debtor(tags=("vip",), **known))
    assert not comes_again(stage, days_after(91))
    [line] = stage.plan(days_after(91), everything=True).lines
    told = [words.reason(line.decision.reason, language, line.decision.facts) for language in ("de", "en")]
    assert told == [
        f"von einer Person abgelehnt (anna: not now), bleibt weg, bis sich etwas daran ändert; früher mit: mahnbridge {command}",
        f"refused by a person (anna: not now), stays away until something in it changes; sooner with: mahnbridge {command}",
    ]
    with sqlite_store.begin() as conn:
        sqlite_store.choices.choose(conn, about(), *choice, stage.stamp(days_after(91)))
    assert comes_again(stage, days_after(91))


def test_a_repetition_that_was_refused_says_that_no_command_brings_it_back(sqlite_store):
    """A last level that is repeated cannot be chosen: named are the day on which it comes again, and what ends the refusal before."""
    last = level(1, after_due=3, term_days=7, automation="propose", repeat={"every_days": 14, "limit": 2})
    stage = Stage(sqlite_store, rules(plan(last)))
    stage.tell(MONDAY, debtor(), invoice())
    stage.run(MONDAY)
    stage.land(MONDAY)
    stage.run(days_after(14))
    turn_down(stage)
    [line] = stage.plan(days_after(14), everything=True).lines
    assert line.decision.reason == Reason.REFUSED
    told = [words.reason(line.decision.reason, language, line.decision.facts) for language in ("de", "en")]
    assert "; früher nur mit anderem Betrag, Empfänger oder Plan" in told[0]
    assert "; sooner only with another amount, recipient or plan" in told[1]
    assert "mahnbridge" not in told[0] + told[1]
