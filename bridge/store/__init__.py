"""The only SQL of mahnbridge: SQLite by default, PostgreSQL by URL."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Self, TypeVar

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

from bridge.store.agreements import Agreements
from bridge.store.answers import Answers
from bridge.store.cases import Cases
from bridge.store.charges import Charges
from bridge.store.choices import Choices
from bridge.store.engine import DatabaseClock, decider, make_engine, overtaken, reach, reader
from bridge.store.files import Files
from bridge.store.handovers import HandOvers
from bridge.store.history import History
from bridge.store.journal import Journal
from bridge.store.leases import Leases
from bridge.store.migrations import upgrade
from bridge.store.mirror import Mirror
from bridge.store.outbox import Outbox
from bridge.store.overview import Overview
from bridge.store.questions import Questions
from bridge.store.rates import Rates
from bridge.store.restored import Restored
from bridge.store.retention import Retention
from bridge.store.returns import Returns
from bridge.store.runs import Runs
from bridge.store.settings import Settings
from bridge.store.tasks import Tasks
from bridge.store.tokens import Cipher, Tokens
from bridge.store.trail import Trail

T = TypeVar("T")

ATTEMPTS = 10
"""How often a transaction is tried that others keep overtaking."""


def _wall_clock() -> datetime:
    return datetime.now(UTC)


def _insisting(begin: Callable[[], AbstractContextManager[Connection]], work: Callable[[Connection], T]) -> T:
    for _ in range(ATTEMPTS - 1):
        try:
            with begin() as conn:
                return work(conn)
        except DBAPIError as error:
            if not overtaken(error):
                raise
    with begin() as conn:
        return work(conn)


class Store:
    """One database: transactions, the technical clock, and the repositories.

    Repositories keep no state of their own; their methods take the connection of the caller's transaction first. `tokens` and
    `rates` serve the HTTP sessions and open their own short transactions, as does `leases.holding`.
    """

    def __init__(self, engine: Engine, technical_clock: Callable[[], datetime], cipher: Cipher | None = None) -> None:
        self.engine = engine
        self.now = technical_clock
        self._reader, self._decider = reader(engine), decider(engine)
        self.mirror = Mirror()
        self.journal = Journal()
        self.trail = Trail()
        self.outbox = Outbox()
        self.cases = Cases(self.journal)
        self.agreements = Agreements(self.journal)
        self.choices = Choices(self.journal, self.agreements)
        self.charges = Charges(self.journal)
        self.tasks = Tasks(self.journal)
        self.answers = Answers(self.journal)
        self.returns = Returns(self.journal, self.cases)
        self.handovers = HandOvers(self.journal, self.choices)
        self.files = Files()
        self.overview = Overview()
        self.questions = Questions()
        self.history = History(self.questions)
        self.runs = Runs()
        self.settings = Settings(self.journal)
        self.restored = Restored(self.settings, self.outbox, self.cases, self.choices, self.journal)
        self.retention = Retention()
        self.leases = Leases(engine, technical_clock)
        self.tokens = Tokens(engine, technical_clock, self.leases, cipher)
        self.rates = Rates(engine, technical_clock)

    @classmethod
    def open(
        cls,
        where: str | Path,
        *,
        technical_clock: Callable[[], datetime] | None = None,
        cipher: Cipher | None = None,
        backups: int = 5,
        before_upgrade: Callable[[str], None] | None = None,
    ) -> Self:
        """Open the database at a path or URL; make its tables, or upgrade them, first.

        The technical clock (aware UTC) is for leases, settling, budgets and tokens; by default this machine's, on PostgreSQL the
        server's. `cipher` seals OAuth tokens; without one none can be kept. Before an upgrade a SQLite file is copied beside
        itself; the last `backups` copies are kept. A server's database is copied by `before_upgrade`, which is told its revision.

        Raises `ConfigError` where it cannot be opened or was written by a newer program.
        """
        engine = make_engine(where)
        try:
            reach(engine)
            upgrade(engine, backups=backups, before=before_upgrade)
        except BaseException:
            engine.dispose()
            raise
        if technical_clock is None:
            technical_clock = _wall_clock if engine.dialect.name == "sqlite" else DatabaseClock(engine)
        return cls(engine, technical_clock, cipher)

    def begin(self) -> AbstractContextManager[Connection]:
        """Return one writing transaction: committed at the end of the block, rolled back on any exception.

        On SQLite it holds the only write lock from its start. On PostgreSQL it is READ COMMITTED: what depends on an earlier read
        is written by a conditional UPDATE.
        """
        return self.engine.begin()

    def deciding(self, work: Callable[[Connection], T]) -> T:
        """Do `work` in one writing transaction on one consistent snapshot, and return what it returns.

        Where another transaction changed meanwhile what `work` writes, all of it is undone and done again on what is true by then:
        nothing that happens beside a decision is written over. `work` must keep nothing of an attempt outside the database.
        """
        return _insisting(self.begin if self._decider is self.engine else self._decider.begin, work)

    def insisting(self, work: Callable[[Connection], T]) -> T:
        """Do `work` in one writing transaction as `begin` gives it, again where others got in its way: for what must not be lost.

        `work` must keep nothing of an attempt outside the database.
        """
        return _insisting(self.begin, work)

    def reading(self) -> AbstractContextManager[Connection]:
        """Return one read-only transaction on one consistent snapshot; it never holds up a writer."""
        return self._reader.begin()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
