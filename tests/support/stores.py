"""One set of tests on both databases.

A test file that wants a fixture imports it by name and lists it, so that the linter sees a use::

    from tests.support.stores import any_store

    __all__ = ["any_store"]

    def test_a_tenant_is_found(any_store: Store) -> None: ...

Each test with it runs twice, on SQLite and on PostgreSQL, on a database of its own with all tables and no rows but the
tenant ``default``. ``any_database`` is the workers' view of it, ``any_database_url`` is for whoever opens it himself: a
process, an application, two stores at once. A test takes one of the three, for each has its own database.
``postgres_server`` is the one server of the test process: to be asked for a database, never to be stopped.
``own_postgres`` is a server for one test, which may stop it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.support.postgres import PostgresServer

from aimesh.store.database import Database, default_url, open_database
from aimesh.store.engine import Store, open_store

_BOTH = ["sqlite", "postgresql"]
_SERVER = pytest.StashKey[PostgresServer]()


@contextmanager
def opened_store(url: str) -> Iterator[Store]:
    store = open_store(url)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def opened_database(url: str) -> Iterator[Database]:
    database = open_database(url)
    try:
        yield database
    finally:
        database.close()


def server_of(config: pytest.Config) -> PostgresServer:
    """Kept with the session: a fixture that several files import is a fixture of each of them."""
    server = config.stash.get(_SERVER, None)
    if server is None:
        server = config.stash[_SERVER] = PostgresServer()
        config.add_cleanup(server.remove)
    return server


@pytest.fixture
def postgres_server(request: pytest.FixtureRequest) -> PostgresServer:
    return server_of(request.config)


@pytest.fixture
def own_postgres() -> Iterator[PostgresServer]:
    server = PostgresServer()
    try:
        yield server
    finally:
        server.remove()


# Each fixture is complete by itself: a test file that imports one need not import another.


@pytest.fixture(params=_BOTH)
def any_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with _fresh_url(request, tmp_path) as url:
        yield url


@pytest.fixture(params=_BOTH)
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with _fresh_url(request, tmp_path) as url, opened_store(url) as store:
        yield store


@pytest.fixture(params=_BOTH)
def any_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with _fresh_url(request, tmp_path) as url, opened_database(url) as database:
        yield database


@contextmanager
def _fresh_url(request: pytest.FixtureRequest, home: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield default_url(home)
    else:
        with server_of(request.config).database() as url:
            yield url
