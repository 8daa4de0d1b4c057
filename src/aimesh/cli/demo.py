"""``aimesh demo``: gateway, simulator and a key with one command, on the embedded default.

The simulator's socket is bound here, so that the demo's configuration can name its address before it runs.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from aimesh.catalog.problem import ConfigError
from aimesh.cli.output import fail, fail_config
from aimesh.cli.serve import become_supervisor
from aimesh.net.listen import bind_tcp
from aimesh.settings import Settings, compile_settings, home_directory
from aimesh.store.key_text import make_text
from aimesh.supervisor.orders import URL_MARK, Order

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
    workers: Annotated[int, typer.Option(min=0, max=256, help="Data-plane processes; 0: one per core.")] = 1,
    samples: Annotated[
        bool,
        typer.Option(
            "--samples", help="Make some calls at the first start, so that there is usage to look at."
        ),
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON line {url, key, simulator_url, pid} when ready.")
    ] = False,
) -> None:
    """Start everything for a first try: a gateway, simulated providers, a key, and a curl that works."""
    environ = dict(os.environ)  # noqa: TID251 - the command is where the environment enters
    if home is not None:
        environ["AIMESH_HOME"] = str(home)
    directory = home_directory(environ)
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        listener = bind_tcp("127.0.0.1", 0)
    except OSError as error:
        fail(f"cannot start: {error.strerror or error}")
    simulator_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    key = _demo_key(directory / KEY_FILE)
    settings = _settings(directory, environ, port=port, simulator_url=simulator_url, key=key)
    if as_json:
        # The supervisor goes on under this number.
        ready = {"url": URL_MARK, "key": key, "simulator_url": simulator_url, "pid": os.getpid()}
        greeting = json.dumps(ready)
    else:
        greeting = _greeting(key, simulated=bool(settings.simulator), home=directory)
    if samples and settings.simulator and port and not settings.journal_directory.exists():
        _make_sample_calls(f"http://127.0.0.1:{port}", key)
    order = Order(config=str(settings.file), workers=workers, simulator=listener.detach(), greeting=greeting)
    become_supervisor(order, environ)


def _make_sample_calls(url: str, key: str) -> None:
    """In a process of their own: this one becomes the supervisor."""
    subprocess.run(  # noqa: S603 - this very interpreter and a module of ours
        [sys.executable, "-P", "-m", "aimesh.cli.demo_samples", url],
        input=f"{key}\n",
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        check=False,
    )


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


def _greeting(key: str, *, simulated: bool, home: Path) -> str:
    providers = "simulated (no model runs, nothing is charged)" if simulated else "real, by your environment"
    command = Path(sys.argv[0])
    shown = os.path.relpath(command) if command.is_absolute() else command
    return f"""
aimesh is ready.

  console    {URL_MARK}/
  address    {URL_MARK}/gateway
  key        {key}
  providers  {providers}
  data       {home}

Try it:

curl -X POST {URL_MARK}/gateway/v1/chat/completions \\
  -H "Authorization: Bearer {key}" \\
  -H "Content-Type: application/json" \\
  -d '{{"model": "qwen/qwen3.7-max", "messages": [{{"role": "user", "content": "hello"}}]}}'

The console's first administrator is made with the one-time link that aimesh prints below.
More calls:  {shown} examples doubao-seedance-2.0 --base-url {URL_MARK}/gateway --key {key}
Stop with Ctrl-C.
"""
