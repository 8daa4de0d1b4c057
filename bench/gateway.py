"""aimesh itself, as ``aimesh serve`` runs in production: keys checked, models permitted, usage journalled.

1. Nothing is switched off for the benchmark: the configuration names addresses, a credential and a key,
   points one provider of the catalogue at the mock upstream, and leaves the rest at its defaults.
2. It gets one core, so it runs one worker. CPU time is the worker's: what stands between a caller and an upstream. The
   control process imports the records of the calls beside it, on the core of the load.
3. Its key has a quota, and every answer says how it stands.
4. The code comes from ``source`` (a checkout), so that two commits can be compared in one run.
"""

import subprocess
import sys
from pathlib import Path

from bench.calls import Target
from bench.processes import free_port, plain_env
from bench.subject import ROOT, AbsentError, Site, Subject

_KEY = "ck-BenchBenchBenchBenchBenchBenchBenchBench"
_MODEL = "qwen/qwen3.7-max"

_CONFIG = """\
listen: ["127.0.0.1:{port}"]
admin_listen: ["127.0.0.1:{admin_port}"]
providers:
  aliyun_bailian_bj: {{origin: "http://127.0.0.1:{upstream_port}"}}
credentials:
  aliyun_bailian_bj: upstream-key
virtual_keys:
  - {{alias: bench, key: {key}, models: ["qwen/*"]{quota}}}
"""
_QUOTA = ", quotas: [{period: monthly, tokens: 1000000000000}]"
_WORKER = "aimesh.supervisor.worker"


def start_aimesh(
    site: Site, *, source: Path = ROOT, home: Path | None = None, name: str = "aimesh"
) -> Subject:
    """``home`` is where it keeps its state; a fresh one unless given."""
    if not (source / "src" / "aimesh" / "cli" / "main.py").exists():
        raise AbsentError(f"{source} has no aimesh.cli.main yet")
    port = free_port()
    directory = home or site.directory / f"{name}-{port}"
    directory.mkdir(exist_ok=True)
    config = directory / "aimesh.yaml"
    package = source / "src" / "aimesh"
    config.write_text(
        _CONFIG.format(
            port=port,
            admin_port=free_port(),
            upstream_port=site.upstream_port,
            key=_KEY,
            # Commits before the first limits know no quotas.
            quota=_QUOTA if (package / "limits").exists() else "",
        )
    )
    process = site.fleet.start(
        name,
        [sys.executable, "-m", "aimesh.cli.main", "serve", "--config", str(config)],
        cores=site.cores.gateway,
        env=plain_env(PYTHONPATH=str(source / "src"), AIMESH_HOME=str(directory), HOME=str(directory)),
    )
    if (package / "supervisor").exists():
        process.counted, process.aside = _WORKER, site.cores.rest
    target = Target("127.0.0.1", port, "/gateway/v1/chat/completions", _KEY, _MODEL)
    return Subject(name=name, version=read_revision(source), process=process, whole=target, streamed=target)


def read_revision(source: Path = ROOT) -> str:
    """The commit of a checkout, marked if its source was changed since."""

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(source), *arguments], check=True, capture_output=True, text=True, timeout=30
        ).stdout.strip()

    try:
        changed = "+changed" if git("status", "--porcelain", "--", "src") else ""
        return git("rev-parse", "--short=12", "HEAD") + changed
    except (subprocess.SubprocessError, OSError):
        return "unknown"
