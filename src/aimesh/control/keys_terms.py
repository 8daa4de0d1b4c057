"""What a key may say: an edit applied to its terms, checked against what is there.

1. Only what an edit names is checked: a key whose route names something that has gone since can still be renamed.
2. Everything wrong is told at once, each with its place and, where known, what to write instead.
3. What exists and merely cannot work at present (a disabled credential) is a warning, not an error.
"""

from collections.abc import Iterator

from msgspec import Struct, structs

from aimesh.catalog.problem import did_you_mean, shown_name
from aimesh.catalog.snapshot import Catalog
from aimesh.control.errors import Detail, Invalid
from aimesh.control.parts import Parts
from aimesh.control.schemas_gateway import KeyCreate, KeyEdit, KeyPatch
from aimesh.control.texts import seconds
from aimesh.core.ids import TenantId
from aimesh.core.policy import Route, RouteMode
from aimesh.store.credentials import StoredCredential, list_credentials
from aimesh.store.engine import Connection
from aimesh.store.virtual_keys import KeyTerms


class Known(Struct, frozen=True):
    """What the keys of a tenant are checked against."""

    catalog: Catalog
    credentials: dict[str, StoredCredential]
    """BYOK of the tenant, by name."""
    now_s: float


def known_in(parts: Parts, db: Connection, tenant: TenantId) -> Known:
    return Known(
        catalog=parts.catalogs.of(parts.settings, db).shown,
        credentials={one.name: one for one in list_credentials(db, tenant)},
        now_s=parts.clock.wall_s(),
    )


def edited(terms: KeyTerms, edit: KeyEdit, known: Known) -> KeyTerms:
    """The terms with the edit in them. Raises ``Invalid``."""
    details = [*_edit_faults(edit, known)]
    if details:
        raise _invalid(details)
    changes: dict[str, object] = {}
    if isinstance(edit, KeyPatch | KeyCreate) and edit.alias is not None:
        changes["alias"] = edit.alias
    if edit.models is not None:
        changes["models"] = tuple(edit.models)
    if edit.networks is not None:
        changes["networks"] = tuple(edit.networks)
    if "expires_at" in edit.model_fields_set:
        changes["expires_at_s"] = None if edit.expires_at is None else seconds(edit.expires_at)
    if edit.labels is not None:
        changes["labels"] = edit.labels
    if edit.route is not None:
        changes["route"] = edit.route.value()
    if edit.limits is not None:
        changes["limits"] = edit.limits.value()
    return structs.replace(terms, **changes)


def check_route(route: Route, known: Known, path: str = "") -> None:
    """Raises ``Invalid`` where a name does not exist."""
    if details := [*_route_faults(route, known, path)]:
        raise _invalid(details)


def warnings(route: Route, known: Known) -> list[str]:
    """What a route names and cannot be used at present."""
    found = [
        f"the provider {shown_name(name)} is not there any more"
        for name in dict.fromkeys([*route.providers, *route.tiers, *route.weights])
        if name not in known.catalog.providers
    ]
    if route.mode is not RouteMode.BYOK:
        return found
    for name in route.credentials:
        credential = known.credentials.get(name)
        if credential is None:
            found.append(f"the BYOK credential {shown_name(name)} is not there any more")
        elif not credential.enabled:
            found.append(f"the BYOK credential {shown_name(name)} is disabled")
    if not route.credentials and not any(one.enabled for one in known.credentials.values()):
        found.append("the tenant has no enabled BYOK credential, so every call is refused")
    return found


def _invalid(details: list[Detail]) -> Invalid:
    message = details[0].message if len(details) == 1 else f"{len(details)} things are wrong with the key"
    return Invalid("INVALID_REQUEST", message, details=details)


def _edit_faults(edit: KeyEdit, known: Known) -> Iterator[Detail]:
    for index, pattern in enumerate(edit.models or ()):
        catalog = known.catalog
        # A pattern with '*' may wait for models that are not there yet; an exact name is a promise.
        if "*" not in pattern and pattern not in catalog.models and pattern not in catalog.aliases:
            hint = did_you_mean(pattern, [*catalog.models, *catalog.aliases])
            yield Detail(path=f"models.{index}", message=f"unknown model {shown_name(pattern)}", hint=hint)
    if edit.expires_at is not None and seconds(edit.expires_at) <= known.now_s:
        yield Detail(path="expires_at", message="this time is past", hint="null: never")
    if edit.route is not None:
        yield from _route_faults(edit.route.value(), known, "route.")


def _route_faults(route: Route, known: Known, path: str) -> Iterator[Detail]:
    providers = known.catalog.providers
    listed = [(f"providers.{index}", name) for index, name in enumerate(route.providers)]
    listed += [(f"tiers.{name}", name) for name in route.tiers]
    listed += [(f"weights.{name}", name) for name in route.weights]
    for where, name in listed:
        if name not in providers:
            hint = did_you_mean(name, providers)
            yield Detail(path=path + where, message=f"unknown provider {shown_name(name)}", hint=hint)
    for index, alias in enumerate(route.credentials):
        if alias not in known.credentials:
            message = f"the tenant has no BYOK credential {shown_name(alias)}"
            hint = did_you_mean(alias, known.credentials)
            yield Detail(path=f"{path}credentials.{index}", message=message, hint=hint)
