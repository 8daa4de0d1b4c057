"""The web console as it was built (``make console``): its files, and one document for every one of its addresses.

1. Only files that the build made are served; what is asked for is looked up, never joined to a path.
2. Files below ``assets/`` have their hash in their name and are kept by browsers for good; the document is asked for
   anew every time, so that an update is seen at the next load.
3. Scripts come from here alone: the policy has no ``unsafe-inline`` for them. Styles need it, because Ant Design writes
   them while the page runs. Pictures and films may come from where a provider put them; nothing else may.
4. Where the console was not built, people are told how to get it, and everything else works.
"""

import hashlib
import mimetypes
from pathlib import Path

from fastapi import FastAPI, Request
from msgspec import Struct
from starlette.responses import HTMLResponse, Response

from aimesh.control.errors import NotFound
from aimesh.control.noun import PREFIX
from aimesh.control.pages import page_headers, plain_page, setup_page
from aimesh.control.setup import PAGE

_DOCUMENT = "index.html"
_FOR_GOOD = "public, max-age=31536000, immutable"
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
_NOT_OURS = ("/api/", "/gateway/")
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self' 'unsafe-inline'",
        "connect-src 'self'",
        # A simulated provider serves its files on loopback, without TLS.
        "img-src 'self' data: blob: https: http://127.0.0.1:*",
        "media-src 'self' blob: https: http://127.0.0.1:*",
        "font-src 'self'",
        "worker-src 'self' blob:",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_MISSING = f"""<main><h1>aimesh is running</h1>
<p>The web console is not part of this installation: it is built with <code>make console</code>, which needs Node 20 or
newer, and is found after a restart. Everything it does can be done with the command <code>aimesh</code> and with the
<a href="{PREFIX}/docs">admin API</a>.</p>
<p lang="zh-CN">此安装不包含网页控制台：请用 <code>make console</code> 构建（需要 Node 20 或更新版本），重启后即可使用。
所有功能也都可以通过 <code>aimesh</code> 命令和<a href="{PREFIX}/docs">管理 API</a> 完成。</p></main>"""


class BuiltFile(Struct, frozen=True):
    path: Path
    media_type: str
    etag: str
    encodings: dict[str, Path]
    """Of what was compressed when it was built, by content coding."""


class Console:
    """What the build made; made once, before the app serves."""

    def __init__(self, directory: Path) -> None:
        self._files = _read_files(directory) if (directory / _DOCUMENT).is_file() else {}

    @property
    def is_built(self) -> bool:
        return bool(self._files)

    def add_routes(self, app: FastAPI) -> None:
        """Last of all routes: every GET that no other took."""
        if not self.is_built:
            app.add_route(PAGE, setup_page, methods=["GET"], include_in_schema=False)
            app.add_route("/", _missing_page, methods=["GET"], include_in_schema=False)
            return
        app.add_route("/{path:path}", self._answer, methods=["GET"], include_in_schema=False)

    def _answer(self, request: Request) -> Response:
        path = request.url.path
        found = self._files.get(path.lstrip("/"))
        if found is not None and path != f"/{_DOCUMENT}":
            return _sent(request, found, _FOR_GOOD if path.startswith("/assets/") else "no-cache")
        if path.startswith((*_NOT_OURS, "/assets/")) or path == "/metrics":
            raise NotFound("NOT_FOUND", "there is nothing at this path")
        response = _sent(request, self._files[_DOCUMENT], "no-cache")
        response.headers["content-security-policy"] = _POLICY
        return response


def _read_files(directory: Path) -> dict[str, BuiltFile]:
    files = {}
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory).as_posix()
        if not path.is_file() or path.suffix in (".br", ".gz") or name.startswith("."):
            continue
        compressed = {coding: path.with_name(path.name + suffix) for coding, suffix in _ENCODINGS}
        files[name] = BuiltFile(
            path=path,
            media_type=mimetypes.guess_type(name)[0] or "application/octet-stream",
            etag=f'"{hashlib.sha256(path.read_bytes()).hexdigest()[:32]}"',
            encodings={coding: each for coding, each in compressed.items() if each.is_file()},
        )
    return files


def _sent(request: Request, file: BuiltFile, cache: str) -> Response:
    headers = {"cache-control": cache, "etag": file.etag, "vary": "accept-encoding"}
    if request.headers.get("if-none-match") == file.etag:
        return Response(status_code=304, headers=headers)
    taken = {part.partition(";")[0].strip() for part in request.headers.get("accept-encoding", "").split(",")}
    for coding, path in file.encodings.items():
        if coding in taken:
            headers["content-encoding"] = coding
            return Response(path.read_bytes(), headers=headers, media_type=file.media_type)
    return Response(file.path.read_bytes(), headers=headers, media_type=file.media_type)


def _missing_page(_: Request) -> Response:
    return HTMLResponse(plain_page("aimesh", _MISSING), headers=page_headers())
