"""What to do next (Abhilfe) about what `check` and `doctor` find, in one sentence for the person who runs this."""

import re
from collections.abc import Iterator

from bridge.app.results import Remark
from bridge.errors import BridgeError
from bridge.model import Reason, Severity
from bridge.words import NOTHING, Sentence

CLOCK = Sentence("switch on time synchronisation (timedatectl set-ntp true)")
OWNER = Sentence(
    "let the data folder and everything in it belong to the user that runs this (chown -R; in the container 10001)"
)
CHANNEL = Sentence("set up channels.smtp or channels.letter_outbox, or another channel in the plan")

_ROOM = Sentence("make room: older backups, recordings; or move `data` to a larger disk")
_LATER = Sentence("nothing; it goes on by itself, so ask again in a while")
_BY_CODE: dict[str, Sentence] = {
    "rate_pace": _LATER,
    "rate_budget": _LATER,
    "http_429": _LATER,
    "sending_off": Sentence("look through `mahnbridge plan`, then `mahnbridge go-live`"),
    "sending_never": Sentence("set dunning.sending to after_go_live where it is to send"),
    "paused": Sentence("once the reason is gone: `mahnbridge pause --off`"),
    "restored": Sentence("`mahnbridge restore adopt`, then `mahnbridge restore release`"),
    "no_account": Sentence("`mahnbridge init --account NAME:CONNECTOR`, or write one under `accounts:`"),
    "no_creditor": Sentence("write your company under `creditor:`"),
    "creditor_incomplete": Sentence("write your company under `creditor:`"),
    "no_cutoff": Sentence("write the day from which invoices are dunned as `dunning.cutoff`"),
    "clock_set": Sentence("remove `clock` where this is no rehearsal"),
    "clock_skew": CLOCK,
    "disk_low": _ROOM,
    "disk_full": _ROOM,
    "plain_secret": Sentence("name an environment variable or a file in its place"),
    "not_durable": Sentence("set synchronous_commit = on in PostgreSQL"),
    "smtp_no_archive": Sentence("set channels.smtp.archive, so that a lost answer can be looked up"),
    "smtp_unseen": Sentence(
        "set channels.smtp.bounces, so that what comes back is noted by itself, or look through that mailbox (`mahnbridge letters returned`)"
    ),
    "smtp_redirect": Sentence("remove channels.smtp.redirect_to once the test is over"),
    "smtp_foreign_domain": Sentence(
        "let that domain's SPF and DKIM records name the mail server, or send from an address of the log-in's domain"
    ),
    "writing_suspended": Sentence("switch the other automation off, then `mahnbridge release ACCOUNT`"),
    "assignment_nobody": Sentence("correct the line under plans.assign"),
    "plan_channel": CHANNEL,
}

_NETWORK = {"name_unknown", "connection", "connection_lost", "timeout", "proxy"}
_PAGE = {"redirect", "bad_answer:html", "bad_answer:json"}
_PASSING = r"http_(?:408|425|5\d\d)|oauth_(?:connection|lease|temporarily_unavailable|server_error|slow_down)"
_TOKEN = ("http_401", "_token", "_credentials")
_RIGHTS = ("http_403", "_forbidden", "_right_missing", "_unreadable")
_PLACES = ("_no_note_field", "_no_place")
"""How codes end, whichever connector they are of."""

HELD = {
    Reason.NO_PLAN: Sentence("give them a plan: plans.default, plans.assign, or `mahnbridge case plan`"),
    Reason.NO_CHANNEL: CHANNEL,
    Reason.NO_RECIPIENT: Sentence("enter an e-mail or postal address of the customer at the provider"),
    Reason.STALE_DATA: Sentence(
        "connect the bank account at the provider again, or book its payments; then `mahnbridge pull`"
    ),
}
"""What ends a hold that says that something is not set up."""


def remedy(one: Remark, *, channel: bool, account: bool) -> Sentence:
    """Return what to do about a remark of `check`; nothing where it is only good to know. Its subject is a channel, an account or neither."""
    if one.code in _BY_CODE:
        return _BY_CODE[one.code]
    if one.severity is Severity.INFO:
        return NOTHING
    if channel:
        return Sentence("correct channels.{name}, then `mahnbridge check`", name=one.subject)
    if not account:
        return Sentence("correct the configuration as it says, then `mahnbridge check`")
    return _of_account(one.code, one.subject)


def _of_account(code: str, name: str) -> Sentence:
    if code.endswith(_TOKEN):
        return Sentence(
            "put the right token where accounts.{name}.http.auth takes it from, then `mahnbridge check {name}`",
            name=name,
        )
    if code.endswith(_RIGHTS):
        return Sentence(
            "give the token's user these rights at the provider, or a tariff that has them, then `mahnbridge check {name}`",
            name=name,
        )
    if code in _NETWORK:
        return Sentence(
            "see whether this machine has a network and DNS, then accounts.{name}.http: base_url, proxy; and the firewall",
            name=name,
        )
    if re.fullmatch(_PASSING, code):
        return Sentence("nothing, if it is new: it is tried again; else see whether the provider works")
    if code == "tls":
        return Sentence(
            "look at this machine's clock and certificates; behind a gateway set accounts.{name}.http.ca_file",
            name=name,
        )
    if code == "reconnect":
        return Sentence("`mahnbridge connect {account}`, then `mahnbridge pull {account}`", account=name)
    if code.startswith("oauth_"):
        return Sentence(
            "correct client_id, client_secret and scope under accounts.{name}.http.auth, then `mahnbridge check {name}`",
            name=name,
        )
    if code == "address":
        return Sentence(
            "correct accounts.{name}.http.base_url or DNS; for a server in the own network set private_network there",
            name=name,
        )
    if code in _PAGE:
        return Sentence("correct accounts.{name}.http.base_url: what answers there is not the API", name=name)
    if code.startswith("plan_"):
        return Sentence("correct the plan (plans.files, plans.assign), then `mahnbridge check {name}`", name=name)
    if code.endswith("_clock"):
        return CLOCK
    if code.endswith(_PLACES):
        return Sentence("`mahnbridge init --places`")
    if code.endswith("_no_bank_feed"):
        return Sentence("connect the bank account at the provider, or book payments there before each run")
    return Sentence("correct it at the provider or under accounts.{name}, then `mahnbridge check {name}`", name=name)


def first_remedy(error: BridgeError) -> Sentence:
    """Return what to do where the installation does not even open."""
    if _not_ours(error):
        return OWNER
    if error.cause == "disk_full":
        return _ROOM
    if error.cause == "database_newer":
        return Sentence("install the newer version again, or `mahnbridge restore load` a backup of this one")
    if error.cause == "restore_unfinished":
        return Sentence("repeat `mahnbridge restore load FILE`, with the same backup or an earlier one")
    if error.cause == "database" and re.search("malformed|not a database", str(error.sentence)):
        return Sentence(
            "the file is damaged: `mahnbridge restore load` the last backup; what lies there is kept beside it"
        )
    if error.cause == "database":
        return Sentence("see whether the database runs, and correct `database.url` and its rights")
    if error.cause.startswith("secret"):
        return Sentence("put the key back: secret.key in the data folder, or `keys`")
    return Sentence("correct the configuration as it says, then `mahnbridge check`")


def _not_ours(error: BridgeError) -> bool:
    """Return whether the system, or SQLite, refused the user that runs this a file."""
    if any(isinstance(one, PermissionError) for one in _chain(error)):
        return True
    said = str(error.sentence)
    return error.cause == "database" and ("readonly database" in said or "unable to open database file" in said)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
