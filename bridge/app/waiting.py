"""What waits to be approved, posted or sent by a person, and what came meanwhile that speaks against it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy import Connection

from bridge.app.results import Done, NoticeLine, Overtaken
from bridge.app.sending import Sending
from bridge.errors import UsageError, WrongState
from bridge.model import Reason, Snapshot
from bridge.model.period import ALWAYS, Period
from bridge.policy import Via
from bridge.store.choices import Target
from bridge.store.records import Notice, NoticeClaim
from bridge.words import quoted, tell

_PASSING = {Reason.STALE_DATA, Reason.WRITING_SUSPENDED}
"""What concerns the whole account for a while: what was approved waits for its end."""


@contextmanager
def as_shown(notice: int | None) -> Iterator[None]:
    """Say of a notice that is no longer what a person looked at what happened, and that nothing was done. Raises `WrongState`."""
    try:
        yield
    except WrongState as error:
        raise WrongState(
            "notice {notice} was approved, refused or changed by somebody else meanwhile, so nothing was done; "
            "`mahnbridge approve` lists what still waits",
            notice=notice,
        ) from error


class Waiting(Sending):
    """What looks at what waits for a person: proposals, and letters that lie in the outbox."""

    # ------------------------------------------------------------------------------------------------------ approvals

    def proposals(self, ids: Sequence[int] = ()) -> tuple[NoticeLine, ...]:
        """Return the notices that wait for an approval, all or these. Raises `UsageError` where one of them does not.

        Each with what came meanwhile that speaks against it: what is blocked is not approved.
        """
        with self.store.reading() as conn:
            found = {one.id: one for one in self.store.outbox.listing(conn, states=["proposed"], limit=100_000)}
            for wanted in ids:
                if wanted not in found:
                    raise UsageError(
                        "notice {wanted} does not wait for an approval; `mahnbridge approve` lists those that do",
                        wanted=wanted,
                    )
            rows = [found[one] for one in ids] if ids else sorted(found.values(), key=lambda one: one.id)
            lines = zip(self.lines(conn, rows), rows, strict=True)
            return tuple(replace(line, overtaken=self._against(conn, notice)) for line, notice in lines)

    def approve(self, proposals: Sequence[NoticeLine]) -> Done:
        """Approve what was shown: the approval binds to that content. Raises `WrongState` where it changed since.

        What was paid, blocked or disputed meanwhile stays unapproved, and is told in the text; the next run takes it back.
        """
        left: list[str] = []
        with self.store.begin() as conn:
            for one in proposals:
                assert one.id is not None
                came = self._against(conn, self.store.outbox.get(conn, one.id))
                if came:
                    told = (f"{its.invoice}: {tell(its.text, self.language)}" for its in came)
                    left.append(f"{one.id} ({', '.join(told)})")
                    continue
                with as_shown(one.id):
                    self.store.outbox.approve(conn, one.id, shown_hash=one.hash, actor=self.actor, now=self.clock())
                self._told(conn, "approved", one)
        return Done("approved", "", self.actor, count=len(proposals) - len(left), text="; ".join(left))

    def refuse(self, proposals: Sequence[NoticeLine], reason: str) -> Done:
        """Refuse proposals, with a reason. They come up again when what they say changes, or when their term would be half over.

        A hand-over that a person decided on is then no longer decided on.
        """
        with self.store.begin() as conn:
            for one in proposals:
                assert one.id is not None
                with as_shown(one.id):
                    self.store.outbox.refuse(conn, one.id, text=quoted(f"{self.actor}: {reason}"), now=self.store.now())
                for claim in one.claims if one.channel == Via.COLLECTION.value else ():
                    target = Target(account=one.account, invoice_id=claim.invoice)
                    self.store.choices.withdraw(conn, target, "hand_over", self.stamp(one.account))
                self._told(conn, "refused", one, reason)
        return Done("refused", "", self.actor, count=len(proposals), text=reason)

    def _told(self, conn: Connection, kind: str, one: NoticeLine, reason: str = "") -> None:
        notice = self.store.outbox.get(conn, one.id or 0)
        data = {"level": one.level, "level_name": one.level_name, "reason": reason}
        for claim in notice.claims:
            self.record(
                conn,
                f"notice_{kind}",
                account=one.account,
                case_id=notice.case_id,
                notice_id=one.id,
                invoice_id=claim.invoice_id,
                data=data,
            )

    def _against(self, conn: Connection, notice: Notice) -> tuple[Overtaken, ...]:
        """Return what speaks against approving a proposal, judged by what was last read."""
        inside = Via(notice.channel).in_house  # nothing is said to the debtor that could have changed
        passing = _PASSING | {Reason.CHANGED.value} if inside else _PASSING
        return tuple(one for one in self._overtaken(conn, notice) if one.reason not in passing)

    # -------------------------------------------------------------------------------------------------------- letters

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
        if notice.account not in self.accounts:  # its rules went with it
            return
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
