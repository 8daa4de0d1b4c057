"""``aimesh demo``: gateway, simulator and a key in one process, on the embedded default."""

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from aimesh.app import Worker
from aimesh.catalog.problem import ConfigError
from aimesh.cli.output import fail_config
from aimesh.cli.serve import run, until_stopped
from aimesh.core.clock import SystemClock
from aimesh.settings import Settings, compile_settings, home_directory
from aimesh.simulator.app import Simulator
from aimesh.store.keys import make_text

KEY_FILE = "demo-key"


def demo(
    port: Annotated[int, typer.Option(help="Port on loopback; 0: any free one.")] = 8600,
    home: Annotated[
        Path | None,
        typer.Option(
            help="Where keys, tasks and usage are kept; default: AIMESH_HOME, else ~/.local/share/aimesh."
        ),
    ] = None,
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON line {url, key, simulator_url, pid} when ready.")
    ] = False,
) -> None:
    """Start everything for a first try: a gateway, simulated providers, a key, and a curl that works."""
    run(lambda: _demo(port, home, as_json=as_json))


async def _demo(port: int, home: Path | None, *, as_json: bool) -> None:
    environ = dict(os.environ)  # noqa: TID251 - the command is where the environment enters
    if home is not None:
        environ["AIMESH_HOME"] = str(home)
    directory = home_directory(environ)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    simulator = Simulator()
    simulator_url = f"http://127.0.0.1:{await simulator.start('127.0.0.1', 0)}"
    key = _demo_key(directory / KEY_FILE)
    settings = _settings(directory, environ, port=port, simulator_url=simulator_url, key=key)
    worker = Worker(settings, SystemClock())
    address = (await worker.start())[0]
    url = f"http://{address}"
    if as_json:
        ready = {"url": url, "key": key, "simulator_url": simulator_url, "pid": os.getpid()}
        typer.echo(json.dumps(ready))
    else:
        _greet(url, key, simulated=bool(settings.simulator), home=directory)
    await until_stopped()
    await worker.stop()
    await simulator.stop()


def _settings(home: Path, environ: dict[str, str], *, port: int, simulator_url: str, key: str) -> Settings:
    """The demo's own file in the home directory. With a real credential in the environment the simulator is off."""
    file = home / "demo.yaml"
    lines = [f'listen: ["127.0.0.1:{port}"]', f"simulator: {simulator_url}", "virtual_keys:"]
    lines += ["  - alias: demo", f"    key: {key}"]
    file.touch(mode=0o600)
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    try:
        return compile_settings(file, environ)
    except ConfigError as error:
        if not all("simulator never stands in" in problem.message for problem in error.problems):
            fail_config(error)
    file.write_text(
        "\n".join(line for line in lines if not line.startswith("simulator:")) + "\n", encoding="utf-8"
    )
    try:
        return compile_settings(file, environ)
    except ConfigError as error:
        fail_config(error)


def _demo_key(file: Path) -> str:
    """One key for every demo in this home, so that a curl in the shell's history goes on working."""
    if file.is_file():
        return file.read_text(encoding="ascii").strip()
    key = make_text().reveal()
    file.touch(mode=0o600)
    file.write_text(key + "\n", encoding="ascii")
    return key


def _greet(url: str, key: str, *, simulated: bool, home: Path) -> None:
    providers = "simulated (no model runs, nothing is charged)" if simulated else "real, by your environment"
    command = Path(sys.argv[0])
    shown = os.path.relpath(command) if command.is_absolute() else command
    typer.echo(
        f"""
aimesh is ready.

  address    {url}/gateway
  key        {key}
  providers  {providers}
  data       {home}

Try it:

curl -X POST {url}/gateway/v1/chat/completions \\
  -H "Authorization: Bearer {key}" \\
  -H "Content-Type: application/json" \\
  -d '{{"model": "qwen/qwen3.7-max", "messages": [{{"role": "user", "content": "hello"}}]}}'

More calls:  {shown} examples doubao-seedance-2.0 --base-url {url}/gateway --key {key}
Stop with Ctrl-C.
"""
    )
