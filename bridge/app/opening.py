"""Opening everything once: configuration, store, accounts, channels, rules, clocks; and what all use cases share."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Self, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bridge import __version__
from bridge.app.level_names import LevelNames
from bridge.app.rules import account_rules, plans_of
from bridge.app.switching import refuse_unfinished
from bridge.config import Account, Config, Loaded, load, plugins
from bridge.config.loading import refuse_clock
from bridge.config.secret_values import secret_values
from bridge.contract import Channel
from bridge.deliver import AccountPort
from bridge.errors import ConfigError, UsageError, Wrong
from bridge.http import FileRecorder, Http, HttpSettings, Tape
from bridge.http.redact import KNOWN
from bridge.mapping import Mapping as FieldMapping
from bridge.model import Health
from bridge.model.period import ALWAYS, Period, period
from bridge.policy import AccountRules, EscalationPlan
from bridge.policy.links import Links
from bridge.secrets import Vault
from bridge.store import Store
from bridge.store.cases import Stamp
from bridge.words import Sentence

Clock = Callable[[], datetime]
RECORDINGS, BACKUPS = "recordings", "backups"
"""Folders inside data."""

SENDING, PAUSE = "sending", "pause"
"""Names of the switches in the store."""

T = TypeVar("T")
NOWHERE = HttpSettings(base_url="https://localhost")
"""For connectors that speak to no server."""


class Opened:
    """One opened installation. Everything that is opened here is closed by `close`."""

    def __init__(
        self, loaded: Loaded, *, actor: str, clock: Clock | None = None, technical_clock: Clock | None = None
    ) -> None:
        self.loaded = loaded
        self.config: Config = loaded.config
        self.actor = actor
        self.language = loaded.config.language.value  # of texts for staff; a door may choose another
        self.stop = threading.Event()
        self.healths: dict[str, Health] = {}
        if clock is not None:
            refuse_clock(loaded)
        self.clock: Clock = clock or self._business_now
        KNOWN.add(*secret_values(loaded.config))
        _make_folder(loaded.data)
        refuse_unfinished(loaded.data)
        keys = self.config.keys
        self.vault = Vault.open(
            loaded.data,
            keys.key.get_secret_value() if keys.key else None,
            [one.get_secret_value() for one in keys.previous],
        )
        self.store = Store.open(
            loaded.database_url,
            cipher=self.vault,
            technical_clock=technical_clock,
            before_upgrade=self._copy_before_upgrade,
        )
        try:
            self.channels: dict[str, Channel] = {
                name: plugins.channel(name)(settings, clock=self.clock)
                for name, settings in self.config.channels.items()
            }
            for channel in self.channels.values():
                channel.keep_tokens(self.store.tokens)
            self.plans: Mapping[str, EscalationPlan] = plans_of(loaded)
            self.accounts: dict[str, AccountPort] = _ByAccount(
                {
                    name: self._account(name, account)
                    for name, account in self.config.accounts.items()
                    if account.enabled
                }
            )
            with self.store.begin() as conn:
                for name, port in self.accounts.items():
                    self.store.mirror.accounts.ensure(conn, name, port.connector.name)
            if self.vault.earlier:
                self.store.tokens.reseal()
        except BaseException:
            self.store.close()
            raise

    @classmethod
    def open(
        cls,
        path: Path,
        *,
        actor: str,
        env: Mapping[str, str] | None = None,
        clock: Clock | None = None,
        technical_clock: Clock | None = None,
    ) -> Self:
        """Open the installation that `path` describes.

        `clock` is the business clock (aware), for rehearsals; it is refused where an account speaks to a provider's real host.
        Raises `ConfigError` with everything that is wrong.
        """
        return cls(load(path, env), actor=actor, clock=clock, technical_clock=technical_clock)

    def close(self) -> None:
        """Close connections and database."""
        for port in self.accounts.values():
            port.http.close()
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _copy_before_upgrade(self, revision: str) -> None:
        from bridge.app.backup_file import copy_before_upgrade  # noqa: PLC0415  hardly ever needed

        copy_before_upgrade(self.loaded.database_url, self.loaded.data / BACKUPS, self.clock(), revision)

    def _recorder(self) -> FileRecorder | None:
        """Return where exchanges are recorded, or None where the operator wants none."""
        wanted = self.config.recordings
        if wanted.keep == "none":
            return None
        return FileRecorder(
            self.loaded.data / RECORDINGS,
            every=wanted.keep == "all",
            largest=wanted.megabytes * 1_000_000,
            days=wanted.days,
        )

    def taping(self, account: str) -> AbstractContextManager[Tape]:
        """Return what holds the exchanges of one run of an account, and keeps them where it failed."""
        self.port(account).connector.forget()
        recorder = self.port(account).http.recorder
        return recorder.run() if isinstance(recorder, FileRecorder) else nullcontext(Tape())

    def recorded(self, run: int) -> bool:
        """Return whether what was said during a run is kept."""
        return (self.loaded.data / RECORDINGS / f"run-{run}.jsonl").is_file()

    def tape_facts(self, account: str, kind: str) -> dict[str, Any]:
        """Return what a replay needs to know about a run besides what was said."""
        port = self.port(account)
        return {
            "account": account,
            "kind": kind,
            "connector": port.connector.name,
            "clock": self.clock().isoformat(),
            "version": __version__,
            "mapping": port.connector.mapping.digest,
        }

    def _account(self, name: str, account: Account) -> AccountPort:
        kind = plugins.connector(account.connector)
        http = Http(
            account.http or NOWHERE,
            account=name,
            tokens=self.store.tokens,
            rates=self.store.rates,
            clock=self.clock,
            technical=self.store.now,
            recorder=self._recorder(),
            zone=account.time_zone,
        )
        mapping = FieldMapping.load(account.connector, self.config.mappings)
        connector = kind(name, account.settings, mapping, http)
        return AccountPort(name, connector, http, account.delivery, account.time_zone)

    # --------------------------------------------------------------------------------------------------------- clocks

    def _business_now(self) -> datetime:
        return business_now(self.config)

    def today(self, account: str | None = None) -> date:
        """Return the local business date of an account, or that of the schedule's time zone."""
        zone = self.accounts[account].zone if account in self.accounts else ZoneInfo(self.config.schedule.time_zone)
        return self.clock().astimezone(zone).date()

    def period(self, text: str | None) -> Period:
        """Return the period that a person names, seen from today; all time where none is named. Raises `UsageError`."""
        if text is None:
            return ALWAYS
        try:
            return period(text, self.today())
        except Wrong as error:
            raise UsageError(error.sentence) from error

    # --------------------------------------------------------------------------------------------------------- shared

    @cached_property
    def rules(self) -> Mapping[str, AccountRules]:
        """Return the rules of every account."""
        return _ByAccount(
            {name: replace(account_rules(self.loaded, name, self.plans), links=self.links) for name in self.accounts}
        )

    @cached_property
    def level_names(self) -> LevelNames:
        """Return what finds the names of stored levels in other languages."""
        return LevelNames(self.store, self.plans)

    @cached_property
    def links(self) -> Links | None:
        """Return what makes and reads the links by which debtors answer; None where there is no such page."""
        page = self.config.debtor_page
        if page.public_url is None:
            return None
        return Links(page.public_url, self.vault.derived("debtor link"), days=page.link_days)

    def chosen(self, names: Sequence[str] = ()) -> tuple[str, ...]:
        """Return these accounts, or all enabled ones. Raises `UsageError` on an unknown name."""
        for name in names:
            if name not in self.accounts:
                known = sorted(self.accounts) or Sentence("none")
                off = Sentence(" (switched off in the configuration)") if name in self.config.accounts else ""
                raise UsageError(
                    "there is no account {name!r}{off}; there are {known}", name=name, off=off, known=known
                )
        return tuple(names) or tuple(self.accounts)

    def port(self, account: str) -> AccountPort:
        """Return one account. Raises `UsageError` on an unknown name."""
        return self.accounts[self.chosen((account,))[0]]

    def record(self, conn: Connection, kind: str, *, account: str | None = None, **more: Any) -> int:
        """Write one event of this actor into the journal."""
        return self.store.journal.record(
            conn, kind, at=self.clock(), on=self.today(account), actor=self.actor, account=account, **more
        )

    def by_hand(self, what: str, accounts: Sequence[str] = ()) -> None:
        """Note that this actor had something done that the schedule does by itself too, such as `pull`, for these accounts or all.

        Raises `UsageError` on an unknown account.
        """
        names = list(self.chosen(accounts))
        with self.store.begin() as conn:
            self.record(conn, "asked", data={"what": what, "accounts": names})

    def stamp(self, account: str | None = None) -> Stamp:
        """Return when (business clock) and by whom something is changed now."""
        return Stamp(at=self.clock(), on=self.today(account), actor=self.actor)

    def sending(self, conn: Connection) -> bool:
        """Return whether sending is on: the configuration allows it, a person switched it on, and nothing holds everything."""
        allowed = self.config.dunning.sending.value != "never" and self.store.restored.hold(conn) is None
        return allowed and self.store.settings.get(conn, SENDING) is True and not self.store.settings.get(conn, PAUSE)


class _ByAccount(dict[str, T]):
    """Something of every account in use. Raises `UsageError` for one that was switched off or lost, though the database still knows it."""

    def __missing__(self, name: str) -> T:
        raise UsageError(
            "account {name} is switched off, or not in the configuration any more; write it under accounts by this name, with enabled: true",
            name=name,
        )


def business_now(config: Config) -> datetime:
    """Return the instant that the configuration lets the program believe: this machine's, or the one of `clock`."""
    now, told = datetime.now(UTC), config.clock
    if told is None:
        return now
    zone = ZoneInfo(config.schedule.time_zone)
    if isinstance(told, datetime):
        return (told if told.tzinfo else told.replace(tzinfo=zone)).astimezone(UTC)
    return datetime.combine(told, now.astimezone(zone).time(), tzinfo=zone).astimezone(UTC)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(
            "data: the folder {folder} cannot be made: {strerror}",
            folder=folder,
            strerror=error.strerror,
            cause="data_folder",
        ) from error


def one_of(found: Iterable[Any], name: str) -> Any:
    """Return the only one of `found`. Raises `UsageError` where there is none, or more than one."""
    rows = list(found)
    if not rows:
        raise UsageError("there is no claim {name!r}", name=name)
    if len(rows) > 1:
        raise UsageError("the claim {name!r} exists in more than one account; name it with --account", name=name)
    return rows[0]
