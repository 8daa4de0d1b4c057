"""The simulator as a process."""

import json
import signal
import subprocess
import sys
from urllib.request import Request, urlopen

from aimesh.simulator.world import Settings


def test_process_prints_one_line_serves_and_ends() -> None:
    command = [sys.executable, "-m", "aimesh.simulator", "--port", "0", "--json", "--task-seconds", "7"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert set(ready) == {"url", "pid"}
        assert ready["pid"] == process.pid
        asked = Request(ready["url"] + "/_sim/settings", data=b"{}", method="POST")
        with urlopen(asked, timeout=5) as answer:
            assert json.loads(answer.read()) == {"task_s": 7, "chunk_delay_ms": Settings().chunk_delay_ms}
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert process.stdout.read() == ""


def test_process_refuses_other_addresses() -> None:
    command = [sys.executable, "-m", "aimesh.simulator", "--host", "0.0.0.0"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode != 0
    assert "loopback" in ended.stderr
