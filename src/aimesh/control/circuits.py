"""Circuits that are not closed, as the workers of this node say: which endpoints are left alone for a while, and why.

1. A circuit is of an endpoint with a credential, and each worker has its own. What is told of an endpoint is put
   together from those that the caller's calls could meet: the platform's credentials and the own tenant's.
2. Which credential and which worker, only who runs the installation sees.
3. An endpoint that is not in the list is closed: calls go there.
"""

from collections.abc import Iterator
from enum import StrEnum

from msgspec import Struct
from pydantic import BaseModel, ConfigDict, Field

from aimesh.catalog.price_record import BYOK
from aimesh.control.access import Permission
from aimesh.control.http import Page, Pages
from aimesh.control.noun import Noun
from aimesh.control.texts import Time, shown_time
from aimesh.control.visit import Visit, Visiting
from aimesh.core.ids import EndpointName
from aimesh.store.circuit_notes import CircuitNote, read_circuits

NOUN = Noun("circuits", "Endpoints that are left alone for a while because calls to them failed.")


class CircuitState(StrEnum):
    OPEN = "open"
    """Calls go elsewhere."""
    HALF_OPEN = "half_open"
    """One call at a time goes there, to see."""


class WorkerCircuit(BaseModel):
    worker: int = Field(description="Its slot.")
    credential: str = Field(description="Id.")
    state: CircuitState
    since: Time
    until: Time
    failures: int = Field(description="In a row.")


class EndpointCircuit(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "endpoint": "cloud_north@qwen/qwen3.7-max@open_ai",
                "provider": "cloud_north",
                "model": "qwen/qwen3.7-max",
                "state": "open",
                "cooling": True,
                "since": "2026-01-31T08:00:00Z",
                "until": "2026-01-31T08:00:20Z",
                "workers": [
                    {
                        "worker": 0,
                        "credential": "cloud_north/main",
                        "state": "open",
                        "since": "2026-01-31T08:00:00Z",
                        "until": "2026-01-31T08:00:20Z",
                        "failures": 5,
                    }
                ],
            }
        }
    )

    endpoint: str
    provider: str
    model: str
    state: CircuitState = Field(description="`open` where any worker leaves it alone.")
    cooling: bool = Field(description="It is open.")
    since: Time
    until: Time = Field(description="When the last of them tries again.")
    workers: list[WorkerCircuit] | None = Field(
        description="One by one, for who runs the installation; else null."
    )


class CircuitPage(Page[EndpointCircuit]):
    """By endpoint; those that are closed are not in it."""


class Met(Struct, frozen=True):
    """A circuit of a worker."""

    slot: int
    note: CircuitNote


@NOUN.get("/circuits", "list_circuits")
def list_every_circuit(visit: Visiting, pages: Pages) -> CircuitPage:
    """Endpoints whose circuit is open or half open, on this node."""
    now_s = visit.parts.clock.wall_s()
    grouped: dict[EndpointName, list[Met]] = {}
    for met in _met(visit):
        grouped.setdefault(met.note.endpoint, []).append(met)
    with visit.parts.store.read() as db:
        endpoints = visit.parts.catalogs.of(visit.parts.settings, db).shown.endpoints
    # A worker may still tell of an endpoint that was taken out of the catalogue.
    names = sorted(name for name in grouped if name in endpoints)
    after = pages.after(str)
    rows = [name for name in names if after is None or name > after][: pages.limit + 1]
    shown, cursor = pages.cut(rows, lambda name: name)
    has_details = visit.caller.may(Permission.SETTINGS_READ)
    data = []
    for name in shown:
        endpoint, several = endpoints[name], grouped[name]
        state = min((_state(met.note, now_s) for met in several), key=list(CircuitState).index)
        data.append(
            EndpointCircuit(
                endpoint=name,
                provider=endpoint.provider,
                model=endpoint.model,
                state=state,
                cooling=state is CircuitState.OPEN,
                since=shown_time(min(met.note.since_s for met in several)),
                until=shown_time(max(met.note.until_s for met in several)),
                workers=[_shown(met, now_s) for met in several] if has_details else None,
            )
        )
    return CircuitPage(data=data, next_cursor=cursor, total=len(names))


def cooling_endpoints(visit: Visit) -> frozenset[EndpointName]:
    """Those that some worker leaves alone, as far as the caller's calls could meet it."""
    now_s = visit.parts.clock.wall_s()
    return frozenset(met.note.endpoint for met in _met(visit) if met.note.until_s > now_s)


def _met(visit: Visit) -> Iterator[Met]:
    sees_all = visit.caller.may(Permission.ANY_TENANT)
    own = f"{BYOK}{visit.tenant}/"
    for worker in read_circuits(visit.parts.settings.home):
        for note in worker.circuits:
            if sees_all or not note.credential.startswith(BYOK) or note.credential.startswith(own):
                yield Met(worker.slot, note)


def _state(note: CircuitNote, now_s: float) -> CircuitState:
    return CircuitState.OPEN if note.until_s > now_s else CircuitState.HALF_OPEN


def _shown(met: Met, now_s: float) -> WorkerCircuit:
    note = met.note
    return WorkerCircuit(
        worker=met.slot,
        credential=note.credential,
        state=_state(note, now_s),
        since=shown_time(note.since_s),
        until=shown_time(note.until_s),
        failures=note.failures,
    )
