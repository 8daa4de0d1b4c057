"""Who may do what: the one table.

1. Every operation of the admin API has a row in ``OPERATIONS``; one without cannot be registered.
2. ``GRANTS`` says which roles have a permission. Roles are not nested by themselves: each is written down.
3. A permission says what may be done, not to whom: somebody without ``ANY_TENANT`` does it in the own tenant, a
   MEMBER only to what is the member's own. Handlers ask ``Caller`` for that (``control/identity.py``), and what is
   out of reach is 404.
"""

from enum import StrEnum

from aimesh.store.people import Role


class Permission(StrEnum):
    PUBLIC = "public"
    """Nobody has to be signed in."""
    SELF = "self"
    """About whoever is signed in."""
    KEYS_READ = "keys.read"
    KEYS_WRITE = "keys.write"
    MEMBERS_READ = "members.read"
    MEMBERS_WRITE = "members.write"
    TOKENS_READ = "tokens.read"
    TOKENS_WRITE = "tokens.write"
    AUDIT_READ = "audit.read"
    BYOK_READ = "byok.read"
    BYOK_WRITE = "byok.write"
    CATALOG_READ = "catalog.read"
    CATALOG_WRITE = "catalog.write"
    CREDENTIALS = "credentials"
    """The platform's own secrets towards providers."""
    TENANTS = "tenants"
    TASKS_READ = "tasks.read"
    TASKS_WRITE = "tasks.write"
    USAGE_READ = "usage.read"
    MONITORING_READ = "monitoring.read"
    ALERTS = "alerts"
    """Who is told of what goes wrong."""
    PRICES_WRITE = "prices.write"
    """Discounts, and pricing again what was priced."""
    INSTALLATION_READ = "installation.read"
    """What pages need to know of the installation."""
    SETTINGS_READ = "settings.read"
    """The settings in force, and what each worker sees of its endpoints."""
    ANY_TENANT = "any_tenant"
    """Do it in another tenant: ``?tenant=``."""


_EVERYBODY = frozenset(Role)
_ADMINS = frozenset({Role.AI_GATEWAY_ADMIN, Role.PLATFORM_ADMIN})
_PLATFORM = frozenset({Role.PLATFORM_ADMIN})

GRANTS: dict[Permission, frozenset[Role]] = {
    Permission.PUBLIC: _EVERYBODY,
    Permission.SELF: _EVERYBODY,
    Permission.KEYS_READ: _EVERYBODY,
    Permission.KEYS_WRITE: _EVERYBODY,
    Permission.MEMBERS_READ: _EVERYBODY,
    Permission.MEMBERS_WRITE: _ADMINS,
    Permission.TOKENS_READ: _EVERYBODY,
    Permission.TOKENS_WRITE: _EVERYBODY,
    Permission.AUDIT_READ: _ADMINS,
    Permission.BYOK_READ: _ADMINS,
    Permission.BYOK_WRITE: _ADMINS,
    Permission.CATALOG_READ: _EVERYBODY,
    Permission.CATALOG_WRITE: _PLATFORM,
    Permission.CREDENTIALS: _PLATFORM,
    Permission.TENANTS: _PLATFORM,
    Permission.TASKS_READ: _EVERYBODY,
    Permission.TASKS_WRITE: _EVERYBODY,
    Permission.USAGE_READ: _EVERYBODY,
    Permission.MONITORING_READ: _EVERYBODY,
    Permission.ALERTS: _PLATFORM,
    Permission.PRICES_WRITE: _PLATFORM,
    Permission.INSTALLATION_READ: _EVERYBODY,
    Permission.SETTINGS_READ: _PLATFORM,
    Permission.ANY_TENANT: _PLATFORM,
}

OPERATIONS: dict[str, Permission] = {
    # Signing in
    "get_setup": Permission.PUBLIC,
    "finish_setup": Permission.PUBLIC,
    "use_password_link": Permission.PUBLIC,
    "sign_in": Permission.PUBLIC,
    "start_oidc": Permission.PUBLIC,
    "finish_oidc": Permission.PUBLIC,
    "get_session": Permission.SELF,
    "sign_out": Permission.SELF,
    "change_password": Permission.SELF,
    # People
    "list_members": Permission.MEMBERS_READ,
    "get_member": Permission.MEMBERS_READ,
    "add_member": Permission.MEMBERS_WRITE,
    "upsert_member": Permission.MEMBERS_WRITE,
    "change_member": Permission.MEMBERS_WRITE,
    "remove_member": Permission.MEMBERS_WRITE,
    "make_password_link": Permission.MEMBERS_WRITE,
    "list_tenants": Permission.TENANTS,
    "get_tenant": Permission.TENANTS,
    "add_tenant": Permission.TENANTS,
    "change_tenant": Permission.TENANTS,
    "list_tokens": Permission.TOKENS_READ,
    "get_token": Permission.TOKENS_READ,
    "make_token": Permission.TOKENS_WRITE,
    "remove_token": Permission.TOKENS_WRITE,
    "list_audit": Permission.AUDIT_READ,
    # Virtual keys
    "list_keys": Permission.KEYS_READ,
    "get_key": Permission.KEYS_READ,
    "get_key_route": Permission.KEYS_READ,
    "get_key_quotas": Permission.KEYS_READ,
    "get_key_quota": Permission.KEYS_READ,
    "create_key": Permission.KEYS_WRITE,
    "upsert_key": Permission.KEYS_WRITE,
    "change_key": Permission.KEYS_WRITE,
    "delete_key": Permission.KEYS_WRITE,
    "copy_key": Permission.KEYS_WRITE,
    "enable_key": Permission.KEYS_WRITE,
    "disable_key": Permission.KEYS_WRITE,
    "reveal_key": Permission.KEYS_WRITE,
    "rotate_key": Permission.KEYS_WRITE,
    "set_key_route": Permission.KEYS_WRITE,
    "set_key_quotas": Permission.KEYS_WRITE,
    "batch_keys": Permission.KEYS_WRITE,
    # Secrets towards providers
    "list_credentials": Permission.CREDENTIALS,
    "get_credential": Permission.CREDENTIALS,
    "add_credential": Permission.CREDENTIALS,
    "change_credential": Permission.CREDENTIALS,
    "delete_credential": Permission.CREDENTIALS,
    "test_credential": Permission.CREDENTIALS,
    "test_new_credential": Permission.CREDENTIALS,
    "list_byok": Permission.BYOK_READ,
    "get_byok": Permission.BYOK_READ,
    "list_byok_providers": Permission.BYOK_READ,
    "add_byok": Permission.BYOK_WRITE,
    "change_byok": Permission.BYOK_WRITE,
    "delete_byok": Permission.BYOK_WRITE,
    "test_byok": Permission.BYOK_WRITE,
    "test_new_byok": Permission.BYOK_WRITE,
    # Catalogue
    "list_providers": Permission.CATALOG_READ,
    "get_provider": Permission.CATALOG_READ,
    "set_provider": Permission.CATALOG_WRITE,
    "reset_provider": Permission.CATALOG_WRITE,
    "list_models": Permission.CATALOG_READ,
    "get_model": Permission.CATALOG_READ,
    "set_model": Permission.CATALOG_WRITE,
    "reset_model": Permission.CATALOG_WRITE,
    "list_endpoints": Permission.CATALOG_READ,
    "get_endpoint": Permission.CATALOG_READ,
    "change_endpoint": Permission.CATALOG_WRITE,
    # Tasks
    "list_tasks": Permission.TASKS_READ,
    "get_task": Permission.TASKS_READ,
    "get_task_file": Permission.TASKS_READ,
    "cancel_task": Permission.TASKS_WRITE,
    # Circuits
    "list_circuits": Permission.CATALOG_READ,
    # The installation
    "get_installation": Permission.INSTALLATION_READ,
    "get_settings": Permission.SETTINGS_READ,
    # Usage
    "get_usage_summary": Permission.USAGE_READ,
    "get_usage_trend": Permission.USAGE_READ,
    "get_usage_top": Permission.USAGE_READ,
    "list_usage_breakdown": Permission.USAGE_READ,
    "list_usage_calls": Permission.USAGE_READ,
    "get_usage_call": Permission.USAGE_READ,
    "export_usage": Permission.USAGE_READ,
    "get_usage_status": Permission.USAGE_READ,
    # Monitoring
    "get_monitoring_overview": Permission.MONITORING_READ,
    "monitor_model": Permission.MONITORING_READ,
    "monitor_endpoint": Permission.MONITORING_READ,
    # Alerts
    "list_alerts": Permission.ALERTS,
    "list_alert_channels": Permission.ALERTS,
    "get_alert_channel": Permission.ALERTS,
    "add_alert_channel": Permission.ALERTS,
    "set_alert_channel": Permission.ALERTS,
    "delete_alert_channel": Permission.ALERTS,
    "test_alert_channel": Permission.ALERTS,
    "list_alert_rules": Permission.ALERTS,
    "get_alert_rule": Permission.ALERTS,
    "add_alert_rule": Permission.ALERTS,
    "set_alert_rule": Permission.ALERTS,
    "delete_alert_rule": Permission.ALERTS,
    # Prices
    "list_price_versions": Permission.CATALOG_READ,
    "get_price_version": Permission.CATALOG_READ,
    "list_discounts": Permission.PRICES_WRITE,
    "get_discount": Permission.PRICES_WRITE,
    "add_discount": Permission.PRICES_WRITE,
    "change_discount": Permission.PRICES_WRITE,
    "delete_discount": Permission.PRICES_WRITE,
    "reprice_usage": Permission.PRICES_WRITE,
}


def may(role: Role, permission: Permission) -> bool:
    return role in GRANTS[permission]


def permissions_of(role: Role) -> list[Permission]:
    """In the table's order, without the one that everybody has."""
    return [one for one in GRANTS if one is not Permission.PUBLIC and may(role, one)]
