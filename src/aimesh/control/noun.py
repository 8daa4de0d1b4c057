"""How operations are added: a noun is a group of operations with one tag.

1. An operation cannot be added without a row in ``control/access.py``; its permission is checked before its handler.
2. Its document tells every error that it may answer with.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse
from msgspec import Struct

from aimesh.control.access import OPERATIONS, Permission
from aimesh.control.errors import Forbidden, documented
from aimesh.control.identity import Caller, signed

PREFIX = "/api/admin/v1"

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
# FastAPI's own bound for what it decorates.
Handler = TypeVar("Handler", bound=Callable[..., Any])


class _Answers(Struct, frozen=True):
    """What an operation answers with."""

    errors: Sequence[int]
    status: int = 200
    media: tuple[str, ...] = ()
    """Empty: JSON of what the handler gives."""
    in_parts: bool = False

    # FastAPI's own type for the parameter `responses`.
    def files(self) -> dict[int | str, dict[str, Any]]:
        if not self.media:
            return {}
        schema = {"schema": {"type": "string", "format": "binary"}}
        content = dict.fromkeys(self.media, schema)
        told: dict[int | str, dict[str, Any]] = {self.status: {"description": "A file", "content": content}}
        if self.in_parts:
            told[206] = {"description": "The range that was asked for", "content": content}
        return told


class Noun:
    def __init__(self, tag: str, about: str) -> None:
        self.tag = tag
        self.about = about
        self.router = APIRouter(prefix=PREFIX, tags=[tag])
        self.operations: list[str] = []

    def get(
        self, path: str, operation: str, *, errors: Sequence[int] = (), status: int = 200
    ) -> Callable[[Handler], Handler]:
        return self._add("GET", path, operation, _Answers(errors, status))

    def get_file(
        self,
        path: str,
        operation: str,
        *,
        media: Sequence[str],
        errors: Sequence[int] = (),
        in_parts: bool = False,
    ) -> Callable[[Handler], Handler]:
        """An operation that gives a response of its own, of one of these media types; or of a range of it."""
        return self._add("GET", path, operation, _Answers(errors, media=tuple(media), in_parts=in_parts))

    def post(
        self, path: str, operation: str, *, errors: Sequence[int] = (), status: int = 200
    ) -> Callable[[Handler], Handler]:
        return self._add("POST", path, operation, _Answers(errors, status))

    def put(
        self, path: str, operation: str, *, errors: Sequence[int] = (), status: int = 200
    ) -> Callable[[Handler], Handler]:
        return self._add("PUT", path, operation, _Answers(errors, status))

    def patch(
        self, path: str, operation: str, *, errors: Sequence[int] = (), status: int = 200
    ) -> Callable[[Handler], Handler]:
        return self._add("PATCH", path, operation, _Answers(errors, status))

    def delete(
        self, path: str, operation: str, *, errors: Sequence[int] = (), status: int = 200
    ) -> Callable[[Handler], Handler]:
        return self._add("DELETE", path, operation, _Answers(errors, status))

    def _add(
        self, method: Method, path: str, operation: str, answers: _Answers
    ) -> Callable[[Handler], Handler]:
        permission = OPERATIONS.get(operation)
        if permission is None:
            raise LookupError(f"the operation {operation} has no row in control/access.py")
        self.operations.append(operation)
        statuses = {*answers.errors, 422, 503}
        if permission is not Permission.PUBLIC:
            statuses |= {401, 403}
        if method in ("POST", "PUT", "PATCH"):
            statuses.add(413)
        guard = [] if permission is Permission.PUBLIC else [Depends(_allowed(permission))]
        return self.router.api_route(
            path,
            methods=[method],
            operation_id=operation,
            status_code=answers.status,
            dependencies=guard,
            responses=documented(sorted(statuses)) | answers.files(),
            response_class=Response if answers.media else JSONResponse,
            openapi_extra={"x-permission": permission.value},
        )


def _allowed(permission: Permission) -> Callable[[Caller], None]:
    def check(caller: Annotated[Caller, Depends(signed)]) -> None:
        if not caller.may(permission):
            raise Forbidden("FORBIDDEN", f"the role {caller.role} does not have the permission {permission}")

    return check
