"""Byte surgery on JSON objects: single members are replaced, added or removed, every other byte stays.

1. What is not edited survives byte for byte: order, white space, number spelling, escapes, unknown members.
2. A key is compared by meaning: ``"mod\\u0065l"`` is ``model``.
3. A repeated key among those that we read is refused. Parsers disagree on which one counts, so the gateway
   could check one model and the upstream run another.
4. White space beside a removed member goes with it; the result is always valid JSON if the input was.
"""

import re

import msgspec
from msgspec import Struct

from aimesh.core.errors import BadRequest
from aimesh.wire.lenient import decode

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_KEY = msgspec.json.Decoder(str)

_SPACE = re.compile(rb"[ \t\n\r]*")
_STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_MEMBER_HEAD = re.compile(rb"[ \t\n\r]*(" + _STRING + rb")[ \t\n\r]*:[ \t\n\r]*", re.DOTALL)
_TOKEN = re.compile(_STRING + rb"|[{}\[\],]", re.DOTALL)
_MODEL = re.compile(rb'"model"[ \t\n\r]*:[ \t\n\r]*(' + _STRING + rb")", re.DOTALL)
_MODEL_FIRST = re.compile(rb"[ \t\n\r]*\{[ \t\n\r]*" + _MODEL.pattern, re.DOTALL)


_SHORT_BYTES = 4096


class Member(Struct, frozen=True, gc=False):
    """One member of an object: where its key begins, and the span of its value."""

    key: str
    start: int
    value_start: int
    value_end: int


class _OutOfStepError(Exception):
    """The walk over the object lost its footing: a key stands there twice."""


def members(body: bytes) -> list[Member]:
    """The members of an object, in order, repeated keys included. Raises ``BadRequest`` for other text."""
    try:
        values, text = decode(_OBJECT, body)
    except msgspec.DecodeError as error:
        raise BadRequest("not a JSON object") from error
    try:
        return _walk(text, values)
    except _OutOfStepError:
        return _scan(text)


def _walk(body: bytes, values: dict[str, msgspec.Raw]) -> list[Member]:
    """The decoder has measured the values; only the few bytes between them are read here.

    Every value is compared with what stands in its place: a crafted object with a repeated key could
    otherwise lead the walk through the inside of another value.
    """
    found: list[Member] = []
    position = body.index(b"{") + 1
    for expected, value in values.items():
        head = _MEMBER_HEAD.match(body, position)
        measured = bytes(value)
        if (
            head is None
            or _KEY.decode(head.group(1)) != expected
            or not body.startswith(measured, head.end())
        ):
            raise _OutOfStepError
        end = head.end() + len(measured)
        found.append(Member(expected, head.start(1), head.end(), end))
        position = _after_space(body, end) + 1
        if body[position - 1 : position] not in (b",", b"}"):
            raise _OutOfStepError
    if values and body[position - 1 : position] != b"}":
        raise _OutOfStepError
    return found


def _scan(body: bytes) -> list[Member]:
    """Reads every string and bracket; needed only where a key repeats."""
    found: list[Member] = []
    depth = 0
    head: re.Match[bytes] | None = None
    position = body.index(b"{") + 1
    for token in _TOKEN.finditer(body, position):
        mark = token.group()
        if depth == 0 and head is None and mark[0] == 34:
            head = _MEMBER_HEAD.match(body, token.start())
        elif mark in (b"{", b"["):
            depth += 1
        elif depth > 0:
            depth -= mark in (b"}", b"]")
        elif head is not None and mark in (b",", b"}"):
            value = body[head.end() : token.start()].rstrip(b" \t\n\r")
            key = _KEY.decode(head.group(1))
            found.append(Member(key, head.start(1), head.end(), head.end() + len(value)))
            head = None
    return found


def _after_space(body: bytes, position: int) -> int:
    space = _SPACE.match(body, position)
    return space.end() if space is not None else position


def elements(array: bytes) -> list[tuple[int, int]]:
    """Spans of the elements of a JSON array. Raises ``BadRequest`` for other text."""
    try:
        values, _ = decode(_ARRAY, array)
    except msgspec.DecodeError as error:
        raise BadRequest("not a JSON array") from error
    spans: list[tuple[int, int]] = []
    position = array.index(b"[") + 1
    for value in values:
        start = _after_space(array, position)
        end = start + len(memoryview(value))
        spans.append((start, end))
        position = _after_space(array, end) + 1
    return spans


def refuse_repeats(body: bytes, keys: tuple[bytes, ...]) -> None:
    """Raises ``BadRequest`` when one of ``keys``, given with their quotes, stands twice in the object."""
    # Without \\u00 no key is spelt with escapes, so a key that stands at most once in the text cannot repeat.
    # In longer texts the decoder finds the members faster than a search finds one word.
    if len(body) < _SHORT_BYTES and b"\\u00" not in body:
        for key in keys:
            if body.count(key) > 1:
                break
        else:
            return
    wanted = {key[1:-1].decode() for key in keys}
    for member in members(body):
        if member.key in wanted:
            wanted.remove(member.key)
        elif b'"%b"' % member.key.encode() in keys:
            raise BadRequest(f"the member {member.key!r} stands twice", param=member.key)


def replace_model(body: bytes, name: str) -> bytes:
    """``body`` with the value of its top-level ``model``, known to be a string that stands once, replaced."""
    # The SDKs write it first, and then no look at the rest is needed. Where it occurs once in all, unescaped, it is
    # the key too: the caller has read a top-level model.
    found = _MODEL_FIRST.match(body)
    if found is None and body.count(b'"model"') == 1 and b"\\u00" not in body:
        found = _MODEL.search(body)
    if found is None:
        splice = Splice(body)
        splice.put("model", msgspec.json.encode(name))
        return splice.render()
    start, end = found.span(1)
    return b"%b%b%b" % (body[:start], msgspec.json.encode(name), body[end:])


class Splice:
    """Edits of one object, applied together by ``render``. Values go in and come out as raw JSON."""

    __slots__ = ("_added", "_body", "_members", "_removed", "_replaced", "_spans")

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._spans = members(body)
        self._members = {member.key: member for member in self._spans}
        self._replaced: dict[str, bytes] = {}
        self._removed: set[str] = set()
        self._added: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        """The raw value as it stands in the original; None when absent or ``null``."""
        member = self._members.get(key)
        if member is None:
            return None
        value = self._body[member.value_start : member.value_end]
        return None if value == b"null" else value

    def inner(self, key: str) -> "Splice":
        """The object that stands as a member's value, for edits of its own; empty when absent or ``null``."""
        value = self.get(key)
        if value is not None and not value.startswith(b"{"):
            raise BadRequest(f"{key} is not an object", param=key)
        return Splice(value or b"{}")

    def put(self, key: str, value: bytes) -> None:
        """Replaces the member's value, or appends the member."""
        if key in self._members:
            self._replaced[key] = value
            self._removed.discard(key)
        else:
            self._added[key] = value

    def remove(self, key: str) -> None:
        if key in self._members:
            self._removed.add(key)

    def render(self) -> bytes:
        spans = self._spans
        if not spans:
            added = b",".join(_pair(key, value) for key, value in self._added.items())
            end = self._body.rindex(b"}")
            return self._body[:end] + added + self._body[end:]
        pieces = [self._body[: spans[0].start]]
        previous: int | None = None
        for index, member in enumerate(spans):
            if member.key in self._removed:
                continue
            if previous is not None:
                pieces.append(self._body[spans[index - 1].value_end : member.start])
            pieces.append(self._body[member.start : member.value_start])
            value = self._replaced.get(member.key)
            pieces.append(self._body[member.value_start : member.value_end] if value is None else value)
            previous = index
        for key, value in self._added.items():
            if previous is not None:
                pieces.append(b",")
            pieces.append(_pair(key, value))
            previous = len(spans)
        pieces.append(self._body[spans[-1].value_end :])
        return b"".join(pieces)


def _pair(key: str, value: bytes) -> bytes:
    return b"%b:%b" % (msgspec.json.encode(key), value)
