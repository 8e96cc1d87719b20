"""The full listing under way: which open invoices the provider has listed so far.

One row per batch, written with the batch, so that a listing interrupted by a crash goes on and is judged whole. What is missing from
a complete listing is found in a temporary table of one connection; memory does not grow with the number of invoices.
"""

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from sqlalchemy import Column, MetaData, String, Table, delete, exists, select
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Connection, Engine

from bridge.model import Ref
from bridge.store.tables import invoice, listing

_seen = Table("listing_seen", MetaData(), Column("id", String(128), primary_key=True), prefixes=["TEMPORARY"])

_UNSETTLED = invoice.c.status.in_(("open", "unknown"))


class Listing:
    """The listings of all accounts; at most one per account is under way."""

    def start(self, conn: Connection, account: str) -> None:
        """Forget what was listed before."""
        conn.execute(delete(listing).where(listing.c.account == account))

    def add(self, conn: Connection, account: str, ids: Collection[str], *, complete: bool) -> None:
        """Note the open invoices of one batch; `complete` with the last one."""
        conn.execute(listing.insert().values(account=account, ids=json.dumps(list(ids)), complete=complete))

    def complete(self, conn: Connection, account: str) -> bool:
        """Tell whether a complete listing waits to be judged."""
        query = select(listing.c.id).where(listing.c.account == account, listing.c.complete).limit(1)
        return conn.execute(query).first() is not None

    def open(self, conn: Connection, account: str) -> list[Ref]:
        """Return the stored unsettled invoices of an account."""
        query = select(invoice.c.id, invoice.c.number).where(invoice.c.account == account, _UNSETTLED)
        return [Ref.invoice(row.id, row.number) for row in conn.execute(query.order_by(invoice.c.id))]

    @contextmanager
    def missing(self, engine: Engine, account: str, *, at_once: int = 100) -> Iterator[Iterator[list[Ref]]]:
        """Give the stored unsettled invoices that the complete listing lacks, `at_once` at a time.

        No transaction is open between two lists: they are looked at and written meanwhile.
        """
        with engine.connect() as held:
            held.detach()  # the temporary table ends with this connection
            with held.begin():
                self._fill(held, account)
            yield self._missing(held, account, at_once)

    def _fill(self, held: Connection, account: str) -> None:
        _seen.create(held)
        insert = (postgresql_insert if held.dialect.name == "postgresql" else sqlite_insert)(
            _seen
        ).on_conflict_do_nothing()
        pages = select(listing.c.ids).where(listing.c.account == account)
        for page in held.execute(pages, execution_options={"yield_per": 10}).scalars():
            values = [{"id": i} for i in json.loads(page)]
            if values:
                held.execute(insert, values)

    def _missing(self, held: Connection, account: str, at_once: int) -> Iterator[list[Ref]]:
        last = ""
        while True:
            with held.begin():
                query = (
                    select(invoice.c.id, invoice.c.number)
                    .where(
                        invoice.c.account == account,
                        invoice.c.id > last,
                        _UNSETTLED,
                        ~exists().where(_seen.c.id == invoice.c.id),
                    )
                    .order_by(invoice.c.id)
                    .limit(at_once)
                )
                found = [Ref.invoice(row.id, row.number) for row in held.execute(query)]
            if not found:
                return
            yield found
            last = found[-1].id
