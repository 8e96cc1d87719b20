import shutil
from itertools import count

import pytest

from bridge.store import Store
from tests.faults.world import World

_numbers = count(1)


@pytest.fixture
def live_postgres(postgres_url, tmp_path):
    """Live through a history on a fresh PostgreSQL database; return the world."""

    def run(history):
        with Store.open(postgres_url) as store:
            world = World(history, store, tmp_path)
            world.run()
        return world

    return run


@pytest.fixture
def live(sqlite_template, tmp_path):
    """Live through a history on a fresh SQLite database; return the world and what is wrong with it."""

    def run(history, change=None):
        folder = tmp_path / str(next(_numbers))
        folder.mkdir()
        path = folder / "bridge.db"
        shutil.copyfile(sqlite_template, path)
        with Store.open(path) as store:
            world = World(history, store, folder)
            if change is not None:
                change(world)
            world.run()
        return world

    return run
