"""Usage records for tests."""

import msgspec

from aimesh.core.ids import (
    CredentialId,
    EndpointName,
    InterfaceId,
    KeyId,
    ModelName,
    ProviderId,
    RequestId,
    TenantId,
)
from aimesh.core.outcome import Outcome
from aimesh.core.record import AttemptRecord, UsageRecord
from aimesh.core.usage import Usage

_ENDPOINT = EndpointName("example_bj@vendor/model-a@open_ai")


def typical_record(request_id: str = "0197f3a1c2d4deadbeef000000000001") -> UsageRecord:
    """A streamed chat call that went well at the first attempt."""
    return UsageRecord(
        id=RequestId(request_id),
        at=1_750_000_000.123,
        tenant=TenantId("default"),
        key_id=KeyId("0197f3a1c2d4aaaa"),
        key_alias="team-search",
        labels={"cost_centre": "4711"},
        operation="chat",
        interface=InterfaceId("open_ai"),
        model_asked="vendor/model-a",
        model=ModelName("vendor/model-a"),
        endpoint=_ENDPOINT,
        provider=ProviderId("example_bj"),
        credential=CredentialId("main"),
        upstream_model="model-a-2026",
        stream=True,
        outcome=Outcome.OK,
        status=200,
        usage=Usage(input_tokens=1200, output_tokens=345, cached_tokens=1024),
        attempts=(
            AttemptRecord(_ENDPOINT, CredentialId("main"), started_ms=0.4, duration_ms=2310.5, status=200),
        ),
        ttft_ms=412.25,
        duration_ms=2311.0,
        upstream_request_id="chatcmpl-8f3c",
        bytes_in=4096,
        bytes_out=18230,
        client_ip="10.1.2.3",
    )


def numbered_record(number: int, *, filler: str = "") -> UsageRecord:
    """A record that can be told from every other by ``number``."""
    return msgspec.structs.replace(typical_record(f"r{number:08d}"), client_ip=filler, bytes_in=number)
