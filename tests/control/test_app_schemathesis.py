"""Schemathesis over every operation, as who runs the installation and as nobody: no 5xx, no undocumented status, and
answers that fit the document.

Requests are made from the document, half of them good by it and half of them bad, to things that are not there and to
things that are. The short run is part of the suite; ``long`` tries many more.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from httpx2 import Response
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient
from tests.support.control import opened_control
from tests.support.control_world import PLACES, SERVED, World, place_of, populated
from tests.support.stores import opened_store

from aimesh.control.app import document
from aimesh.store.database import default_url
from aimesh.store.people import Role

AnyCase = Case[Any]
Operation = APIOperation[Any, Any, Any, Any]
FITS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
NOWHERE = "simulator: http://127.0.0.1:9\n"
"""Where a credential would be tested: nobody answers there."""
IDENTIFYING = ("authorization", "cookie", "if-match")
HOST = "http://aimesh.example"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with opened_store(default_url(tmp_path)) as store, opened_control(store, tmp_path, NOWHERE) as control:
        yield populated(control)


@pytest.fixture(scope="module")
def found() -> dict[str, Operation]:
    """Operations of the document, which takes half a second to read."""
    schema = schemathesis.openapi.from_dict(document())
    read = [each.ok() for each in schema.get_all_operations() if isinstance(each, Ok)]
    operations: dict[str, Operation] = {each.definition.raw["operationId"]: each for each in read}
    assert set(operations) == set(SERVED)
    return operations


@pytest.mark.parametrize("operation", sorted(SERVED))
def test_every_operation_fits_its_document(world: World, found: dict[str, Operation], operation: str) -> None:
    fuzz(world, found[operation], examples=10)


@pytest.mark.long
@pytest.mark.parametrize("operation", sorted(SERVED))
def test_every_operation_fits_its_document_fuzz(
    world: World, found: dict[str, Operation], operation: str
) -> None:
    fuzz(world, found[operation], examples=200)


def fuzz(world: World, operation: Operation, examples: int) -> None:
    root = world.control.token_client(world.control.person("root", Role.PLATFORM_ADMIN))
    anonymous = world.control.anonymous()

    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy_of(operation), is_there=st.booleans(), match=st.sampled_from(["*", '"1"', ""]))
    def check(case: AnyCase, is_there: bool, match: str) -> None:
        for client in (root, anonymous):
            answer = send(client, world, case, is_there=is_there, match=match)
            case.validate_response(answer, checks=FITS)

    check()


def strategy_of(operation: Operation) -> st.SearchStrategy[AnyCase]:
    good: st.SearchStrategy[AnyCase] = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    bad: st.SearchStrategy[AnyCase] = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    return st.one_of(good, bad)


def send(client: TestClient, world: World, case: AnyCase, *, is_there: bool, match: str) -> Response:
    request = requests.Request(**case.as_transport_kwargs(base_url=HOST)).prepare()
    assert request.url is not None
    url, operation = request.url, case.operation.definition.raw["operationId"]
    if is_there and operation in PLACES:
        url = f"{HOST}{place_of(world, operation)}?{url.partition('?')[2]}"
    # Who asks is the client's to say.
    headers = {name: value for name, value in request.headers.items() if name.lower() not in IDENTIFYING}
    if match:
        headers["if-match"] = match
    return client.request(request.method or "", url, headers=headers, content=request.body or b"")
