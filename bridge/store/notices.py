"""Reading notices: one, lists for people, and the hash that an approval binds to."""

import hashlib
import json
from collections.abc import Collection, Iterable, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, exists, func, or_, select, update

from bridge.errors import WrongState
from bridge.model import Act, Content, NoticeStatus
from bridge.store.records import Beside, Notice, NoticeClaim
from bridge.store.steps import Steps
from bridge.store.tables import event, invoice, notice, notice_claim, provider_notice
from bridge.store.upsert import CHUNK, chunked
from bridge.words import stored_text

EDITED = "notice_edited"
"""Kind of the journal's line about a subject or text that a person changed."""


def cents(amount: Decimal) -> int:
    """Return an exact amount in cents."""
    return int(amount.scaleb(2))


def euros(amount: int) -> Decimal:
    """Return cents as an amount with two places."""
    return Decimal(amount).scaleb(-2)


class Notices:
    """All notices, for reading; every method takes the connection of the caller's transaction first."""

    def __init__(self) -> None:
        self.steps = Steps()

    def get(self, conn: Connection, notice_id: int, *, lock: bool = False) -> Notice:
        """Return one notice with its claims, with `lock` held until the end of the transaction. Raises `WrongState`."""
        query = select(notice).where(notice.c.id == notice_id)
        row = conn.execute(query.with_for_update() if lock else query).mappings().one_or_none()
        if row is None:
            raise WrongState("there is no notice {notice_id}", notice_id=notice_id)
        return _notice(row, self._claims(conn, [notice_id]).get(notice_id, []))

    def listing(
        self,
        conn: Connection,
        *,
        states: Iterable[str] = (),
        account: str | None = None,
        case_id: int | None = None,
        run_id: int | None = None,
        limit: int | None = 1000,
    ) -> list[Notice]:
        """Return notices, newest first; `limit` None: all of them."""
        query = select(notice).order_by(notice.c.id.desc()).limit(limit)
        wanted = sorted(states)
        if wanted:
            query = query.where(notice.c.state.in_(wanted))
        for column, value in ((notice.c.account, account), (notice.c.case_id, case_id), (notice.c.run_id, run_id)):
            if value is not None:
                query = query.where(column == value)
        rows = conn.execute(query).mappings().all()
        claims = self._claims(conn, [row["id"] for row in rows])
        return [_notice(row, claims.get(row["id"], [])) for row in rows]

    def live_for(self, conn: Connection, account: str, invoice_id: str) -> Sequence[Notice]:
        """Return the live notices over one invoice that have not landed."""
        query = (
            select(notice.c.id)
            .join(notice_claim, notice_claim.c.notice_id == notice.c.id)
            .where(notice.c.account == account, notice_claim.c.invoice_id == invoice_id, notice_claim.c.live)
            .where(notice.c.state != "landed")
            .order_by(notice.c.id)
        )
        return [self.get(conn, notice_id) for notice_id in list(conn.scalars(query))]

    def replaced(self, conn: Connection, notice_id: int, by: int) -> None:
        """Note that a person's edit made another notice in the place of this one."""
        conn.execute(update(notice).where(notice.c.id == notice_id).values(replaced_by=by))

    def replacing(self, conn: Connection, one: Notice) -> Sequence[int]:
        """Return the notices in whose place this one was made."""
        query = select(notice.c.id).where(notice.c.case_id == one.case_id, notice.c.replaced_by == one.id)
        return conn.scalars(query.order_by(notice.c.id)).all()

    def rewritten(
        self, conn: Connection, case_id: int, claim_ids: Collection[int], level: int, *, before: int | None = None
    ) -> int | None:
        """Return the notice of this level over one of these claims whose subject or text a person changed and that came to nothing since.

        Only since the last one over them landed. None where there is none, or where that is changed in the notice `before` which it
        is looked for.
        """
        changed = select(event.c.notice_id).where(event.c.case_id == case_id, event.c.kind == EDITED)
        ids = set(conn.scalars(changed))
        if not ids:
            return None
        mine = (
            select(func.max(notice.c.id))
            .join(notice_claim, notice_claim.c.notice_id == notice.c.id)
            .where(notice.c.case_id == case_id, notice_claim.c.claim_id.in_(claim_ids))
        )
        landed = conn.scalar(mine.where(notice.c.state == "landed")) or 0
        query = mine.where(notice.c.id.in_(ids), notice.c.id > landed, notice.c.level == level)
        query = query.where(or_(notice.c.state == "dropped", notice.c.id == before))
        found = conn.scalar(query if before is None else query.where(notice.c.id <= before))
        return None if found == before else found

    def refused(self, conn: Connection, account: str, invoice_ids: Iterable[str]) -> Sequence[Notice]:
        """Return the notices over these invoices that a person refused, where none by the same channel came after."""
        later, own = notice_claim.alias(), notice_claim.c
        newer = exists().where(
            later.c.claim_id == own.claim_id, later.c.channel == own.channel, later.c.notice_id > own.notice_id
        )
        found: set[int] = set()
        for chunk in chunked(invoice_ids, CHUNK):
            query = (
                select(own.notice_id)
                .join(notice, notice.c.id == own.notice_id)
                .where(notice.c.account == account, notice.c.state == "refused", own.invoice_id.in_(chunk))
                .where(own.level > 0, ~newer)
            )
            found.update(conn.scalars(query))
        return [self.get(conn, notice_id) for notice_id in sorted(found)]

    def shown_as_sent(self, conn: Connection, account_name: str) -> set[str]:
        """Return the ids of reminders made for waiting notices which the provider shows as sent."""
        query = (
            select(provider_notice.c.id)
            .join(notice_claim, notice_claim.c.reminder_id == provider_notice.c.id)
            .join(notice, notice.c.id == notice_claim.c.notice_id)
            .where(notice.c.account == account_name, provider_notice.c.account == account_name)
            .where(notice.c.state == "waiting", provider_notice.c.status == NoticeStatus.SENT.value)
        )
        return set(conn.scalars(query))

    def _claims(self, conn: Connection, notice_ids: Sequence[int]) -> dict[int, list[NoticeClaim]]:
        query = (
            select(notice_claim, invoice.c.number)
            .join(notice, notice.c.id == notice_claim.c.notice_id)
            .outerjoin(invoice, and_(invoice.c.account == notice.c.account, invoice.c.id == notice_claim.c.invoice_id))
            .order_by(notice_claim.c.claim_id)
        )
        found: dict[int, list[NoticeClaim]] = {}
        for chunk in chunked(notice_ids, CHUNK):
            for row in conn.execute(query.where(notice_claim.c.notice_id.in_(chunk))).mappings():
                found.setdefault(row["notice_id"], []).append(_claim(row))
        return found

    def hash_of(self, conn: Connection, notice_id: int) -> str:
        """Return the hash of what is stored now: what goes out, to whom, over which claims and amounts."""
        found = self.get(conn, notice_id)
        told: dict[str, Any] = {
            "notice": [found.account, found.debtor_id, found.level, found.level_name, found.channel, found.automation],
            "money": [found.currency, str(found.total), str(found.deadline), found.recipient],
            "content": found.content.model_dump(mode="json"),
            "claims": [
                [one.claim_id, one.round, one.level, one.repetition, str(one.open), str(one.fee)]
                for one in found.claims
            ],
            "steps": [
                [one.act, one.channel, one.claim_id, one.content.model_dump(mode="json")]
                for one in self.steps.of_notice(conn, notice_id)
                if one.act is not Act.DISCARD
            ],
        }
        return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _claim(row: RowMapping) -> NoticeClaim:
    names = (
        "claim_id",
        "invoice_id",
        "round",
        "level",
        "level_name",
        "repetition",
        "live",
        "basis",
        "reminder_id",
        "landed_on",
    )
    return NoticeClaim(
        **{name: row[name] for name in names},
        invoice_number=row["number"],
        open=euros(row["open_cents"]),
        fee=euros(row["fee_cents"]),
    )


def _notice(row: RowMapping, claims: Sequence[NoticeClaim]) -> Notice:
    names = (
        "id", "account", "case_id", "run_id", "state", "version", "plan", "plan_version", "level", "level_name", "channel", "automation",
        "debtor_id", "currency", "deadline", "recipient", "hash", "approved_hash", "approved_by", "reason", "reason_text",
        "created_at", "landed_at", "undelivered", "replaced_by",
    )  # fmt: skip
    return Notice(
        **{name: row[name] for name in names},
        total=euros(row["total_cents"]),
        content=Content.model_validate(row["content"]),
        claims=tuple(claims),
        beside=tuple(Beside(**one | {"text": stored_text(one["text"])}) for one in row["beside"]),
    )
