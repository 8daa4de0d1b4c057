"""A single call as the admin API shows it."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, Field

from aimesh.control.texts import Time, shown_time
from aimesh.core.money import Currency, plain
from aimesh.core.outcome import Outcome
from aimesh.store.usage_calls import CallRow


class CallUnits(BaseModel):
    """What a call used of something that sums do not show."""

    cache_write_1h_tokens: int = Field(description="Of what was written to a cache: for an hour.")
    input_image_tokens: int
    input_audio_tokens: int
    output_audio_tokens: int
    video_resolution: str


class Attempt(BaseModel):
    """One endpoint with one credential, tried once."""

    endpoint: str
    credential: str
    started_ms: float = Field(description="From the beginning of the call.")
    duration_ms: float
    status: int = Field(description="HTTP status of the provider; 0: no answer.")
    error: str = Field(description="Why it failed; empty: it served the call.")


class UsageCall(BaseModel):
    id: str
    at: Time = Field(description="When it began.")
    tenant: str
    key: str = Field(description="Id.")
    key_alias: str = Field(description="At the time of the call.")
    user: str = Field(description="Whose key it was; empty: nobody's.")
    username: str
    labels: dict[str, str]
    operation: str = Field(
        description="`settle_task`: no call, but how a task ended, and what it used. It adds to tokens and cost of the"
        " sums, not to requests; the call that made the task is another one with the same `task_id`."
    )
    interface: str
    kind: str
    model_asked: str = Field(description="As the caller wrote it.")
    model: str
    endpoint: str = Field(description="Of the last attempt.")
    provider: str
    credential: str
    source: Literal["system", "byok"]
    stream: bool
    outcome: Outcome
    status: int = Field(description="HTTP status that the caller got; 0: the caller was gone.")
    error_code: str
    estimated: bool = Field(description="The provider did not report the usage.")
    tokens: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    images: int
    video_seconds: float
    assets: int
    units: CallUnits
    cost: str | None = Field(description="After discounts; null: no price is known, or nothing was used.")
    list: str | None = Field(description="Before discounts.")
    currency: Currency | None
    price_version: str | None
    duration_ms: float
    ttft_ms: float | None = Field(description="Until the first byte of the answer.")
    bytes_in: int
    bytes_out: int
    attempts: Sequence[Attempt] = Field(description="In order; empty: the first one served.")
    losses: Sequence[str] = Field(description="Fields of the request that could not be carried over.")
    upstream_model: str
    upstream_request_id: str
    task_id: str
    client_ip: str


class UsageCallPage(BaseModel):
    """Newest first. How many there are in all is not counted here: the sums say it."""

    data: list[UsageCall]
    next_cursor: str | None = Field(description="For the next page: `?cursor=`. Null on the last page.")


def shown_call(call: CallRow, usernames: Mapping[str, str]) -> UsageCall:
    record = call.record
    usage = record.usage
    return UsageCall(
        id=record.id,
        at=shown_time(record.at),
        tenant=record.tenant,
        key=record.key_id,
        key_alias=record.key_alias,
        user=call.user,
        username=usernames.get(call.user, ""),
        labels=record.labels,
        operation=record.operation,
        interface=record.interface,
        kind=call.kind,
        model_asked=record.model_asked,
        model=record.model,
        endpoint=record.endpoint,
        provider=record.provider,
        credential=record.credential,
        source="byok" if call.is_byok else "system",
        stream=record.stream,
        outcome=record.outcome,
        status=record.status,
        error_code=record.error_code,
        estimated=call.is_estimated,
        tokens=usage.input_tokens + usage.output_tokens,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cached_tokens=usage.cached_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        images=usage.images,
        video_seconds=usage.video_seconds,
        assets=usage.assets,
        units=CallUnits(
            cache_write_1h_tokens=usage.cache_write_1h_tokens,
            input_image_tokens=usage.input_image_tokens,
            input_audio_tokens=usage.input_audio_tokens,
            output_audio_tokens=usage.output_audio_tokens,
            video_resolution=usage.video_resolution,
        ),
        cost=shown_nano(call.cost_nano),
        list=shown_nano(call.list_nano),
        currency=call.currency,
        price_version=call.price_version,
        duration_ms=record.duration_ms,
        ttft_ms=record.ttft_ms,
        bytes_in=record.bytes_in,
        bytes_out=record.bytes_out,
        attempts=[
            Attempt(
                endpoint=one.endpoint,
                credential=one.credential,
                started_ms=one.started_ms,
                duration_ms=one.duration_ms,
                status=one.status,
                error=one.error,
            )
            for one in record.attempts
        ],
        losses=record.losses,
        upstream_model=record.upstream_model,
        upstream_request_id=record.upstream_request_id,
        task_id=record.task_id,
        client_ip=record.client_ip,
    )


def shown_nano(nano: int | None) -> str | None:
    return None if nano is None else plain(Decimal(nano).scaleb(-9))
