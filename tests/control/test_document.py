"""The OpenAPI document is complete: every operation says what it takes, answers and refuses."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.support.control import API, Control

from aimesh.control.access import OPERATIONS, Permission
from aimesh.control.app import NOUNS, document
from aimesh.control.document import operations_of

# JSON of the document.
Json = dict[str, Any]


@pytest.fixture(scope="module", name="document")
def read_document() -> Json:
    return document()


def test_the_document_is_served(control: Control, document: Json) -> None:
    answer = control.anonymous().get(f"{API}/openapi.json")
    assert (answer.status_code, answer.json()) == (200, json.loads(json.dumps(document)))


def test_every_row_of_the_table_of_access_is_served_and_nothing_else(document: Json) -> None:
    served = [operation["operationId"] for _, _, operation in operations_of(document)]
    assert len(served) == len(set(served))
    assert set(served) == set(OPERATIONS)
    assert document["openapi"].startswith("3.1")


def test_every_operation_says_what_it_is(document: Json) -> None:
    tags = {tag["name"]: tag["description"] for tag in document["tags"]}
    assert all(tags.values())
    for method, path, operation in operations_of(document):
        assert path.startswith(f"{API}/"), path
        assert operation["tags"][0] in tags
        assert operation["description"], (method, path)
        assert operation["x-permission"] == OPERATIONS[operation["operationId"]]


def test_every_operation_says_who_may(document: Json) -> None:
    schemes = document["components"]["securitySchemes"]
    assert schemes["token"]["scheme"] == "bearer"
    assert (schemes["session"]["in"], schemes["session"]["name"]) == ("cookie", "aimesh_session")
    for _, _, operation in operations_of(document):
        is_public = OPERATIONS[operation["operationId"]] is Permission.PUBLIC
        assert operation.get("security", []) == ([] if is_public else [{"token": []}, {"session": []}])


def test_every_error_has_the_one_shape(document: Json) -> None:
    for _, path, operation in operations_of(document):
        statuses = set(operation["responses"])
        assert {"422", "503"} <= statuses, path
        if OPERATIONS[operation["operationId"]] is not Permission.PUBLIC:
            assert {"401", "403"} <= statuses, path
        if any(one["name"] == "if-match" for one in operation.get("parameters", [])):
            assert "412" in statuses, path
        if any(one["name"] == "tenant" for one in operation.get("parameters", [])):
            assert "404" in statuses, path
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                content = answer["content"]["application/json"]
                assert content["schema"] == {"$ref": "#/components/schemas/ErrorAnswer"}
                assert set(content["example"]["error"]) == {"code", "message", "request_id", "details"}
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_every_good_answer_has_a_schema(document: Json) -> None:
    for _, path, operation in operations_of(document):
        statuses = [status for status in operation["responses"] if int(status) < 400]
        assert len(statuses) == 1 or statuses == ["200", "206"], path
        for status in set(statuses) - {"204", "302"}:
            for media, content in operation["responses"][status]["content"].items():
                is_file = content["schema"] == {"type": "string", "format": "binary"}
                assert is_file if media != "application/json" else "$ref" in content["schema"], path


def test_every_body_has_an_example(document: Json) -> None:
    without = []
    for _, path, operation in operations_of(document):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        if not content:
            continue
        given = [one for one in [content["schema"], *content["schema"].get("anyOf", [])] if "$ref" in one]
        name = given[0]["$ref"].rpartition("/")[2] if given else ""
        schema = document["components"]["schemas"].get(name, content["schema"])
        if not {"example", "examples"} & (set(schema) | set(content)):
            without.append((path, name))
    assert without == []


def test_references_lead_somewhere(document: Json) -> None:
    components = document["components"]
    for kind, name in re.findall(r"'#/components/(\w+)/([^']+)'", str(document)):
        assert name in components[kind], name


def test_every_schema_has_a_name_of_its_own(document: Json) -> None:
    """Two models of one name get the names of their modules in front."""
    assert [name for name in document["components"]["schemas"] if "__" in name] == []


def test_headers_are_told(document: Json) -> None:
    patch = document["paths"][f"{API}/members/{{user_id}}"]["patch"]["responses"]
    assert set(patch["200"]["headers"]) == {"x-request-id", "etag"}
    assert set(patch["503"]["headers"]) == {"x-request-id", "retry-after"}


def test_the_reference_page_is_fresh() -> None:
    script = Path(__file__).parents[2] / "scripts" / "generate_admin_page.py"
    done = subprocess.run(
        [sys.executable, str(script), "--check"], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), "run: make docs"


def test_nouns_are_told_apart_by_tag() -> None:
    tags = [noun.tag for noun in NOUNS]
    assert len(tags) == len(set(tags))


def test_the_page_shows_every_operation(control: Control, document: Json) -> None:
    answer = control.anonymous().get(f"{API}/docs")
    assert answer.status_code == 200
    assert "script-src" in answer.headers["content-security-policy"]
    assert "<script" not in answer.text
    assert not re.findall(r"(?:src|href)=", answer.text)
    for method, path, operation in operations_of(document):
        assert f"<h3>{method} {path}</h3>" in answer.text
        assert f"({operation['operationId']}; permission {operation['x-permission']}" in answer.text
