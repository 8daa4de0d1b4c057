"""``python -m bench.micro``: the pieces of a call that are not system calls, microseconds each.

1. A figure is the best of several repeats: what a piece costs when nothing disturbs it.
2. The inputs are the calls of the whole benchmark, so the pieces can be held against its CPU time per call.
"""

import tempfile
import timeit
from collections.abc import Callable
from pathlib import Path

from aimesh.core.clock import SystemClock
from aimesh.core.ids import (
    CredentialId,
    EndpointName,
    InterfaceId,
    KeyId,
    ModelName,
    ProviderId,
    RequestId,
    TenantId,
)
from aimesh.core.outcome import Outcome
from aimesh.core.record import AttemptRecord, UsageRecord, encode_record
from aimesh.core.traits import DEFAULT_TRAITS
from aimesh.core.usage import Usage
from aimesh.store.journal import Journal
from aimesh.wire.interface import Target as WireTarget
from aimesh.wire.registry import find_interface
from bench.calls import Pace, Target, encode_answer, encode_call, encode_chunk

REPEATS = 7
NUMBER = 4000

_UPSTREAM = WireTarget(upstream_name="qwen3.7-max", traits=DEFAULT_TRAITS)
_CALLER = Target("127.0.0.1", 8600, "/gateway/v1/chat/completions", "ck-bench", "qwen/qwen3.7-max")


def time_us(piece: Callable[[], object]) -> float:
    return min(timeit.repeat(piece, number=NUMBER, repeat=REPEATS)) / NUMBER * 1e6


def wire_pieces() -> dict[str, Callable[[], object]]:
    """What the chat interface does to a call and to a chunk."""
    chat = find_interface("open_ai")
    assert chat is not None
    whole = encode_call(_CALLER).partition(b"\r\n\r\n")[2]
    streamed = encode_call(_CALLER, Pace(chunks=100, gap_ms=1)).partition(b"\r\n\r\n")[2]
    whole_peek, streamed_peek = chat.peek(whole), chat.peek(streamed)
    prepared = chat.prepare(whole, whole_peek, _UPSTREAM)
    answer = encode_answer().partition(b"\r\n\r\n")[2]
    tap = chat.open_tap(chat.prepare(streamed, streamed_peek, _UPSTREAM))
    # Between the lines of HTTP chunked framing stands the event itself.
    event = encode_chunk({"content": " upgrade"}).partition(b"\r\n")[2][:-2]
    return {
        "chat: peek": lambda: chat.peek(whole),
        "chat: prepare": lambda: chat.prepare(whole, whole_peek, _UPSTREAM),
        "chat: prepare a stream": lambda: chat.prepare(streamed, streamed_peek, _UPSTREAM),
        "chat: read the answer": lambda: chat.read_answer(answer, prepared),
        "chat: tap one chunk": lambda: tap.feed(event),
    }


def sample_record() -> UsageRecord:
    endpoint = EndpointName("bench@qwen/qwen3.7-max@open_ai")
    credential = CredentialId("bench/default")
    return UsageRecord(
        id=RequestId("01JB0000000000000000000000"),
        at=1_767_225_600.0,
        tenant=TenantId("default"),
        key_id=KeyId("file:bench"),
        operation="chat",
        interface=InterfaceId("open_ai"),
        outcome=Outcome.OK,
        duration_ms=412.25,
        key_alias="bench",
        model_asked="qwen/qwen3.7-max",
        model=ModelName("qwen/qwen3.7-max"),
        endpoint=endpoint,
        provider=ProviderId("bench"),
        credential=credential,
        upstream_model="qwen3.7-max",
        status=200,
        usage=Usage(reported=True, input_tokens=96, output_tokens=78),
        attempts=(AttemptRecord(endpoint, credential, started_ms=0.1, duration_ms=412.0, status=200),),
        bytes_in=600,
        bytes_out=819,
        client_ip="127.0.0.1",
    )


def print_pieces(pieces: dict[str, Callable[[], object]]) -> None:
    for name, piece in pieces.items():
        print(f"{name:32} {time_us(piece):7.2f} us")


def main() -> None:
    record = sample_record()
    print_pieces(wire_pieces())
    with tempfile.TemporaryDirectory(prefix="aimesh-micro-") as directory:
        journal = Journal(Path(directory), process=1, clock=SystemClock(), on_alarm=print)
        print_pieces(
            {
                "record: encode": lambda: encode_record(record),
                "journal: append": lambda: journal.append(record),
            }
        )
        journal.close()


if __name__ == "__main__":
    main()
