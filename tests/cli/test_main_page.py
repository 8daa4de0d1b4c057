import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_of_the_commands_is_fresh_and_translated() -> None:
    script = ROOT / "scripts" / "generate_cli_page.py"
    done = subprocess.run(
        [sys.executable, str(script), "--check"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), (
        "run: python scripts/generate_cli_page.py"
    )
