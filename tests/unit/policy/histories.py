"""Histories of cases made from a seed, and what must hold in each: `python -m tests.unit.policy.histories FIRST [COUNT]`.

Up to three invoices of a debtor under a random plan. Over half a year the service rests for days, payments come and go back, people block,
choose levels, write themselves and edit the plan, notices wait, are dropped, bounce and are sent again. Pure: no store, no clock.
"""

import random
import sys
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from bridge.model import Address, InvoiceStatus, NoticeStatus, Reason
from bridge.policy import Block, NoticeView, Outcome, Running, decide
from bridge.policy.again import sent_again
from bridge.policy.beside import bundles
from bridge.policy.compose import key_of
from bridge.policy.distance import keep_apart
from tests.unit.policy.helpers import case, claim, level, plan, rules

START = date(2026, 9, 14)
DAYS = 170
DAY = timedelta(days=1)
HOME = Address(lines=("Muster GmbH",), street="Weg 1", postcode="50667", city="Köln", country="DE")
CHANNELS = (["mail"], ["letter"], ["mail", "letter"])


def _a_plan(dice, levels):
    """A plan that skips nothing; of a shape in which every part of it occurs."""
    at, made = 0, []
    for number in range(1, levels + 1):
        at += dice.randint(1, 14)
        trigger = {"after_previous": dice.randint(1, 20)} if number > 1 and dice.random() < 0.2 else {"after_due": at}
        grace = dice.choice((0, 0, 3))
        at += grace
        made.append(
            level(number, **trigger, grace_days=grace, term_days=dice.randint(1, 14), channels=dice.choice(CHANNELS))
        )
    last = dice.random()
    if last < 0.4:
        made[-1]["repeat"] = {"every_days": dice.randint(1, 14), "limit": dice.randint(1, 3)}
    elif last < 0.7:
        made[-1]["type"] = "last"
    bundling = {"when": dice.choice(("never", "from_first", "from_last"))}
    return plan(*made, minimum_interval_days=dice.choice((0, 3, 7, 7)), bundling=bundling)


def _shapes():
    dice = random.Random(0)
    return [tuple(rules(_a_plan(dice, levels)) for levels in (3, dice.randint(1, 5))) for _ in range(40)]


SHAPES = _shapes()
"""Rules, and what they are after somebody edited the plan; made once, for that takes longer than a history."""


@dataclass
class Told:
    """What went out: on this day, for this claim in this round, at this level and repetition, chosen by a person or not."""

    on: date
    invoice_id: str
    round: int
    level: int
    repetition: int
    keys: tuple[str, ...]
    chosen: bool


@dataclass
class History:
    """One history while it is played."""

    seed: int
    sent: list[Told] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self):
        self.dice = random.Random(self.seed)
        self.rules, self.edited = self.dice.choice(SHAPES)
        dues = [START + timedelta(days=self.dice.randint(0, 30)) for _ in range(self.dice.choice((1, 1, 2, 3)))]
        self.claims = {str(n): claim(invoice_id=str(n), issued_on=START, due_on=due) for n, due in enumerate(dues)}
        self.contact = None
        self.landings = {}
        self.due = set(self.claims)
        self.next = {}
        self.named = {}
        self.daily = self.seed % 4 == 0

    # -------------------------------------------------------------------------------------------------- what happens

    def change(self, own, **values):
        self.claims[own] = replace(self.claims[own], **values)
        self.due.add(own)

    def happen(self, today):
        """Let something happen, on one day out of twenty."""
        dice = self.dice
        if dice.random() > 0.05:
            return
        own = dice.choice(list(self.claims))
        one = self.claims[own]
        what = dice.choice(
            ("block", "lift", "part", "paid", "back", "back", "by_hand", "chosen", "edited", "bounced", "again", "drop")
        )
        if what == "block":
            until = None if dice.random() < 0.1 else today + timedelta(days=dice.randint(0, 30))
            self.change(own, blocks=(*one.blocks, Block(Reason.DISPUTE, until)))
        elif what == "lift":
            self.change(own, blocks=())
        elif what == "part":
            self.change(own, open=one.open - dice.randint(1, 3000))
        elif what == "paid" and one.status is InvoiceStatus.OPEN:
            self.change(own, status=InvoiceStatus.PAID, running=None)
            self.landings.pop(own, None)
        elif what == "back" and one.status is InvoiceStatus.PAID:
            self.change(
                own, status=InvoiceStatus.OPEN, round=one.round + 1, round_on=today, returned=True, level=0, level_name="",
                repetition=0, level_on=None, deadline=None, undelivered=False, resend=None, resent=0,
            )  # fmt: skip
            self.named.pop(own, None)
        elif what == "by_hand":
            made = NoticeView(f"x{today}", dice.randint(1, 4), NoticeStatus.SENT, today)
            self.change(own, notices=(*one.notices, made))
        elif what == "chosen":
            self.change(own, next_level=dice.randint(1, 5), next_level_by="Erika")
        elif what == "edited":
            self.rules, self.edited = self.edited, self.rules
            self.due |= set(self.claims)
        elif what == "bounced" and one.level and one.running is None:
            self.change(own, undelivered=True)
        elif what == "again" and one.undelivered:
            self.change(own, resend=dice.choice(("mail", "letter")))
        elif what == "drop" and one.running is not None:
            self.landings.pop(own)
            self.sent = [told for told in self.sent if told is not self.last_of(own)]
            self.change(own, running=None)

    def last_of(self, own):
        return next(told for told in reversed(self.sent) if told.invoice_id == own)

    def land(self, today):
        for own, (on, told, deadline) in list(self.landings.items()):
            if on > today:
                continue
            del self.landings[own]
            one = self.claims[own]
            again = told.level == one.level and one.resend is not None
            self.change(
                own, running=None, level=told.level, level_name="", level_on=today, repetition=told.repetition,
                deadline=deadline, undelivered=False, resend=None, resent=one.resent + 1 if again else 0,
                next_level=None if told.chosen else one.next_level,
            )  # fmt: skip
            told.on = today
            self.contact = today
            self.named[own] = deadline

    # ------------------------------------------------------------------------------------------------------ decisions

    def play(self):
        """Play all days, and return what does not hold, in words."""
        rests = 0
        for number in range(DAYS):
            today = START + number * DAY
            self.happen(today)
            self.land(today)
            rests = rests - 1 if rests else self.dice.choice((0,) * 30 + (1, 3, 9))
            if not rests:
                self.decide(today)
        return self.faults

    def decide(self, today):
        due = {own for own in self.claims if self.daily or own in self.due or self.next.get(own, today + DAY) <= today}
        if not due:
            return
        elsewhere = [one.on for its in self.claims.values() for one in its.notices if one.on]
        under_way = [today] if self.landings else []
        last = max((on for on in (self.contact, *elsewhere, *under_way) if on), default=None)
        whole = replace(case(*self.claims.values(), address=HOME), last_contact_on=last)
        found = keep_apart(whole, decide(whole, self.rules, today), self.rules, today)
        going = [one for one in found if one.outcome is Outcome.ESCALATE and one.invoice_id in due]
        self.check_day(whole, going, today)
        for one in found:
            own = one.invoice_id
            if own not in due:
                continue
            self.due.discard(own)
            self.next[own] = one.next_on or date.max
            if one.adoption is not None:
                at, known = one.adoption, self.claims[own]
                same = known.repetition if at.level == known.level else 0
                self.claims[own] = replace(known, level=at.level, level_on=at.on, deadline=at.deadline, repetition=same)
                self.named.pop(own, None)
            if one.outcome is Outcome.ESCALATE:
                self.send(whole, one, today)

    def send(self, whole, one, today):
        mine = next(its for its in whole.claims if its.invoice_id == one.invoice_id)
        self.check(mine, one, today)
        its = self.rules.plans["plan"].level(one.level)
        via = sent_again(mine, one)
        ways = (via,) if via else its.standard.channels
        keys = tuple(key_of("main", mine, one, way) for way in ways)
        told = Told(today, mine.invoice_id, one.round, one.level, one.repetition, keys, bool(one.chosen_by))
        self.sent.append(told)
        deadline = self.rules.calendar.working_day(today + timedelta(days=its.term_days))
        wait = self.dice.choice((0, 0, 1, 4))
        state = Running(1, "queued", one.level, mine.demand, one.repetition, today, deadline, settled=True)
        self.claims[mine.invoice_id] = replace(self.claims[mine.invoice_id], running=state)
        self.landings[mine.invoice_id] = (today + wait * DAY, told, deadline)

    # --------------------------------------------------------------------------------------------------- what must hold

    def check(self, mine, one, today):
        """Of one notice: silence, sending day, distance, term, and that no level is skipped or lowered but by a person."""
        blocked = any(block.until is None or block.until >= today for block in mine.blocks)
        if blocked or mine.status is not InvoiceStatus.OPEN or mine.open <= 0 or mine.running is not None:
            self.fault(today, one, "went out although blocked, paid or under way")
        if not self.rules.calendar.is_working_day(today):
            self.fault(today, one, "went out on no working day")
        again = sent_again(mine, one) is not None
        if not again and not one.chosen_by and self.named.get(mine.invoice_id, date.min) >= today:
            self.fault(today, one, "went out before the term that was named has passed")
        reached = mine.level if one.adoption is None else one.adoption.level
        if one.chosen_by:
            right = mine.next_level == one.level > reached and one.skipped == tuple(range(reached + 1, one.level))
        elif one.level == reached:
            right = (
                one.repetition
                == (mine.repetition if one.adoption is None or one.adoption.level == mine.level else 0) + 1
            )
            right = right and not one.skipped
        else:
            right = one.level == reached + 1 and one.repetition == 0 and not one.skipped
        if not right:
            self.fault(today, one, f"level {one.level}/{one.repetition} after {reached}, skipping {one.skipped}")

    def check_day(self, whole, going, today):
        """Of one day: the distance to earlier contacts, and either bundles or single notices."""
        interval = self.rules.plans["plan"].minimum_interval_days
        claims = {one.invoice_id: one for one in whole.claims}
        mine = [one for one in going if sent_again(claims[one.invoice_id], one) is None]
        last = whole.last_contact_on
        if mine and last is not None and (today - last).days < interval:
            self.fault(today, mine[0], f"went out {(today - last).days} days after the last contact")
        if interval and len({bundles(whole, claims[one.invoice_id], one, self.rules) for one in mine}) > 1:
            self.fault(today, mine[0], "a bundle and a single notice on one day")

    def fault(self, today, one, what):
        self.faults.append(f"{today}, invoice {one.invoice_id}: {what}")

    def doubled(self):
        """Return the keys that went out twice."""
        keys = [key for told in self.sent for key in told.keys]
        return sorted({key for key in keys if keys.count(key) > 1})


def faults(seed):
    """Return what does not hold in the history of this seed, and how to play it again; empty where all holds."""
    history = History(seed)
    found = history.play() + [f"sent twice: {key}" for key in history.doubled()]
    return f"history {seed}: {'; '.join(found)} -- again: python -m tests.unit.policy.histories {seed}" if found else ""


def sent_in(seed):
    """Return what goes out in the history of this seed."""
    history = History(seed)
    history.play()
    return history.sent


def main(first, count):
    """Play histories and print those in which something does not hold; of a single one what goes out."""
    told = [found for seed in range(first, first + count) if (found := faults(seed))]
    print("\n".join(told) or f"{count} histories, all holds")
    if count == 1:
        for one in sent_in(first):
            print(
                one.on, f"invoice {one.invoice_id}, round {one.round}, level {one.level}, repetition {one.repetition}"
            )
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1))
