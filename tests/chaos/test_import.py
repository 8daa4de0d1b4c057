"""What the simulator served is in the database, once, whoever was killed under load."""

import asyncio
import os
import signal
import socket
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import func, select
from tests.support.chaos_config import chaos_config, patient
from tests.support.chaos_http import get
from tests.support.chaos_load import Load
from tests.support.chaos_process import GatewayProcess
from tests.support.chaos_simulator import SimulatorProcess
from tests.support.postgres import PostgresServer
from tests.support.stores import any_database_url, opened_store, own_postgres

from aimesh.store.engine import Store
from aimesh.store.tables import USAGE_HOURLY, USAGE_POINTS, USAGE_RECORDS

__all__ = ["any_database_url", "own_postgres"]

pytestmark = pytest.mark.chaos

PATIENCE_S = 40.0


def imported(store: Store) -> int:
    with store.read() as db:
        return db.execute(select(func.count()).select_from(USAGE_RECORDS)).scalar_one()


def assert_the_database_has_the_journal(store: Store, gateway: GatewayProcess, load: Load) -> None:
    written = Counter(str(record.id) for record in gateway.records())
    deadline_s = time.monotonic() + PATIENCE_S
    while imported(store) < len(written) and time.monotonic() < deadline_s:
        time.sleep(0.1)
    with store.read() as db:
        found = set(db.execute(select(USAGE_RECORDS.c.id)).scalars())
        hourly = db.execute(
            select(func.sum(USAGE_HOURLY.c.requests), func.sum(USAGE_HOURLY.c.cost_nano))
        ).one()
        cost = db.execute(select(func.sum(USAGE_RECORDS.c.cost_nano))).scalar_one()
        points = db.execute(
            select(func.sum(USAGE_POINTS.c.requests)).where(USAGE_POINTS.c.grain == "m")
        ).scalar_one()
    assert found == set(written)
    assert set(load.complete) <= found
    assert int(hourly[0]) == int(points) == len(found)
    assert int(hourly[1]) == int(cost) > 0


async def disturbed(load: Load, disturb: list[int], gateway: GatewayProcess) -> None:
    """Kills processes of the kinds 0 (control) and 1 (worker), one after another, while eight callers call."""
    async with asyncio.timeout(90), asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(load.caller(keeps_connection=True))
        try:
            for kind in disturb:
                await asyncio.sleep(0.7)
                victims = gateway.children("worker" if kind else "control")
                if victims:
                    os.kill(victims[0], signal.SIGKILL)
            await asyncio.sleep(1.0)
        finally:
            load.is_stopped = True


def test_killed_processes_lose_and_double_nothing(
    any_database_url: str, simulator: SimulatorProcess, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    config = patient(chaos_config(simulator.url)) | {
        "workers": 2, "database": any_database_url, "admin_listen": [f"127.0.0.1:{port}"],
    }  # fmt: skip
    gateway = GatewayProcess(tmp_path, config)
    gateway.start()
    try:
        load = Load(gateway.url)
        asyncio.run(disturbed(load, [0, 1, 0, 0, 1, 0], gateway))
        with opened_store(any_database_url) as store:
            assert_the_database_has_the_journal(store, gateway, load)
        metrics = get(f"http://127.0.0.1:{port}", "/metrics").body.decode()
        assert "\naimesh_usage_imported_until_seconds 1" in metrics
        assert "\naimesh_usage_rejected 0\n" in metrics
    finally:
        gateway.end()


def test_postgresql_that_crashes_under_load_loses_and_doubles_nothing(
    own_postgres: PostgresServer, simulator: SimulatorProcess, tmp_path: Path
) -> None:
    with own_postgres.database() as url:
        config = patient(chaos_config(simulator.url)) | {"workers": 2, "database": url}
        gateway = GatewayProcess(tmp_path, config)
        gateway.start()
        try:
            load = Load(gateway.url)

            async def crash() -> None:
                async with asyncio.timeout(90), asyncio.TaskGroup() as group:
                    for _ in range(8):
                        group.create_task(load.caller(keeps_connection=True))
                    try:
                        for _ in range(3):
                            await asyncio.sleep(1.0)
                            own_postgres.stop(crash=True)
                            own_postgres.start()
                        await asyncio.sleep(1.0)
                    finally:
                        load.is_stopped = True

            asyncio.run(crash())
            with opened_store(url) as store:
                assert_the_database_has_the_journal(store, gateway, load)
        finally:
            gateway.end()
