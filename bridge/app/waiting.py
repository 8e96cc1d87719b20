"""What waits to be posted or sent by a person, and what came meanwhile that speaks against it."""

from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import Connection

from bridge.app.results import NoticeLine, Overtaken
from bridge.app.sending import Sending
from bridge.model import Snapshot
from bridge.model.period import ALWAYS, Period
from bridge.policy import Via
from bridge.store.records import Notice, NoticeClaim


class Waiting(Sending):
    """What looks at letters that lie in the outbox."""

    def letters(self, period: Period = ALWAYS) -> tuple[NoticeLine, ...]:
        """Return the notices that were made but not sent: letters to be posted, reminders only created at the provider.

        `period`: decided on in it. Each with what would stop it by now, judged by what was last read: paid, disputed, another amount, its deadline too near.
        """
        with self.store.reading() as conn:
            found = self.store.outbox.listing(conn, states=["waiting"], limit=100_000)
            mine = (one for one in found if not Via(one.channel).in_house)
            decided = (one for one in mine if period.holds(self.store.runs.get(conn, one.run_id).business_date))
            waiting = sorted(decided, key=lambda one: one.id)
            lines = self.lines(conn, waiting)
            return tuple(
                replace(line, overtaken=tuple(self._overtaken(conn, notice)))
                for line, notice in zip(lines, waiting, strict=True)
            )

    def _overtaken(self, conn: Connection, notice: Notice) -> Iterator[Overtaken]:
        today = self.today(notice.account)
        for claim in notice.claims:
            hold = self.desk.rules.recheck(conn, notice, claim, self._as_read(conn, notice, claim), today)
            if hold is not None:
                yield Overtaken(claim.invoice_number or claim.invoice_id, hold.reason.value, hold.text)

    def _as_read(self, conn: Connection, notice: Notice, claim: NoticeClaim) -> Snapshot:
        """Return what was last read of an invoice as a look would bring it; reminders of ours are none that speak against it."""
        mirror, account, own = self.store.mirror, notice.account, claim.invoice_id
        known = mirror.invoice(conn, account, own)
        debtor_id = (known and known.invoice.debtor_id) or notice.debtor_id
        notices = mirror.notices(conn, account, [own]).get(own, ())
        return Snapshot(
            invoice_id=own,
            taken_at=self.clock(),
            found=known is not None,
            invoice=known.invoice if known else None,
            debtor=mirror.debtor(conn, account, debtor_id),
            notices=tuple(one.notice for one in notices if not one.ours),
            related=mirror.related(conn, account, [own]).get(own, ()),
            payments=mirror.payments(conn, account, [own]).get(own, ()),
        )
