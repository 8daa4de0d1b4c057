"""Usage of a call: what the upstream reported, else an estimate that is marked as one.

The estimate counts a token per four bytes of text and one per two characters of other scripts, which UTF-8
makes one rule: bytes / 4 for ASCII, about 1.5 bytes a token for Chinese (three bytes, two characters a token
would be six; providers count closer to one character a token, so three).
"""

from msgspec import structs

from aimesh.core.kind import Kind
from aimesh.core.usage import Usage
from aimesh.dataplane.stages import Planned
from aimesh.wire.interface import Answer, Tap

BYTES_PER_TOKEN = 4
CHARS_PER_TOKEN = 3


def of_answer(planned: Planned, answer: Answer) -> Usage:
    if answer.usage.reported or answer.task is not None:
        return answer.usage
    return _estimate(planned, answer.usage, output_tokens=len(answer.body) // BYTES_PER_TOKEN)


def of_stream(planned: Planned, tap: Tap) -> Usage:
    """Also right for a stream that was cut: what was reported so far, else what was seen."""
    if tap.usage.reported:
        if tap.usage.output_tokens <= 1 and not tap.ended:
            # Anthropic reports the input at the start and the output at the end; the end never came.
            seen = max(tap.usage.output_tokens, _tokens(tap.output_chars))
            return structs.replace(tap.usage, output_tokens=seen, reported=False)
        return tap.usage
    return _estimate(planned, tap.usage, output_tokens=_tokens(tap.output_chars))


def _tokens(chars: int) -> int:
    return -(-chars // CHARS_PER_TOKEN)


def _estimate(planned: Planned, known: Usage, *, output_tokens: int) -> Usage:
    if planned.model.kind not in (Kind.CHAT, Kind.EMBEDDING):
        return known
    generates = planned.model.kind == Kind.CHAT
    return structs.replace(
        known,
        reported=False,
        input_tokens=len(planned.arrival.request.body) // BYTES_PER_TOKEN,
        output_tokens=output_tokens if generates else 0,
    )
