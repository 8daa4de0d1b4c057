from aimesh.supervisor.exposition import merge

ONE = """\
# HELP calls_total Settled calls.
# TYPE calls_total counter
calls_total{operation="chat",outcome="ok"} 3
# HELP open Connections.
# TYPE open gauge
open 2
"""
TWO = """\
# HELP calls_total Settled calls.
# TYPE calls_total counter
calls_total{operation="a \\"b\\" {c} 1",outcome="ok"} 4.5e3
not a line
# HELP lag_seconds Time.
# TYPE lag_seconds histogram
lag_seconds_bucket{le="+Inf"} 1
lag_seconds_sum 0.5
lag_seconds_count 1
"""


def test_families_stand_together_and_samples_say_whose_they_are() -> None:
    assert (
        merge({"0": ONE, "3": TWO}, "worker")
        == """\
# HELP calls_total Settled calls.
# TYPE calls_total counter
calls_total{operation="chat",outcome="ok",worker="0"} 3
calls_total{operation="a \\"b\\" {c} 1",outcome="ok",worker="3"} 4.5e3
# HELP open Connections.
# TYPE open gauge
open{worker="0"} 2
# HELP lag_seconds Time.
# TYPE lag_seconds histogram
lag_seconds_bucket{le="+Inf",worker="3"} 1
lag_seconds_sum{worker="3"} 0.5
lag_seconds_count{worker="3"} 1
"""
    )


def test_nothing_of_nobody() -> None:
    assert merge({}, "worker") == ""
    assert merge({"0": "garbage\n{}\n"}, "worker") == ""
