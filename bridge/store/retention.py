"""What is over (Aufbewahrung): counted and erased by class; ids, dates, amounts, hashes and the chain of the journal stay."""

from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, update
from sqlalchemy.engine import Connection

from bridge.model import Content
from bridge.store.tables import (
    agreement,
    block,
    claim,
    dunning_case,
    event,
    kept_file,
    notice,
    override,
    reject,
    step,
    task,
)

GONE = "erased"
"""Stands in `notice.hash` once the content of a notice was erased."""


class Retention:
    """What may be erased; every method takes the connection of the caller's transaction first."""

    def rejects(self, conn: Connection, before: datetime, *, erase: bool) -> int:
        """Count records set aside that were settled and not seen since `before`, and erase them."""
        old = reject.c.state != "open", reject.c.last_seen < before
        if erase:
            return conn.execute(delete(reject).where(*old)).rowcount
        return int(conn.scalar(select(func.count()).select_from(reject).where(*old)) or 0)

    def files(self, conn: Connection, today: date, *, erase: bool) -> tuple[int, list[str]]:
        """Count the files whose last day of retention is over, and list the hashes that nothing else needs any more."""
        over = kept_file.c.keep_until < today
        other = kept_file.alias()
        needed = exists(select(1).where(other.c.sha256 == kept_file.c.sha256, other.c.keep_until >= today))
        digests = list(
            conn.scalars(select(kept_file.c.sha256).distinct().where(over, ~needed).order_by(kept_file.c.sha256))
        )
        count = int(conn.scalar(select(func.count()).select_from(kept_file).where(over)) or 0)
        if erase:
            conn.execute(delete(kept_file).where(over))
        return count, digests

    def cases(self, conn: Connection, first_kept: date, *, erase: bool) -> int:
        """Count the cases closed before `first_kept` and not opened since, whose notices still have their texts and recipients."""
        over = and_(dunning_case.c.state == "closed", dunning_case.c.closed_on < first_kept)
        mine = select(notice.c.case_id).where(notice.c.hash != GONE)
        later = select(kept_file.c.case_id).where(kept_file.c.business_date >= first_kept)
        found = select(dunning_case.c.id).where(over, dunning_case.c.id.in_(mine), dunning_case.c.id.not_in(later))
        ids = list(conn.scalars(found.order_by(dunning_case.c.id)))
        for case_id in ids if erase else ():
            self._case(conn, case_id)
            self._facts(conn, case_id, over)
        return len(ids)

    def trail(self, conn: Connection, before: date) -> int:
        """Count the events dated before `before` that still have their data."""
        old = event.c.business_date < before, event.c.salt.is_not(None), event.c.kind != "personal_data_erased"
        return int(conn.scalar(select(func.count()).select_from(event).where(*old)) or 0)

    def _case(self, conn: Connection, case_id: int) -> None:
        empty = Content().model_dump(mode="json")
        own = select(notice.c.id).where(notice.c.case_id == case_id)
        conn.execute(
            update(notice)
            .where(notice.c.case_id == case_id)
            .values(content=empty, recipient="", beside=[], reason_text=None, hash=GONE, approved_hash=None, link=None)
        )
        conn.execute(
            update(step).where(step.c.notice_id.in_(own)).values(content=empty, baseline=None, proof=None, error=None)
        )
        conn.execute(update(task).where(task.c.case_id == case_id).values(title="", note="", outcome_note=None))
        row = conn.execute(select(dunning_case).where(dunning_case.c.id == case_id)).mappings().one()
        mine: list[ColumnElement[bool]] = [block.c.account == row["account"], block.c.debtor_id == row["debtor_id"]]
        ended = or_(block.c.lifted_at.is_not(None), block.c.until < row["closed_on"])
        conn.execute(update(block).where(*mine, ended).values(note=""))
        conn.execute(
            update(agreement)
            .where(
                agreement.c.account == row["account"],
                agreement.c.debtor_id == row["debtor_id"],
                agreement.c.ended_at.is_not(None),
            )
            .values(note="")
        )

    def _facts(self, conn: Connection, case_id: int, over: ColumnElement[bool]) -> None:
        """Erase what people said of the customer for a hand-over, unless another case of theirs may still be handed over."""
        case = conn.execute(select(dunning_case).where(dunning_case.c.id == case_id)).mappings().one()
        its = dunning_case.c.account == case["account"], dunning_case.c.debtor_id == case["debtor_id"]
        if conn.scalar(select(dunning_case.c.id).where(*its, ~over).limit(1)) is not None:
            return
        invoices = select(claim.c.invoice_id).where(claim.c.case_id == case_id)
        about = or_(override.c.debtor_id == case["debtor_id"], override.c.invoice_id.in_(invoices))
        facts = override.c.setting.startswith("fact:")
        conn.execute(delete(override).where(override.c.account == case["account"], about, facts))
