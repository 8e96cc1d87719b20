"""The judge: what must hold of a history, by the ledgers of the provider, the mailbox and the letter folder."""

import json
from collections import Counter
from decimal import Decimal
from email import message_from_bytes

from sqlalchemy import select

from bridge.contract import Act, WriteBack
from bridge.store.tables import step
from tests.faults.providers import Sent


class Judging:
    """What a world did wrong is in `wrong`."""

    def sendings(self):
        """Return everything that has reached a debtor, by the ledgers: provider, mailbox, letter folder."""
        if self.history.way == "provider":
            return self.provider.sent()
        with self.store.reading() as conn:
            keys = {row.key: row for row in conn.execute(select(step.c.key, step.c.notice_id))}
        found = []
        for key, to, demanded in self._mails() if self.history.way == "mail" else self._letters():
            found.append(Sent(f"notice-{keys[key].notice_id}", "", to, demanded))
        return found

    def _mails(self):
        with self.store.reading() as conn:
            keys = list(conn.scalars(select(step.c.key).where(step.c.act == "mail")))
        markers = {WriteBack(key=key, account="a", act=Act.MAIL).marker: key for key in keys}
        for envelope in self.post.accepted:
            message = message_from_bytes(envelope.content)
            text = str(message["Message-ID"]) + str(message)
            [key] = [key for marker, key in markers.items() if marker.removeprefix("mb:") in text]
            yield key, tuple(envelope.rcpt_tos), None

    def _letters(self):
        for path in sorted(self.letters.folder.rglob("*.json")):
            told = json.loads(path.read_text())
            yield told["key"], (), Decimal(told["total"])

    def _judge(self):
        with self.store.reading() as conn:
            notices = self.store.outbox.listing(conn)
            steps = [one for known in notices for one in self.store.outbox.steps.of_notice(conn, known.id)]
            standings = self.store.cases.standings(conn, "a", self.invoices)
        self._judge_sendings(notices)
        self._judge_looks()
        self._judge_lost(notices, steps, standings)
        self._judge_drafts(notices, steps)

    def _levels_of(self, sent, notices):
        """Return (invoice, level) of everything that this sending reminded of, as our tables know it."""
        for known in notices:
            for claim in known.claims:
                if sent.invoice == f"notice-{known.id}" or (sent.reminder and sent.reminder == claim.reminder_id):
                    yield claim.invoice_id, claim.level, known

    def _judge_sendings(self, notices):
        count = Counter()
        for sent in self.sendings():
            of = list(self._levels_of(sent, notices))
            if not of:
                self.wrong.append(f"the provider sent {sent}, of which we know nothing")
            for invoice_id, level, known in of:
                count[invoice_id, level] += 1
                claim = next(one for one in known.claims if one.invoice_id == invoice_id)
                parked = known.state == "parked"
                if claim.landed_on is None and not parked:
                    self.wrong.append(f"level {level} of {invoice_id} went out, but we do not show it as landed")
                if sent.to and sent.to != (known.recipient,):
                    self.wrong.append(f"{sent} went to the wrong people")
        self.wrong += [
            f"level {level} of invoice {one} went out {n} times" for (one, level), n in count.items() if n > 1
        ]
        for known in notices:
            for claim in known.claims:
                if claim.landed_on is not None and not count[claim.invoice_id, claim.level]:
                    self.wrong.append(
                        f"level {claim.level} of {claim.invoice_id} is shown as landed, but never went out"
                    )

    def _judge_looks(self):
        """No reminder to somebody who had paid, was blocked or cancelled when the last look before the call began."""
        for sent, looked in self.judged:
            with self.store.reading() as conn:
                notices = self.store.outbox.listing(conn)
            for invoice_id, _, known in self._levels_of(sent, notices):
                truth = looked.get(invoice_id)
                if truth is None:
                    self.wrong.append(f"{invoice_id} was reminded of without a look")
                    continue
                if truth.stopped:
                    self.wrong.append(f"{invoice_id} was reminded of although it was {truth.stopped}")
                if len(known.claims) == 1 and sent.demanded not in (None, truth.open):
                    self.wrong.append(f"{invoice_id}: {sent.demanded} was asked for, {truth.open} was open")

    def _judge_lost(self, notices, steps, standings):
        """Every invoice that should be reminded of was, or waits visibly for a person."""
        parked = {one.notice_id for one in steps if one.state in ("parked", "unclear")}
        for invoice_id in self.invoices:
            truth = self.provider.truth(invoice_id)
            if truth.stopped or truth.by_hand or standings[invoice_id].level >= 1:
                continue
            mine = [known for known in notices if any(one.invoice_id == invoice_id for one in known.claims)]
            if not any(known.id in parked or known.state == "parked" for known in mine):
                self.wrong.append(
                    f"{invoice_id} was neither reminded of nor parked: {[(one.state, one.reason, one.reason_text) for one in mine]}"
                )
        for one in steps:
            if one.state == "parked" and not one.cause:
                self.wrong.append(f"step {one.id} is parked without a reason")

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
                    self.wrong.append(f"draft {reminder} at the provider is ours, and we do not know it")
            elif notice.id not in parked and notice.state not in ("landed", "waiting"):
                self.wrong.append(f"draft {reminder} was left over by notice {notice.id}, which is {notice.state}")
