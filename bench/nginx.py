"""nginx ``proxy_pass``, the yardstick: the least a proxy can do with a call.

1. One worker, keep-alive on both sides without a ceiling on requests, no access log.
2. ``/`` is proxied as nginx does it by default; ``/unbuffered/`` with ``proxy_buffering off``, for streams.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from bench.calls import Target
from bench.processes import free_port, plain_env
from bench.subject import AbsentError, Site, Subject

_CONFIG = """\
{user}
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid {directory}/nginx.pid;
error_log {directory}/error.log error;
events {{ worker_connections 15000; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    keepalive_requests 1000000000;
    upstream mock {{
        server 127.0.0.1:{upstream_port};
        keepalive 1024;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{
            proxy_pass http://mock;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Authorization "Bearer upstream-key";
        }}
        location /unbuffered/ {{
            proxy_pass http://mock/;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Authorization "Bearer upstream-key";
            proxy_buffering off;
        }}
    }}
}}
"""


def start_nginx(site: Site) -> Subject:
    program = _find_program()
    directory = site.directory / "nginx"
    directory.mkdir(exist_ok=True)
    port = free_port()
    config = directory / "nginx.conf"
    config.write_text(
        _CONFIG.format(
            user="user root;" if os.geteuid() == 0 else "",
            directory=directory,
            upstream_port=site.upstream_port,
            port=port,
        )
    )
    process = site.fleet.start(
        "nginx",
        [program, "-e", str(directory / "error.log"), "-p", str(directory), "-c", str(config)],
        cores=site.cores.gateway,
        env=plain_env(),
    )
    whole = Target("127.0.0.1", port, "/v1/chat/completions", "caller-key", "bench-model")
    streamed = Target("127.0.0.1", port, "/unbuffered/v1/chat/completions", "caller-key", "bench-model")
    return Subject(
        name="nginx", version=_read_version(program), process=process, whole=whole, streamed=streamed
    )


def _find_program() -> str:
    program = _look_up()
    if program is None and shutil.which("apt-get") and os.geteuid() == 0:
        print("nginx is missing: installing the Debian package nginx-light")
        subprocess.run(
            ["apt-get", "install", "-y", "-q", "--no-install-recommends", "nginx-light"],
            check=False,
            timeout=180,
            capture_output=True,
        )
        program = _look_up()
    if program is None:
        raise AbsentError("nginx is not installed (apt-get install nginx-light)")
    return program


def _look_up() -> str | None:
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def _read_version(program: str) -> str:
    found = subprocess.run([program, "-v"], check=True, capture_output=True, text=True, timeout=10)
    version = re.search(r"nginx/(\S+)", found.stderr)
    return version[1] if version else Path(program).name
