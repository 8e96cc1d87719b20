"""What `mahnbridge check` asks of a sevDesk account."""

from datetime import timedelta

from bridge.contract import Act, ConfigError, Finding, Health, Refused, Reply, Sentence, Severity
from connectors.sevdesk.api import Api, time_of
from connectors.sevdesk.envelope import sentence
from connectors.sevdesk.places import Places
from connectors.sevdesk.reading import Reader

KNOWN = frozenset({"1.0", "2.0"})
SKEW_LIMIT = 60
FEES = "2.0"
"""In this version of the bookkeeping system no reminder with a fee can be made through the API."""
_CREDENTIALS = {"http_401", "http_403"}
"""What sevDesk itself says of a token; anything else (consent, address, proxy) speaks for itself."""


class Check:
    """Collects what a person should know, without writing anything."""

    def __init__(self, reader: Reader, acts: frozenset[Act]) -> None:
        self._reader = reader
        self._api: Api = reader.api
        self._settings = reader.settings
        self._acts = acts
        self._findings: list[Finding] = []

    def _say(self, severity: Severity, code: str, text: Sentence) -> None:
        self._findings.append(Finding(severity=severity, code=code, text=text))

    def run(self) -> Health:
        """Return the health of the account. Raises `RetryLater` where sevDesk does not answer, `ConfigError` where it was not even asked."""
        try:
            version, reply = self._api.version()
        except ConfigError as error:
            if error.cause not in _CREDENTIALS:
                raise
            self._credentials(error)
            return Health(ok=False, findings=tuple(self._findings))
        except Refused as error:
            self._say(
                Severity.ERROR,
                "sevdesk_version_unreadable",
                Sentence("the bookkeeping system version is unreadable: {error}", error=error),
            )
            return Health(ok=False, findings=tuple(self._findings))
        self._version(version)
        try:
            self._api.any_invoice()
            around = self._reader.circumstances()
            acts = self._usable()
        except (ConfigError, Refused) as error:
            self._say(
                Severity.ERROR,
                "sevdesk_unreadable",
                Sentence("invoices or contact fields cannot be read: {error}", error=error),
            )
            return Health(ok=False, findings=tuple(self._findings))
        if around.unreadable:
            text = Sentence(
                "sources of blocks cannot be read ({unreadable}); what depends on them is held",
                unreadable=around.unreadable,
            )
            self._say(Severity.ERROR, "sevdesk_sign_unreadable", text)
        if not around.bank.has_feed:
            text = Sentence("no bank account is fed online: what was paid is known only once somebody books it")
            self._say(Severity.WARNING, "sevdesk_no_bank_feed", text)
        skew = self._skew(reply)
        return Health(
            ok=not any(finding.severity is Severity.ERROR for finding in self._findings),
            acts=acts,
            findings=tuple(self._findings),
            clock_skew_seconds=skew,
            has_bank_feed=around.bank.has_feed,
        )

    def _credentials(self, error: ConfigError) -> None:
        said = sentence(error.body)
        if error.cause == "http_403":
            text = Sentence("sevDesk refuses this token the API; the tariff may lack it (it needs Buchhaltung Pro)")
            self._say(
                Severity.ERROR, "sevdesk_forbidden", Sentence("{text}: {said}", text=text, said=said) if said else text
            )
        else:
            text = Sentence(
                "sevDesk does not accept the token (raw, 32 characters, without Bearer; it ends with its user): {said}",
                said=said or error,
            )
            self._say(Severity.ERROR, "sevdesk_token", text)

    def _version(self, version: str) -> None:
        if version not in KNOWN:
            text = Sentence(
                "unknown bookkeeping system version {version!r}; fees are treated as in 2.0", version=version
            )
            self._say(Severity.WARNING, "sevdesk_version_unknown", text)
        else:
            self._say(
                Severity.INFO, "sevdesk_version", Sentence("bookkeeping system version {version}", version=version)
            )
        if version != "1.0":
            text = Sentence(
                "system version 2.0: sevDesk makes no reminders with a fee; levels with a fee go out as our own letter or mail, and a fee from the account's default settings is refused when the reminder is checked"
            )
            self._say(Severity.INFO, "sevdesk_no_fees", text)

    def _usable(self) -> frozenset[Act]:
        """Return the acts that this account has a place for."""
        acts = set(self._acts)
        if not self._settings.line_as_tag:
            acts.discard(Act.NOTE)
        if not self._settings.note_field or Places(self._reader).setting() is None:
            acts.discard(Act.CUSTOMER_NOTE)
            if self._settings.note_field:
                text = Sentence(
                    "the contact field {note_field!r} is not there; `mahnbridge init --places` creates it",
                    note_field=self._settings.note_field,
                )
                self._say(Severity.WARNING, "sevdesk_no_note_field", text)
        name = self._settings.block_field
        if name and self._reader.signs.setting_id(name) is None:
            text = Sentence("there is no contact field {name!r}; customers are blocked by tag or here only", name=name)
            self._say(Severity.INFO, "sevdesk_no_block_field", text)
        return frozenset(acts)

    def _skew(self, reply: Reply) -> int | None:
        """Return by how many seconds sevDesk's clock is ahead; one of our two clocks may be set from outside, so the nearer one counts."""
        theirs, measured = time_of(reply), self._api.http.clock_skew
        if theirs is None:
            return None
        skew = theirs - self._api.http.now()
        if measured is not None:
            skew = min(skew, measured, key=abs)
        if abs(skew) > timedelta(seconds=SKEW_LIMIT):
            self._say(
                Severity.WARNING,
                "sevdesk_clock",
                Sentence("sevDesk's clock and ours differ by {skew} s", skew=int(skew.total_seconds())),
            )
        return int(skew.total_seconds())
