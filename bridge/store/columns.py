"""What the tables are made of: instants in UTC, cents, ids, and the metadata that holds all tables."""

import re
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, Integer, MetaData, Table, Text, TypeDecorator
from sqlalchemy.engine import Dialect

from bridge.errors import Wrong
from bridge.words import Sentence, stored_text


class Instant(TypeDecorator[datetime]):
    """An aware instant, kept in UTC; a naive one is a mistake of ours and refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise Wrong("naive instant {value!r}", value=value)
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Told(TypeDecorator[Sentence]):
    """A sentence for staff, kept as template and facts, so that it is told in the language of whoever reads it."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value.to_store() if isinstance(value, Sentence) else value

    def process_result_value(self, value: str | None, dialect: Dialect) -> Sentence | None:
        return None if value is None else Sentence.stored(value)


class Spoken(TypeDecorator[str]):
    """A sentence for staff, as `Told` keeps it, or somebody's own words, which are plain text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return value.among_words() if isinstance(value, Sentence) else value

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else stored_text(value)


_BY_LINK = re.compile(r"debtor's link of notice (\d{1,18})")


def by_link(notice_id: int) -> Sentence:
    """Return the actor of what a debtor did by the link of a notice."""
    return Sentence("debtor's link of notice {notice}", notice=notice_id)


class Actor(TypeDecorator[str]):
    """Who did something: a person's name, `mahnbridge`, or the debtor by a link, which is told in the language of whoever reads it.

    Kept is the text alone, in English, over which the journal's chain is made: nobody can let it read otherwise in another language.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else "".join(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        by = _BY_LINK.fullmatch(value or "")
        return by_link(int(by[1])) if by else value


Cents = BigInteger
Id = BigInteger().with_variant(Integer, "sqlite")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def table(name: str, *columns: Any) -> Table:
    """Return a table of ours."""
    return Table(name, metadata, *columns)
