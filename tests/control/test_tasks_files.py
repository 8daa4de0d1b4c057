"""Files of tasks through the admin API, from a server of the test that stands where a provider keeps them."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.support.control import API, OTHER_TENANT, Control, opened_control
from tests.support.control_answers import code
from tests.support.control_upstreams import opened_upstreams
from tests.support.simulation import LiveSimulator, live_simulator
from tests.support.tasks import insert_task

from aimesh.control import tasks_files
from aimesh.control.tasks_turns import FILES_AT_ONCE
from aimesh.store.engine import Store
from aimesh.store.people import Role

FILM = bytes(range(256)) * 1024


class Shelf:
    """What is asked for, and what is answered from now on."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.status = 200
        self.body = FILM
        self.headers: dict[str, str] = {"content-type": "video/mp4"}
        self.length: int | None = None
        """Announced; None: as long as it is."""


@contextmanager
def running_shelf() -> Iterator[Shelf]:
    shelf = Shelf()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            shelf.asked.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            status, body, headers = shelf.status, shelf.body, dict(shelf.headers)
            wanted = self.headers.get("range", "").removeprefix("bytes=")
            if wanted and status == 200:
                first, last = (int(one) for one in wanted.split("-"))
                headers["content-range"] = f"bytes {first}-{last}/{len(body)}"
                status, body = 206, body[first : last + 1]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body) if shelf.length is None else shelf.length))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the library
            """Nothing: a test's output is its own."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        shelf.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield shelf
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    with running_shelf() as shelf:
        yield shelf


@pytest.fixture
def control(any_store: Store, tmp_path: Path) -> Iterator[Control]:
    """Where the simulator stands in for every provider, so that files may be on this machine."""
    with opened_control(any_store, tmp_path, json.dumps({"simulator": "http://127.0.0.1:9"})) as control:
        yield control


def why(answer: Any) -> str:
    return code(answer)[1]


def keep(control: Control, *urls: str, task: str = "cgt-1", **row: Any) -> str:
    """A task that has made these; gives the path of its files."""
    film, *more = urls
    content = {"video_url": film} | ({"last_frame_url": more[0]} if more else {})
    fields = {"status": "succeeded", "finished": True, "succeeded": True, "settled": True} | row
    insert_task(
        control.parts.store, task, updated_at_s=control.clock.wall_s(),
        document=json.dumps({"id": task, "status": fields["status"], "content": content}).encode(), **fields,
    )  # fmt: skip
    return f"{API}/tasks/task:{task}/files"


def test_a_file_comes_as_its_provider_keeps_it(control: Control, admin: TestClient, shelf: Shelf) -> None:
    path = keep(control, f"{shelf.url}/films/a.mp4?Signature=x%2By&z=1", f"{shelf.url}/still")
    answer = admin.get(f"{path}/1")
    assert (answer.status_code, answer.content) == (200, FILM)
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["content-length"] == str(len(FILM))
    assert answer.headers["content-disposition"] == 'inline; filename="cgt-1-1.mp4"'
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'"
    assert answer.headers["x-content-type-options"] == "nosniff"
    shelf.headers = {"content-type": "image/png"}
    assert admin.get(f"{path}/2").headers["content-disposition"] == 'inline; filename="cgt-1-2.png"'
    (target, headers), (still, _) = shelf.asked
    assert (target, still) == ("/films/a.mp4?Signature=x%2By&z=1", "/still")
    assert not {"authorization", "cookie", "range"} & set(headers)


def test_a_range_is_passed_on(control: Control, admin: TestClient, shelf: Shelf) -> None:
    path = keep(control, f"{shelf.url}/a.mp4")
    shelf.headers["accept-ranges"] = "bytes"
    answer = admin.get(f"{path}/1", headers={"range": "bytes=100-299"})
    assert (answer.status_code, answer.content) == (206, FILM[100:300])
    assert answer.headers["content-range"] == f"bytes 100-299/{len(FILM)}"
    assert answer.headers["accept-ranges"] == "bytes"
    for odd in ("bytes=1-2,4-5", "lines=1-2", "bytes=-"):
        assert admin.get(f"{path}/1", headers={"range": odd}).status_code == 200
    shelf.status = 416
    refused = admin.get(f"{path}/1", headers={"range": "bytes=9999999-"})
    assert (refused.status_code, why(refused)) == (422, "RANGE_NOT_THERE")


@pytest.mark.parametrize(
    ("said", "shown", "disposition"),
    [
        ("model/gltf-binary", "model/gltf-binary", 'inline; filename="cgt-1-1.glb"'),
        ("Image/WebP; q=1", "image/webp", 'inline; filename="cgt-1-1.webp"'),
        ("application/zip", "application/zip", 'attachment; filename="cgt-1-1.zip"'),
        ("text/html", "application/octet-stream", 'attachment; filename="cgt-1-1.glb"'),
        ("image/svg+xml", "application/octet-stream", 'attachment; filename="cgt-1-1.glb"'),
        ("", "application/octet-stream", 'attachment; filename="cgt-1-1.glb"'),
    ],
)
def test_nothing_comes_that_a_browser_would_run(
    control: Control, admin: TestClient, shelf: Shelf, said: str, shown: str, disposition: str
) -> None:
    shelf.headers = {"content-type": said} if said else {}
    answer = admin.get(f"{keep(control, f'{shelf.url}/scene.GLB?a=b')}/1")
    assert (answer.headers["content-type"], answer.headers["content-disposition"]) == (shown, disposition)


def test_a_name_holds_only_what_names_may(control: Control, admin: TestClient, shelf: Shelf) -> None:
    path = keep(control, f"{shelf.url}/a", task='x"; y=片')
    answer = admin.get(f"{API}/tasks/task:x%22;%20y=%E7%89%87/files/1")
    assert answer.headers["content-disposition"] == 'inline; filename="x-y--1.mp4"', path


def test_only_people_of_the_task_get_its_files(control: Control, admin: TestClient, shelf: Shelf) -> None:
    path = keep(control, f"{shelf.url}/a.mp4")
    stranger = control.client(control.person("stranger", Role.AI_GATEWAY_ADMIN, OTHER_TENANT))
    member = control.client(control.person("member", Role.MEMBER))
    for client in (stranger, member):
        assert why(client.get(f"{path}/1")) == "TASK_NOT_FOUND"
    assert control.anonymous().get(f"{path}/1").status_code == 401
    assert shelf.asked == []
    assert admin.get(f"{path}/1").status_code == 200


def test_what_there_is_not_is_said(control: Control, admin: TestClient, shelf: Shelf) -> None:
    runs = keep(control, f"{shelf.url}/a.mp4", task="runs", status="running", finished=False, succeeded=False)
    assert why(admin.get(f"{runs}/1")) == "TASK_HAS_NO_FILE"
    assert admin.get(f"{runs}/0").status_code == 422
    path = keep(control, f"{shelf.url}/a.mp4")
    for status in (403, 404, 500):
        shelf.status = status
        gone = admin.get(f"{path}/1")
        assert (gone.status_code, why(gone)) == (409, "PROVIDER_FAILED")
        assert shelf.url not in gone.text
    shelf.status, shelf.length = 200, tasks_files.MOST_BYTES + 1
    assert why(admin.get(f"{path}/1")) == "FILE_TOO_LARGE"
    shelf.length, shelf.headers["content-encoding"] = None, "gzip"
    assert why(admin.get(f"{path}/1")) == "PROVIDER_FAILED"


def test_a_file_that_ends_too_early_is_not_taken_for_a_whole_one(
    control: Control, admin: TestClient, shelf: Shelf
) -> None:
    path = keep(control, f"{shelf.url}/a.mp4")
    shelf.length = len(FILM) + 1
    with pytest.raises(tasks_files._Broken):
        admin.get(f"{path}/1")


def test_redirects_go_to_https_or_stay_where_they_are(
    control: Control, admin: TestClient, shelf: Shelf
) -> None:
    path = keep(control, f"{shelf.url}/a.mp4")
    shelf.status, shelf.headers["location"] = 302, "/b.mp4"
    assert why(admin.get(f"{path}/1")) == "PROVIDER_FAILED"
    assert [target for target, _ in shelf.asked] == ["/a.mp4", *["/b.mp4"] * tasks_files.MOST_REDIRECTS]
    shelf.asked.clear()
    with running_shelf() as elsewhere:
        for to in (
            f"{elsewhere.url}/b.mp4",
            "file:///etc/passwd",
            "https://user@127.0.0.1/",
            "http://[/",
            "",
        ):
            shelf.headers["location"] = to
            assert why(admin.get(f"{path}/1")) == "PROVIDER_FAILED"
        assert elsewhere.asked == []
    assert len(shelf.asked) == 5


@pytest.mark.parametrize(
    "url", ["ftp://files.example/a", "http:///a", "http://host:99999/a", "//files.example/a", "http://a b/c"]
)
def test_an_address_that_is_none_is_not_asked(control: Control, admin: TestClient, url: str) -> None:
    assert why(admin.get(f"{keep(control, url)}/1")) == "PROVIDER_FAILED"


def test_files_on_their_way_are_bounded_and_leave_no_turn_taken(
    control: Control, admin: TestClient, shelf: Shelf
) -> None:
    path = keep(control, f"{shelf.url}/a.mp4")
    for status in (200, 500):
        shelf.status = status
        for _ in range(FILES_AT_ONCE + 1):
            assert admin.get(f"{path}/1").status_code == (200 if status == 200 else 409)
    turns = [control.parts.files.turn() for _ in range(FILES_AT_ONCE)]
    for turn in turns:
        turn.__enter__()
    assert admin.get(f"{path}/1").status_code == 429
    for turn in turns:
        turn.__exit__(None, None, None)


@pytest.fixture(scope="module")
def simulator() -> Iterator[LiveSimulator]:
    with live_simulator() as simulator:
        yield simulator


def test_addresses_of_this_network_are_not_asked_without_the_simulator(
    any_store: Store, tmp_path: Path, simulator: LiveSimulator, shelf: Shelf
) -> None:
    with opened_upstreams(any_store, tmp_path, simulator) as control:
        admin = control.local()
        path = keep(control, f"{shelf.url}/a.mp4")
        refused = admin.get(f"{path}/1")
        assert (refused.status_code, why(refused)) == (409, "PROVIDER_FAILED")
        assert "not allowed" in refused.text
        assert shelf.asked == []


def test_an_address_that_has_expired_is_asked_for_anew(
    any_store: Store, tmp_path: Path, simulator: LiveSimulator
) -> None:
    with opened_upstreams(any_store, tmp_path, simulator) as control:
        path = keep(control, "http://files.example/a.mp4?Expires=1", task="gone")
        answer = control.local().get(f"{path}/1")
        # The provider was asked, and does not know the task.
        assert why(answer) == "PROVIDER_FAILED", answer.text
        told = simulator.control("GET", "/_sim/requests")["requests"]
        assert told[-1]["path"].endswith("/contents/generations/tasks/gone")
