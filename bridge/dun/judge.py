"""The rules as delivery asks them, right before a call: what is known here, read in the transaction that begins it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time
from itertools import chain
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection

from bridge.dun.histories import Histories
from bridge.dun.views import account_facts
from bridge.errors import UsageError
from bridge.model import Reason, Snapshot
from bridge.policy import AccountRules, Basis, Hold, LocalView, recheck, words
from bridge.policy.hours import waits
from bridge.policy.money import History
from bridge.policy.places import calendar_at
from bridge.policy.recheck import recheck_mention
from bridge.policy.recipients import picked
from bridge.store import Store
from bridge.store.choices import StoredBlock
from bridge.store.ours import astray
from bridge.store.records import Beside, Notice, NoticeClaim

Gate = Callable[[Connection, str], Reason | None]


def open_gate(_conn: Connection, _account: str) -> Reason | None:
    """Let everything through: for tests and tools that have no switches."""
    return None


class Judge:
    """Answers delivery's two questions. `gate` knows the switches of the installation (sending, pause)."""

    def __init__(
        self, store: Store, rules: Mapping[str, AccountRules], zones: Mapping[str, ZoneInfo], gate: Gate = open_gate
    ) -> None:
        self._store = store
        self._rules = rules
        self._zones = zones
        self._gate = gate

    def gate(self, conn: Connection, account: str) -> Reason | None:
        """Return why nothing may be written to `account` now, or None."""
        reason = self._gate(conn, account)
        if reason is not None:
            return reason
        try:
            known = self._store.mirror.accounts.get(conn, account)
        except UsageError:
            return None
        return Reason.WRITING_SUSPENDED if known.writing_suspended else None

    def opens(self, conn: Connection, notice: Notice, now: datetime) -> datetime | None:
        """Return the instant at which this notice may leave, where days and hours of sending say not now; else None."""
        rules, zone = self._rules[notice.account], self._zones[notice.account]
        plan = rules.plans.get(notice.plan)
        level = plan.level(notice.level) if plan and 1 <= notice.level <= plan.hand_over_at else None
        debtor = self._store.mirror.debtor(conn, notice.account, notice.debtor_id)
        place = calendar_at(debtor.address if debtor else None, rules)
        local = now.astimezone(zone)
        found = waits(rules, level, place, local.date(), local.time())
        return None if found is None else datetime.combine(found.on, found.at or time(), zone).astimezone(UTC)

    def recheck(
        self, conn: Connection, notice: Notice, claim: NoticeClaim, snapshot: Snapshot, today: date
    ) -> Hold | None:
        """Return why this claim must not be reminded of, judged by `snapshot` and by what is known here, or None."""
        rules = self._rules[notice.account]
        if snapshot.payments_as_of is not None:
            local = snapshot.payments_as_of.astimezone(self._zones[notice.account])
            snapshot = snapshot.model_copy(update={"payments_as_of": local})
        if not claim.basis:
            return Hold(Reason.CHANGED, words.told(Reason.CHANGED))
        basis = Basis.from_json(claim.basis)
        if claim.reminder_id is not None:
            basis = replace(basis, own_reminders=basis.own_reminders | {claim.reminder_id})
        return recheck(basis, snapshot, self._local(conn, notice, claim, snapshot, today), rules, today)

    def recheck_mention(self, notice: Notice, mention: Beside, snapshot: Snapshot, today: date) -> Hold | None:
        """Return why an invoice that is listed without being asked for can not be listed like that any more, or None."""
        return recheck_mention(mention, snapshot, self._rules[notice.account], today)

    def _local(
        self, conn: Connection, notice: Notice, claim: NoticeClaim, snapshot: Snapshot, today: date
    ) -> LocalView:
        account, invoice_id, zone = notice.account, claim.invoice_id, self._zones[notice.account]
        debtor_id = (snapshot.invoice and snapshot.invoice.debtor_id) or notice.debtor_id
        standing = self._store.cases.standings(conn, account, [invoice_id]).get(invoice_id)
        ever = self._store.choices.blocks(conn, account, debtor_ids=[debtor_id], invoice_ids=[invoice_id])
        blocks = [one for one in ever if one.active_on(today)]
        customers, invoices = self._store.choices.chosen(
            conn, account, debtor_ids=[debtor_id], invoice_ids=[invoice_id]
        )
        known = self._store.mirror.accounts.get(conn, account)
        debtor = self._store.mirror.debtor(conn, account, debtor_id)
        closed = standing.close_reason if standing and not standing.is_open else None
        chosen = [one.send_to for one in (invoices.get(invoice_id), customers.get(debtor_id)) if one is not None]
        mail_to, post_to = picked(chain.from_iterable(chosen), claim.level or notice.level)
        return LocalView(
            blocks=tuple(one.view(zone) for one in blocks if one.invoice_id is not None),
            customer_blocks=tuple(one.view(zone) for one in blocks if one.debtor_id is not None),
            include=invoices[invoice_id].include if invoice_id in invoices else None,
            plan=invoices[invoice_id].plan if invoice_id in invoices else None,
            customer_plan=customers[debtor_id].plan if debtor_id in customers else None,
            settled=notice.approved_hash is not None or notice.version > 1 or notice.state == "waiting",
            customer_include=customers[debtor_id].include if debtor_id in customers else None,
            closed=Reason(closed) if closed else None,
            round=standing.round if standing else 1,
            level=standing.level if standing else 0,
            level_name=standing.level_name if standing else "",
            undelivered=bool(standing and standing.undelivered),
            returned=bool(standing and standing.returned),
            facts=account_facts(known, self._zones[account]),
            history=self._history(conn, account, claim, ever),
            debtor=debtor,
            debtor_id=notice.debtor_id,
            mail_to=mail_to,
            post_to=post_to,
            astray=astray(conn, account, snapshot.notices, without=notice.id),
        )

    def _history(self, conn: Connection, account: str, claim: NoticeClaim, blocks: Iterable[StoredBlock]) -> History:
        """Return the money side of a claim as it was decided on: without what another channel of the same notice brought."""
        own = claim.invoice_id
        payments = self._store.mirror.payments(conn, account, [own]).get(own, ())
        money = Histories(self._store, conn, account, self._zones[account], [own])
        return money.of(own, payments, blocks, without=(claim.round, claim.level, claim.repetition))
