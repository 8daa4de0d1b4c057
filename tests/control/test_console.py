"""The console as it is served: what its files say of themselves, and what is not served."""

import gzip
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.support.control import Control

from aimesh.control.app import make_app

SCRIPT = b"export const words = 'a script';" * 40


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A build in small: what vite makes, with one compressed script."""
    directory = tmp_path / "console"
    (directory / "assets").mkdir(parents=True)
    (directory / ".hidden").mkdir()
    (directory / ".hidden" / "manifest.json").write_text("{}")
    (directory / "index.html").write_text(
        '<!doctype html><script type="module" src="/assets/index-1.js"></script>'
    )
    (directory / "assets" / "index-1.js").write_bytes(SCRIPT)
    (directory / "assets" / "index-1.js.gz").write_bytes(gzip.compress(SCRIPT))
    (directory / "favicon.svg").write_text("<svg/>")
    return directory


@pytest.fixture
def browser(control: Control, built: Path) -> TestClient:
    app = make_app(replace(control.parts, console=built))
    return TestClient(app, base_url="http://aimesh.example", headers={"accept": "text/html"})


def test_every_address_of_the_console_is_its_document(browser: TestClient) -> None:
    for path in ("/", "/keys", "/models/qwen/qwen3.7-max", "/setup", "/index.html"):
        answer = browser.get(path)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert answer.text.startswith("<!doctype html>")
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.headers["x-frame-options"] == "DENY"


def test_scripts_come_from_here_alone(browser: TestClient) -> None:
    policy = dict(
        part.strip().split(" ", 1) for part in browser.get("/").headers["content-security-policy"].split(";")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"


def test_a_script_is_kept_for_good_and_sent_as_it_was_compressed(browser: TestClient) -> None:
    answer = browser.get("/assets/index-1.js", headers={"accept-encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.content == SCRIPT
    assert "javascript" in answer.headers["content-type"]
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["vary"] == "accept-encoding"
    plain = browser.get("/assets/index-1.js", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == SCRIPT


def test_a_browser_that_has_it_is_told_so(browser: TestClient) -> None:
    etag = browser.get("/").headers["etag"]
    again = browser.get("/", headers={"if-none-match": etag})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path",
    ["/assets/index-2.js", "/api/admin/v1/nothing", "/api/nothing", "/gateway/v1/x", "/metrics"],
)
def test_what_is_not_the_consoles_is_not_answered_by_it(browser: TestClient, path: str) -> None:
    answer = browser.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize(
    "path",
    ["/.hidden/manifest.json", "/../secret", "/%2e%2e/secret", "//etc/passwd", "/assets/index-1.js.gz"],
)
def test_only_files_of_the_build_are_served(browser: TestClient, built: Path, path: str) -> None:
    (built.parent / "secret").write_text("secret")
    answer = browser.get(path)
    assert "secret" not in answer.text
    assert answer.status_code == 404 or answer.text.startswith("<!doctype html>")


def test_where_it_was_not_built_people_are_told_how(control: Control) -> None:
    client = control.anonymous({"accept": "text/html"})
    answer = client.get("/")
    assert answer.status_code == 200
    assert "make console" in answer.text
    assert client.get("/setup").status_code == 200
    assert client.get("/keys").status_code == 404
