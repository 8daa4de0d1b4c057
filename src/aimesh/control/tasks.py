"""Long jobs (video, pictures, 3D): who made them, how far they are, what they cost, their files, and an end to those
that have not begun.

1. A list and a state are read from the database, which is seconds behind the provider: the data plane asks about every
   task that has not ended.
2. The provider is asked where a file is when somebody looks, for its addresses expire; where it does not say, the last
   ones it gave are shown.
3. Only a task that has not begun is cancelled. The provider is asked first whether it still has not: some delete a task
   that has ended, and what it used would be lost.
"""

from typing import Annotated

from fastapi import Depends, Path, Query
from msgspec import Struct, structs

from aimesh.control.audit import Target, audited
from aimesh.control.errors import Conflict, NotFound, TooManyRequests, Unavailable
from aimesh.control.http import Pages
from aimesh.control.identity import Caller, Signed
from aimesh.control.noun import Noun
from aimesh.control.parts import Parts, Uses
from aimesh.control.schemas_tasks import (
    Known,
    TaskDetail,
    TaskFiles,
    TaskPage,
    TaskView,
    expires_at_s,
    shown_files,
    shown_task,
    task_name,
)
from aimesh.control.tasks_files import MEDIA, FileAsked, Range, TaskFileAnswer, opened_file
from aimesh.control.tasks_upstream import Asking, asking, failed, interface_of, words_of
from aimesh.control.texts import Id, OptionalLine, Time, seconds
from aimesh.control.usage_asked import SeenTenant
from aimesh.core.ids import InterfaceId, ModelName, ProviderId, TaskId
from aimesh.core.kind import Kind
from aimesh.store.engine import Connection
from aimesh.store.tasks import Progress, Task
from aimesh.store.tasks_list import (
    TaskState,
    TasksWanted,
    find_task,
    list_tasks,
    note_cancelled,
    note_progress,
    settled_of,
    state_of,
)
from aimesh.store.usage_names import key_names, keys_named
from aimesh.upstream.attempt import Failure, Whole
from aimesh.wire.interface import TaskState as Said
from aimesh.wire.tasks import Asset

NOUN = Noun("tasks", "Video, picture and 3D jobs.")

_LEFT_ALONE_S = 10.0
"""By the data plane's own questions, after one of ours."""
_MOST_FILES = 100
_REFUSALS = range(400, 500)
_NOT_ABOUT_THE_TASK = (401, 403, 429)


class _Filters(Struct, frozen=True):
    wanted: TasksWanted
    key: str
    kind: Kind | None


def _filters(
    caller: Signed,
    tenant: SeenTenant,
    state: Annotated[
        list[TaskState] | None, Query(max_length=len(TaskState), description="Only these; repeatable.")
    ] = None,
    *,
    model: Annotated[OptionalLine, Query(description="Only of this model.")] = "",
    key: Annotated[OptionalLine, Query(description="Only of this key: its id or alias.")] = "",
    provider: Annotated[OptionalLine, Query(description="Only at this provider.")] = "",
) -> _Filters:
    wanted = TasksWanted(
        tenant=tenant,
        owner=caller.only_own,
        models=frozenset({ModelName(model)}) if model else None,
        provider=ProviderId(provider) if provider else None,
        states=frozenset(state or ()),
    )
    return _Filters(wanted, key, None)


def _filters_with_times(
    filters: Annotated[_Filters, Depends(_filters)],
    kind: Annotated[Kind | None, Query(description="Only of models of this kind.")] = None,
    *,
    since: Annotated[Time | None, Query(description="Made then or later.")] = None,
    until: Annotated[Time | None, Query(description="Made before.")] = None,
) -> _Filters:
    wanted = structs.replace(
        filters.wanted,
        since_s=None if since is None else seconds(since),
        until_s=None if until is None else seconds(until),
    )
    return _Filters(wanted, filters.key, kind)


@NOUN.get("/tasks", "list_tasks", errors=(404,))
def list_every_task(
    parts: Uses, pages: Pages, filters: Annotated[_Filters, Depends(_filters_with_times)]
) -> TaskPage:
    """Tasks, newest first. A member sees those of the own keys."""
    with parts.store.read() as db:
        wanted = filters.wanted
        if filters.key:
            wanted = structs.replace(wanted, keys=keys_named(db, filters.key))
        if filters.kind is not None:
            models = parts.catalogs.of(parts.settings, db).shown.models
            of_kind = frozenset(name for name, one in models.items() if one.kind is filters.kind)
            wanted = structs.replace(
                wanted, models=of_kind if wanted.models is None else wanted.models & of_kind
            )
        rows = list_tasks(db, wanted, before=pages.after(tuple[float, str, str]), limit=pages.limit + 1)
        tasks, cursor = pages.cut(rows, lambda task: (task.created_at_s, task.interface, task.id))
        known = _known(parts, db, list(tasks))
    return TaskPage(
        data=[shown_task(task, one) for task, one in zip(tasks, known, strict=True)], next_cursor=cursor
    )


@NOUN.get("/tasks/{task}", "get_task", errors=(404,))
def get_task(
    task: Id,
    parts: Uses,
    caller: Signed,
    tenant: SeenTenant,
    *,
    files: Annotated[
        bool, Query(description="Of a task that has succeeded: ask its provider where they are.")
    ] = True,
) -> TaskDetail:
    """One task, with its files."""
    found, known = _find(parts, task, TasksWanted(tenant=tenant, owner=caller.only_own))
    has_files = files and state_of(found) is TaskState.SUCCEEDED
    return TaskDetail(
        **shown_task(found, known).model_dump(),
        files=_files(parts, found, caller.source.at_s) if has_files else None,
    )


def _file_address(
    task: Id,
    number: Annotated[
        int, Path(ge=1, le=_MOST_FILES, description="Its place among the task's files, from 1.")
    ],
    parts: Uses,
    caller: Signed,
    tenant: SeenTenant,
) -> FileAsked:
    found, _ = _find(parts, task, TasksWanted(tenant=tenant, owner=caller.only_own))
    if state_of(found) is not TaskState.SUCCEEDED:
        raise _no_file()
    kept = interface_of(found).read_result(found.document).assets[number - 1 : number]
    if not kept or expires_at_s(found, kept[0].url) <= caller.source.at_s:
        kept = _assets_now(parts, found)[number - 1 : number]
    if not kept:
        raise _no_file()
    return FileAsked(kept[0].url, f"{found.id}-{number}")


# On the loop's own thread: a file that takes minutes keeps no other waiting.
@NOUN.get_file(
    "/tasks/{task}/files/{number}", "get_task_file", media=MEDIA, errors=(404, 409, 429), in_parts=True
)
async def get_task_file(
    asked: Annotated[FileAsked, Depends(_file_address)], parts: Uses, wanted: Range = ""
) -> TaskFileAnswer:
    """A file of a task, through this API, or the one range of it that was asked for: for pages that may load from
    here only. 409 says why there is none: `TASK_HAS_NO_FILE`, `FILE_TOO_LARGE` (over 512 MiB), `PROVIDER_FAILED`,
    `TASK_FORGOTTEN`, `TASK_OUT_OF_REACH`."""
    return await opened_file(parts, asked, wanted)


@NOUN.post("/tasks/{task}/cancel", "cancel_task", errors=(404, 409, 429))
def cancel_task(task: Id, parts: Uses, caller: Signed, tenant: SeenTenant) -> TaskView:
    """Ends a task that has not begun. 409 says why one cannot be cancelled: `TASK_ENDED`, `TASK_RUNNING`,
    `TASK_NOT_CANCELLABLE` (its provider cannot, or will not), `TASK_FORGOTTEN` (its provider does not know it),
    `TASK_OUT_OF_REACH` (the endpoint or credential it was made with is gone), `PROVIDER_FAILED`."""
    found, known = _find(parts, task, TasksWanted(tenant=tenant, owner=caller.only_own))
    if found.finished:
        raise _ended()
    with parts.store.read() as db:
        provider = asking(parts, db, found)
    if not provider.has_cancel:
        raise Conflict("TASK_NOT_CANCELLABLE", "this provider cannot cancel tasks")
    _check_waits(provider, caller)
    verdict = provider.cancel()
    if isinstance(verdict, Failure):
        if verdict.status in _REFUSALS and verdict.status not in _NOT_ABOUT_THE_TASK:
            raise Conflict("TASK_NOT_CANCELLABLE", words_of(verdict))
        raise failed(verdict)
    target = Target(kind="task", id=task_name(found), name=found.model, tenant=found.tenant)
    with parts.store.write() as db:
        done = note_cancelled(db, found, interface_of(found).cancelled, parts.clock.wall_s())
        audited(db, caller, "task.cancel", target, {"status": {"from": found.status, "to": done.status}})
    return shown_task(done, known)


def _check_waits(provider: Asking, caller: Caller) -> None:
    """Raises ``Conflict`` where the task has begun, or its provider does not say."""
    seen = provider.look()
    if isinstance(seen, Failure):
        if seen.status == 404:
            raise Conflict("TASK_FORGOTTEN", "the provider does not know this task")
        raise failed(seen)
    said, interface = seen.answer.task, provider.interface
    if said is None or said.status == interface.forgotten:
        raise Conflict("TASK_FORGOTTEN", "the provider does not know this task")
    _keep(provider, said, seen, caller.source.at_s)
    if said.finished:
        raise _ended()
    if said.status.lower() != interface.waiting.lower():
        raise Conflict("TASK_RUNNING", "the provider has begun with this task, and does not stop it")


def _keep(provider: Asking, said: Said, seen: Whole, now_s: float) -> None:
    progress = Progress(
        status=said.status,
        finished=said.finished,
        succeeded=said.succeeded,
        document=seen.answer.body,
        not_before_s=now_s + _LEFT_ALONE_S,
    )
    with provider.parts.store.write() as db:
        note_progress(db, provider.task, progress, now_s)


def _files(parts: Parts, task: Task, now_s: float) -> TaskFiles:
    interface, problem = interface_of(task), ""
    try:
        with parts.store.read() as db:
            provider = asking(parts, db, task)
        verdict = provider.look()
    except (Conflict, TooManyRequests, Unavailable) as error:
        problem = error.message
    else:
        if isinstance(verdict, Failure):
            problem = words_of(verdict)
        elif verdict.answer.task is None or not verdict.answer.task.succeeded:
            problem = "the provider does not know this task any more"
        else:
            result = interface.read_result(verdict.answer.body)
            return shown_files(task, result, now_s, asked_provider=True, problem="")
    return shown_files(
        task, interface.read_result(task.document), now_s, asked_provider=False, problem=problem
    )


def _assets_now(parts: Parts, task: Task) -> tuple[Asset, ...]:
    """As the provider says. Raises ``Conflict``, ``TooManyRequests``, ``Unavailable``."""
    with parts.store.read() as db:
        provider = asking(parts, db, task)
    verdict = provider.look()
    if isinstance(verdict, Failure):
        raise failed(verdict)
    if verdict.answer.task is None or not verdict.answer.task.succeeded:
        raise Conflict("TASK_FORGOTTEN", "the provider does not know this task any more")
    return provider.interface.read_result(verdict.answer.body).assets


def _find(parts: Parts, name: str, wanted: TasksWanted) -> tuple[Task, Known]:
    interface, _, task_id = name.partition(":")
    with parts.store.read() as db:
        task = find_task(db, InterfaceId(interface), TaskId(task_id), wanted)
        if task is None:
            raise NotFound("TASK_NOT_FOUND", "there is no such task")
        return task, _known(parts, db, [task])[0]


def _known(parts: Parts, db: Connection, tasks: list[Task]) -> list[Known]:
    catalog = parts.catalogs.of(parts.settings, db).shown
    names = key_names(db, {task.key_id for task in tasks})
    settled = settled_of(db, tasks)
    known = []
    for task in tasks:
        model, endpoint = catalog.models.get(task.model), catalog.endpoints.get(task.endpoint)
        known.append(
            Known(
                interface=interface_of(task),
                key_alias=names.get(task.key_id, ""),
                kind="" if model is None else model.kind.value,
                has_cancel=endpoint is not None and bool(endpoint.paths.cancel),
                settled=settled.get((task.interface, task.id)),
            )
        )
    return known


def _no_file() -> Conflict:
    return Conflict("TASK_HAS_NO_FILE", "this task has no such file")


def _ended() -> Conflict:
    return Conflict("TASK_ENDED", "this task has ended")
