"""The connector of sevDesk: the contract, each part in a room of its own."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from bridge.contract import (
    Act,
    Batch,
    Connector,
    Cursor,
    Finding,
    Health,
    Http,
    Mapping,
    Proof,
    Ref,
    Snapshot,
    WriteBack,
)
from connectors.sevdesk.api import Api
from connectors.sevdesk.check import Check
from connectors.sevdesk.german import GERMAN
from connectors.sevdesk.invoices import CREDIT
from connectors.sevdesk.look import Look
from connectors.sevdesk.places import Places
from connectors.sevdesk.pull import Pull
from connectors.sevdesk.reading import Reader
from connectors.sevdesk.settings import SevDeskSettings
from connectors.sevdesk.state import State
from connectors.sevdesk.writing import Writer

VERSION_FOR = timedelta(days=1)
"""How long the bookkeeping system version of an account is believed."""


class SevDesk(Connector):
    """sevDesk, API v1. It cannot complete a reminder without marking it as sent, and sends no letters."""

    name: ClassVar[str] = "sevdesk"
    german: ClassVar[dict[str, str]] = GERMAN
    Settings = SevDeskSettings
    settings: SevDeskSettings
    starter: ClassVar[str] = """
http:
  base_url: https://my.sevdesk.de/api/v1
  auth: {type: token, token: "${ACCOUNT_TOKEN}"}
"""
    hosts: ClassVar[tuple[str, ...]] = ("sevdesk.de",)
    acts: ClassVar[frozenset[Act]] = frozenset(
        {
            Act.CREATE,
            Act.AMEND,
            Act.SEND_EMAIL,
            Act.MARK_SENT,
            Act.DISCARD,
            Act.TAG,
            Act.NOTE,
            Act.CUSTOMER_NOTE,
        }
    )

    def __init__(self, account: str, settings: SevDeskSettings, mapping: Mapping, http: Http) -> None:
        super().__init__(account, settings, mapping, http)
        self.settings = settings
        self._version: tuple[datetime, str] | None = None

    def _reader(self) -> Reader:
        return Reader(Api(self.http, self.settings.page_size), self.settings, self.mapping, self.http.now())

    def forget(self) -> None:
        self._version = None

    def version(self) -> str:
        """Return the account's bookkeeping system version, asked once a run, and once a day in a long one."""
        now = self.http.now()
        if self._version is None or not timedelta(0) <= now - self._version[0] < VERSION_FOR:
            self._version = (now, self._reader().api.version()[0])
        return self._version[1]

    def check(self) -> Health:
        return Check(self._reader(), self.acts).run()

    def pull(self, cursor: Cursor | None) -> Iterator[Batch]:
        yield from Pull(self._reader(), State.load(cursor)).batches()

    def look(self, invoices: Sequence[Ref]) -> Iterator[Snapshot]:
        yield from Look(self._reader()).snapshots(invoices)

    def push(self, write: WriteBack) -> Proof:
        return Writer(self._reader(), self.version).push(write)

    def find(self, write: WriteBack) -> Proof | None:
        return Writer(self._reader(), self.version).find(write)

    def document(self, ref: Ref) -> bytes:
        if ref.id.startswith(CREDIT):
            return self._reader().api.pdf("CreditNote", ref.id.removeprefix(CREDIT))
        return self._reader().api.pdf("Invoice", ref.id)

    def prepare_places(self) -> tuple[Finding, ...]:
        return Places(self._reader()).prepare()
