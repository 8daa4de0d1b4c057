"""Who is at work on what: the parts, the caller and the tenant, which nearly every operation needs together."""

from typing import Annotated

from fastapi import Depends
from msgspec import Struct

from aimesh.control.identity import Caller, InTenant, Signed
from aimesh.control.parts import Parts, Uses
from aimesh.core.ids import TenantId


class Visit(Struct, frozen=True):
    parts: Parts
    caller: Caller
    tenant: TenantId


def _visit(parts: Uses, caller: Signed, tenant: InTenant) -> Visit:
    return Visit(parts=parts, caller=caller, tenant=tenant)


Visiting = Annotated[Visit, Depends(_visit)]
"""Type of a handler's parameter that gets the visit."""
