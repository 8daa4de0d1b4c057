"""The admin API: its nouns, put together. ``make_app(parts)`` gives an ASGI app.

Adding a noun

1. Storage: ``store/<noun>.py``, plain functions that take a ``Connection``.
2. Rows in ``control/access.py``: ``OPERATIONS["list_things"] = Permission.THINGS_READ``.
3. ``control/<noun>.py``:

       NOUN = Noun("things", "What a thing is.")

       @NOUN.get("/things/{thing_id}", "get_thing", errors=(404,))
       def get_thing(thing_id: Id, parts: Uses, caller: Signed, tenant: InTenant, response: Response) -> Thing:
           \"\"\"One sentence for the document.\"\"\"
           with parts.store.read() as db:
               thing = find_thing(db, thing_id)
           if thing is None or thing.tenant != tenant or caller.only_own not in (None, thing.owner):
               raise NotFound("THING_NOT_FOUND", "there is no such thing")
           tag(response, thing.version)
           return shown(thing)

   Handlers are plain functions: FastAPI runs them on its threads. A change is one ``with parts.store.write() as
   db:`` that finds, checks (``check_version(if_match, thing.version)``), changes and writes ``audited(db, caller,
   "thing.change", Target(...), difference(old, new))``; an exception undoes all of it. ``DuplicateError`` comes when
   the block is left: catch it around the ``with`` and raise ``Conflict`` with words of its own.
   Types for what is taken are in ``control/texts.py`` and ``control/schemas_policy.py``; bodies are pydantic models
   with ``extra="forbid"`` and an example; lists take ``pages: Pages`` and give a ``Page``.
4. A line in ``NOUNS`` below.

1. What is served is what stands in ``NOUNS``; importing a module adds nothing.
2. An operation is served once, or the app does not start; a test holds the nouns against the table of access.
"""

from collections.abc import Sequence
from dataclasses import replace

from fastapi import FastAPI

from aimesh import __version__
from aimesh.control import (
    alerts,
    audit,
    byok,
    circuits,
    credentials,
    endpoints,
    key_actions,
    keys,
    members,
    models,
    monitoring,
    platform,
    prices,
    providers,
    reprice,
    routes,
    sessions,
    setup,
    single_sign_on,
    tasks,
    tenants,
    tokens,
    usage,
    usage_calls,
    usage_export,
)
from aimesh.control.console import Console
from aimesh.control.document import ABOUT, AdminApi, Json, document_page
from aimesh.control.edge import Edge
from aimesh.control.errors import add_handlers
from aimesh.control.noun import PREFIX, Noun
from aimesh.control.oidc import IdentityProvider, make_client
from aimesh.control.parts import Parts

NOUNS: tuple[Noun, ...] = (
    setup.NOUN,
    sessions.NOUN,
    single_sign_on.NOUN,
    members.NOUN,
    tenants.NOUN,
    tokens.NOUN,
    keys.NOUN,
    key_actions.NOUN,
    routes.NOUN,
    byok.NOUN,
    credentials.NOUN,
    providers.NOUN,
    models.NOUN,
    endpoints.NOUN,
    tasks.NOUN,
    usage.NOUN,
    usage_calls.NOUN,
    usage_export.NOUN,
    circuits.NOUN,
    monitoring.NOUN,
    alerts.NOUN,
    prices.NOUN,
    reprice.NOUN,
    audit.NOUN,
    platform.NOUN,
)


def make_app(parts: Parts) -> FastAPI:
    app = _api()
    app.state.parts = parts = _with_identity_provider(parts)
    add_handlers(app)
    app.add_route(f"{PREFIX}/docs", document_page, methods=["GET"], include_in_schema=False)
    Console(parts.console).add_routes(app)
    app.add_middleware(Edge, parts=parts)
    return app


def document() -> Json:
    """The OpenAPI document, which is the same for every installation."""
    return _api().openapi()


def _api() -> AdminApi:
    check_nouns(NOUNS)
    app = AdminApi(
        title="aimesh admin API",
        version=__version__,
        description=ABOUT,
        summary="Virtual keys, routes, quotas, credentials and people of an aimesh installation.",
        openapi_url=f"{PREFIX}/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        openapi_tags=[{"name": noun.tag, "description": noun.about} for noun in NOUNS],
    )
    for noun in NOUNS:
        # Their routes are complete: including them would build each one again for every app.
        app.router.routes.extend(noun.router.routes)
    return app


def _with_identity_provider(parts: Parts) -> Parts:
    oidc = parts.settings.admin.oidc
    if parts.identity_provider is not None or not oidc.issuer:
        return parts
    client = make_client(parts.settings.upstream, oidc.issuer)
    return replace(parts, identity_provider=IdentityProvider(oidc, parts.clock, client))


def check_nouns(nouns: Sequence[Noun]) -> None:
    """Raises ``LookupError`` where an operation is served twice."""
    served = [operation for noun in nouns for operation in noun.operations]
    twice = {operation for operation in served if served.count(operation) > 1}
    if twice:
        raise LookupError(f"served twice: {', '.join(sorted(twice))}")
