"""Automatic channels: the provider's service where it can say exactly what we ask for, else our own; an error only where neither can."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from bridge.model import Act, Address, DebtorKind, NoticeStatus, Severity
from bridge.policy import Abilities, Assignment, NoticeView, compose, decide, unsendable
from bridge.policy.assign import reachable
from bridge.policy.fits import plan_fits
from bridge.policy.load import starter_plans
from bridge.policy.ways import ways
from tests.unit.policy.helpers import WITH_FEES, case, claim, level, plan, rules

TODAY = date(2026, 10, 5)
A = Act
THEIRS = Abilities(acts=frozenset({A.CREATE, A.AMEND, A.SEND_EMAIL, A.SEND_POST, A.MARK_SENT}))
OURS = {A.MAIL: "smtp", A.LETTER: "letter_outbox"}
BOTH = replace(THEIRS, channels=OURS)
NEITHER = Abilities()
HOME = Address(street="Weg 1", postcode="50667", city="Köln")


def sent(one, abilities, **values):
    """The acts that reach the debtor, with whether a reminder is made at the provider; None: held, as nothing can say it."""
    its = rules(plan(level(1, after_due=3, **values)), money=WITH_FEES)
    whole = case(one, address=HOME)
    decisions = decide(whole, its, TODAY)
    found = [
        (notice.channel.value, any(step.act is A.CREATE for step in notice.steps))
        for notice in compose(whole, decisions, its, abilities, TODAY)
    ]
    assert bool(found) is not bool(unsendable(whole, decisions, its, abilities, TODAY))
    return found or None


@pytest.mark.parametrize(
    ("one", "abilities", "values", "expected"),
    [
        (claim(), BOTH, {"channels": ["email"]}, [("provider_email", True)]),
        (claim(), BOTH, {"channels": ["post"]}, [("provider_post", True)]),
        (claim(), THEIRS, {"channels": ["email"]}, [("provider_email", True)]),
        (claim(), replace(NEITHER, channels=OURS), {"channels": ["email"]}, [("mail", False)]),
        (claim(), replace(NEITHER, channels=OURS), {"channels": ["post"]}, [("letter", False)]),
        (claim(), NEITHER, {"channels": ["email"]}, None),
        (claim(linked_credits=3000), BOTH, {"channels": ["email"]}, [("mail", False)]),
        (claim(linked_credits=3000), THEIRS, {"channels": ["email"]}, None),
        (claim(), replace(BOTH, provider_fees=False), {"channels": ["email"], "fee": 5}, [("mail", False)]),
        (claim(), replace(BOTH, provider_fees=False), {"channels": ["email"]}, [("provider_email", True)]),
        (claim(), replace(BOTH, provider_fees=False), {"channels": ["provider_email"], "fee": 5}, [("mail", False)]),
        (claim(), BOTH, {"channels": ["email"], "document": "silent"}, [("mail", True)]),
        (claim(), BOTH, {"channels": ["email"], "document": "none"}, [("mail", False)]),
        (
            claim(),
            replace(BOTH, acts=BOTH.acts - {A.SEND_EMAIL}),
            {"channels": ["email"], "document": "provider"},
            [("mail", True)],
        ),
        (claim(), BOTH, {"channels": ["email", "post"]}, [("provider_email", True), ("letter", False)]),
        (claim(), replace(BOTH, provider_levels=()), {"channels": ["email"]}, [("mail", False)]),
        (
            claim(provider_level=1),
            replace(BOTH, provider_levels=("Erinnerung",)),
            {"channels": ["email"]},
            [("mail", False)],
        ),
        (claim(), NEITHER, {"channels": ["mail"], "automation": "propose"}, [("mail", False)]),
    ],
)
def test_who_sends(one, abilities, values, expected):
    """The provider sends its own reminder where text, amount and fee fit; else we do; else the claim is held and nothing goes out."""
    assert sent(one, abilities, **values) == expected


def test_a_draft_at_the_provider_is_never_replaced_by_a_mail_that_nobody_asked_for():
    """Automation `create` makes a draft there or holds the claim; our own mail has no draft."""
    values = {"channels": ["email"], "automation": "create"}
    its = rules(plan(level(1, after_due=3, **values)), money=WITH_FEES)
    whole = case()
    made = compose(whole, decide(whole, its, TODAY), its, BOTH, TODAY)
    assert [step.act for one in made for step in one.steps] == [A.CREATE, A.AMEND]
    few = replace(NEITHER, channels=OURS)
    assert compose(whole, decide(whole, its, TODAY), its, few, TODAY) == ()
    assert unsendable(whole, decide(whole, its, TODAY), its, few, TODAY)["1"].reason == "no_channel"


def test_a_bundle_goes_out_as_our_own_mail_and_without_one_invoice_by_invoice():
    """One mail over both where we can send; else each by the provider; a plan with `email` may bundle."""
    its = rules(plan(level(1, after_due=3, channels=["email"]), bundling={"when": "from_first"}))
    whole = case(claim(invoice_id="1"), claim(invoice_id="2"))
    decisions = decide(whole, its, TODAY)
    assert [(one.channel, len(one.claims)) for one in compose(whole, decisions, its, BOTH, TODAY)] == [("mail", 2)]
    alone = compose(whole, decisions, its, THEIRS, TODAY)
    assert [(one.channel, len(one.claims)) for one in alone] == [("provider_email", 1), ("provider_email", 1)]


@pytest.mark.parametrize("channel", ["email", "mail"])
def test_a_credit_note_takes_its_own_invoice_out_of_the_records_alone(channel):
    """In a bundle the invoices without a credit note keep their silent record at the provider; that of the other would name too much."""
    values = {"channels": [channel], "document": "silent"}
    its = rules(plan(level(1, after_due=3, **values), bundling={"when": "from_first"}))

    def recorded(*claims):
        whole = case(*claims)
        made = compose(whole, decide(whole, its, TODAY), its, BOTH, TODAY)
        return [[step.invoice_id for step in one.steps if step.act is A.CREATE] for one in made]

    first, second = claim(invoice_id="1", linked_credits=300), claim(invoice_id="2")
    assert recorded(first, second) == [["2"]]
    assert recorded(first, replace(second, shared_credits=200)) == [[]]


def test_the_key_stays_the_same_whoever_sends():
    """A notice of one level cannot exist twice because the way changed between two runs."""
    its = rules(plan(level(1, after_due=3, channels=["email"])))
    whole = case()
    keys = {
        compose(whole, decide(whole, its, TODAY), its, abilities, TODAY)[0].claims[0].key
        for abilities in (BOTH, replace(NEITHER, channels=OURS))
    }
    assert len(keys) == 1


def test_reminders_made_at_the_provider_use_up_its_levels():
    """The provider's counter stands at its last level: the next reminder is ours, whatever the plan's level is."""
    there = NoticeView("r1", 2, NoticeStatus.SENT, on=date(2026, 9, 18))
    its = rules(plan(level(1, after_due=3), level(2, after_due=10), level(3, after_due=14, channels=["email"])))
    whole = case(claim(notices=(there,)))
    made = compose(whole, decide(whole, its, TODAY), its, replace(BOTH, provider_levels=("1", "2")), TODAY)
    assert [one.channel for one in made] == ["mail"]
    free = compose(whole, decide(whole, its, TODAY), its, replace(BOTH, provider_levels=("1", "2", "3")), TODAY)
    assert [one.channel for one in free] == ["provider_email"]


@pytest.mark.parametrize(
    ("values", "abilities", "said"),
    [
        ({"channels": ["email"]}, BOTH, {}),
        ({"channels": ["email"]}, THEIRS, {"plan_no_own_channel": Severity.INFO}),
        ({"channels": ["email"]}, replace(NEITHER, channels=OURS), {}),
        ({"channels": ["email"]}, NEITHER, {"plan_channel": Severity.ERROR}),
        ({"channels": ["post"]}, replace(NEITHER, channels={A.MAIL: "smtp"}), {"plan_channel": Severity.ERROR}),
        ({"channels": ["email"], "fee": 5}, replace(THEIRS, provider_fees=False), {"plan_channel": Severity.ERROR}),
        ({"channels": ["email"], "fee": 5}, replace(BOTH, provider_fees=False), {}),
        (
            {"channels": ["provider_email"], "fee": 5},
            replace(BOTH, provider_fees=False),
            {"plan_fee": Severity.WARNING},
        ),
        (
            {"channels": ["provider_email"], "fee": 5},
            replace(THEIRS, provider_fees=False),
            {"plan_fee": Severity.ERROR},
        ),
        (
            {"channels": ["email"], "automation": "create"},
            replace(NEITHER, channels=OURS),
            {"plan_channel": Severity.ERROR},
        ),
        ({"channels": ["email"]}, replace(THEIRS, provider_levels=()), {"plan_channel": Severity.ERROR}),
        ({"channels": ["email"]}, replace(BOTH, provider_levels=()), {"plan_levels": Severity.INFO}),
    ],
)
def test_check_says_who_sends(values, abilities, said):
    """An error only where neither the provider nor a channel of ours can send what the level asks for."""
    found = plan_fits(plan(level(1, after_due=3, **values)), abilities)
    assert {one.code: one.severity for one in found if one.code != "no_place_for_note"} == said


def test_levels_beyond_the_providers_own_need_a_channel_of_ours():
    """Two levels, one at the provider: the second goes out as our own mail, or is an error where there is none."""
    two = plan(level(1, after_due=3, channels=["email"]), level(2, after_due=14, channels=["email"]))
    told = {one.code: one for one in plan_fits(two, replace(BOTH, provider_levels=("Erinnerung",)))}
    assert told["plan_levels"].severity is Severity.INFO
    bare = {one.code: one for one in plan_fits(two, replace(THEIRS, provider_levels=("Erinnerung",)))}
    assert bare["plan_levels"].severity is Severity.ERROR
    assert "set channels.smtp" in bare["plan_levels"].text


@pytest.mark.parametrize("name", ["gentle", "standard", "two-weeks"])
def test_the_shipped_plans_need_no_mail_server_where_the_provider_sends(name):
    """A fresh installation without SMTP has a plan that works; equal remarks about several levels are said once."""
    found = plan_fits(starter_plans()[name], THEIRS)
    assert not [one for one in found if one.severity is not Severity.INFO]
    assert len([one for one in found if one.code == "plan_no_own_channel"]) == 1
    missing = [one for one in plan_fits(starter_plans()[name], NEITHER) if one.severity is Severity.ERROR]
    assert len(missing) == 1
    assert "set channels.smtp" in missing[0].text


IN_DEFAULT = {"due_on": date(2026, 8, 3), "issued_on": date(2026, 7, 20)}
MORE = {"interest": "where_possible", "flat_fee": "where_possible"}


def asked(abilities, **values):
    """The one notice of a level for a business in default, with what it asks for; None: held."""
    its = rules(plan(level(1, after_due=3, **values)))
    whole = case(claim(**IN_DEFAULT), kind=DebtorKind.BUSINESS, address=HOME)
    decisions = decide(whole, its, TODAY)
    made = compose(whole, decisions, its, abilities, TODAY)
    assert bool(made) is not bool(unsendable(whole, decisions, its, abilities, TODAY))
    return made[0] if made else None


@pytest.mark.parametrize(
    ("abilities", "values", "channel", "more"),
    [
        (BOTH, {"channels": ["email"], **MORE}, "mail", True),
        (THEIRS, {"channels": ["email"], **MORE}, "provider_email", False),
        (THEIRS, {"channels": ["provider_email"], **MORE}, "provider_email", False),
        (BOTH, {"channels": ["email"], "automation": "create", **MORE}, "provider_email", False),
        (THEIRS, {"channels": ["email"], "interest": True, "flat_fee": "where_possible"}, None, False),
        (THEIRS, {"channels": ["email"], "interest": True}, None, False),
    ],
)
def test_what_no_way_can_tell_is_left_out_where_the_plan_says_so(abilities, values, channel, more):
    """`where_possible` asks in our own mail and not in the provider's reminder, and never holds; `true` holds rather than asks for less."""
    found = asked(abilities, **values)
    assert (found and found.channel.value) == channel
    if found is None:
        return
    basis, table = found.claims[0].basis, found.content.table
    assert (basis.asks.interest, basis.asks.flat_fee, basis.flat_fee) == (more, more, more)
    assert (table.interest > 0, table.ancillary > 0, found.total > found.claims[0].demand) == (more, more, more)
    assert basis.total == found.total
    told = [text for text in (one.told("de") for one in basis.notes) if "werden nicht gefordert" in text]
    assert bool(told) is not more
    setting = "automation: propose" if values.get("automation") == "create" else "channels.smtp"
    assert more or setting in told[0]


def test_nothing_is_said_to_be_left_out_where_nothing_is_owed():
    """Before default there is no interest and no flat fee, so the remark would be about nothing."""
    its = rules(plan(level(1, after_due=3, channels=["email"], **MORE)))
    whole = case(kind=DebtorKind.BUSINESS)
    made = compose(whole, decide(whole, its, TODAY), its, THEIRS, TODAY)
    assert not [text for text in made[0].claims[0].basis.notes if "asked for" in text and "channels" in text]


def test_the_shipped_plan_asks_businesses_from_its_third_level_on():
    """Interest and flat fee from level 3 on, never before (`domain.md` 2.1); none of the shipped plans holds for want of a mail server."""
    levels = [one for one in starter_plans()["standard"].levels if one.writes]
    assert [(one.interest, one.flat_fee) for one in levels] == [
        (False, False),
        (False, False),
        ("where_possible", "where_possible"),
        ("where_possible", "where_possible"),
    ]
    assert not any(
        one.interest is True or one.flat_fee is True for its in starter_plans().values() for one in its.levels
    )


@pytest.mark.parametrize(
    ("values", "abilities", "severity"),
    [
        ({**MORE}, BOTH, None),
        ({**MORE}, THEIRS, Severity.INFO),
        ({"interest": True}, THEIRS, Severity.WARNING),
        ({"flat_fee": True, "interest": "where_possible"}, THEIRS, Severity.WARNING),
        ({"automation": "create", **MORE}, BOTH, Severity.INFO),
        ({}, THEIRS, None),
    ],
)
def test_check_says_beforehand_what_a_way_cannot_tell(values, abilities, severity):
    """A level that asks for interest or flat fee on a way that cannot tell them is named before anything is due, with what to set."""
    found = plan_fits(plan(level(1, after_due=3, channels=["email"], **values)), abilities)
    told = [one for one in found if one.code == "plan_ancillaries"]
    assert [one.severity for one in told] == ([severity] if severity else [])
    setting = "automation: propose" if values.get("automation") else "set channels.smtp"
    assert not told or setting in str(told[0].text)


def test_a_plan_is_judged_only_where_it_can_apply():
    """An assignment without further conditions replaces the account's plan and hides those behind it."""
    its = rules(plan(level(1), name="a"))
    whole, behind = Assignment(plan="b"), Assignment(plan="c")
    special = Assignment(plan="d", customers=frozenset({"1"}))
    assert reachable(its) == {"a"}
    assert reachable(replace(its, assignments=(special,))) == {"a", "d"}
    assert reachable(replace(its, assignments=(special, whole, behind))) == {"b", "d"}
    assert reachable(replace(its, default_plan=None)) == set()


def test_fee_of_cents_counts():
    """Any fee, however small, is one that the provider would not show."""
    abilities = replace(BOTH, provider_fees=False)
    assert sent(claim(), abilities, channels=["email"], fee=Decimal("0.50")) == [("mail", False)]


@pytest.mark.parametrize(
    ("values", "abilities", "claims", "expected"),
    [
        ({"channels": ["email", "post"], "document": "silent"}, BOTH, (claim(),), ["mail silent", "letter none"]),
        ({"channels": ["email"], "document": "silent"}, replace(BOTH, acts=BOTH.acts - {A.CREATE}), (claim(),), ["mail none"]),
        ({"channels": ["email"], "document": "provider"}, BOTH, (claim(linked_credits=5), claim(invoice_id="2")), ["mail none"]),
        ({"channels": ["email"], "document": "silent"}, BOTH, (claim(linked_credits=5), claim(invoice_id="2")), ["mail silent"]),
        ({"channels": ["email"], "document": "silent"}, BOTH, (claim(linked_credits=5),), ["mail none"]),
        ({"channels": ["mail"], "document": "silent"}, BOTH, (claim(linked_credits=5), claim(invoice_id="2")), ["mail silent"]),
        ({"channels": ["mail"], "document": "silent"}, BOTH, (claim(linked_credits=5),), ["mail none"]),
        ({"channels": ["mail"], "document": "silent"}, BOTH, (), ["mail silent"]),
    ],
)  # fmt: skip
def test_only_the_first_letter_is_recorded_and_only_what_is_true(values, abilities, claims, expected):
    """One record at the provider, where it can be made; of several invoices for each that no credit note lowers."""
    one = plan(level(1, after_due=3, **values)).levels[0]
    assert [f"{its.via.value} {its.document.value}" for its in ways(one, one.standard, abilities, claims)] == expected
