import pytest

from tests.unit.deliver.bundle import Bundle, bundling
from tests.unit.deliver.scene import Clock, Scene


@pytest.fixture
def scene(sqlite_store):
    return Scene(sqlite_store, Clock())


@pytest.fixture
def both(store):
    """The same scene on SQLite and on PostgreSQL."""
    return Scene(store, Clock())


@pytest.fixture
def bundle(sqlite_store):
    """A bundle that was decided and is queued."""
    made = Bundle(sqlite_store)
    made.decide()
    return made


@pytest.fixture
def proposal(sqlite_store):
    """A bundle that waits for an approval."""
    made = Bundle(sqlite_store, bundling(automation="propose"))
    made.decide()
    return made
