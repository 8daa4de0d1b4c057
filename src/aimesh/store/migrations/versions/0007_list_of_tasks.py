"""Indexes for pages of tasks: the newest of a tenant, and of all."""

from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_index("tasks_listed", "tasks", ["tenant", "created_at_s", "interface", "id"])
    op.create_index("tasks_newest", "tasks", ["created_at_s", "interface", "id"])
