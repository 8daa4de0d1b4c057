"""A disk without space: calls are served all the same, and their records are written when there is space again."""

import resource
import signal
from pathlib import Path

import pytest
from tests.support.chaos_calls import CHAT
from tests.support.chaos_config import chaos_config, patient
from tests.support.chaos_http import call, until
from tests.support.chaos_process import GatewayProcess
from tests.support.chaos_simulator import SimulatorProcess

pytestmark = pytest.mark.chaos

SEGMENT_BYTES = 1 << 17
CALLS = 400
"""Some hundred bytes each: far more than a segment holds."""


def test_full_disk(tmp_path: Path, simulator: SimulatorProcess) -> None:
    """Files larger than half a segment are forbidden for a while, which is a full disk to the journal alone."""
    config = patient(chaos_config(simulator.url)) | {
        "journal": {"segment_bytes": SEGMENT_BYTES},
        "log": {"access": False, "format": "json"},
    }
    gateway = GatewayProcess(tmp_path, config)
    gateway.start()
    try:
        _, hard = gateway.limit(resource.RLIMIT_FSIZE, SEGMENT_BYTES // 2)
        ids = set()
        for _ in range(CALLS):
            seen = call(gateway.url, CHAT.path, CHAT.body)
            assert seen.status == 200
            ids.add(seen.request_id)
        written = {str(record.id) for record in gateway.records()}
        assert 0 < len(written) < CALLS, "the disk was not full"
        until(lambda: "journal_disk" in gateway.log, "nobody is told", within_s=5)
        gateway.limit(resource.RLIMIT_FSIZE, hard)
        until(lambda: len(gateway.records()) == CALLS, "records that waited are lost", within_s=10)
        assert {str(record.id) for record in gateway.records()} == ids
        gateway.signal(signal.SIGTERM)
        assert gateway.wait() == 0
        assert len(gateway.records()) == CALLS
    finally:
        gateway.end()
