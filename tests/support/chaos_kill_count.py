"""The reckoning after the kills: what callers saw, what the simulator served, what the database says.

The prices are those of ``priced_config``, and everything is priced here again from the simulator's own words.
"""

from collections import Counter
from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any, NamedTuple

from msgspec import Struct
from tests.support.chaos_admin import Admin
from tests.support.chaos_calls import CHAT, CHAT_STREAM, EMBEDDINGS, IMAGE_WHOLE
from tests.support.chaos_config import Config, chaos_config, patient
from tests.support.chaos_kill_eyes import Rows
from tests.support.chaos_kill_load import Call
from tests.support.chaos_kill_simulator import Served

_NANO = 10**9
_INPUT, _OUTPUT, _CACHED = Decimal("0.8137"), Decimal("2.0471"), Decimal("0.1627")
_VECTOR_INPUT = Decimal("0.0713")
_IMAGE = Decimal("0.219900001")
_SECOND = Decimal("0.313700003")
_DEARER = 3
"""``beta`` against ``alpha``."""


def priced_config(simulator_url: str) -> Config:
    """The usual providers at prices that do not come out even."""
    config = patient(chaos_config(simulator_url))
    for model in config["models"]:
        for endpoint in model["endpoints"]:
            times = _times(endpoint["provider"])
            endpoint["price"] = {"currency": "CNY"} | _price(model["kind"], times)
    return config


def _times(provider: str) -> int:
    return _DEARER if provider == "beta" else 1


def _price(kind: str, times: int) -> dict[str, Any]:
    match kind:
        case "image":
            return {"per_image": str(_IMAGE * times)}
        case "video":
            return {"per_second": {"720p": str(_SECOND * times)}}
        case "embedding":
            return {"tiers": [{"input": str(_VECTOR_INPUT * times)}]}
    tier = {
        "input": str(_INPUT * times),
        "output": str(_OUTPUT * times),
        "cached_input": str(_CACHED * times),
    }
    return {"tiers": [tier]}


def _nano(amount: Decimal) -> int:
    return int((amount * _NANO).quantize(Decimal(1), ROUND_HALF_EVEN))


def call_nano(style: str, served: Served) -> int | None:
    """What a call costs, from the usage that the simulator told; None: nothing to pay."""
    usage, times = served.usage or {}, _times(served.provider)
    if style in (CHAT.name, CHAT_STREAM.name):
        cached = usage["prompt_tokens_details"]["cached_tokens"]
        amount = (usage["prompt_tokens"] - cached) * _INPUT + cached * _CACHED
        return _nano((amount + usage["completion_tokens"] * _OUTPUT) * times / 10**6)
    if style == EMBEDDINGS.name:
        return _nano(usage["prompt_tokens"] * _VECTOR_INPUT * times / 10**6)
    if style == IMAGE_WHOLE.name:
        return _nano(usage["generated_images"] * _IMAGE * times)
    return None


def task_nano(said: Served) -> int:
    """What a film costs, from the simulator's last word about it."""
    assert said.task is not None
    seconds = said.task.get("duration") or said.task["usage"]["duration"]
    return _nano(Decimal(str(seconds)) * _SECOND * _times(said.provider))


TaskName = tuple[str, str]
"""Interface and id."""


def task_of(served: Served) -> TaskName | None:
    said = served.task
    if said is None or served.status != 200:
        return None
    return ("dashscope_video", said["output"]["task_id"]) if "output" in said else ("task", said["id"])


def _has_succeeded(served: Served) -> bool:
    said = served.task or {}
    return said.get("status") == "succeeded" or said.get("output", {}).get("task_status") == "SUCCEEDED"


class Record(NamedTuple):
    id: str
    upstream_request_id: str
    outcome: str
    interface: str
    task_id: str
    cost_nano: int | None


class Reckoning(Struct, frozen=True):
    calls: int
    """That callers began."""
    whole: int
    served: int
    """That the simulator answered whole."""
    records: int
    """In the journal and in the database."""
    unrecorded: int
    """Served whole, with no record: their worker was killed before it had the answer."""
    tasks: int
    """Bound by the gateway."""
    unbound: int
    """Accepted by the simulator while the worker was killed: neither caller nor gateway heard of them."""
    written_twice: int
    """Settlements that are in the journal more than once."""
    cost_nano: int

    @property
    def requests(self) -> int:
        """Records that are calls: the others settle a task."""
        return self.records - self.tasks


def records_of(rows: Rows) -> list[Record]:
    return [Record(*row) for row in rows.all(f"SELECT {', '.join(Record._fields)} FROM usage_records")]


def reckon(calls: list[Call], served: list[Served], rows: Rows, written: Iterable[str]) -> Reckoning:
    """``written``: ids of the records in the journal, as often as they are there. Asserts all that is promised."""
    records = records_of(rows)
    written_counts = Counter(written)
    doubled = [name for name, count in written_counts.items() if count > 1]
    assert all(name.startswith("task:") for name in doubled), doubled
    assert Counter(record.id for record in records) == Counter(set(written_counts))
    answers = [one for one in served if one.mark is not None]
    unrecorded, calls_nano = _reckon_calls(
        calls, answers, [one for one in records if not one.id.startswith("task:")]
    )
    bound, unbound, tasks_nano = _reckon_tasks(calls, served, rows, records)
    return Reckoning(
        calls=len(calls),
        whole=sum(call.is_whole for call in calls),
        served=sum(one.is_whole for one in answers),
        records=len(records),
        unrecorded=unrecorded,
        tasks=bound,
        unbound=unbound,
        written_twice=len(doubled),
        cost_nano=calls_nano + tasks_nano,
    )


def _reckon_calls(calls: list[Call], answers: list[Served], records: list[Record]) -> tuple[int, int]:
    """Gives how many answers have no record, and what the others cost."""
    by_mark = {call.mark: call for call in calls}
    by_upstream_id = {one.upstream_id: one for one in answers if one.upstream_id}
    # The simulator gives no id twice, and no call to two readers.
    assert len(by_upstream_id) == sum(bool(one.upstream_id) for one in answers)
    assert set(Counter(one.mark for one in answers if one.is_whole).values()) <= {1}
    assert {call.status for call in calls} <= {0, 200}
    assert {record.outcome for record in records} == {"ok"}
    assert set(Counter(record.upstream_request_id for record in records).values()) == {1}
    by_id = {record.id: record for record in records}
    for call in calls:
        if call.is_whole:
            answer = by_upstream_id[by_id[call.request_id].upstream_request_id]
            assert answer.mark == call.mark
    total = 0
    for record in records:
        answer = by_upstream_id[record.upstream_request_id]
        assert answer.is_whole, "a record says that all went well with an answer that was cut"
        assert answer.mark is not None
        nano = call_nano(by_mark[answer.mark].style, answer)
        assert record.cost_nano == nano, (record, answer)
        total += nano or 0
    recorded = {record.upstream_request_id for record in records}
    missing = [one for one in answers if one.is_whole and one.upstream_id not in recorded]
    assert [one for one in missing if one.mark is None or by_mark[one.mark].is_whole] == []
    return len(missing), total


def _reckon_tasks(
    calls: list[Call], served: list[Served], rows: Rows, records: list[Record]
) -> tuple[int, int, int]:
    """Gives how many tasks are bound and how many are not, and what the films cost."""
    made = {task_of(one): one for one in served if one.method == "POST" and one.is_whole and task_of(one)}
    said = {task_of(one): one for one in served if one.method == "GET" and _has_succeeded(one)}
    bound: set[TaskName] = {(row[0], row[1]) for row in rows.all("SELECT interface, id FROM tasks")}
    settled = {(row[0], row[1]) for row in rows.all("SELECT interface, id FROM tasks WHERE settled")}
    settlements = [record for record in records if record.id.startswith("task:")]
    assert settled == bound <= set(made)
    assert Counter((record.interface, record.task_id) for record in settlements) == Counter(bound)
    assert {row[0] for row in rows.all("SELECT id FROM task_settlements")} == {one.id for one in settlements}
    by_mark = {call.mark: call for call in calls}
    unbound = [one for name, one in made.items() if name not in bound]
    assert [one for one in unbound if one.mark is None or by_mark[one.mark].is_whole] == []
    total = 0
    for record in settlements:
        assert record.outcome == "ok"
        nano = task_nano(said[record.interface, record.task_id])
        assert record.cost_nano == nano, record
        total += nano
    return len(bound), len(unbound), total


def assert_the_sums_agree(rows: Rows, admin: Admin, reckoning: Reckoning, span: tuple[str, str]) -> None:
    """Records, the sums by the hour, points and the API say the same, to the nano-unit. ``span``: days, for the API."""
    for table in ("usage_hourly", "usage_hourly_models", "usage_hourly_keys"):
        sums = rows.one(f"SELECT sum(requests), sum(cost_nano), sum(unpriced) FROM {table}")
        assert tuple(map(int, sums)) == (reckoning.requests, reckoning.cost_nano, 0), table
    (points,) = rows.one("SELECT sum(requests) FROM usage_points WHERE grain = 'm'")
    assert int(points) == reckoning.requests
    (cost,) = rows.one("SELECT sum(cost_nano) FROM usage_records")
    assert int(cost) == reckoning.cost_nano
    shown = admin.done("GET", "/usage/summary", query=dict(zip(("since", "until"), span, strict=True)))
    assert Decimal(shown["cost"]["total"]["CNY"]) * _NANO == reckoning.cost_nano
    assert shown["requests"]["total"] == reckoning.requests
