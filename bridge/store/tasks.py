"""Tasks (Aufgaben): calls and other work for people, with owner, due day and outcome. Ended, never deleted."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import RowMapping, func, insert, select, update
from sqlalchemy.engine import Connection

from bridge.errors import UsageError, WrongState
from bridge.store.cases import Stamp
from bridge.store.journal import Journal
from bridge.store.records import Notice
from bridge.store.tables import task
from bridge.words import Sentence

OPEN, LATER, DONE, DROPPED = "open", "later", "done", "dropped"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """One task to be, about one or several invoices, its notice's or the whole case; title and note are sentences, or somebody's own words. With `later` it comes up only when its notice has landed, `due_days` after that day."""

    account: str
    case_id: int
    kind: str
    title: str
    note: str = ""
    owner: str = ""
    due_on: date | None = None
    notice_id: int | None = None
    invoice_id: str | None = None
    invoices: tuple[str, ...] = ()
    later: bool = False
    due_days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task as stored."""

    id: int
    account: str
    case_id: int
    notice_id: int | None
    invoice_id: str | None
    invoices: tuple[str, ...]
    kind: str
    state: str
    title: str
    note: str
    owner: str
    due_on: date | None
    created_at: datetime
    outcome: str | None
    outcome_note: str | None
    ended_at: datetime | None
    ended_by: str | None

    @property
    def is_open(self) -> bool:
        return self.state == OPEN


class Tasks:
    """All tasks; every method takes the connection of the caller's transaction first."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    # ------------------------------------------------------------------------------------------------------- reading

    def get(self, conn: Connection, task_id: int) -> Task:
        """Return one task. Raises `UsageError` where there is none."""
        row = conn.execute(select(task).where(task.c.id == task_id)).mappings().first()
        if row is None:
            raise UsageError("there is no task {task_id}; `mahnbridge tasks list` shows them", task_id=task_id)
        return _task(row)

    def listing(
        self,
        conn: Connection,
        *,
        states: Collection[str] = (OPEN,),
        account: str | None = None,
        owner: str | None = None,
        case_id: int | None = None,
        kind: str | None = None,
        due_by: date | None = None,
        limit: int = 10_000,
    ) -> list[Task]:
        """Return tasks, the one that is due first at the head; `owner` empty: those that are nobody's."""
        query = select(task).where(task.c.state.in_(sorted(states))).order_by(task.c.due_on, task.c.id).limit(limit)
        wanted = {task.c.account: account, task.c.owner: owner, task.c.case_id: case_id, task.c.kind: kind}
        for column, value in wanted.items():
            if value is not None:
                query = query.where(column == value)
        if due_by is not None:
            query = query.where(task.c.due_on <= due_by)
        return [_task(row) for row in conn.execute(query).mappings()]

    def count(self, conn: Connection, *, due_by: date | None = None) -> int:
        """Return how many tasks are open, or due by that day."""
        query = select(func.count()).select_from(task).where(task.c.state == OPEN)
        return int(conn.scalar(query if due_by is None else query.where(task.c.due_on <= due_by)) or 0)

    # ------------------------------------------------------------------------------------------------------- writing

    def add(self, conn: Connection, new: NewTask, stamp: Stamp) -> int:
        """Store a task and note it in the journal; return its id."""
        values = {
            "account": new.account,
            "case_id": new.case_id,
            "notice_id": new.notice_id,
            "invoice_id": new.invoice_id,
            "invoices": list(new.invoices),
            "kind": new.kind,
            "state": LATER if new.later else OPEN,
            "title": new.title,
            "note": new.note,
            "owner": new.owner,
            "due_days": new.due_days,
            "due_on": None if new.later else new.due_on or stamp.on,
            "created_at": stamp.at,
        }
        task_id = int(conn.execute(insert(task).values(values).returning(task.c.id)).scalar_one())
        if not new.later:
            self._note(conn, "task_opened", self.get(conn, task_id), stamp)
        return task_id

    def end(self, conn: Connection, task_id: int, stamp: Stamp, *, outcome: str, note: str = "") -> Task:
        """End an open task with its outcome, once: of two people who end it the second is told. Return it as it was.

        Raises `UsageError` where there is no such task, `WrongState` where it is not open.
        """
        found = self.get(conn, task_id)
        values = {"outcome": outcome, "outcome_note": note, "ended_at": stamp.at, "ended_by": stamp.actor}
        self._only_open(conn, found, state=DONE, **values)
        self._note(conn, "task_done", found, stamp, {"outcome": outcome, "note": note})
        return found

    def about(self, conn: Connection, account: str, invoice_id: str, kind: str) -> list[int]:
        """Return the open tasks of that kind about an invoice."""
        mine = task.c.account == account, task.c.invoice_id == invoice_id, task.c.kind == kind, task.c.state == OPEN
        return list(conn.scalars(select(task.c.id).where(*mine)))

    def of_kind(self, conn: Connection, account: str, kind: str) -> dict[str, list[Task]]:
        """Return the open tasks of that kind about single invoices of an account."""
        found: dict[str, list[Task]] = {}
        for one in self.listing(conn, account=account, kind=kind):
            if one.invoice_id is not None:
                found.setdefault(one.invoice_id, []).append(one)
        return found

    def tell(self, conn: Connection, found: Notice, kind: str, title: Sentence, stamp: Stamp, *, note: str) -> None:
        """Open a task of that kind about a notice, due today; one that is open stands for it."""
        if not self.of_notice(conn, found.id, kind):
            told = NewTask(
                account=found.account, case_id=found.case_id, notice_id=found.id, kind=kind, title=title, note=note
            )
            self.add(conn, told, stamp)

    def told(self, conn: Connection, notice_id: int, kind: str, stamp: Stamp, *, note: str = "") -> None:
        """End the open task of that kind about a notice, if there is one."""
        for one in self.of_notice(conn, notice_id, kind):
            self.end(conn, one, stamp, outcome="done", note=note)

    def of_notice(self, conn: Connection, notice_id: int, kind: str) -> list[int]:
        """Return the open tasks of that kind about a notice."""
        mine = task.c.notice_id == notice_id, task.c.kind == kind, task.c.state == OPEN
        return list(conn.scalars(select(task.c.id).where(*mine)))

    def assign(
        self, conn: Connection, task_id: int, stamp: Stamp, *, owner: str | None = None, due_on: date | None = None
    ) -> Task:
        """Give an open task to somebody, or another due day; return it as it is now. Raises as `end`."""
        found = self.get(conn, task_id)
        owner = found.owner if owner is None else owner
        self._only_open(conn, found, owner=owner, due_on=due_on or found.due_on)
        data = {"owner": owner, "until": due_on.isoformat() if due_on else None}
        self._note(conn, "task_assigned", found, stamp, data)
        return self.get(conn, task_id)

    def _only_open(self, conn: Connection, found: Task, **values: object) -> None:
        changed = conn.execute(update(task).where(task.c.id == found.id, task.c.state == OPEN).values(**values))
        if changed.rowcount != 1:
            now = self.get(conn, found.id)
            by = Sentence(" (ended by {person})", person=now.ended_by) if now.ended_by else ""
            raise WrongState("task {number} is no longer open{by}", number=found.id, by=by)

    def _note(
        self, conn: Connection, kind: str, one: Task, stamp: Stamp, data: Mapping[str, object] | None = None
    ) -> None:
        told = {"task": one.id, "task_kind": one.kind, "title": one.title, "owner": one.owner}
        self._journal.note(
            conn,
            kind,
            stamp,
            account=one.account,
            case_id=one.case_id,
            notice_id=one.notice_id,
            invoice_id=one.invoice_id,
            data={**told, **(data or {})},
        )


def drop_tasks(conn: Connection, notice_id: int, now: datetime) -> None:
    """End the tasks of a notice that came to nothing."""
    mine = task.c.notice_id == notice_id, task.c.state.in_((OPEN, LATER))
    conn.execute(update(task).where(*mine).values(state=DROPPED, ended_at=now))


def wake_tasks(conn: Connection, notice_id: int, on: date) -> None:
    """Let the tasks come up that waited for a notice to land, which it did on local date `on`."""
    mine = task.c.notice_id == notice_id, task.c.state == LATER
    for task_id, days in conn.execute(select(task.c.id, task.c.due_days).where(*mine)).all():
        due_on = on + timedelta(days=days)
        conn.execute(update(task).where(task.c.id == task_id, *mine).values(state=OPEN, due_on=due_on))


def _task(row: RowMapping) -> Task:
    names = (
        "id", "account", "case_id", "notice_id", "invoice_id", "kind", "state", "title", "note", "owner", "due_on",
        "created_at", "outcome", "outcome_note", "ended_at", "ended_by",
    )  # fmt: skip
    return Task(**{name: row[name] for name in names}, invoices=tuple(row["invoices"]))
