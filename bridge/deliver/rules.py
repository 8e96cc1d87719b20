"""The rules right before a call, on the store: switches, blocks and choices as of this very transaction, then `policy.recheck`."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bridge.contract import PaymentKind, Reason, Snapshot
from bridge.deliver.ports import BERLIN
from bridge.policy import AccountFacts, AccountRules, Basis, Hold, LocalView, recheck
from bridge.store import Store
from bridge.store.records import Notice, NoticeClaim

SENDING, PAUSE = "sending", "pause"
"""Names of the switches in `store.settings`: whether anything may go out (default no), and why everything pauses (default not)."""


class StoreRules:
    """Rules of all accounts. `zones` are the accounts' time zones."""

    def __init__(self, store: Store, rules: Mapping[str, AccountRules], zones: Mapping[str, ZoneInfo]) -> None:
        self._store, self._rules, self._zones = store, rules, zones

    def gate(self, conn: Connection, account: str) -> Reason | None:
        """Return why nothing may be written to `account` now: sending off, a pause, or writing suspended."""
        if not self._store.settings.get(conn, SENDING, False):
            return Reason.SENDING_OFF
        if self._store.settings.get(conn, PAUSE):
            return Reason.GLOBAL_PAUSE
        suspended = self._store.mirror.accounts.get(conn, account).writing_suspended
        return Reason.WRITING_SUSPENDED if suspended else None

    def recheck(
        self, conn: Connection, notice: Notice, claim: NoticeClaim, snapshot: Snapshot, today: date
    ) -> Hold | None:
        """Return why this claim must not be reminded of, or None."""
        own = frozenset({claim.reminder_id}) if claim.reminder_id else frozenset[str]()
        basis = replace(Basis.from_json(claim.basis), own_reminders=own)
        local = self._local(conn, notice, claim, today)
        return recheck(basis, snapshot, local, self._rules[notice.account], today)

    def _local(self, conn: Connection, notice: Notice, claim: NoticeClaim, today: date) -> LocalView:
        store, account = self._store, notice.account
        debtors, invoices = [notice.debtor_id], [claim.invoice_id]
        blocks = store.choices.blocks(conn, account, debtor_ids=debtors, invoice_ids=invoices, active_on=today)
        customers, chosen = store.choices.chosen(conn, account, debtor_ids=debtors, invoice_ids=invoices)
        customer, own = customers.get(notice.debtor_id), chosen.get(claim.invoice_id)
        standing = store.cases.standings(conn, account, invoices).get(claim.invoice_id)
        payments = store.mirror.payments(conn, account, invoices).get(claim.invoice_id, ())
        known = store.mirror.accounts.get(conn, account)
        zone = self._zones.get(account, BERLIN)
        by_hand = standing is not None and standing.close_reason == Reason.CLOSED_BY_HAND.value
        return LocalView(
            blocks=tuple(one.view for one in blocks if one.invoice_id is not None),
            customer_blocks=tuple(one.view for one in blocks if one.debtor_id is not None),
            include=own.include if own else None,
            customer_include=customer.include if customer else None,
            closed=Reason.CLOSED_BY_HAND if by_hand else None,
            round=standing.round if standing else claim.round,
            level=standing.level if standing else 0,
            returned=any(one.kind is PaymentKind.DIRECT_DEBIT and one.amount < 0 for one in payments),
            facts=AccountFacts(
                payments_as_of=known.payments_as_of.astimezone(zone).date() if known.payments_as_of else None,
                writing_suspended=known.writing_suspended,
                approved=True,
            ),
        )
