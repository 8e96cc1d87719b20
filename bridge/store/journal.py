"""The journal: what happened, when, who did it; only ever added to."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Protocol

from sqlalchemy import Connection, insert

from bridge.store.tables import event
from bridge.words import Sentence

SELF = "mahnbridge"
"""The actor of everything that no person asked for."""


class Stamped(Protocol):
    """When (business instant, local business date) and by whom something was changed."""

    @property
    def at(self) -> datetime: ...
    @property
    def on(self) -> date: ...
    @property
    def actor(self) -> str: ...


class Journal:
    """Events of cases, invoices, runs, notices and steps."""

    def record(
        self,
        conn: Connection,
        kind: str,
        *,
        at: datetime,
        on: date,
        actor: str = SELF,
        account: str | None = None,
        case_id: int | None = None,
        invoice_id: str | None = None,
        run_id: int | None = None,
        notice_id: int | None = None,
        step_id: int | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> int:
        """Add one event of `kind` at the business instant `at`, local date `on`; return its id. `data` holds JSON values and sentences."""
        values = {
            "at": at,
            "business_date": on,
            "actor": actor,
            "kind": kind,
            "account": account,
            "case_id": case_id,
            "invoice_id": invoice_id,
            "run_id": run_id,
            "notice_id": notice_id,
            "step_id": step_id,
            "data": {
                name: value.among_words() if isinstance(value, Sentence) else value
                for name, value in (data or {}).items()
            },
        }
        values |= digests(values, secrets.token_hex(16))
        return int(conn.execute(insert(event).values(values).returning(event.c.id)).scalar_one())

    def note(self, conn: Connection, kind: str, stamp: Stamped, **about: Any) -> int:
        """Add one event of `kind` as it is stamped, `about` what `record` takes; return its id."""
        return self.record(conn, kind, at=stamp.at, on=stamp.on, actor=stamp.actor, **about)


FACTS = ("business_date", "actor", "kind", "account", "case_id", "invoice_id", "run_id", "notice_id", "step_id")


def digests(values: Mapping[str, Any], salt: str) -> dict[str, str]:
    """Return salt, `data_digest` and `digest` of an event with these values."""
    data_digest = digest_of_data(values["data"], salt)
    return {"salt": salt, "data_digest": data_digest, "digest": digest_of_event(values, data_digest)}


def digest_of_data(data: Any, salt: str) -> str:
    """Return the digest of an event's data; the salt keeps erased data from being guessed."""
    return hexdigest(salt, json_text(data))


def digest_of_event(values: Mapping[str, Any], data_digest: str) -> str:
    """Return the digest of an event: when, who, what, about what, and the digest of its data."""
    facts = ["" if values.get(name) is None else str(values[name]) for name in FACTS]
    return hexdigest(instant_text(values["at"]), *facts, data_digest)


def instant_text(at: datetime) -> str:
    """Return an instant as the one text that digests are taken of: in UTC, with microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def json_text(data: Any) -> str:
    """Return JSON values as the one text that their digest is taken of."""
    return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def hexdigest(*parts: str) -> str:
    """Return the SHA-256 of parts, each with its length, so that no two lists give the same text."""
    return hashlib.sha256("".join(f"{len(part)}:{part}" for part in parts).encode()).hexdigest()
