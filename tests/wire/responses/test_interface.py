"""Golden cases of the interface (see tests/support/wire_cases.py), and how a broken stream ends."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.wire_cases import case_folders, check

from aimesh.core.errors import BrokenStream, Fault, UpstreamRateLimited
from aimesh.wire.interface import Prepared
from aimesh.wire.responses.interface import Responses


@pytest.mark.parametrize("folder", case_folders("responses"), ids=lambda folder: folder.name)
def test_a_case_gives_its_golden_files(folder: Path) -> None:
    check(folder)


OPENING = (
    b'event: response.created\ndata: {"type":"response.created","sequence_number":0,'
    b'"response":{"id":"resp_1","object":"response","status":"in_progress","output":[],"error":null,"x":1.0}}\n\n'
)
DELTA = (
    b"event: response.output_text.delta\n"
    b'data: {"type":"response.output_text.delta","sequence_number":4,"delta":"a"}\n\n'
)


def failed_event(*frames: bytes, fault: Fault) -> dict[str, Any]:
    """The event that ends a stream which broke off after ``frames``."""
    interface = Responses()
    tap = interface.open_tap(Prepared(body=b"", stream=True))
    for frame in frames:
        tap.feed(frame)
    event = interface.encode_stream_fault(fault, "req-1", tap)
    assert event.startswith(b"event: response.failed\ndata: ")
    found: dict[str, Any] = json.loads(event.partition(b"data: ")[2])
    return found


def test_a_broken_stream_ends_with_its_own_response_and_the_next_number() -> None:
    event = failed_event(OPENING, DELTA, fault=BrokenStream("cut"))
    assert (event["type"], event["sequence_number"]) == ("response.failed", 5)
    response = event["response"]
    assert (response["id"], response["status"], response["x"]) == ("resp_1", "failed", 1.0)
    assert response["error"]["code"] == "server_error"
    assert response["error"]["gateway_code"] == "UPSTREAM_BROKEN_STREAM"
    assert response["error"]["message"] == "[aimesh] cut requestId=req-1"


def test_a_stream_that_never_said_its_id_gets_one() -> None:
    event = failed_event(DELTA, fault=BrokenStream("cut"))
    assert event["response"]["id"] == "resp_req-1"
    unknown = Responses().encode_stream_fault(BrokenStream("cut"), "r")
    assert json.loads(unknown.partition(b"data: ")[2])["sequence_number"] == 0


def test_an_opening_that_is_no_object_is_not_repeated() -> None:
    odd = b'data: {"type":"response.created","response":5}\n\n'
    assert failed_event(odd, fault=BrokenStream("cut"))["response"]["status"] == "failed"


def test_a_rate_limit_keeps_its_code() -> None:
    limited = UpstreamRateLimited("busy", history=(), retry_after_s=3, should_retry=True)
    assert failed_event(OPENING, fault=limited)["response"]["error"]["code"] == "rate_limit_exceeded"
