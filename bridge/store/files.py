"""Files that left the house: what, when, of which case, notice and run, with their hash and how long they must be kept."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from types import MappingProxyType

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, exists, func, insert, or_, select

from bridge.errors import UsageError
from bridge.model import Act
from bridge.store.tables import dunning_case, kept_file, notice, notice_claim, step
from bridge.store.tables import task as tasks


class Class(StrEnum):
    """How long a file must be kept (Aufbewahrungsklasse), counted from the end of the calendar year in which it left the house.

    Commercial letters: HGB 257(1) no. 3, AO 147(1) no. 3. Vouchers, such as copies of invoices: HGB 257(1) no. 4, AO 147(1) no. 4.
    Other records, such as word to colleagues: AO 147(1) no. 5.
    """

    COMMERCIAL_LETTER = "commercial_letter"
    VOUCHER = "voucher"
    OTHER_RECORD = "other_record"


CLASSES = MappingProxyType(
    {
        "mail": Class.COMMERCIAL_LETTER,
        "letter": Class.COMMERCIAL_LETTER,
        "provider": Class.COMMERCIAL_LETTER,
        "collection": Class.COMMERCIAL_LETTER,
        "enclosure": Class.VOUCHER,
        "internal": Class.OTHER_RECORD,
    }
)
"""The class of each kind of file. An enclosure may be an invoice, so all count as one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """One file to be noted. `years` is how many calendar years after this one it must be kept."""

    account: str
    case_id: int
    kind: str
    name: str
    media_type: str
    sha256: str
    size: int
    kept_at: datetime
    on: date
    years: int
    run_id: int | None = None
    notice_id: int | None = None
    step_id: int | None = None
    acted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFile:
    """One file as noted. `on` is the local date on which it left the house, `keep_until` the last day of its retention."""

    id: int
    account: str
    case_id: int
    case: str
    run_id: int | None
    notice_id: int | None
    kind: str
    name: str
    media_type: str
    sha256: str
    size: int
    kept_at: datetime
    on: date
    keep_until: date

    @property
    def retention(self) -> Class:
        """Return the class of its retention."""
        return CLASSES[self.kind]


class Files:
    """Table `kept_file`; every method takes the connection of the caller's transaction first."""

    def add(self, conn: Connection, new: NewFile) -> int:
        """Note a file; return its id."""
        values = {
            "account": new.account,
            "case_id": new.case_id,
            "run_id": new.run_id,
            "notice_id": new.notice_id,
            "step_id": new.step_id,
            "acted_at": new.acted_at,
            "kind": new.kind,
            "name": new.name,
            "media_type": new.media_type,
            "sha256": new.sha256,
            "size": new.size,
            "kept_at": new.kept_at,
            "business_date": new.on,
            "keep_until": date(new.on.year + new.years, 12, 31),
        }
        return int(conn.execute(insert(kept_file).values(values).returning(kept_file.c.id)).scalar_one())

    def get(self, conn: Connection, file_id: int) -> KeptFile:
        """Return one file that left the house. Raises `UsageError` where there is none."""
        row = conn.execute(_query(kept_file.c.id == file_id)).mappings().first()
        if row is None:
            raise UsageError("there is no file {file_id}; `mahnbridge files list` shows them", file_id=file_id)
        return _file(row)

    def unfetched(
        self, conn: Connection, account: str, *, since: datetime | None = None, task: str | None = None
    ) -> list[int]:
        """Return the notices, oldest first, that the provider sent and whose document is not kept here.

        `since`: only those that landed from then on; `task`: not those about which a task of this kind is open.
        """
        kept = exists().where(kept_file.c.notice_id == notice.c.id, kept_file.c.step_id.is_(None))
        ours = exists().where(step.c.notice_id == notice.c.id, step.c.act.in_((Act.MAIL.value, Act.LETTER.value)))
        theirs = exists().where(notice_claim.c.notice_id == notice.c.id, notice_claim.c.reminder_id.is_not(None))
        query = select(notice.c.id).where(notice.c.account == account, notice.c.landed_at.is_not(None))
        query = query.where(theirs, ~ours, ~kept).order_by(notice.c.id)
        if since is not None:
            query = query.where(notice.c.landed_at >= since)
        if task is not None:
            about = exists().where(tasks.c.notice_id == notice.c.id, tasks.c.kind == task, tasks.c.state == "open")
            query = query.where(~about)
        return list(conn.scalars(query))

    def landed_at(self, conn: Connection, notice_id: int) -> datetime | None:
        """Return when a notice was proven to have gone out."""
        found: datetime | None = conn.scalar(select(notice.c.landed_at).where(notice.c.id == notice_id))
        return found

    def size(self, conn: Connection) -> int:
        """Return how many bytes all noted files have."""
        return int(conn.scalar(select(func.coalesce(func.sum(kept_file.c.size), 0))) or 0)

    def listing(
        self,
        conn: Connection,
        *,
        kinds: tuple[str, ...] = (),
        account: str | None = None,
        case_id: int | None = None,
        run_id: int | None = None,
        notices: Collection[int] | None = None,
        since: date | None = None,
        until: date | None = None,
    ) -> list[KeptFile]:
        """Return the files that left the house, newest first; `since` and `until` are inclusive local dates."""
        where: list[ColumnElement[bool]] = []
        if notices is not None:
            where.append(kept_file.c.notice_id.in_(notices))
        if kinds:
            where.append(kept_file.c.kind.in_(kinds))
        if since is not None:
            where.append(kept_file.c.business_date >= since)
        if until is not None:
            where.append(kept_file.c.business_date <= until)
        for column, value in (
            (kept_file.c.account, account),
            (kept_file.c.case_id, case_id),
            (kept_file.c.run_id, run_id),
        ):
            if value is not None:
                where.append(column == value)
        return [_file(row) for row in conn.execute(_query(*where)).mappings()]


def _query(*where: ColumnElement[bool]):  # type: ignore[no-untyped-def]  # noqa: ANN202  the type of a joined select is unreadable
    """Select files that count as gone out: those of no step, or of the call that was proven."""
    gone = or_(kept_file.c.step_id.is_(None), and_(step.c.state == "done", step.c.acted_at == kept_file.c.acted_at))
    return (
        select(kept_file, dunning_case.c.number.label("case"))
        .join(dunning_case, dunning_case.c.id == kept_file.c.case_id)
        .outerjoin(step, step.c.id == kept_file.c.step_id)
        .where(gone, *where)
        .order_by(kept_file.c.id.desc())
    )


def _file(row: RowMapping) -> KeptFile:
    names = (
        "id", "account", "case_id", "case", "run_id", "notice_id", "kind", "name", "media_type", "sha256", "size", "kept_at", "keep_until",
    )  # fmt: skip
    return KeptFile(**{name: row[name] for name in names}, on=row["business_date"])
