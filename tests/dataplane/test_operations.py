from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimesh.core.errors import MethodNotAllowed, MissingPath
from aimesh.dataplane.operations import OPERATIONS, Action, family_of, match
from aimesh.wire.interface import Family

SEED_PATHS = [
    "/gateway/v1/chat/completions",
    "/gateway/v1/messages",
    "/gateway/v1/v1/messages",
    "/gateway/api/v1/services/aigc/video-generation/video-synthesis",
    "/gateway/v1/embeddings",
    "/gateway/api/v1/services/embeddings/multimodal-embedding/multimodal-embedding",
    "/gateway/api/v3/chat/completions",
    "/gateway/api/v3/images/generations",
    "/gateway/api/v3/contents/generations/tasks",
    "/gateway/api/v3/embeddings/multimodal",
]


@pytest.mark.parametrize("path", SEED_PATHS)
def test_every_path_of_the_guide_is_served(path: str) -> None:
    assert match(b"POST", path.encode()).operation.path == path.removeprefix("/gateway")


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
def test_every_row_finds_itself_with_and_without_a_trailing_slash(operation: object) -> None:
    row = operation
    assert isinstance(row, type(OPERATIONS[0]))
    path = f"/gateway{row.path}".replace("{id}", "abc-1").encode()
    for asked in (path, path + b"/"):
        found = match(row.method.encode(), asked)
        assert found.operation == row
        assert found.item == ("abc-1" if "{id}" in row.path else "")


@pytest.mark.parametrize(
    ("path", "item"),
    [
        (b"/gateway/v1/models/qwen%2Fqwen3.7-max", "qwen/qwen3.7-max"),
        (b"/gateway/v1/models/qwen/qwen3.7-max", "qwen/qwen3.7-max"),
        (b"/gateway/v1/models/a%252Fb", "a%2Fb"),
    ],
)
def test_model_names_may_hold_a_slash_and_are_decoded_once(path: bytes, item: str) -> None:
    found = match(b"GET", path)
    assert found.operation.action is Action.GET_MODEL
    assert found.item == item


@pytest.mark.parametrize(
    "path",
    [
        b"/gateway/gateway/v1/chat/completions",
        b"/gateway/v1",
        b"/gateway/",
        b"/gateway/api/v1/chat/completions",
        b"/gateway/api/v1/tasks/a/b",
        b"/gateway/v1/models/",
        b"/gateway/v1/v1/v1/messages",
    ],
)
def test_unknown_and_doubled_paths_are_refused(path: bytes) -> None:
    if path == b"/gateway/v1/models/":
        assert match(b"GET", path).operation.action is Action.LIST_MODELS
        return
    with pytest.raises(MissingPath):
        match(b"POST", path)


def test_a_wrong_method_names_the_right_ones() -> None:
    with pytest.raises(MethodNotAllowed) as caught:
        match(b"GET", b"/gateway/v1/chat/completions")
    assert caught.value.allowed == ("POST",)
    with pytest.raises(MethodNotAllowed) as caught:
        match(b"PUT", b"/gateway/api/v3/contents/generations/tasks/x")
    assert caught.value.allowed == ("DELETE", "GET")


@pytest.mark.parametrize(
    ("path", "headers", "family"),
    [
        (b"/gateway/api/v3/whatever", {}, Family.ARK),
        (b"/gateway/api/v1/tasks/x", {}, Family.DASHSCOPE),
        (b"/gateway/v1/messages", {}, Family.ANTHROPIC),
        (b"/gateway/v1/v1/models", {}, Family.ANTHROPIC),
        (b"/gateway/v1/models", {b"anthropic-version": b"2023-06-01"}, Family.ANTHROPIC),
        (b"/gateway/v1/models", {}, Family.OPENAI),
        (b"/gateway/nonsense", {}, Family.OPENAI),
    ],
)
def test_errors_take_the_shape_of_the_path(path: bytes, headers: dict[bytes, bytes], family: Family) -> None:
    assert family_of(path, headers) is family


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: f"{one.method} {one.path}")
def test_the_family_of_a_path_is_that_of_its_row(operation: object) -> None:
    assert isinstance(operation, type(OPERATIONS[0]))
    assert family_of(f"/gateway{operation.path}".encode(), {}) is operation.family


@given(st.binary(max_size=80), st.sampled_from([b"GET", b"POST", b"DELETE", b"BREW"]))
def test_any_path_is_matched_or_refused(path: bytes, method: bytes) -> None:
    with suppress(MissingPath, MethodNotAllowed):
        match(method, b"/gateway/" + path)
