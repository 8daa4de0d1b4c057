"""The OpenAPI document of the admin API, and the same as a page for people.

1. FastAPI makes the document from the handlers; what is true of all of them is added here: headers, and how to sign
   in, page and edit.
2. The page needs no script and no other site.
"""

import html
from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse

from aimesh.control.errors import example_of
from aimesh.control.pages import page_headers, plain_page

# FastAPI's own type for a document; what is read from it is looked at piece by piece.
Json = dict[str, Any]

ABOUT = """\
Everything that the console and the command line do goes through this API.

**Signing in.** A program sends a token (`Authorization: Bearer at-...`, made with `POST /tokens`). A browser signs in
with `POST /session`, keeps the cookie, and sends `x-csrf-token` (from `GET /session`) with every method but GET.

**Roles.** `MEMBER`: own keys, own usage. `AI_GATEWAY_ADMIN`: everything of a tenant. `PLATFORM_ADMIN`: the
installation, and any tenant with `?tenant=`. Each operation names its permission as `x-permission`. What is out of
reach is 404.

**Lists** give `data`, `total` and `next_cursor`; the next page is `?cursor=`.

**Edits** are made to a version: `ETag` of the answer that was read, sent back as `If-Match`. Without it 428, and 412
where somebody else was faster. `*` overwrites whatever is there.

**Errors** have one shape: `{"error": {"code", "message", "request_id", "details": [{"path", "message", "hint"}]}}`.

**Money** is decimal text, times are ISO 8601 in UTC, ids are opaque.
"""

_HEADERS: Json = {
    "x-request-id": {
        "description": "Of this request; the log and the audit log have it.",
        "schema": {"type": "string"},
    },
    "etag": {"description": "Version of the thing, for `If-Match`.", "schema": {"type": "string"}},
    "retry-after": {"description": "Whole seconds.", "schema": {"type": "string"}},
}
_BY_FRAMEWORK = ("HTTPValidationError", "ValidationError")


class AdminApi(FastAPI):
    """FastAPI with the document completed."""

    def openapi(self) -> Json:
        if self.openapi_schema is None:
            self.openapi_schema = _completed(super().openapi())
        return self.openapi_schema


def document_page(request: Request) -> HTMLResponse:
    """``GET /api/admin/v1/docs``."""
    document: Json = request.app.openapi()
    return HTMLResponse(plain_page("aimesh admin API", _body(document)), headers=page_headers())


def operations_of(document: Mapping[str, Any]) -> Iterator[tuple[str, str, Json]]:
    """Method, path and description of every operation, in the document's order."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


def _completed(document: Json) -> Json:
    components = document["components"]
    schemas = components["schemas"]
    for name in _BY_FRAMEWORK:
        # Every 422 has our own shape.
        schemas.pop(name, None)
    components["headers"] = _HEADERS
    for _, _, operation in operations_of(document):
        if any(one["name"] == "tenant" for one in operation.get("parameters", [])):
            # Any tenant may be asked for, and may not be there.
            operation["responses"].setdefault("404", _no_tenant())
        for status, answer in operation["responses"].items():
            answer["headers"] = {name: _header(name) for name in _header_names(status, answer, schemas)}
    return document


def _no_tenant() -> Json:
    content = {"schema": {"$ref": "#/components/schemas/ErrorAnswer"}, "example": example_of(404)}
    return {"description": "There is no such tenant", "content": {"application/json": content}}


def _header(name: str) -> Json:
    return {"$ref": f"#/components/headers/{name}"}


def _header_names(status: str, answer: Json, schemas: Json) -> list[str]:
    names = ["x-request-id"]
    if status in ("429", "503"):
        names.append("retry-after")
    if status.startswith("2") and _has_version(answer, schemas):
        names.append("etag")
    return names


def _has_version(answer: Json, schemas: Json) -> bool:
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    return "version" in schemas.get(name, {}).get("properties", {})


def _body(document: Json) -> str:
    parts = [f"<h1>{_text(document['info']['title'])}</h1>"]
    parts += [f"<p>{_marked(part)}</p>" for part in ABOUT.split("\n\n")]
    for tag in document["tags"]:
        parts.append(f"<h2>{_text(tag['name'])}</h2><p>{_marked(tag['description'])}</p>")
        for method, path, operation in operations_of(document):
            if operation["tags"] == [tag["name"]]:
                parts.append(_operation(method, path, operation))
    return f'<main class="wide">{"".join(parts)}</main>'


def _operation(method: str, path: str, operation: Json) -> str:
    rows = [
        f"<tr><td>{_text(one['name'])}</td><td>{_text(one['in'])}</td>"
        f"<td>{_marked(one.get('description', ''))}</td></tr>"
        for one in operation.get("parameters", [])
    ]
    statuses = "".join(
        f"<tr><td>{_text(status)}</td><td></td><td>{_marked(answer['description'])} {_schema_name(answer)}</td></tr>"
        for status, answer in operation["responses"].items()
    )
    takes = _schema_name(operation.get("requestBody", {}))
    return (
        f"<h3>{_text(method)} {_text(path)}</h3>"
        f"<p>{_marked(operation.get('description', ''))} ({_text(operation['operationId'])}; permission "
        f"{_text(operation['x-permission'])}{'; takes ' + takes if takes else ''})</p>"
        f"<table>{''.join(rows)}{statuses}</table>"
    )


def _schema_name(part: Json) -> str:
    schema = part.get("content", {}).get("application/json", {}).get("schema", {})
    return _text(str(schema.get("$ref", "")).rpartition("/")[2])


def _text(text: object) -> str:
    return html.escape(str(text))


def _marked(text: str) -> str:
    """Code and bold of what stands in descriptions."""
    escaped = html.escape(text)
    for mark, tag in (("**", "b"), ("`", "code")):
        pieces = escaped.split(mark)
        escaped = "".join(
            f"<{tag}>{piece}</{tag}>" if index % 2 and index < len(pieces) - 1 else piece
            for index, piece in enumerate(pieces)
        )
    return escaped
