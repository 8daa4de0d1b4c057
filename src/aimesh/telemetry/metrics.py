"""Counts for Prometheus: plain integers on the hot path, text when somebody asks.

1. ``record`` is called once per settled call, ``refused`` once per call without a record. Each is one look-up
   and a few additions; sums over labels are made when the text is made.
2. Labels come from closed or configured sets (operations, outcomes, endpoints, models, codes), never from
   what a caller wrote: a caller cannot make the text grow.
3. What others know (connections, the journal) is asked when the text is made: see ``watch``.
4. Not thread-safe: counting and rendering happen on the event loop's thread.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from typing import Literal

from msgspec import Struct

from aimesh.core.outcome import Outcome
from aimesh.core.record import UsageRecord

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
_BUCKETS_MS = tuple(bound * 1000 for bound in BUCKETS_S)

Labels = tuple[tuple[str, str], ...]
Kind = Literal["counter", "gauge"]


class Sample(Struct, frozen=True):
    value: float
    labels: Labels = ()


class _Cell:
    """What calls of one operation at one endpoint add up to."""

    __slots__ = (
        "cached_tokens", "duration_ms", "durations", "first_ms", "firsts", "images", "input_tokens", "model", "ok",
        "others", "output_tokens", "served", "video_seconds",
    )  # fmt: skip

    def __init__(self, model: str) -> None:
        self.model = model
        self.ok = 0
        self.others: dict[Outcome, int] = {}
        self.served = 0
        """Calls whose first attempt did well: attempts that are not in a list."""
        self.input_tokens = self.output_tokens = self.cached_tokens = self.images = 0
        self.video_seconds = 0.0
        self.duration_ms = self.first_ms = 0.0
        self.durations = [0] * (len(BUCKETS_S) + 1)
        self.firsts = [0] * (len(BUCKETS_S) + 1)


class _Watched(Struct, frozen=True):
    name: str
    kind: Kind
    text: str
    read: Callable[[], Iterable[Sample]]


class Metrics:
    def __init__(self) -> None:
        self._cells: dict[tuple[str, str], _Cell] = {}
        self._refused: dict[str, int] = {}
        self._attempts: dict[tuple[str, bool], int] = {}
        self._watched: list[_Watched] = []

    def record(self, record: UsageRecord) -> None:
        """One settled call."""
        name = (record.operation, record.endpoint)
        cell = self._cells.get(name)
        if cell is None:
            cell = self._cells[name] = _Cell(record.model)
        outcome = record.outcome
        # Hashing a member of an enumeration costs as much as all the rest.
        attempts = record.attempts
        if outcome is Outcome.OK:
            cell.ok += 1
            if not attempts:
                # A call that did well at once is told by its record; it has no list of attempts.
                cell.served += 1
        else:
            cell.others[outcome] = cell.others.get(outcome, 0) + 1
        duration_ms = record.duration_ms
        cell.duration_ms += duration_ms
        cell.durations[bisect_left(_BUCKETS_MS, duration_ms)] += 1
        first_ms = record.ttft_ms
        if first_ms is not None:
            cell.first_ms += first_ms
            cell.firsts[bisect_left(_BUCKETS_MS, first_ms)] += 1
        usage = record.usage
        cell.input_tokens += usage.input_tokens
        cell.output_tokens += usage.output_tokens
        cell.cached_tokens += usage.cached_tokens
        if usage.images:
            cell.images += usage.images
        if usage.video_seconds:
            cell.video_seconds += usage.video_seconds
        for attempt in attempts:
            end = (attempt.endpoint, not attempt.error)
            self._attempts[end] = self._attempts.get(end, 0) + 1

    def refused(self, code: str) -> None:
        """A call that was refused before planning."""
        self._refused[code] = self._refused.get(code, 0) + 1

    def watch(self, name: str, kind: Kind, text: str, read: Callable[[], Iterable[Sample]]) -> None:
        """A family of samples that somebody else knows; ``read`` is called whenever the text is made."""
        self._watched.append(_Watched(name, kind, text, read))

    def render(self) -> bytes:
        """The text exposition format, version 0.0.4."""
        return "".join(self._families()).encode()

    def _families(self) -> Iterator[str]:
        cells = self._cells
        yield from _family(
            "aimesh_calls_total",
            "counter",
            "Settled calls.",
            _summed(
                ((("operation", operation), ("outcome", outcome.value)), count)
                for (operation, _), cell in cells.items()
                for outcome, count in ((Outcome.OK, cell.ok), *cell.others.items())
                if count
            ),
        )
        yield from _family(
            "aimesh_refused_total",
            "counter",
            "Calls refused before planning, by error code.",
            _summed(((("code", code),), count) for code, count in self._refused.items()),
        )
        yield from _family(
            "aimesh_attempts_total",
            "counter",
            "Attempts at endpoints.",
            _summed(self._attempt_counts()),
        )
        yield from _family(
            "aimesh_tokens_total",
            "counter",
            "Tokens by model; cached ones are part of input.",
            _summed(
                ((("model", cell.model), ("kind", kind)), count)
                for cell in cells.values()
                for kind, count in (
                    ("input", cell.input_tokens),
                    ("output", cell.output_tokens),
                    ("cached", cell.cached_tokens),
                )
                if count
            ),
        )
        yield from _family(
            "aimesh_images_total",
            "counter",
            "Pictures made, by model.",
            _summed(((("model", cell.model),), cell.images) for cell in cells.values() if cell.images),
        )
        yield from _family(
            "aimesh_video_seconds_total",
            "counter",
            "Billed seconds of video, by model.",
            _summed(
                ((("model", cell.model),), cell.video_seconds)
                for cell in cells.values()
                if cell.video_seconds
            ),
        )
        yield from _histogram(
            "aimesh_call_duration_seconds",
            "From the request to the last byte of the answer.",
            ((operation, cell.durations, cell.duration_ms) for (operation, _), cell in cells.items()),
        )
        yield from _histogram(
            "aimesh_call_first_byte_seconds",
            "From the request to the first byte of the answer.",
            ((operation, cell.firsts, cell.first_ms) for (operation, _), cell in cells.items()),
        )
        for watched in self._watched:
            yield from _family(watched.name, watched.kind, watched.text, watched.read())

    def _attempt_counts(self) -> Iterator[tuple[Labels, float]]:
        for (endpoint, is_good), count in self._attempts.items():
            yield (("endpoint", endpoint), ("outcome", "ok" if is_good else "failed")), count
        for (_, endpoint), cell in self._cells.items():
            if cell.served:
                yield (("endpoint", endpoint), ("outcome", "ok")), cell.served


def _summed(counts: Iterable[tuple[Labels, float]]) -> Iterator[Sample]:
    sums: dict[Labels, float] = {}
    for labels, count in counts:
        sums[labels] = sums.get(labels, 0) + count
    for labels in sorted(sums):
        yield Sample(sums[labels], labels)


def _family(name: str, kind: str, text: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP {name} {text}\n# TYPE {name} {kind}\n"
    for sample in samples:
        yield f"{name}{_labels(sample.labels)} {_number(sample.value)}\n"


def _histogram(name: str, text: str, cells: Iterable[tuple[str, list[int], float]]) -> Iterator[str]:
    yield f"# HELP {name} {text}\n# TYPE {name} histogram\n"
    buckets: dict[str, list[int]] = {}
    sums_ms: dict[str, float] = {}
    for operation, counts, sum_ms in cells:
        so_far = buckets.setdefault(operation, [0] * len(counts))
        buckets[operation] = [one + other for one, other in zip(so_far, counts, strict=True)]
        sums_ms[operation] = sums_ms.get(operation, 0.0) + sum_ms
    for operation in sorted(buckets):
        count = 0
        for bound, more in zip((*BUCKETS_S, None), buckets[operation], strict=True):
            count += more
            limit = "+Inf" if bound is None else _number(bound)
            yield f"{name}_bucket{_labels((('operation', operation), ('le', limit)))} {count}\n"
        labels = _labels((("operation", operation),))
        yield f"{name}_sum{labels} {_number(sums_ms[operation] / 1000)}\n{name}_count{labels} {count}\n"


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(float(value))
