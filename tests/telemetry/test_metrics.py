"""Counts add up, and the text is what Prometheus reads."""

import re

import msgspec
from tests.support.records import typical_record

from aimesh.core.ids import EndpointName
from aimesh.core.outcome import Outcome
from aimesh.core.record import AttemptRecord, UsageRecord
from aimesh.core.usage import Usage
from aimesh.telemetry.metrics import BUCKETS_S, Metrics, Sample

OTHER = EndpointName("other_bj@vendor/model-a@open_ai")
_LINE = re.compile(r'([a-z_]+)(\{(?:[a-z_]+="(?:[^"\\\n]|\\["\\n])*",?)*\})? (-?[0-9.e+-]+)')


def samples(metrics: Metrics) -> dict[str, float]:
    """The text, read strictly: every family is announced once, before its samples, and stays together."""
    found: dict[str, float] = {}
    announced: list[str] = []
    text = metrics.render().decode()
    assert text.endswith("\n") or not text
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = line.split(" ")[2]
            assert name not in announced
            announced.append(name)
        elif line.startswith("# TYPE "):
            assert line.split(" ")[2] == announced[-1]
            assert line.split(" ")[3] in ("counter", "gauge", "histogram")
        else:
            match = _LINE.fullmatch(line)
            assert match is not None, line
            assert match[1].startswith(announced[-1])
            sample = match[1] + (match[2] or "")
            assert sample not in found
            found[sample] = float(match[3])
    return found


def record(outcome: Outcome = Outcome.OK, **changes: object) -> UsageRecord:
    return msgspec.structs.replace(typical_record(), outcome=outcome, **changes)


def attempt(endpoint: EndpointName, error: str = "") -> AttemptRecord:
    return AttemptRecord(endpoint, typical_record().credential, started_ms=0, duration_ms=1, error=error)


def test_nothing_counted_is_an_empty_but_whole_text() -> None:
    assert samples(Metrics()) == {}


def test_calls_are_counted_by_operation_and_outcome() -> None:
    metrics = Metrics()
    for one in (
        record(),
        record(endpoint=OTHER),
        record(Outcome.CLIENT_GONE),
        record(operation="messages"),
        record(Outcome.CLIENT_GONE),
    ):
        metrics.record(one)
    found = samples(metrics)
    assert found['aimesh_calls_total{operation="chat",outcome="ok"}'] == 2
    assert found['aimesh_calls_total{operation="chat",outcome="client_gone"}'] == 2
    assert found['aimesh_calls_total{operation="messages",outcome="ok"}'] == 1
    assert sum(value for name, value in found.items() if name.startswith("aimesh_calls_total")) == 5


def test_attempts_are_counted_by_endpoint_and_end() -> None:
    metrics = Metrics()
    first = typical_record().endpoint
    metrics.record(record(attempts=()))
    metrics.record(record(endpoint=OTHER, attempts=(attempt(first, "reset"), attempt(OTHER))))
    metrics.record(record(Outcome.UPSTREAM_FAILED, attempts=(attempt(first, "reset"),)))
    metrics.record(record(Outcome.REFUSED, attempts=()))
    found = {name: value for name, value in samples(metrics).items() if "attempts" in name}
    assert found == {
        f'aimesh_attempts_total{{endpoint="{first}",outcome="ok"}}': 1,
        f'aimesh_attempts_total{{endpoint="{first}",outcome="failed"}}': 2,
        f'aimesh_attempts_total{{endpoint="{OTHER}",outcome="ok"}}': 1,
    }


def test_units_are_added_by_model() -> None:
    metrics = Metrics()
    metrics.record(record(usage=Usage(input_tokens=10, output_tokens=3, cached_tokens=4)))
    metrics.record(record(usage=Usage(input_tokens=5), endpoint=OTHER))
    metrics.record(record(usage=Usage(images=2), operation="image", model="vendor/paint"))
    metrics.record(record(usage=Usage(video_seconds=5.5), operation="task", model="vendor/film"))
    found = {name: value for name, value in samples(metrics).items() if "model=" in name}
    assert found == {
        'aimesh_tokens_total{model="vendor/model-a",kind="input"}': 15,
        'aimesh_tokens_total{model="vendor/model-a",kind="output"}': 3,
        'aimesh_tokens_total{model="vendor/model-a",kind="cached"}': 4,
        'aimesh_images_total{model="vendor/paint"}': 2,
        'aimesh_video_seconds_total{model="vendor/film"}': 5.5,
    }


def test_a_histogram_is_cumulative_and_ends_with_its_count() -> None:
    metrics = Metrics()
    for duration_ms in (5.0, 5.1, 900.0, 10_000_000.0):
        metrics.record(record(duration_ms=duration_ms, ttft_ms=None))
    metrics.record(record(endpoint=OTHER, duration_ms=30.0, ttft_ms=20.0))
    found = samples(metrics)
    name = "aimesh_call_duration_seconds"
    counts = [found[f'{name}_bucket{{operation="chat",le="{bound:g}"}}'] for bound in BUCKETS_S]
    assert counts[:3] == [1, 2, 2]
    assert counts == sorted(counts)
    assert counts[-1] == 4
    assert found[f'{name}_bucket{{operation="chat",le="+Inf"}}'] == 5
    assert found[f'{name}_count{{operation="chat"}}'] == 5
    assert found[f'{name}_sum{{operation="chat"}}'] == 10_000.9401
    assert found['aimesh_call_first_byte_seconds_count{operation="chat"}'] == 1
    assert found['aimesh_call_first_byte_seconds_sum{operation="chat"}'] == 0.02


def test_refusals_are_counted_by_code() -> None:
    metrics = Metrics()
    for code in ("GATEWAY_INVALID_VIRTUAL_KEY", "GATEWAY_BAD_REQUEST", "GATEWAY_INVALID_VIRTUAL_KEY"):
        metrics.refused(code)
    found = samples(metrics)
    assert found['aimesh_refused_total{code="GATEWAY_INVALID_VIRTUAL_KEY"}'] == 2
    assert found['aimesh_refused_total{code="GATEWAY_BAD_REQUEST"}'] == 1


def test_what_others_know_is_asked_each_time() -> None:
    metrics = Metrics()
    waiting = [0.0]
    metrics.watch("aimesh_journal_waiting", "gauge", "Records in memory.", lambda: [Sample(waiting[0])])
    metrics.watch(
        "aimesh_pool_connections",
        "gauge",
        "By origin.",
        lambda: [Sample(0.25, (("origin", 'a"b\\c\nd'), ("state", "idle")))],
    )
    assert samples(metrics)["aimesh_journal_waiting"] == 0
    waiting[0] = 7
    found = samples(metrics)
    assert found["aimesh_journal_waiting"] == 7
    assert found[r'aimesh_pool_connections{origin="a\"b\\c\nd",state="idle"}'] == 0.25
