"""Recognises a stream's frame that differs from an earlier one only in its text.

Nearly all frames of an answer are alike: the same ids, the same model, the same empty fields, another word. A frame
that was decoded and changed nothing but the count of characters is remembered as what stands before its text and
what stands after; a frame with the same two and a plain text between them needs no decoding.

1. Only a frame that was read, and whose text alone accounts for the characters it added, is learnt.
2. The text of a match holds no quote, backslash or line end: it is the inside of one JSON string, and the frame is
   one frame. Everything else of it was judged when it was learnt, and is the same bytes.
3. A stream whose frames always differ (numbered events, running usage) is not learnt from for ever.
"""

LESSONS = 8
"""Misses in a row after which a stream is given up."""

_MARKS = (
    b'"content":"',
    b'"text":"',
    b'"reasoning_content":"',
    b'"thinking":"',
    b'"delta":"',
    b'"partial_json":"',
)
_QUOTE, _BACKSLASH, _LF, _CR = b'"\\\n\r'


class RepeatedFrame:
    """What one stream has taught."""

    __slots__ = ("_after", "_around", "_before", "_missed")

    def __init__(self) -> None:
        self._before = b""
        """Up to the text; empty: nothing is known."""
        self._after = b""
        self._around = 0
        self._missed = 0

    @property
    def wants_lessons(self) -> bool:
        return self._missed < LESSONS

    def match(self, data: bytes) -> int:
        """Characters of text in ``data`` if it is exactly one known frame, else -1."""
        before = self._before
        if not before or not data.startswith(before) or not data.endswith(self._after):
            return -1
        size = len(data) - self._around
        if size < 0:
            return -1
        start = len(before)
        text = data[start : start + size]
        if _QUOTE in text or _BACKSLASH in text or _LF in text or _CR in text:
            return -1
        self._missed = 0
        return size if text.isascii() else len(text.decode("utf-8", errors="replace"))

    def learn(self, frame: bytes, chars: int) -> None:
        """``frame`` was read and added ``chars`` to the answer, and nothing else."""
        self._missed += 1
        self._before = b""
        for mark in _MARKS:
            start = frame.find(mark) + len(mark)
            if start < len(mark):
                continue
            end = frame.find(b'"', start)
            text = frame[start:end]
            if end < 0 or _BACKSLASH in text or len(text.decode("utf-8", errors="replace")) != chars:
                continue
            self._before = frame[:start]
            self._after = frame[end:]
            self._around = len(frame) - len(text)
            return
