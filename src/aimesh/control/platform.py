"""The installation itself: what everybody who is signed in needs to know of it, and the settings in force for who runs
it.

1. Settings are shown, never changed here: the file is the operator's.
2. What is shown is picked field by field; a new setting is not shown until somebody decides that it is no secret.
"""

import platform as python_platform
from collections.abc import Mapping

import msgspec
from fastapi import Request
from msgspec import Struct, structs
from pydantic import JsonValue

from aimesh import __version__
from aimesh.catalog.operator import OidcSettings
from aimesh.control.models_views import regions_of
from aimesh.control.noun import Noun
from aimesh.control.pages import language_of
from aimesh.control.parts import Parts, Uses
from aimesh.control.schemas_platform import (
    FromFile,
    ImporterNode,
    ImporterState,
    Installation,
    PlatformSettings,
    ProvidersReached,
    Retention,
    SingleSignOn,
    shown_database,
    shown_place,
)
from aimesh.control.texts import shown_time
from aimesh.settings import Settings
from aimesh.settings.values import Address, Credentials
from aimesh.store.database import url_of
from aimesh.store.engine import Connection
from aimesh.store.import_note import read_note
from aimesh.store.journal_progress import read_import_times
from aimesh.store.usage_retention import HOURS_DAYS, MINUTES_DAYS

NOUN = Noun("platform", "The installation itself.")


@NOUN.get("/installation", "get_installation")
def get_installation(parts: Uses, request: Request) -> Installation:
    """What call examples and pages need to know of this installation."""
    settings = parts.settings
    return Installation(
        version=__version__,
        regions=regions_of(settings, request),
        simulator=bool(settings.simulator),
        single_sign_on=bool(settings.admin.oidc.issuer),
        language=language_of(request),
        timezone=settings.timezone,
    )


@NOUN.get("/settings", "get_settings")
def get_settings(parts: Uses, request: Request) -> PlatformSettings:
    """The settings in force, without any secret."""
    settings = parts.settings
    with parts.store.read() as db:
        importer = _importer(parts, db)
        problem = parts.catalogs.of(settings, db).problem
    return PlatformSettings(
        version=__version__,
        python=python_platform.python_version(),
        home=str(settings.home),
        file=_file(settings),
        listen=[_address(one) for one in settings.listen],
        admin_listen=[_address(one) for one in settings.admin_listen],
        trusted_proxies=[str(one) for one in settings.trusted_proxies],
        regions=regions_of(settings, request),
        workers=settings.workers,
        timezone=settings.timezone,
        database=shown_database(url_of(settings.database, settings.home)),
        simulator=shown_place(settings.simulator),
        vault=parts.vault is not None,
        single_sign_on=_single_sign_on(settings.admin.oidc),
        retention=Retention(
            calls=settings.usage.keep_days,
            journal=settings.journal.keep_days,
            monitoring_minutes=MINUTES_DAYS,
            monitoring_hours=HOURS_DAYS,
        ),
        providers_reached=ProvidersReached(
            proxy=shown_place(settings.upstream.proxy),
            no_proxy=list(settings.upstream.no_proxy),
            ca_file=settings.upstream.ca_file,
        ),
        importer=importer,
        catalog_problem=problem,
        sections=_sections(settings),
    )


def _sections(settings: Settings) -> dict[str, dict[str, JsonValue]]:
    sections: Mapping[str, Struct] = {
        "limits": settings.limits,
        "timeouts": settings.timeouts,
        "routing": settings.routing,
        "journal": structs.replace(settings.journal, directory=str(settings.journal_directory)),
        "usage": settings.usage,
        "log": settings.log,
        "keys": settings.keys,
        # Has a place of its own.
        "admin": structs.replace(settings.admin, oidc=OidcSettings()),
    }
    # A section with a secret in it would fail here instead of showing it.
    shown: dict[str, dict[str, JsonValue]] = {
        name: msgspec.to_builtins(section) for name, section in sections.items()
    }
    shown["admin"].pop("oidc")
    return shown


def _file(settings: Settings) -> FromFile:
    sources = settings.sources
    return FromFile(
        path=None if settings.file is None else str(settings.file),
        virtual_keys=len(settings.virtual_keys),
        credentials=_count(sources.declared),
        environment_credentials=_count(sources.environment),
        providers=len(sources.layer.providers),
        models=len(sources.layer.models),
    )


def _count(credentials: Credentials) -> int:
    return sum(map(len, credentials.values()))


def _address(address: Address) -> str:
    if address.unix:
        return f"unix:{address.unix}"
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"{host}:{address.port}"


def _single_sign_on(oidc: OidcSettings) -> SingleSignOn | None:
    if not oidc.issuer:
        return None
    return SingleSignOn(
        issuer=oidc.issuer,
        client_id=oidc.client_id,
        has_secret=oidc.client_secret is not None,
        tenant=oidc.tenant,
        admins=list(oidc.admins),
    )


def _importer(parts: Parts, db: Connection) -> ImporterState:
    now_s = parts.clock.wall_s()
    note = read_note(parts.settings.journal_directory)
    return ImporterState(
        on=parts.settings.usage.import_,
        nodes=[
            ImporterNode(node=node, updated_at=shown_time(at_s), lag_s=round(max(0.0, now_s - at_s), 3))
            for node, at_s in sorted(read_import_times(db).items())
        ],
        rejected=0 if note is None else note.rejected,
        problem="" if note is None else note.problem,
    )
