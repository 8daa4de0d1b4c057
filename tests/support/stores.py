"""A ``Store`` for one test.

Import the fixture by name into the test file: ``from tests.support.stores import any_store``, with ``__all__`` or
``noqa: F401`` where the linter does not see the use, and take ``any_store: Store`` as an argument.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aimesh.store.database import default_url
from aimesh.store.engine import Store, open_store


@contextmanager
def opened_store(url: str) -> Iterator[Store]:
    store = open_store(url)
    try:
        yield store
    finally:
        store.close()


@pytest.fixture
def any_store(tmp_path: Path) -> Iterator[Store]:
    with opened_store(default_url(tmp_path)) as store:
        yield store
