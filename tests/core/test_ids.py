from aimesh.core.ids import RequestIds


def test_request_ids_sort_by_time_and_are_unique() -> None:
    ids = RequestIds(process=7)
    made = [ids.make(1_750_000_000.0 + step / 1000) for step in range(1000)]
    assert made == sorted(made)
    assert len(set(made)) == 1000
    assert {len(each) for each in made} == {32}


def test_ids_of_one_millisecond_are_ordered() -> None:
    ids = RequestIds(process=7)
    first, second = ids.make(1.0), ids.make(1.0)
    assert first < second


def test_processes_never_collide() -> None:
    assert RequestIds(1).make(1.0) != RequestIds(2).make(1.0)
