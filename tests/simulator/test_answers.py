"""The vocabulary: what is worth pinning of it."""

from aimesh.simulator.answers import PLAIN, Call, Dialect, Shape, whole


def test_plain_shape_asks_for_nothing() -> None:
    assert Shape() == PLAIN
    assert (PLAIN.chunks, PLAIN.chunk_bytes, PLAIN.no_usage, PLAIN.no_done, PLAIN.task_s) == (
        0,
        0,
        False,
        False,
        None,
    )


def test_whole_is_compact_json() -> None:
    answer = whole({"a": [1, None], "b": "数"}, b"x: y\r\n")
    assert answer.body == '{"a":[1,null],"b":"数"}'.encode()
    assert (answer.status, answer.content_type, answer.headers) == (200, b"application/json", b"x: y\r\n")


def test_a_call_begins_empty() -> None:
    call = Call(method="GET", path="/", provider="p", dialect=Dialect.ARK)
    assert (call.body, call.rest, call.key, call.shape) == ({}, "", "", PLAIN)
