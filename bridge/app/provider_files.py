"""Documents that a provider itself mailed or posted: fetched once that is proven, and kept like everything that left the house."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from bridge.app.filing import Filing, file_name
from bridge.app.reading import Reading
from bridge.contract import Produced
from bridge.errors import BridgeError, ConfigError, RetryLater
from bridge.model import Ref
from bridge.policy import Via
from bridge.store.cases import Stamp
from bridge.store.journal import SELF
from bridge.store.records import Notice
from bridge.words import Sentence

TASK = "document"
"""Kind of the task about a document that cannot be had; while it is open nobody but a person asks for it again."""

TRIED_FOR = timedelta(days=1)
"""How long a provider that does not answer is asked again by itself."""

LOOKED_BACK = timedelta(days=30)
"""How far back deliveries look for notices whose document is not kept yet."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """How many documents were kept, and why others could not be had."""

    kept: int
    problems: tuple[Sentence, ...]


class ProviderFiles(Reading, Filing):
    """What keeps the documents that providers sent. It only reads there: nothing is ever sent again because of it."""

    def fetch_documents(self, accounts: Sequence[str] = ()) -> Fetched:
        """Fetch every document that a provider sent and that is not kept here, however old; end the tasks about them."""
        found = [self.keep_documents(name, everything=True) for name in self.chosen(accounts)]
        return Fetched(sum(one.kept for one in found), tuple(problem for one in found for problem in one.problems))

    def keep_documents(self, account: str, *, everything: bool = False) -> Fetched:
        """Fetch what this account's provider sent lately. What cannot be had becomes a task, and never stops anything."""
        since = None if everything else self.clock() - LOOKED_BACK
        with self.store.reading() as conn:
            wanted = self.store.files.unfetched(conn, account, since=since, task=None if everything else TASK)
            notices = [self.store.outbox.get(conn, one) for one in wanted]
        kept, problems = 0, []
        for notice in notices:
            try:
                kept += self._fetch_document(notice)
            except BridgeError as error:
                told = Sentence(
                    "the document of notice {notice} is not kept yet: {error}", notice=notice.id, error=error
                )
                problems.append(told)
                self._document_missing(notice, error)
                if isinstance(error, RetryLater | ConfigError):
                    break  # the account itself does not answer
        return Fetched(kept, tuple(problems))

    def _fetch_document(self, notice: Notice) -> int:
        """Fetch and keep the documents of one notice, all or none; return how many."""
        connector = self.port(notice.account).connector
        got = [
            Produced(f"{one.invoice_number or one.invoice_id}.pdf", "application/pdf", connector.document(ref))
            for one, ref in ((one, Ref.reminder(one.reminder_id or "")) for one in notice.claims if one.reminder_id)
        ]
        try:
            digests = [self.archive.keep(one.data) for one in got]
        except OSError as error:
            raise RetryLater(
                "what the provider sent cannot be kept: {name}", name=type(error).__name__, cause="archive"
            ) from error
        with self.store.begin() as conn:
            self.store.outbox.get(conn, notice.id, lock=True)
            if notice.id not in self.store.files.unfetched(conn, notice.account):
                return 0  # another worker was faster
            for number, (one, digest) in enumerate(zip(got, digests, strict=True)):
                self._list_document(conn, notice, one, digest, number)
            self.store.tasks.told(conn, notice.id, TASK, self._document_stamp(notice.account))
        return len(got)

    def _list_document(self, conn: Connection, notice: Notice, one: Produced, digest: str, number: int) -> None:
        today = self.today(notice.account)
        case = self.store.questions.case_number(conn, notice.case_id)
        sort = "letter" if notice.channel == Via.PROVIDER_POST.value else "provider"
        sent_on = max((its.landed_on for its in notice.claims if its.landed_on), default=today)
        name = f"{sent_on.isoformat()}_{case}_{file_name(notice, one, sort, number)}"
        self.store.files.add(conn, self.new_file(notice, one, digest, kind=sort, name=name, on=sent_on))

    def _document_missing(self, notice: Notice, error: BridgeError) -> None:
        """Leave it to a person what cannot be had, or not for a day; once for each notice."""
        with self.store.begin() as conn:
            landed_at = self.store.files.landed_at(conn, notice.id)
            waits = landed_at is not None and self.clock() - landed_at < TRIED_FOR
            if isinstance(error, ConfigError) or (isinstance(error, RetryLater) and waits):
                return
            numbers = [one.invoice_number or one.invoice_id for one in notice.claims]
            title = Sentence("the provider's document is missing: {numbers}", numbers=numbers)
            self.store.tasks.tell(conn, notice, TASK, title, self._document_stamp(notice.account), note=error.sentence)

    def _document_stamp(self, account: str) -> Stamp:
        return Stamp(at=self.clock(), on=self.today(account), actor=SELF)
