"""Sending once more (erneut senden): the level of a notice that came back, to another address or by letter, after a person's approval."""

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.app.editing import Editing
from bridge.app.results import NoticeLine
from bridge.errors import UsageError, WrongState
from bridge.policy import Via, words
from bridge.store.records import Notice
from bridge.words import both


@dataclass(frozen=True, slots=True)
class Resent:
    """What a request to send once more led to: the proposals that wait for approval, or why there is none yet."""

    notice: int
    actor: str
    proposals: tuple[NoticeLine, ...]
    waits: str = ""


class Resending(Editing):
    """What people do to send a notice once more."""

    def resend(
        self,
        notice_id: int,
        *,
        emails: Sequence[str] = (),
        post: bool = False,
        address: str | None = None,
        unknown: bool = False,
    ) -> Resent:
        """Let the level of a notice that came back be composed once more, as a proposal, with fresh amounts and a new term.

        `emails` and `address` (postal, in one line) are used from now on for this customer, or for the invoice where it is about one alone;
        `post`: by letter to the address that is known; none of these: the way it went. Asked twice it is one request.
        Raises `WrongState` where nothing waits for it, `UsageError` where an address is none or there is no channel,
        `AlreadyRunning` while a run is under way: then the next run proposes it.
        """
        by_post = post or address is not None
        if emails and by_post:
            raise UsageError("write either --to, or --post and --address")
        with self.store.reading() as conn:
            notice = self.store.outbox.get(conn, notice_id)
            waiting = self.store.returns.waiting(conn, notice)
            case = self.store.questions.case_number(conn, notice.case_id)
        via = Via.LETTER if by_post else Via.MAIL if emails else Via(notice.channel).own
        self._check(notice, via)
        if emails or address is not None:
            own = [one.invoice_number or one.invoice_id for one in waiting]
            self.choose_recipient(
                case, emails, post=address, invoice=own[0] if len(own) == 1 else None, unknown=unknown
            )
        with self.store.begin() as conn:
            notice, stamp = self.store.outbox.get(conn, notice_id, lock=True), self.stamp(notice.account)
            waiting = self.store.returns.ask_again(conn, notice, via.value, stamp)
            self._drop_others(conn, notice, again=True)
            german, english = (words.plain("channel", via.value, one) for one in ("de", "en"))
            self.end_returned(conn, notice, stamp, both(german, english))
        self.run((notice.account,), customer=notice.debtor_id, pull=False, deliver=False)
        invoices = {one.invoice_id for one in waiting}
        found = tuple(
            one
            for one in self.proposals()
            if any(claim.invoice in invoices and claim.level for claim in one.claims) and one.account == notice.account
        )
        told = {text.text for one in invoices for text in self.explain(one, account=notice.account)}
        return Resent(notice_id, self.actor, found, "" if found else "; ".join(sorted(told)))

    def _check(self, notice: Notice, via: Via) -> None:
        if notice.state != "landed":
            raise WrongState("notice {notice} has not gone out", notice=notice.id)
        if via.act not in self.abilities(notice.account).channels:
            raise UsageError("there is no channel of ours for {channel}; set one up under channels", channel=via.value)
