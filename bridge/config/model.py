"""The sections of `bridge.yaml`. Every key has a default that harms nobody; unknown keys are refused."""

from datetime import date, time
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from bridge.config.calendar import STATES, Calendar, Moment, TimeOfDay, TimeZone
from bridge.config.creditor import Creditor
from bridge.config.forewarning import Forewarning
from bridge.config.housekeeping import Disk, Retention
from bridge.config.page import DebtorPage, public
from bridge.config.people import AttachedFile, Caretaker, CollectionExport
from bridge.contract import ConnectorSettings
from bridge.documents.form import Style
from bridge.errors import Wrong
from bridge.http import HttpSettings
from bridge.model import Amount, Frozen
from bridge.model.patience import Delivery

_NAME = r"^[a-z0-9][a-z0-9_-]{0,62}$"
AccountName = Annotated[str, Field(pattern=_NAME)]


class Language(StrEnum):
    DE = "de"
    EN = "en"


class LogFormat(StrEnum):
    AUTO = "auto"
    JSON = "json"
    CONSOLE = "console"


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Sending(StrEnum):
    """Whether this installation may ever send. The switch itself is the recorded act `go-live`; see `docs/configuration.md`."""

    AFTER_GO_LIVE = "after_go_live"
    NEVER = "never"


class Database(Frozen):
    url: SecretStr | None = Field(
        None,
        description="SQLAlchemy URL, such as postgresql+psycopg://user:password@host/name. Empty: SQLite in the data folder.",
    )


class Keys(Frozen):
    """Keys that seal tokens at rest. Without one a key file is made in the data folder, readable by its owner alone."""

    key: SecretStr | None = Field(None, description="32 bytes as base64, or any text of at least 32 characters.")
    previous: tuple[SecretStr, ...] = Field(
        (), description="Earlier keys, newest first; still read, no longer used to seal."
    )


class AccountTimes(Frozen):
    """Times of one account, where they differ from `schedule`."""

    pull: tuple[TimeOfDay, ...] | None = Field(None, description="Local times of day at which this account is read.")
    run: tuple[TimeOfDay, ...] | None = Field(
        None, description="Local times of day at which this account's dunning run starts."
    )


class Places(Frozen):
    """Write-back (Rückschreiben): which lines are left at the provider after a reminder went out. Free text is never rewritten."""

    note: bool = Field(default=True, description="A comment on the invoice, where the provider has comments.")
    tag: bool = Field(default=True, description="A status tag on the invoice, where the provider has tags.")
    customer_note: bool = Field(
        default=True, description="The same line in a custom field or property of the customer."
    )


class Account(Frozen):
    """One account at one invoicing system."""

    connector: str = Field(
        description="Which connector speaks to it: sevdesk, billomat, generic_csv or an installed plug-in."
    )
    enabled: bool = Field(default=True, description="Off: the account is neither read nor written.")
    settings: ConnectorSettings = Field(default_factory=ConnectorSettings, description="The connector's own settings.")
    http: HttpSettings | None = Field(None, description="Base URL, authentication, pace and timeouts.")
    freshness_hours: int = Field(
        26, ge=1, le=720, description="Older data than this is held as stale instead of dunned."
    )
    delivery: Delivery = Field(Delivery(), description="How patiently notices of this account are delivered.")
    country: str = Field("DE", pattern=r"^[A-Z]{2}$", description="Country whose public holidays count.")
    federal_state: str | None = Field(
        None,
        description="Federal state or canton whose public holidays count, such as BY, NW or ZH; of Austria 1 to 9.",
    )
    schedule: AccountTimes = Field(AccountTimes(), description="Own times of this account.")
    write_back: Places | None = Field(None, description="Own write-back switches of this account.")

    @field_validator("federal_state")
    @classmethod
    def _state(cls, value: str | None, info: ValidationInfo) -> str | None:
        known = STATES.get(info.data.get("country", ""), ())
        if value is not None and known and value not in known:
            raise Wrong("expected a federal state such as {states}", states=known)
        return value

    @property
    def time_zone(self) -> ZoneInfo:
        """Return the zone whose dates count for this account."""
        return ZoneInfo(self.settings.time_zone)


def _two_letters(value: str, right: str, example: str) -> str:
    if len(value) != 2 or not value.isascii() or not value.isalpha() or value != right:
        raise Wrong("matches nobody; write two letters such as {example}", example=example)
    return value


Country = Annotated[str, AfterValidator(lambda value: _two_letters(value, value.upper(), "AT"))]
Spoken = Annotated[str, AfterValidator(lambda value: _two_letters(value, value.lower(), "en"))]
Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Assignment(Frozen):
    """Which plan applies to whom; all conditions of a line must hold, of several lines the most specific one wins."""

    plan: str = Field(description="Name of the plan; none: no reminders.")
    accounts: tuple[AccountName, ...] = Field((), description="Only these accounts.")
    customers: tuple[Word, ...] = Field((), description="Only these customers: number, or the provider's id.")
    tags: tuple[Word, ...] = Field((), description="Only customers or invoices with one of these tags.")
    terms_days: tuple[Annotated[int, Field(ge=0, le=3650)], ...] = Field(
        (), description="Only invoices with one of these payment terms, in days."
    )
    kinds: tuple[Literal["business", "consumer", "unknown"], ...] = Field(
        (), description="Only debtors of these kinds."
    )
    countries: tuple[Country, ...] = Field((), description="Only debtors in these countries (ISO 3166-1, two letters).")
    languages: tuple[Spoken, ...] = Field((), description="Only debtors with one of these languages, such as en.")
    gross_from: Amount | None = Field(None, description="Only invoices of at least this gross amount.")
    gross_below: Amount | None = Field(None, description="Only invoices below this gross amount.")


class Plans(Frozen):
    """Escalation plans (Eskalationspläne): the shipped ones, own files, and who gets which."""

    files: tuple[Path, ...] = Field((), description="Files with own plans, relative to this file.")
    default: str | None = Field(
        "standard", description="Plan of everybody whom no line of `assign` names; none: nobody is dunned."
    )
    assign: tuple[Assignment, ...] = Field(
        (), description="Lines of conditions and plans; the most specific one that fits wins."
    )


class Prepayment(Frozen):
    """Prepayment and shop orders (Vorkasse): what marks them, and the plan that they have instead of all others."""

    tags: tuple[str, ...] = Field((), description="Customers or invoices with one of these tags.")
    terms_days: tuple[int, ...] = Field((), description="Invoices with one of these payment terms, in days.")
    payment_methods: tuple[str, ...] = Field((), description="Invoices with one of these payment methods.")
    plan: str | None = Field(None, description="Their plan; empty: they are not dunned.")


class Exclusions(Frozen):
    """Who is never dunned, beyond the flags that connectors read at the provider."""

    default: str = Field(
        "include", pattern="^(include|exclude)$", description="exclude: only customers included by hand are dunned."
    )
    customers: tuple[str, ...] = Field((), description="Customer numbers.")
    customer_tags: tuple[str, ...] = Field((), description="Customers with one of these tags.")
    invoice_tags: tuple[str, ...] = Field((), description="Invoices with one of these tags.")
    prepayment: Prepayment = Field(Prepayment(), description="Prepayment and shop orders: their own plan, or none.")
    payment_methods: tuple[str, ...] = Field((), description="Invoices with one of these payment methods.")
    terms_days: tuple[int, ...] = Field((), description="Invoices with one of these payment terms, in days.")


class Dunning(Frozen):
    """Limits and switches of the dunning run (Mahnlauf)."""

    sending: Sending = Field(
        Sending.AFTER_GO_LIVE,
        description="after_go_live: off until a person ran `mahnbridge go-live`; never: this installation never sends.",
    )
    automation: Literal["propose", "create", "complete", "send"] = Field(
        "send", description="How far any level goes by itself at most; propose: a person approves every notice."
    )
    cutoff: date | None = Field(None, description="Invoices issued before this date are never dunned.")
    minimum_amount: Amount = Field(Decimal("5.00"), ge=0, description="Claims below this are not dunned.")
    tolerance: Amount = Field(Decimal("0.00"), ge=0, description="A remainder up to this counts as paid.")
    minimum_interval_days: int = Field(
        7, ge=0, le=365, description="Least number of days between two messages to one debtor."
    )
    max_notices_per_run: int = Field(
        25,
        ge=1,
        le=100_000,
        description="More notices than this in one run, over all accounts that are due at the same time, wait for one approval.",
    )
    max_count_jump_percent: int = Field(
        30,
        ge=1,
        le=10_000,
        description="A larger change of the number of open invoices between two pulls waits for one approval.",
    )
    max_total_jump_percent: int = Field(
        50,
        ge=1,
        le=10_000,
        description="A larger change of the open total between two pulls waits for one approval.",
    )
    payment_freshness_days: int = Field(
        3,
        ge=0,
        le=60,
        description="Bank working days after which payment data counts as stale, where there is a bank feed.",
    )
    letter_without_email: bool = Field(
        default=True,
        description="A customer without an e-mail address gets a letter where a level writes a mail, if letters can be made.",
    )
    deferral_days: int = Field(
        14, ge=1, le=365, description="Length of a deferral (Zahlungsaufschub) where none is given."
    )
    show_not_due: bool = Field(
        default=False, description="`plan` lists invoices that are not yet due, too, greyed out with their date."
    )
    instalment_grace_days: int = Field(
        3,
        ge=0,
        le=30,
        description="Days after which a rate of a payment plan (Ratenzahlung) that has not come counts as missed.",
    )
    currency: str = Field("EUR", pattern=r"^[A-Z]{3}$", description="Currency of the creditor; others are held.")


class Claims(Frozen):
    """What is owed beside the principal (Nebenforderungen), by the law of `creditor.country` (DE, AT, CH), and how it is computed."""

    interest: bool = Field(default=True, description="Compute default interest (Verzugszinsen).")
    points: Amount | None = Field(
        None,
        ge=0,
        le=30,
        description="Percentage points above the base rate instead of the statutory 5 or 9 (AT: 9.2), where a contract says so; in Switzerland, and for consumers in Austria, the whole rate.",
    )
    day_count: Literal["act/365", "act/act"] = Field(
        "act/365", description="act/365: every year has 365 days; act/act: leap years have 366."
    )
    rounding: Literal["segment", "total"] = Field(
        "segment", description="Rounding half up of each printed row, or once for each stretch between two payments."
    )
    interest_minimum: Amount = Field(
        Decimal("0.00"), ge=0, description="Interest on an invoice below this in all is not asked for."
    )
    consumer_fees: bool = Field(
        default=False, description="Ask consumers for the reminder fees (Mahngebühren) of levels, up to a limit."
    )
    consumer_fee_limit: Amount = Field(
        Decimal("2.50"), ge=0, le=100, description="Most that a consumer pays for one letter, with consumer_fees."
    )
    agreed_fee: Amount | None = Field(
        None,
        ge=0,
        le=1000,
        description="Exact reminder fee that contracts name; in Switzerland no other fee is asked for.",
    )
    unknown_kind: Literal["consumer", "business"] = Field(
        "consumer", description="What debtors count as where the provider does not say whether they are a business."
    )
    due_source: Literal["contract", "invoice_only", "statutory"] = Field(
        "invoice_only",
        description="Where due dates come from: agreed (contract, terms), printed on the invoice alone, or none agreed nor printed.",
    )
    consumer_notice: bool = Field(
        default=False, description="Invoices tell consumers that default begins after 30 days (BGB 286(3))."
    )
    keep_ancillaries: bool = Field(
        default=False,
        description="Keep what letters asked for beside the principal once that is paid, as a task; else it is waived.",
    )
    base_rates: tuple[Path, ...] = Field(
        (), description="Files with own tables of base rates, each replacing the shipped one of its country."
    )


class Schedule(Frozen):
    """When `serve` works, in the time zone of the schedule."""

    time_zone: TimeZone = Field("Europe/Berlin", description="Time zone of the times below.")
    pull: tuple[TimeOfDay, ...] = Field(
        (time(6, 0), time(12, 0)), description="Local times at which accounts are read."
    )
    run: tuple[TimeOfDay, ...] = Field(
        (time(7, 30),), description="Local times at which read, dunning run and delivery happen."
    )
    deliver_every_minutes: int = Field(
        5,
        ge=1,
        le=1440,
        description="How often approved notices and unclear steps are taken up between runs.",
    )


class Log(Frozen):
    format: LogFormat = Field(LogFormat.AUTO, description="auto: readable on a terminal, JSON elsewhere.")
    level: LogLevel = Field(LogLevel.INFO, description="Least severity that is written.")


class Monitor(Frozen):
    """The one port of `serve`: /healthz, /readyz and /metrics. It shows no names and no amounts of single debtors."""

    host: str = Field("127.0.0.1", description="Address to listen on; 0.0.0.0 inside a container.")
    port: int = Field(8080, ge=0, le=65535, description="Port of /healthz, /readyz and /metrics; 0: any free one.")


class Recordings(Frozen):
    """Recordings of what was said to the providers and answered, without secrets; for support (`bundle`). They hold personal data."""

    keep: Literal["failed", "all", "none"] = Field(
        "failed",
        description="Runs whose exchanges are kept in the folder recordings inside data: those that failed or set records aside, all, or none.",
    )
    megabytes: int = Field(100, ge=1, le=10_000, description="Most that all recordings take; the oldest go first.")
    days: int = Field(14, ge=1, le=365, description="Days for which recordings are kept.")


class Config(Frozen):
    """Everything that an operator sets."""

    language: Language = Field(Language.DE, description="Language of staff output where the locale does not say.")
    clock: Moment | None = Field(
        None,
        description="The date the program believes, or date and time (local, or with an offset), for rehearsals against sandboxes; refused with a provider's real host.",
    )
    data: Path = Field(Path("data"), description="Folder for database, archive, keys and locks, relative to this file.")
    mappings: Path | None = Field(
        None, description="Folder with own mapping files that replace shipped ones of the same name."
    )
    database: Database = Field(Database(), description="Where the state is kept.")
    keys: Keys = Field(Keys(), description="Keys that seal tokens at rest.")
    creditor: Creditor = Field(Creditor(), description="The company in whose name reminders go out.")
    accounts: dict[AccountName, Account] = Field(
        default_factory=dict, description="The invoicing accounts, by a name of your choice."
    )
    channels: dict[str, Any] = Field(
        default_factory=dict, description="Our own ways to the debtor: smtp, letter_outbox."
    )
    letters: Style = Field(Style(), description="What our own letters look like: form, logo, colour, margins.")
    plans: Plans = Field(Plans(), description="Escalation plans and who gets which.")
    colleagues: tuple[Caretaker, ...] = Field((), description="Our own people, and whose customers they look after.")
    attachments: dict[AccountName, AttachedFile] = Field(
        default_factory=dict, description="Files that levels may attach, by a name of your choice."
    )
    collection: CollectionExport = Field(CollectionExport(), description="The agency, and the list that it gets.")
    exclusions: Exclusions = Field(Exclusions(), description="Who is never dunned.")
    calendar: Calendar = Field(Calendar(), description="Days and hours of sending, company holidays.")
    dunning: Dunning = Field(Dunning(), description="Limits and switches of the dunning run.")
    claims: Claims = Field(Claims(), description="What is owed beside the principal: interest, flat fee.")
    write_back: Places = Field(Places(), description="Lines left at the provider after a reminder went out.")
    schedule: Schedule = Field(Schedule(), description="When the service works.")
    log: Log = Field(Log(), description="What the log looks like.")
    recordings: Recordings = Field(Recordings(), description="What is recorded of the exchanges with providers.")
    retention: Retention = Field(Retention(), description="How long what is kept.")
    disk: Disk = Field(Disk(), description="Room on the disk: when to warn, when to hold sending.")
    forewarning: Forewarning = Field(Forewarning(), description="Mail about what goes out on the next day.")
    public_url: Annotated[str, AfterValidator(public)] | None = Field(
        None,
        description="Address of the pages for staff, such as https://mahnbridge.example.com; what is written to the provider and to colleagues then leads to /cases/NUMBER there, which the listener of debtor_page answers with the command that shows the case. Empty: no links.",
    )
    monitor: Monitor = Field(Monitor(), description="Port of health and metrics.")
    debtor_page: DebtorPage = Field(DebtorPage(), description="The page on which debtors answer.")
