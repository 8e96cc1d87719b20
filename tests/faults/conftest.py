import shutil
from itertools import count

import pytest

from tests.faults.world import World

_numbers = count(1)


@pytest.fixture
def live_postgres(postgres_url, tmp_path):
    """Live through a history on a fresh PostgreSQL database; return the world."""

    def run(history):
        world = World(history, tmp_path, postgres_url)
        world.run()
        return world

    return run


@pytest.fixture
def fresh(sqlite_template, tmp_path):
    """Return a new folder and the URL of a fresh SQLite database in it."""

    def make():
        folder = tmp_path / str(next(_numbers))
        folder.mkdir()
        shutil.copyfile(sqlite_template, folder / "bridge.db")
        return folder, f"sqlite:///{folder / 'bridge.db'}"

    return make


@pytest.fixture
def live(fresh):
    """Live through a history on a fresh SQLite database; return the world and what is wrong with it."""

    def run(history, change=None):
        world = World(history, *fresh(), change=change)
        world.run()
        return world

    return run
