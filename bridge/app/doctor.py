"""Diagnosis (Diagnose): why nothing goes out, or soon will not; each finding in plain words with the next thing to do."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from bridge.app.house import SKEW_SECONDS, last_backup
from bridge.app.results import Remark
from bridge.errors import BridgeError
from bridge.model import Reason, Severity
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


_LATER = Sentence("nothing; it goes on by itself, so ask again in a while")
_NEXT: dict[str, Sentence] = {
    "rate_pace": _LATER,
    "rate_budget": _LATER,
    "http_429": _LATER,
    "sending_off": Sentence("look through `mahnbridge plan`, then `mahnbridge go-live`"),
    "paused": Sentence("once the reason is gone: `mahnbridge pause --off`"),
    "restored": Sentence("`mahnbridge restore adopt`, then `mahnbridge restore release`"),
    "no_account": Sentence("`mahnbridge init --account NAME:CONNECTOR`, or write one under `accounts:`"),
    "no_creditor": Sentence("write your company under `creditor:`"),
    "no_cutoff": Sentence("write the day from which invoices are dunned as `dunning.cutoff`"),
    "clock_set": Sentence("remove `clock` where this is no rehearsal"),
    "clock_skew": Sentence("switch on time synchronisation (timedatectl set-ntp true)"),
    "disk_low": Sentence("make room: older backups, recordings; or move `data` to a larger disk"),
    "disk_full": Sentence("make room: older backups, recordings; or move `data` to a larger disk"),
    "plain_secret": Sentence("name an environment variable or a file in its place"),
    "not_durable": Sentence("set synchronous_commit = on in PostgreSQL"),
    "smtp_no_archive": Sentence("set channels.smtp.archive, so that a lost answer can be looked up"),
    "smtp_redirect": Sentence("remove channels.smtp.redirect_to once the test is over"),
    "writing_suspended": Sentence("switch the other automation off, then `mahnbridge release ACCOUNT`"),
    "assignment_nobody": Sentence("correct the line under plans.assign"),
}
_HELD = {
    Reason.NO_PLAN: Sentence("give them a plan: plans.default, plans.assign, or `mahnbridge case plan`"),
    Reason.NO_CHANNEL: Sentence("set up channels.smtp or channels.letter_outbox, or another channel in the plan"),
    Reason.NO_RECIPIENT: Sentence("enter an e-mail or postal address of the customer at the provider"),
    Reason.STALE_DATA: Sentence(
        "connect the bank account at the provider again, or book its payments; then `mahnbridge pull`"
    ),
}
_STATES = ("stopped", "reconnect", "unreachable")


def diagnose(bridge: "Bridge", *, offline: bool = False) -> Diagnosis:
    """Ask everything and everybody that a notice needs; nothing is written or sent. `offline` asks no provider and no mail server."""
    found = [_of_check(bridge, one) for one in bridge.check(offline=offline).remarks]
    for look in (_settings, _reading, _held, _waiting, _machine):
        found += look(bridge)
    return _sorted(found)


def not_opened(error: BridgeError) -> Diagnosis:
    """Return why the installation does not even open: its configuration, its key, its database."""
    if error.cause == "database_newer":
        next_ = Sentence("install the newer version again, or `mahnbridge restore load` a backup of this one")
    elif error.cause == "database":
        next_ = Sentence("see whether the database runs, and correct `database.url` and its rights")
    elif error.cause.startswith("secret"):
        next_ = Sentence("put the key back: secret.key in the data folder, or `keys`")
    else:
        next_ = Sentence("correct the configuration as it says, then `mahnbridge check`")
    return _sorted([Ailment(error.cause, Severity.ERROR, "", error.sentence, next_)])


def _sorted(found: list[Ailment]) -> Diagnosis:
    ordered = sorted(found, key=lambda one: (_ORDER[one.severity], one.subject, one.code))
    return Diagnosis(not any(one.severity is Severity.ERROR for one in found), tuple(ordered))


def _of_check(bridge: "Bridge", one: Remark) -> Ailment:
    severity = Severity.WARNING if one.code == "sending_off" else one.severity
    next_ = _NEXT.get(one.code, NOTHING)
    if not next_ and severity is not Severity.INFO:
        if one.subject in bridge.channels:
            next_ = Sentence("correct channels.{name}, then `mahnbridge check`", name=one.subject)
        elif one.subject in bridge.accounts:
            next_ = Sentence(
                "correct it at the provider or under accounts.{name}, then `mahnbridge check {name}`", name=one.subject
            )
        else:
            next_ = Sentence("correct the configuration as it says, then `mahnbridge check`")
    return Ailment(one.code, severity, one.subject, one.text, next_)


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
    if dunning.sending.value == "never":
        text = Sentence("dunning.sending is never: this installation does not send")
        yield Ailment(
            "sending_never",
            Severity.WARNING,
            "",
            text,
            Sentence("set dunning.sending to after_go_live where it is to send"),
        )


def _reading(bridge: "Bridge") -> Iterator[Ailment]:
    with bridge.store.reading() as conn:
        stored = {one.name: one for one in bridge.store.mirror.accounts.all(conn)}
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


def _held(bridge: "Bridge") -> Iterator[Ailment]:
    held = bridge.plan().held
    counts = Counter((one.account, one.reason) for one in held)
    for (account, reason), count in sorted(counts.items()):
        if reason in _HELD:
            text = Sentence("{count} open invoices are held: {reason}", count=count, reason=_said(Reason(reason)))
            yield Ailment(
                reason,
                Severity.ERROR if reason != Reason.NO_RECIPIENT else Severity.WARNING,
                account,
                text,
                _HELD[Reason(reason)],
            )


def _said(reason: Reason) -> Sentence:
    from bridge.policy.words import told  # noqa: PLC0415

    return told(reason)


def _waiting(bridge: "Bridge") -> Iterator[Ailment]:
    needing = bridge.needing()
    if needing:
        text = Sentence("{count} deliveries or records wait for a person", count=needing)
        yield Ailment("waiting", Severity.ERROR, "", text, Sentence("`mahnbridge failures list`"))


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
        yield Ailment("clock_database", Severity.ERROR, "", text, _NEXT["clock_skew"])
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
