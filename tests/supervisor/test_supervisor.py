"""What the supervisor is made of; what it does is in ``tests/chaos/test_processes.py``."""

import subprocess
import sys

import pytest

HEAVY = (
    "fastapi",
    "pydantic",
    "uvicorn",
    "sqlalchemy",
    "alembic",
    "sqlite3",
    "psycopg",
    "typer",
    "rich",
    "httpx",
)


@pytest.mark.parametrize(
    ("module", "allowed"),
    [("aimesh.supervisor.__main__", {"sqlite3"}), ("aimesh.supervisor.worker", {"sqlite3"})],
)
def test_what_runs_for_months_loads_no_more_than_it_needs(module: str, allowed: set[str]) -> None:
    code = f"import sys, {module}; print(*sorted(set(sys.modules) & set({HEAVY!r})))"
    found = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=30
    ).stdout.split()
    assert set(found) <= allowed


def test_the_supervisor_loads_nothing_of_the_data_plane_and_of_the_control_plane() -> None:
    code = "import sys, aimesh.supervisor.__main__; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=30
    ).stdout.split()
    rooms = (
        "aimesh.app",
        "aimesh.dataplane",
        "aimesh.control",
        "aimesh.simulator",
        "aimesh.cli",
    )
    assert [name for name in loaded if name.startswith(rooms)] == []
