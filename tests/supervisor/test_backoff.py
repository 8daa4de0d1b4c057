from aimesh.supervisor.backoff import LONGEST_S, STEADY_S, Backoff


def test_the_first_end_costs_nothing_and_the_next_ones_more_and_more() -> None:
    backoff = Backoff()
    assert [backoff.after(0.1) for _ in range(8)] == [0, 1, 2, 4, 8, 16, LONGEST_S, LONGEST_S]


def test_a_long_life_is_a_new_beginning() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.after(1)
    assert [backoff.after(STEADY_S), backoff.after(STEADY_S - 1)] == [0, 1]
