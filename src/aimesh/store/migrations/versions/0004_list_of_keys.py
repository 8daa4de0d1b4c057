"""The index of the list of keys also holds what a status is told from: a filter need not read the rows."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_ALIVE = sa.text("NOT deleted")


def upgrade() -> None:
    op.create_index(
        "virtual_keys_listed",
        "virtual_keys",
        ["tenant", "created_at_s", "id", "enabled", "expires_at_s"],
        sqlite_where=_ALIVE,
        postgresql_where=_ALIVE,
    )
    op.drop_index("virtual_keys_newest", "virtual_keys")
