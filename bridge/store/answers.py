"""Answers of debtors through the link of a notice, and the links themselves: found, counted, revoked."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, select, update

from bridge.store.cases import Stamp
from bridge.store.journal import Journal
from bridge.store.tables import event, notice

ANSWERED = "debtor_answered"
"""Kind of the journal's line about an answer."""


@dataclass(frozen=True, slots=True)
class StoredLink:
    """The link of one notice in its state. `sent_at`: when it landed, or was made where that is not proven yet."""

    notice_id: int
    account: str
    case_id: int
    state: str
    sent_at: datetime
    revoked_at: datetime | None

    @property
    def out(self) -> bool:
        """Return whether the notice has gone out, or may have."""
        return self.state in ("queued", "landed", "waiting", "parked")


class Answers:
    """Links and answers; every method takes the connection of the caller's transaction first."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def link(self, conn: Connection, ref: str, *, lock: bool = False) -> StoredLink | None:
        """Return the notice that a link stands in, the newest where an earlier one came to nothing; None where there is none."""
        query = select(notice).where(notice.c.link == ref).order_by(notice.c.id.desc()).limit(1)
        row = conn.execute(query.with_for_update() if lock else query).mappings().first()
        if row is None:
            return None
        return _link(row)

    def of_case(self, conn: Connection, case_id: int) -> list[StoredLink]:
        """Return the links in the notices of a case, newest first."""
        query = (
            select(notice).where(notice.c.case_id == case_id, notice.c.link.is_not(None)).order_by(notice.c.id.desc())
        )
        return [_link(row) for row in conn.execute(query).mappings()]

    def given(self, conn: Connection, link: StoredLink) -> list[Mapping[str, Any]]:
        """Return the answers to a notice as they were noted, oldest first."""
        mine = event.c.case_id == link.case_id, event.c.notice_id == link.notice_id, event.c.kind == ANSWERED
        query = select(event.c.data).where(*mine, event.c.salt.is_not(None))  # what was erased says nothing any more
        return list(conn.scalars(query.order_by(event.c.id)))

    def note(self, conn: Connection, link: StoredLink, data: Mapping[str, Any], stamp: Stamp) -> None:
        """Note an answer in the journal."""
        self._journal.note(
            conn,
            ANSWERED,
            stamp,
            account=link.account,
            case_id=link.case_id,
            notice_id=link.notice_id,
            data=data,
        )

    def revoke(self, conn: Connection, links: Iterable[StoredLink], stamp: Stamp) -> int:
        """Revoke links, each once; return how many held until now."""
        revoked = 0
        for one in links:
            still = update(notice).where(notice.c.id == one.notice_id, notice.c.link_revoked_at.is_(None))
            if conn.execute(still.values(link_revoked_at=stamp.at)).rowcount:
                revoked += 1
                self._journal.note(conn, "link_revoked", stamp, account=one.account,
                    case_id=one.case_id, notice_id=one.notice_id,
                )  # fmt: skip
        return revoked


def _link(row: RowMapping) -> StoredLink:
    return StoredLink(
        notice_id=row["id"],
        account=row["account"],
        case_id=row["case_id"],
        state=row["state"],
        sent_at=row["landed_at"] or row["created_at"],
        revoked_at=row["link_revoked_at"],
    )
