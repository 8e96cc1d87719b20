"""What people chose: blocks (Mahnsperren), deferrals, plans, inclusions, a next level. Lifted or replaced, never deleted."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, tzinfo
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, and_, func, insert, or_, select, update
from sqlalchemy.engine import Connection

from bridge.errors import UsageError, Wrong
from bridge.model import Colleague, Reason
from bridge.policy.colleagues import colleague_of
from bridge.policy.recipients import address_of
from bridge.policy.views import Block, SendTo
from bridge.store.agreements import Agreements, StoredAgreement
from bridge.store.cases import Stamp
from bridge.store.journal import Journal
from bridge.store.tables import block, claim, dunning_case, override
from bridge.store.upsert import CHUNK, chunked, mark, mark_debtors

SETTINGS = (
    "plan", "include", "next_level", "next_variant", "hand_over", "mail_to", "post_to", "colleagues", "fee", "contact", "fact",
)  # fmt: skip
"""What can be chosen; `mail_to:2` and `post_to:2` are recipients of level 2 alone, `fact:legal_form` is what a person says of the customer."""

BLOCKING = frozenset(
    {
        Reason.CUSTOMER_EXCLUDED,
        Reason.INVOICE_EXCLUDED,
        Reason.DEFERRED,
        Reason.DISPUTE,
        Reason.PROMISE_TO_PAY,
        Reason.SAYS_PAID,
        Reason.PAYMENT_PLAN,
        Reason.DIRECT_DEBIT_PENDING,
        Reason.PREPAYMENT,
        Reason.INSOLVENCY,
        Reason.COLLECTION,
        Reason.PARKED,
        Reason.ADDRESS_UNKNOWN,
    }
)
"""Reasons that a person can block with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a choice is about: one customer or one invoice of an account. Exactly one of the two is given."""

    account: str
    debtor_id: str | None = None
    invoice_id: str | None = None

    def __post_init__(self) -> None:
        if (self.debtor_id is None) == (self.invoice_id is None):
            raise Wrong("a choice is about one customer or one invoice")


class Said(NamedTuple):
    """One fact that a person said: days in ISO 8601."""

    value: str
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredBlock:
    """One block as stored. `until` is inclusive; None: until lifted."""

    id: int
    account: str
    debtor_id: str | None
    invoice_id: str | None
    reason: Reason
    note: str
    actor: str
    created_at: datetime
    until: date | None
    lifted_at: datetime | None
    lifted_by: str | None
    agreement_id: int | None = None
    agreement: StoredAgreement | None = None

    def view(self, zone: tzinfo) -> Block:
        """Return it as the rules see it, with the local date on which it was set."""
        since = self.created_at.astimezone(zone).date()
        terms = self.agreement.terms if self.agreement else None
        return Block(self.reason, self.until, "", self.note, self.actor, since, terms)

    def active_on(self, day: date) -> bool:
        """Return whether it is in force on a local date, as far as is known now."""
        return self.lifted_at is None and (self.until is None or self.until >= day)


@dataclass(frozen=True, slots=True)
class Chosen:
    """The choices in force for one customer or invoice."""

    plan: str | None = None
    include: str | None = None
    include_by: str = ""
    include_at: datetime | None = None
    next_level: int | None = None
    next_level_by: str = ""
    next_variant: str | None = None
    hand_over: str | None = None
    hand_over_by: str = ""
    fees: tuple[tuple[int, int], ...] = ()  # level, cents
    send_to: tuple[SendTo, ...] = ()
    colleagues: tuple[Colleague, ...] = ()


@dataclass(slots=True)
class Choices:
    """Blocks and choices; every method takes the connection of the caller's transaction first."""

    journal: Journal
    agreements: Agreements
    settings: tuple[str, ...] = field(default=SETTINGS)

    # -------------------------------------------------------------------------------------------------------- blocks

    def block(
        self,
        conn: Connection,
        target: Target,
        reason: Reason,
        stamp: Stamp,
        *,
        note: str = "",
        until: date | None = None,
    ) -> int:
        """Block a customer or an invoice, until a date (inclusive) or until it is lifted; return the block's id.

        Raises `UsageError` where the reason is none that a person can block with, or the end lies in the past.
        """
        if reason not in BLOCKING:
            known = ", ".join(sorted(one.value for one in BLOCKING))
            raise UsageError("{reason!r} is no reason for a block; there are {known}", reason=reason.value, known=known)
        if until is not None and until < stamp.on:
            raise UsageError("until {until} lies before today ({on})", until=until, on=stamp.on)
        values = {
            "account": target.account,
            "debtor_id": target.debtor_id,
            "invoice_id": target.invoice_id,
            "reason": reason.value,
            "note": note,
            "actor": stamp.actor,
            "created_at": stamp.at,
            "until": until,
        }
        block_id = int(conn.execute(insert(block).values(values).returning(block.c.id)).scalar_one())
        data = {"block": block_id, "reason": reason.value, "note": note, "until": until.isoformat() if until else None}
        kind = "deferred" if reason is Reason.DEFERRED else "blocked"
        self._changed(conn, kind, target, stamp, data)
        return block_id

    def block_anew(
        self,
        conn: Connection,
        target: Target,
        reason: Reason,
        stamp: Stamp,
        *,
        note: str = "",
        until: date | None = None,
    ) -> int:
        """Block in the place of the blocks in force on the same target for the same reason; return how many these were.

        Those of an agreement, of a hand-over or of what is parked stay: they end with what they are for. Raises `UsageError` as `block` does.
        """
        new = self.block(conn, target, reason, stamp, note=note, until=until)
        if reason in (Reason.COLLECTION, Reason.PARKED):
            return 0
        same = block.c.reason == reason.value, block.c.agreement_id.is_(None), block.c.id < new
        there = block.c.lifted_at.is_(None), or_(block.c.until.is_(None), block.c.until >= stamp.on)
        values = {"lifted_at": stamp.at, "lifted_by": stamp.actor}
        ended = conn.execute(update(block).where(*_about(target), *same, *there).values(**values)).rowcount
        if ended:
            data = {"count": ended, "reason": reason.value, "block": new}
            self._changed(conn, "block_replaced", target, stamp, data)
        return int(ended)

    def unblock(
        self,
        conn: Connection,
        target: Target,
        stamp: Stamp,
        *,
        reason: Reason | None = None,
        block_id: int | None = None,
        but: Reason | None = None,
    ) -> int:
        """Lift the blocks in force on a customer or invoice, all or those with a reason or id, or all `but` one reason; return how many."""
        where = [*_about(target), block.c.lifted_at.is_(None), or_(block.c.until.is_(None), block.c.until >= stamp.on)]
        if but is not None:
            where.append(block.c.reason != but.value)
        if reason is not None:
            where.append(block.c.reason == reason.value)
        if block_id is not None:
            where.append(block.c.id == block_id)
        lifted = conn.execute(update(block).where(*where).values(lifted_at=stamp.at, lifted_by=stamp.actor)).rowcount
        if lifted:
            data = {"count": lifted, "reason": reason.value if reason else None}
            self._changed(conn, "unblocked", target, stamp, data)
            self.agreements.lifted(conn, target.account, stamp)
        return int(lifted)

    def blocks(
        self,
        conn: Connection,
        account: str,
        *,
        debtor_ids: Collection[str] = (),
        invoice_ids: Collection[str] = (),
        active_on: date | None = None,
    ) -> list[StoredBlock]:
        """Return the blocks on these customers and invoices, oldest first; with `active_on` only those in force that day."""
        found: dict[int, StoredBlock] = {}
        for column, ids in ((block.c.debtor_id, debtor_ids), (block.c.invoice_id, invoice_ids)):
            for chunk in chunked(ids, CHUNK):
                query = select(block).where(block.c.account == account, column.in_(chunk))
                if active_on is not None:
                    query = query.where(
                        block.c.lifted_at.is_(None), or_(block.c.until.is_(None), block.c.until >= active_on)
                    )
                for row in conn.execute(query).mappings():
                    found[row["id"]] = StoredBlock(**{**row, "reason": Reason(row["reason"])})
        agreed = self.agreements.by_id(conn, {one.agreement_id for one in found.values() if one.agreement_id})
        for block_id, one in found.items():
            if one.agreement_id:
                found[block_id] = replace(one, agreement=agreed[one.agreement_id])
        return [found[block_id] for block_id in sorted(found)]

    def break_promises(self, conn: Connection, account: str, stamp: Stamp) -> int:
        """End the promises to pay whose day has passed; mark the case of each claim that is still open. Return how many broke."""
        ended = conn.execute(
            update(block)
            .where(block.c.account == account, block.c.reason == Reason.PROMISE_TO_PAY.value)
            .where(block.c.lifted_at.is_(None), block.c.until < stamp.on)
            .values(lifted_at=stamp.at, lifted_by=stamp.actor)
            .returning(block.c.debtor_id, block.c.invoice_id, block.c.until)
        ).all()
        broken = 0
        for debtor_id, invoice_id, until in ended:
            query = (
                select(claim.c.case_id, claim.c.invoice_id)
                .join(dunning_case, dunning_case.c.id == claim.c.case_id)
                .where(claim.c.account == account, claim.c.state == "open")
                .where(claim.c.invoice_id == invoice_id if invoice_id else dunning_case.c.debtor_id == debtor_id)
            )
            for case_id, of in conn.execute(query).all():
                data = {"until": until.isoformat()}
                self.journal.note(conn, "promise_broken", stamp, account=account,
                    case_id=case_id, invoice_id=of, data=data,
                )  # fmt: skip
                broken += 1
        return broken

    # ------------------------------------------------------------------------------------------------------- choices

    def choose(self, conn: Connection, target: Target, setting: str, value: str, stamp: Stamp) -> None:
        """Record a choice; it replaces the one before. `include` is include, exclude or default; a plan may be `none`.

        Raises `UsageError` on an unknown setting or value, and on a next level that is not above the last one.
        """
        if setting.partition(":")[0] not in self.settings:
            raise UsageError(
                "{setting!r} is no choice; there are {settings}", setting=setting, settings=", ".join(self.settings)
            )
        if setting == "include" and value not in ("include", "exclude", "default"):
            raise UsageError("{value!r}: write include, exclude or default", value=value)
        if setting == "next_level" and not (value.isdigit() and int(value) > 0):
            raise UsageError("{value!r} is no level; write its number, such as 3", value=value)
        if setting == "next_level":
            self._not_back(conn, target, int(value))
        self.withdraw(conn, target, setting, stamp)
        conn.execute(
            insert(override).values(
                account=target.account,
                debtor_id=target.debtor_id,
                invoice_id=target.invoice_id,
                setting=setting,
                value=value,
                actor=stamp.actor,
                created_at=stamp.at,
            )
        )
        self._changed(conn, "chosen", target, stamp, {"setting": setting, "value": value})

    def _not_back(self, conn: Connection, target: Target, level: int) -> None:
        where = claim.c.account == target.account, claim.c.invoice_id == target.invoice_id, claim.c.level >= level
        stands_at = conn.scalar(select(claim.c.level).where(*where))
        if stands_at is not None:
            raise UsageError(
                "this claim stands at level {stands_at} already; a level never goes back, choose a higher one",
                stands_at=stands_at,
            )

    def withdraw(self, conn: Connection, target: Target, setting: str, stamp: Stamp) -> bool:
        """End a choice: it was used, or is replaced. Return whether there was one."""
        where = [*_about(target, override.c), override.c.setting == setting, override.c.used_at.is_(None)]
        return conn.execute(update(override).where(*where).values(used_at=stamp.at)).rowcount > 0

    def take_back(self, conn: Connection, target: Target, setting: str, stamp: Stamp) -> bool:
        """End a choice in a person's name, and let what it concerned be decided today. Return whether there was one."""
        there = self.withdraw(conn, target, setting, stamp)
        if there:
            self._changed(conn, "choice_taken_back", target, stamp, {"setting": setting})
        return there

    def levels_of(self, conn: Connection, target: Target, setting: str) -> list[str]:
        """Return the settings in force of this kind: itself, and those for one level (`mail_to:2`)."""
        query = select(override.c.setting).where(*_about(target, override.c), override.c.used_at.is_(None))
        return sorted({one for (one,) in conn.execute(query) if one.partition(":")[0] == setting})

    def chosen(
        self,
        conn: Connection,
        account: str,
        *,
        debtor_ids: Collection[str] = (),
        invoice_ids: Collection[str] = (),
    ) -> tuple[dict[str, Chosen], dict[str, Chosen]]:
        """Return the choices in force by customer and by invoice."""
        return (
            self._chosen(conn, account, "debtor_id", debtor_ids),
            self._chosen(conn, account, "invoice_id", invoice_ids),
        )

    def given_by(
        self, conn: Connection, account: str, setting: str, *, debtor_id: str | None, invoice_id: str
    ) -> tuple[str, datetime] | None:
        """Return who made the choice of `setting` that is in force for an invoice, and when (aware): for itself, else for its customer."""
        query = (
            select(override.c.actor, override.c.created_at)
            .where(override.c.account == account, override.c.setting == setting, override.c.used_at.is_(None))
            .where(or_(override.c.invoice_id == invoice_id, override.c.debtor_id == (debtor_id or "")))
            .order_by(override.c.invoice_id.is_(None), override.c.id.desc())
        )
        row = conn.execute(query).first()
        return None if row is None else (row.actor, row.created_at)

    def said(self, conn: Connection, target: Target) -> dict[str, Said]:
        """Return, by fact, what people said of a customer or an invoice for a hand-over, and who did."""
        where = *_about(target, override.c), override.c.setting.startswith("fact:"), override.c.used_at.is_(None)
        rows = conn.execute(select(override.c.setting, override.c.value, override.c.actor).where(*where))
        return {setting.partition(":")[2]: Said(value, actor) for setting, value, actor in rows}

    def plans_given(self, conn: Connection) -> dict[tuple[str, str], tuple[int, int]]:
        """Return, by account and plan, how many customers and single invoices have it by a person's choice."""
        query = (
            select(
                override.c.account,
                override.c.value,
                func.count(override.c.debtor_id),
                func.count(override.c.invoice_id),
            )
            .where(override.c.setting == "plan", override.c.used_at.is_(None))
            .group_by(override.c.account, override.c.value)
        )
        return {(account, plan): (customers, invoices) for account, plan, customers, invoices in conn.execute(query)}

    def _chosen(self, conn: Connection, account: str, name: str, ids: Iterable[str]) -> dict[str, Chosen]:
        column = override.c[name]
        found: dict[str, dict[str, Any]] = {}
        for chunk in chunked(ids, CHUNK):
            query = (
                select(column, override.c.setting, override.c.value, override.c.actor, override.c.created_at)
                .where(override.c.account == account, column.in_(chunk), override.c.used_at.is_(None))
                .order_by(override.c.id)
            )
            for key, setting, value, actor, at in conn.execute(query):
                values = found.setdefault(key, {})
                if setting.startswith(("mail_to", "post_to")):
                    one = _send_to(setting, value)
                    known = values.get("send_to", ())  # of one level before of all
                    values["send_to"] = (one, *known) if one.level else (*known, one)
                elif setting.startswith("fee:"):
                    values["fees"] = (*values.get("fees", ()), (int(setting.partition(":")[2]), int(value)))
                elif setting == "colleagues":
                    values[setting] = tuple(colleague_of(one) for one in value.split("; ") if one)
                elif setting == "next_level":
                    values |= {"next_level": int(value), "next_level_by": actor}
                elif setting == "hand_over":
                    values |= {"hand_over": value, "hand_over_by": actor}
                elif setting == "contact" or setting.startswith("fact:"):
                    continue  # `Cases.last_contacts` and `said` read them
                elif setting == "include":
                    if value != "default":
                        values |= {"include": value, "include_by": actor, "include_at": at}
                else:
                    values[setting] = value
        return {key: Chosen(**values) for key, values in found.items()}

    def _changed(self, conn: Connection, kind: str, target: Target, stamp: Stamp, data: Mapping[str, object]) -> None:
        """Note the change, and let what it concerns be decided today."""
        about = {"debtor": target.debtor_id} if target.debtor_id else {}
        self.journal.note(
            conn,
            kind,
            stamp,
            account=target.account,
            invoice_id=target.invoice_id,
            data={**data, **about},
        )
        self.wake(conn, target, stamp)

    def wake(self, conn: Connection, target: Target, stamp: Stamp) -> None:
        """Let what a choice concerns be decided today."""
        if target.invoice_id is not None:
            mark(conn, target.account, [target.invoice_id], stamp.on)
        elif target.debtor_id is not None:
            mark_debtors(conn, target.account, [target.debtor_id], stamp.on)


def _send_to(setting: str, value: str) -> SendTo:
    kind, _, level = setting.partition(":")
    if kind == "mail_to":
        return SendTo(int(level or 0), emails=tuple(value.split(", ")))
    return SendTo(int(level or 0), address=address_of(value))


def _about(target: Target, columns: object = block.c) -> list[ColumnElement[bool]]:
    if target.invoice_id is not None:
        return [and_(columns.account == target.account, columns.invoice_id == target.invoice_id)]  # type: ignore[attr-defined]
    return [and_(columns.account == target.account, columns.debtor_id == target.debtor_id)]  # type: ignore[attr-defined]
