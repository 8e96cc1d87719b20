"""Looking: status, search, and the gauges of the service."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from sqlalchemy import Connection

from bridge.app.failures import Failures
from bridge.app.house import Readings, house_readings, signs
from bridge.app.opening import PAUSE, SENDING
from bridge.app.results import AccountStatus, Found, Sent, Status
from bridge.metrics import seconds
from bridge.policy import Via, words
from bridge.store.accounts import Account
from bridge.store.jumps import jump_text
from bridge.store.questions import OpenSum
from bridge.store.records import Notice
from bridge.words import Sentence

_TOLD = ("smtp", "file", "posted_at", "asserted_by", "evidence")
"""Facts of a proof that say something to people."""

WEEK = timedelta(days=7)
"""How far back the trend of what is overdue looks."""


class Looking(Failures):
    """What only looks."""

    def status(self) -> Status:
        """Return everything on one page; `ready` counts invoices whose next level is due, whether proposed already or not."""
        today = self.today()
        ready = self.ready()
        failures, needing = sum(one.count for one in self.failures()), self.needing()
        with self.store.reading() as conn:
            sums = self.store.questions.open_sums(conn, today)
            stored = {one.name: one for one in self.store.mirror.accounts.all(conn)}
            switch = self.store.settings.changed(conn, SENDING)
            sending, paused = self.sending(conn), self.store.settings.changed(conn, PAUSE)
            last, held = self.store.questions.last_run(conn, "dun"), self.store.restored.hold(conn)
            capped = self.store.questions.capped_claims(conn)
            return Status(
                today=today,
                sending=sending,
                sending_by=switch[0] if switch else "",
                sending_at=switch[1] if switch else None,
                paused=bool(self.store.settings.get(conn, PAUSE)),
                paused_by=paused[0] if paused else "",
                ready=ready + self.store.questions.proposed_claims(conn),
                accounts=tuple(
                    self._compared(conn, self._account_status(name, stored.get(name), sums, capped.get(name, 0)), today)
                    for name in self.config.accounts
                ),
                notices=self.store.questions.notice_counts(conn),
                failures=failures,
                needing=needing,
                rejects=self.store.questions.open_rejects(conn),
                cases_open=self.store.overview.counts(conn).get("open", 0),
                last_run=last.started_at if last else None,
                clock_set=self.config.clock is not None,
                restored=held.since if held else None,
                to_send=sum(
                    not Via(one.channel).in_house
                    for one in self.store.outbox.listing(conn, states=["waiting"], limit=100_000)
                ),
                disk_full=self.disk_full(),
            )

    def _compared(self, conn: Connection, one: AccountStatus, today: date) -> AccountStatus:
        """Return the account with the change of what is overdue since a week ago, where that is known."""
        then = self.store.history.totals_on(conn, one.name, today - WEEK)
        if not then:
            return one
        before = {total.total.currency: total.total.overdue for total in then}
        change = {
            currency: one.overdue_total.get(currency, Decimal(0)) - before.get(currency, Decimal(0))
            for currency in sorted(before.keys() | one.overdue_total.keys())
        }
        return replace(one, compared_on=then[0].on, overdue_change=change)

    def _account_status(self, name: str, stored: Account | None, sums: list[OpenSum], capped: int) -> AccountStatus:
        own = [one for one in sums if one.account == name]
        port = self.accounts.get(name)
        budget = port.http.budget() if port else None
        state = "disabled" if port is None else "new" if stored is None or stored.pulled_at is None else stored.state
        return AccountStatus(
            name=name,
            connector=self.config.accounts[name].connector,
            state=stored.state if stored and stored.state != "ok" and port else state,
            text=stored.state_text if stored else "",
            pulled_at=stored.pulled_at if stored else None,
            stale=port is not None and self.stale(name, stored.pulled_at if stored else None),
            open_count=sum(one.open_count for one in own),
            open_total={one.currency: one.open for one in own},
            overdue_count=sum(one.overdue_count for one in own),
            overdue_total={one.currency: one.overdue for one in own if one.overdue},
            blocked_until=budget.blocked_until if budget else None,
            remaining=budget.remaining if budget else None,
            held_jump=jump_text(stored.held_jump) if stored and stored.held_jump else "",
            writing_suspended=words.plain("note", (stored.writing_suspended or "") if stored else "", self.language),
            capped=capped if port else 0,
        )

    # --------------------------------------------------------------------------------------------------------- search

    def search(self, number: str) -> Found:
        """Find invoices by number: their state, and each notice of theirs with time, level, recipient, channel and result."""
        with self.store.reading() as conn:
            known = [one for one in self.store.mirror.by_number(conn, number) if one.account in self.accounts]
            sent = [
                self._sent(conn, self.store.outbox.get(conn, notice_id), one.invoice.number or one.invoice.id)
                for one in known
                for notice_id in self.store.questions.notices_of(conn, one.account, one.invoice.id)
            ]
        explained = tuple(found for one in known for found in self.explain(one.invoice.id, account=one.account))
        return Found(number, explained, tuple(sent))

    def _sent(self, conn: Connection, notice: Notice, number: str) -> Sent:
        steps = self.store.outbox.steps.of_notice(conn, notice.id)
        reached = [step for step in steps if step.reaches_debtor]
        proof = next((step.proof for step in reached if step.proof is not None), None)
        failed = next((step for step in steps if step.state in ("parked", "unclear")), None)
        result = notice.reason_text or ""
        if failed is not None:
            result = failed.error or failed.cause or ""
        elif proof is not None:
            told = [proof.facts[name] for name in _TOLD if name in proof.facts]
            result = ", ".join(told) or proof.provider_id or ""
        debtor = self.store.mirror.debtor(conn, notice.account, notice.debtor_id)
        return Sent(
            account=notice.account,
            number=number,
            customer=debtor.name if debtor else notice.debtor_id,
            case=self.store.questions.case_number(conn, notice.case_id),
            at=notice.landed_at or (proof.at if proof else None),
            level=notice.level,
            level_name=self.level_names.notice(conn, notice).level_name,
            recipient=notice.recipient,
            channel=notice.channel,
            state=notice.state,
            result=result,
            notice=notice.id,
        )

    # -------------------------------------------------------------------------------------------------------- metrics

    def signs(self) -> list[tuple[str, str, Sentence]]:
        """Return what the service watches besides its jobs; see `bridge.app.house.signs`."""
        return list(signs(self))

    def readings(self) -> Readings:
        """Return the gauges of this moment, by metric and labels; see `bridge.metrics`."""
        today = self.today()
        with self.store.reading() as conn:
            sums = self.store.questions.open_sums(conn, today)
            values: Readings = {
                "mahnbridge_sending": {(): float(self.sending(conn))},
                "mahnbridge_notices": {
                    (state,): float(n) for state, n in self.store.questions.notice_counts(conn).items()
                },
                "mahnbridge_steps": {key: float(n) for key, n in self.store.questions.step_counts(conn).items()},
                "mahnbridge_rejects": {(): float(self.store.questions.open_rejects(conn))},
                "mahnbridge_cases": {(state,): float(n) for state, n in self.store.overview.counts(conn).items()},
            }
            accounts = self.store.mirror.accounts.all(conn)
        for name, key in (
            ("mahnbridge_open_invoices", "open_count"),
            ("mahnbridge_open_amount", "open"),
            ("mahnbridge_overdue_invoices", "overdue_count"),
            ("mahnbridge_overdue_amount", "overdue"),
        ):
            values[name] = {(one.account, one.currency): float(Decimal(getattr(one, key))) for one in sums}
        ours = [one for one in accounts if one.name in self.accounts]
        values["mahnbridge_account_ok"] = {(one.name,): float(one.state == "ok") for one in ours}
        values["mahnbridge_account_pulled_timestamp_seconds"] = {
            (one.name,): seconds(one.pulled_at) for one in ours if one.pulled_at
        }
        budgets = {name: port.http.budget() for name, port in self.accounts.items()}
        values["mahnbridge_account_blocked_until_timestamp_seconds"] = {
            (name,): seconds(one.blocked_until) for name, one in budgets.items() if one.blocked_until
        }
        values["mahnbridge_account_calls_remaining"] = {
            (name,): float(one.remaining) for name, one in budgets.items() if one.remaining is not None
        }
        return values | house_readings(self)
