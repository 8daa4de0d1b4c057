"""The admin API with people to act as; every test runs on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.support.control import OTHER_TENANT, Control, opened_control
from tests.support.stores import any_store

from aimesh.store.engine import Store
from aimesh.store.people import Role

__all__ = ["any_store"]


@pytest.fixture
def control(any_store: Store, tmp_path: Path) -> Iterator[Control]:
    with opened_control(any_store, tmp_path) as control:
        yield control


@pytest.fixture
def anonymous(control: Control) -> TestClient:
    return control.anonymous()


@pytest.fixture
def member(control: Control) -> TestClient:
    return control.client(control.person("member", Role.MEMBER))


@pytest.fixture
def admin(control: Control) -> TestClient:
    return control.client(control.person("admin", Role.AI_GATEWAY_ADMIN))


@pytest.fixture
def other_admin(control: Control) -> TestClient:
    return control.client(control.person("other-admin", Role.AI_GATEWAY_ADMIN, OTHER_TENANT))


@pytest.fixture
def platform(control: Control) -> TestClient:
    return control.client(control.person("platform", Role.PLATFORM_ADMIN))
