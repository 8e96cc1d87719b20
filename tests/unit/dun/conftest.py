"""A stage on a real store."""

import pytest

from tests.unit.dun.stage import Stage


@pytest.fixture
def stage(store):
    """A stage on SQLite and on PostgreSQL."""
    return Stage(store)


@pytest.fixture
def lone(sqlite_store):
    """A stage on SQLite alone."""
    return Stage(sqlite_store)
