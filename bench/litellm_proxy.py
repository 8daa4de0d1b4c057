"""LiteLLM's proxy, for scale: one worker, a master key, one model, no database.

1. It lives in an environment of its own, ``bench/.venv-litellm``, made on first use from
   ``bench/requirements-litellm.txt``. Where that fails the run goes on without it and says so.
2. It runs as its documentation advises for production: production mode, errors only in the log, no callbacks.
"""

import subprocess
import sys
from pathlib import Path

from bench.calls import Target
from bench.processes import free_port, plain_env
from bench.subject import ROOT, AbsentError, Site, Subject

_HOME = ROOT / "bench" / ".venv-litellm"
_REQUIREMENTS = ROOT / "bench" / "requirements-litellm.txt"

_CONFIG = """\
model_list:
  - model_name: bench-model
    litellm_params:
      model: openai/bench-model
      api_base: http://127.0.0.1:{upstream_port}/v1
      api_key: upstream-key
general_settings:
  master_key: {key}
  disable_spend_logs: true
litellm_settings:
  set_verbose: false
  num_retries: 0
"""

_KEY = "sk-bench-caller"


def start_litellm(site: Site) -> Subject:
    version = _install()
    directory = site.directory / "litellm"
    directory.mkdir(exist_ok=True)
    config = directory / "config.yaml"
    config.write_text(_CONFIG.format(upstream_port=site.upstream_port, key=_KEY))
    port = free_port()
    process = site.fleet.start(
        "litellm",
        [
            str(_HOME / "bin" / "litellm"),
            *("--config", str(config), "--host", "127.0.0.1", "--port", str(port), "--num_workers", "1"),
        ],
        cores=site.cores.gateway,
        # The local price list: it would otherwise be fetched from the network at start.
        env=plain_env(
            HOME=str(directory),
            LITELLM_LOCAL_MODEL_COST_MAP="True",
            LITELLM_MODE="PRODUCTION",
            LITELLM_LOG="ERROR",
            LITELLM_TELEMETRY="False",
        ),
    )
    target = Target("127.0.0.1", port, "/v1/chat/completions", _KEY, "bench-model")
    return Subject(name="litellm", version=version, process=process, whole=target, streamed=target)


def _install() -> str:
    """Makes the environment if it is not there; gives the version in it."""
    version = _read_version()
    if version is None:
        print(f"LiteLLM is missing: installing {_REQUIREMENTS.name} into {_HOME.relative_to(ROOT)}")
        try:
            subprocess.run([sys.executable, "-m", "venv", str(_HOME)], check=True, timeout=60)
            subprocess.run(
                [str(_HOME / "bin" / "pip"), "install", "-q", "-r", str(_REQUIREMENTS)],
                check=True,
                timeout=300,
            )
        except (subprocess.SubprocessError, OSError) as error:
            raise AbsentError(f"LiteLLM could not be installed: {error}") from error
        version = _read_version()
    if version is None:
        raise AbsentError("LiteLLM could not be installed")
    return version


def _read_version() -> str | None:
    python: Path = _HOME / "bin" / "python"
    script = "import importlib.metadata as m; print(m.version('litellm'), m.version('uvicorn') and '')"
    try:
        found = subprocess.run(
            [str(python), "-c", script], check=True, capture_output=True, text=True, timeout=30
        )
    except (subprocess.SubprocessError, OSError):
        return None
    return found.stdout.strip()
