import pytest

from tests.faults.stage import Stage, make_cheap
from tests.faults.world import World


@pytest.fixture(scope="session")
def one_stage():
    """One folder and mail server for all histories of this process."""
    made = Stage()
    yield made
    made.close()


@pytest.fixture
def stage(one_stage, monkeypatch):
    """The same, where what every history needs is parsed once."""
    make_cheap(monkeypatch.setattr)
    return one_stage


@pytest.fixture
def live_postgres(postgres_url, tmp_path):
    """Live through a history on a fresh PostgreSQL database; return the world."""

    def run(history):
        world = World(history, Stage(tmp_path), postgres_url)
        world.run()
        return world

    return run


@pytest.fixture
def live(stage):
    """Live through a history on a fresh SQLite database; return the world and what is wrong with it."""

    def run(history, change=None):
        world = World(history, stage, stage.clear(), change=change)
        world.run()
        return world

    return run
