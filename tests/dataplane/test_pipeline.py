import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.support.walks import (
    CONFIG,
    KEY,
    Plane,
    Script,
    ScriptedExchange,
    broken,
    ended,
    frames,
    in_loop,
    whole,
)

from aimesh.core.ids import InterfaceId, TaskId
from aimesh.core.outcome import Outcome
from aimesh.dataplane.admit import LONGEST_NAME
from aimesh.net.message import ConnectFailed, ConnectionLost, TimedOut
from aimesh.store.tasks import Progress

ASK = {"model": "test/chat", "messages": [{"role": "user", "content": "hello"}]}
ANSWER = {
    "id": "x",
    "object": "chat.completion",
    "model": "chat-one",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}
WORD = b'data: {"choices":[{"index":0,"delta":{"content":"hi"}}]}\n\n'
ROLE = b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n'
STOP = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
USED = b'data: {"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}\n\n'
DONE = b"data: [DONE]\n\n"


def test_a_whole_call_goes_up_spliced_and_comes_down_untouched(tmp_path: Path) -> None:
    plane = Plane(tmp_path, whole(200, ANSWER, x_request_id="up-1"))
    body = b'{"messages" : [ {"role":"user","content":"\xe4\xbd\xa0"} ],"temperature":1.0, "x":1e2,"model":"test/chat"}'
    reply = plane.call(body=body)
    assert reply.status == 200
    assert reply.json == ANSWER
    sent = plane.client.exchanges[0]
    assert sent.request_body == body.replace(b"test/chat", b"chat-one")
    assert sent.request_head.startswith(b"POST /first/chat/completions HTTP/1.1\r\n")
    assert b"authorization: Bearer secret-of-the-first\r\n" in sent.request_head
    assert b"ck-test" not in sent.request_head
    assert b"x-upstream-request-id: up-1\r\n" in reply.headers
    (record,) = plane.records.all
    assert (record.outcome, record.status, record.usage.input_tokens) == (Outcome.OK, 200, 3)
    assert record.labels == {"team": "red"}
    assert f"x-request-id: {record.id}\r\n".encode() in reply.headers
    assert plane.edge.in_flight == 0
    plane.close()


LOST = ConnectionLost("reset", was_sent=True)
REFUSED = ConnectFailed("refused", was_sent=False)
SLOW = TimedOut("first byte", 1.0, was_sent=True)
HALF = b'{"id":"x","choices":[{"index":0,"mess'
FIRST_FAILS: dict[str, Script] = {
    "refused": broken(REFUSED),
    "reset": broken(LOST),
    "slow": broken(SLOW),
    "500": whole(500, {"error": {"message": "no"}}),
    "429": whole(429, {"error": {"message": "no"}}, retry_after="3"),
    "401": whole(401, {"error": {"message": "bad key"}}),
    "404": whole(404, b""),
    "half JSON": whole(200, HALF),
    "empty": whole(200, b""),
    "error in 200": whole(200, {"error": {"message": "no", "code": "overloaded"}}),
    "html": whole(200, b"<html>hello</html>"),
}


@pytest.mark.parametrize("name", FIRST_FAILS)
def test_a_failure_before_the_first_byte_goes_to_the_next_endpoint(name: str, tmp_path: Path) -> None:
    plane = Plane(tmp_path, FIRST_FAILS[name], whole(200, ANSWER))
    reply = plane.call(body=ASK)
    assert (reply.status, reply.json) == (200, ANSWER)
    assert b"x-api-key: secret-of-the-second\r\n" in plane.client.exchanges[1].request_head
    (record,) = plane.records.all
    assert record.outcome is Outcome.OK
    assert [bool(attempt.error) for attempt in record.attempts] == [True, False]
    plane.close()


def test_a_refusal_that_blames_the_caller_is_relayed_word_for_word(tmp_path: Path) -> None:
    said = {
        "error": {
            "message": "messages.1.role: bad",
            "type": "invalid_request_error",
            "code": "x",
            "param": "p",
        }
    }
    plane = Plane(tmp_path, whole(400, said), whole(200, ANSWER))
    reply = plane.call(body=ASK)
    assert reply.status == 400
    error = reply.json["error"]
    assert (error["message"], error["code"], error["param"], error["source"]) == (
        "messages.1.role: bad",
        "x",
        "p",
        "upstream",
    )
    assert len(plane.client.exchanges) == 1
    assert plane.records.all[0].outcome is Outcome.REFUSED_UPSTREAM
    plane.close()


@pytest.mark.parametrize(
    ("scripts", "status", "code", "retry_after"),
    [
        (
            [whole(429, b"", retry_after="7"), whole(429, b"", retry_after="3")],
            429,
            "UPSTREAM_RATE_LIMITED",
            "3",
        ),
        ([whole(429, b"", retry_after="86400"), whole(429, b"")], 429, "UPSTREAM_RATE_LIMITED", None),
        ([broken(SLOW), broken(SLOW)], 504, "UPSTREAM_TIMEOUT", None),
        ([broken(REFUSED), whole(500, b"x")], 502, "UPSTREAM_ALL_FAILED", None),
    ],
)
def test_when_all_fail_the_caller_is_told_what_happened(
    scripts: list[Script], status: int, code: str, retry_after: str | None, tmp_path: Path
) -> None:
    plane = Plane(tmp_path, *scripts)
    reply = plane.call(body=ASK)
    assert reply.status == status
    error = reply.json["error"]
    assert error["code"] == code
    assert [line["provider"] for line in error["retry_history"]] == ["first", "second"]
    found = [line for line in reply.headers.lower().split(b"\r\n") if line.startswith(b"retry-after:")]
    assert found == ([f"retry-after: {retry_after}".encode()] if retry_after else [])
    assert plane.records.all[0].outcome is Outcome.UPSTREAM_FAILED
    plane.close()


def test_a_secret_that_an_upstream_repeats_is_scrubbed(tmp_path: Path) -> None:
    leak = {"error": {"message": "bad key secret-of-the-first"}}
    plane = Plane(tmp_path, whole(500, leak), whole(500, b""))
    reply = plane.call(body=ASK)
    assert b"secret-of-the-first" not in reply.body
    assert b"****" in reply.body
    plane.close()


def stream(**more: Any) -> dict[str, Any]:
    return {**ASK, "stream": True, **more}


def test_a_stream_is_relayed_and_its_usage_chunk_withheld(tmp_path: Path) -> None:
    plane = Plane(tmp_path, frames(ROLE, WORD, STOP, USED, DONE))
    reply = plane.call(body=stream())
    assert reply.status == 200
    assert reply.body == ROLE + WORD + STOP + DONE
    assert reply.is_ended
    assert b'"include_usage":true' in plane.client.exchanges[0].request_body
    (record,) = plane.records.all
    assert (record.outcome, record.usage.output_tokens, record.usage.reported) == (Outcome.OK, 2, True)
    plane.close()


def test_a_stream_with_usage_asked_is_relayed_byte_for_byte(tmp_path: Path) -> None:
    plane = Plane(tmp_path, frames(ROLE, WORD, STOP, USED, DONE))
    reply = plane.call(body=stream(stream_options={"include_usage": True}))
    assert reply.body == ROLE + WORD + STOP + USED + DONE
    plane.close()


@pytest.mark.parametrize(
    "first",
    [
        frames(b'data: {"error":{"message":"overloaded"}}\n\n'),
        frames(ROLE, b"data: {no json\n\n"),
        frames(ROLE),
        frames(),
        broken(LOST),
    ],
)
def test_a_stream_that_fails_before_its_first_word_goes_to_the_next_endpoint(
    first: Script, tmp_path: Path
) -> None:
    plane = Plane(tmp_path, first, frames(ROLE, WORD, STOP, DONE))
    reply = plane.call(body=stream())
    assert reply.body == ROLE + WORD + STOP + DONE
    assert len(plane.records.all) == 1
    plane.close()


def test_a_cut_stream_ends_with_an_error_event_and_no_end_marker(tmp_path: Path) -> None:
    plane = Plane(tmp_path, frames(ROLE, WORD))
    reply = plane.call(body=stream())
    assert reply.body.startswith(ROLE + WORD)
    assert b"[DONE]" not in reply.body
    assert b"UPSTREAM_BROKEN_STREAM" in reply.body
    assert reply.is_ended
    (record,) = plane.records.all
    assert (record.outcome, record.usage.reported) == (Outcome.BROKEN_STREAM, False)
    assert record.usage.output_tokens > 0
    plane.close()


def test_a_caller_who_leaves_cancels_the_upstream_and_leaves_one_record(tmp_path: Path) -> None:
    plane = Plane(tmp_path, frames(ROLE, WORD, end=False))
    reply = plane.call(body=stream())
    assert plane.edge.in_flight == 1
    reply.leave()
    assert plane.client.exchanges[0].is_cancelled
    assert plane.edge.in_flight == 0
    (record,) = plane.records.all
    assert record.outcome is Outcome.CLIENT_GONE
    assert record.usage.output_tokens > 0
    plane.close()


def test_a_caller_who_leaves_before_an_answer_leaves_one_record(tmp_path: Path) -> None:
    plane = Plane(tmp_path)
    reply = plane.call(body=ASK)
    reply.leave()
    assert [record.outcome for record in plane.records.all] == [Outcome.CLIENT_GONE]
    assert plane.client.exchanges[0].is_cancelled
    plane.close()


@pytest.mark.parametrize(
    ("key", "body", "status", "code"),
    [
        ("", ASK, 401, "GATEWAY_MISSING_VIRTUAL_KEY"),
        ("ck-wrong", ASK, 401, "GATEWAY_INVALID_VIRTUAL_KEY"),
        ("ck-test-test-test-test-0003", ASK, 401, "GATEWAY_VIRTUAL_KEY_DISABLED"),
        ("ck-test-test-test-test-0004", ASK, 401, "GATEWAY_VIRTUAL_KEY_EXPIRED"),
        ("ck-test-test-test-test-0005", ASK, 403, "GATEWAY_IP_NOT_ALLOWED"),
        ("ck-test-test-test-test-0002", ASK, 403, "GATEWAY_MODEL_NOT_PERMITTED"),
        ("ck-test-test-test-test-0001", {**ASK, "model": "test/chad"}, 400, "GATEWAY_MODEL_NOT_RESOLVED"),
        ("ck-test-test-test-test-0001", {**ASK, "model": "test/film"}, 400, "GATEWAY_NO_UPSTREAM_CANDIDATES"),
        ("ck-test-test-test-test-0001", b"[1]", 400, "GATEWAY_BAD_REQUEST"),
        ("ck-test-test-test-test-0001", b'{"model":', 400, "GATEWAY_BAD_REQUEST"),
    ],
)
def test_refusals_cost_no_record_and_no_upstream_call(
    key: str, body: object, status: int, code: str, tmp_path: Path
) -> None:
    plane = Plane(tmp_path)
    reply = plane.call(body=body, key=key)
    assert (reply.status, reply.json["error"]["code"]) == (status, code)
    assert plane.records.all == []
    assert plane.client.exchanges == []
    assert [fault.code for fault in plane.observed.faults] == [code]
    plane.close()


def test_a_near_miss_is_told_the_right_name(tmp_path: Path) -> None:
    plane = Plane(tmp_path)
    reply = plane.call(body={**ASK, "model": "test/chad"})
    assert "did you mean test/chat" in reply.json["error"]["message"]
    plane.close()


def test_a_pinned_endpoint_is_the_whole_plan(tmp_path: Path) -> None:
    plane = Plane(tmp_path, whole(500, b""), whole(200, ANSWER))
    reply = plane.call(body={**ASK, "model": "second@test/chat@open_ai"})
    assert reply.status == 502
    assert len(plane.client.exchanges) == 1
    assert plane.client.exchanges[0].request_head.startswith(b"POST /second/")
    plane.close()


def test_an_open_circuit_puts_its_endpoint_last(tmp_path: Path) -> None:
    plane = Plane(tmp_path, whole(429, b"", retry_after="30"), whole(200, ANSWER), whole(200, ANSWER))
    plane.call(body=ASK)
    plane.call(body=ASK)
    assert plane.client.exchanges[2].request_head.startswith(b"POST /second/")
    plane.close()


def test_a_bug_of_ours_is_a_500_and_a_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(*_: object, **__: object) -> bytes:
        raise ZeroDivisionError

    monkeypatch.setattr("aimesh.dataplane.headers.upstream_head", explode)
    plane = Plane(tmp_path)
    reply = plane.call(body=ASK)
    assert (reply.status, reply.json["error"]["code"]) == (500, "GATEWAY_INTERNAL_API_EXCEPTION")
    assert [type(error) for error in plane.observed.crashes] == [ZeroDivisionError]
    assert [record.outcome for record in plane.records.all] == [Outcome.GATEWAY_ERROR]
    plane.close()


FILM = {"model": "test/film", "content": [{"type": "text", "text": "a cat"}]}
TASKS = "/gateway/api/v3/contents/generations/tasks"


def test_a_task_is_made_once_bound_asked_and_settled_once(tmp_path: Path) -> None:
    async def work() -> None:
        finished = {
            "id": "cgt-1",
            "model": "film-one",
            "status": "succeeded",
            "content": {"video_url": "http://x/y.mp4"},
            "usage": {"completion_tokens": 500, "total_tokens": 500},
        }
        plane = Plane(tmp_path, whole(200, {"id": "cgt-1"}), whole(200, finished), whole(200, finished))
        made = await ended(plane.call(TASKS, FILM))
        assert made.json == {"id": "cgt-1"}
        assert plane.client.fresh == [True]
        for _ in range(2):
            asked = await ended(plane.call(f"{TASKS}/cgt-1", method="GET"))
            assert asked.json == finished
        stranger = await ended(plane.call(f"{TASKS}/cgt-1", method="GET", key="ck-test-test-test-test-0002"))
        assert (stranger.status, stranger.json["error"]["code"]) == (404, "GATEWAY_TASK_NOT_FOUND")
        listed = await ended(plane.call(f"{TASKS}?page_num=1&page_size=10", method="GET"))
        assert [item["id"] for item in listed.json["items"]] == ["cgt-1"]
        assert [record.operation for record in plane.records.all] == ["create_task", "settle_task"]
        assert plane.records.all[1].usage.output_tokens == 500
        plane.close()

    in_loop(work)


@pytest.mark.parametrize(
    ("first", "calls"),
    [
        (broken(LOST), 1),
        (broken(SLOW), 1),
        (whole(500, b""), 1),
        (whole(200, b""), 1),
        (broken(REFUSED), 1),
        (whole(503, b""), 1),
    ],
)
def test_a_task_is_never_made_twice_unless_it_was_surely_not_accepted(
    first: Script, calls: int, tmp_path: Path
) -> None:
    async def work() -> None:
        plane = Plane(tmp_path, first, whole(200, {"id": "cgt-2"}))
        reply = await ended(plane.call(TASKS, FILM))
        assert reply.status >= 500
        assert len(plane.client.exchanges) == calls
        plane.close()

    in_loop(work)


def test_the_same_idempotency_key_gives_the_first_answer(tmp_path: Path) -> None:
    async def work() -> None:
        plane = Plane(tmp_path, whole(200, {"id": "cgt-3"}), whole(200, {"id": "cgt-4"}))
        key = {b"idempotency-key": b"once"}
        first = await ended(plane.call(TASKS, FILM, headers=key))
        again = await ended(plane.call(TASKS, FILM, headers=key))
        assert first.json == again.json == {"id": "cgt-3"}
        assert b"x-aimesh-replayed: true" in again.headers
        other = await ended(plane.call(TASKS, {**FILM, "seed": 1}, headers=key))
        assert (other.status, other.json["error"]["code"]) == (409, "GATEWAY_IDEMPOTENCY_CONFLICT")
        assert len(plane.client.exchanges) == 1
        plane.close()

    in_loop(work)


def test_a_task_whose_creator_left_is_bound_all_the_same(tmp_path: Path) -> None:
    async def work() -> None:
        plane = Plane(tmp_path)
        reply = plane.call(TASKS, FILM)
        reply.leave()
        plane.client.exchanges[0].answers(200, {b"content-type": b"application/json"}, b'{"id":"cgt-5"}')
        async with asyncio.timeout(5):
            while plane.edge.in_flight:
                await asyncio.sleep(0.002)
        assert [record.task_id for record in plane.records.all] == ["cgt-5"]
        listed = await ended(plane.call(TASKS, method="GET"))
        assert [item["id"] for item in listed.json["items"]] == ["cgt-5"]
        plane.close()

    in_loop(work)


def film(status: str, **more: object) -> dict[str, object]:
    return {"id": "cgt-9", "model": "film-one", "status": status, **more}


def test_what_a_provider_forgot_is_answered_from_our_record(tmp_path: Path) -> None:
    async def work() -> None:
        done = film("succeeded", usage={"completion_tokens": 5, "total_tokens": 5})
        plane = Plane(
            tmp_path,
            whole(200, {"id": "cgt-9"}),
            whole(200, done),
            whole(404, b""),
            whole(200, film("expired")),
        )
        await ended(plane.call(TASKS, FILM))
        for _ in range(3):
            asked = await ended(plane.call(f"{TASKS}/cgt-9", method="GET"))
            assert (asked.status, asked.json) == (200, done)
        plane.close()

    in_loop(work)


def test_a_task_that_ended_unseen_is_settled_before_it_is_deleted(tmp_path: Path) -> None:
    async def work() -> None:
        done = film("succeeded", usage={"completion_tokens": 5, "total_tokens": 5})
        plane = Plane(tmp_path, whole(200, {"id": "cgt-9"}), whole(200, done), whole(200, b"{}"))
        await ended(plane.call(TASKS, FILM))
        deleted = await ended(plane.call(f"{TASKS}/cgt-9", method="DELETE"))
        assert (deleted.status, deleted.json) == (200, {})
        settled = plane.records.all[-1]
        assert (settled.operation, settled.usage.output_tokens) == ("settle_task", 5)
        assert (settled.key_alias, settled.labels) == ("tester", {"team": "red"})
        gone = await ended(plane.call(f"{TASKS}/cgt-9", method="GET"))
        assert gone.status == 404
        plane.close()

    in_loop(work)


@pytest.mark.parametrize("was_kept", [True, False])
def test_usage_is_never_deleted_with_its_task(was_kept: bool, tmp_path: Path) -> None:
    async def work() -> None:
        plane = Plane(tmp_path, whole(200, {"id": "cgt-9"}), whole(200 if was_kept else 500, b"{}"))
        await ended(plane.call(TASKS, FILM))
        if was_kept:
            done = msgspec.json.encode(film("succeeded", usage={"completion_tokens": 5}))
            kept = Progress(status="succeeded", finished=True, succeeded=True, document=done)
            await plane.task_store.update(InterfaceId("task"), TaskId("cgt-9"), kept)
        deleted = await ended(plane.call(f"{TASKS}/cgt-9", method="DELETE"))
        if was_kept:
            assert deleted.status == 200
            assert plane.records.all[-1].usage.output_tokens == 5
        else:
            # Whether it has ended could not be learnt, so it stays.
            assert deleted.status == 502
            assert plane.client.exchanges[-1].request_head.startswith(b"GET ")
            assert await plane.task_store.find(InterfaceId("task"), TaskId("cgt-9")) is not None
        plane.close()

    in_loop(work)


@pytest.mark.parametrize("page", ["page_num=0", "page_num=501", "page_num=000000001" + "9" * 30])
def test_a_page_out_of_range_is_no_fault_of_ours(page: str, tmp_path: Path) -> None:
    async def work() -> None:
        plane = Plane(tmp_path)
        listed = await ended(plane.call(f"{TASKS}?{page}", method="GET"))
        assert listed.status in (200, 400)
        assert plane.observed.crashes == []
        plane.close()

    in_loop(work)


def test_a_name_as_long_as_a_book_is_not_compared_with_every_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[int] = []

    def note(asked: str, _names: list[str], **_: object) -> list[str]:
        compared.append(len(asked))
        return []

    monkeypatch.setattr("aimesh.dataplane.admit.get_close_matches", note)
    plane = Plane(tmp_path)
    assert plane.call(body={**ASK, "model": "x" * 1_000_000}).status == 400
    assert compared == [LONGEST_NAME]
    plane.close()


def test_a_pinned_endpoint_alone_counts_tokens(tmp_path: Path) -> None:
    config = CONFIG.replace("interfaces: [open_ai]", "interfaces: [open_ai, anthropic]")
    config = config.replace("auth: bearer,", "auth: bearer, traits: {count_tokens: true},")
    plane = Plane(tmp_path, whole(200, {"input_tokens": 7}), config=config)
    path = "/gateway/v1/messages/count_tokens"
    # The prompt is shown to nobody but the provider that the caller named.
    pinned = plane.call(path, {**ASK, "model": "second@test/chat@anthropic"})
    assert b"x-aimesh-estimated" in pinned.headers
    assert plane.client.exchanges == []
    assert plane.call(path, ASK).json == {"input_tokens": 7}
    plane.close()


def test_a_network_of_ipv4_holds_callers_of_a_listener_that_serves_both(tmp_path: Path) -> None:
    plane = Plane(tmp_path, whole(200, ANSWER))
    fenced = "ck-test-test-test-test-0005"
    assert plane.call(body=ASK, key=fenced, peer="::ffff:192.168.0.1").status == 403
    assert plane.call(body=ASK, key=fenced, peer="::ffff:10.1.2.3").status == 200
    plane.close()


def test_a_credential_in_words_for_the_caller_is_scrubbed(tmp_path: Path) -> None:
    secret = "secret-of-the-first"
    said = {"error": {"message": f"bad header {secret}", "code": secret, "type": secret, "param": secret}}
    plane = Plane(tmp_path, whole(400, said))
    reply = plane.call(body=ASK)
    assert reply.status == 400
    assert reply.json["error"]["message"] == "bad header ****"
    assert secret.encode() not in reply.body
    assert secret not in str(plane.records.all[0])
    plane.close()


@pytest.mark.parametrize(
    "credential",
    [
        {b"authorization": b"Basic eDp5", b"x-api-key": KEY.encode()},
        {b"authorization": b"Bearer", b"x-dashscope-apikey": KEY.encode()},
    ],
)
def test_a_header_without_a_key_hides_no_other(credential: dict[bytes, bytes], tmp_path: Path) -> None:
    plane = Plane(tmp_path, whole(200, ANSWER))
    assert plane.call(body=ASK, headers=credential).status == 200
    plane.close()


def test_an_error_inside_a_stream_ends_the_upstream_too(tmp_path: Path) -> None:
    """It may go on sending, or just stay."""
    failed = b'data: {"error":{"message":"no","code":"overloaded"}}\n\n'
    plane = Plane(tmp_path, lambda exchange: exchange.streams(WORD))
    reply = plane.call(body=stream())
    plane.client.exchanges[0].streams(failed)
    assert (reply.body, reply.is_ended) == (WORD + failed, True)
    assert plane.client.exchanges[0].is_cancelled
    assert plane.edge.in_flight == 0
    assert [record.outcome for record in plane.records.all] == [Outcome.BROKEN_STREAM]
    plane.close()


def play(*steps: Script) -> Script:
    def all_of_them(exchange: ScriptedExchange) -> None:
        for step in steps:
            step(exchange)

    return all_of_them


def test_a_connection_lost_after_the_finish_is_an_end_and_no_error(tmp_path: Path) -> None:
    plane = Plane(tmp_path, play(frames(ROLE, WORD, STOP, end=False), broken(LOST)))
    reply = plane.call(body=stream())
    assert reply.body == ROLE + WORD + STOP
    assert plane.records.all[0].outcome is Outcome.OK
    plane.close()


def test_a_connection_lost_before_the_finish_is_an_error(tmp_path: Path) -> None:
    plane = Plane(tmp_path, play(frames(ROLE, WORD, end=False), broken(LOST)))
    reply = plane.call(body=stream())
    assert b"UPSTREAM_BROKEN_STREAM" in reply.body
    assert plane.records.all[0].outcome is Outcome.BROKEN_STREAM
    plane.close()


@pytest.mark.parametrize("streamed", [True, False])
def test_bytes_are_counted_in_both_directions(streamed: bool, tmp_path: Path) -> None:
    script = frames(ROLE, WORD, STOP, USED, DONE) if streamed else whole(200, ANSWER)
    plane = Plane(tmp_path, script)
    asked = msgspec.json.encode(stream() if streamed else ASK)
    reply = plane.call(body=asked)
    (record,) = plane.records.all
    assert record.bytes_in == len(asked)
    # A stream's record is written before its last bytes go out, and may not count those after the end.
    assert record.bytes_out == len(reply.body)
    plane.close()
