"""Drafts of ours that lie at a provider while no notice here goes on from them: a person is told of each, and told when it is over."""

from collections.abc import Iterable

from sqlalchemy.engine import Connection

from bridge.model import Reason
from bridge.policy import ClaimView, Decision
from bridge.policy.holds import draft_left
from bridge.policy.views import NoticeView
from bridge.store import Store
from bridge.store.cases import Stamp
from bridge.store.tasks import NewTask, Task
from bridge.words import Sentence

KIND = "own_draft"
"""Kind of the task."""


class LeftDrafts:
    """The tasks about such drafts of one account: one for each invoice, opened where the draft holds it, ended once nothing lies there."""

    def __init__(self, store: Store, account: str, stamp: Stamp) -> None:
        self._store, self._account, self._stamp = store, account, stamp
        self._open: dict[str, list[Task]] | None = None

    def follow(
        self, conn: Connection, case_id: int | None, claims: Iterable[ClaimView], decisions: Iterable[Decision]
    ) -> None:
        """Open and end tasks for the claims that were decided on."""
        if self._open is None:
            self._open = self._store.tasks.of_kind(conn, self._account, KIND)
        known = {one.invoice_id: one for one in claims}
        for decision in decisions:
            claim, held = known[decision.invoice_id], self._open.get(decision.invoice_id, [])
            left = draft_left(claim)
            if left is None:
                for task in held:
                    self._store.tasks.end(conn, task.id, self._stamp, outcome="done")
            elif not held and decision.reason is Reason.OWN_DRAFT_LEFT and case_id is not None:
                self._store.tasks.add(conn, self._task(case_id, claim, left), self._stamp)

    def _task(self, case_id: int, claim: ClaimView, left: NoticeView) -> NewTask:
        number = claim.number or claim.invoice_id
        return NewTask(
            account=self._account,
            case_id=case_id,
            kind=KIND,
            title=Sentence("A draft of ours at the provider belongs to no notice: {invoice}", invoice=number),
            note=Sentence(
                "account {account}, invoice {invoice}, reminder {reminder} at the provider (level {level} there). Delete it there; "
                "or, where it went out or is to go out, complete it there and mark it as sent: its level then counts. "
                "`mahnbridge pull {account}` looks again; this task ends by itself once nothing lies there.",
                account=self._account,
                invoice=number,
                reminder=left.id,
                level=left.level,
            ),
            invoice_id=claim.invoice_id,
        )
