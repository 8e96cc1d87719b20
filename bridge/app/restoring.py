"""After a backup was put back: what went out since is adopted from providers, mailbox and letter outbox, then a person releases sending."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from bridge.app.backups import held
from bridge.app.dunning import Dunning
from bridge.app.results import Done, Pulled
from bridge.contract import Channel, Sent
from bridge.errors import AlreadyRunning, BridgeError, ConfigError, UsageError
from bridge.model import Covered
from bridge.model.base import FIRST_DAY
from bridge.store.restored import Hold
from bridge.words import Sentence

SLACK = timedelta(days=1)
"""How much earlier than the backup what went out is looked through; what is known already changes nothing."""


_PROVIDERS = "*"
"""Stands among the channels that were asked for all accounts together."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a channel told: how many messages went out since the backup, how many claims rose by them. `known` False: nobody can tell."""

    channel: str
    known: bool
    messages: int = 0
    raised: int = 0
    problem: Sentence | None = None


@dataclass(frozen=True, slots=True)
class Adopted:
    """What was adopted since the backup. `unclear` steps are still looked up, which `deliver` and the service go on with."""

    since: datetime
    pulled: tuple[Pulled, ...]
    channels: tuple[Asked, ...]
    unclear: int

    @property
    def whole(self) -> bool:
        """Return whether everybody was asked and answered."""
        return all(one.state == "done" for one in self.pulled) and not any(one.problem for one in self.channels)


class Restoring(Dunning):
    """What follows a restore."""

    def declare_restored(self, since: datetime) -> dict[str, int]:
        """Hold this database as a restored one, because it was put back by other means. `since`: the instant it stems from.

        Raises `UsageError` where that lies in the future, or before there were such programs.
        """
        if since > self.clock():
            raise UsageError("{since} is in the future", since=since.isoformat())
        if since.date() < FIRST_DAY:
            raise UsageError("{since} is no instant of which a database can stem", since=since.isoformat())
        with self.store.reading() as conn:
            who = self.store.leases.alive(conn, "scheduler")
        if who:
            raise AlreadyRunning("process {who} works on the database; stop the service first", who=who)
        return held(self.loaded.database_url, self.loaded, since, self.actor)

    def restored(self) -> Hold | None:
        """Return the hold after a restore, None where there is none."""
        with self.store.reading() as conn:
            return self.store.restored.hold(conn)

    def adopt_sent(self) -> Adopted:
        """Read all providers from the beginning, look up every doubted step, and ask our own channels what went out since the backup.

        Nothing is sent. Harmless to repeat. Raises `UsageError` where nothing was restored.
        """
        since = self._restored().since
        pulled = self.pull(full=True)
        self.deliver()
        channels = tuple(self._ask_channel(name, one, since) for name, one in sorted(self.channels.items()))
        self.run(pull=False, deliver=False)  # takes the levels over before anything is read again
        if all(one.state == "done" for one in pulled):
            with self.store.begin() as conn:
                self.store.restored.asked(conn, _PROVIDERS, 0, self.stamp())
        with self.store.reading() as conn:
            return Adopted(since, pulled, channels, self.store.restored.unresolved(conn))

    def release_restored(self, *, note: str = "", unknown: bool = False) -> Done:
        """Let a restored store send again, in a person's name: the switch is what it was in the backup.

        Raises `ConfigError` while somebody was not asked, `UsageError` where a channel cannot tell and `unknown` does not accept that.
        """
        held = self._restored()
        with self.store.begin() as conn:
            for one in sorted({_PROVIDERS, *self.channels} - held.asked.keys()):
                names = tuple(sorted(self.accounts)) if one == _PROVIDERS else (one,)
                raise ConfigError(
                    "not asked since the restore: {names}; `mahnbridge restore adopt`", names=names, cause="restored"
                )
            since = held.since.astimezone(ZoneInfo(self.config.schedule.time_zone))
            blind = sorted(name for name in self.channels if held.asked[name] is None)
            for name in blind if not unknown else ():
                raise UsageError(
                    "nobody can tell what {name} sent since {since}; look through `mahnbridge plan`, then --despite-unknown",
                    name=name,
                    since=since.replace(second=0, microsecond=0, tzinfo=None),
                )
            told = "; ".join(filter(None, (note, *(f"{name}?" for name in blind))))
            self.store.restored.release(conn, self.stamp(), note=told)
        return Done("restore_released", "", self.actor, text=note)

    def _restored(self) -> Hold:
        found = self.restored()
        if found is None:
            raise UsageError("nothing was restored; sending is not held")
        return found

    def _ask_channel(self, name: str, channel: Channel, since: datetime) -> Asked:
        try:
            sent = channel.sent(since - SLACK)
        except BridgeError as error:
            return Asked(name, known=False, problem=error.sentence)
        raised = None if sent is None else sum(self._adopt(one) for one in sorted(sent, key=lambda one: one.at))
        with self.store.begin() as conn:
            self.store.restored.asked(conn, name, raised, self.stamp())
        return Asked(name, sent is not None, len(sent or ()), raised or 0)

    def _adopt(self, one: Sent) -> int:
        with self.store.begin() as conn:
            known = self.store.restored.invoices(conn, self.accounts)
            raised = 0
            for said in filter(None, map(Covered.parse, one.about)):
                where = known.get(said.fingerprint)
                if where is not None:
                    on = one.at.astimezone(self.accounts[where[0]].zone).date()
                    more = {"on": on, "deadline": one.deadline, "identity": one.identity}
                    raised += self.store.restored.adopt(conn, where, said, self.stamp(where[0]), **more)
        return raised
