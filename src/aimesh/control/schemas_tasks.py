"""A task as the admin API shows it.

1. ``state`` is one of six for every provider; ``status`` is the provider's own word.
2. Addresses of files are the provider's. They open without a credential until they expire, so they are shown to whoever
   may see the task, and to nobody else.
"""

from typing import Literal
from urllib.parse import parse_qs, urlsplit

import msgspec
from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field

from aimesh.catalog.price_record import BYOK
from aimesh.control.schemas_usage_calls import shown_nano
from aimesh.control.texts import Time, shown_time, shown_time_or_none
from aimesh.core.money import Currency
from aimesh.core.usage import Usage
from aimesh.store.tasks import Task
from aimesh.store.tasks_list import Settled, TaskState, state_of
from aimesh.wire.tasks import TaskInterface, TaskResult

FILES_LIVE_S = 86_400.0
"""What providers document, where an address does not say it."""


class AskedFor(BaseModel):
    """What the request says of the file. Texts and pictures are not kept."""

    video_seconds: float | None
    resolution: str
    ratio: str
    audio: bool
    from_video: bool = Field(description="A video was given.")
    variant: str = Field(description="Flags that choose a price.")


class TaskUsage(BaseModel):
    output_tokens: int
    video_seconds: float
    video_resolution: str
    assets: int = Field(description="3D files.")
    estimated: bool = Field(description="The provider did not report it.")


class TaskError(BaseModel):
    code: str = Field(description="The provider's, or ours where it said nothing.")
    message: str


class TaskView(BaseModel):
    id: str = Field(examples=["task:cgt-20260131080000-4h7ds"])
    task_id: str = Field(description="The provider's, as the caller knows it.")
    interface: str
    tenant: str
    key: str = Field(description="Id of the key that made it.")
    key_alias: str
    model: str
    kind: str = Field(description="video, image, 3d; empty: the model is no longer in the catalogue.")
    endpoint: str
    provider: str
    source: Literal["system", "byok"]
    state: TaskState
    status: str = Field(description="The provider's word for it.")
    asked: AskedFor
    created_at: Time
    updated_at: Time
    finished_at: Time | None
    can_cancel: bool = Field(description="It has not begun, and its provider lets it be cancelled.")
    settled: bool = Field(description="What it used is recorded; it is shown here seconds later.")
    usage: TaskUsage | None
    cost: str | None = Field(description="After discounts; null: not known yet, or nothing is to be paid.")
    list: str | None = Field(description="Before discounts.")
    currency: Currency | None
    error: TaskError | None
    call: str = Field(description="Id of the call that made it: `/usage/calls/{call}`.")


class TaskFile(BaseModel):
    kind: Literal["video", "image", "3d"]
    url: str
    expires_at: Time
    expired: bool


class TaskFiles(BaseModel):
    data: list[TaskFile]
    asked_provider: bool = Field(
        description="False: these are the addresses that it gave when the task ended."
    )
    problem: str = Field(description="Why the provider was not asked, or did not say; empty: it did.")


class TaskDetail(TaskView):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "task:cgt-20260131080000-4h7ds", "task_id": "cgt-20260131080000-4h7ds", "interface": "task",
                "tenant": "default", "key": "key_0190f2a4c1de5f3b9a77c0d2", "key_alias": "film-team",
                "model": "doubao/Doubao-Seedance-1.0-Pro", "kind": "video",
                "endpoint": "example_bj@doubao/Doubao-Seedance-1.0-Pro@task", "provider": "example_bj",
                "source": "system", "state": "succeeded", "status": "succeeded",
                "asked": {
                    "video_seconds": 5, "resolution": "1080p", "ratio": "16:9", "audio": False,
                    "from_video": False, "variant": "",
                },
                "created_at": "2026-01-31T08:00:00Z", "updated_at": "2026-01-31T08:01:24Z",
                "finished_at": "2026-01-31T08:01:24Z", "can_cancel": False, "settled": True,
                "usage": {
                    "output_tokens": 246840, "video_seconds": 5, "video_resolution": "1080p", "assets": 0,
                    "estimated": False,
                },
                "cost": "3.7026", "list": "3.7026", "currency": "CNY", "error": None,
                "call": "0190f2a4c1de5f3b00000001",
                "files": {
                    "data": [
                        {
                            "kind": "video", "url": "https://files.example/clip.mp4",
                            "expires_at": "2026-02-01T08:01:24Z", "expired": False,
                        }
                    ],
                    "asked_provider": True,
                    "problem": "",
                },
            }
        }
    )  # fmt: skip

    files: TaskFiles | None = Field(description="Null: it has not succeeded, or `files=false`.")


class TaskPage(BaseModel):
    """Newest first. How many there are in all is not counted."""

    data: list[TaskView]
    next_cursor: str | None = Field(description="For the next page: `?cursor=`. Null on the last page.")


class Known(Struct, frozen=True):
    """What is known of a task beside its row."""

    interface: TaskInterface
    key_alias: str
    kind: str
    has_cancel: bool
    settled: Settled | None


def task_name(task: Task) -> str:
    return f"{task.interface}:{task.id}"


def shown_task(task: Task, known: Known) -> TaskView:
    state, settled = state_of(task), known.settled
    priced = settled if settled is not None and settled.cost_nano is not None else None
    return TaskView(
        id=task_name(task),
        task_id=task.id,
        interface=task.interface,
        tenant=task.tenant,
        key=task.key_id,
        key_alias=known.key_alias or str(task.summary.get("key_alias") or ""),
        model=task.model,
        kind=known.kind,
        endpoint=task.endpoint,
        provider=task.provider,
        source="byok" if task.credential.startswith(BYOK) else "system",
        state=state,
        status=task.status,
        asked=_asked(msgspec.convert(dict(task.summary), Usage)),
        created_at=shown_time(task.created_at_s),
        updated_at=shown_time(task.updated_at_s),
        finished_at=shown_time_or_none(task.updated_at_s if task.finished else None),
        can_cancel=state is TaskState.QUEUED and known.has_cancel,
        settled=task.settled,
        usage=_usage(settled) if settled is not None and state is TaskState.SUCCEEDED else None,
        cost=None if priced is None else shown_nano(priced.cost_nano),
        list=None if priced is None else shown_nano(priced.list_nano),
        currency=None if priced is None else priced.currency,
        error=_error(task, state, known),
        call=task.request_id,
    )


def shown_files(
    task: Task, result: TaskResult, now_s: float, *, asked_provider: bool, problem: str
) -> TaskFiles:
    files = []
    for asset in result.assets:
        until_s = expires_at_s(task, asset.url)
        files.append(
            TaskFile(kind=asset.kind, url=asset.url, expires_at=shown_time(until_s), expired=until_s <= now_s)
        )
    return TaskFiles(data=files, asked_provider=asked_provider, problem=problem)


def expires_at_s(task: Task, url: str) -> float:
    """Of an address that the task's provider gave when the task ended."""
    return _expiry(url) or task.updated_at_s + FILES_LIVE_S


def _asked(usage: Usage) -> AskedFor:
    return AskedFor(
        video_seconds=usage.video_seconds or None,
        resolution=usage.video_resolution,
        ratio=usage.video_ratio,
        audio=usage.video_audio,
        from_video=usage.input_video,
        variant=usage.variant,
    )


def _usage(settled: Settled) -> TaskUsage:
    usage = settled.usage
    return TaskUsage(
        output_tokens=usage.output_tokens,
        video_seconds=usage.video_seconds,
        video_resolution=usage.video_resolution,
        assets=usage.assets,
        estimated=not usage.reported,
    )


def _error(task: Task, state: TaskState, known: Known) -> TaskError | None:
    if state not in (TaskState.FAILED, TaskState.EXPIRED):
        return None
    result = known.interface.read_result(task.document)
    if result.error_code or result.error:
        return TaskError(code=result.error_code, message=result.error)
    code = known.settled.error_code if known.settled is not None else ""
    return TaskError(code=code, message="") if code else None


def _expiry(url: str) -> float | None:
    """Where an address says it: seconds since 1970, as object stores sign."""
    try:
        said = parse_qs(urlsplit(url).query).get("Expires", [""])[0]
    except ValueError:
        return None
    return float(said) if said.isascii() and said.isdecimal() and len(said) <= _LONGEST_TIME else None


_LONGEST_TIME = 11
