"""On which day what comes next, and how a case stands after what went out or is under way."""

from datetime import date, timedelta

import pytest

from bridge.model import Act
from bridge.policy import Abilities
from bridge.policy.forecast import coming, play, settled
from bridge.policy.views import Running
from tests.unit.policy.helpers import case, claim, days, level, plan, rules
from tests.unit.policy.together import LENA

TODAY = date(2026, 10, 5)
MAIL = Abilities(channels={Act.MAIL: "smtp"})


def on(day):
    return TODAY + timedelta(days=day)


@pytest.mark.parametrize(
    ("asleep", "days_on"),
    [({}, ["10-05", "10-12"]), ({"1": -3}, ["10-05", "10-12"]), ({"2": -3, "1": 4}, ["10-06", "10-13"]), ({"1": 4, "2": 3}, ["10-08", "10-15"])],
)  # fmt: skip
def test_a_refused_invoice_is_not_looked_at_before_its_day(asleep, days_on):
    """The others come on their own; a day that lies behind is as if nothing were refused."""
    whole = case(claim(invoice_id="1"), claim(invoice_id="2", due_on=on(-1)))
    its = rules(days(1))
    found = coming(whole, its, MAIL, TODAY, on(30), asleep={one: on(number) for one, number in asleep.items()})
    assert [f"{one.on:%m-%d}" for one in found] == days_on


def test_the_level_after_word_to_colleagues_comes_on_the_next_day():
    """It named no term and keeps no distance: never on the same day, and never before."""
    quiet = {"name": "Hinweis", "trigger": {"after_due": 3}, "internal_notice": True}
    its = rules(plan(quiet, level(2, after_due=4)))
    found = coming(case(colleagues=(LENA,)), its, MAIL, on(1), on(9))
    assert [(one.on, one.draft.level) for one in found] == [(on(1), 1), (on(2), 2)]


def test_a_letter_beside_word_to_colleagues_is_a_contact():
    """The debtor heard of one of both notices of the day; of word to colleagues alone they hear nothing."""
    quiet = plan({"name": "Hinweis", "trigger": {"after_due": 3}, "internal_notice": True}, name="quiet")
    its, told = rules(days(3), quiet), claim(invoice_id="1", plan="quiet")
    for claims, last in (((told,), None), ((told, claim(invoice_id="2")), TODAY)):
        after, found = play(case(*claims, colleagues=(LENA,)), its, MAIL, TODAY, on(1))
        assert (len(found), after.last_contact_on) == (len(claims), last)


WAY = {"state": "queued", "demand": 10000, "channel": "mail"}


@pytest.mark.parametrize(
    ("since", "contact", "last"), [(-2, None, -2), (-2, -4, -2), (-2, -1, -1), (None, None, 0), (None, -4, 0)]
)
def test_what_is_under_way_landed_on_the_day_of_its_run(since, contact, last):
    """Or today, where nobody knows that day; the debtor's last contact is the later of both. Word to colleagues is none."""
    began, heard = (None if one is None else on(one) for one in (since, contact))
    for channel in ("mail", "internal"):
        running = Running(1, level=2, since=began, deadline=on(7), **{**WAY, "channel": channel})
        after = settled(case(claim(level=1, running=running, undelivered=True), last_contact_on=heard), TODAY)
        (one,) = after.claims
        assert (one.running, one.undelivered) == (None, False)
        assert (one.level, one.level_on, one.deadline) == (2, began or TODAY, on(7))
        assert after.last_contact_on == (on(last) if channel == "mail" else heard)


@pytest.mark.parametrize(
    ("known", "told_", "then"), [(None, None, None), (3, None, 3), (None, 7, 7), (3, 7, 7), (9, 7, 9)]
)
def test_what_goes_along_under_way_has_the_later_term(known, told_, then):
    """It raises no level; and the claims after it landed as well."""
    known, told_, then = (None if one is None else on(one) for one in (known, told_, then))
    along = claim(
        invoice_id="1", level=1, level_on=on(-9), deadline=known, running=Running(1, level=0, deadline=told_, **WAY)
    )
    first, second, third = settled(
        case(along, claim(invoice_id="2", running=Running(2, level=1, **WAY)), claim(invoice_id="3", level=1)), TODAY
    ).claims
    assert (first.running, first.level, first.level_on, first.deadline) == (None, 1, on(-9), then)
    assert (second.running, second.level, third.level) == (None, 1, 1)


@pytest.mark.parametrize(
    ("values", "then"),
    [
        ({"level": 2, "undelivered": True, "resend": "mail", "resent": 1}, (2, 2)),
        ({"level": 2, "undelivered": True, "resend": "mail"}, (2, 1)),
        ({"level": 2, "repetition": 1, "resent": 1}, (2, 1)),
        ({"level": 1, "resent": 2}, (2, 0)),
        ({"level": 1}, (2, 0)),
    ],
)
def test_what_is_sent_once_more_is_counted_at_its_level(values, then):
    """A repetition by plan leaves the count, and the next level begins without any."""
    its = rules(plan(level(1), level(2, repeat={"every_days": 7, "limit": 5})))
    after, found = play(case(claim(level_on=on(-9), deadline=on(-1), **values)), its, MAIL, TODAY, on(1))
    assert len(found) == 1
    assert (after.claims[0].level, after.claims[0].resent) == then


def test_what_goes_along_keeps_its_level_and_has_the_new_term():
    """Its own next level comes on its own day, counted from its own last."""
    its = rules(
        plan(level(1, after_due=6, term_days=7), level(2, after_due=40, term_days=7), bundling={"when": "from_first"})
    )
    along = claim(invoice_id="2", due_on=on(-30), level=1, level_on=on(-20), deadline=on(-13), repetition=0)
    after, found = play(case(claim(invoice_id="1"), along), its, MAIL, TODAY, on(1))
    assert [[one.invoice_id for one in each.draft.claims] for each in found] == [["1", "2"]]
    assert [(one.level, one.level_on, one.deadline) for one in after.claims] == [(1, TODAY, on(7)), (1, on(-20), on(7))]
