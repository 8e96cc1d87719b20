"""What a cause means, and the next sensible thing to do (Rat): for whoever reads `failures list` and has never seen its code before."""

import re
from dataclasses import dataclass, replace

from bridge.words import NOTHING, Sentence


@dataclass(frozen=True, slots=True)
class Advice:
    """What happened, and what to do now; empty where only the failure's own words say it."""

    means: Sentence = NOTHING
    next: Sentence = NOTHING

    @property
    def by_itself(self) -> bool:
        """Return whether the program goes on with it by itself, at least for a while."""
        return str(self.next).startswith("nothing,")


_WAIT = Sentence("nothing, it is tried again by itself; if it lasts for hours, `mahnbridge doctor`")
_REPORT = Sentence("send support a bundle (`mahnbridge bundle RUN`; `failures show` names the run), then try it again")

_SETTLES = Sentence("nothing, it is looked up by itself once its settling time is over")
_GIVEN_UP = Sentence(
    "`mahnbridge replay ID --dry-run` says whether it can be done again, or needs your word on whether it went out"
)

_CAUSES: tuple[tuple[str, Advice], ...] = (
    (
        r"(smtp|imap)_(refresh_token|login|security|tls|archive|folder)|tls_ca",
        Advice(
            Sentence("the mail server or mailbox does not let us in; the account is stopped"),
            Sentence("correct `channels.smtp` as its message says, `mahnbridge check`, then `mahnbridge pull`"),
        ),
    ),
    (
        r"oauth_(connection|lease|temporarily_unavailable|server_error|slow_down)",
        Advice(Sentence("the authorization server issues no token at the moment"), _WAIT),
    ),
    (
        r"oauth_.*",
        Advice(
            Sentence("the authorization server issues no token; the account is stopped"),
            Sentence("correct client_id, client_secret and scope where the message says, `mahnbridge check`, then `mahnbridge pull`"),
        ),
    ),
    (
        r"http_40[17]|.*_token|.*_credentials",
        Advice(
            Sentence("the provider does not accept the credentials; the account is stopped"),
            Sentence("put the right token where `http.auth` takes it from, `mahnbridge check`, then `mahnbridge pull`"),
        ),
    ),
    (
        r"http_403|.*_forbidden|.*_right_missing",
        Advice(
            Sentence("the token is right, but may not do this; the account is stopped"),
            Sentence("give its user the right at the provider, `mahnbridge check`, then `mahnbridge pull`"),
        ),
    ),
    (
        r"reconnect",
        Advice(
            Sentence("nobody has consented yet, or the consent has ended; the account is stopped"),
            Sentence("`mahnbridge connect ACCOUNT`, then `mahnbridge pull ACCOUNT`"),
        ),
    ),
    (r"http_429|rate_.*", Advice(Sentence("the provider asks to wait: too many calls"), _WAIT)),
    (r"http_(408|425|5\d\d)", Advice(Sentence("the provider has a fault of its own"), _WAIT)),
    (
        r"bad_answer:html|redirect",
        Advice(
            Sentence("something else answers in the provider's place: maintenance, a log-in page, a gateway"),
            Sentence("nothing, if it is over soon; else check `http.base_url` of the account"),
        ),
    ),
    (
        r"bad_answer.*|truncated|too_large",
        Advice(
            Sentence("the answer was damaged, or is not what the provider promises"),
            Sentence("nothing, it is tried again by itself; if it stays, the provider changed something: `mahnbridge bundle RUN`"),
        ),
    ),
    (
        r"connection|connection_lost|name_unknown|timeout|proxy|tls|deadline",
        Advice(
            Sentence("the provider was not reached, or did not answer in time"),
            Sentence("nothing, if it is over soon; else look at network, DNS, firewall, and at the provider's status page"),
        ),
    ),
    (
        r"not_found",
        Advice(
            Sentence("the provider no longer knows the record"),
            Sentence("look for it there; then `mahnbridge replay ID`, or `mahnbridge failures discard ID`"),
        ),
    ),
    (
        r"http_4\d\d|refused|bad_path",
        Advice(
            Sentence("the provider refused this one thing and wrote nothing"),
            Sentence("read its reason, correct the record there, then `mahnbridge replay ID`; or `mahnbridge failures discard ID`"),
        ),
    ),
    (
        r"smtp_4\d\d|(smtp|imap)_connect",
        Advice(Sentence("the mail server does not take mails at the moment; nothing went out"), _WAIT),
    ),
    (
        r"smtp_5\d\d|mail_address",
        Advice(
            Sentence("the mail server does not take this mail or this address, and will not later; nothing went out"),
            Sentence(
                "correct the address at the provider, `mahnbridge pull`, then `mahnbridge failures discard ID`: it is decided anew, with the new address"
            ),
        ),
    ),
    (
        r"smtp_answer.*|smtp_no_archive|smtp_not_archived|unclear|cannot_tell|lease_expired",
        Advice(
            Sentence("nobody can tell by itself whether this went out"),
            Sentence(
                "look in the mailbox or at the provider, then `mahnbridge replay ID --outcome went-out` or `not-sent`, with `--evidence`"
            ),
        ),
    ),
    (
        r"archive|disk_full",
        Advice(
            Sentence("what goes out cannot be kept, so nothing goes out"),
            Sentence("make room on the disk of the data folder; then it goes on by itself"),
        ),
    ),
    (
        r"bad_record.*",
        Advice(
            Sentence("records do not fit and were set aside; all others were read"),
            Sentence("correct the field at the provider, or in the file, and `mahnbridge pull`; the code names the field"),
        ),
    ),
    (
        r"csv_.*|camt_.*",
        Advice(
            Sentence("a file could not be read as a whole; what was known before stays"),
            Sentence("export it again as its message says, put it into the inbox, `mahnbridge pull`"),
        ),
    ),
    (
        r"undecided",
        Advice(Sentence("the rules stumbled over single customers; all others were decided"), _REPORT),
    ),
    (r"interrupted", Advice(Sentence("the process ended in the middle"), Sentence("nothing, the next one goes on"))),
    (r"crash|unexpected_.*|failed|error", Advice(Sentence("a mistake in the program or in a connector"), _REPORT)),
    (
        r"no_channel|channel",
        Advice(
            Sentence("the way by which it was to go out is not set up, or cannot make it"),
            Sentence("correct `channels`, `mahnbridge check`, then `mahnbridge replay ID`"),
        ),
    ),
)  # fmt: skip
"""By cause, the first that fits."""


def advice(cause: str, state: str = "") -> Advice:
    """Return what is known of a cause; a delivery in `state` unclear is looked up first, one that is parked is no longer tried."""
    found = next((its for pattern, its in _CAUSES if re.fullmatch(pattern, cause)), Advice())
    if state == "unclear":
        return replace(found, next=_SETTLES)
    return replace(found, next=_GIVEN_UP) if state == "parked" and found.by_itself else found
