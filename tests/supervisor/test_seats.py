import os

from aimesh.supervisor.seats import count_workers


def test_a_worker_per_core_unless_a_number_is_given() -> None:
    assert count_workers(0) == len(os.sched_getaffinity(0))
    assert count_workers(3) == 3
