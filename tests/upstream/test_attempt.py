import gzip
import zlib

import pytest

from aimesh.core.secret import Secret
from aimesh.net.message import AnswerHead, BadAnswer, ConnectFailed, ConnectionLost, ExchangeError, TimedOut
from aimesh.upstream.attempt import (
    ANSWER_LIMIT_BYTES,
    SHOWN_BODY_BYTES,
    UNPACKED_PIECE_BYTES,
    Unpacker,
    failed,
    refused,
    retry_after_s,
    scrub,
    unpacked,
)
from aimesh.wire.registry import find_interface


@pytest.mark.parametrize("encode", [gzip.compress, zlib.compress])
def test_compressed_bodies_are_read(encode: object) -> None:
    assert callable(encode)
    assert unpacked(encode(b"hello"), b"gzip") == b"hello"
    assert unpacked(b"hello", b"") == b"hello"
    assert unpacked(b"hello", b"identity") == b"hello"


@pytest.mark.parametrize("body", [gzip.compress(b"hello", mtime=0)[:-9], b"no gzip at all"])
def test_broken_compression_is_an_error(body: bytes) -> None:
    with pytest.raises(zlib.error):
        unpacked(body, b"gzip")


def test_a_bomb_is_refused_before_it_fills_the_memory() -> None:
    bomb = gzip.compress(b"\0" * (ANSWER_LIMIT_BYTES + 1), 9)
    with pytest.raises(zlib.error):
        unpacked(bomb, b"gzip")
    with pytest.raises(zlib.error):
        Unpacker().feed(gzip.compress(b"\0" * (UNPACKED_PIECE_BYTES + 1), 9))


def test_a_stream_is_unpacked_piece_by_piece() -> None:
    packed = gzip.compress(b"data: one\n\ndata: two\n\n")
    unpacker = Unpacker()
    assert b"".join(unpacker.feed(packed[at : at + 3]) for at in range(0, len(packed), 3)) == (
        b"data: one\n\ndata: two\n\n"
    )


@pytest.mark.parametrize(
    ("value", "date", "seconds"),
    [
        (b"7", b"", 7.0),
        (b"0.5", b"", 0.5),
        (b"-3", b"", 0.0),
        (b"Tue, 24 Nov 2026 10:00:30 GMT", b"Tue, 24 Nov 2026 10:00:00 GMT", 30.0),
        (b"Tue, 24 Nov 2026 09:00:30 GMT", b"Tue, 24 Nov 2026 10:00:00 GMT", 0.0),
        (b"Tue, 24 Nov 2026 10:00:30 GMT", b"", None),
        (b"soon", b"", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: bytes, date: bytes, seconds: float | None) -> None:
    headers = {b"retry-after": value} | ({b"date": date} if date else {})
    assert retry_after_s(AnswerHead(429, headers)) == seconds


def test_without_retry_after_there_is_none() -> None:
    assert retry_after_s(AnswerHead(429, {})) is None


@pytest.mark.parametrize(
    "head", [b"host: x\r\nauthorization: Bearer sk-1234\r\n", b"x-api-key: sk-1234\r\nhost: x\r\n"]
)
def test_the_credential_is_scrubbed_from_texts(head: bytes) -> None:
    assert scrub("your key sk-1234 is bad", Secret(head)) == "your key **** is bad"


def test_the_credential_is_scrubbed_from_json_that_escapes_it() -> None:
    head = Secret(b'authorization: Bearer sk/12"34\r\n')
    for shown in ('{"a":"sk/12\\"34"}', '{"a":"sk\\/12\\"34"}'):
        assert scrub(shown, head) == '{"a":"****"}'


def test_a_head_without_a_credential_scrubs_nothing() -> None:
    assert scrub("a text", Secret(b"host: x\r\n")) == "a text"


@pytest.mark.parametrize(
    ("error", "once", "may_go_on", "is_timeout"),
    [
        (ConnectFailed("refused", was_sent=False), False, True, False),
        (ConnectFailed("refused", was_sent=False), True, True, False),
        (ConnectionLost("reset", was_sent=True), False, True, False),
        (ConnectionLost("reset", was_sent=True), True, False, False),
        (TimedOut("first byte", 1, was_sent=True), True, False, True),
        (TimedOut("connect", 1, was_sent=False), True, True, True),
        (BadAnswer("no HTTP", was_sent=True), True, False, False),
    ],
)
def test_what_must_not_be_made_twice_goes_on_only_when_it_was_surely_not_accepted(
    error: ExchangeError, once: bool, may_go_on: bool, is_timeout: bool
) -> None:
    failure = failed(error, once=once)
    assert (failure.may_go_on, failure.is_timeout, failure.status) == (may_go_on, is_timeout, 0)


@pytest.mark.parametrize(
    ("status", "chat_goes_on", "task_goes_on"),
    [
        (400, False, False),
        (401, True, True),
        (404, True, True),
        (429, True, True),
        (500, True, False),
        (503, True, True),
    ],
)
def test_refusals_by_status(status: int, chat_goes_on: bool, task_goes_on: bool) -> None:
    for name, goes_on in (("open_ai", chat_goes_on), ("task", task_goes_on)):
        judge = find_interface(name)
        assert judge is not None
        failure = refused(
            AnswerHead(status, {}), b'{"error":{"message":"no"}}', judge=judge, secret=Secret(b"")
        )
        assert failure.may_go_on is goes_on
        assert failure.is_rate_limit is (status == 429)


def test_a_long_error_text_is_cut() -> None:
    judge = find_interface("open_ai")
    assert judge is not None
    failure = refused(AnswerHead(500, {}), b"x" * 10_000, judge=judge, secret=Secret(b""))
    assert len(failure.body) == SHOWN_BODY_BYTES


def test_a_credential_at_the_cut_is_not_shown_in_part() -> None:
    judge = find_interface("open_ai")
    assert judge is not None
    text = b"x" * (SHOWN_BODY_BYTES - 5) + b"sk-123456789 and more"
    secret = Secret(b"authorization: Bearer sk-123456789\r\n")
    failure = refused(AnswerHead(500, {}), text, judge=judge, secret=secret)
    assert "sk-" not in failure.body
    assert len(failure.body) == SHOWN_BODY_BYTES


@pytest.mark.parametrize("value", [b"inf", b"nan", b"1e999"])
def test_a_wait_without_end_is_no_wait(value: bytes) -> None:
    assert retry_after_s(AnswerHead(429, {b"retry-after": value})) is None
