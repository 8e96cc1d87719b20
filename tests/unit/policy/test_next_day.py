"""The next day and the next notice: what explain says of an invoice, and what the forecast says of its case, are one answer."""

import random
from dataclasses import replace
from datetime import date, timedelta

import pytest

from bridge.model import Act
from bridge.policy import Abilities, AccountFacts, Outcome
from bridge.policy.explain import HORIZON, NOT_TIME_ALONE, explain
from bridge.policy.forecast import coming
from tests.unit.policy.helpers import case
from tests.unit.policy.histories import DAY, HOME, START, History

UNTIL = START + timedelta(days=60)
ABILITIES = Abilities(channels={Act.MAIL: "smtp", Act.LETTER: "letter_outbox"})
FACTS = (
    AccountFacts(),
    AccountFacts(),
    AccountFacts(payments_as_of=date(2026, 9, 1)),
    AccountFacts(writing_suspended="twice"),
    AccountFacts(held_jump={"en": "open: 9"}),
)
STATES = ("proposed", "approved", "queued")


class Met(History):
    """A history of which some situations are kept, right before they are decided on."""

    def __post_init__(self):
        super().__post_init__()
        self.kept = []
        self.other = random.Random(-self.seed - 1)

    def decide(self, today):
        if today < UNTIL and self.other.random() < 0.12:
            claims = [self._waiting(one) for one in self.claims.values()]
            last = max((on for on in (self.contact,) if on), default=None)
            its = replace(self.rules, payments_limit_days=2)
            self.kept.append((replace(case(*claims, address=HOME), last_contact_on=last), its, today))
        super().decide(today)

    def _waiting(self, one):
        running = one.running
        if running is None or self.other.random() < 0.5:
            return one
        state, since = self.other.choice(STATES), running.since
        return replace(one, running=replace(running, state=state, since=since, channel="mail", plan="plan"))


def situations(seed):
    """Cases on their days, with what is true of the account and what a person refused."""
    met = Met(seed)
    met.play()
    for whole, its, today in met.kept:
        asleep = {
            one.invoice_id: today + met.other.randint(1, 9) * DAY for one in whole.claims if met.other.random() < 0.1
        }
        yield whole, its, today, met.other.choice(FACTS), asleep


def first_for(notices, own):
    """The day of the first of these notices that raises the claim."""
    return next((one.on for one in notices for its in one.draft.claims if its.level and its.invoice_id == own), None)


def check(whole, its, today, facts, asleep, ahead):
    """Explain each claim today and later; return what contradicts itself or the forecast, and how many answers were looked at."""
    wrong, seen = [], 0
    notices = coming(whole, its, ABILITIES, today, today + HORIZON, facts=facts, asleep=asleep)
    for one in whole.claims:
        for on in (today, today + ahead * DAY):
            found = explain(whole, one, its, today, on=on, facts=facts, abilities=ABILITIES, asleep=asleep)
            notice, seen = found.upcoming[0].on if found.upcoming else None, seen + 1
            told = (one.invoice_id, on, found.decision.reason.value, found.next_on, notice)
            if notice != first_for([its for its in notices if its.on >= on], one.invoice_id):
                wrong.append(("the forecast names another day", told))
            if found.next_on is not None and (found.next_on < on or (notice and found.next_on > notice)):
                wrong.append(("the next day is not before the next notice", told))
            by_time = found.decision.reason not in NOT_TIME_ALONE
            if found.decision.outcome is Outcome.HOLD and by_time and notice and found.next_on != notice:
                wrong.append(("only time lies between", told))
    return wrong, seen


@pytest.mark.feature("N-3")
@pytest.mark.parametrize("first", range(0, 40, 20))
def test_the_next_day_and_the_next_notice_never_contradict(first):
    """In generated situations, today and on later days: not after the next notice, its day where only time is between, and as forecast."""
    wrong, seen = [], 0
    for seed in range(first, first + 20):
        for number, situation in enumerate(situations(seed)):
            found, count = check(*situation, ahead=(1, 4, 11, 40)[number % 4])
            wrong, seen = [*wrong, *((seed, *one) for one in found)], seen + count
    assert wrong == []
    assert seen > 100
