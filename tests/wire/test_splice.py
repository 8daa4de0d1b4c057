"""Byte surgery: what an edit means in JSON, and that every other byte stays."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimesh.core.errors import BadRequest
from aimesh.wire.splice import Splice, elements, members, refuse_repeats, replace_model

SPACE = st.sampled_from(["", " ", "\n", "\t\r\n "])
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30).map(lambda n: n),
    st.text(max_size=12),
    st.sampled_from(['a"b', "}", "],", "\\", '\\"', "model", "\u2028", "😀"]),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=12,
)
KEYS = st.one_of(st.text(max_size=8), st.sampled_from(["model", "stream", 'a"model', "mod\\el", "é"]))
NUMBERS = st.sampled_from(["1.0", "1e5", "-0", "0.10", "12345678901234567890123", "1E+2"])


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, list[tuple[str, str]]]:
    """A JSON object as text, spelt at will, and its members as (key, raw value)."""
    keys = draw(st.lists(KEYS, max_size=6, unique=True))
    parts, expected = [], []
    for key in keys:
        value = draw(VALUES)
        raw = (
            draw(NUMBERS)
            if draw(st.booleans()) and value is None
            else json.dumps(value, ensure_ascii=draw(st.booleans()))
        )
        spelt = json.dumps(key, ensure_ascii=draw(st.booleans()))
        if key and key[0].isascii() and key[0].isalpha() and draw(st.booleans()):
            spelt = f'"\\u{ord(key[0]):04x}{spelt[2:]}'
        parts.append(f"{draw(SPACE)}{spelt}{draw(SPACE)}:{draw(SPACE)}{raw}{draw(SPACE)}")
        expected.append((key, raw))
    inside = ",".join(parts) if parts else draw(SPACE)
    return f"{draw(SPACE)}{{{inside}}}{draw(SPACE)}", expected


@given(documents())
def test_members_are_found_with_their_spans(document: tuple[str, list[tuple[str, str]]]) -> None:
    text, expected = document
    body = text.encode()
    assert [(m.key, body[m.value_start : m.value_end].decode()) for m in members(body)] == expected


@given(documents(), KEYS, VALUES, st.booleans())
def test_an_edit_means_what_it_means_in_json(
    document: tuple[str, list[tuple[str, str]]], key: str, value: Any, removes: bool
) -> None:
    text, expected = document
    splice = Splice(text.encode())
    after: dict[str, Any] = json.loads(text)
    if removes:
        splice.remove(key)
        after.pop(key, None)
    else:
        splice.put(key, json.dumps(value).encode())
        after[key] = value
    out = splice.render()
    assert json.loads(out) == after
    assert list(json.loads(out)) == list(after)
    kept = [(name, raw) for name, raw in expected if name != key]
    assert [(m.key, out[m.value_start : m.value_end].decode()) for m in members(out) if m.key != key] == kept


@given(documents(), VALUES)
def test_a_replacement_touches_no_other_byte(document: tuple[str, list[tuple[str, str]]], value: Any) -> None:
    text, expected = document
    body = text.encode()
    for place, (key, raw) in enumerate(expected):
        splice = Splice(body)
        new = json.dumps(value).encode()
        splice.put(key, new)
        start = members(body)[place].value_start
        assert splice.render() == body[:start] + new + body[start + len(raw.encode()) :]


@given(documents())
def test_no_edit_no_change(document: tuple[str, list[tuple[str, str]]]) -> None:
    body = document[0].encode()
    assert Splice(body).render() == body


@given(documents(), st.lists(st.integers(0, 5), unique=True))
def test_any_members_can_go_together(document: tuple[str, list[tuple[str, str]]], places: list[int]) -> None:
    text, expected = document
    splice = Splice(text.encode())
    gone = {expected[place][0] for place in places if place < len(expected)}
    for key in gone:
        splice.remove(key)
    splice.put("added", b"1")
    splice.put("added too", b"[ ]")
    rest = {key: value for key, value in json.loads(text).items() if key not in gone}
    assert json.loads(splice.render()) == rest | {"added": 1, "added too": []}


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b'{"a":1,"a":22}', [("a", b"1"), ("a", b"22")]),
        (b'{"a":12,"a":1}', [("a", b"12"), ("a", b"1")]),
        (b'{"a":1,"b":[],"a":1}', [("a", b"1"), ("b", b"[]"), ("a", b"1")]),
        (b'{"a":{"x":1},"a":"}"  ,"b":" ]"}', [("a", b'{"x":1}'), ("a", b'"}"'), ("b", b'" ]"')]),
        (b'{"a":[1,{"b":2}], "\\u0061" : 3 }', [("a", b'[1,{"b":2}]'), ("a", b"3")]),
        (b'{"a":"\\ud800","a":"\\ud800"}', [("a", b'"\\ud800"'), ("a", b'"\\ud800"')]),
    ],
)
def test_repeated_keys_are_all_found(body: bytes, found: list[tuple[str, bytes]]) -> None:
    assert [(m.key, body[m.value_start : m.value_end]) for m in members(body)] == found


def test_a_crafted_object_cannot_hide_a_repeated_key_inside_another_value() -> None:
    # Measured with the last value's length, the first "m" seems to end inside itself, where a false "x" stands.
    body = b'{"m":{"k":1,"x":5},"x":7,"m":123456}'
    assert [m.key for m in members(body)] == ["m", "x", "m"]
    aligned = b'{"m":1,"a":"aaaa","m":{"k":1,"x":5,"a":123}}'
    assert [m.key for m in members(aligned)] == ["m", "a", "m"]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"1", b'{"a"', b'{"a":1}x', b'{"\xff":1}', b'{"a":' + b"[" * 3000]
)
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(BadRequest):
        members(body)


@pytest.mark.parametrize(
    ("array", "spans"),
    [
        (b"[]", []),
        (b" [ ] ", []),
        (b'[1, "a,]" ,{"b":[2]}]', [b"1", b'"a,]"', b'{"b":[2]}']),
        (b'["\\ud800"]', [b'"\\ud800"']),
    ],
)
def test_elements_of_an_array(array: bytes, spans: list[bytes]) -> None:
    assert [array[start:end] for start, end in elements(array)] == spans


def test_what_is_no_array_is_refused() -> None:
    with pytest.raises(BadRequest):
        elements(b"{}")


KEYS_READ = (b'"model"', b'"stream"')


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"a","x":{"model":"b","model":"c"},"model_":1}',
        b'{"model":"a","x":"model"}',
        b'{"model":"\\u0041","x":1,"x":2}',
        b'{"x":1,"x":2}',
        b'{"model":"a","y":["stream","stream"]}',
    ],
)
def test_repeats_that_do_not_matter_pass(body: bytes) -> None:
    refuse_repeats(body, KEYS_READ)


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"a","model":"a"}',
        b'{"model":"a","\\u006dodel":"b"}',
        b'{"\\u006dodel":"a","mod\\u0065l":"b"}',
        b'{"stream":true,"model":"a","stream":false}',
    ],
)
def test_repeats_of_what_we_read_are_refused(body: bytes) -> None:
    with pytest.raises(BadRequest, match="stands twice"):
        refuse_repeats(body, KEYS_READ)


@pytest.mark.parametrize(
    ("body", "out"),
    [
        (b'{"model":"a/b","x":1.0}', b'{"model":"n\xc3\xa9","x":1.0}'),
        (b'{ "x":[{"model":"q"}], "model"\t: "a\\"b" }', b'{ "x":[{"model":"q"}], "model"\t: "n\xc3\xa9" }'),
        (b'{"mod\\u0065l":"a"}', b'{"mod\\u0065l":"n\xc3\xa9"}'),
        (b'{"a\\"model":1,"model":"x"}', b'{"a\\"model":1,"model":"n\xc3\xa9"}'),
        (b'\n{ "model":"x","y":{"model":"z"}}', b'\n{ "model":"n\xc3\xa9","y":{"model":"z"}}'),
        (b'{"y":{"model":"z"},"model":"x"}', b'{"y":{"model":"z"},"model":"n\xc3\xa9"}'),
        (b'{"model":"x","y":"\\u0041"}', b'{"model":"n\xc3\xa9","y":"\\u0041"}'),
    ],
)
def test_the_model_is_replaced_in_place(body: bytes, out: bytes) -> None:
    assert replace_model(body, "né") == out


def test_inner_objects() -> None:
    splice = Splice(b'{"a":{"x":1},"b":null,"c":5}')
    assert splice.inner("a").get("x") == b"1"
    assert splice.inner("b").render() == b"{}"
    assert splice.inner("d").render() == b"{}"
    with pytest.raises(BadRequest) as refusal:
        splice.inner("c")
    assert refusal.value.param == "c"


def test_null_counts_as_absent_and_a_removed_member_can_come_back() -> None:
    splice = Splice(b'{"a":null,"b":2}')
    assert splice.get("a") is None
    splice.remove("b")
    splice.remove("not there")
    splice.put("b", b"3")
    assert splice.render() == b'{"a":null,"b":3}'


def test_repeats_in_long_texts() -> None:
    long = b'"x":"%b"' % (b"y" * 10_000)
    refuse_repeats(b'{"model":"a",%b,"stream":true,"z":{"model":1}}' % long, KEYS_READ)
    with pytest.raises(BadRequest, match="stands twice"):
        refuse_repeats(b'{"model":"a",%b,"model":"b"}' % long, KEYS_READ)
