"""Usage of a call: what the upstream reported, else an estimate that is marked as one.

1. What was reported is never made less: an estimate goes on from it. A report that came before the end of a stream
   (Anthropic's input at the start, running counts) covers the text before it; the text since is estimated.
2. A stream that ended early is an estimate even where counts were reported: nobody says how much more was made.
3. An answer counts the same whole and streamed: a token per three characters, which lies between English (about
   four) and Chinese (about one and a half).
4. The request counts a token per four bytes, which fits English and, at three bytes a character, Chinese. Escapes
   count as the character that they stand for, and inline pictures and sounds as one guess each, because their bytes
   are no tokens.
"""

from collections.abc import Iterator

from msgspec import structs

from aimesh.core.kind import Kind
from aimesh.core.usage import NO_USAGE, Usage
from aimesh.dataplane.stages import Planned
from aimesh.wire.interface import Answer, Tap

BYTES_PER_TOKEN = 4
CHARS_PER_TOKEN = 3
INLINE_TOKENS = 1_000
"""Of a picture or a sound inside the request: about a picture of a megapixel."""
INLINE_BYTES = 1_024
"""Shorter texts at the same places are taken for text."""
_ESCAPE_EXCESS = 3
"""An escaped character has six bytes where UTF-8 mostly has three."""


def of_answer(planned: Planned, answer: Answer) -> Usage:
    if answer.usage.reported or answer.task is not None:
        return answer.usage
    return _estimate(planned, answer.usage, output_tokens=_tokens(answer.output_chars))


def of_stream(planned: Planned, tap: Tap) -> Usage:
    """Also right for a stream that was cut."""
    usage = tap.usage
    if not usage.reported:
        return _estimate(planned, usage, output_tokens=_tokens(tap.output_chars))
    if tap.ended or tap.earned:
        return usage
    if tap.counted_chars:
        output = usage.output_tokens + _tokens(tap.output_chars - tap.counted_chars)
    else:
        # What was counted before the first word is part of what came after.
        output = max(usage.output_tokens, _tokens(tap.output_chars))
    return structs.replace(usage, output_tokens=output, reported=False)


def of_request(planned: Planned) -> Usage:
    """Of a call whose answer nobody waited for: what was sent."""
    return _estimate(planned, NO_USAGE, output_tokens=0)


def _tokens(chars: int) -> int:
    return -(-chars // CHARS_PER_TOKEN)


def _estimate(planned: Planned, known: Usage, *, output_tokens: int) -> Usage:
    kind = planned.model.kind
    if kind is Kind.VIDEO or kind is Kind.MODEL_3D:
        return known  # Only a task that succeeded is billed, and what it used is reported.
    return structs.replace(
        known,
        reported=False,
        input_tokens=request_tokens(planned.arrival.request.body),
        output_tokens=output_tokens if kind is Kind.CHAT else 0,
    )


def request_tokens(body: bytes) -> int:
    size = len(body) - _ESCAPE_EXCESS * body.count(b"\\u")
    inline = [*_runs(body, b";base64,"), *_runs(body, b'"data"')] if size > INLINE_BYTES else []
    return (size - sum(inline)) // BYTES_PER_TOKEN + len(inline) * INLINE_TOKENS


def _runs(body: bytes, mark: bytes) -> Iterator[int]:
    """Bytes of each long base64 text behind ``mark``: in a data URL, or as the member that OpenAI and Anthropic have
    for one. Searches only, for bodies are large."""
    at = body.find(mark)
    while at >= 0:
        start = at + len(mark)
        if mark[-1:] == b'"':
            start = body.find(b'"', start) + 1
        end = body.find(b'"', start)
        if not start or end < 0:
            return
        first = body[start : start + INLINE_BYTES]
        # A data URL inside the member is found by its own mark; a text document has blanks, or is not ASCII.
        is_inline = end - start > INLINE_BYTES and first.isascii()
        if is_inline and not any(sign in first for sign in (b" ", b"\\u", b";base64,")):
            yield end - start
        at = body.find(mark, end)
