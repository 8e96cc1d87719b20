"""What each rule lets pass and what it tells, at its very edges; and when the next day is on which to ask again."""

from datetime import date, timedelta

import pytest

from bridge.model import Address, Colleague, InvoiceKind, InvoiceStatus, NoticeStatus, Reason
from bridge.policy import AccountFacts, Outcome
from bridge.policy.holds import plain
from bridge.policy.situation import Situation
from bridge.policy.views import NoticeView, Running
from tests.unit.policy.helpers import case, claim, days, decided, level, plan, rules

TODAY = date(2026, 10, 5)  # a Monday
HOME = Address(street="Weg 1", postcode="50667", city="Köln")
LENA = Colleague(email="lena@example.com")


def day(number):
    return TODAY + timedelta(days=number)


def asked(its=None, whole=None, facts=None, **values):
    one = claim(**values)
    return decided(one, its or rules(days(3, 14)), TODAY, case=whole or case(one), facts=facts)


def draft(number, **values):
    return NoticeView(str(number), 2, values.pop("status", NoticeStatus.DRAFT), day(-3), **values)


# ---------------------------------------------------------------------------------------------------------- the short way


@pytest.mark.parametrize(
    "values",
    [{}, {"open": 1}, {"open": 100}, {"kind": InvoiceKind.PARTIAL}, {"kind": InvoiceKind.FINAL}, {"sent": None}],
)
def test_the_usual_claim_takes_the_short_way(values):
    """However small: it is not asked through every rule that cannot speak against it."""
    its = rules(days(3), minimum=1 if values.get("open") == 1 else 0, tolerance=99 if values.get("open") == 100 else 0)
    one = claim(**values)
    assert plain(Situation(case(one), one, its, TODAY))
    dated = rules(days(3), cutoff=one.issued_on)
    assert plain(Situation(case(one), one, dated, TODAY))


# -------------------------------------------------------------------------------------------------------------- the record


@pytest.mark.parametrize(
    ("values", "reason", "facts"),
    [
        ({"gone": True}, Reason.GONE, {}),
        ({"kind": InvoiceKind.CREDIT_NOTE}, Reason.NOT_DUNNABLE, {"kind": "credit_note"}),
        ({"status": InvoiceStatus.CANCELLED}, Reason.CANCELLED, {}),
        ({"cancelled": True}, Reason.CANCELLED, {}),
        ({"status": InvoiceStatus.PAID}, Reason.PAID, {}),
        ({"covered": True, "credited": True}, Reason.COVERED, {}),
        ({"credited": True}, Reason.CREDITED, {}),
        ({"status": InvoiceStatus.DRAFT}, Reason.DRAFT, {}),
        ({"status": InvoiceStatus.UNKNOWN}, Reason.UNKNOWN_STATUS, {}),
        ({"closed": Reason.CLOSED_BY_HAND}, Reason.CLOSED_BY_HAND, {}),
        ({"closed": Reason.PAID}, Reason.LEVEL_DUE, None),  # closed as paid, and open again
        ({"sent": False}, Reason.NOT_SENT, {}),
        ({"amounts_clear": False}, Reason.AMOUNT_UNCLEAR, {}),
        ({"currency": "CHF"}, Reason.FOREIGN_CURRENCY, {"currency": "CHF"}),
        ({"payment_method": "Lastschrift"}, Reason.DIRECT_DEBIT_PENDING, {"source": "payment method"}),
        ({"payment_method": "Lastschrift", "returned": True}, Reason.LEVEL_DUE, None),
        ({"payment_method": "Lastschrift", "include": "include"}, Reason.LEVEL_DUE, None),
        ({"payment_method": "invoice"}, Reason.LEVEL_DUE, None),
        ({"open": 500, "linked_credits": 300, "shared_credits": 200}, Reason.BALANCE_NOT_POSITIVE, {"amount": 0, "currency": "EUR"}),
        ({"undelivered": True, "level": 1, "level_name": "Erste"}, Reason.UNDELIVERED, None),
        ({"plan": "weg"}, Reason.NO_PLAN, {"plan": "weg", "source": "invoice"}),
        ({"plan": "none"}, Reason.NO_PLAN, {"plan": "", "source": "invoice"}),
        ({"level": 2, "level_on": day(-30)}, Reason.PLAN_COMPLETE, {"plan": "plan", "level": 2}),
    ],
)  # fmt: skip
def test_each_rule_tells_what_it_saw(values, reason, facts):
    """The reason, with what staff needs to understand it, and no day on which to ask again: something must change first."""
    found = asked(**values)
    assert found.reason is reason
    if facts is not None:
        assert (dict(found.facts), found.next_on) == (facts, None)


def test_without_a_plan_of_the_account_nothing_is_named():
    """Neither by the account nor by a person."""
    found = asked(rules())
    assert (found.reason, found.facts) == (Reason.NO_PLAN, {"plan": "", "source": "account"})


@pytest.mark.parametrize(
    ("issued", "reason"),
    [(day(-20), Reason.LEVEL_DUE), (day(-21), Reason.BEFORE_CUTOFF), (None, Reason.BEFORE_CUTOFF)],
)
def test_the_cut_off_day_itself_counts(issued, reason):
    """Issued on it: dunned; a day before, or nobody knows when: not."""
    found = asked(rules(days(3), cutoff=day(-20)), issued_on=issued)
    assert found.reason is reason
    if reason is Reason.BEFORE_CUTOFF:
        assert found.facts == {"cutoff": day(-20)}


# ---------------------------------------------------------------------------------------------------------------- is due


@pytest.mark.parametrize(
    ("its", "due", "reason", "next_on"),
    [
        (rules(days(0)), -3, Reason.LEVEL_DUE, None),
        (rules(days(0)), 0, Reason.NOT_DUE, day(1)),
        (rules(days(3)), 4, Reason.NOT_DUE, day(5)),
        (rules(plan(level(1, before_due=3))), 4, Reason.NOT_DUE, day(1)),
        (rules(plan(level(1, before_due=3))), 3, Reason.LEVEL_DUE, None),
        (rules(plan(level(1, after_issue=36))), 9, Reason.NOT_DUE, day(2)),
        (rules(), 4, Reason.NOT_DUE, day(5)),
    ],
)
def test_a_claim_is_asked_about_again_when_it_is_late_or_a_notice_ahead_of_it_comes(its, due, reason, next_on):
    """Whichever is earlier."""
    found = asked(its, due_on=day(due))
    assert (found.reason, found.next_on) == (reason, next_on)
    if reason is Reason.NOT_DUE:
        assert found.facts == {"due": day(due)}


def test_a_claim_without_any_date_is_told_so():
    """Neither a due date nor a term."""
    found = asked(due_on=None)
    assert (found.reason, found.facts, found.next_on, found.enters) == (Reason.NO_DUE_DATE, {}, None, False)


# ------------------------------------------------------------------------------------------------------------- on its way


@pytest.mark.parametrize(
    ("notices", "reason", "facts"),
    [
        ([draft(1)], Reason.FOREIGN_REMINDER_RUNNING, {"state": "draft", "id": "1"}),
        ([draft(1, ours=True)], Reason.OWN_DRAFT_LEFT, {"state": "draft", "id": "1"}),
        ([draft(1, ours=True, leaving=True)], Reason.OWN_REMINDER_RUNNING, {"state": "draft", "level": "2"}),
        ([draft(1, superseded=True)], Reason.LEVEL_DUE, None),
        ([draft(1, status=NoticeStatus.CANCELLED)], Reason.LEVEL_DUE, None),
        ([draft(1, superseded=True), draft(2)], Reason.FOREIGN_REMINDER_RUNNING, {"state": "draft", "id": "2"}),
        ([draft(1, status=NoticeStatus.CANCELLED), draft(2)], Reason.FOREIGN_REMINDER_RUNNING, {"state": "draft", "id": "2"}),
    ],
)  # fmt: skip
def test_a_draft_at_the_provider_stands_in_the_way(notices, reason, facts):
    """Ours or another's, unless it was replaced; whatever stands before it in the list."""
    found = asked(notices=tuple(notices))
    assert found.reason is reason
    if facts is not None:
        assert found.facts == facts


def test_what_runs_is_named_with_its_level():
    """By the level's name, and its state."""
    found = asked(running=Running(1, state="queued", level=1, level_name="Erste"))
    assert (found.facts["state"], found.next_on) == ("queued", None)
    assert found.facts["level"]


# ----------------------------------------------------------------------------------------------------------- time has come


@pytest.mark.parametrize(
    ("values", "whole", "reason", "earliest", "more"),
    [
        ({}, {}, Reason.LEVEL_DUE, None, {}),
        ({"due_on": day(-4)}, {}, Reason.LEVEL_AGE, day(2), {}),
        ({"level": 1, "level_on": day(-8), "due_on": day(-12)}, {}, Reason.LEVEL_AGE, day(2), {}),
        # the term of the last letter, on the very day on which the level would be possible
        ({"level": 1, "level_on": day(-8), "deadline": day(0), "due_on": day(-14)}, {}, Reason.DEADLINE_RUNNING, day(1), {"deadline": day(0)}),
        ({"level": 1, "level_on": day(-8), "deadline": day(2), "due_on": day(-12)}, {}, Reason.DEADLINE_RUNNING, day(3), {"deadline": day(2)}),
        ({"level": 1, "level_on": day(-8), "deadline": day(1), "due_on": day(-12)}, {}, Reason.LEVEL_AGE, day(2), {}),
        # the interval since the last letter of all
        ({}, {"last_contact_on": day(-6)}, Reason.MINIMUM_INTERVAL, day(1), {"last": day(-6)}),
        ({}, {"last_contact_on": day(-7)}, Reason.LEVEL_DUE, None, {}),
        ({"due_on": day(-4)}, {"last_contact_on": day(-5)}, Reason.LEVEL_AGE, day(2), {}),  # both end on one day
        ({"due_on": day(-4)}, {"last_contact_on": day(-4)}, Reason.MINIMUM_INTERVAL, day(3), {"last": day(-4)}),
        ({"level": 1, "level_on": day(-5), "due_on": day(-20)}, {"last_contact_on": day(-6)}, Reason.MINIMUM_INTERVAL, day(2), {"last": day(-5)}),
        ({"level": 1, "level_on": day(-6), "due_on": day(-20)}, {"last_contact_on": day(-5)}, Reason.MINIMUM_INTERVAL, day(2), {"last": day(-5)}),
        ({"level": 1, "level_on": day(-5), "due_on": day(-20)}, {}, Reason.MINIMUM_INTERVAL, day(2), {"last": day(-5)}),
        # a person chose: the running term does not hold it, the interval does
        ({"next_level": 2, "level": 1, "level_on": day(-9), "deadline": day(9)}, {}, Reason.LEVEL_DUE, None, {}),
        ({"next_level": 2, "level": 1, "level_on": day(-3)}, {}, Reason.MINIMUM_INTERVAL, day(4), {"last": day(-3)}),
        # what came back keeps no distance from itself
        ({"undelivered": True, "resend": "mail", "level": 1, "level_on": day(-1)}, {"last_contact_on": day(-1)}, Reason.LEVEL_DUE, None, {}),
    ],
)  # fmt: skip
def test_the_last_thing_to_wait_for_is_told(values, whole, reason, earliest, more):
    """Age, the running term, the interval: the one that ends last, of equals the first of these; with the day on which it goes out."""
    one = claim(**values)
    found = decided(one, rules(days(6, 14)), TODAY, case=case(one, **whole))
    assert found.reason is reason
    if earliest:
        position = values.get("level", 0) + 1
        assert found.next_on == earliest
        facts = dict(found.facts)
        assert facts.pop("level")
        assert facts == {"earliest": earliest, "position": position, **more}


@pytest.mark.parametrize(("due", "reason"), [(-4, Reason.LEVEL_AGE), (-5, Reason.WITHIN_GRACE), (-6, Reason.WITHIN_GRACE), (-7, Reason.LEVEL_DUE)])  # fmt: skip
def test_grace_begins_on_the_day_of_the_trigger(due, reason):
    """Before that day the level's age is what is waited for."""
    assert asked(rules(plan(level(1, after_due=5, grace_days=2))), due_on=day(due)).reason is reason


def test_word_to_colleagues_needs_no_distance():
    """It does not reach the debtor, so the interval since the last letter is none of its business."""
    quiet = {"name": {"de": "A"}, "trigger": {"after_due": 3}, "internal_notice": True}
    found = asked(rules(plan(quiet)), case(claim(), last_contact_on=day(-1), colleagues=(LENA,)))
    assert found.outcome is Outcome.ESCALATE


def test_what_waits_waits_for_a_day_of_sending():
    """Possible on a Saturday: the day that is told is Monday."""
    found = asked(rules(plan(level(1, after_due=12))), due_on=day(-7))
    assert (found.reason, found.next_on) == (Reason.LEVEL_AGE, day(7))


# ---------------------------------------------------------------------------------------------------------- group, account


def test_once_more_does_not_wait_for_the_plans_turn():
    """What came back goes out when a person says so, whatever the frequency of the plan."""
    its = rules(plan(level(1, after_due=3), bundling={"when": "from_first", "every_days": 7}))
    facts = AccountFacts(checked={"plan": day(-1)})
    assert asked(its, facts=facts).reason is Reason.GROUP_WAITING
    found = asked(its, facts=facts, undelivered=True, resend="mail", level=1, level_on=day(-9))
    assert found.outcome is Outcome.ESCALATE


@pytest.mark.parametrize(
    ("seen", "limit", "reason"),
    [
        (None, 0, Reason.LEVEL_DUE),
        (-1, None, Reason.LEVEL_DUE),
        (0, 0, Reason.LEVEL_DUE),
        (-3, 1, Reason.LEVEL_DUE),  # since Friday: one bank day
        (-4, 1, Reason.STALE_DATA),
        (-4, 2, Reason.LEVEL_DUE),
    ],
)
def test_stale_data_is_counted_in_bank_days(seen, limit, reason):
    """Up to the limit it is fresh; it is asked about again tomorrow."""
    facts = AccountFacts(payments_as_of=None if seen is None else day(seen))
    found = asked(rules(days(3), payments_limit_days=limit), facts=facts)
    assert found.reason is reason
    if reason is Reason.STALE_DATA:
        assert (found.facts, found.next_on) == ({"seen": day(-4), "limit": 1}, day(1))


def test_what_a_person_approved_is_not_asked_again():
    """A jump in the data holds all until somebody has looked; suspended writing says why."""
    assert asked(facts=AccountFacts(held_jump={"en": "half gone"})).facts == {"note": {"en": "half gone"}}
    assert asked(facts=AccountFacts(held_jump={"en": "half gone"}, approved=True)).reason is Reason.LEVEL_DUE
    assert asked(facts=AccountFacts(writing_suspended="seen elsewhere")).facts == {"note": "seen elsewhere"}


# ------------------------------------------------------------------------------------------------------------- a recipient

TWO_WAYS = rules(
    plan(
        level(
            1,
            after_due=3,
            variants=[
                {"name": "mail", "channels": ["mail"], "standard": True},
                {"name": "brief", "channels": ["letter"]},
            ],
        )
    )
)


@pytest.mark.parametrize(
    ("its", "values", "whole", "channel"),
    [
        (None, {}, {"email": None}, "mail"),
        (None, {"email": "a@example.com"}, {"email": None}, None),
        (None, {}, {"email": None, "colleagues": (LENA,)}, "mail"),  # ours are not the debtor
        (TWO_WAYS, {"next_variant": "brief"}, {}, "letter"),
        (TWO_WAYS, {"next_variant": "brief"}, {"address": HOME}, None),
        (TWO_WAYS, {"next_variant": "weg"}, {"email": None}, "mail"),
        (TWO_WAYS, {}, {"email": None, "address": HOME}, "mail"),
        (rules(plan(level(1, after_due=3, channels=["mail", "letter"]))), {}, {}, "letter"),
        (rules(plan(level(1, after_due=3, channels=["letter", "mail"]))), {}, {"address": HOME, "email": None}, "mail"),
        (rules(plan(level(1, after_due=3, channels=["provider_email"], automation="create"))), {}, {"email": None}, None),
        (rules(plan({"name": {"de": "A"}, "trigger": {"after_due": 3}, "internal_notice": True})), {}, {}, "internal"),
        (rules(plan({"name": {"de": "A"}, "trigger": {"after_due": 3}, "internal_notice": True})), {}, {"colleagues": (LENA,)}, None),
        (rules(plan({"name": {"de": "A"}, "trigger": {"after_due": 3}, "call_task": True})), {}, {"email": None}, None),
        (rules(days(3), letter_without_email=True), {}, {"email": None, "address": HOME}, None),
        (rules(days(3), letter_without_email=True), {}, {"email": None}, "mail"),
    ],
)  # fmt: skip
def test_each_channel_of_the_level_needs_somebody(its, values, whole, channel):
    """The first one without an address is named; a person's choice of variant is looked at, one that is gone is the standard."""
    one = claim(**values)
    found = decided(one, its or rules(days(3)), TODAY, case=case(one, **whole))
    if channel is None:
        assert found.outcome is Outcome.ESCALATE
    else:
        assert (found.reason, found.facts) == (Reason.NO_RECIPIENT, {"channel": channel})


def test_what_is_no_address_is_told_where_a_mail_would_go():
    """Not with a letter: there it explains nothing."""
    found = asked(whole=case(email=None, unusable=("info@", "x")))
    assert found.facts == {"channel": "mail", "unusable": "info@, x"}
    found = asked(rules(plan(level(1, after_due=3, channels=["letter"]))), case(unusable=("info@",)))
    assert found.facts == {"channel": "letter"}
