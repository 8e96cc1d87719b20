"""Stores of one test process share compiled statements, whichever of them came first."""

import pytest
import sqlalchemy
from sqlalchemy import NullPool
from sqlalchemy.exc import OperationalError

from tests.sharing import sharing


def test_a_store_that_never_connected_spoils_no_later_one(postgres_url):
    """The first engine finds no server: the next one knows its database, and a later one shares what that one compiled."""
    make = sharing(sqlalchemy.create_engine)
    lost = make("postgresql+psycopg://nobody@127.0.0.1:1/nothing")
    with pytest.raises(OperationalError):
        lost.connect()
    url = sqlalchemy.make_url(postgres_url).set(drivername="postgresql+psycopg")
    found = _connected(make(url, poolclass=NullPool))
    later = _connected(make(url, poolclass=NullPool))
    assert later.dialect is found.dialect is not lost.dialect


def _connected(engine):
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        assert connection.scalar(sqlalchemy.text("select 1")) == 1
    return engine
