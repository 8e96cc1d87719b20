"""Checking and connecting: whether everything that is needed works, and what a person should know."""

from collections.abc import Callable, Iterator, Sequence

from bridge.app.claims import Claims
from bridge.app.house import SKEW_SECONDS
from bridge.app.opening import PAUSE, SENDING
from bridge.app.results import Check, Done, Remark
from bridge.app.sending import MEGABYTE
from bridge.deliver import AccountPort
from bridge.errors import BridgeError, ConfigError, UsageError
from bridge.http import AuthorizationFlow, OAuth2Auth
from bridge.model import Finding, Reason, Severity
from bridge.policy import EscalationPlan, words
from bridge.policy.assign import reachable
from bridge.policy.charging import fees_fit
from bridge.policy.colleagues import people_fit
from bridge.policy.fits import plan_fits
from bridge.secrets import KEY_FILE
from bridge.words import Sentence

CONSENT_SECONDS = 300
"""How long `connect` waits for the browser to come back."""


class Checking(Claims):
    """What checks."""

    def check(self, accounts: Sequence[str] = (), *, offline: bool = False) -> Check:
        """Check configuration, credentials, rights, plans against abilities, channels and clocks. Nothing is written or sent.

        `offline` asks no provider and no mail server.
        """
        remarks = [*self._installation()]
        if not offline:
            for name in sorted(self.channels):
                remarks += [*self._channel(name)]
            for name in self.chosen(accounts):
                remarks += [*self._account_remarks(name)]
        ok = not any(remark.severity is Severity.ERROR for remark in remarks)
        order = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}
        return Check(ok, tuple(sorted(remarks, key=lambda one: (one.subject, order[one.severity]))))

    def _installation(self) -> Iterator[Remark]:
        for problem in self.loaded.warnings:
            yield Remark(Severity.WARNING, "plain_secret", problem.sentence)
        if not self.accounts:
            yield Remark(
                Severity.ERROR, "no_account", Sentence("no account is configured; `accounts:` names at least one")
            )
        if not self.config.creditor.name:
            yield Remark(
                Severity.WARNING,
                "no_creditor",
                Sentence("creditor.name is empty; letters and mails would have no sender"),
            )
        missing = [key for key in ("street", "postcode", "city", "iban") if not getattr(self.config.creditor, key)]
        if missing and self.channels:
            text = Sentence(
                "empty under creditor: {keys}; our letters and mails would not say in full who writes and where to pay",
                keys=", ".join(missing),
            )
            yield Remark(Severity.WARNING, "creditor_incomplete", text)
        yield from self._keys()
        if self.config.clock is not None:
            yield Remark(
                Severity.WARNING,
                "clock_set",
                Sentence("the date is set from outside to {clock} (clock)", clock=self.config.clock),
            )
        if self.config.dunning.cutoff is None:
            text = Sentence("dunning.cutoff is empty; old invoices are dunned too")
            yield Remark(Severity.WARNING, "no_cutoff", text)
        for nobody in self.unmatched():
            yield Remark(Severity.ERROR, "assignment_nobody", nobody)
        yield from _findings("", self.rate_findings())
        with self.store.reading() as conn:
            sending, safe = self.sending(conn), self.store.questions.durable(conn)
            switched = self.store.settings.get(conn, SENDING) is True
            restored = self.store.restored.hold(conn)
            paused, accounts = self.store.settings.get(conn, PAUSE), self.store.mirror.accounts.all(conn)
        if sending:
            yield Remark(Severity.INFO, "sending_on", Sentence("sending is on"))
        elif self.config.dunning.sending.value == "never":
            text = Sentence("dunning.sending is never: this installation does not send")
            yield Remark(Severity.INFO, "sending_never", text)
        elif not switched and restored is None:
            yield Remark(Severity.INFO, "sending_off", Sentence("sending is off"))
        if not safe:
            text = Sentence(
                "PostgreSQL runs with synchronous_commit=off; after a crash of the server a reminder could go out twice"
            )
            yield Remark(Severity.WARNING, "not_durable", text)

        for stored in accounts:
            if stored.name in self.accounts and stored.writing_suspended:
                text = Sentence(
                    "{reason}; mahnbridge release {account}",
                    reason=words.told(Reason.WRITING_SUSPENDED, {"note": stored.writing_suspended}),
                    account=stored.name,
                )
                yield Remark(Severity.WARNING, "writing_suspended", text, stored.name)
        yield from self._disk()
        if restored is not None:
            text = Sentence(
                "the database was restored from a backup of {since}, sending is held; `mahnbridge restore adopt`, then `mahnbridge restore release`",
                since=restored.since.date(),
            )
            yield Remark(Severity.WARNING, "restored", text)
        if paused:
            yield Remark(Severity.WARNING, "paused", words.told(Reason.GLOBAL_PAUSE))

    def _disk(self) -> Iterator[Remark]:
        free, disk = self.room() // MEGABYTE, self.config.disk
        if free < disk.hold_megabytes:
            text = Sentence(
                "only {free} MB are free in {folder}; nothing is sent, because it could not be recorded",
                free=free,
                folder=self.loaded.data,
            )
            yield Remark(Severity.ERROR, "disk_full", text)
        elif free < disk.warn_megabytes:
            text = Sentence(
                "only {free} MB are free in {folder}; below {hold} MB nothing is sent any more",
                free=free,
                folder=self.loaded.data,
                hold=disk.hold_megabytes,
            )
            yield Remark(Severity.WARNING, "disk_low", text)

    def _keys(self) -> Iterator[Remark]:
        if self.vault.of_file:
            text = Sentence(
                "tokens are sealed with the key in {path}, which was made by itself; keep a copy apart from the database",
                path=self.loaded.data / KEY_FILE,
            )
            yield Remark(Severity.INFO, "key_file", text)
        if self.vault.earlier:
            text = Sentence(
                "{count} earlier {count|key still opens|keys still open} tokens and links; `mahnbridge keys forget` ends that",
                count=len(self.vault.earlier),
            )
            yield Remark(Severity.INFO, "key_earlier", text)

    def _channel(self, name: str) -> Iterator[Remark]:
        try:
            health = self.channels[name].check()
        except BridgeError as error:
            yield Remark(Severity.ERROR, error.cause, error.sentence, name)
            return
        yield from _findings(name, health.findings)
        if health.ok:
            yield Remark(Severity.INFO, "channel_ok", Sentence("works"), name)
        elif not any(one.severity is Severity.ERROR for one in health.findings):
            yield Remark(Severity.ERROR, "channel_not_ok", Sentence("does not work"), name)

    def _account_remarks(self, name: str) -> Iterator[Remark]:
        port = self.port(name)
        try:
            health = port.connector.check()
        except BridgeError as error:
            yield Remark(Severity.ERROR, error.cause, error.sentence, name)
            return
        yield from _findings(name, health.findings)
        if not health.ok:
            if not any(one.severity is Severity.ERROR for one in health.findings):
                yield Remark(Severity.ERROR, "account_not_ok", Sentence("does not work"), name)
            return
        yield Remark(
            Severity.INFO,
            "account_ok",
            Sentence("works; can: {acts}", acts=sorted(health.acts) or Sentence("read only")),
            name,
        )
        skew = health.clock_skew_seconds
        if skew is None and port.http.clock_skew is not None:
            skew = int(port.http.clock_skew.total_seconds())
        if skew is not None and abs(skew) > SKEW_SECONDS and self.config.clock is None:
            text = Sentence(
                "this machine's clock and the provider's differ by {skew} s; set up time synchronisation",
                skew=abs(skew),
            )
            yield Remark(Severity.WARNING, "clock_skew", text, name)
        if not health.has_bank_feed and not any(one.code.endswith("_no_bank_feed") for one in health.findings):
            text = Sentence(
                "shows no bank account; whether payments are up to date cannot be told, so nothing is held as stale"
            )
            yield Remark(Severity.INFO, "no_bank_feed", text, name)
        abilities = self.abilities(name, health)
        for plan in self.plans_in_use(name):
            yield from _findings(name, plan_fits(plan, abilities))
            yield from _findings(name, fees_fit(plan, self.rules[name].money))
            yield from _findings(name, people_fit(plan, self.rules[name]))

    def plans_in_use(self, account: str) -> tuple[EscalationPlan, ...]:
        """Return the plans that some claim of this account can have, by the configuration or because a person gave it."""
        rules = self.rules[account]
        by_hand = {plan for of, plan in self.plans_by_hand() if of == account}
        return tuple(rules.plans[name] for name in sorted(reachable(rules) | by_hand) if name in rules.plans)

    # ----------------------------------------------------------------------------------------------- consent, places

    def prepare_places(self, accounts: Sequence[str] = ()) -> Check:
        """Create the harmless places for our line at the providers, on a person's consent; harmless to repeat."""
        remarks: list[Remark] = []
        for name in self.chosen(accounts):
            try:
                remarks += _findings(name, self.port(name).connector.prepare_places())
            except BridgeError as error:
                remarks.append(Remark(Severity.ERROR, error.cause, error.sentence, name))
                continue
            with self.store.begin() as conn:
                self.record(conn, "places_prepared", account=name)
        return Check(not any(one.severity is Severity.ERROR for one in remarks), tuple(remarks))

    def connect(self, account: str, *, show: Callable[[str], None], paste: Callable[[], str] | None = None) -> Done:
        """Get a token with a person's consent. `show` is given the address to open, `paste` asks for the one that comes back.

        Raises `UsageError` where the account has no OAuth, `ConfigError` where consent was refused.
        """
        port = self.port(account)
        auth = port.http.settings.auth
        if not isinstance(auth, OAuth2Auth):
            raise UsageError(
                "account {account} has auth type {type}; only oauth2 needs `connect`", account=account, type=auth.type
            )
        self._consent(port, show, paste)
        with self.store.begin() as conn:
            self.record(conn, "connected", account=account)
        return Done("connected", account, self.actor)

    def _consent(self, port: AccountPort, show: Callable[[str], None], paste: Callable[[], str] | None) -> None:
        with AuthorizationFlow(port.name, port.http.settings, self.store.tokens, now=self.store.now) as flow:
            show(flow.url)
            if paste is not None:
                flow.finish(paste())
            elif not flow.wait(CONSENT_SECONDS):
                raise ConfigError(
                    "account {port}: nobody consented within {consent_seconds} s",
                    port=port.name,
                    consent_seconds=CONSENT_SECONDS,
                    cause="no_consent",
                )


def _findings(subject: str, findings: Sequence[Finding]) -> list[Remark]:
    return [Remark(finding.severity, finding.code, finding.text, subject) for finding in findings]
