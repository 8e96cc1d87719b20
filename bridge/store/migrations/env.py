"""What Alembic runs: everything inside the transaction of the connection that it is given."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext

from bridge.store.columns import Actor, Instant, Spoken, Told
from bridge.store.tables import metadata


def _render(kind: str, item: Any, _autogenerating: AutogenContext) -> str | Literal[False]:
    """Write types of ours as the types of SQLAlchemy below them, so that old revisions do not depend on today's code."""
    if kind == "type" and isinstance(item, Instant):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Told | Spoken | Actor):
        return "sa.Text()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    render_item=_render,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
