"""How models and endpoints do: requests, success, durations, speed and errors, over the last minute to sixty days.

Read from points of minutes and hours, which are seconds behind the calls; ``/usage/status`` says how far.
"""

from typing import Annotated

from fastapi import Depends, Query
from msgspec import Struct, structs

from aimesh.catalog.snapshot import Catalog
from aimesh.control.access import Permission
from aimesh.control.errors import NotFound
from aimesh.control.identity import Signed
from aimesh.control.monitoring_window import Moments, Window, last_minutes, moments
from aimesh.control.noun import Noun
from aimesh.control.parts import Parts, Uses
from aimesh.control.schemas_gateway_catalog import ModelPath
from aimesh.control.schemas_monitoring import (
    Monitored,
    MonitoredEndpoint,
    MonitoringOverview,
    Shown,
    shown_health,
)
from aimesh.control.texts import Id, OptionalLine, shown_time
from aimesh.core.ids import EndpointName, ModelName
from aimesh.core.kind import Kind
from aimesh.store.usage_points_queries import (
    Measured,
    measured_together,
    read_endpoints,
    read_series,
)

NOUN = Noun("monitoring", "How models and endpoints do, now and over time.")

NOW_MINUTES = 5


class Watch(Struct, frozen=True):
    """Who asks about which time."""

    parts: Parts
    moments: Moments
    shown: Shown


def _watch(parts: Uses, caller: Signed, given: Annotated[Moments, Depends(moments)]) -> Watch:
    return Watch(parts, given, Shown(with_counts=caller.may(Permission.ANY_TENANT)))


Watching = Annotated[Watch, Depends(_watch)]
"""Type of a handler's parameter that gets the watch."""


@NOUN.get("/monitoring/overview", "get_monitoring_overview")
def get_overview(
    watch: Watching,
    model: Annotated[OptionalLine, Query(description="Only endpoints of this model.")] = "",
) -> MonitoringOverview:
    """All endpoints: how they do now, and what they did in a time (default: the last day)."""
    window, only = watch.moments.whole(), ModelName(model) if model else None
    now_filter = structs.replace(last_minutes(watch.moments.now_s, NOW_MINUTES), model=only)
    with watch.parts.store.read() as db:
        catalog = watch.parts.catalogs.of(watch.parts.settings, db).shown
        measured = read_endpoints(db, window.filter(only))
        recent = read_endpoints(db, now_filter)
    places = {
        *((one.name, one.model) for one in catalog.endpoints.values() if only in (None, one.model)),
        *(place for place in (*measured, *recent) if place[0]),
    }
    total = measured_together(measured.values())
    seconds = window.passed_s(window.since_s, window.until_s - window.since_s)
    return MonitoringOverview(
        since=shown_time(window.since_s),
        until=shown_time(window.until_s),
        # Speeds of different models say nothing together.
        total=watch.shown.measures(total, seconds, is_chat=only is not None and _is_chat(catalog, only)),
        errors=watch.shown.errors(total),
        endpoints=[
            MonitoredEndpoint(
                name=place[0],
                provider=place[0].partition("@")[0],
                model=place[1],
                now=shown_health(recent.get(place, Measured()), is_endpoint=True),
                total=watch.shown.measures(
                    measured.get(place, Measured()),
                    seconds,
                    is_chat=_is_chat(catalog, place[1]),
                    is_endpoint=True,
                ),
            )
            for place in sorted(places)
        ],
    )


@NOUN.get("/monitoring/models/{name:path}", "monitor_model", errors=(404,))
def monitor_model(name: ModelPath, watch: Watching) -> Monitored:
    """One model, over all of its endpoints."""
    return _monitored(watch, name, model=ModelName(name))


@NOUN.get("/monitoring/endpoints/{name:path}", "monitor_endpoint", errors=(404,))
def monitor_endpoint(name: Id, watch: Watching) -> Monitored:
    """One endpoint. Calls are counted at the endpoint that was tried last, attempts that failed before where they were
    made."""
    return _monitored(watch, name, endpoint=EndpointName(name))


def _monitored(
    watch: Watch, name: str, *, model: ModelName | None = None, endpoint: EndpointName | None = None
) -> Monitored:
    window = watch.moments.series()
    now_filter = structs.replace(
        last_minutes(watch.moments.now_s, NOW_MINUTES), model=model, endpoint=endpoint
    )
    with watch.parts.store.read() as db:
        catalog = watch.parts.catalogs.of(watch.parts.settings, db).shown
        series = read_series(db, window.filter(model, endpoint), window.width_s)
        recent = measured_together(read_endpoints(db, now_filter).values())
    if endpoint is not None and endpoint in catalog.endpoints:
        model = catalog.endpoints[endpoint].model
    if not series and not recent.requests + recent.rescued and model not in catalog.models:
        # What is no longer in the catalogue is shown while there is something of it.
        raise _unknown(endpoint)
    return _shown(
        watch.shown,
        window,
        series=series,
        recent=recent,
        of=_Of(name, is_chat=_is_chat(catalog, model), is_endpoint=endpoint is not None),
    )


class _Of(Struct, frozen=True):
    name: str
    is_chat: bool
    is_endpoint: bool


def _shown(
    shown: Shown, window: Window, *, series: dict[int, Measured], recent: Measured, of: _Of
) -> Monitored:
    is_chat, is_endpoint = of.is_chat, of.is_endpoint
    total = measured_together(series.values())
    seconds = window.passed_s(window.since_s, window.until_s - window.since_s)
    return Monitored(
        name=of.name,
        since=shown_time(window.since_s),
        until=shown_time(window.until_s),
        point_s=window.width_s,
        now=shown_health(recent, is_endpoint=is_endpoint),
        total=shown.measures(total, seconds, is_chat=is_chat, is_endpoint=is_endpoint),
        points=[
            shown.point(
                start_s,
                shown.measures(
                    series.get(start_s, Measured()),
                    window.passed_s(start_s, window.width_s),
                    is_chat=is_chat,
                    is_endpoint=is_endpoint,
                ),
            )
            for start_s in window.starts
        ],
        errors=shown.errors(total),
    )


def _is_chat(catalog: Catalog, model: ModelName | None) -> bool:
    found = None if model is None else catalog.models.get(model)
    return found is not None and found.kind is Kind.CHAT


def _unknown(endpoint: EndpointName | None) -> NotFound:
    if endpoint is None:
        return NotFound("MODEL_NOT_FOUND", "there is no such model, and nothing was called by this name")
    return NotFound("ENDPOINT_NOT_FOUND", "there is no such endpoint, and nothing was called by this name")
