"""Billomat (https://www.billomat.com): the connector contract, put together from its parts."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from bridge.contract import (
    Act,
    Batch,
    ConfigError,
    Connector,
    ConnectorSettings,
    Cursor,
    Finding,
    Health,
    Http,
    Mapping,
    NotFound,
    Proof,
    Ref,
    RefKind,
    Snapshot,
    WriteBack,
)
from connectors.billomat.api import Api
from connectors.billomat.checking import Check
from connectors.billomat.drafts import Drafts
from connectors.billomat.finding import Find
from connectors.billomat.german import GERMAN
from connectors.billomat.levels import Levels, Quota
from connectors.billomat.looking import Look
from connectors.billomat.places import CustomerPlace
from connectors.billomat.pulling import pull
from connectors.billomat.reading import CREDIT_NOTE_PREFIX, Reading
from connectors.billomat.settings import Settings
from connectors.billomat.writing import Push


class Billomat(Connector):
    """One Billomat account."""

    name: ClassVar[str] = "billomat"
    german: ClassVar[dict[str, str]] = GERMAN
    Settings: ClassVar[type[ConnectorSettings]] = Settings
    hosts: ClassVar[tuple[str, ...]] = ("billomat.net", "billomat.com")
    starter: ClassVar[str] = """
http:
  base_url: https://BILLOMATID.billomat.net/api
  # a registered app raises the limit of 300 calls in 15 minutes: headers: {X-AppId: "${ACCOUNT_APP_ID}", X-AppSecret: "${ACCOUNT_APP_SECRET}"}
  auth: {type: token, header: X-BillomatApiKey, token: "${ACCOUNT_KEY}"}
# settings:
#   write_key: customfield  # where the template of the reminder prints the label
#   direct_debit: alone     # or listed, mandate, off
#   invoice_tags: {mahnstopp: invoice_excluded}
#   client_tags: {mahnstopp: customer_excluded}
#   post: true              # once the letter add-on has a balance
"""
    acts: ClassVar[frozenset[Act]] = frozenset(
        {
            Act.CREATE,
            Act.AMEND,
            Act.COMPLETE,
            Act.SEND_EMAIL,
            Act.SEND_POST,
            Act.DISCARD,
            Act.NOTE,
            Act.TAG,
            Act.CUSTOMER_NOTE,
        }
    )

    def __init__(self, account: str, settings: ConnectorSettings, mapping: Mapping, http: Http) -> None:
        super().__init__(account, settings, mapping, http)
        if not isinstance(settings, Settings):
            raise ConfigError("account {account}: these are not the settings of Billomat", account=account)
        self._settings = settings
        self._api = Api(http, settings.page_size)
        self._reading = Reading(settings, mapping)
        self._levels = Levels(self._api, self._reading)
        self._place = CustomerPlace(self._api, settings)
        drafts = Drafts(self._api, settings, self._reading, self._levels)
        self._quota = Quota(self._api)
        self._push = Push(drafts, self._quota, self._place, self.document)
        self._find = Find(self._push)

    def check(self) -> Health:
        return Check(self._api, self._settings, self._levels, self._place)(self.acts)

    def forget(self) -> None:
        self._levels.forget()
        self._quota.forget()
        self._place.forget()

    def pull(self, cursor: Cursor | None) -> Iterator[Batch]:
        return pull(self._api, self._settings, self.mapping, self.http.now(), cursor)

    def look(self, invoices: Sequence[Ref]) -> Iterator[Snapshot]:
        self._levels.rows()
        return Look(self._api, self._settings, self._reading, self.http.now()).snapshots(invoices)

    def push(self, write: WriteBack) -> Proof:
        return self._push(write)

    def find(self, write: WriteBack) -> Proof | None:
        return self._find(write)

    def document(self, ref: Ref) -> bytes:
        kinds = {RefKind.INVOICE: "invoices", RefKind.REMINDER: "reminders"}
        kind, key = kinds.get(ref.kind, ""), ref.id
        if key.startswith(CREDIT_NOTE_PREFIX):
            kind, key = "credit-notes", key.removeprefix(CREDIT_NOTE_PREFIX)
        if not kind or not key.isdigit():
            raise NotFound("Billomat has no document of {kind} {ref_id!r}", kind=ref.kind, ref_id=ref.id)
        return self._api.pdf(kind, key)

    def prepare_places(self) -> tuple[Finding, ...]:
        return (self._place.create(),)
