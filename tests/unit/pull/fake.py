"""A connector whose answers a test writes down: batches to yield, errors to raise in between, looks to answer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from bridge.contract import Batch, Connector, ConnectorSettings, Cursor, Health, Ref, Snapshot
from tests.unit.store.made import snapshot


class Killed(BaseException):
    """The process is killed here: no handler of ours runs, as far as the connector can play that."""


class Fake(Connector):
    name: ClassVar[str] = "fake"
    Settings = ConnectorSettings

    def __init__(self, batches=(), looks=None):
        super().__init__("a", ConnectorSettings(), None, None)
        self.batches = list(batches)
        self.looks = looks or {}
        self.cursors: list[Cursor | None] = []
        self.looked: list[list[str]] = []

    def check(self) -> Health:
        return Health(ok=True)

    def pull(self, cursor: Cursor | None) -> Iterator[Batch]:
        """Yield what was written down, after the batch whose page `cursor` names."""
        self.cursors.append(cursor)
        page = 0 if cursor is None else cursor.data["page"]
        for one in self.batches:
            if isinstance(one, BaseException):
                raise one
            if one.cursor.data["page"] > page:
                yield one

    def look(self, invoices: Sequence[Ref]) -> Iterator[Snapshot]:
        self.looked.append([ref.id for ref in invoices])
        for ref in invoices:
            answer = self.looks.get(ref.id, snapshot(ref.id, found=False))
            if isinstance(answer, BaseException):
                raise answer
            yield answer


@dataclass
class Port:
    connector: Fake
    name: str = "a"
    extra: dict = field(default_factory=dict)
