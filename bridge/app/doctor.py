"""Diagnosis (Diagnose): why nothing goes out, or soon will not; each finding in plain words with the next thing to do."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from bridge.app.house import SKEW_SECONDS, last_backup
from bridge.app.mounts import network_disk
from bridge.app.remedies import CLOCK, HELD, OWNER, first_remedy, remedy
from bridge.app.results import Remark
from bridge.errors import BridgeError
from bridge.model import Reason, Severity
from bridge.secrets import KEY_FILE
from bridge.store.engine import database_url
from bridge.words import NOTHING, Sentence

if TYPE_CHECKING:
    from bridge.app.bridge import Bridge

BACKUP_DAYS = timedelta(days=7)
"""A last backup older than this is named."""

_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.INFO: 2}


@dataclass(frozen=True, slots=True)
class Ailment:
    """One thing that is wrong, or good to know. `subject`: the account or channel; `next`: what to do, nothing where all is well."""

    code: str
    severity: Severity
    subject: str
    text: Sentence
    next: Sentence = NOTHING


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything that was found, the worst first. `ok`: nothing keeps notices from going out that a person must mend."""

    ok: bool
    ailments: tuple[Ailment, ...]


_STATES = ("stopped", "reconnect", "unreachable")


def diagnose(bridge: "Bridge", *, offline: bool = False) -> Diagnosis:
    """Ask everything and everybody that a notice needs; nothing is written or sent. `offline` asks no provider and no mail server."""
    found = [_of_check(bridge, one) for one in bridge.check(offline=offline).remarks]
    found += _held(bridge, offline)
    for look in (_settings, _reading, _waiting, _folders, _network, _machine):
        found += look(bridge)
    return _sorted(found)


def not_opened(error: BridgeError) -> Diagnosis:
    """Return why the installation does not even open: its configuration, its key, its database."""
    return _sorted([Ailment(error.cause, Severity.ERROR, "", error.sentence, first_remedy(error))])


def _sorted(found: list[Ailment]) -> Diagnosis:
    ordered = sorted(found, key=lambda one: (_ORDER[one.severity], one.subject, one.code))
    return Diagnosis(not any(one.severity is Severity.ERROR for one in found), tuple(ordered))


def _of_check(bridge: "Bridge", one: Remark) -> Ailment:
    severity = Severity.WARNING if one.code in ("sending_off", "sending_never") else one.severity
    channel, account = one.subject in bridge.channels, one.subject in bridge.accounts
    return Ailment(one.code, severity, one.subject, one.text, remedy(one, channel=channel, account=account))


def _settings(bridge: "Bridge") -> Iterator[Ailment]:
    dunning = bridge.config.dunning
    if dunning.cutoff is not None and dunning.cutoff > bridge.today():
        text = Sentence(
            "dunning.cutoff is {cutoff}, which lies in the future: no invoice of today is dunned", cutoff=dunning.cutoff
        )
        yield Ailment(
            "cutoff_future",
            Severity.ERROR,
            "",
            text,
            Sentence("set dunning.cutoff to the day from which invoices are dunned"),
        )
    yield from _zones(bridge)


def _zones(bridge: "Bridge") -> Iterator[Ailment]:
    """Find a time zone whose clocks do not show what the creditor's do: letters would be dated, and sent, by another day."""
    from babel.core import get_global  # noqa: PLC0415  heavy

    country = bridge.config.creditor.country
    own = sorted(zone for zone, where in get_global("zone_territories").items() if where == country)
    configured = {"schedule.time_zone": ZoneInfo(bridge.config.schedule.time_zone)}
    configured |= {f"accounts.{name}.settings.time_zone": port.zone for name, port in bridge.accounts.items()}
    now = bridge.clock()
    for key, zone in configured.items():
        if own and all(_shown(ZoneInfo(one), now) != _shown(zone, now) for one in own):
            text = Sentence(
                "{key} is {zone}, where it is {there} now; in the creditor's country ({country}) it is {here}",
                key=key,
                zone=zone.key,
                there=f"{now.astimezone(zone):%H:%M}",
                country=country,
                here=f"{now.astimezone(ZoneInfo(own[0])):%H:%M}",
            )
            next_ = Sentence("set {key} to {zone}, or correct creditor.country", key=key, zone=own[0])
            yield Ailment("time_zone", Severity.WARNING, "", text, next_)


def _shown(zone: ZoneInfo, now: datetime) -> tuple[timedelta | None, ...]:
    """Return how far a zone is from UTC now and in half a year: in summer and in winter."""
    return tuple(one.astimezone(zone).utcoffset() for one in (now, now + timedelta(days=182)))


def _reading(bridge: "Bridge") -> Iterator[Ailment]:
    with bridge.store.reading() as conn:
        stored = {one.name: one for one in bridge.store.mirror.accounts.all(conn)}
    for name, one in stored.items():
        if name not in bridge.config.accounts and one.open_totals:
            text = Sentence("has open invoices, but is no account of the configuration any more; they are not dunned")
            next_ = Sentence(
                "write it under accounts by this name again; under a new one its invoices would begin at the first level"
            )
            yield Ailment("account_gone", Severity.WARNING, name, text, next_)
    for name in bridge.accounts:
        one = stored[name]
        if one.state in _STATES:
            severity = Severity.WARNING if one.state == "unreachable" else Severity.ERROR
            yield Ailment(f"account_{one.state}", severity, name, one.state_text, _again(one.state, name))
        if one.pulled_at is None:
            text = Sentence("was never read")
            yield Ailment("never_read", Severity.WARNING, name, text, Sentence("`mahnbridge pull {name}`", name=name))
        elif bridge.stale(name, one.pulled_at):
            text = Sentence("was last read on {day}; older data is not dunned", day=one.pulled_at.date())
            yield Ailment(
                "not_read",
                Severity.ERROR,
                name,
                text,
                Sentence("`mahnbridge pull {name}`; does `mahnbridge serve` run?", name=name),
            )
        if one.held_jump:
            text = Sentence("its data jumped between two pulls; nothing is decided until a person has looked")
            next_ = Sentence("`mahnbridge status`, then `mahnbridge approve --limits {name}`", name=name)
            yield Ailment("jump", Severity.ERROR, name, text, next_)


def _again(state: str, account: str) -> Sentence:
    if state == "stopped":
        return Sentence(
            "correct credentials or rights, `mahnbridge check {account}`, then `mahnbridge pull {account}`",
            account=account,
        )
    if state == "reconnect":
        return Sentence("`mahnbridge connect {account}`, then `mahnbridge pull {account}`", account=account)
    return Sentence("nothing, if it is new: it is tried again; else see whether the provider works")


def _held(bridge: "Bridge", offline: bool) -> Iterator[Ailment]:
    held = bridge.plan(offline=offline).held
    counts = Counter((one.account, one.reason) for one in held)
    for (account, reason), count in sorted(counts.items()):
        if reason in HELD:
            text = Sentence(
                "{count} open {count|invoice is|invoices are} held: {reason}", count=count, reason=_said(Reason(reason))
            )
            yield Ailment(
                reason,
                Severity.ERROR if reason != Reason.NO_RECIPIENT else Severity.WARNING,
                account,
                text,
                HELD[Reason(reason)],
            )


def _said(reason: Reason) -> Sentence:
    from bridge.policy.words import told  # noqa: PLC0415

    return told(reason)


def _waiting(bridge: "Bridge") -> Iterator[Ailment]:
    needing = bridge.needing()
    if needing:
        text = Sentence(
            "{count} {count|delivery or record waits|deliveries or records wait} for a person", count=needing
        )
        yield Ailment("waiting", Severity.ERROR, "", text, Sentence("`mahnbridge failures list`"))


def _folders(bridge: "Bridge") -> Iterator[Ailment]:
    """Find what the user that runs this cannot write: after a command as root, or a volume that belongs to somebody else."""
    data = bridge.loaded.data
    places = (data, *(one for one in sorted(data.iterdir()) if one.name != KEY_FILE), *(data / "archive").glob("*"))
    for path in [one for one in places if not os.access(one, os.W_OK)][:1]:
        yield Ailment(
            "not_writable", Severity.ERROR, "", Sentence("{path} cannot be written by this user", path=path), OWNER
        )


def _network(bridge: "Bridge") -> Iterator[Ailment]:
    """Find a SQLite file on another machine's disk: its locks do not hold there, so that two processes may claim one letter."""
    where = database_url(bridge.loaded.database_url)
    if where.get_backend_name() != "sqlite" or not where.database:
        return
    found = network_disk(Path(where.database))
    if found is not None:
        text = Sentence(
            "the SQLite database {path} lies on a network file system ({kind}, {point}): locks may not hold there, and it can be damaged",
            path=where.database,
            kind=found[1],
            point=found[0],
        )
        next_ = Sentence(
            "stop the service, move the data folder to a disk of this machine, or use PostgreSQL (database.url)"
        )
        yield Ailment("network_disk", Severity.ERROR, "", text, next_)


def _machine(bridge: "Bridge") -> Iterator[Ailment]:
    with bridge.store.reading() as conn:
        who, sending = bridge.store.leases.alive(conn, "scheduler"), bridge.sending(conn)
    if who:
        text = Sentence("process {who} works by the clock; a second `serve` on this database ends at once", who=who)
        yield Ailment("service", Severity.INFO, "", text)
    elif sending:
        text = Sentence("no service works by the clock; nothing is read or sent by itself")
        yield Ailment("no_service", Severity.WARNING, "", text, Sentence("start `mahnbridge serve`"))
    apart = abs((bridge.store.now() - datetime.now(UTC)).total_seconds())
    if apart > SKEW_SECONDS:
        text = Sentence("this machine's clock and the database's differ by {seconds} s", seconds=round(apart))
        yield Ailment("clock_database", Severity.ERROR, "", text, CLOCK)
    made = last_backup(bridge)
    if made is None or datetime.now(UTC) - made > BACKUP_DAYS:
        text = Sentence("the last backup is of {day}", day=made.date()) if made else Sentence("there is no backup yet")
        yield Ailment(
            "no_backup",
            Severity.WARNING,
            "",
            text,
            Sentence("`mahnbridge backup` every day, copied to another machine"),
        )
