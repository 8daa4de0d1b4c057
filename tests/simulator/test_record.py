"""What the simulator saw."""

from aimesh.net.message import Request
from aimesh.simulator import record
from aimesh.simulator.record import Recorder


def request(body: bytes = b"", path: bytes = b"/a") -> Request:
    return Request(method=b"POST", path=path, query=b"", headers={b"a": b"b"}, body=body, peer="")


def test_last_ones_of_a_provider() -> None:
    recorder = Recorder()
    for number in range(5):
        recorder.add("p" if number % 2 else "q", request(), float(number))
    assert [entry["number"] for entry in recorder.last(2, None)] == [4, 5]
    assert [entry["number"] for entry in recorder.last(10, "p")] == [2, 4]
    assert recorder.last(0, None) == []


def test_bounded_by_count_and_bytes() -> None:
    recorder = Recorder()
    for _ in range(record.LIMIT + 5):
        recorder.add("p", request(), 0.0)
    assert len(recorder.last(record.LIMIT * 2, None)) == record.LIMIT
    large = bytes(record.LIMIT_BYTES // 2 + 1)
    for _ in range(3):
        recorder.add("p", request(large), 0.0)
    assert len(recorder.last(record.LIMIT, None)) == 1


def test_leaving_and_ending() -> None:
    recorder = Recorder()
    entry = recorder.add("p", request(), 10.0)
    assert (entry.view()["ended"], entry.view()["peer_gone"]) == (False, False)
    entry.gone_s = 12.5
    assert (entry.view()["peer_gone"], entry.view()["peer_gone_after_s"]) == (True, 2.5)


def test_counts_survive_until_cleared() -> None:
    recorder = Recorder()
    for path in (b"/a", b"/a", b"/b"):
        recorder.add("p", request(path=path), 0.0)
    counts = [(row["path"], row["count"]) for row in recorder.stats()["paths"]]
    assert counts == [("/a", 2), ("/b", 1)]
    recorder.clear()
    assert recorder.stats()["paths"] == []
    assert recorder.stats()["requests"] == 3
