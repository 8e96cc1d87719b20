"""Bringing a database to the tables of this program, at start, one process at a time."""

from sqlalchemy.engine import Engine

from bridge.store.tables import metadata


def upgrade(engine: Engine, *, backups: int = 5) -> None:
    """Make the tables, or bring them up to date."""
    del backups
    metadata.create_all(engine)
