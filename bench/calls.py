"""The calls that are measured, byte for byte: what an OpenAI SDK sends, what an upstream answers.

1. The request has the header lines of the OpenAI Python SDK, in its order and spelling, and a body of about
   600 bytes; the whole answer has about 800 bytes, with usage.
2. How a stream is paced travels inside the prompt (``[chunks=1000 gap_ms=10]``): every gateway relays it.
"""

import json
import re

from msgspec import Struct

PROMPT = (
    "You are reading the release notes of a small service. Summarise them for somebody who runs it in "
    "production: what changes for them, what they must do before the upgrade, what they can leave for later. "
    "Answer in at most three sentences and do not repeat the version number. If a change has no effect on "
    "how the service is run, leave it out; if you are not sure, say so in one clause."
)

ANSWER_TEXT = (
    "The service now drains its connections before it stops, so that an upgrade no longer interrupts running "
    "calls. Before the upgrade, raise the stop timeout of your process manager above the drain limit, and "
    "check that nothing reads the old metrics path, which is gone. The new limits on heads are generous and "
    "can be tuned later if a client turns out to send unusually large cookies."
)

_PACE = re.compile(rb"\[chunks=(\d+) gap_ms=(\d+)\]")


class Target(Struct, frozen=True):
    """Where to send a call, and what stands between the host and the upstream's model."""

    host: str
    port: int
    path: str
    key: str
    model: str


class Pace(Struct, frozen=True):
    """How long a streamed answer is, and how slowly it comes."""

    chunks: int
    gap_ms: int


def encode_call(target: Target, pace: Pace | None = None) -> bytes:
    """One POST; streamed if it has a pace."""
    return encode_post(target, json.dumps(_call_document(target.model, pace), separators=(",", ":")).encode())


def encode_post(target: Target, body: bytes) -> bytes:
    head = (
        f"POST {target.path} HTTP/1.1\r\n"
        f"Host: {target.host}:{target.port}\r\n"
        "Accept-Encoding: gzip, deflate\r\n"
        "Connection: keep-alive\r\n"
        f"authorization: Bearer {target.key}\r\n"
        "accept: application/json\r\n"
        "content-type: application/json\r\n"
        "user-agent: OpenAI/Python 3.54.0\r\n"
        "x-stainless-lang: python\r\n"
        "x-stainless-package-version: 3.54.0\r\n"
        "x-stainless-os: Linux\r\n"
        "x-stainless-arch: x64\r\n"
        "x-stainless-runtime: CPython\r\n"
        "x-stainless-runtime-version: 3.11.7\r\n"
        "x-stainless-async: false\r\n"
        "x-stainless-retry-count: 0\r\n"
        "x-stainless-read-timeout: 600\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _call_document(model: str, pace: Pace | None) -> dict[str, object]:
    prompt = PROMPT if pace is None else f"{PROMPT} [chunks={pace.chunks} gap_ms={pace.gap_ms}]"
    document: dict[str, object] = {
        "messages": [
            {"role": "system", "content": "You are a careful technical writer. Keep to the facts given."},
            {"role": "user", "content": prompt},
        ],
        "model": model,
        "max_tokens": 512,
        "temperature": 0.2,
    }
    if pace is not None:
        document["stream"] = True
        document["stream_options"] = {"include_usage": True}
    return document


def read_pace(body: bytes) -> Pace:
    """The pace that a prompt asks for; a short quick stream if it asks for none."""
    found = _PACE.search(body)
    return Pace(chunks=int(found[1]), gap_ms=int(found[2])) if found else Pace(chunks=5, gap_ms=1)


def encode_answer() -> bytes:
    """A whole answer: head and body, as one piece."""
    body = json.dumps(
        {
            "id": "chatcmpl-9f0c5c1e7a2b4d0c8e6f1a3b5d7c9e0f",
            "object": "chat.completion",
            "created": 1767225600,
            "model": "bench-model",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": ANSWER_TEXT},
                    "logprobs": None,
                    "finish_reason": "stop",
                }
            ],
            "usage": {
                "prompt_tokens": 96,
                "completion_tokens": 78,
                "total_tokens": 174,
                "prompt_tokens_details": {"cached_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 0},
            },
            "system_fingerprint": "fp_5b1c0a9e7d",
        },
        separators=(",", ":"),
    ).encode()
    head = (
        "HTTP/1.1 200 OK\r\n"
        "content-type: application/json\r\n"
        f"content-length: {len(body)}\r\n"
        "date: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
        "server: mock\r\n"
        "x-request-id: 4c1f7e0a-52f3-4b0f-9f5d-0f6f2a8f7b11\r\n"
        "openai-processing-ms: 412\r\n"
        "x-ratelimit-remaining-requests: 4999\r\n"
        "x-ratelimit-remaining-tokens: 799904\r\n\r\n"
    )
    return head.encode() + body


STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\n"
    b"content-type: text/event-stream; charset=utf-8\r\n"
    b"transfer-encoding: chunked\r\n"
    b"cache-control: no-cache\r\n"
    b"date: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
    b"server: mock\r\n"
    b"x-request-id: 4c1f7e0a-52f3-4b0f-9f5d-0f6f2a8f7b11\r\n"
    b"openai-processing-ms: 118\r\n\r\n"
)


def encode_chunk(delta: dict[str, str], finish: str | None = None) -> bytes:
    """One event of a stream, framed as one HTTP chunk."""
    return _frame_event(
        {
            **_CHUNK_HEAD,
            "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
            "usage": None,
        }
    )


def encode_stream_end() -> bytes:
    """The usage event, the end marker and the last HTTP chunk."""
    usage = {"prompt_tokens": 96, "completion_tokens": 78, "total_tokens": 174}
    done = _frame_bytes(b"data: [DONE]\n\n")
    return _frame_event({**_CHUNK_HEAD, "choices": [], "usage": usage}) + done + b"0\r\n\r\n"


_CHUNK_HEAD: dict[str, object] = {
    "id": "chatcmpl-9f0c5c1e7a2b4d0c8e6f1a3b5d7c9e0f",
    "object": "chat.completion.chunk",
    "created": 1767225600,
    "model": "bench-model",
    "system_fingerprint": "fp_5b1c0a9e7d",
}


def _frame_event(document: dict[str, object]) -> bytes:
    return _frame_bytes(b"data: " + json.dumps(document, separators=(",", ":")).encode() + b"\n\n")


def _frame_bytes(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)
