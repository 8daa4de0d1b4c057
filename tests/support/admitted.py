"""A call on its way to a plan, recognised and authenticated, over a supply of ``tests.support.routes``: no sockets."""

from hashlib import sha256
from typing import Any

import msgspec
from msgspec import Struct
from tests.support.routes import US, make, route
from tests.support.walks import RememberedReply

from aimesh.catalog.snapshot import Catalog
from aimesh.core.ids import KeyId, ModelName, RequestId, TenantId
from aimesh.dataplane.authenticate import authenticate
from aimesh.dataplane.recognise import recognise
from aimesh.dataplane.snapshot import Snapshot, VirtualKey, compile_snapshot
from aimesh.dataplane.stages import Arrival, Authenticated
from aimesh.net.message import Request
from aimesh.routing.candidate import Credential
from aimesh.wire.registry import INTERFACES

CHAT_PATH = "/gateway/v1/chat/completions"
INTERFACE_OF = {interface.id: interface for interface in INTERFACES}


class Caller(Struct, frozen=True):
    """A virtual key whose text is its alias."""

    alias: str = "ours"
    tenant: TenantId = US
    route: dict[str, Any] = {}
    models: frozenset[ModelName] | None = None

    def key(self) -> VirtualKey:
        return VirtualKey(
            id=KeyId(f"id-{self.alias}"),
            alias=self.alias,
            tenant=self.tenant,
            models=self.models,
            route=route(**self.route),
        )


def snapshot_with(catalog: Catalog, credentials: list[Credential], *callers: Caller) -> Snapshot:
    keys = {sha256(one.alias.encode()).digest(): one.key() for one in callers}
    return compile_snapshot(1, catalog, keys=keys, credentials=credentials, make=make)


def authenticated(
    snapshot: Snapshot, body: dict[str, Any], *, alias: str = "ours", path: str = CHAT_PATH
) -> Authenticated:
    request = Request(
        method=b"POST",
        path=path.encode(),
        query=b"",
        headers={b"authorization": f"Bearer {alias}".encode()},
        body=msgspec.json.encode(body),
        peer="127.0.0.1",
    )
    arrival = Arrival(request, RememberedReply(), RequestId("r"), 1e9, 1000.0, snapshot)
    return authenticate(recognise(arrival, INTERFACE_OF))
