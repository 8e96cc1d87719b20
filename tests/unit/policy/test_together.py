"""What goes out together and what does not: groups, bundles, their company and distance."""

from dataclasses import replace
from datetime import date

import pytest

from bridge.model import InvoiceKind, InvoiceStatus, NoticeStatus, Reason
from bridge.policy import Abilities, Block, compose, decide
from bridge.policy.beside import company, together, waits_to_be_joined
from bridge.policy.channel import Via
from bridge.policy.compose import unsendable
from bridge.policy.distance import keep_apart
from bridge.policy.money import DueSource, MoneyRules
from bridge.policy.views import NoticeView, Running
from tests.unit.policy.helpers import case, claim, days, level, plan, rules
from tests.unit.policy.together import CALL, GROUP, HOME, LENA, OWN, TODAY, YOUNG, A, ago, bundling, made, numbers

# ----------------------------------------------------------------------------------------------------------------- groups


@pytest.mark.parametrize(
    ("other", "whole", "expected"),
    [
        ({}, {}, [("1", "2")]),
        ({"currency": "CHF"}, {}, [("1",), ("2",)]),
        ({"language": "en"}, {}, [("1",), ("2",)]),
        ({"language": "de"}, {}, [("1", "2")]),
        ({"email": "other@example.com"}, {}, [("1",), ("2",)]),
        ({"email": "rechnung@example.com"}, {}, [("1", "2")]),
        ({"address": HOME}, {}, [("1",), ("2",)]),
        ({"address": HOME}, {"address": HOME}, [("1", "2")]),
        ({"payment_term_days": 30}, {}, [("1",), ("2",)]),
        ({}, {"payment_term_days": 30}, [("1",), ("2",)]),
        ({"due_on": date(2026, 9, 1)}, {}, [("2", "1")]),
        ({"due_on": None, "payment_term_days": 14}, {}, [("1", "2")]),
    ],
)
def test_two_due_invoices_in_one_letter_or_two(other, whole, expected):
    """Never over two currencies, languages or recipients, nor with a term that is left out; the oldest first."""
    its = replace(bundling(except_terms=[30]), currencies=frozenset({"EUR", "CHF"}))
    assert numbers(made(case(claim(invoice_id="1"), claim(invoice_id="2", **other), **whole), its)) == expected


@pytest.mark.parametrize(
    ("tags", "expected"), [((), [("1",), ("2",)]), (("x",), [("1",), ("2",)]), (("agentur", "x"), [("1", "2")])]
)
def test_only_customers_of_the_group_are_bundled(tags, expected):
    """Those with one of its tags."""
    assert (
        numbers(made(case(claim(invoice_id="1"), claim(invoice_id="2"), tags=tags), bundling(tags=["agentur"])))
        == expected
    )


def test_a_plan_that_bundles_nothing_bundles_no_last_reminder_either():
    """Each invoice has its own."""
    its = rules(plan(level(1, after_due=3, type="last")))
    assert numbers(made(case(claim(invoice_id="1"), claim(invoice_id="2")), its)) == [("1",), ("2",)]


def test_the_highest_level_leads_and_each_rises_to_its_own():
    """Name, text and term are those of the highest level; what needs an approval keeps all of it waiting."""
    levels = (level(1, after_due=3, automation="propose", term_days=5), level(2, after_due=9, term_days=7))
    its = rules(plan(*levels, bundling=GROUP))
    older = claim(invoice_id="1", level=1, level_on=ago(9), due_on=date(2026, 9, 10))
    (notice,) = made(case(older, claim(invoice_id="2")), its)
    assert (notice.level, notice.level_name, notice.deadline) == (2, "Stufe 2", date(2026, 10, 12))
    assert [(one.invoice_id, one.level, one.level_name) for one in notice.claims] == [
        ("1", 2, "Stufe 2"),
        ("2", 1, "Stufe 1"),
    ]
    assert (notice.automation.value, notice.needs_approval, notice.leaves) == ("propose", True, False)
    (alone,) = made(case(older), its)
    assert (alone.automation.value, alone.needs_approval, alone.leaves) == ("send", False, True)


def test_where_no_bundle_can_say_it_each_goes_by_itself():
    """Two invoices, only the provider sends, one record each: two notices and no bundle."""
    provider = Abilities(acts=frozenset({A.CREATE, A.SEND_EMAIL}))
    its = rules(plan(level(1, after_due=3, channels=["email"]), bundling=GROUP))
    assert numbers(made(case(claim(invoice_id="1"), claim(invoice_id="2")), its, provider)) == [("1",), ("2",)]
    assert numbers(made(case(claim(invoice_id="1"), claim(invoice_id="2")), its)) == [("1", "2")]
    netted = case(claim(invoice_id="1", linked_credits=5), claim(invoice_id="2"))
    assert numbers(made(netted, its, provider)) == [("2",)]
    assert set(unsendable(netted, decide(netted, its, TODAY), its, provider, TODAY)) == {"1"}


# ---------------------------------------------------------------------------------------------------------------- company


def parts(whole, its, abilities=OWN):
    decided = decide(whole, its, TODAY)
    notices = compose(whole, [*decided, *company(whole, decided, its, TODAY)], its, abilities, TODAY)
    return {one.claim.invoice_id: (one.part.value, one.why) for one in notices[0].others}


@pytest.mark.parametrize(
    ("values", "listed", "part"),
    [
        ({}, {}, ("included", "")),
        ({"due_on": date(2026, 10, 20)}, {}, ("left_out", "not_due")),
        ({"due_on": date(2026, 10, 20)}, {"include_not_due": True}, ("mentioned", "not_due")),
        ({"due_on": TODAY}, {"scope": "unpaid"}, ("mentioned", "not_due")),
        ({"blocks": (Block(Reason.DISPUTE),)}, {"scope": "unpaid"}, ("left_out", "dispute")),
        ({"blocks": (Block(Reason.PARKED),)}, {}, ("left_out", "parked")),
        ({"blocks": (Block(Reason.PARKED),)}, {"include_parked": True}, ("mentioned", "parked")),
        ({"blocks": (Block(Reason.PARKED),), "sent": False}, {"include_parked": True}, ("left_out", "not_sent")),
        ({"blocks": (Block(Reason.PARKED),), "undelivered": True, "level": 1}, {"include_parked": True}, ("left_out", "undelivered")),
        ({"level": 2, "level_on": ago(30), "due_on": ago(60)}, {}, ("left_out", "plan_complete")),
        ({"level": 2, "level_on": ago(30), "due_on": ago(60)}, {"include_ready_for_collection": True}, ("mentioned", "plan_complete")),
        ({"kind": InvoiceKind.CREDIT_NOTE}, {"scope": "unpaid"}, None),
        ({"status": InvoiceStatus.PAID}, {"scope": "unpaid"}, None),
        ({"currency": "CHF"}, {}, ("left_out", "currency")),
        ({"language": "en"}, {}, ("left_out", "language")),
        ({"email": "x@example.com"}, {}, ("left_out", "recipient")),
        ({"payment_term_days": 30}, {}, ("left_out", "payment_term")),
        ({"running": Running(1, "queued", 1)}, {}, ("left_out", "own_reminder_running")),
        ({"level": 1, "level_on": ago(4), "deadline": date(2026, 10, 6), "due_on": ago(30)}, {}, ("mentioned", "deadline_running")),
        ({"open": 0}, {"scope": "unpaid"}, ("left_out", "balance_not_positive")),
        ({"plan": "none"}, {"scope": "unpaid"}, ("left_out", "no_plan")),
    ],
)  # fmt: skip
def test_what_becomes_of_another_invoice(values, listed, part):
    """Overdue: asked for; not yet due, parked or at its end: listed where the plan says so; what speaks against naming it: not at all."""
    its = replace(bundling(except_terms=[30], **listed), currencies=frozenset({"EUR", "CHF"}))
    found = parts(case(claim(invoice_id="1"), claim(**{**YOUNG, **values})), its)
    assert found == ({} if part is None else {"2": part})


def test_a_running_term_is_told_and_not_asked_for_anew():
    """Its own next step would come before the end of the bundle's term: it is listed with the term that it has."""
    its = rules(plan(level(1, after_due=3, term_days=20), level(2, after_due=5, term_days=20), bundling=GROUP))
    other = {"invoice_id": "2", "level": 1, "level_on": ago(8), "due_on": ago(30)}
    first = claim(invoice_id="1")
    assert parts(case(first, claim(**other, deadline=date(2026, 10, 7))), its) == {
        "2": ("mentioned", "deadline_running")
    }
    short = rules(plan(level(1, after_due=3, term_days=1), level(2, after_due=5, term_days=1), bundling=GROUP))
    assert parts(case(first, claim(**other, deadline=date(2026, 10, 7))), short) == {"2": ("included", "")}


def test_what_goes_along_stands_in_nobodys_way():
    """Only the provider can send, and one invoice at a time: the due one goes out, the other is left out of it."""
    theirs = Abilities(acts=frozenset({A.CREATE, A.SEND_EMAIL}))
    its = rules(
        plan(level(1, after_due=6, channels=["email"]), level(2, after_due=20, channels=["email"]), bundling=GROUP)
    )
    whole = case(claim(invoice_id="1"), claim(**YOUNG))
    (notice,) = compose(whole, decide(whole, its, TODAY), its, theirs, TODAY)
    assert (notice.channel, numbers([notice])) == (Via.PROVIDER_EMAIL, [("1",)])
    assert [(one.claim.invoice_id, one.part.value) for one in notice.others] == [("2", "left_out")]


def test_nobody_is_asked_after_where_nothing_is_bundled():
    """Only an escalation that plans a bundle asks for the debtor's other invoices, and only for those not decided yet."""
    whole = case(claim(invoice_id="1"), claim(**YOUNG))
    its = bundling()
    first = [one for one in decide(whole, its, TODAY) if one.invoice_id == "1"]
    assert [one.invoice_id for one in company(whole, first, its, TODAY)] == ["2"]
    assert company(whole, decide(whole, its, TODAY), its, TODAY) == ()
    assert company(whole, first, rules(days(3)), TODAY) == ()
    assert company(whole, [one for one in decide(whole, its, TODAY) if one.invoice_id == "2"], its, TODAY) == ()


@pytest.mark.parametrize(
    ("values", "joined"),
    [
        ({}, True),
        ({"state": "approved"}, False),
        ({"state": "queued"}, False),
        ({"level": 0}, False),
        ({"level": 3}, True),
        ({"level": 4}, False),
    ],
)
def test_a_proposed_bundle_waits_to_be_joined(values, joined):
    """As long as nobody has approved it, and only where its level is one of the plan."""
    its = rules(plan(level(1), level(2), bundling=GROUP))
    one = claim(running=Running(1, **{"state": "proposed", "level": 1, **values}))
    assert waits_to_be_joined(case(one), one, its) is joined
    assert not waits_to_be_joined(case(one), one, rules(days(3)))
    assert not waits_to_be_joined(case(), claim(), its)


def test_who_may_share_a_bundle():
    """Currency, language and recipient, all three."""
    one = claim()
    assert together(case(), one, claim(invoice_id="2"))
    for values in ({"currency": "CHF"}, {"language": "en"}, {"email": "x@example.com"}, {"address": HOME}):
        assert not together(case(), one, claim(invoice_id="2", **values))


def test_a_notice_over_two_due_invoices_names_both_as_its_triggers():
    """One over a single invoice is no bundle; a letter and word to colleagues alike."""
    two = case(claim(invoice_id="1"), claim(invoice_id="2"), colleagues=(LENA,))
    assert made(two, bundling())[0].triggers == ("1", "2")
    assert made(case(), bundling())[0].triggers == ()
    quiet = rules(plan({**CALL, "internal_notice": True}, bundling=GROUP))
    assert [one.triggers for one in made(two, quiet)] == [("1", "2")]
    assert [one.triggers for one in made(case(colleagues=(LENA,)), quiet)] == [()]


def test_what_goes_along_keeps_what_was_sent_elsewhere():
    """Its level is that of a reminder made at the provider; interest is asked for as that level asks, and no other."""
    seen = NoticeView("9", 2, NoticeStatus.SENT, ago(1))
    levels = (level(1, after_due=6, interest=True), level(2, after_due=20), level(3, after_due=40))
    its = rules(plan(*levels, bundling=GROUP), money=MoneyRules(due_source=DueSource.CONTRACT))
    other = claim(**{**YOUNG, "due_on": ago(30)}, level=2, level_on=ago(9), notices=(seen,))
    (notice,) = compose(case(claim(), other), decide(case(claim(), other), its, TODAY), its, OWN, TODAY)
    along = notice.claims[-1]
    assert (along.invoice_id, along.basis.from_level, along.basis.asks.interest) == ("2", 2, False)


# --------------------------------------------------------------------------------------------------------------- distance


@pytest.mark.parametrize(
    ("running", "single", "bundle"),
    [
        (None, "escalate", "hold"),
        (Running(1, "proposed", 1, channel="mail"), "escalate", "hold"),
        (Running(1, "approved", 1, channel="mail"), "escalate", "hold"),
        (Running(1, "proposed", 1, channel="internal"), "escalate", "hold"),
        (Running(1, "proposed", 1), "escalate", "hold"),
    ],
)
def test_a_single_notice_that_waited_longer_goes_before_a_bundle(running, single, bundle):
    """Whatever state another one is in; tomorrow, or after the interval, the other follows."""
    levels = (level(1, after_due=3, term_days=7), level(2, after_due=14, term_days=7, type="last"))
    its = rules(plan(*levels, bundling={"when": "from_last"}))
    waits = (claim(invoice_id="3", running=running),) if running else ()
    old = claim(invoice_id="2", level=1, level_on=ago(10), deadline=ago(3), due_on=ago(16))
    whole = case(claim(invoice_id="1", due_on=ago(10)), old, *waits)
    found = {one.invoice_id: one for one in keep_apart(whole, decide(whole, its, TODAY), its, TODAY)}
    assert (found["1"].outcome.value, found["2"].outcome.value) == (single, bundle)
    held = found["2"]
    assert (held.variant, held.chosen_by, held.skipped) == (None, "", ())
    assert held.facts["position"] == 2
    if running is None:
        assert (held.next_on, held.facts["first"], held.facts["invoices"]) == (date(2026, 10, 12), "single", "RE-1")


def test_beside_a_proposal_that_waits_nothing_of_the_other_kind_goes_out():
    """Even where it is the only one of its day: it is asked about again tomorrow, for the approval may come."""
    levels = (level(1, after_due=3, term_days=7), level(2, after_due=14, term_days=7, type="last"))
    its = rules(plan(*levels, bundling={"when": "from_last"}))
    waiting = claim(invoice_id="2", level=1, due_on=ago(30), running=Running(1, "proposed", 2, channel="mail"))
    whole = case(claim(due_on=ago(4)), waiting)
    found = {one.invoice_id: one for one in keep_apart(whole, decide(whole, its, TODAY), its, TODAY)}
    held = found["1"]
    assert (held.outcome.value, held.next_on, held.facts["waits"]) == ("hold", date(2026, 10, 6), "bundle_proposed")
    assert "invoices" not in held.facts


def test_distance_is_kept_where_only_one_of_the_plans_bundles():
    """The other plan of the customer bundles nothing, and its notice waits all the same."""
    bundle = plan(level(1, after_due=3, term_days=7), bundling=GROUP, name="bundle")
    its = rules(bundle, days(3, name="single"))
    whole = case(claim(due_on=ago(9)), claim(invoice_id="2", plan="single", due_on=ago(5)))
    found = {one.invoice_id: one.outcome.value for one in keep_apart(whole, decide(whole, its, TODAY), its, TODAY)}
    assert found == {"1": "escalate", "2": "hold"}
