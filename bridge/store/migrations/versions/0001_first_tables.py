"""The first tables.

Revision 0001, after nothing.
"""

from alembic import op

from bridge.store.tables import metadata

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    metadata.create_all(op.get_bind())


def downgrade() -> None:
    raise NotImplementedError("restore the copy that was made before the upgrade")
