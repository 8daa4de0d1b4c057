"""People, credentials, overlays and the audit; what a virtual key may use and which way its calls go."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_LIVE = sa.text("NOT deleted")


def upgrade() -> None:
    _extend_keys()
    _create_tenants()
    _create_people()
    _create_providers()
    _create_audit()


def _extend_keys() -> None:
    # With defaults: the release before goes on writing rows without these columns.
    for column in (
        sa.Column("owner", sa.Text, nullable=False, server_default=sa.text("''")),
        sa.Column("route", sa.Text, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("limits", sa.Text, nullable=False, server_default=sa.text("'{}'")),
        sa.Column("changed", sa.Integer, nullable=False, server_default=sa.text("0")),
        sa.Column("version", sa.Integer, nullable=False, server_default=sa.text("1")),
    ):
        op.add_column("virtual_keys", column)
    op.create_index("virtual_keys_changed", "virtual_keys", ["changed"])
    for name, columns in (
        ("virtual_keys_newest", ["tenant", "created_at_s", "id"]),
        ("virtual_keys_by_owner", ["tenant", "owner", "created_at_s", "id"]),
        ("virtual_keys_masked", ["tenant", "masked"]),
    ):
        op.create_index(name, "virtual_keys", columns, sqlite_where=_LIVE, postgresql_where=_LIVE)
    op.create_table(
        "key_texts",
        sa.Column("sha256", sa.LargeBinary, primary_key=True),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("expires_at_s", sa.Double, nullable=False),
        sa.Column("changed", sa.Integer, nullable=False),
    )
    op.create_index("key_texts_by_key", "key_texts", ["key_id"])
    op.create_index("key_texts_changed", "key_texts", ["changed"])
    op.create_index("key_texts_expiry", "key_texts", ["expires_at_s"])


def _create_tenants() -> None:
    tenants = op.create_table(
        "tenants",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("limits", sa.Text, nullable=False),
        sa.Column("default_route", sa.Text, nullable=False),
        sa.Column("default_limits", sa.Text, nullable=False),
        sa.Column("created_at_s", sa.Double, nullable=False),
        sa.Column("updated_at_s", sa.Double, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.bulk_insert(
        tenants,
        [
            {
                "id": "default",
                "name": "default",
                "status": "active",
                "limits": "{}",
                "default_route": "{}",
                "default_limits": "{}",
                "created_at_s": 0.0,
                "updated_at_s": 0.0,
                "version": 1,
            }
        ],
    )


def _create_people() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("username", sa.Text, nullable=False, unique=True),
        sa.Column("display_name", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("password_hash", sa.Text),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("oidc_subject", sa.Text, unique=True),
        sa.Column("failed_logins", sa.Integer, nullable=False),
        sa.Column("locked_until_s", sa.Double),
        sa.Column("last_login_at_s", sa.Double),
        sa.Column("created_at_s", sa.Double, nullable=False),
        sa.Column("updated_at_s", sa.Double, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_index("users_by_tenant", "users", ["tenant", "username"])
    op.create_table(
        "password_links",
        sa.Column("sha256", sa.LargeBinary, primary_key=True),
        sa.Column("user_id", sa.Text),
        sa.Column("expires_at_s", sa.Double, nullable=False),
        sa.Column("created_at_s", sa.Double, nullable=False),
    )
    op.create_index("password_links_by_user", "password_links", ["user_id"])
    op.create_table(
        "sessions",
        sa.Column("sha256", sa.LargeBinary, primary_key=True),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("csrf", sa.Text, nullable=False),
        sa.Column("created_at_s", sa.Double, nullable=False),
        sa.Column("seen_at_s", sa.Double, nullable=False),
        sa.Column("expires_at_s", sa.Double, nullable=False),
        sa.Column("ip", sa.Text, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
    )
    op.create_index("sessions_by_user", "sessions", ["user_id"])
    op.create_index("sessions_expiry", "sessions", ["expires_at_s"])
    op.create_table(
        "tokens",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("masked", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("expires_at_s", sa.Double),
        sa.Column("last_used_at_s", sa.Double),
        sa.Column("created_at_s", sa.Double, nullable=False),
        sa.UniqueConstraint("tenant", "name"),
    )


def _create_providers() -> None:
    op.create_table(
        "credentials",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("provider", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("envelope", sa.LargeBinary, nullable=False),
        sa.Column("masked", sa.Text, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("test_ok", sa.Boolean),
        sa.Column("test_at_s", sa.Double),
        sa.Column("test_ms", sa.Integer),
        sa.Column("test_message", sa.Text),
        sa.Column("created_at_s", sa.Double, nullable=False),
        sa.Column("updated_at_s", sa.Double, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.UniqueConstraint("tenant", "name"),
    )
    op.create_index("credentials_by_provider", "credentials", ["tenant", "provider"])
    for table, key in (("provider_overlays", "id"), ("model_overlays", "name")):
        op.create_table(
            table,
            sa.Column(key, sa.Text, primary_key=True),
            sa.Column("document", sa.Text, nullable=False),
            sa.Column("updated_at_s", sa.Double, nullable=False),
            sa.Column("version", sa.Integer, nullable=False),
        )


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("at_s", sa.Double, nullable=False),
        sa.Column("tenant", sa.Text, nullable=False),
        sa.Column("actor_kind", sa.Text, nullable=False),
        sa.Column("actor_id", sa.Text, nullable=False),
        sa.Column("actor_name", sa.Text, nullable=False),
        sa.Column("ip", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("target_kind", sa.Text, nullable=False),
        sa.Column("target_id", sa.Text, nullable=False),
        sa.Column("target_name", sa.Text, nullable=False),
        sa.Column("changes", sa.Text, nullable=False),
        sa.Column("request_id", sa.Text, nullable=False),
    )
    op.create_index("audit_by_tenant", "audit", ["tenant", "id"])
    op.create_index("audit_by_target", "audit", ["target_kind", "target_id", "id"])
