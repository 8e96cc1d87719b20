import pytest

from bridge.replay import Replay
from tests.unit.deliver.scene import Clock, Scene


@pytest.fixture
def scene(sqlite_store):
    return Scene(sqlite_store, Clock())


@pytest.fixture
def both(store):
    """The same scene on SQLite and on PostgreSQL."""
    return Scene(store, Clock())


@pytest.fixture
def replay(scene):
    return Replay(scene.deliverer.desk, scene.deliverer.accounts)
