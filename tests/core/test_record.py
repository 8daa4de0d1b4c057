"""A usage record survives its encoding, stays small, and reads what older and newer releases wrote."""

import msgspec
import pytest
from tests.support.records import typical_record

from aimesh.core.outcome import Outcome
from aimesh.core.record import decode_record, encode_record
from aimesh.core.usage import Usage


def test_a_record_survives_encoding() -> None:
    record = typical_record()
    assert decode_record(encode_record(record)) == record


def test_defaults_are_left_out() -> None:
    fields = msgspec.json.decode(encode_record(typical_record()))
    assert "losses" not in fields
    assert "task_id" not in fields
    assert fields["usage"] == {"input_tokens": 1200, "output_tokens": 345, "cached_tokens": 1024}
    assert len(encode_record(typical_record())) < 900


def test_a_record_of_an_older_release_is_read() -> None:
    old = (
        b'{"id":"r1","at":1.5,"tenant":"default","key_id":"k1","operation":"chat","interface":"open_ai",'
        b'"outcome":"ok","duration_ms":3}'
    )
    record = decode_record(old)
    assert record.outcome is Outcome.OK
    assert record.usage == Usage(reported=False)
    assert record.attempts == ()
    assert record.ttft_ms is None


def test_a_field_of_a_newer_release_is_skipped() -> None:
    newer = encode_record(typical_record())[:-1] + b',"invented_later":{"a":[1]}}'
    assert decode_record(newer) == typical_record()


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"id":"r1"}', b'{"outcome":"nonsense"}'])
def test_what_is_no_record_is_refused(data: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        decode_record(data)


def test_records_do_not_share_their_labels() -> None:
    bare = msgspec.json.encode({"id": "r1", "at": 1, "tenant": "t", "key_id": "k", "operation": "chat",
                                "interface": "open_ai", "outcome": "ok", "duration_ms": 1})  # fmt: skip
    first, second = decode_record(bare), decode_record(bare)
    assert first.labels == {}
    assert first.labels is not second.labels


def test_half_a_surrogate_pair_does_not_lose_the_record() -> None:
    record = msgspec.structs.replace(typical_record(), model_asked="a\ud800b", labels={"x": "\udfff"})
    read = decode_record(encode_record(record))
    assert read.model_asked == "a?b"
    assert read.labels == {"x": "?"}
    assert read.attempts == record.attempts
