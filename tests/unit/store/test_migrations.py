"""Upgrades happen at start, once, wholly or not at all, and never over the only copy."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, text

from bridge import config
from bridge.app import Bridge
from bridge.app.backup_file import verify
from bridge.app.backups import put_back
from bridge.errors import ConfigError
from bridge.store import Store, migrations
from bridge.store.migrations import make, revision_of, revisions
from bridge.store.tables import metadata
from tests.unit.store.made import DAY, NOW, batch, invoice

SECOND = '''"""A second revision."""

import sqlalchemy as sa
from alembic import op

revision = "{new}"
down_revision = "{old}"


def upgrade() -> None:
    with op.batch_alter_table("invoice") as batch:
        batch.add_column(sa.Column("colour", sa.Text()))
        batch.alter_column("currency", type_=sa.String(4))
{more}
'''


@pytest.fixture
def newer(tmp_path, monkeypatch):
    """A program that is one revision ahead; call it with what else that revision does."""

    def make_newer(more=""):
        versions = tmp_path / "versions"
        shutil.copytree(migrations.VERSIONS, versions, ignore=shutil.ignore_patterns("__pycache__"))
        old = revisions()[-1]
        new = f"{int(old) + 1:04}"
        (versions / f"{new}_second.py").write_text(SECOND.format(new=new, old=old, more=more))
        monkeypatch.setattr(migrations, "VERSIONS", versions)
        return new

    return make_newer


def fill(store):
    with store.begin() as conn:
        store.mirror.write(conn, "a", batch(invoices=[invoice("1")]), business_date=DAY, now=NOW)
        store.journal.record(conn, "connected", at=NOW, on=DAY, account="a", data={"name": "Zoë"})
        return store.trail.extend(conn)


def whole(store, head):
    """The journal has all its events, unchanged, under the same chain."""
    with store.reading() as conn:
        return store.trail.head(conn) == head and not list(store.trail.check(conn, [head]))


def columns(store, table="invoice"):
    return {column["name"] for column in inspect(store.engine).get_columns(table)}


def test_migrations_lead_to_the_tables(store):
    """The revisions, run on an empty database, make exactly the tables that the code uses."""
    with store.engine.connect() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == [], "run: python -m bridge.store.migrations.make WHAT AND WHY"
        assert set(inspect(conn).get_table_names()) == {*metadata.tables, "alembic_version"}


def described(engine):
    with engine.connect() as conn:
        columns = {name: conn.execute(text(f'pragma table_info("{name}")')).all() for name in metadata.tables}
        references = {
            name: sorted(row[2:] for row in conn.execute(text(f'pragma foreign_key_list("{name}")')))
            for name in metadata.tables
        }
        indexes = conn.execute(
            text("select name, sql from sqlite_master where type = 'index' and sql <> '' order by name")
        ).all()
    return columns, references, indexes


def test_migrations_lead_to_the_same_defaults(sqlite_store, tmp_path):
    """Defaults, partial indexes and references too are what the code says."""
    plain = create_engine(f"sqlite:///{tmp_path / 'plain.db'}")
    metadata.create_all(plain)
    migrated, made = described(sqlite_store.engine), described(plain)
    plain.dispose()
    assert migrated == made


def test_an_upgrade_keeps_the_rows_and_a_copy(sqlite_store, sqlite_path, newer):
    """Opening an older database upgrades it; every row stays, and the file as it was lies beside it, readable for its owner."""
    head = fill(sqlite_store)
    sqlite_store.close()
    sqlite_path.chmod(0o600)
    old = revisions()[-1]
    new = newer()
    with Store.open(sqlite_path) as store:
        assert "colour" in columns(store)
        with store.reading() as conn:
            assert revision_of(conn) == new
            assert store.mirror.invoice(conn, "a", "1").invoice == invoice("1")
            assert conn.execute(text("pragma foreign_keys")).scalar() == 1
        assert whole(store, head)
    (copy,) = sqlite_path.parent.glob("bridge.db.revision-*.bak")
    assert copy.name.startswith(f"bridge.db.revision-{old}.")
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(copy)) as kept:
        assert kept.execute("select number from invoice").fetchall() == [("RE-1",)]
        assert kept.execute("select version_num from alembic_version").fetchall() == [(old,)]


@pytest.fixture
def installation(tmp_path):
    """A configuration whose database is the one at a URL."""

    def write(url):
        (tmp_path / "inbox").mkdir(exist_ok=True)
        text = f"creditor: {{name: X}}\naccounts: {{a: {{connector: generic_csv, settings: {{inbox: inbox}}}}}}\ndatabase: {{url: '{url}'}}\n"
        (tmp_path / "bridge.yaml").write_text(text, "utf-8")
        return tmp_path / "bridge.yaml"

    return write


@pytest.mark.postgres
def test_an_upgrade_of_postgresql_keeps_the_rows_and_a_copy(postgres_url, another_postgres_url, installation, newer):
    """A shared database is upgraded in place; as it was it lies in the data folder, as a backup that both programs can put back."""
    with Bridge.open(installation(postgres_url), actor="t", env={}) as bridge:
        head = fill(bridge.store)
        with bridge.store.begin() as conn:
            conn.execute(text("create table recipes (name text)"))  # another program's, which is none of our business
    copies = installation(postgres_url).parent / "data" / "backups"
    assert not copies.exists()
    old, new = revisions()[-1], newer("    op.drop_table('lease')")
    metadata.remove(lease := metadata.tables["lease"])
    try:
        with Bridge.open(installation(postgres_url), actor="t", env={}) as bridge:
            assert "colour" in columns(bridge.store)
            with bridge.store.reading() as conn:
                assert revision_of(conn) == new
                assert bridge.store.mirror.invoice(conn, "a", "1").invoice == invoice("1")
            assert whole(bridge.store, head)
    finally:
        lease.to_metadata(metadata)
    [copy] = copies.iterdir()
    assert copy.name.startswith(f"before-upgrade-of-{old}.")
    assert copy.stat().st_mode & 0o777 == 0o600
    told = verify(copy).database
    assert (told.revision, told.rows["invoice"], "lease" in told.rows, "recipes" in told.rows) == (old, 1, True, False)

    migrations.VERSIONS = migrations.HERE / "versions"  # back to the old program, on an empty database
    put_back(config.load(installation(another_postgres_url), {}), copy, actor="t")
    with Bridge.open(installation(another_postgres_url), actor="t", env={}) as bridge:
        with bridge.store.reading() as conn:
            assert revision_of(conn) == old
            assert bridge.store.mirror.invoice(conn, "a", "1").invoice == invoice("1")
            assert list(bridge.store.trail.check(conn, [head])) == []
        assert bridge.restored() is not None


@pytest.mark.postgres
def test_no_upgrade_of_postgresql_without_its_copy(postgres_url, installation, newer):
    """Where the copy cannot be written the database stays as it was, for the old program."""
    with Bridge.open(installation(postgres_url), actor="t", env={}) as bridge:
        before = columns(bridge.store)
    (installation(postgres_url).parent / "data" / "backups").write_text("in the way")
    newer()
    with pytest.raises(ConfigError, match="was not upgraded: its copy") as caught:
        Bridge.open(installation(postgres_url), actor="t", env={})
    assert caught.value.cause == "database"
    migrations.VERSIONS = migrations.HERE / "versions"
    with Store.open(postgres_url) as store:
        assert columns(store) == before


def test_a_failing_upgrade_changes_nothing(database, newer):
    """An upgrade that fails half-way leaves the database as it was, for the old program."""
    with Store.open(database) as store:
        fill(store)
        before = columns(store)
    newer("    op.execute('insert into no_such_table values (1)')")
    with pytest.raises(Exception, match="no_such_table"):
        Store.open(database)
    migrations.VERSIONS = migrations.HERE / "versions"
    with Store.open(database) as store, store.reading() as conn:
        assert columns(store) == before
        assert store.mirror.invoice(conn, "a", "1") is not None


def test_a_broken_reference_stops_the_upgrade(sqlite_path, newer):
    """A SQLite upgrade that would leave a reference without its target is undone."""
    newer("    op.execute('delete from dunning_case')")
    with closing(sqlite3.connect(sqlite_path)) as raw:
        case = "insert into dunning_case (id, number, account, debtor_id, state, opened_on) values (7, 'MA-1', 'a', 'd', 'open', ?)"
        raw.execute(case, (DAY.isoformat(),))
        raw.execute("insert into claim (case_id, account, invoice_id, state) values (7, 'a', '1', 'open')")
        raw.commit()
    with pytest.raises(ConfigError, match="would break"):
        Store.open(sqlite_path)
    with closing(sqlite3.connect(sqlite_path)) as raw:
        assert "colour" not in {row[1] for row in raw.execute("pragma table_info(invoice)")}


def test_a_newer_database_is_refused(database, newer):
    """A program that is older than the database says so, and touches nothing."""
    newer()
    Store.open(database).close()
    migrations.VERSIONS = migrations.HERE / "versions"
    with pytest.raises(ConfigError, match="newer mahnbridge") as caught:
        Store.open(database)
    assert caught.value.cause == "database_newer"


def test_a_foreign_database_is_refused(tmp_path):
    """Another program's SQLite file is not filled with our tables."""
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("create table recipes (name text)")
        other.commit()
    with pytest.raises(ConfigError, match="recipes"):
        Store.open(path)
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("select name from sqlite_master").fetchall() == [("recipes",)]


def test_only_the_newest_copies_are_kept(sqlite_path):
    """Old copies are removed, whatever revision they are of."""
    made = [migrations.back_up(sqlite_path, revision, keep=2) for revision in ("0003", "0001", "0002")]
    assert [one.exists() for one in made] == [False, True, True]
    assert migrations.back_up(sqlite_path, "0004", keep=0) is None


def test_no_upgrade_without_its_copy(sqlite_path, newer, monkeypatch):
    """Where the copy cannot be written the database is not upgraded."""
    newer()
    monkeypatch.setattr(migrations.shutil, "copymode", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(ConfigError, match="disk full"):
        Store.open(sqlite_path)
    assert list(sqlite_path.parent.glob("*.part")) == list(sqlite_path.parent.glob("*.bak")) == []
    monkeypatch.undo()
    Store.open(sqlite_path).close()


OPEN_IT = "import sys; from bridge.store import Store; Store.open(sys.argv[1]).close()"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def nothing_there(request, tmp_path):
    """Where a database without any tables is."""
    if request.param == "sqlite":
        return str(tmp_path / "deep" / "new.db")
    url = request.getfixturevalue("postgres_url")
    with Store.open(url) as store, store.begin() as conn:
        conn.execute(text("drop schema public cascade"))
        conn.execute(text("create schema public"))
    return url


def test_concurrent_first_starts(nothing_there):
    """Of several processes started at once on an empty database one makes the tables, the others find them."""
    starts = [
        subprocess.Popen([sys.executable, "-c", OPEN_IT, nothing_there], stderr=subprocess.PIPE) for _ in range(4)
    ]
    answers = [(start.communicate()[1].decode(), start.returncode) for start in starts]
    assert answers == [("", 0)] * 4
    with Store.open(nothing_there) as store, store.reading() as conn:
        assert revision_of(conn) == revisions()[-1]


def test_a_new_file_is_private(tmp_path):
    """A new SQLite file is readable for its owner only, it holds people's debts."""
    Store.open(tmp_path / "new.db").close()
    assert (tmp_path / "new.db").stat().st_mode & 0o777 == 0o600


def test_the_next_revision_is_written_from_the_tables(tmp_path, monkeypatch, capsys):
    """A developer gets the next revision, or the first one anew, from what `tables/` says; unchanged tables give an empty one."""
    versions = tmp_path / "versions"
    versions.mkdir()
    for module in (migrations, make):
        monkeypatch.setattr(module, "VERSIONS", versions)
    assert make.main([]) == 2
    assert make.main(["--anew", "first", "tables"]) == 0
    assert make.main(["second"]) == 0
    first, second = sorted(versions.glob("*.py"))
    assert (first.name, second.name) == ("0001_first_tables.py", "0002_second.py")
    assert "op.create_table('invoice'" in first.read_text()
    assert "Instant" not in first.read_text()
    assert "op." not in second.read_text()
