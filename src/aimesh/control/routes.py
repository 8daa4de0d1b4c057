"""Routes and limits of virtual keys, each by itself: which endpoints a key's calls may try, what it may use, and what
was used of that."""

from fastapi import Response
from msgspec import structs

from aimesh.control.http import Edit, tag
from aimesh.control.keys_changes import change_terms, own_key, seen_key
from aimesh.control.keys_terms import Known, check_route, known_in, warnings
from aimesh.control.keys_views import show_use
from aimesh.control.noun import Noun
from aimesh.control.schemas_gateway import LimitsUse, RouteView
from aimesh.control.schemas_policy import LimitsBody, RouteBody, shown_limits, shown_route
from aimesh.control.texts import Id
from aimesh.control.visit import Visiting
from aimesh.core.ids import KeyId
from aimesh.core.policy import Route

NOUN = Noun("key routes and quotas", "Which way a key's calls go, and how much it may use.")


@NOUN.get("/keys/{key_id}/route", "get_key_route", errors=(404,))
def get_route(key_id: Id, visit: Visiting, response: Response) -> RouteView:
    """The route of a key."""
    with visit.parts.store.read() as db:
        key = seen_key(visit, db, KeyId(key_id))
        known = known_in(visit.parts, db, visit.tenant)
    tag(response, key.version)
    return _shown(key.terms.route, known)


@NOUN.put("/keys/{key_id}/route", "set_key_route", errors=(404, 409, 412, 428))
def set_route(key_id: Id, body: RouteBody, visit: Visiting, edit: Edit) -> RouteView:
    """Set the route of a key, whole: what is left out becomes its default."""
    with visit.parts.store.write() as db:
        key = own_key(visit, db, KeyId(key_id))
        edit.check(key.version)
        known = known_in(visit.parts, db, visit.tenant)
        check_route(body.value(), known)
        key = change_terms(db, key, structs.replace(key.terms, route=body.value()), visit.caller)
    edit.tag(key.version)
    return _shown(key.terms.route, known)


@NOUN.get("/keys/{key_id}/quotas", "get_key_quotas", errors=(404,))
def get_quotas(key_id: Id, visit: Visiting, response: Response) -> LimitsBody:
    """The limits of a key, as they can be sent back."""
    with visit.parts.store.read() as db:
        key = seen_key(visit, db, KeyId(key_id))
    tag(response, key.version)
    return shown_limits(key.terms.limits)


@NOUN.put("/keys/{key_id}/quotas", "set_key_quotas", errors=(404, 409, 412, 428))
def set_quotas(key_id: Id, body: LimitsBody, visit: Visiting, edit: Edit) -> LimitsBody:
    """Set the limits of a key, whole. What was used in the running period still counts."""
    with visit.parts.store.write() as db:
        key = own_key(visit, db, KeyId(key_id))
        edit.check(key.version)
        key = change_terms(db, key, structs.replace(key.terms, limits=body.value()), visit.caller)
    edit.tag(key.version)
    return shown_limits(key.terms.limits)


@NOUN.get("/keys/{key_id}/quota", "get_key_quota", errors=(404,))
def get_use(key_id: Id, visit: Visiting) -> LimitsUse:
    """The limits of a key with what was used, is set aside and remains, and when each begins again."""
    with visit.parts.store.read() as db:
        key = seen_key(visit, db, KeyId(key_id))
    return show_use(visit.parts, key, visit.parts.clock.wall_s())


def _shown(route: Route, known: Known) -> RouteView:
    return RouteView(**shown_route(route).model_dump(), warnings=warnings(route, known))
