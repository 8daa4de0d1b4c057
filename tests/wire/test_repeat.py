import json

from hypothesis import given
from hypothesis import strategies as st

from aimesh.core.traits import DEFAULT_TRAITS
from aimesh.wire.interface import Peek, Target
from aimesh.wire.registry import find_interface
from aimesh.wire.repeat import LESSONS, RepeatedFrame


def frame(text: str, **more: object) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    chunk = {"id": "x", "choices": [choice], "usage": None} | more
    return f"data: {json.dumps(chunk, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()


def taught() -> RepeatedFrame:
    repeat = RepeatedFrame()
    repeat.learn(frame("hello"), 5)
    return repeat


PLAIN = st.text(st.characters(blacklist_characters='"\\\r\n', blacklist_categories=["Cs"]), max_size=30)


@given(PLAIN.filter(lambda text: all(ord(char) >= 32 for char in text)))
def test_the_same_frame_with_another_text_is_known(text: str) -> None:
    assert taught().match(frame(text)) == len(text)


@given(st.data())
def test_a_frame_that_differs_elsewhere_is_read(data: st.DataObject) -> None:
    good = frame("word")
    at = data.draw(st.integers(0, len(good) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda value: value != good[at]))
    changed = good[:at] + bytes([byte]) + good[at + 1 :]
    start = good.index(b"word")
    if start <= at < start + 4 and byte not in b'"\\\r\n':
        assert taught().match(changed) >= 0
    else:
        assert taught().match(changed) == -1


def test_parts_of_frames_and_several_frames_are_read() -> None:
    repeat = taught()
    good = frame("word")
    for data in (b"", good[:-1], good[1:], good + good, good + b": comment\n\n", good[:40] + good[-20:]):
        assert repeat.match(data) == -1


def test_nothing_is_known_before_the_first_lesson() -> None:
    assert RepeatedFrame().match(frame("hello")) == -1


def test_a_text_with_escapes_teaches_nothing() -> None:
    repeat = RepeatedFrame()
    repeat.learn(frame('a"b'), 3)
    assert repeat.match(frame("abc")) == -1


def test_characters_that_came_from_elsewhere_teach_nothing() -> None:
    repeat = RepeatedFrame()
    repeat.learn(frame("hello"), 9)
    assert repeat.match(frame("hello")) == -1


def test_a_stream_of_ever_new_frames_is_given_up() -> None:
    repeat = RepeatedFrame()
    for number in range(LESSONS):
        assert repeat.wants_lessons
        assert repeat.match(frame("a", number=number)) == -1
        repeat.learn(frame("a", number=number), 1)
    assert not repeat.wants_lessons


@given(st.lists(st.text(max_size=12), max_size=20), st.data())
def test_a_tap_gives_the_same_facts_however_the_stream_is_cut(texts: list[str], data: st.DataObject) -> None:
    chat = find_interface("open_ai")
    assert chat is not None
    peek = Peek(model="m", stream=True, asked_usage=True)
    prepared = chat.prepare(b'{"model":"m","stream":true}', peek, Target("m", DEFAULT_TRAITS))
    frames = [frame(text) for text in texts]
    stream = b"".join(frames)
    apart, cut = chat.open_tap(prepared), chat.open_tap(prepared)
    assert b"".join(apart.feed(one) for one in frames) == stream
    position = 0
    out = b""
    while position < len(stream):
        size = data.draw(st.integers(1, 300))
        out += cut.feed(stream[position : position + size])
        position += size
    assert out == stream
    assert (apart.output_chars, apart.started) == (cut.output_chars, cut.started)
    assert apart.output_chars == sum(len(text) for text in texts)
