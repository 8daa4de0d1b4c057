"""Single calls, for whoever looks behind the sums: what was asked, what was tried, how long it took, what it cost.

They are kept for a while (``usage.keep_days``); the sums stay. A call that somebody may not see is not there.
"""

from typing import Annotated

from fastapi import Depends, Query
from msgspec import Struct

from aimesh.control.errors import NotFound
from aimesh.control.http import Pages, cursor_of
from aimesh.control.identity import Signed
from aimesh.control.noun import Noun
from aimesh.control.parts import Uses
from aimesh.control.schemas_usage_calls import UsageCall, UsageCallPage, shown_call
from aimesh.control.texts import Id, OptionalLine
from aimesh.control.usage_asked import Asked, AskedUsage, SeenTenant
from aimesh.core.outcome import Outcome
from aimesh.store.engine import Connection
from aimesh.store.usage_calls import CallFilter, find_call, list_calls
from aimesh.store.usage_names import user_names

NOUN = Noun("calls", "Single calls, and everything that is known of each.")


class CallsAsked(Struct, frozen=True):
    """What only calls are filtered by."""

    outcomes: frozenset[Outcome]
    request: str
    upstream_request: str
    task: str

    def filter(self, db: Connection, asked: Asked) -> CallFilter:
        return CallFilter(
            usage=asked.filter(db),
            outcomes=self.outcomes,
            request=self.request,
            upstream_request=self.upstream_request,
            task=self.task,
        )


def calls_asked(
    request_id: Annotated[
        OptionalLine, Query(description="Only this call: `x-request-id` of its answer.")
    ] = "",
    upstream_request_id: Annotated[
        OptionalLine, Query(description="Only the call that a provider named so.")
    ] = "",
    *,
    task_id: Annotated[OptionalLine, Query(description="Only calls about this task.")] = "",
    outcome: Annotated[
        list[Outcome] | None, Query(max_length=len(Outcome), description="Only these; repeatable.")
    ] = None,
) -> CallsAsked:
    return CallsAsked(frozenset(outcome or ()), request_id, upstream_request_id, task_id)


AskedCalls = Annotated[CallsAsked, Depends(calls_asked)]
"""Type of a handler's parameter that gets the filters of calls."""


@NOUN.get("/usage/calls", "list_usage_calls", errors=(404,))
def list_usage_calls(asked: AskedUsage, calls: AskedCalls, pages: Pages) -> UsageCallPage:
    """Calls that began in a time, newest first. Where few calls match, a page may be short, or empty, and still have a
    next one: each looks at some thousands of calls."""
    with asked.parts.store.read() as db:
        page = list_calls(
            db, calls.filter(db, asked), before=pages.after(tuple[float, str]), limit=pages.limit
        )
        names = user_names(db, {row.user for row in page.rows})
    return UsageCallPage(
        data=[shown_call(row, names) for row in page.rows],
        next_cursor=None if page.next is None else cursor_of(page.next),
    )


@NOUN.get("/usage/calls/{call_id}", "get_usage_call", errors=(404,))
def get_usage_call(call_id: Id, parts: Uses, caller: Signed, tenant: SeenTenant) -> UsageCall:
    """One call, by its request id."""
    with parts.store.read() as db:
        call = find_call(db, call_id)
        names = {} if call is None else user_names(db, {call.user})
    if call is None or tenant not in (None, call.record.tenant) or caller.only_own not in (None, call.user):
        raise NotFound("CALL_NOT_FOUND", "there is no such call, or it is not kept any more")
    return shown_call(call, names)
