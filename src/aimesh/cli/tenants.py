"""``aimesh tenant``: whose keys, credentials and usage are kept apart."""

from typing import Annotated

import typer

from aimesh.cli.client import segment
from aimesh.cli.connect import Session, command
from aimesh.cli.faults import Misused
from aimesh.cli.key_edit import limits_of, merged_quotas
from aimesh.cli.key_options import QuotaOptions
from aimesh.cli.key_rows import quota_text, time_text
from aimesh.cli.options import etag_of
from aimesh.cli.output import Answer, Document
from aimesh.core.policy import TenantStatus

app = typer.Typer(no_args_is_help=True)

IdArgument = Annotated[
    str, typer.Argument(metavar="ID", help="Id of the tenant: small letters, digits, - and _.")
]


@app.callback()
def tenants() -> None:
    """Tenants: whose keys, credentials and usage are kept apart."""


@command(app, "list")
def list_tenants(session: Session) -> Answer:
    """List tenants."""
    rows = list(session.client.rows("/tenants"))
    return Answer(
        data=rows, people=[_row(row) for row in rows], columns=("id", "name", "status", "quota", "created")
    )


@command(app)
def add(
    session: Session,
    tenant_id: IdArgument,
    *,
    name: Annotated[str, typer.Option(help="As people read it; default: the id.")] = "",
    quotas: QuotaOptions,
) -> Answer:
    """Add a tenant. Its limits hold over all its keys together.

    \b
    Examples:
      aimesh tenant add research --name Research --budget monthly:10000CNY
    """
    body: Document = {"id": tenant_id, "name": name or tenant_id}
    limits = _limits(quotas, {})
    if limits is not None:
        body["limits"] = limits
    made = session.client.send("POST", "/tenants", body).data
    return Answer(data=made, text=f"{made['id']} is added")


@command(app, "set")
def set_tenant(
    session: Session,
    tenant_id: IdArgument,
    *,
    name: Annotated[str, typer.Option(help="As people read it.")] = "",
    status: Annotated[
        TenantStatus | None, typer.Option(help="overdue and disabled refuse every call of the tenant.")
    ] = None,
    quotas: QuotaOptions,
) -> Answer:
    """Change a tenant: name, status, limits over all its keys together.

    \b
    Examples:
      aimesh tenant set research --status overdue
      aimesh tenant set research --quota monthly:500000000 --rpm 6000
    """
    tenant = session.client.get(f"/tenants/{segment(tenant_id)}").data
    body: Document = {}
    if name:
        body["name"] = name
    if status is not None:
        body["status"] = status.value
    limits = _limits(quotas, tenant)
    if limits is not None:
        body["limits"] = limits
    if not body:
        raise Misused("what is to change? --name, --status, or a limit such as --budget monthly:100CNY")
    changed = session.client.send("PATCH", f"/tenants/{segment(tenant_id)}", body, etag=etag_of(tenant)).data
    return Answer(data=changed, text=f"{tenant_id} is {changed['status']}")


def _limits(quotas: QuotaOptions, tenant: Document) -> Document | None:
    listed, rates = quotas.quotas(), quotas.rates()
    if listed is None and not rates:
        return None
    limits = {**limits_of(tenant), **rates}
    if listed is not None:
        limits["quotas"] = merged_quotas(limits["quotas"], listed) if listed else []
    return limits


def _row(tenant: Document) -> Document:
    quotas = (tenant.get("limits") or {}).get("quotas") or []
    return {
        "id": tenant["id"],
        "name": tenant["name"],
        "status": tenant["status"],
        "quota": ", ".join(map(quota_text, quotas)) or "none",
        "created": time_text(tenant["created_at"]),
    }
