"""The admin API with people to act as; every test runs on SQLite and on PostgreSQL.

A database of PostgreSQL is made once per process and emptied before each test: making one takes longer than most
tests.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, insert, select
from starlette.testclient import TestClient
from tests.support.control import OTHER_TENANT, Control, opened_control
from tests.support.stores import opened_store, server_of

from aimesh.store.database import default_url
from aimesh.store.engine import Store
from aimesh.store.people import Role
from aimesh.store.tables import METADATA, TENANTS


@pytest.fixture(scope="session")
def postgres_store(request: pytest.FixtureRequest) -> Iterator[Store]:
    with server_of(request.config).database() as url, opened_store(url) as store:
        yield store


@pytest.fixture(params=["sqlite", "postgresql"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        with opened_store(default_url(tmp_path)) as store:
            yield store
    else:
        store = request.getfixturevalue("postgres_store")
        assert isinstance(store, Store)
        empty(store)
        yield store


def empty(store: Store) -> None:
    """As a migration leaves it."""
    with store.write() as db:
        default = db.execute(select(TENANTS).where(TENANTS.c.id == "default")).one()
        for table in METADATA.tables.values():
            db.execute(delete(table))
        plain = {"name": "default", "status": "active", "version": 1}
        blank = {"limits": "{}", "default_route": "{}", "default_limits": "{}"}
        db.execute(insert(TENANTS).values({**default._asdict(), **plain, **blank}))


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
