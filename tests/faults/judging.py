"""The judge: what must hold of a history, by the ledgers of the provider, the mailbox and the letter folder."""

import json
import re
from collections import Counter, defaultdict
from datetime import date
from decimal import Decimal
from email import message_from_bytes, policy
from itertools import pairwise
from typing import NamedTuple

import holidays
from sqlalchemy import select

from bridge.contract import Act, WriteBack
from bridge.store.tables import step
from tests.faults.history import CHOSEN, EVENTS
from tests.faults.providers import BERLIN, Sent

_ITEM = re.compile(r"^(RE-\d+) offen ([\d.]+,\d\d)", re.MULTILINE)
_TOTAL = re.compile(r"^Summe ([\d.]+,\d\d)", re.MULTILINE)
_NUMBER = re.compile(r"RE-\d+")
_INTERVAL = 7
"""Days between two messages about one invoice."""

_OVER = frozenset({"plan_complete", "paid", "cancelled", "closed_by_hand", "balance_not_positive", "below_minimum"})
_UNCLEAR = frozenset({"amount_unclear", "not_working_day"})
_BY_HAND = frozenset({"foreign_reminder_running", "writing_suspended"})


WINDOW = 300
"""Seconds that lie at most between the answer to the last look and the call: the lease of a step. What overtakes it in between is counted."""

HOLIDAYS = frozenset(holidays.country_holidays("DE", subdiv="HH", years=(2026, 2027)))

DOUBLE, WRONG, LOST, APART = "duplicates", "wrong reminders", "lost notices", "disagreements"


class Finding(NamedTuple):
    """One thing that a world did wrong."""

    kind: str
    text: str


def _money(text):
    return Decimal(text.replace(".", "").replace(",", "."))


class Judging:
    """What a world did wrong is in `wrong`."""

    def find(self, kind, text):
        """Note what is wrong."""
        self.wrong.append(Finding(kind, text))

    # ------------------------------------------------------------------------------------------------------- ledgers

    def sendings(self):
        """Return everything that has reached a debtor, by the ledgers: provider, mailbox, letter folder."""
        if self.history.way == "provider":
            return self.provider.sent()
        return list(self._mails() if self.history.way == "mail" else self._letters())

    def _mails(self):
        for number, (at, envelope) in enumerate(self.post.accepted[len(self.read_mails) :], len(self.read_mails)):
            message = message_from_bytes(envelope.content, policy=policy.SMTP)
            text = message.get_body(("plain",)).get_content().replace("\r\n", "\n")
            asked = tuple((self.provider.numbers[one], _money(money)) for one, money in _ITEM.findall(text))
            total = _money(_TOTAL.search(text)[1])
            on = at.astimezone(BERLIN).date()
            ident = f"{number} {message['Message-ID']}"
            self.read_mails.append(Sent(ident, on, asked, total, tuple(envelope.rcpt_tos)))
        return self.read_mails

    def _letters(self):
        for path in sorted((self.folder / "letters").rglob("*.json")):
            told = json.loads(path.read_text("utf-8"))
            asked = tuple((self.provider.numbers[one], None) for one in _NUMBER.findall(told["subject"]))
            yield Sent(told["key"], date.fromisoformat(path.name[:10]), asked, Decimal(told["total"]))

    # ----------------------------------------------------------------------------------------- at the moment of a call

    def known_sendings(self):
        """Return what was sent up to now; `called` judges what comes on top."""
        return {one.ident for one in self.sendings()}

    def called(self, process, before, began):
        """Judge what this call sent, by what the last look before it had shown."""
        for sent in self.sendings():
            if sent.ident in before or sent.ident in self.judged:
                continue
            self.judged[sent.ident] = sent
            looked = [process.looked.get(one) for one in sent.invoices]
            if None in looked:
                self.find(WRONG, f"{sent} went out without a look")
                continue
            self.longest = max(self.longest, began - process.looked_at)
            if self.longest > WINDOW:
                self.find(WRONG, f"{sent} went out {self.longest:.0f} s after the last look")
            if sent.to and {truth.to for truth in looked} != set(sent.to):
                self.find(WRONG, f"{sent} went to the wrong people, not to {looked[0].to}")
            if sent.on.weekday() > 4 or sent.on in HOLIDAYS:
                self.find(WRONG, f"{sent} went out on a day on which nothing goes out")
            for (invoice, asked), truth in zip(sent.asked, looked, strict=True):
                if truth.stopped:
                    self.find(WRONG, f"{invoice} was reminded of although it was {truth.stopped}")
                elif self.truth(invoice).stopped:
                    self.overtaken += 1
                if asked not in (None, truth.open) and invoice not in self.provider.credited:
                    self.find(WRONG, f"{invoice}: {asked} was asked for, {truth.open} was open")
            if sent.total not in (None, sum(truth.open for truth in looked)):
                self.find(WRONG, f"{sent}: a total was asked for that was not open")

    # ----------------------------------------------------------------------------------------------------- in the end

    def judge(self, *, helped=False):
        """Judge the whole history; where a person has `helped`, nothing is left parked."""
        with self.store.reading() as conn:
            notices = self.store.outbox.listing(conn, limit=None)
            steps = [one for known in notices for one in self.store.outbox.steps.of_notice(conn, known.id)]
        parked = [one for one in steps if one.state == "parked"]
        if helped:
            for one in parked:
                self.find(LOST, f"step {one.id} ({one.act}) is still parked after a person settled it: {one.cause}")
        self.parked.update(one.cause for one in parked)
        self._judge_trail()
        self._judge_doubles()
        self._judge_landings(notices, steps)
        self._judge_calls(parked)
        self._judge_lost(notices, steps)
        self._judge_records(steps)
        self._judge_drafts(notices, steps)

    def _judge_trail(self):
        """The journal is whole: each event sealed once, the chain unbroken, whatever died while it was sealed."""
        for flaw in self.processes[0].bridge.audit().flaws:
            self.find(APART, f"the journal is {flaw.what} at {flaw.number}")

    def _judge_doubles(self):
        """By the ledgers alone: nobody is written to twice about one invoice within the least interval, and only the right people."""
        by_invoice = defaultdict(list)
        for sent in self.sendings():
            if sent.ident not in self.judged and not self.unwatched:
                self.find(APART, f"{sent} went out, and nobody called for it")
            debtor, *others = {self.provider.debtors[one] for one in sent.invoices}
            if others or not self.provider.had[debtor] | {CHOSEN} >= set(sent.to):
                self.find(WRONG, f"{sent} went to the wrong people")
            for invoice in sent.invoices:
                by_invoice[invoice].append(sent.on)
        for invoice, days in by_invoice.items():
            for one, other in pairwise(sorted(days)):
                if (other - one).days < _INTERVAL:
                    self.find(DOUBLE, f"the reminder of {invoice} of {one} went out 2 times, again on {other}")

    def _judge_landings(self, notices, steps):
        """Ledgers and store agree: every sending is of one notice of ours which landed or waits for a person, and the reverse."""
        count, keys, levels = Counter(), self._keys(steps), defaultdict(list)
        for sent in self.sendings():
            of = [
                known
                for known in notices
                if keys.get(sent.ident.rpartition(" ")[2]) == known.id
                or any(sent.reminder and sent.reminder == claim.reminder_id for claim in known.claims)
            ]
            if not of:
                self.find(APART, f"{sent} went out, of which we know nothing")
            for known in of:
                for claim in known.claims:
                    count[claim.invoice_id, claim.round, claim.level, claim.repetition] += 1
                    levels[claim.invoice_id].append((sent.on, claim.round, claim.level))
                    if claim.landed_on is None and known.state != "parked":
                        self.find(
                            APART,
                            f"level {claim.level} of {claim.invoice_id} went out, but we do not show it as landed",
                        )
        self._judge_order(levels)
        for key, number in count.items():
            if number > 1:
                self.find(DOUBLE, f"level {key[2]} of invoice {key[0]} went out {number} times")
        for known in notices:
            for claim in known.claims:
                if claim.landed_on and not count[claim.invoice_id, claim.round, claim.level, claim.repetition]:
                    self.find(
                        APART, f"level {claim.level} of {claim.invoice_id} is shown as landed, but never went out"
                    )

    def _judge_order(self, levels):
        """No level is skipped: each is at most one above those before it, where nobody reminded by hand."""
        for invoice, reached in levels.items():
            highest = 0
            for on, _, level in sorted(reached):
                if level > highest + 1 and not self.touched:
                    self.find(WRONG, f"level {level} of {invoice} went out on {on}, after level {highest}")
                highest = max(highest, level)

    def _judge_calls(self, parked):
        """Nobody is called for nothing: where only people were at work, and between two works of ours, nothing is parked."""
        if self.deaths or any(at != "day" or what not in EVENTS for what, _, at in self.injected):
            return
        for one in parked:
            self.find(APART, f"step {one.id} ({one.act}) is parked although nothing failed: {one.cause}, {one.error}")

    def _keys(self, steps):
        """Return the notice of each letter's key and each mail's Message-ID."""
        found = {one.key: one.notice_id for one in steps}
        for one in steps:
            if one.act is Act.MAIL:
                marker = WriteBack(key=one.key, account="a", act=Act.MAIL).marker.removeprefix("mb:")
                found |= {
                    sent.ident.rpartition(" ")[2]: one.notice_id for sent in self.sendings() if marker in sent.ident
                }
        return found

    def outcome(self, invoice):
        """Return why nothing more is to come for this invoice, or an empty text."""
        truth = self.truth(invoice)
        if truth.stopped:
            return truth.stopped
        with self.store.reading() as conn:
            standing = self.store.cases.standings(conn, "a", [invoice]).get(invoice)
            decided = self.store.runs.decided(conn, "a", [invoice]).get(invoice)
            every = self.store.outbox.listing(conn, limit=None)
            waiting = set(conn.scalars(select(step.c.notice_id).where(step.c.state.in_(("parked", "unclear")))))
            told = self.store.tasks.of_kind(conn, "a", "own_draft")
        live = [one for one in every if one.state == "parked"]
        if any(claim.invoice_id == invoice for one in live for claim in one.claims):
            return "parked"
        if standing is not None and standing.level >= self.levels:
            return "parked record" if standing.running and standing.running.notice_id in waiting else "plan_complete"
        reason = decided.reason if decided else ""
        left = [one for one in every if one.id in waiting and any(own.invoice_id == invoice for own in one.claims)]
        if reason == "own_draft_left" and (left or invoice in told):
            return "parked record"  # of the level before: what comes next waits for it, and a person has it as a task
        if reason in _UNCLEAR and invoice in self.provider.credited and self.history.way == "provider":
            return reason  # the provider's own reminder would ask for more than is left: held, and said
        if reason in _OVER or (reason in _BY_HAND and self.touched):
            return reason
        return ""

    @property
    def touched(self):
        """Return whether a person reminded by hand in this history."""
        return any(self.provider.truth(one).by_hand for one in self.invoices)

    def _judge_lost(self, notices, steps):
        """Every invoice that stays open has had all its levels, or waits visibly, with a reason."""
        reached = Counter(invoice for sent in self.sendings() for invoice in sent.invoices)
        for invoice in self.invoices:
            truth, outcome = self.truth(invoice), self.outcome(invoice)
            if truth.stopped:
                continue
            if not outcome:
                mine = [known for known in notices if any(one.invoice_id == invoice for one in known.claims)]
                told = [(one.level, one.state, one.reason, one.reason_text) for one in mine]
                with self.store.reading() as conn:
                    told.append(self.store.runs.decided(conn, "a", [invoice]).get(invoice))
                self.find(LOST, f"{invoice} was neither reminded of to the end nor parked: {told}")
            elif outcome == "plan_complete" and not truth.by_hand and reached[invoice] < self.levels:
                self.find(LOST, f"{invoice} is through with its plan, but had {reached[invoice]} reminders")
        for one in steps:
            if one.state == "parked" and not one.cause:
                self.find(LOST, f"step {one.id} is parked without a reason")

    def _judge_records(self, steps):
        """Beside our own letters: one silent record at the provider for each invoice and letter, none more, none missing."""
        if self.history.way == "provider":
            return
        wanted = Counter()
        for sent in self.sendings():
            wanted.update(sent.invoices if self.history.record else ())
        made = Counter(self.provider.records())
        parked = any(one.state in ("parked", "discarded") for one in steps)
        for invoice in self.invoices:
            lenient = parked or self.along or invoice in self.provider.credited  # the provider's amount would differ
            if made[invoice] > wanted[invoice] or (made[invoice] < wanted[invoice] and not lenient):
                self.find(APART, f"{invoice} has {made[invoice]} records for {wanted[invoice]} letters")

    @property
    def along(self):
        """Return whether an invoice was asked for in a bundle without rising, which leaves no record."""
        with self.store.reading() as conn:
            return any(not claim.level for one in self.store.outbox.listing(conn, limit=None) for claim in one.claims)

    def _judge_drafts(self, notices, steps):
        """Every draft of ours at the provider belongs to a notice that waits for a person."""
        parked = {one.notice_id for one in steps if one.state == "parked"}
        known = {
            claim.reminder_id: notice for notice in notices for claim in notice.claims if claim.reminder_id is not None
        }
        for reminder in self.provider.drafts():
            notice = known.get(reminder)
            if notice is None:
                if not any(one.act is Act.CREATE and one.state == "parked" for one in steps):
                    self.find(APART, f"draft {reminder} at the provider is ours, and we do not know it")
            elif notice.id not in parked and notice.state not in ("landed", "waiting"):
                self.find(APART, f"draft {reminder} was left over by notice {notice.id}, which is {notice.state}")
